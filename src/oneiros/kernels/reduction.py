"""Sums over all axes but the last: gradients of biases and scales, and the statistics of normalizations.

XLA reduces leading axes slowly on CPUs; a product with a vector of ones is as fast as memory allows.
"""

import jax
import jax.numpy as jnp
from jax import Array

from .choice import fast


def column_sums(x: Array) -> Array:
    """``x.sum((0, ..., -2))``, shape ``(C,)``."""
    if fast("reduction") and x.dtype in (jnp.float32, jnp.float64) and x.ndim > 2:
        return _column_sums(x)
    return x.sum(tuple(range(x.ndim - 1)))


@jax.custom_vjp
def _column_sums(x):
    rows = x.reshape(-1, x.shape[-1])
    return jnp.ones(rows.shape[0], x.dtype) @ rows


_column_sums.defvjp(lambda x: (_column_sums(x), x), lambda x, d: (jnp.broadcast_to(d, x.shape),))


def add_bias(x: Array, bias: Array) -> Array:
    """``x + bias`` for ``x`` ``(..., C)`` and ``bias`` ``(C,)``, or of any shape that broadcasts."""
    if bias.ndim > 1:
        return x + bias
    dtype = jnp.result_type(x, bias)
    return _add_bias(x.astype(dtype), bias.astype(dtype))


@jax.custom_vjp
def _add_bias(x, bias):
    return x + bias


_add_bias.defvjp(lambda x, bias: (x + bias, None), lambda _, dy: (dy, column_sums(dy)))


@jax.custom_vjp
def scale_shift(x: Array, scale: Array, shift: Array) -> Array:
    """``x * scale + shift`` for ``x`` ``(..., C)``, ``scale`` and ``shift`` ``(C,)``, all of one type."""
    return x * scale + shift


def _scale_shift_backward(residuals, dy):
    x, scale = residuals
    return dy * scale, column_sums(dy * x), column_sums(dy)


scale_shift.defvjp(lambda x, scale, shift: (scale_shift(x, scale, shift), (x, scale)), _scale_shift_backward)
