"""Random transforms of single images: their limits, and how they are drawn and applied."""

import typing
from collections.abc import Sequence

import numpy as np

from oneiros.core.config import standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.core.fields import field
from oneiros.core.registry import Configurable
from oneiros.preprocessing import image_transforms as transforms


def _pair(name, value):
    if value is not None and np.shape(value) != (2,):
        raise InputDataError(f"{name} must be a pair of numbers. Received: {value}")
    return value


def _zoom(name, value):
    value = (1 - value, 1 + value) if isinstance(value, (int, float)) else value
    if len(value) != 2:
        raise InputDataError(f"{name} must be a number or a pair of numbers. Received: {value}")
    return tuple(value)


def _format(name, value):
    return standardize_data_format(value)


class RandomChanges(Configurable):
    """Rotates, shifts, shears, zooms, flips and recolours images at random, within limits.

    >>> RandomChanges(horizontal_flip=True).apply_transform(np.eye(2)[..., None], {"flip_horizontal": True})[..., 0]
    array([[0., 1.],
           [1., 0.]])
    """

    rotation_range: float = field(default=0, doc="Largest rotation, in degrees.")
    width_shift_range: typing.Any = field(
        default=0.0,
        doc="Largest horizontal shift: a fraction of the width if it is below 1, else pixels. An integer or a list "
        "gives whole pixels to choose from, with either sign.",
    )
    height_shift_range: typing.Any = field(default=0.0, doc="Largest vertical shift, as for the width.")
    brightness_range: tuple = field(_pair, default=None, doc="Smallest and largest factor of the brightness.")
    shear_range: float = field(default=0.0, doc="Largest shear, in degrees.")
    zoom_range: tuple = field(_zoom, default=0.0, doc="Smallest and largest zoom factor, or `z` for `(1 - z, 1 + z)`.")
    channel_shift_range: float = field(default=0.0, doc="Largest value that is added to all channels.")
    fill_mode: str = field(
        default="nearest",
        doc='How to extend the image: `"nearest"`, `"reflect"`, `"wrap"` or `"constant"` (`cval`).',
    )
    cval: float = field(default=0.0, doc='Value outside the image with `fill_mode="constant"`.')
    horizontal_flip: bool = field(default=False, doc="Whether to mirror half of the images left to right.")
    vertical_flip: bool = field(default=False, doc="Whether to mirror half of the images upside down.")
    data_format: str = field(
        _format, default=None, last=True, doc='`"channels_last"`, `"channels_first"`, or `None`: as configured.'
    )
    interpolation_order: int = field(default=1, last=True, doc="Order of the splines that interpolate between pixels.")

    def __post_init__(self):
        super().__post_init__()
        self.channel_axis, self.row_axis, self.col_axis = (
            (1, 2, 3) if self.data_format == "channels_first" else (3, 1, 2)
        )

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, typing.Any]:
        """Draws the parameters of a random transform.

        Args:
            img_shape: Shape of the image.
            seed: Seed for NumPy's global generator; ``None`` leaves it as it is.

        Returns:
            A dictionary for `apply_transform`.
        """
        if seed is not None:
            np.random.seed(seed)
        rows, columns = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        return {
            "theta": self._within(self.rotation_range),
            "ty": self._shift(self.height_shift_range, rows),
            "tx": self._shift(self.width_shift_range, columns),
            "shear": self._within(self.shear_range),
            **dict(zip(("zx", "zy"), transforms.draw_zoom(self.zoom_range))),
            # Always drawn, so that the other numbers do not depend on it.
            "flip_horizontal": (np.random.random() < 0.5) * self.horizontal_flip,
            "flip_vertical": (np.random.random() < 0.5) * self.vertical_flip,
            "channel_shift_intensity": self._within(self.channel_shift_range) if self.channel_shift_range else None,
            "brightness": None if self.brightness_range is None else np.random.uniform(*self.brightness_range),
        }

    @staticmethod
    def _within(limit):
        return np.random.uniform(-limit, limit) if limit else 0

    @staticmethod
    def _shift(limit, size):
        if isinstance(limit, (int, np.integer)) or np.ndim(limit):
            pixels = np.random.choice(limit) * np.random.choice([-1, 1]) if limit else 0
        else:
            pixels = np.random.uniform(-limit, limit) if limit else 0
        return pixels * size if np.max(limit) < 1 else pixels

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, typing.Any]) -> np.ndarray:
        """Transforms an image with given parameters.

        Args:
            x: Image with 3 axes.
            transform_parameters: Dictionary with any of ``theta``, ``tx``, ``ty``, ``shear``, ``zx``, ``zy`` (see
                `apply_affine_transform`), ``flip_horizontal``, ``flip_vertical``, ``channel_shift_intensity`` and
                ``brightness``.

        Returns:
            An image of the shape of `x`.
        """
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        given = transform_parameters
        x = transforms.apply_affine_transform(
            x,
            *(given.get(name, 0) for name in ("theta", "tx", "ty", "shear")),
            *(given.get(name, 1) for name in ("zx", "zy")),
            row,
            column,
            channel,
            self.fill_mode,
            self.cval,
            self.interpolation_order,
        )
        if given.get("channel_shift_intensity") is not None:
            x = transforms.apply_channel_shift(x, given["channel_shift_intensity"], channel)
        if given.get("flip_horizontal", False):
            x = transforms.flip_axis(x, column)
        if given.get("flip_vertical", False):
            x = transforms.flip_axis(x, row)
        if given.get("brightness") is not None:
            x = transforms.apply_brightness_shift(x, given["brightness"], scale=False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Transforms an image at random.

        Args:
            x: Image with 3 axes.
            seed: Seed for NumPy's global generator; ``None`` leaves it as it is.

        Returns:
            An image of the shape of `x`.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))
