"""Maximum and average pooling of channels-last arrays ``(N, *spatial, C)`` in one to three dimensions."""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .convolution import Padding, pad_widths, spread


def max_pool(x: Array, pool_size, strides=None, padding: Padding = "valid") -> Array:
    """The largest element of each window; ``strides`` defaults to ``pool_size``. Padding never wins."""
    size, strides, pads = _window(x, pool_size, strides, padding)
    return max_pool_reference(x, size, strides, pads)


def max_pool_reference(x, size, strides, pads):
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, (1, *size, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0)))


def avg_pool(x: Array, pool_size, strides=None, padding: Padding = "valid") -> Array:
    """The mean of each window over the elements that are not padding."""
    size, strides, pads = _window(x, pool_size, strides, padding)
    return avg_pool_reference(x, size, strides, pads)


def avg_pool_reference(x, size, strides, pads):
    zero = np.zeros((), x.dtype)
    total = lax.reduce_window(x, zero, lax.add, (1, *size, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0)))
    return total / window_counts(x.shape[1:-1], size, strides, pads).astype(x.dtype)


def window_counts(spatial, size, strides, pads) -> np.ndarray:
    """How many elements of each window are not padding, as ``(*out, 1)``."""
    counts = np.ones((), np.int64)
    for n, k, s, (low, high) in zip(spatial, size, strides, pads):
        inside = np.pad(np.ones(n, np.int64), (low, high))
        counts = counts[..., None] * np.lib.stride_tricks.sliding_window_view(inside, k)[::s].sum(-1)
    return counts[..., None]


def _window(x, pool_size, strides, padding):
    rank = x.ndim - 2
    size = spread(pool_size, rank)
    strides = spread(strides, rank) if strides is not None else size
    return size, strides, pad_widths(x.shape[1:-1], size, strides, padding, (1,) * rank)


def _lowest(dtype):
    if jnp.issubdtype(dtype, jnp.floating):
        return np.array(-np.inf, dtype)
    return np.array(jnp.iinfo(dtype).min, dtype)
