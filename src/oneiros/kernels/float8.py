"""Numbers that pass through 8-bit floats, and the scales that follow their size.

The "gradients" of a scale and of its history are their next values. Source: Micikevicius et al., "FP8 Formats for Deep
Learning" (arXiv:2209.05433): numbers of the forward pass have 4 bits of exponent, gradients 5.
"""

import jax
import jax.numpy as jnp
from jax import Array

FORWARD, BACKWARD = "float8_e4m3fn", "float8_e5m2"


def largest_of(dtype: str) -> float:
    """The largest number of a type of 8-bit floats."""
    return float(jnp.finfo(dtype).max)


def next_scale(amax: Array, scale: Array, dtype_max: float, margin: int = 0) -> Array:
    """The scale with which numbers up to `amax` fill a type; the old one where that is 0 or not finite."""
    return 1 / jnp.where((amax > 0) & jnp.isfinite(amax), dtype_max / amax / 2**margin, 1 / scale)


def next_history(x: Array, history: Array) -> Array:
    """The largest absolute values of past steps, with that of `x` in front, and without the oldest."""
    return jnp.roll(history, -1).at[0].set(jnp.max(jnp.abs(x)).astype(history.dtype))


def through(x: Array, scale: Array, dtype: str) -> Array:
    """The numbers as an 8-bit float can hold them, when they are divided by a scale."""
    scale, largest = scale.astype(x.dtype), largest_of(dtype)
    return jnp.clip(x / scale, -largest, largest).astype(dtype).astype(x.dtype) * scale


@jax.custom_vjp
def inwards(x: Array, scale: Array, history: Array) -> Array:
    """The numbers of the forward pass; their gradients pass."""
    return through(x, scale, FORWARD)


def _inwards(x, scale, history):
    new = next_scale(history.max(), scale, largest_of(FORWARD))
    return through(x, scale, FORWARD), (new, next_history(x, history))


inwards.defvjp(_inwards, lambda new, gradient: (gradient, *new))


@jax.custom_vjp
def outwards(x: Array, scale: Array, history: Array) -> Array:
    """The same numbers, whose gradients pass through 8-bit floats."""
    return x


def _outwards_back(kept, gradient):
    scale, history = kept
    new = next_scale(history.max(), scale, largest_of(BACKWARD))
    return through(gradient, scale, BACKWARD), new, next_history(gradient, history)


outwards.defvjp(lambda x, scale, history: (x, (scale, history)), _outwards_back)
