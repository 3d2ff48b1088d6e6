"""Normalization by a mean and a variance that are known or learned from data."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core import epsilon
from ...core.errors import InputDataError
from ...core.fields import field
from ..base import Layer
from ..input_spec import InputSpec
from .batches import batches_of


def _axes(name, value):
    axes = () if value is None else tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(axis, (int, np.integer)) for axis in axes):
        raise InputDataError(f"{name}: expected a whole number, several of them, or None. Received: {name}={value!r}")
    return axes


def _plain(name, value):
    return value.tolist() if isinstance(value, (np.ndarray, np.generic, Array)) else value


class Normalization(Layer):
    """Subtracts a mean and divides by the square root of a variance: ``(inputs - mean) / sqrt(variance)``.

    The statistics are given, or computed by `adapt` from data, before the model is trained.

    Shapes: any, and the same for the outputs. The statistics have the shape of the axes that are kept.

    >>> import numpy as np
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[3.0, 20.0]])).tolist()
    [[1.0, 0.0]]
    """

    axis: Any = field(
        _axes, default=-1, doc="Axis or axes that keep statistics of their own. `None`: one mean and one variance."
    )
    _mean: Any = field(_plain, default=None, alias="mean", doc="Known mean. `variance` must be given with it.")
    _variance: Any = field(_plain, default=None, alias="variance", doc="Known variance.")
    invert: bool = field(default=False, doc="Whether to undo the normalization instead.")

    supports_masking = True

    def __post_init__(self):
        super().__post_init__()
        if (self._mean is None) != (self._variance is None):
            raise ValueError(
                "Normalization: expected both mean and variance, or neither of them. Received: "
                f"mean={self._mean!r} and variance={self._variance!r}"
            )
        self.mean = self.variance = self.count = None

    def build(self, input_shape: tuple) -> None:
        ndim = len(input_shape)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(
                f"Layer {self.name} (Normalization): axis: expected numbers from {-ndim} to {ndim - 1} for inputs of "
                f"shape {input_shape}. Received: axis={self.axis}"
            )
        self._kept = tuple(sorted(axis % ndim for axis in self.axis))
        shape = tuple(input_shape[axis] for axis in self._kept)
        if None in shape:
            raise ValueError(
                f"Layer {self.name} (Normalization): the axes {self.axis} of the inputs must have a known length. "
                f"Received inputs of shape {input_shape}."
            )
        if shape:
            self.input_spec = InputSpec(ndim=ndim, axes=dict(zip(self._kept, shape)))
        if self._mean is not None:
            self.mean, self.variance = (
                jnp.broadcast_to(jnp.asarray(v, self.compute_dtype), shape) for v in (self._mean, self._variance)
            )
            return
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.variance = self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
        self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)

    @property
    def is_adapted(self) -> bool:
        """Whether the statistics are given, or there are weights for them."""
        return self.knows_statistics or self.built

    @property
    def knows_statistics(self) -> bool:
        """Whether the statistics were given to the layer."""
        return self._mean is not None

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Computes the mean and the variance of data. What was computed before is forgotten.

        Args:
            data: An array, a data set or an iterable of batches. Batches may be of different length.
            batch_size: Accepted as in tf.keras; the result does not depend on it.
            steps: Number of batches to use; `None` for all.

        Raises:
            ValueError: If `mean` and `variance` were given to the layer.
        """
        if self._mean is not None:
            raise ValueError(
                f"Layer {self.name} (Normalization): it cannot adapt, because mean and variance are given."
            )
        count, mean, squares = 0, 0.0, 0.0
        for batch in batches_of(data, steps):
            if not self.built:
                kept = {axis % batch.ndim for axis in self.axis}
                self.build(tuple(n if axis in kept else None for axis, n in enumerate(batch.shape)))
                self.built = True
            axes = tuple(axis for axis in range(batch.ndim) if axis not in self._kept)
            size = int(np.prod([batch.shape[axis] for axis in axes]))
            if not size:
                continue
            values = batch.astype("float64")
            of_batch = values.mean(axes)
            # Chan et al. 1979: means and sums of squared deviations of two parts make those of the whole.
            shift = of_batch - mean
            squares = squares + values.var(axes) * size + shift**2 * (count * size / (count + size))
            mean = mean + shift * (size / (count + size))
            count += size
        self.mean.assign(mean)
        self.variance.assign(squares / count)

    def reset_state(self) -> None:
        """Forgets the statistics: mean 0 and variance 1."""
        if self.count is not None:
            self.mean.assign(jnp.zeros(self.mean.shape))
            self.variance.assign(jnp.ones(self.variance.shape))

    def call(self, inputs: Array) -> Array:
        inputs = jnp.asarray(inputs, self.compute_dtype)
        shape = [n if axis in self._kept else 1 for axis, n in enumerate(inputs.shape)]
        mean, variance = (
            jnp.reshape(jnp.asarray(v), shape).astype(self.compute_dtype) for v in (self.mean, self.variance)
        )
        scale = jnp.maximum(jnp.sqrt(variance), epsilon())
        return mean + inputs * scale if self.invert else (inputs - mean) / scale
