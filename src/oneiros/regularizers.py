"""Penalties on weights or activations, added to the loss: ``regularizer(x)`` is a scalar."""

import math

import jax.numpy as jnp

from . import core

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
    """Base of regularizers: subclasses define ``__call__(x)`` and, with arguments, ``get_config()``."""

    kind = "regularizer"

    def __call__(self, x):
        return 0.0


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x**2)``.

    >>> float(L1L2(l1=0.5, l2=0.1)([1.0, -2.0]))
    2.0
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor("l1", l1)
        self.l2 = _factor("l2", l2)

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
    """``l1 * sum(|x|)``."""

    def __init__(self, l1=0.01):
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 * sum(x**2)``."""

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of ``|cosine|`` over all pairs of rows (or columns) of a matrix.

    mode: 'rows' or 'columns'.
    """

    def __init__(self, factor=0.01, mode="rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: mode must be 'rows' or 'columns'. Received: mode={mode!r}")
        self.factor = _factor("factor", factor)
        self.mode = mode

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


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
for _name in ("l1l2", "L1L2Regularizer", "WeightRegularizer"):
    _kind.add(L1L2, _name)

get, serialize, deserialize = _kind.get, _kind.serialize, _kind.deserialize
