"""Batch normalization (Ioffe & Szegedy 2015): statistics over axes, and their use."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax

from .reduction import add_bias, column_sums, scaled


def batch_norm_train(x: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """Mean and (biased) variance of ``x`` over ``axes``, which are dropped. Half precision is summed in float32."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    if _channels_last(x, axes):
        mean, variance = _statistics(wide)
    else:
        mean = wide.mean(axes)
        variance = jnp.square(wide - jnp.expand_dims(mean, axes)).mean(axes)
    return mean.astype(x.dtype), variance.astype(x.dtype)


@jax.custom_vjp
def _statistics(x):
    count = x.size // x.shape[-1]
    mean = column_sums(x) / count
    return mean, column_sums(jnp.square(x - mean)) / count


def _statistics_forward(x):
    mean, variance = _statistics(x)
    return (mean, variance), (x, mean)


def _statistics_backward(residuals, gradients):
    # Without the part of the mean in the variance: it is zero, which XLA does not know and would sum up.
    x, mean = residuals
    d_mean, d_variance = (d * (x.shape[-1] / x.size) for d in gradients)
    return (d_mean + (x - mean) * (2 * d_variance),)


_statistics.defvjp(_statistics_forward, _statistics_backward)


def normalize(
    x: Array,
    axes: Sequence[int],
    mean: Array,
    variance: Array,
    scale: Array | None = None,
    offset: Array | None = None,
    epsilon: float = 1e-3,
) -> Array:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``; all four have the shape of ``x`` without ``axes``."""
    factor = lax.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    if _channels_last(x, axes):
        return add_bias(scaled(x, factor), shift)
    return x * jnp.expand_dims(factor, axes) + jnp.expand_dims(shift, axes)


def _channels_last(x, axes):
    return tuple(axes) == tuple(range(x.ndim - 1))
