"""Layers that change the size of images: resizing and cropping, of the boxes and masks too."""

from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ... import random
from ...core.checks import one_of
from ...core.errors import InputDataError
from ...core.fields import Argument, field
from ...ops import image as ops
from ..arguments import DataFormat, PositiveInt, Seed
from .base import ImageLayer, RandomImageLayer, checked_limits, limits

_METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
Method = Annotated[
    str,
    Argument(
        partial(one_of, allowed=_METHODS[:-1]),
        doc='`"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.',
    ),
]


def resize_to_crop(images: Array, size: tuple, interpolation: str) -> Array:
    """The largest middle part of channels-last images that has the aspect ratio of `size`, resized to it."""
    return ops.resize(images, size, interpolation, crop_to_aspect_ratio=True, data_format="channels_last")


def _fitted(corners, old, new, scale):
    """Boxes in images that were scaled and then cropped or padded around the middle."""
    height, width = old
    margins = [int(new[1] - width * scale), int(new[0] - height * scale)] * 2
    return corners * scale + jnp.array([int(margin / 2) for margin in margins], corners.dtype)


class _Sized(ImageLayer, abstract=True):
    in_inference = True

    height: PositiveInt = field(first=True, doc="Height of the outputs.")
    width: PositiveInt = field(first=True, doc="Width of the outputs.")

    def new_size(self, size):
        return self.height, self.width

    def get_random_transformation(self, data, training=True, seed=None):
        return {"input_shape": (*self.lengths(data), 1)}


class Resizing(_Sized):
    """Resizes images.

    Integers stay integers. Masks are resized with the nearest pixels.

    Shapes: ``(batch, height, width, channels)`` or one image. The outputs have the new height and width.

    >>> import numpy as np
    >>> Resizing(2, 3)(np.ones((5, 4, 6, 1))).shape
    (5, 2, 3, 1)
    """

    keeps_type = True

    interpolation: Method = "bilinear"
    crop_to_aspect_ratio: bool = field(default=False, doc="Whether to crop the images so that they are not distorted.")
    pad_to_aspect_ratio: bool = field(default=False, doc="Whether to add borders so that images are not distorted.")
    fill_mode: str = field(
        partial(one_of, allowed=("constant",)), default="constant", doc='How borders are filled: `"constant"`.'
    )
    fill_value: float = field(default=0.0, doc="Value of the borders.")
    antialias: bool = field(default=False, doc="Whether to smooth images that become smaller.")
    data_format: DataFormat = field(default=None, after="antialias")

    def __post_init__(self):
        super().__post_init__()
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise InputDataError(
                "Resizing: expected at most one of crop_to_aspect_ratio and pad_to_aspect_ratio. Received: both"
            )

    def augment(self, images: Array, transformation: Any) -> Array:
        return self._resize(images, self.interpolation, self.antialias)

    def move_masks(self, masks: Array, transformation: Any) -> Array:
        """The masks in the new size, with the labels that they have."""
        return self._resize(masks, "nearest", False)

    def _resize(self, images, interpolation, antialias):
        return ops.resize(
            images,
            (self.height, self.width),
            interpolation,
            antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            "channels_last",
        )

    def lengths(self, data: Any) -> tuple:
        if isinstance(data, tuple) and len(data) == 2:  # as Keras tells the size of the images
            return (1, *data)
        return super().lengths(data)

    def move_boxes(self, corners: Array, transformation: Any) -> Array:
        """The boxes in images of the new size."""
        old, new = self.lengths(transformation)[1:], (self.height, self.width)
        scales = new[0] / old[0], new[1] / old[1]
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            return _fitted(corners, old, new, (max if self.crop_to_aspect_ratio else min)(scales))
        return corners * jnp.array([scales[1], scales[0]] * 2, corners.dtype)


class CenterCrop(_Sized):
    """Cuts out the middle of images. Images that are too small are resized first, so that the middle fits.

    Shapes: ``(batch, height, width, channels)`` or one image. The outputs have the new height and width.

    >>> import numpy as np
    >>> CenterCrop(1, 2)(np.arange(12.0).reshape(3, 4, 1)).ravel().tolist()
    [5.0, 6.0]
    """

    data_format: DataFormat = field(default=None, after="width")

    def augment(self, images: Array, transformation: Any) -> Array:
        return self._cut(images, "bilinear")

    def move_masks(self, masks: Array, transformation: Any) -> Array:
        """The masks of the middle, with the labels that they have."""
        return self._cut(masks, "nearest")

    def _cut(self, images, interpolation):
        top, left = self._margins(*images.shape[1:3])
        if min(top, left) < 0:
            return resize_to_crop(images, (self.height, self.width), interpolation)
        return images[:, top : top + self.height, left : left + self.width]

    def _margins(self, height, width):
        return (height - self.height) // 2, (width - self.width) // 2

    def move_boxes(self, corners: Array, transformation: Any) -> Array:
        """The boxes in the middle."""
        height, width = self.lengths(transformation)[1:]
        top, left = self._margins(height, width)
        scale = 1.0
        if min(top, left) < 0:
            scale = max(self.height / height, self.width / width)
            top, left = (height * scale - self.height) / 2, (width * scale - self.width) / 2
        return corners * scale - jnp.array([left, top] * 2, corners.dtype)


class RandomCrop(RandomImageLayer):
    """Cuts a random window out of images, the same for all images of a batch.

    Outside of training, and from images that are too small, it cuts the largest middle part with the aspect ratio of
    the outputs, and resizes it.

    Shapes: ``(batch, height, width, channels)`` or one image. The outputs have the new height and width.

    >>> import numpy as np
    >>> RandomCrop(2, 2, seed=1)(np.ones((3, 4, 5, 1))).shape
    (3, 2, 2, 1)
    """

    height: PositiveInt = field(first=True, doc="Height of the outputs.")
    width: PositiveInt = field(first=True, doc="Width of the outputs.")
    seed: Seed = field(default=None, after="width")
    data_format: DataFormat = field(default=None, after="seed")

    def new_size(self, size: tuple) -> tuple:
        return self.height, self.width

    def changes(self, transformation: Any, training: bool) -> bool:
        return True

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> dict:
        lengths = self.lengths(data)
        found = {"input_shape": (*lengths, 1), "start": None}
        if training and lengths[1] >= self.height and lengths[2] >= self.width:
            found["start"] = self.draw(lengths, self.generator if seed is None else seed)
        return found

    def draw(self, lengths: tuple, seed: Any) -> tuple:
        """The row and the column at which the window begins."""
        free = lengths[1] - self.height + 1, lengths[2] - self.width + 1
        return tuple(random.randint((), 0, n, "int32", seed=seed) for n in free)

    def augment(self, images: Array, transformation: Any) -> Array:
        return self._cut(images, transformation, "bilinear")

    def move_masks(self, masks: Array, transformation: Any) -> Array:
        """The masks in the window, with the labels that they have."""
        return self._cut(masks, transformation, "nearest")

    def _cut(self, images, transformation, interpolation):
        start = _start(transformation)
        if start is None or images.shape[1] < self.height or images.shape[2] < self.width:
            return resize_to_crop(images, (self.height, self.width), interpolation)
        shape = images.shape[0], self.height, self.width, images.shape[3]
        return jax.lax.dynamic_slice(images, (0, *start, 0), shape)

    def move_boxes(self, corners: Array, transformation: Any) -> Array:
        """The boxes in the window."""
        start, (height, width) = _start(transformation), self.lengths(transformation)[1:]
        if start is None:
            scale = max(self.height / height, self.width / width)
            top, left = (height * scale - self.height) / 2, (width * scale - self.width) / 2
            return corners * scale - jnp.array([left, top] * 2, corners.dtype)
        return corners - jnp.stack([start[1], start[0]] * 2).astype(corners.dtype)


def _start(transformation):
    return transformation["start"] if isinstance(transformation, dict) else transformation


class _RandomSize(RandomImageLayer, abstract=True):
    """Changes one side of all images of a batch by a random factor."""

    axis = None

    factor: Any = field(
        checked_limits(-1.0, float("inf"), convert=False),
        first=True,
        doc="Range of changes, as fractions of the length, or a number for a range around 0.",
    )
    interpolation: str = field(partial(one_of, allowed=_METHODS), default="bilinear", doc="As in `Resizing`.")
    seed: Seed = field(default=None, after="interpolation")

    def __post_init__(self):
        super().__post_init__()
        self._stream = np.random.default_rng(self.generator.seed)  # shapes must be numbers, not arrays

    def draw(self, lengths, seed):
        """The new height and width."""
        size = list(lengths[1:])
        low, high = limits("factor", self.factor, -1.0, float("inf"))
        size[self.axis] = max(1, int(size[self.axis] * (1 + self._stream.uniform(low, high))))
        return {"size": tuple(size), "input_shape": (*lengths, 1)}

    def augment(self, images, transformation):
        if self.interpolation == "area":
            return ops.resize(images, transformation["size"], "bilinear", antialias=True, data_format="channels_last")
        return ops.resize(images, transformation["size"], self.interpolation, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[self.axis + (-2 if self.data_format == "channels_first" else -3)] = None
        return tuple(shape)


class RandomHeight(_RandomSize):
    """Makes images higher or lower by a random factor.

    Compiled code has to know all shapes: each time it is compiled one factor is drawn for all its steps. With
    ``compile(run_eagerly=True)`` each step draws its own.

    Shapes: ``(batch, height, width, channels)`` or one image; the outputs have another height.

    >>> import numpy as np
    >>> RandomHeight((0.5, 0.5))(np.ones((4, 6, 3)), training=True).shape
    (6, 6, 3)
    """

    axis = 0


class RandomWidth(_RandomSize):
    """Makes images wider or narrower by a random factor.

    In compiled code it is as for `RandomHeight`.

    Shapes: ``(batch, height, width, channels)`` or one image; the outputs have another width.

    >>> import numpy as np
    >>> RandomWidth((0.5, 0.5))(np.ones((4, 6, 3)), training=True).shape
    (4, 9, 3)
    """

    axis = 1
