"""A layer for bounding boxes alone."""

from typing import Any

import jax.numpy as jnp

from ...core.fields import field
from ..arguments import PositiveInt
from .base import BaseImagePreprocessingLayer


class MaxNumBoundingBoxes(BaseImagePreprocessingLayer):
    """Gives all images the same number of bounding boxes: further ones are cut off, missing ones filled in.

    Shapes: boxes ``(batch, n, 4)`` and labels ``(batch, n)`` become ``(batch, max_number, 4)`` and ``(batch,
    max_number)``. Images stay as they are.

    >>> import numpy as np
    >>> boxes = {"boxes": np.ones((1, 1, 4)), "labels": np.ones((1, 1))}
    >>> layer = MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    >>> layer({"images": np.ones((1, 2, 2, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"].tolist()
    [[1.0, -1.0]]
    """

    max_number: PositiveInt = field(first=True, doc="Number of boxes of each image.")
    fill_value: float = field(default=-1, doc="What boxes and labels that are filled in consist of.")

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any, training: bool = True) -> dict:
        return {name: self._fill(jnp.asarray(bounding_boxes[name]), axis) for name, axis in _AXES.items()}

    def _fill(self, x, axis):
        x = jnp.take(x, jnp.arange(min(self.max_number, x.shape[axis])), axis)
        missing = [(0, 0)] * x.ndim
        missing[axis] = (0, self.max_number - x.shape[axis])
        return jnp.pad(x, missing, constant_values=self.fill_value)


_AXES = {"boxes": -2, "labels": -1}
