"""Reads, writes and resizes images, and converts between Pillow images and arrays.

Of animated files, the first frame is used. EXIF rotation is ignored. 16-bit grey images keep their range.
"""

import io
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError
from oneiros.utils.atomic import regular, replacing

if TYPE_CHECKING:
    import PIL.Image

COLOR_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: str | os.PathLike | IO[bytes],
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    grayscale: bool = False,
) -> "PIL.Image.Image":
    """Loads an image from a file.

    Args:
        path: Path, or file opened for reading bytes.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        target_size: Size ``(height, width)`` to resize to; ``None`` to keep the size.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos', 'box' or 'hamming', for resizing.
        keep_aspect_ratio: Whether to crop to the aspect ratio of `target_size` first, so that nothing is stretched.
        grayscale: Whether to use ``color_mode="grayscale"``, as in Keras 1 and 2.

    Returns:
        A Pillow image.

    Raises:
        InputDataError: If the colour mode or the interpolation is unknown.
        CorruptFileError: If the file is not a complete image.
        LimitExceededError: If the image has more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels (before it is decoded).

    >>> import io
    >>> file = io.BytesIO()
    >>> save_img(file, np.zeros((4, 6, 3)), file_format="png")
    >>> load_img(file, target_size=(2, 3)).size
    (3, 2)
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
    """The decoded image. The errors of Pillow for damaged files are raised with the name of the file."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Reading images needs Pillow: pip install 'oneiros[image]'") from error
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", type(path).__name__)
    limit = Image.MAX_IMAGE_PIXELS
    if isinstance(path, (str, os.PathLike)):
        regular(path, "an image")  # reading a pipe might wait forever
    try:
        # Read completely, so that no file stays open.
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
        raise CorruptFileError(f"{name}: is not a readable image, or is truncated: {error}") from error
    return image


def _resampling(interpolation):
    from PIL import Image

    if interpolation not in INTERPOLATIONS:
        raise InputDataError(f"Invalid interpolation {interpolation!r}; expected one of {', '.join(INTERPOLATIONS)}.")
    return Image.Resampling[interpolation.upper()]


def _centre_box(height, width, target_height, target_width):
    """Left, top, right and bottom of the largest central box with the aspect ratio of the target."""
    crop_height = min(height, width * target_height // target_width)
    crop_width = min(width, height * target_width // target_height)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return left, top, left + crop_width, top + crop_height


def img_to_array(img: Any, data_format: str | None = None, dtype: npt.DTypeLike = None) -> np.ndarray:
    """Converts a Pillow image to an array.

    Args:
        img: Pillow image, or an array with 2 or 3 axes.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        dtype: Data type of the array; `floatx()` by default.

    Returns:
        An array ``(height, width, channels)``, or ``(channels, height, width)`` with channels first.

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


def array_to_img(
    x: npt.ArrayLike, data_format: str | None = None, scale: bool = True, dtype: npt.DTypeLike = None
) -> "PIL.Image.Image":
    """Converts an array to a Pillow image.

    Args:
        x: Array with 3 axes and 1, 3 or 4 channels.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        scale: Whether to stretch the values to the range from 0 to 255. Otherwise they are used as they are.
        dtype: Data type to compute in; `floatx()` by default.

    Returns:
        A Pillow image.

    Raises:
        InputDataError: If the array does not have such a shape.

    >>> array_to_img(np.zeros((4, 6, 3))).size
    (6, 4)
    """
    from PIL import Image

    channels_first = standardize_data_format(data_format) == "channels_first"
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise InputDataError(f"array_to_img: expected one image with 3 axes. Received shape {x.shape}")
    if channels_first:
        x = x.transpose(1, 2, 0)  # (H, W, C)
    if scale:
        x = x - x.min(initial=np.inf)
        highest = x.max(initial=0)
        x = x * (255 / highest) if highest else x
    channels = x.shape[2]
    if channels == 1 and not scale and x.max(initial=0) > 255:
        return Image.fromarray(x[:, :, 0].astype("int32"))
    if channels not in (1, 3, 4):
        raise InputDataError(f"array_to_img: expected 1, 3 or 4 channels. Received shape {x.shape}")
    x = x.astype("int32").astype("uint8")
    return Image.fromarray(x[:, :, 0] if channels == 1 else x)


def save_img(
    path: str | os.PathLike | IO[bytes],
    x: npt.ArrayLike,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as an image file.

    Args:
        path: Path of the file, or an open file.
        x: Array with 3 axes and 1, 3 or 4 channels.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        file_format: Format of the file; by default according to the ending of the path.
        scale: Whether to stretch the values to the range from 0 to 255.
        **kwargs: Further arguments for Pillow's `Image.save`.

    Raises:
        InputDataError: If Pillow cannot write this format.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
    >>> save_img(path, np.zeros((4, 6, 3)))
    >>> load_img(path).size
    (6, 4)
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


def list_pictures(directory: str | os.PathLike, ext: str = "jpg|jpeg|bmp|png|ppm") -> list[str]:
    """Lists the image files in a folder and its subfolders.

    Args:
        directory: The folder.
        ext: Endings of the files, separated by ``|``.

    Returns:
        A list of paths.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> save_img(os.path.join(folder, "black.png"), np.zeros((4, 6, 3)))
    >>> [os.path.basename(path) for path in list_pictures(folder)]
    ['black.png']
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


def resize_array(x: npt.ArrayLike, size: Sequence[int], interpolation: str = "bilinear") -> np.ndarray:
    """Resizes images. The centres of pixels are at half-integers.

    Args:
        x: Images ``(..., height, width, channels)``.
        size: The new ``(height, width)``.
        interpolation: 'area' averages. The others ('nearest', 'bilinear', 'bicubic', 'mitchellcubic', 'lanczos3',
            'lanczos5', 'gaussian') do not smooth before they reduce the size.

    Returns:
        Images ``(..., new_height, new_width, channels)`` in float32.

    Raises:
        InputDataError: If the interpolation is unknown.

    >>> resize_array(np.array([[[1.0], [3.0]]]), (1, 1)).tolist()
    [[[2.0]]]
    """
    x = np.asarray(x, "float32")
    if interpolation == "nearest":
        rows, columns = (
            np.minimum(((np.arange(new) + 0.5) * old / new).astype(int), old - 1)
            for old, new in zip(x.shape[-3:-1], size)
        )
        return x[..., rows, :, :][..., columns, :]
    rows, columns = (_weights(old, new, interpolation) for old, new in zip(x.shape[-3:-1], size))
    x = np.moveaxis(np.tensordot(rows, x, (1, -3)), 0, -3)  # (..., new H, W, C)
    return np.moveaxis(np.tensordot(columns, x, (1, -2)), 0, -2)  # (..., new H, new W, C)


def _weights(old, new, interpolation):
    """The weight of each old pixel in each new pixel: shape ``(new, old)``."""
    if interpolation == "area":
        edges = np.arange(new + 1) * old / new
        pixels = np.arange(old)
        weights = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, None)
    elif interpolation in KERNELS:
        points = (np.arange(new) + 0.5) * old / new - 0.5
        weights = KERNELS[interpolation](points[:, None] - np.arange(old))
        if interpolation == "bilinear":  # beyond the outermost centres
            weights[points < 0, 0] = 1
            weights[points > old - 1, -1] = 1
    else:
        names = ", ".join(["nearest", "area", *KERNELS])
        raise InputDataError(f"Invalid interpolation {interpolation!r}; expected one of {names}.")
    return (weights / weights.sum(1, keepdims=True)).astype("float32")


def smart_resize(
    x: npt.ArrayLike, size: Sequence[int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> np.ndarray:
    """Resizes images and keeps their aspect ratio: borders are cropped where it differs.

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
        x = np.moveaxis(x, -3, -1)  # (..., H, W, C)
    left, top, right, bottom = _centre_box(*x.shape[-3:-1], *size)
    x = resize_array(x[..., top:bottom, left:right, :], size, interpolation)
    return np.moveaxis(x, -1, -3) if channels_first else x
