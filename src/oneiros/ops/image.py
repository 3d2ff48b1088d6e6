"""`keras.ops.image`: functions of images ``(H, W, C)`` and batches of images ``(N, H, W, C)``.

With ``data_format="channels_first"``, images are ``(C, H, W)`` and batches ``(N, C, H, W)``. Integer images stay
integer: results are rounded and clipped to the range of the data type.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import op
from ..core.config import standardize_data_format
from ..kernels.convolution import depthwise_conv
from .convolution import patches
from .table import Shape, Size, Tensor, as_float, tensor
from .warping import (  # noqa: F401 - some are names of keras.ops.image
    affine_transform,
    blur,
    elastic_transform,
    gaussian_blur,
    image_op,
    map_coordinates,
    one_of,
    perspective_transform,
)

_METHODS = {
    "nearest": "nearest",
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


@op
def resize(
    images: Tensor,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Array:
    """Resizes images.

    Args:
        images: Image or batch of images.
        size: The new (height, width).
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: Whether to use a wider filter when images become smaller, which avoids aliasing.
        crop_to_aspect_ratio: Whether to keep the aspect ratio by cropping the borders first.
        pad_to_aspect_ratio: Whether to keep the aspect ratio by adding borders first.
        fill_mode: Not used; the borders are constant.
        fill_value: Value of the added borders.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images of the new size and of the data type of `images`.

    Raises:
        ValueError: If the interpolation is unknown, or if both `crop_to_aspect_ratio` and `pad_to_aspect_ratio` are
            true.

    >>> resize(jnp.zeros((4, 6, 3)), (2, 3)).shape
    (2, 3, 3)
    """
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.")
    method = _METHODS[one_of("interpolation", interpolation, _METHODS)]
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None
    return _resize(images, tuple(size), method, antialias, aspect, fill_value, data_format=data_format)


@image_op("resize")
def _resize(x, size, method, antialias, aspect, fill_value):
    batch, height, width, channels = x.shape
    if aspect is not None:
        # The height that fits the width, and the width that fits the height.
        fitting = int(width * size[0] / size[1]), int(height * size[1] / size[0])
        choose = min if aspect == "crop" else max
        target = [max(choose(n, f), 1) for n, f in zip((height, width), fitting)]
        if aspect == "crop":
            top, left = (int((n - t) / 2) for n, t in zip((height, width), target))
            x = x[:, top : top + target[0], left : left + target[1]]
        else:
            pads = [(int((t - n) / 2),) * 2 for n, t in zip((height, width), target)]
            x = jnp.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill_value)
    return jax.image.resize(x, (batch, *size, channels), method, antialias)


@op
def scale_and_translate(
    images: Tensor,
    output_shape: Shape,
    scale: Tensor,
    translation: Tensor,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Array:
    """Scales and shifts images: the pixel at ``position`` moves to ``position * scale + translation``.

    Args:
        images: Tensor of any rank.
        output_shape: Shape of the result.
        scale: Factor for each spatial dimension.
        translation: Shift in pixels for each spatial dimension.
        spatial_dims: Axes to scale and shift.
        method: 'linear', 'cubic', 'lanczos3' or 'lanczos5'.
        antialias: Whether to use a wider filter when images become smaller, which avoids aliasing.

    Returns:
        A tensor of the output shape.

    >>> scale_and_translate(jnp.ones((2, 2)), (4, 4), [2.0, 2.0], [0.0, 0.0], (0, 1), "linear").shape
    (4, 4)
    """
    return jax.image.scale_and_translate(
        as_float(images),
        tuple(output_shape),
        tuple(spatial_dims),
        as_float(scale),
        as_float(translation),
        method,
        antialias,
    )


@op
def rgb_to_grayscale(images: Tensor, data_format: str | None = None) -> Array:
    """Converts colours to grey levels by their luma (ITU-R BT.601).

    Args:
        images: Image or batch of images with three channels.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images with one channel.

    >>> rgb_to_grayscale(jnp.ones((2, 2, 3))).shape
    (2, 2, 1)
    """
    return _grayscale(images, data_format=data_format)


@image_op("rgb_to_grayscale")
def _grayscale(x):
    return x @ jnp.array([[0.2989], [0.5870], [0.1140]], x.dtype)


@op
def rgb_to_hsv(images: Tensor, data_format: str | None = None) -> Array:
    """Converts red, green and blue to hue, saturation and value (Smith 1978).

    Args:
        images: Image or batch of images with three channels of floats from 0 to 1.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images with three channels from 0 to 1.

    Raises:
        ValueError: If the images are not floats.

    >>> rgb_to_hsv([[[1.0, 0.0, 0.0]]]).tolist()
    [[[0.0, 1.0, 1.0]]]
    """
    return _rgb_to_hsv(_floats("rgb_to_hsv", images), data_format=data_format)


@image_op("rgb_to_hsv")
def _rgb_to_hsv(x):
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = x.max(-1)
    spread = value - x.min(-1)
    divisor = jnp.where(spread == 0, 1, spread)
    hue = jnp.select(
        [spread == 0, value == red, value == green],
        [0, (green - blue) / divisor / 6 % 1, (blue - red) / divisor / 6 + 1 / 3],
        (red - green) / divisor / 6 + 2 / 3,
    )
    saturation = jnp.where(value > 0, spread / jnp.where(value == 0, 1, value), 0)
    return jnp.stack([hue, saturation, value], -1)


@op
def hsv_to_rgb(images: Tensor, data_format: str | None = None) -> Array:
    """Converts hue, saturation and value to red, green and blue: the inverse of `rgb_to_hsv`.

    Args:
        images: Image or batch of images with three channels of floats from 0 to 1.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images with three channels from 0 to 1.

    Raises:
        ValueError: If the images are not floats.

    >>> hsv_to_rgb([[[0.0, 1.0, 1.0]]]).tolist()
    [[[1.0, 0.0, 0.0]]]
    """
    return _hsv_to_rgb(_floats("hsv_to_rgb", images), data_format=data_format)


@image_op("hsv_to_rgb")
def _hsv_to_rgb(x):
    hue, saturation, value = x[..., :1], x[..., 1:2], x[..., 2:]
    sector = (jnp.array([5, 3, 1], x.dtype) + hue * 6) % 6
    return value * (1 - saturation * jnp.clip(jnp.minimum(sector, 4 - sector), 0, 1))


def _floats(name, images):
    x = tensor(images)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"{name}: expected floats from 0 to 1. Received an array of {x.dtype}.")
    return x


@op
def sobel_edges(images: Tensor, data_format: str | None = None) -> Array:
    """Derivatives of images by the Sobel filters, with zeros around the images.

    Args:
        images: Image or batch of images.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        A tensor with a new last axis of size 2: the vertical derivative (from top to bottom), then the horizontal one
        (from left to right).

    >>> sobel_edges(jnp.ones((4, 4, 1))).shape
    (4, 4, 1, 2)
    """
    smooth, slope = np.array([1, 2, 1]), np.array([-1, 0, 1])
    kernels = np.stack([np.outer(slope, smooth), np.outer(smooth, slope)])
    parts = [_filter(images, kernel, data_format=data_format) for kernel in kernels]
    return jnp.stack(parts, -1)


@image_op("sobel_edges")
def _filter(x, kernel):
    weights = jnp.broadcast_to(jnp.asarray(kernel, x.dtype)[..., None, None], (*kernel.shape, x.shape[-1], 1))
    return depthwise_conv(x, weights, padding="same")


@op
def ssim(
    image1: Tensor,
    image2: Tensor,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Array:
    """The structural similarity of images (Wang et al. 2004).

    Args:
        image1: Image or batch of images.
        image2: Images of the same shape.
        max_val: Largest value that a pixel can have.
        filter_size: Side of the Gaussian window.
        filter_sigma: Standard deviation of the window, in pixels.
        k1: Stabilizes the comparison of means: the constant ``(k1 * max_val)**2``.
        k2: Stabilizes the comparison of variances: the constant ``(k2 * max_val)**2``.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        One number from -1 to 1 for each pair of images: ``()`` for single images, ``(n,)`` for batches.

    Raises:
        ValueError: If the shapes differ, or if the images are smaller than the window.

    >>> print(ssim(jnp.ones((16, 16, 1)), jnp.ones((16, 16, 1))).round(3))
    1.0
    """
    x, y = tensor(image1), tensor(image2)
    if x.shape != y.shape:
        raise ValueError(f"ssim: the images must have one shape. Received: {x.shape} and {y.shape}.")
    if standardize_data_format(data_format) == "channels_first":
        x, y = jnp.moveaxis(x, -3, -1), jnp.moveaxis(y, -3, -1)  # (..., H, W, C)
    shape = x.shape
    x, y = (as_float(z).reshape(-1, *shape[-3:]) for z in (x, y))
    if min(shape[-3:-1]) < filter_size:
        raise ValueError(f"ssim: the images of shape {shape} are smaller than the filter of size {filter_size}.")

    def mean(z):
        return blur(z, (filter_size, filter_size), (filter_sigma, filter_sigma), "valid")

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = mean(x), mean(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance, variances = mean(x * y) - product, mean(x**2 + y**2) - squares
    score = (2 * product + c1) / (squares + c1) * (2 * covariance + c2) / (variances + c2)
    return score.mean((1, 2, 3)).reshape(shape[:-3])


@op
def extract_patches(
    images: Tensor,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Extracts windows of images, flattened.

    Args:
        images: Image or batch of images.
        size: Size of the windows: one number, or (height, width).
        strides: Stride of the windows. By default it is their size, so that they do not overlap.
        dilation_rate: Distance between the pixels of a window: one number, or (height, width).
        padding: 'valid' for none, 'same' for zeros around the images.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, rows, columns, height * width * channels)``, or ``(n, height * width * channels, rows, columns)`` with
        channels first. Without `n` for a single image.

    >>> extract_patches(jnp.ones((1, 4, 4, 3)), 2).shape
    (1, 2, 2, 12)
    """
    return _patches(2, images, size, strides, dilation_rate, padding, data_format)


@op
def extract_patches_3d(
    volumes: Tensor,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Extracts windows of volumes, flattened.

    Args:
        volumes: Volume ``(depth, height, width, channels)`` or batch of volumes; with channels first, the channels come
            before the depth.
        size: Size of the windows: one number, or (depth, height, width).
        strides: Stride of the windows. By default it is their size, so that they do not overlap.
        dilation_rate: Distance between the elements of a window: one number, or (depth, height, width).
        padding: 'valid' for none, 'same' for zeros around the volumes.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        ``(n, slices, rows, columns, depth * height * width * channels)``, with channels first
        ``(n, depth * height * width * channels, slices, rows, columns)``. Without `n` for a single volume.

    >>> extract_patches_3d(jnp.ones((1, 4, 4, 4, 1)), 2).shape
    (1, 2, 2, 2, 8)
    """
    return _patches(3, volumes, size, strides, dilation_rate, padding, data_format)


def _patches(rank, images, size, strides, dilation_rate, padding, data_format):
    cut = image_op("extract_patches", rank, as_floats=False)(patches)
    return cut(images, size, strides, dilation_rate, padding, data_format=data_format)


def _margins(name, first, last, length, target):
    """Both margins of one dimension, from two of these: the first margin, the last margin, the target length."""
    if target is not None:
        total = length - target if name == "crop_images" else target - length
        if first is None:
            first = total - (last or 0)
        elif last is None:
            last = total - first
        if first + (total - first if last is None else last) != total or min(first, total - first) < 0:
            raise ValueError(f"{name}: the margins {first}, {last} do not lead from {length} to {target} pixels.")
        return first, total - first
    return first or 0, last or 0


@op
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Crops images. For each direction, two of the three numbers (two margins and a size) are enough.

    Args:
        images: Image or batch of images.
        top_cropping: Rows to remove at the top.
        left_cropping: Columns to remove at the left.
        bottom_cropping: Rows to remove at the bottom.
        right_cropping: Columns to remove at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        The cropped images.

    Raises:
        ValueError: If the numbers contradict each other.

    >>> crop_images(jnp.ones((4, 6, 3)), 1, 2, target_height=2, target_width=3).shape
    (2, 3, 3)
    """
    vertical, horizontal = (top_cropping, bottom_cropping, target_height), (left_cropping, right_cropping, target_width)
    return _crop(images, vertical, horizontal, data_format=data_format)


@image_op("crop_images", as_floats=False)
def _crop(x, vertical, horizontal):
    top, bottom = _margins("crop_images", *vertical[:2], x.shape[1], vertical[2])
    left, right = _margins("crop_images", *horizontal[:2], x.shape[2], horizontal[2])
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


@op
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Pads images with zeros. For each direction, two of the three numbers (two margins and a size) are enough.

    Args:
        images: Image or batch of images.
        top_padding: Rows to add at the top.
        left_padding: Columns to add at the left.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        The padded images.

    Raises:
        ValueError: If the numbers contradict each other.

    >>> pad_images(jnp.ones((2, 3, 3)), 1, 2, target_height=4, target_width=6).shape
    (4, 6, 3)
    """
    vertical, horizontal = (top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width)
    return _pad(images, vertical, horizontal, data_format=data_format)


@image_op("pad_images", as_floats=False)
def _pad(x, vertical, horizontal):
    rows = _margins("pad_images", *vertical[:2], x.shape[1], vertical[2])
    columns = _margins("pad_images", *horizontal[:2], x.shape[2], horizontal[2])
    return jnp.pad(x, [(0, 0), rows, columns, (0, 0)])
