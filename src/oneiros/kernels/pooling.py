"""Maximum and average pooling of channels-last arrays ``(N, *spatial, C)`` in one to three dimensions.

XLA's windowed reductions are slow on CPUs, their gradients very slow. The fast variants pool one axis after the other
as maxima or sums of strided slices. Their gradient fills each residue class of an axis modulo the stride in one loop
and interleaves them: no scatter.
"""

from collections.abc import Sequence
from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .convolution import Padding, pad_spatial, pad_widths, spread
from .dispatch import fast

LARGEST_UNROLLED = 16  # window length up to which slices are written out


def max_pool(x: Array, pool_size, strides=None, padding: Padding = "valid") -> Array:
    """The largest element of each window; ``strides`` defaults to ``pool_size``. Padding never wins."""
    size, strides, pads = _window(x, pool_size, strides, padding)
    if _fast(x, size):
        x = pad_spatial(x, pads, _lowest(x.dtype))
        # the last axis first, so that among equals the first in row-major order gets the gradient, as in XLA
        for axis in reversed(range(1, x.ndim - 1)):
            x = _max_axis(x, axis, size[axis - 1], strides[axis - 1])
        return x
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, (1, *size, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0)))


def avg_pool(x: Array, pool_size, strides=None, padding: Padding = "valid") -> Array:
    """The mean of each window over the elements that are not padding."""
    size, strides, pads = _window(x, pool_size, strides, padding)
    counts = window_counts(x.shape[1:-1], size, strides, pads).astype(x.dtype)
    zero = np.zeros((), x.dtype)
    if _fast(x, size):
        total = pad_spatial(x, pads)
        for axis in reversed(range(1, x.ndim - 1)):
            total = _sum_axis(total, axis, size[axis - 1], strides[axis - 1])
    else:
        total = lax.reduce_window(x, zero, lax.add, (1, *size, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0)))
    return total / counts


def adaptive_pool(x: Array, output_size: Sequence[int], mean: bool) -> Array:
    """The means or maxima of a given number of regions on each axis.

    Region i of n on an axis of length L reaches from ``floor(i * L / n)`` to ``ceil((i + 1) * L / n)``. Regions are
    products of intervals, so the axes are pooled one after the other.
    """
    for axis, regions in enumerate(output_size, start=1):
        index, inside = _regions(x.shape[axis], regions)
        gathered = jnp.take(x, index, axis=axis)
        if mean:
            weights = (inside / inside.sum(1, keepdims=True)).astype(x.dtype)
            x = (gathered * weights.reshape(*inside.shape, *(1,) * (x.ndim - axis - 1))).sum(axis + 1)
        else:
            x = gathered.max(axis + 1)
    return x


def _regions(length, regions):
    """Indices ``(regions, widest)`` of the elements of each region, the last one repeated, and which of them count."""
    starts = np.arange(regions) * length // regions
    ends = -(-(np.arange(regions) + 1) * length // regions)
    index = starts[:, None] + np.arange((ends - starts).max())
    return np.minimum(index, ends[:, None] - 1), index < ends[:, None]


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


def _fast(x, size):
    return fast("pooling") and jnp.issubdtype(x.dtype, jnp.floating) and max(size) <= LARGEST_UNROLLED


def _slices(x, axis, size, stride):
    span = (x.shape[axis] - size) // stride * stride + 1
    return [lax.slice_in_dim(x, i, i + span, stride, axis) for i in range(size)]


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _max_axis(x, axis, size, stride):
    return reduce(jnp.maximum, _slices(x, axis, size, stride))


def _max_forward(x, axis, size, stride):
    return _max_axis(x, axis, size, stride), x


def _max_backward(axis, size, stride, x, dy):
    best, *rest = _slices(x, axis, size, stride)
    chosen = jnp.zeros(best.shape, jnp.int8)
    for i, candidate in enumerate(rest, 1):
        chosen = jnp.where(candidate > best, jnp.int8(i), chosen)
        best = jnp.maximum(best, candidate)
    return (_spread_back(dy, chosen, x.shape[axis], axis, size, stride),)


_max_axis.defvjp(_max_forward, _max_backward)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _sum_axis(x, axis, size, stride):
    return sum(_slices(x, axis, size, stride))


def _sum_forward(x, axis, size, stride):
    return _sum_axis(x, axis, size, stride), x.shape[axis]


def _sum_backward(axis, size, stride, length, dy):
    return (_spread_back(dy, None, length, axis, size, stride),)


_sum_axis.defvjp(_sum_forward, _sum_backward)


def _spread_back(dy, chosen, length, axis, size, stride):
    """Give each window's ``dy`` to its elements (to the ``chosen`` one) along ``axis`` of ``length``.

    Element ``stride * q + phase`` is the ``i``-th of window ``q - i // stride`` for each ``i`` congruent to ``phase``.
    """
    period, ahead = -(-length // stride), (size - 1) // stride
    pads = [(0, 0, 0)] * dy.ndim
    pads[axis] = (ahead, period - dy.shape[axis], 0)
    dy = lax.pad(dy, np.zeros((), dy.dtype), pads)
    chosen = None if chosen is None else lax.pad(chosen, np.int8(-1), pads)

    def part(i):
        window = lax.slice_in_dim(dy, ahead - i // stride, ahead - i // stride + period, axis=axis)
        if chosen is None:
            return window
        mine = lax.slice_in_dim(chosen, ahead - i // stride, ahead - i // stride + period, axis=axis)
        return jnp.where(mine == i, window, 0)

    nothing = jnp.zeros(1, dy.dtype)
    phases = [sum(map(part, range(phase, size, stride)), nothing) for phase in range(stride)]
    shape = [*dy.shape]
    shape[axis] = period * stride
    phases = [jnp.broadcast_to(p, (*shape[:axis], period, *shape[axis + 1 :])) for p in phases]
    return lax.slice_in_dim(jnp.stack(phases, axis + 1).reshape(shape), 0, length, axis=axis)
