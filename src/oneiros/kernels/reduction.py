"""Sums over all axes but the last, as the gradients of biases are, and the statistics of normalizations."""

import jax
import jax.numpy as jnp
from jax import Array

from .choice import fast


def column_sums(x: Array) -> Array:
    """``x.sum((0, ..., -2))``, shape ``(C,)``. XLA's reduction of leading axes is slow on CPUs: a product is not."""
    if not (fast("reduction") and x.dtype in (jnp.float32, jnp.float64) and x.ndim > 2):
        return x.sum(tuple(range(x.ndim - 1)))
    rows = x.reshape(-1, x.shape[-1])
    return jnp.ones(rows.shape[0], x.dtype) @ rows


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
