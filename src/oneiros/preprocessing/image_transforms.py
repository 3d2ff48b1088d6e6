"""Changes of one image, given or random (from NumPy's global generator, in the order of Keras).

An image is an array with a row, a column and a channel axis, which may stand anywhere.
"""

import numpy as np

from oneiros.core.errors import InputDataError
from oneiros.preprocessing.image_io import array_to_img, img_to_array


def flip_axis(x, axis):
    """Mirrors an image along an axis.

    Args:
        x: Image.
        axis: The axis.

    Returns:
        An array of the shape of `x`.

    >>> flip_axis([[1, 2]], 1).tolist()
    [[2, 1]]
    """
    return np.flip(np.asarray(x), axis)


def transform_matrix_offset_center(matrix, x, y):
    """Makes a 3x3 transform act about the centre of an image instead of its corner.

    Args:
        matrix: The transform.
        x: Size of the image along the transform's first coordinate.
        y: Size of the image along the transform's second coordinate.

    Returns:
        A 3x3 matrix.

    >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 3, 3).tolist()
    [[2.0, 0.0, -1.0], [0.0, 2.0, -1.0], [0.0, 0.0, 1.0]]
    """
    to_centre = np.array([[1, 0, x / 2 - 0.5], [0, 1, y / 2 - 0.5], [0, 0, 1]])
    return to_centre @ matrix @ np.linalg.inv(to_centre)


def apply_transform(x, transform_matrix, channel_axis=0, fill_mode="nearest", cval=0.0, order=1):
    """Reads an image through a 3x3 matrix.

    Args:
        x: Image with 3 axes.
        transform_matrix: Takes (row, column, 1) of the result to the place in `x`.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.
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
    x,
    theta=0,
    tx=0,
    ty=0,
    shear=0,
    zx=1,
    zy=1,
    row_axis=1,
    col_axis=2,
    channel_axis=0,
    fill_mode="nearest",
    cval=0.0,
    order=1,
):
    """Rotates, shifts, shears and zooms an image about its centre.

    Args:
        x: Image with 3 axes.
        theta: Rotation in degrees.
        tx: Shift to the side, in pixels.
        ty: Shift up or down, in pixels.
        shear: Shear in degrees.
        zx: Factor of the width that is seen: below 1, things get larger.
        zy: Factor of the height that is seen.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.
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
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Rotates an image by a random angle.

    Args:
        x: Image with 3 axes.
        rg: Largest angle, in degrees.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        interpolation_order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.
    """
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Shifts an image by a random distance.

    Args:
        x: Image with 3 axes.
        wrg: Largest share of the width.
        hrg: Largest share of the height.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        interpolation_order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.
    """
    ty = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    tx = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Shears an image by a random angle.

    Args:
        x: Image with 3 axes.
        intensity: Largest angle, in degrees.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        interpolation_order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.
    """
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Zooms an image by a random factor along each side.

    Args:
        x: Image with 3 axes.
        zoom_range: Smallest and largest factor.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: What lies outside of the image: 'nearest', 'reflect', 'wrap' or 'constant'.
        cval: The value for 'constant'.
        interpolation_order: Order of the splines between pixels, from 0 to 5.

    Returns:
        An image of the shape of `x`.

    Raises:
        InputDataError: If the range is not a pair.
    """
    zx, zy = draw_zoom(zoom_range)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def draw_zoom(zoom_range):
    """Draws two factors from a range; the range ``(1, 1)`` gives 1 and 1 without a draw."""
    if len(zoom_range) != 2:
        raise InputDataError(f"zoom_range: expected a pair of factors. Received: {zoom_range}")
    low, high = zoom_range
    return (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)


def apply_channel_shift(x, intensity, channel_axis=0):
    """Adds a number to all channels, and keeps the range of the image.

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


def random_channel_shift(x, intensity_range, channel_axis=0):
    """Adds a random number to all channels, and keeps the range of the image.

    Args:
        x: Image.
        intensity_range: Largest number to add or take away.
        channel_axis: Not used.

    Returns:
        An image of the shape of `x`.
    """
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x, brightness, scale=True):
    """Makes an image darker or lighter.

    Args:
        x: Image with 3 axes.
        brightness: Factor: below 1 the image gets darker.
        scale: Whether to stretch the values to the range from 0 to 255 first.

    Returns:
        An image of the shape of `x`.
    """
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    beyond = low < 0 or high > 255
    image = array_to_img(x, scale=beyond or scale)
    array = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if beyond and not scale:
        return array / 255 * (high - low) + low
    return array


def random_brightness(x, brightness_range, scale=True):
    """Makes an image darker or lighter by a random factor.

    Args:
        x: Image with 3 axes.
        brightness_range: Smallest and largest factor.
        scale: Whether to stretch the values to the range from 0 to 255 first.

    Returns:
        An image of the shape of `x`.

    Raises:
        InputDataError: If the range is not a pair.
    """
    if len(brightness_range) != 2:
        raise InputDataError(f"brightness_range: expected a pair of factors. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
