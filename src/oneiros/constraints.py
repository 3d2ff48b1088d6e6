"""Constraints on weights, applied after each update: ``constraint(w)`` is the weight that is kept."""

import jax.numpy as jnp
import numpy as np

from . import core

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

    axis: 0 for the inputs of a Dense kernel, (0, 1, 2) for those of a convolution's.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w):
        w = core.to_array(w)
        norms = _norms(w, self.axis)
        return w * (jnp.clip(norms, 0, self.max_value) / (core.epsilon() + norms))


class NonNeg(Constraint):
    """Sets negative weights to 0."""

    def __call__(self, w):
        w = core.to_array(w)
        return w * (w >= 0).astype(w.dtype)


class UnitNorm(Constraint):
    """Scales weights to the Euclidean norm 1 over `axis`."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        w = core.to_array(w)
        return w / (core.epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Scales weights so that their norm over `axis` lies between min_value and max_value.

    rate: how much of the way there is gone at each update; 1 is all of it.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w):
        w = core.to_array(w)
        norms = _norms(w, self.axis)
        desired = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (core.epsilon() + norms))


class RadialConstraint(Constraint):
    """Gives all weights of a square kernel ``(size, size, in, out)`` that lie on one square ring the same value.

    The values are taken from the diagonal, as tf.keras takes them.
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
