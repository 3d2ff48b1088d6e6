"""Convolution, pooling and the cutting of images into patches, for both data formats (a part of `keras.ops.nn`)."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from ..core import op
from ..core.config import standardize_data_format
from ..kernels import convolution as kernels
from ..kernels import pooling
from .table import tensor


def channels_last(x, data_format):
    """``(x with its channels last, function that brings the result back)``."""
    if standardize_data_format(data_format) == "channels_last":
        return x, lambda y: y
    return jnp.moveaxis(x, 1, -1), lambda y: jnp.moveaxis(y, -1, 1)


def _pair(x, kernel):
    """Two arrays of one type."""
    x, kernel = tensor(x), tensor(kernel)
    dtype = jnp.result_type(x, kernel)
    return x.astype(dtype), kernel.astype(dtype)


def _padding(padding):
    return padding.lower() if isinstance(padding, str) else padding


@op
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution in one to three dimensions with a kernel ``(*size, inputs / groups, filters)``."""
    x, kernel = _pair(inputs, kernel)
    x, back = channels_last(x, data_format)
    groups, rest = divmod(x.shape[-1], kernel.shape[-2])
    if rest:
        raise ValueError(
            f"conv: the kernel of shape {kernel.shape} takes {kernel.shape[-2]} channels, which does not divide the "
            f"{x.shape[-1]} channels of the inputs (data_format={standardize_data_format(data_format)!r})."
        )
    return back(kernels.conv(x, kernel, strides, _padding(padding), dilation_rate, groups))


@op
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution of each channel with filters of its own: kernel ``(*size, channels, multiplier)``."""
    x, kernel = _pair(inputs, kernel)
    x, back = channels_last(x, data_format)
    return back(kernels.depthwise_conv(x, kernel, strides, _padding(padding), dilation_rate))


@op
def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """A depthwise convolution, then a mixing of the channels by a pointwise kernel ``(1, ..., channels, filters)``."""
    x, depthwise_kernel = _pair(inputs, depthwise_kernel)
    x, back = channels_last(x, data_format)
    x = kernels.depthwise_conv(x, depthwise_kernel, strides, _padding(padding), dilation_rate)
    return back(kernels.conv(*_pair(x, pointwise_kernel)))


@op
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """The transpose of a convolution: kernel ``(*size, filters, inputs)``."""
    x, kernel = _pair(inputs, kernel)
    x, back = channels_last(x, data_format)
    return back(kernels.conv_transpose(x, kernel, strides, _padding(padding), output_padding, dilation_rate))


def _pool(kernel, inputs, pool_size, strides, padding, data_format):
    x, back = channels_last(tensor(inputs), data_format)
    return back(kernel(x, pool_size, strides, _padding(padding)))


@op
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest element of each window."""
    return _pool(pooling.max_pool, inputs, pool_size, strides, padding, data_format)


@op
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, padding not counted."""
    return _pool(pooling.avg_pool, inputs, pool_size, strides, padding, data_format)


def _adaptive_pool(reduce, inputs, output_size, data_format):
    x, back = channels_last(tensor(inputs), data_format)
    for axis, count in enumerate(kernels.spread(output_size, x.ndim - 2), 1):
        edges = np.arange(count + 1) * x.shape[axis]
        starts, ends = edges[:-1] // count, -(-edges[1:] // count)
        parts = [jax.lax.slice_in_dim(x, start, end, axis=axis) for start, end in zip(starts, ends)]
        x = jnp.concatenate([reduce(part, axis=axis, keepdims=True) for part in parts], axis)
    return back(x)


@op
def adaptive_average_pool(inputs, output_size, data_format=None):
    """The mean over windows chosen so that `output_size` of them cover each dimension."""
    return _adaptive_pool(jnp.mean, inputs, output_size, data_format)


@op
def adaptive_max_pool(inputs, output_size, data_format=None):
    """The maximum over windows chosen so that `output_size` of them cover each dimension."""
    return _adaptive_pool(jnp.max, inputs, output_size, data_format)


def patches(x, size, strides, dilation, padding):
    """Windows of channels-last arrays: ``(N, *out, prod(size) * C)``, the channel varying fastest."""
    rank = x.ndim - 2
    size, dilation = kernels.spread(size, rank), kernels.spread(dilation, rank)
    strides = size if strides is None else kernels.spread(strides, rank)
    pads = kernels.pad_widths(x.shape[1:-1], size, strides, _padding(padding), dilation)
    x = jnp.pad(x, [(0, 0), *pads, (0, 0)])
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation)]
    taps = []
    for offsets in itertools.product(*map(range, size)):
        starts = [o * d for o, d in zip(offsets, dilation)]
        places = [slice(a, a + (c - 1) * s + 1, s) for a, c, s in zip(starts, counts, strides)]
        taps.append(x[:, *places])
    return jnp.concatenate(taps, -1)


def _windows(kernel_size, dilation, padding, stride):
    return [kernels.spread(value, 2) for value in (kernel_size, dilation, padding, stride)]


@op
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """Sliding windows as columns: ``(N, C, H, W)`` to ``(N, C * prod(kernel_size), windows)``."""
    size, dilation, padding, stride = _windows(kernel_size, dilation, padding, stride)
    x = jnp.moveaxis(tensor(x), 1, -1)
    cut = patches(x, size, stride, dilation, [(p, p) for p in padding])
    batch, height, width, _ = cut.shape
    cut = cut.reshape(batch, height * width, -1, x.shape[-1])
    return cut.transpose(0, 3, 2, 1).reshape(batch, -1, height * width)


@op
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The transpose of `unfold`: windows that overlap are added; the result is ``(N, C, *output_size)``."""
    x = tensor(x)
    size, *others = _windows(kernel_size, dilation, padding, stride)
    channels = x.shape[1] // (size[0] * size[1])
    image = jax.ShapeDtypeStruct((x.shape[0], channels, *kernels.spread(output_size, 2)), x.dtype)
    (result,) = jax.linear_transpose(lambda y: unfold(y, size, *others), image)(x)
    return result


@op
def depth_to_space(x, block_size, data_format="channels_last"):
    """Channels become blocks of pixels: ``(N, H, W, b * b * C)`` to ``(N, H * b, W * b, C)``."""
    x, back = channels_last(tensor(x), data_format)
    batch, height, width, depth = x.shape
    x = x.reshape(batch, height, width, block_size, block_size, depth // block_size**2).swapaxes(2, 3)
    return back(x.reshape(batch, height * block_size, width * block_size, -1))


@op
def space_to_depth(x, block_size, data_format="channels_last"):
    """Blocks of pixels become channels: ``(N, H, W, C)`` to ``(N, H / b, W / b, b * b * C)``."""
    x, back = channels_last(tensor(x), data_format)
    batch, height, width, depth = x.shape
    rows, columns = height // block_size, width // block_size
    x = x.reshape(batch, rows, block_size, columns, block_size, depth).swapaxes(2, 3)
    return back(x.reshape(batch, rows, columns, -1))
