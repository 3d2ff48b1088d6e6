"""The metrics that `compile` makes of functions: they are told about batches, not about single values."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from ..core.config import behaviour
from ..losses.checks import check_result
from ..losses.traits import traits_of
from ..losses.weighting import mask_of, weighted_mean
from .base import Mean, Metric


class BatchMean(Mean, abstract=True):
    """The mean over all samples since the last reset, given the mean of each batch.

    Args:
        name: name in the logs.
        fn: function of (y_true, y_pred) for `update_state`. Without one, only `add` can be used.

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
    def traits(self):
        return traits_of(self.fn)

    def update_state(self, y_true: Array, y_pred: Array, sample_weight=None, rows=None):
        """Takes a batch in. rows: the number of true rows, if the batch was filled up."""
        values = check_result(self.fn(y_true, y_pred), self.fn, "metric")
        value = weighted_mean(values, sample_weight, mask_of(y_pred), rows)
        size = y_pred.shape[0] if rows is None else rows
        if sample_weight is not None and not behaviour.weights_normalized_by_count:
            weights = jnp.asarray(sample_weight, value.dtype)
            weight = weights.sum() / max(weights[0].size, 1)
            value, size = value / jnp.maximum(weight / size, 1e-7), weight
        self.add(value, size)

    def add(self, value, size):
        """Takes in a mean over `size` samples."""
        self.total.assign_add(jnp.asarray(value, self.total.dtype) * size)
        self.count.assign_add(size)


class LastValue(Metric, abstract=True):
    """The last value of a Keras 2 metric that keeps its own state, as a layer with `reset_states` may.

    Args:
        name: name in the logs.
        fn: function of (y_true, y_pred) with a method `reset_states`.
    """

    def __init__(self, name: str, fn: Callable):
        super().__init__(name=name)
        self.fn = fn
        self.last = self.add_variable(name="last")

    def update_state(self, y_true: Array, y_pred: Array, sample_weight=None):
        self.last.assign(jnp.asarray(self.fn(y_true, y_pred), self.last.dtype).mean())

    def result(self):
        return self.last.value

    def reset_state(self):
        super().reset_state()
        self.fn.reset_states()
