"""Metrics of regression."""

import typing

import jax.numpy as jnp
from jax import Array

from ..core.errors import InputDataError
from ..core.fields import field
from ..losses.traits import Traits
from ..losses.weighting import align, mask_of, safe_divide, weight_like
from ..ops.table import Tensor, as_float
from .base import Mean, NamedMetric


class MeanRelativeError(Mean):
    """The mean of ``|y_true - y_pred| / normalizer``; 0 where the normalizer is 0.

    >>> round(float(MeanRelativeError(normalizer=[2.0, 4.0])([2.0, 4.0], [1.0, 4.0])), 3)
    0.25
    """

    normalizer: typing.Any = field(first=True, doc="Number or array by which errors are divided.")
    traits = Traits()
    name: str = None

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the mean."""
        y_true, y_pred = as_float(y_true), as_float(y_pred)
        error = safe_divide(jnp.abs(y_true - y_pred), jnp.broadcast_to(jnp.asarray(self.normalizer), y_pred.shape))
        self._add(error, sample_weight, mask_of(y_pred))


class RootMeanSquaredError(Mean):
    """The square root of the mean of all squared errors.

    >>> round(float(RootMeanSquaredError()([1.0, 2.0], [1.0, 4.0])), 3)
    1.414
    """

    traits = Traits()
    name: str = "root_mean_squared_error"

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the mean of squares."""
        mask = mask_of(y_pred)
        y_true, y_pred = align(as_float(y_true), as_float(y_pred))
        self._add(jnp.square(y_pred - y_true), sample_weight, mask)

    def result(self) -> Array:
        """The root of the mean so far."""
        return jnp.sqrt(super().result())


class R2Score(NamedMetric):
    """The coefficient of determination: 1 minus the squared errors divided by those of predicting the mean.

    >>> round(float(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]])), 3)
    0.5
    """

    class_aggregation: str = field(
        default="uniform_average",
        first=True,
        doc='How scores of several outputs are averaged: `"uniform_average"`, `"variance_weighted_average"`, or `None` '
        "for one score per output.",
    )
    num_regressors: int = field(
        default=0, first=True, doc="If not 0, the score is adjusted for this number of independent variables."
    )
    traits = Traits(by_row=True)
    name: str = "r2_score"

    def __post_init__(self):
        super().__post_init__()
        if self.class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                f"R2Score: unknown class_aggregation. Received: class_aggregation={self.class_aggregation!r}"
            )
        if self.num_regressors < 0:
            raise ValueError(
                f"R2Score: num_regressors must be at least 0. Received: num_regressors={self.num_regressors}"
            )
        self.num_samples = self.add_variable(dtype="int32", name="num_samples")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the sums.

        Args:
            y_true: Targets ``(N, outputs)``.
            y_pred: Predictions of the same shape.
            sample_weight: Weights ``(N,)``.

        Raises:
            InputDataError: If the shapes differ or do not have two axes.
        """
        y_true, y_pred = as_float(y_true), as_float(y_pred)
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise InputDataError(
                f"R2Score: targets and predictions must have one shape (examples, outputs). Received: {y_true.shape} "
                f"and {y_pred.shape}."
            )
        if len(self._weights) == 1:
            for name in ("squared_sum", "sum", "total_mse", "count"):
                setattr(self, name, self.add_variable((y_pred.shape[1],), name=name))
        weight = jnp.ones_like(y_true)
        if sample_weight is not None:
            weight = weight * weight_like(sample_weight, y_true)
        self.squared_sum.assign_add(jnp.sum(weight * y_true**2, 0))
        self.sum.assign_add(jnp.sum(weight * y_true, 0))
        self.total_mse.assign_add(jnp.sum(weight * (y_true - y_pred) ** 2, 0))
        self.count.assign_add(jnp.sum(weight, 0))
        self.num_samples.assign_add(y_true.size)  # as Keras counts, all outputs

    def result(self) -> Array:
        """The score so far: a scalar, or ``(outputs,)`` if `class_aggregation` is `None`."""
        if len(self._weights) == 1:
            raise ValueError("R2Score has no result yet: call update_state first.")
        mean = safe_divide(self.sum.raw, self.count.raw)
        total = self.squared_sum.raw - self.sum.raw * mean
        # The score of constant targets is 0, unless all predictions are right.
        score = jnp.where((total == 0) & (self.total_mse.raw > 0), 0.0, 1 - safe_divide(self.total_mse.raw, total))
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = safe_divide(jnp.sum(total * score), jnp.sum(total))
        if self.num_regressors:
            n = self.num_samples.raw.astype(score.dtype)
            score = 1 - (1 - score) * (n - 1) / (n - self.num_regressors - 1)
        return score
