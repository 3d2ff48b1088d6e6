"""`keras.ops.image`: images ``(H, W, C)`` or batches ``(N, H, W, C)``, channels first where `data_format` says so.

Integer images stay integer: values are rounded and limited to the type's range.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ..core import op
from ..core.config import standardize_data_format
from ..kernels.convolution import depthwise_conv, spread
from . import random
from .convolution import patches
from .math import saturate_cast
from .table import as_float, tensor

_METHODS = {
    "nearest": "nearest",
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}
_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _image_op(name, spatial=2, as_floats=True):
    """An op of a function of float batches ``(N, *spatial, C)``, made one of single images, layouts and types."""

    def decorate(function):
        @functools.wraps(function)
        def call(images, *args, data_format=None, **kwargs):
            x = tensor(images)
            if x.ndim not in (spatial + 1, spatial + 2):
                raise ValueError(
                    f"{name}: expected an image of rank {spatial + 1} or a batch of rank {spatial + 2}. Received an "
                    f"array of shape {x.shape}."
                )
            first = standardize_data_format(data_format) == "channels_first"
            batch = x if x.ndim == spatial + 2 else x[None]
            batch = jnp.moveaxis(batch, 1, -1) if first else batch
            result = function(as_float(batch) if as_floats else batch, *args, **kwargs)
            result = _in_type(result, x.dtype)
            result = jnp.moveaxis(result, spatial + 1, 1) if first else result
            return result if x.ndim == spatial + 2 else result[0]

        return call

    return decorate


def _in_type(x, dtype):
    if jnp.issubdtype(dtype, jnp.integer) and jnp.issubdtype(x.dtype, jnp.floating):
        return saturate_cast(jnp.round(x), dtype)
    return x.astype(dtype)


def _one_of(argument, value, allowed):
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}. Received: {value!r}")
    return value


@op
def resize(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    """Images of `size` (height, width); before that, cut or filled up to its aspect ratio if so told."""
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.")
    method = _METHODS[_one_of("interpolation", interpolation, _METHODS)]
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None
    return _resize(images, tuple(size), method, antialias, aspect, fill_value, data_format=data_format)


@_image_op("resize")
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
            before = [int((t - n) / 2) for n, t in zip((height, width), target)]
            pads = [(b, t - n - b) for b, n, t in zip(before, (height, width), target)]
            x = jnp.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill_value)
    return jax.image.resize(x, (batch, *size, channels), method, antialias)


@op
def scale_and_translate(images, output_shape, scale, translation, spatial_dims, method, antialias=True):
    """Resampling along `spatial_dims`: output place = input place * scale + translation."""
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
def rgb_to_grayscale(images, data_format=None):
    """The luma of the colours (ITU-R BT.601), with one channel."""
    return _grayscale(images, data_format=data_format)


@_image_op("rgb_to_grayscale")
def _grayscale(x):
    return x @ jnp.array([[0.2989], [0.5870], [0.1140]], x.dtype)


@op
def rgb_to_hsv(images, data_format=None):
    """Hue, saturation and value, all from 0 to 1, of colours from 0 to 1."""
    return _rgb_to_hsv(_floats("rgb_to_hsv", images), data_format=data_format)


@_image_op("rgb_to_hsv")
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
def hsv_to_rgb(images, data_format=None):
    """The inverse of `rgb_to_hsv`."""
    return _hsv_to_rgb(_floats("hsv_to_rgb", images), data_format=data_format)


@_image_op("hsv_to_rgb")
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
def map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0):
    """`inputs` read at `coordinates` (one row a dimension): the nearest element (order 0) or linear (order 1)."""
    import jax.scipy.ndimage

    _one_of("fill_mode", fill_mode, _FILL_MODES)
    x, coordinates = tensor(inputs), list(as_float(coordinates))
    if len(coordinates) != x.ndim:
        raise ValueError(
            f"map_coordinates: expected one row of coordinates for each of the {x.ndim} dimensions. Received "
            f"{len(coordinates)} rows."
        )
    return jax.scipy.ndimage.map_coordinates(x, coordinates, order, fill_mode, fill_value)


def _resample(x, rows, columns, interpolation, fill_mode, fill_value):
    """Batches read at places ``(N, H, W)``."""
    order = _ORDERS[_one_of("interpolation", interpolation, _ORDERS)]

    def plane(x, rows, columns):
        return map_coordinates(x, jnp.stack([rows, columns]), order, fill_mode, fill_value)

    return jax.vmap(jax.vmap(plane, (-1, None, None), -1))(x, rows, columns)


@op
def affine_transform(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None):
    """Images read through a projective map.

    transform: ``(8,)`` or ``(N, 8)``; the output at (x, y) comes from the input at
    ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``.
    """
    return _transform(images, transform, interpolation, fill_mode, fill_value, data_format=data_format)


@_image_op("affine_transform")
def _transform(x, transform, interpolation, fill_mode, fill_value):
    transform = jnp.broadcast_to(as_float(transform), (x.shape[0], 8))
    y_out, x_out = jnp.meshgrid(*(jnp.arange(n, dtype=transform.dtype) for n in x.shape[1:3]), indexing="ij")
    a0, a1, a2, b0, b1, b2, c0, c1 = transform.T[:, :, None, None]
    k = c0 * x_out + c1 * y_out + 1
    columns, rows = (a0 * x_out + a1 * y_out + a2) / k, (b0 * x_out + b1 * y_out + b2) / k
    return _resample(x, rows, columns, interpolation, fill_mode, fill_value)


@op
def perspective_transform(images, start_points, end_points, interpolation="bilinear", fill_value=0, data_format=None):
    """Images warped so that four points, ``(4, 2)`` or ``(N, 4, 2)``, move from `start_points` to `end_points`."""
    start, end = (jnp.atleast_3d(as_float(p)).reshape(-1, 4, 2) for p in (start_points, end_points))
    transform = jax.vmap(_perspective)(*jnp.broadcast_arrays(start, end))
    return _transform(images, transform, interpolation, "constant", fill_value, data_format=data_format)


def _perspective(start, end):
    """The eight coefficients of the map from where the points end to where they start."""
    zero, one = jnp.zeros(4, start.dtype), jnp.ones(4, start.dtype)
    x, y = end.T
    u, v = start.T
    left = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    right = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    return jnp.linalg.solve(jnp.concatenate([left, right]), jnp.concatenate([u, v]))


def _gaussian(size, sigma, dtype):
    places = np.arange(size) - (size - 1) / 2
    weights = jnp.exp(-0.5 * jnp.square(jnp.asarray(places, dtype) / sigma))
    return weights / weights.sum()


def _blur(x, size, sigma, padding="same"):
    """Each channel convolved with a Gaussian, rows and columns apart."""
    for axis in (0, 1):
        shape = [1, 1, 1, 1]
        shape[axis] = size[axis]
        weights = _gaussian(size[axis], sigma[axis], x.dtype).reshape(shape)
        x = depthwise_conv(x, jnp.broadcast_to(weights, (*shape[:2], x.shape[-1], 1)), padding=padding)
    return x


@op
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images blurred by a Gaussian: `kernel_size` is (height, width), `sigma` the standard deviations (along x, y).

    Zeros lie around the images.
    """
    along_x, along_y = (sigma, sigma) if isinstance(sigma, (int, float)) else sigma
    return _gaussian_blur(images, spread(kernel_size, 2), (along_y, along_x), data_format=data_format)


_gaussian_blur = _image_op("gaussian_blur")(_blur)


@op
def elastic_transform(
    images,
    alpha=20.0,
    sigma=5.0,
    interpolation="bilinear",
    fill_mode="reflect",
    fill_value=0.0,
    seed=None,
    data_format=None,
):
    """Images distorted by smooth random displacements (Simard et al. 2003) of strength `alpha`."""
    return _elastic(images, alpha, sigma, interpolation, fill_mode, fill_value, seed, data_format=data_format)


@_image_op("elastic_transform")
def _elastic(x, alpha, sigma, interpolation, fill_mode, fill_value, seed):
    size = 2 * int(3 * sigma) + 1
    noise = random.uniform((*x.shape[:3], 2), -1.0, 1.0, dtype=x.dtype, seed=seed)
    shifts = alpha * _blur(noise, (size, size), (sigma, sigma))
    rows, columns = jnp.meshgrid(*(jnp.arange(n, dtype=x.dtype) for n in x.shape[1:3]), indexing="ij")
    return _resample(x, rows + shifts[..., 0], columns + shifts[..., 1], interpolation, fill_mode, fill_value)


@op
def sobel_edges(images, data_format=None):
    """Sobel's derivatives along the rows and along the columns, on a new last axis; zeros lie around the images."""
    smooth, slope = np.array([1, 2, 1]), np.array([-1, 0, 1])
    kernels = np.stack([np.outer(slope, smooth), np.outer(smooth, slope)])
    parts = [_filter(images, kernel, data_format=data_format) for kernel in kernels]
    return jnp.stack(parts, -1)


@_image_op("sobel_edges")
def _filter(x, kernel):
    weights = jnp.broadcast_to(jnp.asarray(kernel, x.dtype)[..., None, None], (*kernel.shape, x.shape[-1], 1))
    return depthwise_conv(x, weights, padding="same")


@op
def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    """The structural similarity of two images (Wang et al. 2004), from -1 to 1, one number for each pair."""
    x, y = tensor(image1), tensor(image2)
    if x.shape != y.shape:
        raise ValueError(f"ssim: the images must have one shape. Received: {x.shape} and {y.shape}.")
    if standardize_data_format(data_format) == "channels_first":
        x, y = jnp.moveaxis(x, -3, -1), jnp.moveaxis(y, -3, -1)
    shape = x.shape
    x, y = (as_float(z).reshape(-1, *shape[-3:]) for z in (x, y))
    if min(shape[-3:-1]) < filter_size:
        raise ValueError(f"ssim: the images of shape {shape} are smaller than the filter of size {filter_size}.")

    def mean(z):
        return _blur(z, (filter_size, filter_size), (filter_sigma, filter_sigma), "valid")

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = mean(x), mean(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance, variances = mean(x * y) - product, mean(x**2 + y**2) - squares
    score = (2 * product + c1) / (squares + c1) * (2 * covariance + c2) / (variances + c2)
    return score.mean((1, 2, 3)).reshape(shape[:-3])


@op
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """Windows of the images as vectors: ``(N, rows, columns, height * width * C)``; by default side by side."""
    return _patches(2, images, size, strides, dilation_rate, padding, data_format)


@op
def extract_patches_3d(volumes, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """Windows of volumes ``(N, D, H, W, C)`` as vectors; by default side by side."""
    return _patches(3, volumes, size, strides, dilation_rate, padding, data_format)


def _patches(rank, images, size, strides, dilation_rate, padding, data_format):
    cut = _image_op("extract_patches", rank, as_floats=False)(patches)
    return cut(images, size, strides, dilation_rate, padding, data_format=data_format)


def _margins(name, first, last, length, target):
    """The two margins of one dimension, given two of: the first, the last, the target length."""
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
    images,
    top_cropping=None,
    left_cropping=None,
    bottom_cropping=None,
    right_cropping=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Images without some margins: for each direction two of (first margin, last margin, target size)."""
    vertical, horizontal = (top_cropping, bottom_cropping, target_height), (left_cropping, right_cropping, target_width)
    return _crop(images, vertical, horizontal, data_format=data_format)


@_image_op("crop_images", as_floats=False)
def _crop(x, vertical, horizontal):
    top, bottom = _margins("crop_images", *vertical[:2], x.shape[1], vertical[2])
    left, right = _margins("crop_images", *horizontal[:2], x.shape[2], horizontal[2])
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


@op
def pad_images(
    images,
    top_padding=None,
    left_padding=None,
    bottom_padding=None,
    right_padding=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Images with zeros around: for each direction two of (first margin, last margin, target size)."""
    vertical, horizontal = (top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width)
    return _pad(images, vertical, horizontal, data_format=data_format)


@_image_op("pad_images", as_floats=False)
def _pad(x, vertical, horizontal):
    rows = _margins("pad_images", *vertical[:2], x.shape[1], vertical[2])
    columns = _margins("pad_images", *horizontal[:2], x.shape[2], horizontal[2])
    return jnp.pad(x, [(0, 0), rows, columns, (0, 0)])
