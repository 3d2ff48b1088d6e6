"""Layers that apply other layers in random order."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ... import random
from ...core.checks import positive_int
from ...core.fields import field
from ..arguments import DataFormat, Seed
from .base import RandomImageLayer, UnitFactor, ValueRange
from .colors import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from .geometry import Interpolation, RandomRotation, RandomShear, RandomTranslation
from .histograms import AutoContrast, Equalization

_MILD = (RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness)  # what `all_ops` adds


def _layers(owner, with_mild):
    """The layers to choose from, of the strength that the owner has."""
    factor, values = owner.factor, {"value_range": owner.value_range}
    common = {"data_format": "channels_last", "dtype": jnp.dtype(owner.float_type()).name, "seed": owner.seed}
    geometric = common | {"interpolation": owner.interpolation}
    chosen = [
        RandomShear(factor, factor, **geometric),
        RandomTranslation(factor, factor, **geometric),
        RandomRotation(factor, **geometric),
        Solarization(factor, factor, **values, **common),
        RandomPosterization(max(1, int(8 * factor[1])), **values, **common),
    ]
    chosen += [cls(factor, **values, **common) for cls in _MILD if with_mild]
    del common["seed"]
    return chosen + [cls(**values, **common) for cls in (AutoContrast, Equalization)]


class _Chain(RandomImageLayer, abstract=True):
    """Applies layers that are chosen in compiled code too. A transformation holds parameters for each of them."""

    def parameters(self, lengths, seed):
        """Parameters for each of the layers."""
        images = jnp.empty((*lengths, 3))
        return [layer.get_random_transformation(images, training=True, seed=seed) for layer in self.choices]

    def apply(self, index: Any, images: Array, parameters: Sequence) -> Array:
        """Applies the layer of this number, which may be known in compiled code only."""
        branches = [lambda x, layer=layer, p=p: layer.augment(x, p) for layer, p in zip(self.choices, parameters)]
        return jax.lax.switch(index, branches, images)


class RandAugment(_Chain):
    """Applies some layers of a fixed list, chosen at random for each batch.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs. From Cubuk et al., "RandAugment:
    Practical automated data augmentation with a reduced search space", 2019.

    >>> import numpy as np
    >>> RandAugment(num_ops=1, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    value_range: ValueRange = (0, 255)
    num_ops: int = field(lambda name, value: positive_int(name, value, 0), default=2, doc="Number of layers to apply.")
    factor: UnitFactor = field(default=0.5, doc="Strength of the layers: a range from 0 to 1, or its upper end.")
    interpolation: Interpolation = "bilinear"
    seed: Seed = field(default=None, after="interpolation")
    data_format: DataFormat = field(default=None, after="seed")

    def __post_init__(self):
        super().__post_init__()
        self.choices = _layers(self, with_mild=True)

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """The numbers of the layers to apply, and parameters for all layers at each step."""
        return {
            "layer_idxes": random.randint((self.num_ops,), 0, len(self.choices), seed=seed),
            "transforms": [self.parameters(lengths, seed) for _ in range(self.num_ops)],
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        for index, parameters in zip(transformation["layer_idxes"], transformation["transforms"]):
            images = self.apply(index, images, parameters)
        return jnp.clip(images, *self.value_range)

    def move_masks(self, masks: Array, transformation: dict) -> Array:
        """The masks after the layers that move pixels."""
        for index, parameters in zip(transformation["layer_idxes"], transformation["transforms"]):
            masks = self._follow_masks(index, masks, parameters)
        return masks

    def _follow_masks(self, index, masks, parameters):
        branches = [
            lambda x, layer=layer, p=p: x if layer.move_masks is None else layer.move_masks(x, p)
            for layer, p in zip(self.choices, parameters)
        ]
        return jax.lax.switch(index, branches, masks)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any, training: bool = True) -> dict:
        if not self.changes(transformation, training):
            return bounding_boxes
        for layer in self.choices:
            layer.bounding_box_format = self.bounding_box_format
        moved = {"boxes": jnp.asarray(bounding_boxes["boxes"], self.float_type()), "labels": bounding_boxes["labels"]}
        for index, parameters in zip(transformation["layer_idxes"], transformation["transforms"]):
            branches = [
                lambda x, layer=layer, p=p: layer.transform_bounding_boxes(x, p)
                for layer, p in zip(self.choices, parameters)
            ]
            moved = jax.lax.switch(index, branches, moved)
        return bounding_boxes | moved


class AugMix(_Chain):
    """Mixes images with copies of them that went through chains of random layers.

    The chains are the same for all images of a batch.

    Shapes: ``(batch, height, width, 3)`` or one image, and the same for the outputs. From Hendrycks et al., "AugMix: A
    Simple Data Processing Method to Improve Robustness and Uncertainty", 2019.

    >>> import numpy as np
    >>> AugMix(num_chains=1, chain_depth=1, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    value_range: ValueRange = (0, 255)
    num_chains: int = field(positive_int, default=3, doc="Number of chains.")
    chain_depth: int = field(positive_int, default=3, doc="Largest number of layers in a chain.")
    factor: UnitFactor = field(default=0.3, doc="Strength of the layers: a range from 0 to 1, or its upper end.")
    alpha: float = field(default=1.0, doc="Parameter of the Beta and Dirichlet distributions of the shares.")
    all_ops: bool = field(default=True, doc="Whether brightness, contrast, grey levels and sharpness change too.")
    interpolation: Interpolation = "bilinear"
    seed: Seed = field(default=None, after="interpolation")
    data_format: DataFormat = field(default=None, after="seed")

    def __post_init__(self):
        super().__post_init__()
        self.choices = _layers(self, with_mild=self.all_ops)

    def draw(self, lengths: tuple, seed: Any) -> dict:
        """The shares of the chains and of the images, and the layers of each chain with their parameters."""
        shape = self.num_chains, self.chain_depth
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        return {
            "chain_mixing_weights": weights / weights.sum(),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "chain_depths": random.randint(shape[:1], 1, self.chain_depth + 1, seed=seed),
            "layer_idxes": random.randint(shape, 0, len(self.choices), seed=seed),
            "transforms": [[self.parameters(lengths, seed) for _ in range(shape[1])] for _ in range(shape[0])],
        }

    def augment(self, images: Array, transformation: dict) -> Array:
        mixed = jnp.zeros_like(images)
        for chain, weight in enumerate(transformation["chain_mixing_weights"]):
            copy = images
            for step, parameters in enumerate(transformation["transforms"][chain]):
                after = self.apply(transformation["layer_idxes"][chain, step], copy, parameters)
                copy = jnp.where(step < transformation["chain_depths"][chain], after, copy)
            mixed = mixed + weight * copy
        share = transformation["weight_sample"]
        return jnp.clip(share * images + (1 - share) * mixed, *self.value_range)
