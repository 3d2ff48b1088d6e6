"""Layers that flip, rotate, shift, scale and bend images, with the boxes and masks on them."""

from functools import partial
from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from ... import random
from ...core.checks import one_of
from ...core.fields import Argument, field, optional
from ...ops import image as ops
from ...ops.warping import displace, projection
from ...utils import bounding_boxes as boxes
from ..arguments import DataFormat, Seed
from .base import Factor, Probability, RandomImageLayer, UnitFactor, ValueRange, checked_limits, limits

Interpolation = Annotated[
    str, Argument(partial(one_of, allowed=("nearest", "bilinear")), doc='`"nearest"` or `"bilinear"`.')
]
FillMode = Annotated[
    str,
    Argument(
        partial(one_of, allowed=("reflect", "wrap", "constant", "nearest")),
        doc='What lies around the images: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.',
    ),
]
FillValue = Annotated[float, Argument(doc='Value around the images for the fill mode `"constant"`.')]


class RandomFlip(RandomImageLayer):
    """Mirrors each image with a probability of one half.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> images = np.arange(4.0).reshape(1, 1, 4, 1) * np.ones((8, 1, 1, 1))
    >>> flipped = RandomFlip("horizontal", seed=1)(images)
    >>> sorted({tuple(image.ravel().tolist()) for image in flipped})
    [(0.0, 1.0, 2.0, 3.0), (3.0, 2.0, 1.0, 0.0)]
    """

    mode: str = field(
        partial(one_of, allowed=("horizontal", "vertical", "horizontal_and_vertical")),
        default="horizontal_and_vertical",
        doc='`"horizontal"`, `"vertical"`, or `"horizontal_and_vertical"` for half a turn.',
    )
    seed: Seed = field(default=None, after="mode")
    data_format: DataFormat = field(default=None, after="seed")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, whether it is mirrored."""
        return {"flips": self.uniform(lengths, 0.0, 1.0, seed) <= 0.5, "input_shape": (*lengths, 1)}

    def augment(self, images: Array, transformation: dict) -> Array:
        axes = [axis for axis, name in ((1, "vertical"), (2, "horizontal")) if name in self.mode]
        return jnp.where(jnp.asarray(transformation["flips"]).reshape(-1, 1, 1, 1), jnp.flip(images, axes), images)

    move_masks = augment

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """The mirrored boxes."""
        _, height, width = self.lengths(transformation)
        left, top, right, bottom = jnp.moveaxis(corners, -1, 0)
        if "horizontal" in self.mode:
            left, right = width - right, width - left
        if "vertical" in self.mode:
            top, bottom = height - bottom, height - top
        flipped = jnp.stack([left, top, right, bottom], -1)
        return jnp.where(jnp.asarray(transformation["flips"]).reshape(-1, 1, 1), flipped, corners)


class _Warp(RandomImageLayer, abstract=True):
    """Reads images at other places. Subclasses write ``matrix(transformation)``: see `ops.image.affine_transform`."""

    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    seed: Seed = field(default=None, after="interpolation")
    fill_value: FillValue = 0.0
    data_format: DataFormat = field(default=None, after="fill_value")

    def augment(self, images, transformation):
        return self._read(images, transformation, self.interpolation)

    def move_masks(self, masks, transformation):
        """The masks, with the labels that they have."""
        return self._read(masks, transformation, "nearest")

    def _read(self, images, transformation, interpolation):
        matrix = self.matrix(transformation, images.shape[1], images.shape[2])
        return ops.affine_transform(
            images, matrix, interpolation, self.fill_mode, self.fill_value, data_format="channels_last"
        )


def _matrix(a0=1.0, a1=0.0, a2=0.0, b0=0.0, b1=1.0, b2=0.0):
    """The rows of an affine map, ``(batch, 8)``, from numbers or arrays ``(batch,)``."""
    return jnp.stack(jnp.broadcast_arrays(*map(jnp.asarray, (a0, a1, a2, b0, b1, b2, 0.0, 0.0))), -1)


class RandomRotation(_Warp):
    """Rotates each image around its middle by a random angle.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> image = np.arange(4.0).reshape(2, 2, 1)
    >>> RandomRotation((0.5, 0.5))(image)[..., 0].round(2).tolist()  # half a turn
    [[3.0, 2.0], [1.0, 0.0]]
    """

    factor: Factor = field(first=True, doc="Range of angles as fractions of a full turn, counterclockwise.")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, the angle in degrees and the map."""
        count, height, width = lengths
        low, high = (360 * limit for limit in self.factor)
        angle = random.uniform((count,), low, high, self.float_type(), seed=seed)
        cos, sin = jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
        x, y = (width - 1) / 2, (height - 1) / 2  # the middle
        matrix = _matrix(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)
        return {"angle": angle, "rotation_matrix": matrix, "input_shape": (*lengths, 1)}

    def matrix(self, transformation: dict, height: int, width: int) -> Array:
        """The map from the new positions to the old ones."""
        return jnp.asarray(transformation["rotation_matrix"])

    def lengths(self, data: Any) -> tuple:
        if isinstance(data, dict) and "image_height" in data:  # as Keras tells the size of the images
            return data["batch_size"], data["image_height"], data["image_width"]
        return super().lengths(data)

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """Boxes around the rotated boxes."""
        _, height, width = self.lengths(transformation)
        return boxes.affine_transform(corners, transformation["angle"], 0.0, 0.0, 1.0, 0.0, 0.0, height, width)


class RandomTranslation(_Warp):
    """Shifts each image by a random distance.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> image = np.arange(4.0).reshape(1, 4, 1)
    >>> RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")(image).ravel().tolist()
    [0.0, 0.0, 1.0, 2.0]
    """

    height_factor: Any = field(
        checked_limits(convert=False), first=True, doc="Range of shifts down, as fractions of the height."
    )
    width_factor: Any = field(
        checked_limits(convert=False), first=True, doc="Range of shifts to the right, as fractions of the width."
    )

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, the shift in pixels: to the right, and down."""
        count, height, width = lengths
        down, right = (
            length * random.uniform((count, 1), *limits("factor", factor), self.float_type(), seed=seed)
            for length, factor in ((height, self.height_factor), (width, self.width_factor))
        )
        return {"translations": jnp.concatenate([right, down], 1), "input_shape": (*lengths, 1)}

    def matrix(self, transformation: dict, height: int, width: int) -> Array:
        """The map from the new positions to the old ones."""
        right, down = jnp.asarray(transformation["translations"]).T
        return _matrix(a2=-right, b2=-down)

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """The shifted boxes."""
        return corners + jnp.tile(jnp.asarray(transformation["translations"]), 2)[:, None]


class RandomZoom(_Warp):
    """Zooms each image by a random factor: in with numbers below 0, out with numbers above 0.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> image = np.array([0.0, 0, 1, 0, 0]).reshape(1, 5, 1)
    >>> RandomZoom(0.0, (-0.5, -0.5))(image).ravel().tolist()  # twice as large
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    makes_batches = True

    height_factor: Any = field(
        checked_limits(convert=False),
        first=True,
        doc="Range of factors, minus 1, by which the visible height grows.",
    )
    width_factor: Any = field(
        optional(checked_limits(convert=False)),
        default=None,
        first=True,
        doc="The same for the width. With `None` the factors are those of the height.",
    )

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, the factors of the height and width, ``(batch, 1)``."""
        height, width = (
            None if factor is None else 1 + random.uniform((lengths[0], 1), *limits("factor", factor), seed=seed)
            for factor in (self.height_factor, self.width_factor)
        )
        width = height if width is None else width
        return {"height_zoom": height, "width_zoom": width, "input_shape": (*lengths, 1)}

    def matrix(self, transformation: dict, height: int, width: int) -> Array:
        """The map from the new positions to the old ones."""
        tall, wide = (jnp.asarray(transformation[name]).reshape(-1) for name in ("height_zoom", "width_zoom"))
        return _matrix(a0=wide, a2=(1 - wide) * (width - 1) / 2, b1=tall, b2=(1 - tall) * (height - 1) / 2)

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """The boxes, larger or smaller."""
        _, height, width = self.lengths(transformation)
        middle = jnp.array([width - 1, height - 1] * 2, corners.dtype) / 2
        tall, wide = (jnp.asarray(transformation[name]).reshape(-1, 1) for name in ("height_zoom", "width_zoom"))
        return (corners - middle) / jnp.stack([wide, tall] * 2, -1) + middle


class RandomShear(_Warp):
    """Shears each image by random factors.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> image = np.arange(4.0).reshape(2, 2, 1)
    >>> RandomShear(0.5, 0.0)(image).shape
    (2, 2, 1)
    """

    makes_batches = True

    x_factor: UnitFactor = field(default=0.0, first=True, doc="Range of horizontal shears, to both sides.")
    y_factor: UnitFactor = field(default=0.0, first=True, doc="Range of vertical shears, to both sides.")
    interpolation: Interpolation = field(default="bilinear", after="y_factor")
    data_format: DataFormat = field(default=None, after="fill_value")
    seed: Seed = field(default=None, after="data_format")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, the horizontal and the vertical shear."""

        def shears(factor):
            amount = self.uniform(lengths, *factor, seed).reshape(-1)
            return jnp.where(self.uniform(lengths, 0.0, 1.0, seed).reshape(-1) < 0.5, amount, -amount)

        return {
            "shear_factor": jnp.stack([shears(self.x_factor), shears(self.y_factor)], 1),
            "input_shape": (*lengths, 1),
        }

    def matrix(self, transformation: dict, height: int, width: int) -> Array:
        """The map from the new positions to the old ones."""
        x, y = jnp.asarray(transformation["shear_factor"]).T
        return _matrix(a1=x, b0=y)

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """Boxes around the sheared boxes."""
        _, height, width = self.lengths(transformation)
        shear_x, shear_y = jnp.asarray(transformation["shear_factor"]).T[..., None, None]

        def move(x, y):
            x = x - shear_x * y * (width / height)
            return x, y - shear_y * x * (height / width)

        return boxes.around_corners(corners, move)


class RandomPerspective(RandomImageLayer):
    """Shows each image from another point of view: three of its corners move by random distances.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomPerspective(scale=0.2)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    factor: Probability = 1.0
    scale: float = field(default=1.0, doc="How far the corners move at most, as a fraction of half the size.")
    interpolation: Interpolation = "bilinear"
    fill_value: FillValue = 0.0
    seed: Seed = field(default=None, after="fill_value")
    data_format: DataFormat = field(default=None, after="seed")

    def changes(self, transformation: Any, training: bool) -> bool:
        return super().changes(transformation, training) and bool(self.scale and self.factor[1])

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, whether it changes, and where its corners were and are."""
        count, height, width = lengths
        corners = jnp.array([[0, 0], [1, 0], [0, 1], [1, 1]], self.float_type())
        size = jnp.array([width - 1, height - 1], corners.dtype)
        start = jnp.broadcast_to(corners * size, (count, 4, 2))
        shift = random.uniform((count, 4, 2), -self.scale / 2, self.scale / 2, corners.dtype, seed=seed)
        return {
            "apply_perspective": self.happens(lengths, self.factor, seed),
            "start_points": start,
            "end_points": start + shift * size * corners,
            "input_shape": (*lengths, 1),
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        return self._read(images, transformation, self.interpolation, self.fill_value)

    def move_masks(self, masks: Array, transformation: dict) -> Array:
        """The masks, with the labels that they have."""
        return self._read(masks, transformation, "nearest", 0.0)

    def _read(self, images, transformation, interpolation, fill_value):
        start, end = (jnp.asarray(transformation[name]) for name in ("start_points", "end_points"))
        applied = jnp.asarray(transformation["apply_perspective"]).reshape(-1, 1, 1, 1)
        moved = ops.perspective_transform(images, start, end, interpolation, fill_value, data_format="channels_last")
        return jnp.where(applied, moved, images)

    def move_boxes(self, corners: Array, transformation: dict) -> Array:
        """Boxes around the moved boxes."""
        start, end = (jnp.asarray(transformation[name]) for name in ("start_points", "end_points"))
        coefficients = jnp.moveaxis(projection(end, start), -1, 0)[..., None, None]
        a0, a1, a2, b0, b1, b2, c0, c1 = coefficients

        def move(x, y):
            k = c0 * x + c1 * y + 1
            return (a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k

        applied = jnp.asarray(transformation["apply_perspective"]).reshape(-1, 1, 1)
        return jnp.where(applied, boxes.around_corners(corners, move), corners)


class RandomElasticTransform(RandomImageLayer):
    """Distorts images by smooth random displacements.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs. From Simard et al., "Best
    Practices for Convolutional Neural Networks Applied to Visual Document Analysis", 2003.

    >>> import numpy as np
    >>> RandomElasticTransform(scale=0.5)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    factor: Probability = 1.0
    scale: UnitFactor = field(default=1.0, doc="Range of strengths, from 0 to 1, or its upper end.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: FillValue = 0.0
    value_range: ValueRange = (0, 255)
    seed: Seed = field(default=None, after="value_range")
    data_format: DataFormat = field(default=None, after="seed")

    def changes(self, transformation: Any, training: bool) -> bool:
        return super().changes(transformation, training) and bool(self.scale[1] and self.factor[1])

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, whether it changes; one strength for all, and the key of the displacements."""
        return {
            "apply_transform": self.happens(lengths, self.factor, seed),
            "distortion_factor": random.uniform((), *self.scale, self.float_type(), seed=seed),
            "seed": random.randint((2,), 0, 2**31 - 1, "uint32", seed=seed),
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        return jnp.clip(self._distort(images, transformation, self.interpolation), *self.value_range)

    def move_masks(self, masks: Array, transformation: dict) -> Array:
        """The masks, with the labels that they have."""
        return self._distort(masks, transformation, "nearest")

    def _distort(self, images, transformation, interpolation):
        strength = jnp.asarray(transformation["distortion_factor"], images.dtype)
        short, long = sorted(images.shape[1:3])
        alpha, sigma = 0.1 * long * strength, jnp.maximum(0.05 * short * strength, 1e-3)
        size = 2 * int(0.15 * short * self.scale[1]) + 1  # three standard deviations of the strongest smoothing
        seed = transformation["seed"]
        moved = displace(images, alpha, sigma, size, interpolation, self.fill_mode, self.fill_value, seed)
        return jnp.where(jnp.asarray(transformation["apply_transform"]).reshape(-1, 1, 1, 1), moved, images)
