"""What all layers for images share: batches, data formats and types, and the annotations that follow the images."""

import numbers
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ... import random
from ...core import SeedGenerator
from ...core.errors import InputDataError
from ...core.fields import Argument, field, of_owner
from ...ops import saturate_cast
from ...utils import bounding_boxes as boxes
from ..arguments import DataFormat, Seed
from ..base import Layer

FOLLOWERS = ("labels", "bounding_boxes", "segmentation_masks")  # what the entries beside "images" may be called


class BaseImagePreprocessingLayer(Layer):
    """Base of the layers that prepare or vary images. Subclass it for one of your own.

    The input is an image ``(height, width, channels)``, a batch of images, or a dictionary with such `"images"` and any
    of `"labels"`, `"bounding_boxes"` (a dictionary of `"boxes"` and `"labels"`) and `"segmentation_masks"`. These
    follow the images. Other entries stay as they are.

    A subclass writes `get_random_transformation`, which draws the parameters of one call, and those of
    `transform_images`, `transform_labels`, `transform_bounding_boxes` and `transform_segmentation_masks` that do
    something. They get the parameters, so the annotations move with the images.

    Shapes: images ``(height, width, channels)`` or ``(batch, height, width, channels)``; with
    ``data_format="channels_first"`` the channels come before the height. The outputs have the same rank.

    >>> class Fade(BaseImagePreprocessingLayer, abstract=True):
    ...     def get_random_transformation(self, data, training=True, seed=None):
    ...         return 0.5 if training else 1.0
    ...     def transform_images(self, images, transformation, training=True):
    ...         return images * transformation
    >>> Fade()(np.ones((4, 4, 3)), training=True).max().tolist()
    0.5
    """

    data_format: DataFormat = field(default=None, last=True, kw_only=True)
    bounding_box_format: str = field(
        default=None, last=True, kw_only=True, doc="Format of bounding boxes, such as `'xyxy'`. They need one."
    )

    autocast = True

    def get_config(self) -> dict:
        config = super().get_config()
        return {name: value for name, value in config.items() if (name, value) != ("bounding_box_format", None)}

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the parameters of one call.

        Args:
            data: the input of the layer.
            training: whether the call is one of training.
            seed: an integer or a `SeedGenerator`; by default the layer's own.

        Returns:
            Anything that the methods `transform_...` understand, by default `None`.
        """
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """The new images, with or without a batch axis, for parameters from `get_random_transformation`."""
        return images

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The new labels, by default the old ones."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any, training: bool = True) -> dict:
        """The new bounding boxes, by default the old ones: a dictionary of `"boxes"` and `"labels"`."""
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The new masks, by default the old ones."""
        return segmentation_masks

    def call(self, data: Any, training: bool = True) -> Any:
        if not isinstance(data, dict):
            transformation = self.get_random_transformation(data, training=training)
            return self._of_rank(jnp.ndim(data), self.transform_images(data, transformation, training=training))
        if "images" not in data:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): expected a dictionary with the key 'images'. Received the "
                f"keys {sorted(map(str, data))}."
            )
        transformation = self.get_random_transformation(data, training=training)
        rank = jnp.ndim(data["images"])
        outputs = dict(data)
        outputs["images"] = self._of_rank(rank, self.transform_images(data["images"], transformation, training))
        for name in FOLLOWERS:
            if name in data:
                outputs[name] = self._follow(name, data[name], transformation, training, rank == 3)
        return outputs

    def _of_rank(self, rank, images):
        """Without the batch axis that a single image may have got on the way."""
        return images[0] if images.ndim > rank else images

    def _follow(self, name, value, transformation, training, single):
        transform = getattr(self, f"transform_{name}")
        if name != "bounding_boxes":
            if not single:
                return transform(value, transformation, training=training)
            return transform(jnp.asarray(value)[None], transformation, training=training)[0]
        if self.bounding_box_format is None:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): bounding_box_format: expected the format of the bounding "
                f"boxes in the input, such as bounding_box_format='xyxy'. Received: bounding_box_format=None"
            )
        if not isinstance(value, dict) or not {"boxes", "labels"} <= set(value):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): expected bounding_boxes as a dictionary with the keys "
                f"'boxes' and 'labels'. Received: {sorted(value) if isinstance(value, dict) else type(value).__name__}"
            )
        given = {key: jnp.asarray(item) for key, item in value.items()}
        batch = {key: item[None] if item.ndim < _BATCH_RANKS.get(key, 0) else item for key, item in given.items()}
        moved = transform(batch, transformation, training=training)
        return {key: item[0] if given[key].ndim < batch[key].ndim else item for key, item in moved.items()}

    def float_type(self) -> Any:
        """The type in which images are computed: the compute type of the layer, or float32 if that is of integers."""
        return self.compute_dtype if jnp.issubdtype(self.compute_dtype, jnp.floating) else jnp.dtype("float32")

    def as_output(self, images: Array) -> Array:
        """Images in the layer's compute type. For integers they are clipped to its range."""
        if jnp.issubdtype(self.compute_dtype, jnp.integer):
            return saturate_cast(images, self.compute_dtype)
        return images.astype(self.compute_dtype)

    def lengths(self, data: Any) -> tuple:
        """The number of images, the height and the width of an input or of its shape."""
        shape = tuple(int(n) for n in _shape(data))
        height, width = shape[-2:] if self.data_format == "channels_first" else shape[-3:-1]
        return (shape[0] if len(shape) > 3 else 1), height, width


_BATCH_RANKS = {"boxes": 3, "labels": 2}


def _shape(data):
    """The shape of the images, whichever form they come in: arrays, a dictionary, a tuple or array of sizes."""
    if isinstance(data, dict):
        data = data["images"] if "images" in data else data["input_shape"]
    if isinstance(data, (tuple, list)) or np.ndim(data) == 1:
        return data
    if np.ndim(data) not in (3, 4):
        raise InputDataError(
            f"Expected the input image to be rank 3 or 4. Received an array of the shape {np.shape(data)}."
        )
    return data.shape


class ImageLayer(BaseImagePreprocessingLayer, abstract=True):
    """Base of the library's layers for images: a subclass sees batches of floats, with the channels last.

    A subclass writes ``augment(images, transformation)``. If boxes move, it writes ``move_boxes(corners,
    transformation)``, and if masks do, ``move_masks(masks, transformation)``.

    >>> class Negative(ImageLayer):
    ...     def augment(self, images, transformation):
    ...         return 255 - images
    >>> Negative()(np.full((2, 2, 3), 55, "uint8")).max().tolist()
    200.0
    """

    move_boxes = move_masks = None
    in_inference = False  # whether inference changes the images too
    keeps_type = False  # whether integers stay integers
    # Whether the methods `transform_...` give single images and boxes a batch axis, as the transformation has one.
    makes_batches = False

    def augment(self, images: Array, transformation: Any) -> Array:
        """The new images: from floats ``(batch, height, width, channels)`` to the same."""
        raise NotImplementedError(f"{type(self).__name__}: write augment().")

    def changes(self, transformation: Any, training: bool) -> bool:
        """Whether a call changes anything."""
        return self.in_inference or bool(training)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Array:
        images = jnp.asarray(images)
        _shape(images)
        kept = images.dtype if self.keeps_type and jnp.issubdtype(images.dtype, jnp.integer) else None
        if self.changes(transformation, training):
            images = self._on_batches(images, lambda batch: self.augment(batch, transformation))
        return self.as_output(images) if kept is None else saturate_cast(images, kept)

    def _on_batches(self, images, function):
        """Applies a function of channels-last batches of floats to images of any form."""
        single, first = images.ndim == 3, self.data_format == "channels_first"
        batch = (images[None] if single else images).astype(self.float_type())
        outputs = function(jnp.moveaxis(batch, 1, -1) if first else batch)
        outputs = jnp.moveaxis(outputs, -1, 1) if first else outputs
        return outputs[0] if single and not self.makes_batches else outputs

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        if self.move_masks is None or not self.changes(transformation, training):
            return segmentation_masks
        masks = jnp.asarray(segmentation_masks)
        moved = self._on_batches(masks, lambda batch: self.move_masks(batch, transformation))
        return moved.astype(masks.dtype)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any, training: bool = True) -> dict:
        if self.move_boxes is None or not self.changes(transformation, training):
            return bounding_boxes
        size = self.lengths(transformation)[1:]
        return boxes.moved(
            {name: jnp.asarray(value) for name, value in bounding_boxes.items()},
            self.bounding_box_format,
            size,
            lambda corners: self._move(corners, transformation),
            self.new_size(size),
        )

    def _move(self, corners, transformation):
        batch = corners if corners.ndim == 3 else corners[None]
        moved = self.move_boxes(batch.astype(self.float_type()), transformation)
        return moved if corners.ndim == 3 or self.makes_batches else moved[0]

    def new_size(self, size: tuple) -> tuple:
        """The height and width of the outputs for those of the inputs."""
        return size


class RandomImageLayer(ImageLayer, abstract=True):
    """Base of layers that vary images at random in training. A subclass writes ``draw(lengths, seed)`` too.

    >>> class Shade(RandomImageLayer):
    ...     def draw(self, lengths, seed):
    ...         return self.uniform(lengths, 0.0, 1.0, seed)
    ...     def augment(self, images, transformation):
    ...         return images * transformation
    >>> images = np.ones((2, 4, 4, 3))
    >>> bool((Shade(seed=1)(images) < 1).all()), bool((Shade()(images, training=False) == 1).all())
    (True, True)
    """

    seed: Seed = field(default=None, last=True, kw_only=True)

    uses_learning_phase = True

    def __post_init__(self):
        super().__post_init__()
        self.generator = SeedGenerator(self.seed)

    def draw(self, lengths: tuple, seed: Any) -> Any:
        """The parameters of one call.

        Args:
            lengths: the number of images, their height and their width.
            seed: where random numbers come from.
        """
        raise NotImplementedError(f"{type(self).__name__}: write draw().")

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        return self.draw(self.lengths(data), self.generator if seed is None else seed)

    def changes(self, transformation: Any, training: bool) -> bool:
        return bool(training) and transformation is not None

    def uniform(self, lengths: tuple, low: float, high: float, seed: Any) -> Array:
        """One number for each image, ``(batch, 1, 1, 1)``."""
        return random.uniform((lengths[0], 1, 1, 1), low, high, self.float_type(), seed=seed)

    def happens(self, lengths: tuple, probabilities: Sequence, seed: Any) -> Array:
        """For each image, whether something happens that has a probability from this range: ``(batch,)``."""
        chance = self.uniform(lengths, *probabilities, seed)
        return (self.uniform(lengths, 0.0, 1.0, seed) < chance).reshape(-1)


# --- arguments that ranges are drawn from


def _numbers(value):
    pair = isinstance(value, (list, tuple, np.ndarray)) and len(value) == 2
    single = isinstance(value, (numbers.Real, np.ndarray)) and np.ndim(value) == 0
    return all(isinstance(v, numbers.Real) for v in value) if pair else single and not isinstance(value, bool)


def limits(name: str, value: Any, low: float = -1.0, high: float = 1.0) -> tuple:
    """The range that an argument describes: two numbers, or one that stands for itself and the one opposite.

    Args:
        name: the argument's name.
        value: its value.
        low: the smallest number that is allowed. A single number stands for a range that begins here at the lowest.
        high: the largest number that is allowed.

    Returns:
        A pair of numbers.

    Raises:
        InputDataError: if it is something else.

    >>> limits("factor", 0.2), limits("factor", 0.2, low=0), limits("factor", (0.3, 0.1))
    ((-0.2, 0.2), (0, 0.2), (0.1, 0.3))
    """
    good = _numbers(value)
    pair = tuple(sorted(value)) if good and np.ndim(value) else (max(low, -abs(value)), abs(value)) if good else ()
    if not good or (np.ndim(value) == 0 and value < low) or not low <= pair[0] <= pair[1] <= high:
        raise InputDataError(
            f"The `{name}` argument should be a number or two numbers from {low} to {high}. Received: {name}={value!r}"
        )
    return pair


def checked_limits(low: float = -1.0, high: float = 1.0, convert: bool = True) -> Callable:
    """A check for arguments that `limits` reads.

    Args:
        low: as for `limits`.
        high: as for `limits`.
        convert: whether the pair is stored, or what the user wrote.
    """

    def check(name, value):
        pair = limits(name, value, low, high)
        return pair if convert else value

    return check


Factor = Annotated[Any, Argument(checked_limits(), doc="A range from -1 to 1, or a number for a range around 0.")]
UnitFactor = Annotated[
    Any, Argument(checked_limits(0), doc="A range from 0 to 1, or a number for a range that begins at 0.")
]
Probability = Annotated[
    Any, Argument(checked_limits(0), doc="Probability that an image is changed: a range, or its upper end.")
]


@of_owner
def _value_range(name, value, owner):
    if not _numbers(value) or np.ndim(value) == 0 or not value[0] < value[1]:
        raise InputDataError(
            f"The `{name}` argument should be a list of two numbers, low and high. Received: {name}={value!r}"
        )
    return tuple(value)


ValueRange = Annotated[Any, Argument(_value_range, doc="The smallest and the largest value of the images.")]


def to_bytes(images: Array, value_range: Sequence) -> Array:
    """Images of another range of values as ones from 0 to 255."""
    low, high = value_range
    return images if (low, high) == (0, 255) else (images - low) * (255 / (high - low))


def from_bytes(images: Array, value_range: Sequence) -> Array:
    """The inverse of `to_bytes`."""
    low, high = value_range
    return images if (low, high) == (0, 255) else images * ((high - low) / 255) + low
