"""Constraints on weights, applied after each update: ``constraint(w)`` is the weight that is kept."""

import jax.numpy as jnp
import numpy as np

from . import core
from .core.fields import field

_AXIS = "Axis of the norm: 0 for a Dense kernel, `(0, 1, 2)` for that of a two-dimensional convolution."
_kind = core.kind("constraint")


class Constraint(core.Configurable):
    """Base of constraints: subclasses define ``__call__(w)`` and, with arguments, ``get_config()``."""

    kind = "constraint"

    def __call__(self, w):
        return w


def _norms(w, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return jnp.sqrt(jnp.sum(jnp.square(w), axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales weights down whose Euclidean norm over `axis` is above max_value (Srivastava et al. 2014).

    >>> np.asarray(MaxNorm(1.0)([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    max_value: float = field(default=2, doc="Largest norm.")
    axis: int = field(default=0, doc=_AXIS)

    def __call__(self, w):
        w = core.to_array(w)
        norms = _norms(w, self.axis)
        return w * (jnp.clip(norms, 0, self.max_value) / (core.epsilon() + norms))


class NonNeg(Constraint):
    """Sets negative weights to 0.

    >>> np.asarray(NonNeg()([1.0, -2.0]), int).tolist()
    [1, 0]
    """

    def __call__(self, w):
        w = core.to_array(w)
        return w * (w >= 0).astype(w.dtype)


class UnitNorm(Constraint):
    """Scales weights to the Euclidean norm 1 over `axis`.

    >>> np.asarray(UnitNorm()([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    axis: int = field(default=0, doc=_AXIS)

    def __call__(self, w):
        w = core.to_array(w)
        return w / (core.epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Scales weights so that their norm over `axis` lies between min_value and max_value.

    >>> np.asarray(MinMaxNorm(0.0, 1.0)([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    min_value: float = field(default=0.0, doc="Smallest norm.")
    max_value: float = field(default=1.0, doc="Largest norm.")
    rate: float = field(default=1.0, doc="How much of the way to the bounds is gone: 1 for all of it.")
    axis: int = field(default=0, doc=_AXIS)

    def __call__(self, w):
        w = core.to_array(w)
        norms = _norms(w, self.axis)
        desired = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (core.epsilon() + norms))


class RadialConstraint(Constraint):
    """Gives all weights of a square kernel ``(size, size, in, out)`` that lie on one square ring the same value.

    The values are taken from the diagonal, as tf.keras takes them.

    >>> RadialConstraint()(np.ones((3, 3, 1, 1))).shape
    (3, 3, 1, 1)
    """

    def __call__(self, w):
        w = core.to_array(w)
        if w.ndim != 4 or w.shape[0] != w.shape[1]:
            raise ValueError(f"RadialConstraint: expected a kernel (size, size, in, out). Received: shape {w.shape}")
        size = w.shape[0]
        offset = np.abs(np.arange(size) - (size - 1) / 2).astype(int)
        ring = np.maximum(offset[:, None], offset[None, :])  # 0 is the middle: one element, or four
        source = np.where(ring == 0, size // 2 - 1, size // 2 + ring - size % 2)
        return w[source, source]


max_norm, non_neg, unit_norm, min_max_norm, radial_constraint = (
    *(MaxNorm, NonNeg, UnitNorm, MinMaxNorm),
    RadialConstraint,
)
maxnorm, nonneg, unitnorm = MaxNorm, NonNeg, UnitNorm
for _class in (MaxNorm, NonNeg, UnitNorm):
    _kind.add(_class, _class.__name__.lower())

get, serialize, deserialize = _kind.get, _kind.serialize, _kind.deserialize
