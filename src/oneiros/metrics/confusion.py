"""Metrics from counts of right and wrong decisions at one or many thresholds."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import core
from ..core.errors import InputDataError
from ..losses.classes import weight_like
from ..losses.functions import align
from ..ops.table import as_float, tensor
from .base import Metric, safe_divide

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
_LEAST = -1e10  # below every prediction


def _decisions(y_true, y_pred, sample_weight, class_id, top_k, label_weights=None):
    """Aligned labels, predictions and weights, of one shape."""
    mask = core.get_mask(y_pred) if isinstance(y_pred, jax.Array) else None
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
        kth = jax.lax.top_k(y_pred, top_k)[0][..., -1:]
        y_pred = jnp.where(y_pred >= kth, y_pred, _LEAST)
    if class_id is not None:
        y_true, y_pred, weight = (x[..., class_id] for x in (y_true, y_pred, weight))
    return y_true.astype(bool), y_pred, weight


@partial(jax.jit, static_argnums=(3, 4))
def confusion_counts(y_true, y_pred, weight, thresholds, by_label=False):
    """The weights of true and false positives and negatives at each threshold: four arrays ``(thresholds,)``.

    Each prediction falls between two thresholds; counting those places serves all thresholds at once.
    by_label: the last axis of the data is kept, as the last axis of the result.
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


class _Counting(Metric):
    """Keeps some of the four counts at given thresholds."""

    kept = ()

    def __init__(self, thresholds=None, name=None, dtype=None, default=0.5):
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self._threshold_values = _threshold_list(thresholds, default)
        for count in self.kept:
            setattr(self, count, self.add_variable((len(self._threshold_values),), name=count))

    top_k = class_id = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        decisions = _decisions(y_true, y_pred, sample_weight, self.class_id, self.top_k)
        counts = dict(zip(COUNTS, confusion_counts(*decisions, self._threshold_values)))
        for count in self.kept:
            getattr(self, count).assign_add(counts[count])

    def _plain(self, result):
        return result[0] if len(self._threshold_values) == 1 else result


def _single(name, count):
    def __init__(self, thresholds=None, name=None, dtype=None):
        Metric.__init__(self, dtype, name)
        self.thresholds = thresholds
        self._threshold_values = _threshold_list(thresholds)
        self.accumulator = self.add_variable((len(self._threshold_values),), name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        counts = confusion_counts(*_decisions(y_true, y_pred, sample_weight, None, None), self._threshold_values)
        self.accumulator.assign_add(counts[COUNTS.index(count)])

    def result(self):
        return self._plain(self.accumulator.raw)

    doc = f"The number (or weight) of {count.replace('_', ' ')}, at one threshold or several."
    members = {"__init__": __init__, "update_state": update_state, "result": result, "__doc__": doc}
    return type(name, (_Counting,), {**members, "__module__": __name__})


TruePositives = _single("TruePositives", "true_positives")
FalsePositives = _single("FalsePositives", "false_positives")
TrueNegatives = _single("TrueNegatives", "true_negatives")
FalseNegatives = _single("FalseNegatives", "false_negatives")


class _Ratio(_Counting):
    """True positives by all of one kind."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype, 0.5 if top_k is None else _LEAST)
        self.top_k = top_k
        self.class_id = class_id

    def result(self):
        right, wrong = (getattr(self, count).raw for count in self.kept)
        return self._plain(safe_divide(right, right + wrong))


class Precision(_Ratio):
    """How much of what is predicted positive is so.

    thresholds: one or several, by default 0.5; top_k: only the k largest predictions count as positive;
    class_id: the one class that is looked at.

    >>> float(Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0])) > 0.66
    True
    """

    kept = ("true_positives", "false_positives")


class Recall(_Ratio):
    """How much of what is positive is predicted so. Arguments as in `Precision`."""

    kept = ("true_positives", "false_negatives")


def _even_thresholds(number, below=0.0, above=1.0):
    if number == 1:
        return [0.5]
    return [below, *((i + 1) / (number - 1) for i in range(number - 2)), above]


class _At(_Counting):
    """The largest rate `wanted` among thresholds at which the rate `given` is at least a value."""

    kept = COUNTS
    wanted = given = None

    def __init__(self, value, num_thresholds, class_id, name, dtype):
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: the rate must be from 0 to 1. Received: {value!r}")
        if num_thresholds <= 0:
            raise ValueError(f"{type(self).__name__}: num_thresholds must be positive. Received: {num_thresholds!r}")
        super().__init__(_even_thresholds(num_thresholds), name, dtype)
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self._value = value

    def result(self):
        tp, fp, tn, fn = (getattr(self, count).raw for count in COUNTS)
        rates = {
            "precision": safe_divide(tp, tp + fp),
            "recall": safe_divide(tp, tp + fn),
            "specificity": safe_divide(tn, tn + fp),
        }
        return jnp.max(jnp.where(rates[self.given] >= self._value, rates[self.wanted], 0))


class PrecisionAtRecall(_At):
    """The largest precision at a threshold where the recall is at least the given one."""

    wanted, given = "precision", "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.recall = recall
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_At):
    """The largest recall at a threshold where the precision is at least the given one."""

    wanted, given = "recall", "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.precision = precision
        super().__init__(precision, num_thresholds, class_id, name, dtype)


class SensitivityAtSpecificity(_At):
    """The largest sensitivity (recall) at a threshold where the specificity is at least the given one."""

    wanted, given = "recall", "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.specificity = specificity
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_At):
    """The largest specificity at a threshold where the sensitivity (recall) is at least the given one."""

    wanted, given = "specificity", "recall"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.sensitivity = sensitivity
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class AUC(Metric):
    """The area under a curve of two rates over all thresholds, by a Riemann sum.

    curve: 'ROC' (Fawcett 2006), 'PR' (Davis, Goadrich 2006) or 'PRGAIN' (Flach, Kull 2015);
    summation_method: 'interpolation', 'minoring' or 'majoring'; thresholds: instead of num_thresholds even ones;
    multi_label: the mean over labels (weighted by label_weights), not one curve for all;
    from_logits: predictions are not yet sigmoids.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(dtype, name)
        self.curve = _choice("AUC: curve", curve, {"ROC": "ROC", "PR": "PR", "PRGAIN": "PRGAIN"})
        methods = {m.upper(): m for m in ("interpolation", "minoring", "majoring")}
        self.summation_method = _choice("AUC: summation_method", summation_method, methods)
        if thresholds is not None:
            inner = sorted(_threshold_list(thresholds))
            num_thresholds = len(inner) + 2
        else:
            if num_thresholds <= 1:
                raise ValueError(f"AUC: num_thresholds must be above 1. Received: num_thresholds={num_thresholds!r}")
            inner = _even_thresholds(num_thresholds)[1:-1]
        self.num_thresholds = num_thresholds
        self.thresholds = thresholds
        self._threshold_values = (-core.epsilon(), *inner, 1 + core.epsilon())
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        if not multi_label:
            self._build(())
        elif num_labels:
            self._build((num_labels,))

    def _build(self, labels):
        for count in COUNTS:
            setattr(self, count, self.add_variable((self.num_thresholds, *labels), name=count))

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.from_logits:
            y_pred = jax.nn.sigmoid(as_float(y_pred))
        label_weights = None if self.multi_label else self.label_weights
        decisions = _decisions(y_true, y_pred, sample_weight, None, None, label_weights)
        if self.multi_label and not self._weights:
            self._build((decisions[0].shape[-1],))
        counts = confusion_counts(*decisions, self._threshold_values, self.multi_label)
        for name, count in zip(COUNTS, counts):
            getattr(self, name).assign_add(count)

    def result(self):
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
    """The area under precision over recall, interpolated between thresholds in counts, not in rates."""
    positive = tp + fp
    d_tp, d_positive = tp[:-1] - tp[1:], positive[:-1] - positive[1:]
    slope = safe_divide(d_tp, d_positive)
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    ratio = jnp.where(both, positive[:-1] / jnp.where(both, positive[1:], 1), 1)
    return jnp.sum(safe_divide(slope * (d_tp + intercept * jnp.log(ratio)), tp[1:] + fn[1:]), 0)


def _choice(argument, value, allowed):
    if str(value).upper() not in allowed:
        raise ValueError(f"{argument} must be one of {list(allowed.values())}. Received: {value!r}")
    return allowed[str(value).upper()]


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, for each class or averaged.

    average: ``None``, 'micro', 'macro' or 'weighted'; threshold: of a positive prediction, ``None``: the largest one.
    """

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"average must be None, 'micro', 'macro' or 'weighted'. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"beta must be a positive float. Received: beta={beta!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0

    def update_state(self, y_true, y_pred, sample_weight=None):
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

    def result(self):
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
    """The harmonic mean of precision and recall. Arguments as in `FBetaScore`."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)
