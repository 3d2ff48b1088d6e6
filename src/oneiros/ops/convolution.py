"""Convolution, pooling and patches of images, in both data formats (a part of `keras.ops.nn`)."""

import itertools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array

from ..core import op
from ..core.config import standardize_data_format
from ..kernels import convolution as kernels
from ..kernels import pooling
from .table import Size, Tensor, as_float, tensor


def channels_last(x: Array, data_format: str | None) -> tuple[Array, Callable]:
    """Moves the channels to the last axis.

    Args:
        x: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, *spatial, channels)``, and a function that moves the channels of a result back to where they were.
    """
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
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Convolution in one to three dimensions.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        kernel: ``(*size, channels / groups, filters)``. If it has fewer channels than the inputs, the convolution is
            grouped.
        strides: Stride of the window: one number, or one for each dimension.
        padding: 'valid' for none, 'same' for zeros around the inputs, 'causal' for zeros before them.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        dilation_rate: Distance between the elements of the kernel: one number, or one for each dimension.

    Returns:
        ``(n, *new_spatial, filters)``, in the layout of the inputs.

    Raises:
        ValueError: If the kernel's channels do not divide those of the inputs.

    >>> conv(jnp.ones((1, 4, 1)), jnp.ones((3, 1, 1))).ravel().tolist()
    [3.0, 3.0]
    """
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
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Depthwise convolution: convolves each channel with its own filters.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        kernel: ``(*size, channels, multiplier)``.
        strides: Stride of the window: one number, or one for each dimension.
        padding: 'valid' for none, 'same' for zeros around the inputs.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        dilation_rate: Distance between the elements of the kernel: one number, or one for each dimension.

    Returns:
        ``(n, *new_spatial, channels * multiplier)``, in the layout of the inputs.

    >>> depthwise_conv(jnp.ones((1, 4, 2)), jnp.ones((3, 2, 1))).shape
    (1, 2, 2)
    """
    x, kernel = _pair(inputs, kernel)
    x, back = channels_last(x, data_format)
    return back(kernels.depthwise_conv(x, kernel, strides, _padding(padding), dilation_rate))


@op
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """A depthwise convolution followed by a convolution of size 1 that mixes the channels (Chollet 2017).

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        depthwise_kernel: ``(*size, channels, multiplier)``.
        pointwise_kernel: ``(1, ..., channels * multiplier, filters)``.
        strides: Stride of the window: one number, or one for each dimension.
        padding: 'valid' for none, 'same' for zeros around the inputs.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        dilation_rate: Distance between the elements of the kernel: one number, or one for each dimension.

    Returns:
        ``(n, *new_spatial, filters)``, in the layout of the inputs.

    >>> separable_conv(jnp.ones((1, 4, 2)), jnp.ones((3, 2, 1)), jnp.ones((1, 2, 5))).shape
    (1, 2, 5)
    """
    x, depthwise_kernel = _pair(inputs, depthwise_kernel)
    x, back = channels_last(x, data_format)
    x = kernels.depthwise_conv(x, depthwise_kernel, strides, _padding(padding), dilation_rate)
    return back(kernels.conv(*_pair(x, pointwise_kernel)))


@op
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Size = 1,
    padding: str = "valid",
    output_padding: Size | None = None,
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Transposed convolution: the gradient of a convolution, which enlarges images (Zeiler et al. 2010).

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        kernel: ``(*size, filters, channels)``.
        strides: Factor by which the image is enlarged: one number, or one for each dimension.
        padding: 'valid' or 'same'.
        output_padding: Number of elements to add at the end of each dimension of the result. By default, it follows
            from the strides and the padding.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        dilation_rate: Distance between the elements of the kernel: one number, or one for each dimension.

    Returns:
        ``(n, *new_spatial, filters)``, in the layout of the inputs.

    >>> conv_transpose(jnp.ones((1, 4, 1)), jnp.ones((2, 3, 1)), strides=2).shape
    (1, 8, 3)
    """
    x, kernel = _pair(inputs, kernel)
    x, back = channels_last(x, data_format)
    return back(kernels.conv_transpose(x, kernel, strides, _padding(padding), output_padding, dilation_rate))


def _pool(kernel, inputs, pool_size, strides, padding, data_format):
    x, back = channels_last(tensor(inputs), data_format)
    return back(kernel(x, pool_size, strides, _padding(padding)))


@op
def max_pool(
    inputs: Tensor, pool_size: Size, strides: Size | None = None, padding: str = "valid", data_format: str | None = None
) -> Array:
    """Max pooling: the largest element of each window.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        pool_size: Size of the window: one number, or one for each dimension.
        strides: Stride of the window; by default its size.
        padding: 'valid' for none, 'same' to let windows extend beyond the borders.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, *new_spatial, channels)``, in the layout of the inputs.

    >>> max_pool(jnp.arange(4.0).reshape(1, 4, 1), 2).ravel().tolist()
    [1.0, 3.0]
    """
    return _pool(pooling.max_pool, inputs, pool_size, strides, padding, data_format)


@op
def average_pool(
    inputs: Tensor, pool_size: Size, strides: Size | None = None, padding: str = "valid", data_format: str | None = None
) -> Array:
    """Average pooling: the mean of each window. Padding does not count in the mean.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        pool_size: Size of the window: one number, or one for each dimension.
        strides: Stride of the window; by default its size.
        padding: 'valid' for none, 'same' to let windows extend beyond the borders.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, *new_spatial, channels)``, in the layout of the inputs.

    >>> average_pool(jnp.arange(4.0).reshape(1, 4, 1), 2).ravel().tolist()
    [0.5, 2.5]
    """
    return _pool(pooling.avg_pool, inputs, pool_size, strides, padding, data_format)


def _adaptive_pool(x, output_size, data_format, mean):
    x, back = channels_last(x, data_format)
    return back(pooling.adaptive_pool(x, kernels.spread(output_size, x.ndim - 2), mean))


@op
def adaptive_average_pool(inputs: Tensor, output_size: Size, data_format: str | None = None) -> Array:
    """Average pooling to a given output size.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        output_size: Number of windows along each dimension: one number, or one for each dimension. The windows cover
            the inputs evenly; neighbours may overlap by one element.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, *output_size, channels)``, in the layout of the inputs.

    >>> adaptive_average_pool(jnp.arange(5.0).reshape(1, 5, 1), 2).ravel().tolist()
    [1.0, 3.0]
    """
    return _adaptive_pool(as_float(inputs), output_size, data_format, mean=True)


@op
def adaptive_max_pool(inputs: Tensor, output_size: Size, data_format: str | None = None) -> Array:
    """Max pooling to a given output size.

    Args:
        inputs: ``(n, *spatial, channels)``, or ``(n, channels, *spatial)`` with channels first.
        output_size: Number of windows along each dimension: one number, or one for each dimension. The windows cover
            the inputs evenly; neighbours may overlap by one element.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, *output_size, channels)``, in the layout of the inputs.

    >>> adaptive_max_pool(jnp.arange(5.0).reshape(1, 5, 1), 2).ravel().tolist()
    [2.0, 4.0]
    """
    return _adaptive_pool(tensor(inputs), output_size, data_format, mean=False)


def patches(x: Array, size: Size, strides: Size | None, dilation: Size, padding: str | Sequence) -> Array:
    """Windows of channels-last arrays, flattened.

    Args:
        x: ``(n, *spatial, channels)``.
        size: Size of the windows: one number, or one for each dimension.
        strides: Stride of the windows; their size by default.
        dilation: Distance between the elements of a window.
        padding: 'valid', 'same', or a pair (before, after) for each dimension.

    Returns:
        ``(n, *windows, prod(size) * channels)``; the channel is the fastest index.
    """
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
def unfold(x: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Array:
    """Extracts sliding windows of images as columns.

    Args:
        x: ``(n, channels, height, width)``.
        kernel_size: Size of the window: one number, or (height, width).
        dilation: Distance between the elements of the window: one number, or (height, width).
        padding: Number of zeros on each side: one number, or (height, width).
        stride: Stride of the window: one number, or (height, width).

    Returns:
        ``(n, channels * kernel_height * kernel_width, windows)``.

    >>> unfold(jnp.arange(9).reshape(1, 1, 3, 3), 2)[0, :, 0].tolist()
    [0, 1, 3, 4]
    """
    size, dilation, padding, stride = _windows(kernel_size, dilation, padding, stride)
    x = jnp.moveaxis(tensor(x), 1, -1)
    cut = patches(x, size, stride, dilation, [(p, p) for p in padding])
    batch, height, width, _ = cut.shape
    cut = cut.reshape(batch, height * width, -1, x.shape[-1])  # (N, windows, taps, C)
    return cut.transpose(0, 3, 2, 1).reshape(batch, -1, height * width)  # (N, C * taps, windows)


@op
def fold(
    x: Tensor, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Array:
    """The transpose of `unfold`: puts windows back into images, and adds them where they overlap.

    Args:
        x: ``(n, channels * kernel_height * kernel_width, windows)``.
        output_size: Size of the image: one number, or (height, width).
        kernel_size: Size of the window: one number, or (height, width).
        dilation: Distance between the elements of the window: one number, or (height, width).
        padding: Number of zeros on each side, as given to `unfold`.
        stride: Stride of the window: one number, or (height, width).

    Returns:
        ``(n, channels, *output_size)``.

    >>> fold(unfold(jnp.ones((1, 1, 3, 3)), 2), 3, 2)[0, 0].tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    x = tensor(x)
    size, *others = _windows(kernel_size, dilation, padding, stride)
    channels = x.shape[1] // (size[0] * size[1])
    image = jax.ShapeDtypeStruct((x.shape[0], channels, *kernels.spread(output_size, 2)), x.dtype)
    (result,) = jax.linear_transpose(lambda y: unfold(y, size, *others), image)(x)
    return result


@op
def depth_to_space(x: Tensor, block_size: int, data_format: str = "channels_last") -> Array:
    """Moves channels into blocks of pixels (Shi et al. 2016).

    Args:
        x: ``(n, height, width, b * b * channels)`` with the block size `b`, or the same with channels first.
        block_size: Side of the blocks.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        ``(n, height * b, width * b, channels)``, in the layout of `x`.

    >>> depth_to_space(jnp.arange(4).reshape(1, 1, 1, 4), 2)[0, :, :, 0].tolist()
    [[0, 1], [2, 3]]
    """
    x, back = channels_last(tensor(x), data_format)
    batch, height, width, depth = x.shape
    x = x.reshape(batch, height, width, block_size, block_size, depth // block_size**2)  # (N, H, W, b, b, C)
    x = x.swapaxes(2, 3)  # (N, H, b, W, b, C)
    return back(x.reshape(batch, height * block_size, width * block_size, -1))  # (N, H b, W b, C)


@op
def space_to_depth(x: Tensor, block_size: int, data_format: str = "channels_last") -> Array:
    """Moves blocks of pixels into channels: the inverse of `depth_to_space`.

    Args:
        x: ``(n, height, width, channels)``, or ``(n, channels, height, width)`` with channels first.
        block_size: Side `b` of the blocks, which must divide the height and the width.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        ``(n, height / b, width / b, b * b * channels)``, in the layout of `x`.

    >>> space_to_depth(jnp.arange(4).reshape(1, 2, 2, 1), 2).shape
    (1, 1, 1, 4)
    """
    x, back = channels_last(tensor(x), data_format)
    batch, height, width, depth = x.shape
    rows, columns = height // block_size, width // block_size
    x = x.reshape(batch, rows, block_size, columns, block_size, depth)  # (N, H/b, b, W/b, b, C)
    x = x.swapaxes(2, 3)  # (N, H/b, W/b, b, b, C)
    return back(x.reshape(batch, rows, columns, -1))  # (N, H/b, W/b, b b C)
