"""Batches of images as the functions here take them."""

from typing import Any

import numpy as np

from ..core import image_data_format
from ..core.errors import InputDataError


def channels_last(images: Any, data_format: str | None) -> np.ndarray:
    """A batch of images as a NumPy array with the channels last.

    Args:
        images: An array ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default the global setting.

    >>> channels_last(np.zeros((2, 3, 4, 5)), "channels_first").shape
    (2, 4, 5, 3)
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise InputDataError(
            f"images: expected a batch, an array with 4 axes. Received one of shape {images.shape}."
            + (" Add an axis: images[None]." if images.ndim == 3 else "")
        )
    first = (data_format or image_data_format()) == "channels_first"
    return np.ascontiguousarray(np.moveaxis(images, 1, -1)) if first else images


def in_bytes(images: np.ndarray, value_range: Any = (0, 255)) -> np.ndarray:
    """Images with values from 0 to 255, as bytes.

    Args:
        images: The images.
        value_range: The least and the greatest value that they may have.

    >>> in_bytes(np.array([-1.0, 0.0, 1.0]), (-1, 1)).tolist()
    [0, 127, 255]
    """
    low, high = value_range
    if images.dtype == np.uint8 and (low, high) == (0, 255):
        return images
    scaled = (np.asarray(images, "float32") - low) / (high - low) * 255
    return np.clip(scaled, 0, 255).astype("uint8")
