"""Layers that mix the images of a batch, or erase parts of them."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ... import random
from ...core.checks import fraction
from ...core.fields import field
from ..arguments import DataFormat, Seed
from .base import Probability, RandomImageLayer, UnitFactor, ValueRange


def _windows(lengths, shares, seed, dtype):
    """For each image, the pixels of a random window whose sides are these shares of the image's: ``(n, h, w, 1)``.

    `shares` are those of the height and of the width, each ``(n,)``.
    """
    inside = []
    for length, share in zip(lengths[1:], shares):
        size = length * share
        start = (length - size) * random.uniform(share.shape, 0.0, 1.0, dtype, seed=seed)
        middles = jnp.arange(length) + 0.5
        inside.append((middles >= start[:, None]) & (middles < (start + size)[:, None]))
    return inside[0][:, :, None, None] & inside[1][:, None, :, None]


class RandomErasing(RandomImageLayer):
    """Erases a random window of images.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs. From Zhong et al., "Random
    Erasing Data Augmentation", 2017.

    >>> import numpy as np
    >>> erased = RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0)(np.ones((1, 8, 8, 1)))
    >>> erased.mean().tolist()
    0.75
    """

    makes_batches = True

    factor: Probability = 1.0
    scale: UnitFactor = field(default=(0.02, 0.33), doc="Range of the window's area, as fractions of the image's.")
    fill_value: Any = field(default=None, doc="Value of the window; `None` for noise.")
    value_range: ValueRange = (0, 255)
    seed: Seed = field(default=None, after="value_range")
    data_format: DataFormat = field(default=None, after="seed")

    def changes(self, transformation: Any, training: bool) -> bool:
        return super().changes(transformation, training) and bool(self.scale[1] and self.factor[1])

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, whether it changes, the window and what fills it."""
        dtype, (low, high) = self.float_type(), self.value_range
        shares = [jnp.sqrt(self.uniform(lengths, *self.scale, seed).reshape(-1)) for _ in range(2)]
        fill = self.fill_value
        if fill is None:
            noise = random.normal((*lengths, 1), dtype=dtype, seed=seed)
            fill = jnp.clip(low + (high - low) * noise, low, high)
        return {
            "apply_erasing": self.happens(lengths, self.factor, seed),
            "batch_masks": _windows(lengths, shares, seed, dtype),
            "fill_value": fill,
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        window = jnp.asarray(transformation["batch_masks"])
        applied = jnp.asarray(transformation["apply_erasing"]).reshape(-1, 1, 1, 1)
        return jnp.where(window & applied, jnp.asarray(transformation["fill_value"], images.dtype), images)


class _Mixing(RandomImageLayer, abstract=True):
    """Mixes each image with another of the batch, and the labels in the same proportion."""

    makes_batches = True

    def partners(self, lengths, seed):
        """For each image, the number of the one that it is mixed with."""
        return random.shuffle(jnp.arange(lengths[0]), seed=seed)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not self.changes(transformation, training):
            return labels
        labels = jnp.asarray(labels, self.float_type())
        share = jnp.asarray(transformation["mix_weight"], labels.dtype).reshape(-1, *(1,) * (labels.ndim - 1))
        return share * labels + (1 - share) * labels[jnp.asarray(transformation["permutation_order"])]


class MixUp(_Mixing):
    """Replaces each image and its label by a mixture with another of the batch.

    Labels are expected as one row of floats for each image, such as one-hot vectors. Of bounding boxes, both images'
    are kept.

    Shapes: ``(batch, height, width, channels)``, and the same for the outputs. From Zhang et al., "mixup: Beyond
    Empirical Risk Minimization", 2017.

    >>> import numpy as np
    >>> data = {"images": np.eye(2).reshape(2, 2, 1, 1), "labels": np.eye(2)}
    >>> mixed = MixUp(seed=1)(data)
    >>> bool((mixed["images"].reshape(2, 2) == mixed["labels"]).all())
    True
    """

    alpha: float = field(
        fraction, default=0.2, doc="The shares are drawn from the Beta distribution of this parameter."
    )
    data_format: DataFormat = field(default=None, after="alpha")
    seed: Seed = field(default=None, after="data_format")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, its share of the mixture, and the other image."""
        share = random.beta((lengths[0],), self.alpha, self.alpha, self.float_type(), seed=seed)
        return {"mix_weight": share, "permutation_order": self.partners(lengths, seed)}

    def augment(self, images: Array, transformation: dict) -> Array:
        share = jnp.asarray(transformation["mix_weight"], images.dtype).reshape(-1, 1, 1, 1)
        return share * images + (1 - share) * images[jnp.asarray(transformation["permutation_order"])]

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any, training: bool = True) -> dict:
        if not self.changes(transformation, training):
            return bounding_boxes
        others = jnp.asarray(transformation["permutation_order"])
        both = {name: jnp.asarray(value) for name, value in bounding_boxes.items()}
        return {name: jnp.concatenate([value, value[others]], 1) for name, value in both.items()}


class CutMix(_Mixing):
    """Replaces a random window of each image by that of another of the batch, and mixes the labels by its area.

    Labels are expected as one row of floats for each image, such as one-hot vectors.

    Shapes: ``(batch, height, width, channels)``, and the same for the outputs. From Yun et al., "CutMix: Regularization
    Strategy to Train Strong Classifiers with Localizable Features", 2019.

    >>> import numpy as np
    >>> images = np.arange(2.0).reshape(2, 1, 1, 1) * np.ones((1, 4, 4, 1))
    >>> CutMix(seed=1)({"images": images, "labels": np.eye(2)})["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    factor: UnitFactor = field(
        default=1.0,
        doc="Range of the parameter of the Beta distribution from which shares are drawn, or its upper end.",
    )
    seed: Seed = field(default=None, after="factor")
    data_format: DataFormat = field(default=None, after="seed")

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """For each image, the window, the share that is left of the image, and the other image."""
        dtype = self.float_type()
        alpha = jnp.maximum(random.uniform((), *self.factor, dtype, seed=seed), 1e-3)
        share = random.beta((lengths[0],), alpha, alpha, dtype, seed=seed)
        side = jnp.sqrt(1 - share)
        return {
            "permutation_order": self.partners(lengths, seed),
            "batch_masks": _windows(lengths, (side, side), seed, dtype),
            "mix_weight": share.reshape(-1, 1, 1, 1),
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        others = images[jnp.asarray(transformation["permutation_order"])]
        return jnp.where(jnp.asarray(transformation["batch_masks"]), others, images)

    def move_masks(self, masks: Array, transformation: dict) -> Array:
        """The masks of the mixtures."""
        return self.augment(masks, transformation | {"batch_masks": transformation["batch_masks"][..., :1]})
