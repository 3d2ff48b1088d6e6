"""Geometric transforms and blurs of images (a part of `keras.ops.image`)."""

import functools
from collections.abc import Callable, Collection, Sequence

import jax
import jax.numpy as jnp
import jax.scipy.ndimage
import numpy as np
from jax import Array

from ..core import op
from ..core.config import standardize_data_format
from ..kernels.convolution import depthwise_conv, spread
from . import random
from .math import saturate_cast
from .table import Size, Tensor, as_float, tensor

_ORDERS = {"nearest": 0, "bilinear": 1}


_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def image_op(name: str, spatial: int = 2, as_floats: bool = True) -> Callable[[Callable], Callable]:
    """Decorator that lets a function of channels-last batches take single images, both layouts and any data type.

    Args:
        name: Name of the operation for error messages.
        spatial: Number of spatial dimensions.
        as_floats: Whether the function is given floats. Results always have the data type of the images: for integers,
            they are rounded and clipped.

    Returns:
        A decorator for functions of ``(N, *spatial, C)`` and further arguments. The decorated function takes
        `data_format` as well.

    >>> negative = image_op("negative")(lambda x: 255 - x)
    >>> negative(jnp.zeros((2, 2, 3), "uint8")).dtype
    dtype('uint8')
    """

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
            batch = jnp.moveaxis(batch, 1, -1) if first else batch  # (N, *spatial, C)
            result = function(as_float(batch) if as_floats else batch, *args, **kwargs)
            result = _in_type(result, x.dtype)
            result = jnp.moveaxis(result, spatial + 1, 1) if first else result  # (N, C, *spatial)
            return result if x.ndim == spatial + 2 else result[0]

        return call

    return decorate


def _in_type(x, dtype):
    if jnp.issubdtype(dtype, jnp.integer) and jnp.issubdtype(x.dtype, jnp.floating):
        return saturate_cast(jnp.round(x), dtype)
    return x.astype(dtype)


def one_of(argument: str, value: str, allowed: Collection[str]) -> str:
    """Returns the value of an argument if it is allowed.

    Args:
        argument: Name of the argument for the error message.
        value: The value.
        allowed: The allowed values.

    Raises:
        ValueError: If the value is not allowed.
    """
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}. Received: {value!r}")
    return value


@op
def map_coordinates(
    inputs: Tensor, coordinates: Tensor, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Array:
    """Interpolates a tensor at coordinates between its elements.

    Args:
        inputs: Tensor.
        coordinates: ``(rank, ...)``: the coordinates along each dimension of the inputs.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: How to extend the inputs: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: Value outside for the mode 'constant'.

    Returns:
        A tensor of the shape ``coordinates.shape[1:]``.

    Raises:
        ValueError: If the fill mode is unknown, or if there is not one row of coordinates for each dimension.

    >>> map_coordinates([0.0, 10.0], [[0.25, 0.5]], order=1).tolist()
    [2.5, 5.0]
    """
    one_of("fill_mode", fill_mode, _FILL_MODES)
    x, coordinates = tensor(inputs), list(as_float(coordinates))
    if len(coordinates) != x.ndim:
        raise ValueError(
            f"map_coordinates: expected one row of coordinates for each of the {x.ndim} dimensions. Received "
            f"{len(coordinates)} rows."
        )
    return jax.scipy.ndimage.map_coordinates(x, coordinates, order, fill_mode, fill_value)


def _resample(x, rows, columns, interpolation, fill_mode, fill_value):
    """Batches ``(N, H, W, C)`` read at the coordinates ``(N, H, W)``."""
    order = _ORDERS[one_of("interpolation", interpolation, _ORDERS)]

    def plane(x, rows, columns):
        return map_coordinates(x, jnp.stack([rows, columns]), order, fill_mode, fill_value)

    return jax.vmap(jax.vmap(plane, (-1, None, None), -1))(x, rows, columns)


@op
def affine_transform(
    images: Tensor,
    transform: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Transforms images by a projective map.

    The pixel at (x, y) of the result is the pixel of the image at
    ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``.

    Args:
        images: Image or batch of images.
        transform: The coefficients ``[a0, a1, a2, b0, b1, b2, c0, c1]``: ``(8,)``, or ``(n, 8)`` for one map per image.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode: How to extend the images beyond their borders: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: Value outside for the mode 'constant'.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images of the shape and data type of `images`.

    Raises:
        ValueError: If the interpolation or the fill mode is unknown.

    >>> image = jnp.arange(4.0).reshape(2, 2, 1)
    >>> affine_transform(image, [1, 0, 1, 0, 1, 0, 0, 0])[..., 0].tolist()  # one pixel to the left
    [[1.0, 0.0], [3.0, 0.0]]
    """
    return _transform(images, transform, interpolation, fill_mode, fill_value, data_format=data_format)


@image_op("affine_transform")
def _transform(x, transform, interpolation, fill_mode, fill_value):
    transform = jnp.broadcast_to(as_float(transform), (x.shape[0], 8))
    y_out, x_out = jnp.meshgrid(*(jnp.arange(n, dtype=transform.dtype) for n in x.shape[1:3]), indexing="ij")
    a0, a1, a2, b0, b1, b2, c0, c1 = transform.T[:, :, None, None]  # each (N, 1, 1)
    k = c0 * x_out + c1 * y_out + 1
    columns, rows = (a0 * x_out + a1 * y_out + a2) / k, (b0 * x_out + b1 * y_out + b2) / k
    return _resample(x, rows, columns, interpolation, fill_mode, fill_value)


@op
def perspective_transform(
    images: Tensor,
    start_points: Tensor,
    end_points: Tensor,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Warps images so that four points move to other positions.

    Args:
        images: Image or batch of images.
        start_points: Positions (x, y) of the points in the images: ``(4, 2)``, or ``(n, 4, 2)`` for each image.
        end_points: Positions of the points in the result, in the same form.
        interpolation: 'nearest' or 'bilinear'.
        fill_value: Value outside the images.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images of the shape and data type of `images`.

    Raises:
        ValueError: If the interpolation is unknown.

    >>> corners = [[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]
    >>> perspective_transform(jnp.ones((4, 4, 1)), corners, corners).shape
    (4, 4, 1)
    """
    transform = projection(start_points, end_points)
    return _transform(images, transform, interpolation, "constant", fill_value, data_format=data_format)


def projection(start_points: Tensor, end_points: Tensor) -> Array:
    """The projective maps that take four points to four others, as `affine_transform` takes them.

    Args:
        start_points: What the end points are mapped to: ``(4, 2)`` or ``(n, 4, 2)``.
        end_points: The points that are mapped, in the same form.

    Returns:
        Eight coefficients for each map, ``(n, 8)``.

    >>> corners = jnp.array([[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]])
    >>> jnp.abs(projection(2 * corners, corners)).round().tolist()
    [[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0]]
    """
    # LAPACK solves no 16-bit systems.
    start, end = (as_float(p).astype("float32").reshape(-1, 4, 2) for p in (start_points, end_points))
    start, end = jnp.broadcast_arrays(start, end)
    (x, y), (u, v) = jnp.moveaxis(end, -1, 0), jnp.moveaxis(start, -1, 0)  # each (n, 4)
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    left = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    right = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    return jnp.linalg.solve(jnp.concatenate([left, right], 1), jnp.concatenate([u, v], 1)[..., None])[..., 0]


def _gaussian(size, sigma, dtype):
    places = np.arange(size) - (size - 1) / 2
    weights = jnp.exp(-0.5 * jnp.square(jnp.asarray(places, dtype) / sigma))
    return weights / weights.sum()


def blur(x: Array, size: Sequence[int], sigma: Sequence[float], padding: str = "same") -> Array:
    """Convolves each channel with a Gaussian, first along the columns and then along the rows.

    Args:
        x: ``(n, height, width, channels)``.
        size: Size of the filter, (height, width).
        sigma: Standard deviations of the filter in pixels, along (height, width).
        padding: 'same' for zeros around the images, or 'valid' for none.

    Returns:
        ``(n, new_height, new_width, channels)``.
    """
    for axis in (0, 1):
        shape = [1, 1, 1, 1]
        shape[axis] = size[axis]
        weights = _gaussian(size[axis], sigma[axis], x.dtype).reshape(shape)
        x = depthwise_conv(x, jnp.broadcast_to(weights, (*shape[:2], x.shape[-1], 1)), padding=padding)
    return x


@op
def gaussian_blur(
    images: Tensor,
    kernel_size: Size = (3, 3),
    sigma: float | Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Array:
    """Blurs images with a Gaussian filter, with zeros around the images.

    Args:
        images: Image or batch of images.
        kernel_size: Size of the filter: one number, or (height, width).
        sigma: Standard deviation in pixels: one number, or (along x, along y).
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images of the shape and data type of `images`.

    >>> gaussian_blur(jnp.ones((4, 4, 1))).shape
    (4, 4, 1)
    """
    along_x, along_y = (sigma, sigma) if isinstance(sigma, (int, float)) else sigma
    return _gaussian_blur(images, spread(kernel_size, 2), (along_y, along_x), data_format=data_format)


_gaussian_blur = image_op("gaussian_blur")(blur)


@op
def elastic_transform(
    images: Tensor,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: random.Seed = None,
    data_format: str | None = None,
) -> Array:
    """Distorts images by smooth random displacements (Simard et al. 2003).

    Args:
        images: Image or batch of images.
        alpha: Strength of the displacements in pixels, before they are smoothed.
        sigma: Standard deviation in pixels of the Gaussian that smooths the displacements.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode: How to extend the images beyond their borders: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'.
        fill_value: Value outside for the mode 'constant'.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        Images of the shape and data type of `images`.

    Raises:
        ValueError: If the interpolation or the fill mode is unknown.

    >>> elastic_transform(jnp.ones((4, 4, 1)), sigma=1.0, seed=1).shape
    (4, 4, 1)
    """
    return _elastic(images, alpha, sigma, interpolation, fill_mode, fill_value, seed, data_format=data_format)


@image_op("elastic_transform")
def _elastic(x, alpha, sigma, interpolation, fill_mode, fill_value, seed):
    return displace(x, alpha, sigma, 2 * int(3 * sigma) + 1, interpolation, fill_mode, fill_value, seed)


def displace(
    x: Array,
    alpha: Tensor,
    sigma: Tensor,
    size: int,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    seed: random.Seed,
) -> Array:
    """What `elastic_transform` does to a batch of floats with channels last, for numbers known in compiled code only.

    Args:
        x: ``(n, height, width, channels)``.
        alpha: Strength of the displacements in pixels.
        sigma: Standard deviation of the smoothing in pixels.
        size: Size of the smoothing filter, an odd number.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode: As for `elastic_transform`.
        fill_value: As for `elastic_transform`.
        seed: As for `elastic_transform`.

    Returns:
        An array of the shape of `x`.

    >>> displace(jnp.ones((1, 4, 4, 1)), 1.0, 0.5, 3, "bilinear", "reflect", 0.0, 1).shape
    (1, 4, 4, 1)
    """
    noise = random.uniform((*x.shape[:3], 2), -1.0, 1.0, dtype=x.dtype, seed=seed)
    shifts = alpha * blur(noise, (size, size), (sigma, sigma))
    rows, columns = jnp.meshgrid(*(jnp.arange(n, dtype=x.dtype) for n in x.shape[1:3]), indexing="ij")
    return _resample(x, rows + shifts[..., 0], columns + shifts[..., 1], interpolation, fill_mode, fill_value)
