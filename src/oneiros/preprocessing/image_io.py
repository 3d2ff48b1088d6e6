"""Images read, written, resized, and converted between Pillow and arrays.

Animated files give their first frame, EXIF rotation is ignored, 16-bit grey files keep their range.
"""

import io
import os
import re
import warnings
from pathlib import Path

import numpy as np

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError
from oneiros.utils.atomic import regular, replacing

COLOR_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False, grayscale=False
):
    """A Pillow image from a file.

    Args:
        path: a path, an open binary file or a ``BytesIO``.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        target_size: ``(height, width)`` to resize to.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos', 'box' or 'hamming', for resizing.
        keep_aspect_ratio: cut the middle out first, so that nothing is stretched.
        grayscale: the same as ``color_mode='grayscale'``, as in Keras 1 and 2.

    Raises ``CorruptFileError`` for a file that is no whole image, ``LimitExceededError`` for one with more than
    ``PIL.Image.MAX_IMAGE_PIXELS`` pixels (before it is decoded).
    """
    color_mode = "grayscale" if grayscale else color_mode
    if color_mode not in COLOR_MODES:
        raise InputDataError(f"load_img: color_mode must be 'grayscale', 'rgb' or 'rgba'. Received: {color_mode!r}")
    if target_size is not None:
        _resampling(interpolation)
    image = _opened(path)
    modes = COLOR_MODES[color_mode]
    if image.mode not in modes:
        image = image.convert(modes[0])
    if target_size is None:
        return image
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        box = _centre_box(image.height, image.width, height, width)
    elif image.size == (width, height):
        return image
    return image.resize((width, height), _resampling(interpolation), box=box)


def _opened(path):
    """The decoded image. All that Pillow may say about a bad file gets the file's name."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Reading images needs Pillow: pip install 'oneiros[image]'") from error
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", type(path).__name__)
    limit = Image.MAX_IMAGE_PIXELS
    if isinstance(path, (str, os.PathLike)):
        regular(path, "an image")  # reading a pipe would wait for ever
    try:
        # read whole, so that no file stays open
        source = io.BytesIO(Path(path).read_bytes()) if isinstance(path, (str, os.PathLike)) else path
        image = Image.open(source)
        if limit and image.width * image.height > limit:
            raise LimitExceededError(
                f"{name}: the image has {image.width}x{image.height} pixels, more than the {limit} allowed. "
                "If you trust it, raise PIL.Image.MAX_IMAGE_PIXELS."
            )
        image.load()
    except (LimitExceededError, FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LimitExceededError(f"{name}: the image is too large: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError) as error:
        raise CorruptFileError(f"{name}: is no readable image, or only a part of one: {error}") from error
    return image


def _resampling(interpolation):
    from PIL import Image

    if interpolation not in INTERPOLATIONS:
        raise InputDataError(f"Invalid interpolation {interpolation!r}; expected one of {', '.join(INTERPOLATIONS)}.")
    return Image.Resampling[interpolation.upper()]


def _centre_box(height, width, target_height, target_width):
    """Left, top, right, bottom of the largest middle part with the target's proportions."""
    crop_height = min(height, width * target_height // target_width)
    crop_width = min(width, height * target_width // target_height)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return left, top, left + crop_width, top + crop_height


def img_to_array(img, data_format=None, dtype=None):
    """An array from an image of Pillow.

    Args:
        img: Image of Pillow, or an array with 2 or 3 axes.
        data_format: 'channels_last' or 'channels_first'; by default that of the configuration.
        dtype: Type of the array; `floatx()` by default.

    Returns:
        An array ``(height, width, channels)``, or with channels first.

    Raises:
        InputDataError: If the image does not have 2 or 3 axes.

    >>> img_to_array(np.zeros((4, 6))).shape
    (4, 6, 1)
    """
    channels_first = standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, dtype=dtype or floatx())
    if array.ndim == 2:
        return array[None] if channels_first else array[:, :, None]
    if array.ndim != 3:
        raise InputDataError(f"img_to_array: expected an image with 2 or 3 axes. Received shape {array.shape}")
    if channels_first and not isinstance(img, np.ndarray):
        return array.transpose(2, 0, 1)
    return array


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """An image of Pillow from an array.

    Args:
        x: Array with 3 axes and 1, 3 or 4 channels.
        data_format: 'channels_last' or 'channels_first'; by default that of the configuration.
        scale: Whether to stretch the values to the range from 0 to 255; otherwise they are used as they are.
        dtype: Type of numbers to compute in; `floatx()` by default.

    Returns:
        An image of Pillow.

    Raises:
        InputDataError: If the array is not of such a shape.

    >>> array_to_img(np.zeros((4, 6, 3))).size
    (6, 4)
    """
    from PIL import Image

    channels_first = standardize_data_format(data_format) == "channels_first"
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise InputDataError(f"array_to_img: expected one image with 3 axes. Received shape {x.shape}")
    if channels_first:
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min(initial=np.inf)
        highest = x.max(initial=0)
        x = x * (255 / highest) if highest else x
    channels = x.shape[2]
    if channels == 1 and x.max(initial=0) > 255:
        return Image.fromarray(x[:, :, 0].astype("int32"))
    if channels not in (1, 3, 4):
        raise InputDataError(f"array_to_img: expected 1, 3 or 4 channels. Received shape {x.shape}")
    x = x.astype("int32").astype("uint8")
    return Image.fromarray(x[:, :, 0] if channels == 1 else x)


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Writes an array as an image file.

    Args:
        path: Path of the file, or an open file.
        x: Array with 3 axes and 1, 3 or 4 channels.
        data_format: 'channels_last' or 'channels_first'; by default that of the configuration.
        file_format: Format of the file; by default the one that the path ends with.
        scale: Whether to stretch the values to the range from 0 to 255.
        **kwargs: Further arguments for Pillow's `Image.save`.

    Raises:
        InputDataError: If Pillow cannot write such a file.
    """
    img = array_to_img(x, data_format=data_format, scale=scale)
    suffix = Path(path).suffix.lower() if isinstance(path, (str, os.PathLike)) else ""
    file_format = file_format or ("jpeg" if suffix == ".jpg" else None)
    file_format = "jpeg" if file_format and file_format.lower() == "jpg" else file_format
    if img.mode == "RGBA" and (file_format or suffix.lstrip(".")).lower() == "jpeg":
        warnings.warn("save_img: JPEG has no transparency; the image is saved as RGB.")
        img = img.convert("RGB")
    if not isinstance(path, (str, os.PathLike)):
        img.save(path, format=file_format, **kwargs)
        return
    with replacing(path) as part:
        try:
            img.save(part, format=file_format, **kwargs)
        except (KeyError, ValueError) as error:
            raise InputDataError(f"save_img: cannot write {path} as {file_format or suffix!r}: {error}") from error


def list_pictures(directory, ext="jpg|jpeg|bmp|png|ppm"):
    """Paths of all image files in a folder and its subfolders.

    Args:
        directory: The folder.
        ext: Endings of the files, separated by ``|``.

    Returns:
        A list of paths.
    """
    pattern = re.compile(rf"([\w]+\.(?:{ext}))")
    return [os.path.join(root, name) for root, _, names in os.walk(directory) for name in names if pattern.match(name)]


# --- resizing arrays ---


def _lanczos(radius):
    return lambda t: np.where(np.abs(t) < radius, np.sinc(t) * np.sinc(t / radius), 0.0)


def _cubic(b, c):
    """The cubics of Mitchell and Netravali (1988)."""

    def kernel(t):
        t = np.abs(t)
        inner = (12 - 9 * b - 6 * c) * t**3 + (-18 + 12 * b + 6 * c) * t**2 + 6 - 2 * b
        outer = (-b - 6 * c) * t**3 + (6 * b + 30 * c) * t**2 + (-12 * b - 48 * c) * t + 8 * b + 24 * c
        return np.where(t < 1, inner, np.where(t < 2, outer, 0.0)) / 6

    return kernel


KERNELS = {
    "bilinear": lambda t: np.maximum(0.0, 1 - np.abs(t)),
    "bicubic": _cubic(0, 0.5),
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": lambda t: np.where(np.abs(t) < 1.5, np.exp(-2 * t**2), 0.0),
}


def resize_array(x, size, interpolation="bilinear"):
    """``x`` of shape ``(..., height, width, channels)`` sampled at ``size`` points, pixel centres at half-integers.

    'area' averages; the others ('nearest', 'bilinear', 'bicubic', 'mitchellcubic', 'lanczos3', 'lanczos5', 'gaussian')
    do not smooth before making smaller.
    """
    x = np.asarray(x, "float32")
    if interpolation == "nearest":
        rows, columns = (
            np.minimum(((np.arange(new) + 0.5) * old / new).astype(int), old - 1)
            for old, new in zip(x.shape[-3:-1], size)
        )
        return x[..., rows, :, :][..., columns, :]
    rows, columns = (_weights(old, new, interpolation) for old, new in zip(x.shape[-3:-1], size))
    x = np.moveaxis(np.tensordot(rows, x, (1, -3)), 0, -3)
    return np.moveaxis(np.tensordot(columns, x, (1, -2)), 0, -2)


def _weights(old, new, interpolation):
    """What each of ``old`` pixels gives to each of ``new`` ones: shape ``(new, old)``."""
    if interpolation == "area":
        edges = np.arange(new + 1) * old / new
        pixels = np.arange(old)
        weights = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, None)
    elif interpolation in KERNELS:
        points = (np.arange(new) + 0.5) * old / new - 0.5
        weights = KERNELS[interpolation](points[:, None] - np.arange(old))
        if interpolation == "bilinear":  # outside the outermost centres
            weights[points < 0, 0] = 1
            weights[points > old - 1, -1] = 1
    else:
        names = ", ".join(["nearest", "area", *KERNELS])
        raise InputDataError(f"Invalid interpolation {interpolation!r}; expected one of {names}.")
    return (weights / weights.sum(1, keepdims=True)).astype("float32")


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last"):
    """Resizes images without distorting them: the borders are cut off where the proportions differ.

    Args:
        x: Image or batch of images.
        size: The new (height, width).
        interpolation: 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos3', 'lanczos5', 'gaussian' or 'mitchellcubic'.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        Images of the new size, in float32.

    Raises:
        InputDataError: If the size is not a pair, or the images do not have 3 or 4 axes.

    >>> smart_resize(np.zeros((4, 8, 3)), (2, 2)).shape
    (2, 2, 3)
    """
    if len(size) != 2:
        raise InputDataError(f"smart_resize: size must be (height, width). Received: {size}")
    x = np.asarray(x)
    if x.ndim not in (3, 4):
        raise InputDataError(f"smart_resize: expected an image or a batch of images. Received shape {x.shape}")
    channels_first = data_format == "channels_first"
    if channels_first:
        x = np.moveaxis(x, -3, -1)
    left, top, right, bottom = _centre_box(*x.shape[-3:-1], *size)
    x = resize_array(x[..., top:bottom, left:right, :], size, interpolation)
    return np.moveaxis(x, -1, -3) if channels_first else x
