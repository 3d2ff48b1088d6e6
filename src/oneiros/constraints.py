"""Constraints on weights, applied after each update: ``constraint(w)`` returns the weight that replaces `w`."""

import jax.numpy as jnp
import numpy as np

from . import core
from .core.fields import field

_AXIS = "Axis of the norm: 0 for a Dense kernel, `(0, 1, 2)` for that of a two-dimensional convolution."
_kind = core.kind("constraint")


class Constraint(core.Configurable):
    """Base class of constraints. Subclasses define ``__call__(w)``, which returns the new weight.

    >>> class AtMostOne(Constraint):
    ...     def __call__(self, w):
    ...         return jnp.minimum(w, 1)
    >>> AtMostOne()(jnp.array([0.5, 2.0])).tolist()
    [0.5, 1.0]
    """

    kind = "constraint"

    def __call__(self, w):
        return w


def _norms(w, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return jnp.sqrt(jnp.sum(jnp.square(w), axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales weights down to the Euclidean norm `max_value` where it is larger (Srivastava et al. 2014).

    >>> np.asarray(MaxNorm(1.0)([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    max_value: float = field(default=2, doc="Largest norm that is allowed.")
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
    """Scales weights to the Euclidean norm 1 along `axis`.

    >>> np.asarray(UnitNorm()([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    axis: int = field(default=0, doc=_AXIS)

    def __call__(self, w):
        w = core.to_array(w)
        return w / (core.epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Scales weights so that their Euclidean norm along `axis` lies between `min_value` and `max_value`.

    >>> np.asarray(MinMaxNorm(0.0, 1.0)([[3.0], [4.0]]), float).round(2).tolist()
    [[0.6], [0.8]]
    """

    min_value: float = field(default=0.0, doc="Smallest norm that is allowed.")
    max_value: float = field(default=1.0, doc="Largest norm that is allowed.")
    rate: float = field(default=1.0, doc="Strength from 0 to 1: how far the norm moves toward the bounds.")
    axis: int = field(default=0, doc=_AXIS)

    def __call__(self, w):
        w = core.to_array(w)
        norms = _norms(w, self.axis)
        desired = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (core.epsilon() + norms))


class RadialConstraint(Constraint):
    """Makes a square kernel ``(size, size, in, out)`` constant along each square ring around its centre.

    The values are taken from the diagonal, as in tf.keras.

    >>> RadialConstraint()(np.ones((3, 3, 1, 1))).shape
    (3, 3, 1, 1)
    """

    def __call__(self, w):
        w = core.to_array(w)
        if w.ndim != 4 or w.shape[0] != w.shape[1]:
            raise ValueError(f"RadialConstraint: expected a kernel (size, size, in, out). Received: shape {w.shape}")
        size = w.shape[0]
        offset = np.abs(np.arange(size) - (size - 1) / 2).astype(int)
        ring = np.maximum(offset[:, None], offset[None, :])  # ring 0 is the centre: one element, or four
        source = np.where(ring == 0, size // 2 - 1, size // 2 + ring - size % 2)
        return w[source, source]


max_norm, non_neg, unit_norm, min_max_norm, radial_constraint = (
    *(MaxNorm, NonNeg, UnitNorm, MinMaxNorm),
    RadialConstraint,
)
maxnorm, nonneg, unitnorm = MaxNorm, NonNeg, UnitNorm
for _class in (MaxNorm, NonNeg, UnitNorm):
    _kind.add(_class, _class.__name__.lower())

get, serialize, deserialize = _kind.get, _kind.serializer(), _kind.deserialize
