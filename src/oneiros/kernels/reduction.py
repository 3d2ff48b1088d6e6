"""Sums over all axes but the last: gradients of biases and scales, and the statistics of normalizations.

XLA reduces leading axes slowly on CPUs; a product with a vector of ones is as fast as memory allows.
"""

import jax
import jax.numpy as jnp
from jax import Array

from .dispatch import fast


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
    """``x + bias``, where ``bias`` has the last axes of ``x``, or any shape that broadcasts."""
    return _add(*_common(x, bias)) if _spans_last_axes(x, bias) else x + bias


def scaled(x: Array, scale: Array) -> Array:
    """``x * scale``, where ``scale`` has the last axes of ``x``, or any shape that broadcasts."""
    return _multiply(*_common(x, scale)) if _spans_last_axes(x, scale) else x * scale


def _spans_last_axes(x, y):
    return x.ndim > 1 + y.ndim and y.shape == x.shape[x.ndim - y.ndim :]


def _common(*arrays):
    dtype = jnp.result_type(*arrays)
    return [jnp.asarray(a, dtype) for a in arrays]


def _leading_sums(dy, like):
    """The sum over the axes that ``like`` lacks."""
    return column_sums(dy.reshape(*dy.shape[: dy.ndim - like.ndim], -1)).reshape(like.shape)


@jax.custom_vjp
def _add(x, bias):
    return x + bias


_add.defvjp(lambda x, bias: (x + bias, bias), lambda bias, dy: (dy, _leading_sums(dy, bias)))


@jax.custom_vjp
def _multiply(x, scale):
    return x * scale


def _multiply_backward(residuals, dy):
    x, scale = residuals
    return dy * scale, _leading_sums(dy * x, scale)


_multiply.defvjp(lambda x, scale: (x * scale, (x, scale)), _multiply_backward)
