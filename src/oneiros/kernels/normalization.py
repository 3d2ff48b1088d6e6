"""Batch normalization (Ioffe & Szegedy 2015): statistics over axes, and their use."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax


def batch_norm_train(x: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """Mean and (biased) variance of ``x`` over ``axes``, which are dropped. Half precision is summed in float32."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    mean = wide.mean(axes, keepdims=True)
    variance = jnp.square(wide - mean).mean(axes)
    return mean.squeeze(axes).astype(x.dtype), variance.astype(x.dtype)


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
    return x * jnp.expand_dims(factor, axes) + jnp.expand_dims(shift, axes)
