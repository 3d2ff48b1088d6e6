"""Batch normalization (Ioffe & Szegedy 2015): statistics over axes, and their use."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from .reduction import add_bias, column_sums, scaled


def batch_norm_train(x: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """Mean and (biased) variance of ``x`` over ``axes``, which are dropped. Half precision is summed in float32."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    if _channels_last(x, axes):
        count = x.size // x.shape[-1]
        mean = column_sums(wide) / count
        variance = column_sums(jnp.square(wide - mean)) / count
    else:
        mean = wide.mean(axes)
        variance = jnp.square(wide - jnp.expand_dims(mean, axes)).mean(axes)
    return mean.astype(x.dtype), variance.astype(x.dtype)


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
