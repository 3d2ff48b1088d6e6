"""Metrics from the counts of true and false positives and negatives, at one threshold or several."""

import typing
from functools import partial
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .. import core
from ..core.errors import InputDataError
from ..core.fields import Argument, field
from ..losses.traits import Traits
from ..losses.weighting import align, mask_of, safe_divide, weight_like
from ..ops.table import Tensor, as_float, tensor
from .base import NamedMetric

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
_LEAST = -1e10  # below every prediction


def _decisions(y_true, y_pred, sample_weight, class_id, top_k, label_weights=None):
    """Aligned labels, predictions and weights, all of one shape."""
    mask = mask_of(y_pred)
    y_true, y_pred = align(tensor(y_true), as_float(y_pred))
    if y_true.shape != y_pred.shape:
        raise InputDataError(
            f"Labels and predictions must have the same shape. Received: {y_true.shape} and {y_pred.shape}. For class "
            "numbers as labels, encode them one-hot first."
        )
    weight = jnp.ones(y_pred.shape, y_pred.dtype)
    for factor in (sample_weight, mask):
        if factor is not None:
            weight = weight * weight_like(factor, y_pred)
    if label_weights is not None:
        weight = weight * jnp.asarray(label_weights, y_pred.dtype)
    if top_k is not None:
        places = jax.lax.top_k(y_pred, top_k)[1]  # of equal predictions, the first ones
        chosen = jnp.any(places[..., None] == jnp.arange(y_pred.shape[-1]), -2)
        y_pred = jnp.where(chosen, y_pred, _LEAST)
    if class_id is not None:
        if y_pred.ndim < 2:
            raise InputDataError(
                f"class_id={class_id} needs predictions of shape (samples, classes). Received: {y_pred.shape}"
            )
        y_true, y_pred, weight = (x[..., class_id] for x in (y_true, y_pred, weight))
    return y_true.astype(bool), y_pred, weight


@partial(jax.jit, static_argnums=(3, 4))
def confusion_counts(
    y_true: Array, y_pred: Array, weight: Array, thresholds: tuple[float, ...], by_label: bool = False
) -> tuple[Array, ...]:
    """The true positives, false positives, true negatives and false negatives at each threshold.

    Each prediction lies between two thresholds. Counting predictions between thresholds serves all thresholds at once.

    Args:
        y_true: Booleans ``(N, ...)``.
        y_pred: Predictions of the same shape.
        weight: Weights of the same shape, which are summed up.
        thresholds: Thresholds, in any order.
        by_label: Whether the last axis of the data is kept as the last axis of the result.

    Returns:
        Four arrays ``(thresholds,)``, or ``(thresholds, labels)``.
    """
    labels = y_true.shape[-1] if by_label else 1
    order = np.argsort(thresholds)
    place = jnp.searchsorted(jnp.asarray(np.asarray(thresholds)[order], y_pred.dtype), y_pred.ravel())
    column = jnp.arange(y_pred.size) % labels
    index = (place * 2 + y_true.ravel()) * labels + column
    counts = jax.ops.segment_sum(weight.ravel(), index, (len(thresholds) + 1) * 2 * labels)
    counts = counts.reshape(-1, 2, labels)
    below = jnp.cumsum(counts, 0)[:-1]  # predictions not above the threshold
    above = jnp.sum(counts, 0) - below
    back = np.argsort(order)
    parts = (above[back, 1], above[back, 0], below[back, 0], below[back, 1])
    return parts if by_label else tuple(part[:, 0] for part in parts)


def _threshold_list(thresholds, default=0.5):
    if thresholds is None:
        thresholds = default
    values = [float(t) for t in (thresholds if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds])]
    if any(not (0 <= t <= 1) and t != _LEAST for t in values):
        raise ValueError(f"Thresholds must lie between 0 and 1. Received: thresholds={thresholds!r}")
    return tuple(values)


class _Counting(NamedMetric):
    """Keeps some of the four counts at given thresholds."""

    kept = ()
    traits = Traits(by_row=True)
    top_k = class_id = None
    default_threshold = 0.5

    def __post_init__(self):
        super().__post_init__()
        self._threshold_values = self.threshold_values()
        for count in self.kept:
            setattr(self, count, self.add_variable((len(self._threshold_values),), name=count))

    def threshold_values(self):
        return _threshold_list(self.thresholds, self.default_threshold)

    def update_state(self, y_true, y_pred, sample_weight=None):
        decisions = _decisions(y_true, y_pred, sample_weight, self.class_id, self.top_k)
        counts = dict(zip(COUNTS, confusion_counts(*decisions, self._threshold_values)))
        for count in self.kept:
            getattr(self, count).assign_add(counts[count])

    def _plain(self, result):
        return result[0] if len(self._threshold_values) == 1 else result


Thresholds = Annotated[
    typing.Any, Argument(doc="Threshold above which a prediction is positive, or a list of several. `None` means 0.5.")
]


class _OneCount(_Counting):
    """One of the four counts."""

    traits = Traits(by_row=True)
    thresholds: Thresholds = field(default=None, first=True)

    def __post_init__(self):
        super().__post_init__()
        self.accumulator = self.add_variable((len(self._threshold_values),), name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        counts = confusion_counts(*_decisions(y_true, y_pred, sample_weight, None, None), self._threshold_values)
        self.accumulator.assign_add(counts[COUNTS.index(self.count)])

    def result(self):
        return self._plain(self.accumulator.raw)


class TruePositives(_OneCount):
    """The weighted number of true positives, at one threshold or several.

    >>> round(float(TruePositives()([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    count = "true_positives"


class FalsePositives(_OneCount):
    """The weighted number of false positives, at one threshold or several.

    >>> round(float(FalsePositives()([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    count = "false_positives"


class TrueNegatives(_OneCount):
    """The weighted number of true negatives, at one threshold or several.

    >>> round(float(TrueNegatives()([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    count = "true_negatives"


class FalseNegatives(_OneCount):
    """The weighted number of false negatives, at one threshold or several.

    >>> round(float(FalseNegatives()([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    count = "false_negatives"


class _Ratio(_Counting):
    """True positives divided by the sum of two counts."""

    traits = Traits(by_row=True)
    thresholds: Thresholds = field(default=None, first=True)
    top_k: int = field(default=None, first=True, doc="If given, only the `top_k` largest predictions are positive.")
    class_id: int = field(default=None, first=True, doc="If given, the only class that is counted.")

    default_threshold = property(lambda self: 0.5 if self.top_k is None else _LEAST)

    def result(self):
        right, wrong = (getattr(self, count).raw for count in self.kept)
        return self._plain(safe_divide(right, right + wrong))


class Precision(_Ratio):
    """The share of positive predictions that are correct: ``tp / (tp + fp)``.

    >>> round(float(Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0])), 3)
    0.667
    """

    kept = ("true_positives", "false_positives")


class Recall(_Ratio):
    """The share of positive labels that are found: ``tp / (tp + fn)``.

    >>> round(float(Recall()([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    0.5
    """

    kept = ("true_positives", "false_negatives")


def _even_thresholds(number):
    if number == 1:
        return [0.5]
    return [0.0, *((i + 1) / (number - 1) for i in range(number - 2)), 1.0]


class _At(_Counting):
    """The largest rate `wanted` among the thresholds at which the rate `given` is at least a value."""

    traits = Traits(by_row=True)
    kept = COUNTS
    wanted = given = argument = None

    num_thresholds: int = field(default=200, first=True, doc="Number of evenly spaced thresholds.")
    class_id: int = field(default=None, first=True, doc="If given, the only class that is counted.")

    thresholds = None

    def threshold_values(self):
        self._value = getattr(self, self.argument)
        if not 0 <= self._value <= 1:
            raise ValueError(f"{type(self).__name__}: the rate must be from 0 to 1. Received: {self._value!r}")
        if self.num_thresholds <= 0:
            raise ValueError(
                f"{type(self).__name__}: num_thresholds must be positive. Received: {self.num_thresholds!r}"
            )
        return _threshold_list(_even_thresholds(self.num_thresholds))

    def result(self):
        tp, fp, tn, fn = (getattr(self, count).raw for count in COUNTS)
        rates = {
            "precision": safe_divide(tp, tp + fp),
            "recall": safe_divide(tp, tp + fn),
            "specificity": safe_divide(tn, tn + fp),
        }
        return jnp.max(jnp.where(rates[self.given] >= self._value, rates[self.wanted], 0))


class PrecisionAtRecall(_At):
    """The largest precision among the thresholds at which the recall is at least the given one.

    >>> round(float(PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    wanted, given, argument = "precision", "recall", "recall"

    recall: float = field(first=True, doc="The least recall, from 0 to 1.")


class RecallAtPrecision(_At):
    """The largest recall among the thresholds at which the precision is at least the given one.

    >>> round(float(RecallAtPrecision(0.5)([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    wanted, given, argument = "recall", "precision", "precision"

    precision: float = field(first=True, doc="The least precision, from 0 to 1.")


class SensitivityAtSpecificity(_At):
    """The largest sensitivity (recall) among the thresholds at which the specificity is at least the given one.

    >>> round(float(SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    wanted, given, argument = "recall", "specificity", "specificity"

    specificity: float = field(first=True, doc="The least specificity, from 0 to 1.")


class SpecificityAtSensitivity(_At):
    """The largest specificity among the thresholds at which the sensitivity (recall) is at least the given one.

    >>> round(float(SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
    1.0
    """

    wanted, given, argument = "specificity", "recall", "sensitivity"

    sensitivity: float = field(first=True, doc="The least sensitivity, from 0 to 1.")


def _choice(argument, value, allowed):
    if str(value).upper() not in allowed:
        raise ValueError(f"AUC: {argument} must be one of {list(allowed.values())}. Received: {value!r}")
    return allowed[str(value).upper()]


def _curve(name, value):
    return _choice(name, value, {curve: curve for curve in ("ROC", "PR", "PRGAIN")})


def _method(name, value):
    return _choice(name, value, {method.upper(): method for method in ("interpolation", "minoring", "majoring")})


class AUC(NamedMetric):
    """The area under a curve of two rates over all thresholds, by a Riemann sum.

    The area under the precision-recall curve is interpolated as Davis & Goadrich (2006) do.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    traits = Traits(by_row=True)
    num_thresholds: int = field(default=200, first=True, doc="Number of thresholds.")
    curve: str = field(
        _curve,
        default="ROC",
        first=True,
        doc='`"ROC"` (Fawcett 2006), `"PR"` (Davis & Goadrich 2006) or `"PRGAIN"` (Flach & Kull 2015).',
    )
    summation_method: str = field(
        _method,
        default="interpolation",
        first=True,
        doc='Height of each strip: the mean of its two ends (`"interpolation"`), the smaller (`"minoring"`) or the '
        'larger of them (`"majoring"`).',
    )
    _thresholds: list = field(
        default=None, alias="thresholds", doc="Thresholds, instead of `num_thresholds` evenly spaced ones."
    )
    multi_label: bool = field(default=False, doc="Whether to average the areas of the labels instead of pooling them.")
    num_labels: int = field(default=None, doc="Number of labels with `multi_label`. `None` takes it from the data.")
    label_weights: list = field(default=None, doc="Weight of each label.")
    from_logits: bool = field(default=False, doc="Whether predictions are logits instead of probabilities.")

    def __post_init__(self):
        super().__post_init__()
        if self._thresholds is not None:
            self._thresholds = inner = sorted(_threshold_list(self._thresholds))
            self.num_thresholds = len(inner) + 2
        else:
            if self.num_thresholds <= 1:
                raise ValueError(
                    f"AUC: num_thresholds must be above 1. Received: num_thresholds={self.num_thresholds!r}"
                )
            inner = _even_thresholds(self.num_thresholds)[1:-1]
        self._threshold_values = (-core.epsilon(), *inner, 1 + core.epsilon())
        if not self.multi_label:
            self._build(())
        elif self.num_labels:
            self._build((self.num_labels,))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, with one below all probabilities and one above them."""
        return list(self._threshold_values)

    def _build(self, labels):
        for count in COUNTS:
            setattr(self, count, self.add_variable((self.num_thresholds, *labels), name=count))

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the counts.

        Args:
            y_true: Labels 0 and 1, ``(N,)``, ``(N, 1)`` or ``(N, labels)``.
            y_pred: Predicted probabilities, or logits, of the same shape.
            sample_weight: Weights ``(N,)`` or of the shape of the labels.
        """
        if self.from_logits:
            y_pred = jax.nn.sigmoid(as_float(y_pred))
        label_weights = None if self.multi_label else self.label_weights
        decisions = _decisions(y_true, y_pred, sample_weight, None, None, label_weights)
        if self.multi_label and not self._weights:
            self._build((decisions[0].shape[-1],))
        counts = confusion_counts(*decisions, self._threshold_values, self.multi_label)
        for name, count in zip(COUNTS, counts):
            getattr(self, name).assign_add(count)

    def result(self) -> Array:
        """The area so far."""
        tp, fp, tn, fn = (getattr(self, count).raw for count in COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._over_labels(_interpolated_pr(tp, fp, fn))
        recall = safe_divide(tp, tp + fn)
        if self.curve == "ROC":
            x, y = safe_divide(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, safe_divide(tp, tp + fp)
        else:
            odds = safe_divide(tp + fn, fp + tn)
            x = jnp.where(tp == 0, 0, jnp.maximum(1 - odds * safe_divide(fn, tp), 0))
            y = jnp.where((tp == 0) & (fp > 0), 0, 1 - odds * safe_divide(fp, tp))
        height = {"minoring": jnp.minimum, "majoring": jnp.maximum, "interpolation": lambda a, b: (a + b) / 2}
        heights = height[self.summation_method](y[:-1], y[1:])
        return self._over_labels(jnp.sum((x[:-1] - x[1:]) * heights, 0))

    def _over_labels(self, area):
        if not self.multi_label:
            return area
        weights = jnp.ones_like(area) if self.label_weights is None else jnp.asarray(self.label_weights, area.dtype)
        return safe_divide(jnp.sum(area * weights), jnp.sum(weights))


def _interpolated_pr(tp, fp, fn):
    """The area under the precision-recall curve, interpolated between thresholds in counts, not in rates.

    Between two thresholds, true positives are a linear function of positives: ``tp = slope * p + intercept``. Negative
    weights can make denominators negative; those count as 0.
    """
    positive = tp + fp
    d_tp, d_positive = tp[:-1] - tp[1:], positive[:-1] - positive[1:]
    slope = safe_divide(d_tp, jnp.maximum(d_positive, 0))
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    ratio = jnp.where(both, positive[:-1] / jnp.where(both, positive[1:], 1), 1)
    return jnp.sum(safe_divide(slope * (d_tp + intercept * jnp.log(ratio)), jnp.maximum(tp[1:] + fn[1:], 0)), 0)


class FBetaScore(NamedMetric):
    """The weighted harmonic mean of precision and recall: ``(1 + beta²) * p * r / (beta² * p + r)``.

    >>> score = FBetaScore(beta=2.0)([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]])
    >>> [round(float(s), 3) for s in score]
    [0.833, 0.0]
    """

    traits = Traits(by_row=True)
    average: str = field(
        default=None, first=True, doc='`"micro"`, `"macro"`, `"weighted"`, or `None` for a score for each class.'
    )
    beta: float = field(default=1.0, first=True, doc="How many times as much recall weighs as precision.")
    threshold: float = field(
        default=None, first=True, doc="Predictions above it are positive. `None`: the largest one of each sample is."
    )
    name: str = "fbeta_score"

    def __post_init__(self):
        super().__post_init__()
        if self.average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"average must be None, 'micro', 'macro' or 'weighted'. Received: average={self.average!r}"
            )
        if not isinstance(self.beta, float) or self.beta <= 0:
            raise ValueError(f"beta must be a positive float. Received: beta={self.beta!r}")
        if self.threshold is not None and not (isinstance(self.threshold, float) and 0 < self.threshold <= 1):
            raise ValueError(
                f"threshold must be a float above 0 and not above 1. Received: threshold={self.threshold!r}"
            )
        self.axis = None if self.average == "micro" else 0

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the counts.

        Args:
            y_true: One-hot or multi-hot labels ``(N, classes)``.
            y_pred: Predictions of the same shape.
            sample_weight: Weights ``(N,)``.

        Raises:
            InputDataError: If the shapes differ or do not have two axes.
        """
        y_true, y_pred = as_float(y_true), as_float(y_pred)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise InputDataError(
                f"{type(self).__name__}: labels and predictions must have one shape (examples, classes). Received: "
                f"{y_true.shape} and {y_pred.shape}."
            )
        if not self._weights:
            shape = () if self.average == "micro" else (y_pred.shape[1],)
            for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
                setattr(self, name, self.add_variable(shape, name=name))
        if self.threshold is None:
            largest = jnp.max(y_pred, -1, keepdims=True)
            y_pred = (y_pred >= largest) & (jnp.abs(y_pred) > 1e-9)
        else:
            y_pred = y_pred > self.threshold
        weight = 1 if sample_weight is None else weight_like(sample_weight, y_true)
        y_true, y_pred = y_true.astype(self.dtype), y_pred.astype(self.dtype)
        parts = (y_pred * y_true, y_pred * (1 - y_true), (1 - y_pred) * y_true, y_true)
        for variable, part in zip(self._weights, parts):
            variable.assign_add(jnp.sum(part * weight, self.axis))

    def result(self) -> Array:
        """The score so far: a scalar, or ``(classes,)`` if `average` is `None`."""
        if not self._weights:
            raise ValueError(f"{type(self).__name__} has no result yet: call update_state first.")
        tp, fp, fn, support = (v.raw for v in self._weights)
        precision, recall = safe_divide(tp, tp + fp), safe_divide(tp, tp + fn)
        square = self.beta**2
        score = safe_divide((1 + square) * precision * recall, square * precision + recall)
        if self.average == "weighted":
            return jnp.sum(score * safe_divide(support, jnp.sum(support)))
        return score if self.average is None else jnp.mean(score)


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    >>> F1Score(average="micro")([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]]).round(3).tolist()
    0.5
    """

    name: str = "f1_score"

    beta = 1.0
