"""Layers that spread the values of images over the whole range. They are not random."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ...core.checks import positive_int
from ...core.fields import field
from ..arguments import DataFormat
from .base import ImageLayer, ValueRange, from_bytes, to_bytes


class AutoContrast(ImageLayer):
    """Stretches the values of each channel of each image over the whole range.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> AutoContrast()(np.array([10.0, 20.0, 30.0]).reshape(1, 3, 1)).ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    in_inference = True

    value_range: ValueRange = (0, 255)

    def augment(self, images: Array, transformation: Any) -> Array:
        images = to_bytes(images, self.value_range)
        low, high = images.min((1, 2), keepdims=True), images.max((1, 2), keepdims=True)
        stretched = (images - low) * (255 / jnp.where(high > low, high - low, 1))
        return from_bytes(jnp.clip(jnp.where(high > low, stretched, images), 0, 255), self.value_range)


class Equalization(ImageLayer):
    """Makes all values of each channel of each image about equally frequent.

    Keras 3 counts the values over all images of a batch; here, what an image becomes does not depend on the others.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs.

    >>> import numpy as np
    >>> Equalization()(np.array([10.0, 20.0, 20.0, 30.0]).reshape(1, 4, 1)).ravel().tolist()
    [0.0, 170.0, 170.0, 255.0]
    """

    in_inference = True

    value_range: ValueRange = (0, 255)
    bins: int = field(positive_int, default=256, doc="Number of levels that are told apart.")
    data_format: DataFormat = field(default=None, after="bins")

    def augment(self, images: Array, transformation: Any) -> Array:
        levels = to_bytes(images, self.value_range)
        batch, height, width, channels = levels.shape
        planes = jnp.moveaxis(levels, -1, 1).reshape(batch * channels, height * width)
        planes = jax.vmap(self._equalize)(planes).reshape(batch, channels, height, width)
        return from_bytes(jnp.moveaxis(planes, 1, -1), self.value_range)

    def _equalize(self, plane):
        """One channel of one image, as a vector of values from 0 to 255."""
        places = (jnp.clip(plane, 0, 255) * ((self.bins - 1) / 255)).astype(jnp.int32)
        below = jnp.cumsum(_histogram(places, self.bins))  # how many pixels are at or below each level
        least = below[jnp.min(places)]
        rest = plane.size - least
        table = jnp.round((below - least) * (255 / jnp.where(rest > 0, rest, 1)))
        return jnp.where(rest > 0, table[places].astype(plane.dtype), plane)


def _histogram(places, bins):
    """How many of the integers ``(n,)`` from 0 to ``bins - 1`` are equal to each."""
    return jnp.zeros(bins, jnp.int32).at[places].add(1)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalizes images tile by tile, but no level becomes much stronger than the others.

    Shapes: ``(batch, height, width, channels)`` or one image, and the same for the outputs. From Zuiderveld, "Contrast
    Limited Adaptive Histogram Equalization", 1994.

    >>> import numpy as np
    >>> layer = ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    >>> layer(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    in_inference = True
    keeps_type = True

    value_range: ValueRange = (0, 255)
    clip_limit: float = field(default=4.0, doc="How often a level counts at most, in multiples of the mean.")
    tile_grid_size: tuple = field(default=(8, 8), doc="Number of tiles: (rows, columns).")
    data_format: DataFormat = field(default=None, after="tile_grid_size")

    def augment(self, images: Array, transformation: Any) -> Array:
        levels = jnp.clip(to_bytes(images, self.value_range), 0, 255)
        batch, height, width, channels = levels.shape
        planes = jnp.moveaxis(levels, -1, 1).reshape(batch * channels, height, width)
        planes = jax.vmap(self._equalize)(planes).reshape(batch, channels, height, width)
        return from_bytes(jnp.moveaxis(planes, 1, -1), self.value_range)

    def _equalize(self, plane):
        """One channel of one image, with values from 0 to 255."""
        rows, columns = self.tile_grid_size
        height, width = plane.shape
        tall, wide = -(-height // rows), -(-width // columns)
        padded = jnp.pad(plane, ((0, tall * rows - height), (0, wide * columns - width)), "reflect")
        tiles = padded.reshape(rows, tall, columns, wide).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
        tables = jax.vmap(self._table)(tiles.astype(jnp.int32)).reshape(rows, columns, 256)
        places = plane.astype(jnp.int32)
        (up, down, v), (left, right, h) = _between(height, tall, rows), _between(width, wide, columns)
        v, h = v[:, None], h[None]

        def read(row, column):
            return tables[row[:, None], column[None], places]

        upper = (1 - h) * read(up, left) + h * read(up, right)
        lower = (1 - h) * read(down, left) + h * read(down, right)
        return (1 - v) * upper + v * lower

    def _table(self, tile):
        """The new values of the 256 levels of a tile."""
        counts = _histogram(tile, 256)
        limit = max(1, int(self.clip_limit * tile.size / 256)) if self.clip_limit > 0 else tile.size
        excess = jnp.maximum(counts - limit, 0).sum()
        counts = jnp.minimum(counts, limit) + excess / 256
        below = jnp.cumsum(counts)
        least = jnp.min(jnp.where(below > 0, below, tile.size))
        return jnp.clip((below - least) * (255 / jnp.maximum(tile.size - least, 1)), 0, 255)


def _between(length, tile, count):
    """For each pixel along an axis: the tiles before and behind it, and how near it is to the one behind."""
    place = (jnp.arange(length) + 0.5) / tile - 0.5
    before = jnp.floor(place)
    share = place - before
    before = before.astype(jnp.int32)
    return jnp.clip(before, 0, count - 1), jnp.clip(before + 1, 0, count - 1), share
