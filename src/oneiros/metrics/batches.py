"""The metrics that `compile` makes of functions. They are given means of batches instead of single values."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.config import behaviour
from ..losses.checks import check_result
from ..losses.traits import Traits, traits_of
from ..losses.weighting import mask_of, weighted_mean
from .base import Mean, Metric


class BatchMean(Mean, abstract=True):
    """The mean over all samples since the last reset, computed from the means of batches.

    Args:
        name: Name in the logs.
        fn: Function of (y_true, y_pred) for `update_state`. Without one, only `add` can be used.

    >>> loss = BatchMean("loss")
    >>> loss.add(1.0, 32)
    >>> loss.add(4.0, 16)
    >>> float(loss.result())
    2.0
    """

    def __init__(self, name: str, fn: Callable | None = None):
        super().__init__(name=name)
        self.fn = fn

    @property
    def traits(self) -> Traits | None:
        """The traits of the function."""
        return traits_of(self.fn)

    def update_state(self, y_true: Array, y_pred: Any = None, sample_weight: Any = None, rows: Any = None) -> None:
        """Adds a batch to the mean. Without a function, the first argument holds values, as for `Mean`.

        Args:
            y_true: Targets ``(N, ...)``.
            y_pred: Predictions ``(N, ...)``.
            sample_weight: Weights ``(N,)`` or ``(N, T)``.
            rows: Number of rows of data, if the batch was padded.
        """
        if self.fn is None:
            super().update_state(y_true, sample_weight if y_pred is None else y_pred)
            return
        values = check_result(self.fn(y_true, y_pred), self.fn, "metric")
        mask = mask_of(y_pred)
        if mask is not None and 1 < mask.ndim <= values.ndim and not behaviour.weights_normalized_by_count:
            # Steps that are masked have no weight: a batch counts as much as it has others.
            weights = 1 if sample_weight is None else jnp.asarray(sample_weight, values.dtype)
            sample_weight = mask * (jnp.expand_dims(weights, -1) if np.ndim(weights) == 1 else weights)
            mask = None
        value = weighted_mean(values, sample_weight, mask, rows)
        size = y_pred.shape[0] if rows is None else rows
        if sample_weight is not None and not behaviour.weights_normalized_by_count:
            weights = jnp.asarray(sample_weight, value.dtype)
            weight = weights.sum() / max(weights[0].size, 1)
            value, size = value / jnp.maximum(weight / size, 1e-7), weight
        self.add(value, size)

    def add(self, value: Any, size: Any) -> None:
        """Adds a mean over `size` samples."""
        self.total.assign_add(jnp.asarray(value, self.total.dtype) * size)
        self.count.assign_add(size)


class LastValue(Metric, abstract=True):
    """The last value of a Keras 2 metric that keeps its own state, such as a layer with a method `reset_states`.

    Args:
        name: Name in the logs.
        fn: Function of (y_true, y_pred) with a method `reset_states`.
    """

    def __init__(self, name: str, fn: Callable):
        super().__init__(name=name)
        self.fn = fn
        self.last = self.add_variable(name="last")

    def update_state(self, y_true: Array, y_pred: Array, sample_weight: Any = None) -> None:
        """Stores the value for this batch."""
        self.last.assign(jnp.asarray(self.fn(y_true, y_pred), self.last.dtype).mean())

    def result(self) -> Array:
        """The value for the last batch."""
        return self.last.value

    def reset_state(self) -> None:
        """Sets the value to 0, and resets the function's own state."""
        super().reset_state()
        self.fn.reset_states()
