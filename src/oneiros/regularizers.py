"""Penalties on weights or activations, added to the loss: ``regularizer(x)`` is a scalar."""

import math
from functools import partial

import jax.numpy as jnp

from . import core
from .core.checks import one_of
from .core.fields import field
from .core.registry import factory

_kind = core.kind("regularizer")


def _factor(name, value):
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) and not hasattr(value, "dtype"):
        raise ValueError(f"Regularizer: {name} must be a number of at least 0. Received: {name}={value!r}")
    value = float(value)
    if value < 0 or not math.isfinite(value):
        raise ValueError(f"Regularizer: {name} must be a finite number of at least 0. Received: {name}={value!r}")
    return value


class Regularizer(core.Configurable):
    """Base class of regularizers. Subclasses define ``__call__(x)``, which returns a scalar.

    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.1 * jnp.max(jnp.abs(x))
    >>> round(float(Largest()(jnp.array([1.0, -2.0]))), 3)
    0.2
    """

    kind = "regularizer"

    def __call__(self, x):
        return 0.0


class L1L2(Regularizer):
    """The penalty ``l1 * sum(|x|) + l2 * sum(x**2)``.

    >>> float(L1L2(l1=0.5, l2=0.1)([1.0, -2.0]))
    2.0
    """

    l1: float = field(_factor, default=0.0, doc="Factor of the sum of absolute values, at least 0.")
    l2: float = field(_factor, default=0.0, doc="Factor of the sum of squares, at least 0.")

    @core.op
    def __call__(self, x):
        x = core.to_array(x)
        penalty = jnp.zeros((), x.dtype)
        if self.l1:
            penalty += self.l1 * jnp.sum(jnp.abs(x))
        if self.l2:
            penalty += self.l2 * jnp.sum(jnp.square(x))
        return penalty


class L1(L1L2):
    """The penalty ``l1 * sum(|x|)``.

    >>> round(float(L1(0.1)(jnp.array([1.0, -2.0]))), 3)
    0.3
    """

    l1: float = 0.01

    l2 = 0.0


class L2(L1L2):
    """The penalty ``l2 * sum(x**2)``.

    >>> round(float(L2(0.1)(jnp.array([1.0, -2.0]))), 3)
    0.5
    """

    l2: float = 0.01

    l1 = 0.0


class OrthogonalRegularizer(Regularizer):
    """The penalty `factor` times the mean of ``|cosine|`` over all pairs of rows (or columns) of a matrix.

    >>> round(float(OrthogonalRegularizer(0.1)(jnp.array([[1.0, 0.0], [1.0, 1.0]]))), 3)
    0.071
    """

    factor: float = field(_factor, default=0.01, doc="Factor of the penalty, at least 0.")
    mode: str = field(
        partial(one_of, allowed=("rows", "columns")), default="rows", doc='What is compared: `"rows"` or `"columns"`.'
    )

    @core.op
    def __call__(self, inputs):
        x = core.to_array(inputs)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix. Received: shape {x.shape}")
        x = x if self.mode == "rows" else x.T
        x = x / jnp.maximum(jnp.linalg.norm(x, axis=1, keepdims=True), core.epsilon())
        pairs = len(x) * (len(x) - 1) / 2
        off_diagonal = x @ x.T * (1 - jnp.eye(len(x), dtype=x.dtype))
        return self.factor * 0.5 * jnp.sum(jnp.abs(off_diagonal)) / pairs


@factory
def l1_l2(l1: float = 0.0, l2: float = 0.0) -> L1L2:
    """An `L1L2`. Before Keras 3 both factors are 0.01 by default.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.

    >>> l1_l2(l2=0.5).get_config()
    {'l1': 0.0, 'l2': 0.5}
    """
    return L1L2(l1=l1, l2=l2)


l1, l2, orthogonal_regularizer = L1, L2, OrthogonalRegularizer
for _name in ("l1l2", "L1L2Regularizer", "WeightRegularizer"):
    _kind.add(L1L2, _name)

get, serialize, deserialize = _kind.get, _kind.serializer(), _kind.deserialize
