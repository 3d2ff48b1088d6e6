"""Layers that change colours, pixel by pixel. Boxes and masks stay as they are."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ... import random
from ...core.checks import fraction
from ...core.fields import field
from ...kernels.convolution import depthwise_conv
from ...ops import image as ops
from ..arguments import DataFormat, Seed
from .base import (
    Factor,
    ImageLayer,
    Probability,
    RandomImageLayer,
    UnitFactor,
    ValueRange,
    checked_limits,
    from_bytes,
    to_bytes,
)


def _grays(images):
    return ops.rgb_to_grayscale(images, data_format="channels_last")


class _ColorLayer(RandomImageLayer, abstract=True):
    """Draws one number for each image from the range `factor`; `parameter` is its name. Subclasses write `recolor`."""

    parameter = "factor"

    factor: Factor = field()
    value_range: ValueRange = (0, 255)
    seed: Seed = field(default=None, after="value_range")

    def draw(self, lengths, seed):
        return {self.parameter: self.strengths(lengths, seed)}

    def strengths(self, lengths, seed):
        return self.uniform(lengths, *self.factor, seed)

    def augment(self, images, transformation):
        drawn = jnp.asarray(transformation[self.parameter])
        drawn = drawn.reshape(-1, 1, 1, 1) if drawn.ndim < 4 else drawn
        return jnp.clip(self.recolor(images, drawn), *self.value_range)


class RandomBrightness(_ColorLayer):
    """Adds a random number to each image.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomBrightness((0.5, 0.5), value_range=(0, 1))(np.full((1, 2, 1), 0.25)).ravel().tolist()
    [0.75, 0.75]
    """

    parameter = "rgb_delta"

    factor: Factor = field(doc="Range of numbers, as fractions of the range of values; or one number for -x to x.")
    keeps_type = True

    def strengths(self, lengths: tuple, seed: Any) -> Array:
        """What is added."""
        low, high = self.value_range
        return (high - low) * super().strengths(lengths, seed)

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Brighter or darker images."""
        return images + drawn


class RandomContrast(_ColorLayer):
    """Moves the pixels of each image away from the mean of their channel, or towards it.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> image = np.array([1.0, 3.0]).reshape(1, 2, 1)
    >>> RandomContrast((0.0, 1.0), seed=1)(image).mean().tolist()
    2.0
    """

    parameter = "contrast_factor"

    factor: Any = field(
        checked_limits(0),
        doc="Two numbers from 0 to 1: the factor is drawn from 1 - the first to 1 + the second. One number stands for "
        "the second.",
    )

    def strengths(self, lengths: tuple, seed: Any) -> Array:
        """The factors of the distances to the mean."""
        low, high = self.factor
        return self.uniform(lengths, 1 - low, 1 + high, seed)

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Images of more or less contrast."""
        mean = images.mean((1, 2), keepdims=True)
        return (images - mean) * drawn + mean


class _Colored(_ColorLayer, abstract=True):
    data_format: DataFormat = field(default=None, after="value_range")
    seed: Seed = field(default=None, after="data_format")


class RandomColorDegeneration(_Colored):
    """Mixes each image with its grey levels.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomColorDegeneration((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]])).round(1).tolist()  # all grey
    [[[76.20000457763672, 76.20000457763672, 76.20000457763672]]]
    """

    factor: Factor = field(doc="Range of the share of grey: 0 changes nothing, 1 leaves no colour.")

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Images of less colour."""
        return images + drawn * (_grays(images) - images)


class RandomHue(_Colored):
    """Shifts the hue of each image by a random angle.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomHue((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]])).tolist()  # half a turn
    [[[0.0, 255.0, 255.0]]]
    """

    factor: UnitFactor = field(doc="Range of angles to both sides: 0 is none, 1 half a turn.")

    def strengths(self, lengths: tuple, seed: Any) -> Array:
        """The angles as fractions of a full turn."""
        signs = jnp.where(self.uniform(lengths, 0.0, 1.0, seed) < 0.5, 0.5, -0.5)
        return super().strengths(lengths, seed) * signs

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Images of other hues."""
        hue, saturation, value = _to_hsv(images, self.value_range)
        return _from_hsv((hue + drawn) % 1, saturation, value, self.value_range)


def _to_hsv(images, value_range):
    low, high = value_range
    hsv = ops.rgb_to_hsv((images - low) / (high - low), data_format="channels_last")
    return jnp.split(hsv, 3, -1)


def _from_hsv(hue, saturation, value, value_range):
    low, high = value_range
    images = ops.hsv_to_rgb(jnp.concatenate([hue, saturation, value], -1), data_format="channels_last")
    return images * (high - low) + low


class RandomSaturation(_Colored):
    """Makes the colours of each image stronger or weaker.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomSaturation((0.0, 0.0))(np.array([[[200.0, 100.0, 0.0]]])).round(2).tolist()
    [[[200.0, 200.0, 200.0]]]
    """

    factor: Factor = field(doc="Range of strengths: 0 leaves no colour, 0.5 changes nothing, 1 is the strongest.")

    def strengths(self, lengths: tuple, seed: Any) -> Array:
        """The factors of the saturation."""
        share = super().strengths(lengths, seed)
        return share / jnp.maximum(1 - share, 1e-7)

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Images of other saturation."""
        hue, saturation, value = _to_hsv(images, self.value_range)
        return _from_hsv(hue, jnp.clip(saturation * drawn, 0, 1), value, self.value_range)


class RandomPosterization(_Colored):
    """Reduces the number of bits of each colour.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomPosterization(1)(np.array([[[235.0, 87.0, 130.0]]])).tolist()
    [[[128.0, 0.0, 128.0]]]
    """

    parameter = "shift_factor"

    factor: Any = field(checked_limits(1, 8), doc="Range of the number of bits that are left, from 1 to 8.")

    def strengths(self, lengths: tuple, seed: Any) -> Array:
        """The number of bits that are dropped."""
        return 8 - jnp.floor(super().strengths(lengths, seed))

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Images of fewer colours."""
        step = 2.0 ** drawn.astype(images.dtype)
        return from_bytes(jnp.floor(jnp.floor(to_bytes(images, self.value_range)) / step) * step, self.value_range)


def _smoothed(images):
    """The mean of each pixel, weighted fivefold, and its eight neighbours, which are 0 beyond the border."""
    kernel = jnp.ones((3, 3), images.dtype).at[1, 1].set(5) / 13
    kernel = jnp.broadcast_to(kernel[..., None, None], (3, 3, images.shape[-1], 1))
    return depthwise_conv(images, kernel, padding="same")


class RandomSharpness(_Colored):
    """Smooths or sharpens images: 0 gives a smoothed copy, 0.5 the image itself, 1 what is as far beyond it.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomSharpness(0.5)(np.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    factor: UnitFactor = field(doc="Range of degrees of sharpness; 0.5 changes nothing.")

    def recolor(self, images: Array, drawn: Array) -> Array:
        """Smoother or sharper images."""
        smooth = _smoothed(images)
        return smooth + 2 * drawn * (images - smooth)


class Solarization(RandomImageLayer):
    """Adds a random number to each image, and inverts the pixels above a random threshold.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> Solarization()(np.array([[[0.0, 64.0, 255.0]]])).tolist()
    [[[255.0, 191.0, 0.0]]]
    """

    addition_factor: UnitFactor = field(default=0.0, doc="Range of what is added, as fractions of 255.")
    threshold_factor: UnitFactor = field(default=0.0, doc="Range of thresholds, as fractions of 255.")
    value_range: ValueRange = (0, 255)
    seed: Seed = field(default=None, after="value_range")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, what is added and the threshold, in values from 0 to 255."""
        ranges = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {name: self.uniform(lengths, 255 * low, 255 * high, seed) for name, (low, high) in ranges.items()}

    def augment(self, images: Array, transformation: dict) -> Array:
        brighter = jnp.clip(to_bytes(images, self.value_range) + transformation["additions"], 0, 255)
        turned = jnp.where(brighter < transformation["thresholds"], brighter, 255 - brighter)
        return from_bytes(turned, self.value_range)


class RandomInvert(RandomImageLayer):
    """Inverts images at random: the largest value becomes the smallest.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomInvert((1.0, 1.0))(np.array([[[0.0, 64.0, 255.0]]])).tolist()
    [[[255.0, 191.0, 0.0]]]
    """

    factor: Probability = 1.0
    value_range: ValueRange = (0, 255)
    seed: Seed = field(default=None, after="value_range")
    data_format: DataFormat = field(default=None, after="seed")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """Which images are inverted."""
        return {"apply_inversion": self.happens(lengths, self.factor, seed)}

    def augment(self, images: Array, transformation: dict) -> Array:
        inverted = jnp.asarray(transformation["apply_inversion"]).reshape(-1, 1, 1, 1)
        return jnp.where(inverted, self.value_range[1] - images, images)


class RandomGrayscale(RandomImageLayer):
    """Takes the colour out of images at random.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomGrayscale(1.0)(np.array([[[255.0, 255.0, 255.0]]])).round().tolist()
    [[[255.0, 255.0, 255.0]]]
    """

    keeps_type = True

    factor: float = field(fraction, default=0.5, doc="Probability that an image loses its colour.")
    data_format: DataFormat = field(default=None, after="factor")
    seed: Seed = field(default=None, after="data_format")

    def draw(self, lengths: tuple, seed: Any) -> Array:
        """Which images lose their colour."""
        return self.uniform(lengths, 0.0, 1.0, seed) < self.factor

    def augment(self, images: Array, transformation: Any) -> Array:
        return jnp.where(jnp.asarray(transformation).reshape(-1, 1, 1, 1), _grays(images), images)


class RandomGaussianBlur(RandomImageLayer):
    """Blurs images at random.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomGaussianBlur(sigma=0.5)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    factor: Probability = 1.0
    kernel_size: Any = field(default=3, doc="Size of the filter: one number, or (width, height).")
    sigma: Any = field(checked_limits(0, float("inf")), default=1.0, doc="Range of standard deviations in pixels.")
    value_range: ValueRange = (0, 255)
    data_format: DataFormat = field(default=None, after="value_range")
    seed: Seed = field(default=None, after="data_format")

    @property
    def _size(self):
        return self.kernel_size if isinstance(self.kernel_size, int) else tuple(self.kernel_size)[::-1]

    def changes(self, transformation: Any, training: bool) -> bool:
        return super().changes(transformation, training) and bool(self.factor[1] and self.sigma[1])

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """Which images are blurred, and one standard deviation for each direction."""
        return {
            "should_apply_blur": self.happens(lengths, self.factor, seed),
            "blur_factor": random.uniform((2,), *self.sigma, self.float_type(), seed=seed),
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        sigma = jnp.maximum(jnp.asarray(transformation["blur_factor"], images.dtype), 1e-3)
        blurred = ops.gaussian_blur(images, self._size, sigma, data_format="channels_last")
        blurred = jnp.clip(blurred, *self.value_range)
        return jnp.where(jnp.asarray(transformation["should_apply_blur"]).reshape(-1, 1, 1, 1), blurred, images)


class RandomColorJitter(ImageLayer):
    """Changes brightness, contrast, saturation and hue at random, one after the other.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> RandomColorJitter(brightness_factor=(0.5, 0.5), value_range=(0, 1))(np.full((1, 1, 3), 0.25)).tolist()
    [[[0.75, 0.75, 0.75]]]
    """

    value_range: ValueRange = (0, 255)
    brightness_factor: Any = field(default=None, doc="`factor` of `RandomBrightness`; `None` leaves it out.")
    contrast_factor: Any = field(default=None, doc="`factor` of `RandomContrast`; `None` leaves it out.")
    saturation_factor: Any = field(default=None, doc="`factor` of `RandomSaturation`; `None` leaves it out.")
    hue_factor: Any = field(default=None, doc="`factor` of `RandomHue`; `None` leaves it out.")
    seed: Seed = None
    data_format: DataFormat = field(default=None, after="seed")

    def __post_init__(self):
        super().__post_init__()
        factors = (self.brightness_factor, self.contrast_factor, self.saturation_factor, self.hue_factor)
        classes = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        common = {"value_range": self.value_range, "seed": self.seed, "dtype": jnp.dtype(self.float_type()).name}
        self.jitters = [
            cls(factor, data_format="channels_last", **common)
            for cls, factor in zip(classes, factors)
            if factor is not None
        ]

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = (*self.lengths(data), 3)
        return [layer.get_random_transformation(jnp.empty(shape), seed=seed) for layer in self.jitters]

    def augment(self, images: Array, transformation: Any) -> Array:
        for layer, drawn in zip(self.jitters, transformation):
            images = layer.augment(images, drawn)
        return images
