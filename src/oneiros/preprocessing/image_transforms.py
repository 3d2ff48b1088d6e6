"""Changes of one image, given or random (from NumPy's global generator, in the order of Keras).

An image is an array with a row, a column and a channel axis, which may stand anywhere.
"""

import numpy as np

from oneiros.core.errors import InputDataError
from oneiros.preprocessing.image_io import array_to_img, img_to_array


def flip_axis(x, axis):
    """``x`` mirrored along ``axis``."""
    return np.flip(np.asarray(x), axis)


def transform_matrix_offset_center(matrix, x, y):
    """The 3x3 transform ``matrix``, made to act about the centre of an image of size ``x`` and ``y``."""
    to_centre = np.array([[1, 0, x / 2 - 0.5], [0, 1, y / 2 - 0.5], [0, 0, 1]])
    return to_centre @ matrix @ np.linalg.inv(to_centre)


def apply_transform(x, transform_matrix, channel_axis=0, fill_mode="nearest", cval=0.0, order=1):
    """The image ``x`` seen through a 3x3 matrix, which takes (row, column) of the result to that of ``x``.

    ``fill_mode`` says what lies outside ``x``: 'nearest', 'reflect', 'wrap' or 'constant' (``cval``). ``order``: of the
    splines between the pixels.
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
    """The image rotated, shifted, sheared and zoomed about its centre.

    ``theta`` and ``shear`` are in degrees, ``tx`` in columns, ``ty`` in rows; ``zx`` (along the columns) and ``zy`` are
    factors of what is seen, so that below 1 things get larger.
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
    """The image rotated by at most ``rg`` degrees."""
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """The image shifted by at most the shares ``wrg`` of its width and ``hrg`` of its height."""
    ty = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    tx = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """The image sheared by at most ``intensity`` degrees."""
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """The image zoomed along each side by a factor between the two of ``zoom_range``."""
    zx, zy = draw_zoom(zoom_range)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def draw_zoom(zoom_range):
    """Two factors, or 1 and 1 for the range ``(1, 1)``."""
    if len(zoom_range) != 2:
        raise InputDataError(f"zoom_range: expected a pair of factors. Received: {zoom_range}")
    low, high = zoom_range
    return (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)


def apply_channel_shift(x, intensity, channel_axis=0):
    """``intensity`` added to all channels, within the range of the image. ``channel_axis`` makes no difference."""
    return np.clip(x + intensity, x.min(), x.max())


def random_channel_shift(x, intensity_range, channel_axis=0):
    """At most ``intensity_range`` added to or taken from all channels, within the range of the image."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x, brightness, scale=True):
    """The image made darker (``brightness`` below 1) or lighter; ``scale``: its values stretched to 0 ... 255 first."""
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    beyond = low < 0 or high > 255
    image = array_to_img(x, scale=beyond or scale)
    array = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if beyond and not scale:
        return array / 255 * (high - low) + low
    return array


def random_brightness(x, brightness_range, scale=True):
    """`apply_brightness_shift` by a factor between the two of ``brightness_range``."""
    if len(brightness_range) != 2:
        raise InputDataError(f"brightness_range: expected a pair of factors. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
