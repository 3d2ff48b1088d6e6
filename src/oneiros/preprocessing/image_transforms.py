"""Transforms of single images, given or random (drawn from NumPy's global generator in the order of Keras).

An image is an array with a row, a column and a channel axis, in any order.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from oneiros.core.errors import InputDataError
from oneiros.preprocessing.image_io import array_to_img, img_to_array


def flip_axis(x: npt.ArrayLike, axis: int) -> np.ndarray:
    """Mirrors an image along an axis.

    Args:
        x: Image.
        axis: Axis to reverse.

    Returns:
        An array of the shape of `x`.

    >>> flip_axis([[1, 2]], 1).tolist()
    [[2, 1]]
    """
    return np.flip(np.asarray(x), axis)


def transform_matrix_offset_center(matrix: np.ndarray, x: int, y: int) -> np.ndarray:
    """Moves the origin of a 3x3 transform from the corner of an image to its centre.

    Args:
        matrix: The transform, 3x3.
        x: Size of the image along the transform's first coordinate.
        y: Size of the image along the transform's second coordinate.

    Returns:
        A 3x3 matrix.

    >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 3, 3).tolist()
    [[2.0, 0.0, -1.0], [0.0, 2.0, -1.0], [0.0, 0.0, 1.0]]
    """
    to_centre = np.array([[1, 0, x / 2 - 0.5], [0, 1, y / 2 - 0.5], [0, 0, 1]])
    return to_centre @ matrix @ np.linalg.inv(to_centre)


def apply_transform(
    x: np.ndarray,
    transform_matrix: np.ndarray,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Transforms an image by a 3x3 matrix.

    Args:
        x: Image with 3 axes.
        transform_matrix: Maps (row, column, 1) of the result to the position in `x`.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    >>> image = np.arange(4.0).reshape(1, 2, 2)
    >>> shift = np.array([[1.0, 0, 0], [0, 1, 1], [0, 0, 1]])  # one pixel to the left
    >>> apply_transform(image, shift)[0].tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    from scipy import ndimage

    channels = [
        ndimage.affine_transform(
            channel, transform_matrix[:2, :2], transform_matrix[:2, 2], order=order, mode=fill_mode, cval=cval
        )
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(channels, axis=channel_axis)


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Rotates, shifts, shears and zooms an image about its centre.

    Args:
        x: Image with 3 axes.
        theta: Rotation in degrees.
        tx: Horizontal shift in pixels.
        ty: Vertical shift in pixels.
        shear: Shear in degrees.
        zx: Factor of the visible width: below 1, the image is magnified.
        zy: Factor of the visible height: below 1, the image is magnified.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    >>> image = np.arange(4.0).reshape(1, 2, 2)
    >>> apply_affine_transform(image, tx=1)[0].tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    if theta == 0 and tx == 0 and ty == 0 and shear == 0 and zx == 1 and zy == 1:
        return x
    theta, shear = np.deg2rad(theta), np.deg2rad(shear)
    rotation = [[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]]
    shift = [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    shearing = [[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]]
    zoom = [[zx, 0, 0], [0, zy, 0], [0, 0, 1]]
    matrix = np.linalg.multi_dot([rotation, shift, shearing, zoom])
    matrix = transform_matrix_offset_center(matrix, x.shape[col_axis], x.shape[row_axis])
    matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]  # from (column, row) to (row, column)
    return apply_transform(x, matrix, channel_axis, fill_mode, cval, order)


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Rotates an image by a random angle.

    Args:
        x: Image with 3 axes.
        rg: Largest angle in degrees, in both directions.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        interpolation_order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    >>> random_rotation(np.ones((3, 8, 8)), 30).shape
    (3, 8, 8)
    """
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shifts an image by a random distance.

    Args:
        x: Image with 3 axes.
        wrg: Largest horizontal shift, as a fraction of the width.
        hrg: Largest vertical shift, as a fraction of the height.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        interpolation_order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    >>> random_shift(np.ones((3, 8, 8)), 0.1, 0.1).shape
    (3, 8, 8)
    """
    ty = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    tx = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shears an image by a random angle.

    Args:
        x: Image with 3 axes.
        intensity: Largest angle in degrees, in both directions.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        interpolation_order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    >>> random_shear(np.ones((3, 8, 8)), 10).shape
    (3, 8, 8)
    """
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Zooms an image by random factors, drawn separately for width and height.

    Args:
        x: Image with 3 axes.
        zoom_range: Smallest and largest factor; below 1, the image is magnified.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: How to extend the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: Value outside the image for the mode 'constant'.
        interpolation_order: Order of the splines that interpolate between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    Raises:
        InputDataError: If the range is not a pair.

    >>> random_zoom(np.ones((3, 8, 8)), (0.9, 1.1)).shape
    (3, 8, 8)
    """
    zx, zy = draw_zoom(zoom_range)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def draw_zoom(zoom_range: Sequence[float]) -> Sequence[float]:
    """Draws two zoom factors.

    Args:
        zoom_range: Smallest and largest factor. For ``(1, 1)``, nothing is drawn.

    Returns:
        Two factors.

    Raises:
        InputDataError: If the range is not a pair.
    """
    if len(zoom_range) != 2:
        raise InputDataError(f"zoom_range: expected a pair of factors. Received: {zoom_range}")
    low, high = zoom_range
    return (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Adds a number to all channels, and clips to the range of the image.

    Args:
        x: Image.
        intensity: The number.
        channel_axis: Not used.

    Returns:
        An image of the shape of `x`.

    >>> apply_channel_shift(np.array([0.0, 5.0, 9.0]), 3).tolist()
    [3.0, 8.0, 9.0]
    """
    return np.clip(x + intensity, x.min(), x.max())


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Adds a random number to all channels, and clips to the range of the image.

    Args:
        x: Image.
        intensity_range: Largest number to add or subtract.
        channel_axis: Not used.

    Returns:
        An image of the shape of `x`.

    >>> random_channel_shift(np.ones((3, 8, 8)), 0.5).shape
    (3, 8, 8)
    """
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """Makes an image darker or lighter.

    Args:
        x: Image with 3 axes.
        brightness: Factor of the brightness: below 1, the image becomes darker.
        scale: Whether to stretch the values to the range from 0 to 255 first.

    Returns:
        An image of the shape of `x`.

    >>> apply_brightness_shift(np.full((2, 2, 3), 100.0), 0.5, scale=False)[0, 0].tolist()
    [50.0, 50.0, 50.0]
    """
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    beyond = low < 0 or high > 255
    image = array_to_img(x, scale=beyond or scale)
    array = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if beyond and not scale:
        return array / 255 * (high - low) + low
    return array


def random_brightness(x: np.ndarray, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """Makes an image darker or lighter by a random factor.

    Args:
        x: Image with 3 axes.
        brightness_range: Smallest and largest factor.
        scale: Whether to stretch the values to the range from 0 to 255 first.

    Returns:
        An image of the shape of `x`.

    Raises:
        InputDataError: If the range is not a pair.

    >>> random_brightness(np.full((2, 2, 3), 100.0), (0.5, 1.5)).shape
    (2, 2, 3)
    """
    if len(brightness_range) != 2:
        raise InputDataError(f"brightness_range: expected a pair of factors. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
