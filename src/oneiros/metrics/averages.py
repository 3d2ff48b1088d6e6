"""Metrics that are the mean of a function of (y_true, y_pred) over all samples."""

from typing import Annotated

from ..core.fields import Argument, field
from ..losses import functions as losses
from . import functions as f
from .base import FunctionMetric

FromLogits = Annotated[bool, Argument(doc="Whether the predictions are logits instead of probabilities.")]
LabelSmoothing = Annotated[
    float, Argument(doc="Share of each target that is spread evenly over all classes, from 0 to 1.")
]
Axis = Annotated[int, Argument(doc="Axis along which the function is computed.")]


class Accuracy(FunctionMetric, function=f.accuracy):
    """How often predictions equal targets.

    >>> round(float(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])), 4)
    0.75
    """


class BinaryAccuracy(FunctionMetric, function=f.binary_accuracy):
    """How often predictions are on the same side of the threshold as labels.

    >>> round(float(BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.6])), 4)
    0.5
    """

    threshold: float = field(default=0.5, doc="Predictions above it are counted as 1.")


class CategoricalAccuracy(FunctionMetric, function=f.categorical_accuracy):
    """How often the largest prediction is at the position of the 1 in a one-hot target.

    >>> round(float(CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])), 4)
    0.5
    """


class SparseCategoricalAccuracy(FunctionMetric, function=f.sparse_categorical_accuracy):
    """How often the class with the largest prediction is the target, a class number.

    >>> round(float(SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]])), 4)
    0.5
    """


class TopKCategoricalAccuracy(FunctionMetric, function=f.top_k_categorical_accuracy):
    """How often the class of a one-hot target is among the `k` largest predictions.

    >>> round(float(TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.6, 0.3]])), 4)
    1.0
    """

    k: int = field(default=5, first=True, doc="How many of the largest predictions count.")


class SparseTopKCategoricalAccuracy(FunctionMetric, function=f.sparse_top_k_categorical_accuracy):
    """How often a class number is among the `k` largest predictions.

    >>> round(float(SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])), 4)
    0.5
    """

    k: int = field(default=5, first=True, doc="How many of the largest predictions count.")
    from_sorted_ids: bool = field(
        default=False, doc="Whether predictions are class numbers, the most probable first, instead of scores."
    )


class BinaryCrossentropy(FunctionMetric, function=losses.binary_crossentropy):
    """The mean of ``-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)``.

    >>> round(float(BinaryCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.367
    """

    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0


class CategoricalCrossentropy(FunctionMetric, function=losses.categorical_crossentropy):
    """The mean of ``-sum(y_true * log(y_pred))`` over the classes, for one-hot targets.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])), 4)
    0.3567
    """

    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0
    axis: Axis = -1


class SparseCategoricalCrossentropy(FunctionMetric, function=losses.sparse_categorical_crossentropy):
    """The mean of ``-log(y_pred[y_true])``, for targets that are class numbers.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.1, 0.7, 0.2]])), 4)
    0.3567
    """

    from_logits: FromLogits = False
    ignore_class: int = field(default=None, doc="A class number whose samples or steps are ignored.")
    axis: Axis = -1


class MeanSquaredError(FunctionMetric, function=losses.mean_squared_error):
    """The mean of ``(y_true - y_pred)**2``.

    >>> round(float(MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    2.0
    """


class MeanAbsoluteError(FunctionMetric, function=losses.mean_absolute_error):
    """The mean of ``|y_true - y_pred|``.

    >>> round(float(MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    1.0
    """


class MeanAbsolutePercentageError(FunctionMetric, function=losses.mean_absolute_percentage_error):
    """100 times the mean of ``|y_true - y_pred| / |y_true|``.

    >>> round(float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])), 4)
    25.0
    """


class MeanSquaredLogarithmicError(FunctionMetric, function=losses.mean_squared_logarithmic_error):
    """The mean of ``(log(y_true + 1) - log(y_pred + 1))**2``. Negative values are treated as 0.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.6035
    """


class CosineSimilarity(FunctionMetric, function=f.cosine_similarity):
    """The mean cosine of the angle between targets and predictions: 1 if both have the same direction.

    >>> round(float(CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
    0.7071
    """

    axis: Axis = -1


class LogCoshError(FunctionMetric, function=losses.log_cosh, name="logcosh"):
    """The mean of ``log(cosh(y_pred - y_true))``.

    >>> round(float(LogCoshError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.6625
    """


class KLDivergence(FunctionMetric, function=losses.kl_divergence):
    """The mean of ``sum(y_true * log(y_true / y_pred))`` (Kullback & Leibler 1951).

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """


class Poisson(FunctionMetric, function=losses.poisson):
    """The mean of ``y_pred - y_true * log(y_pred)``.

    >>> round(float(Poisson()([[2.0, 1.0]], [[1.5, 1.0]])), 4)
    0.8445
    """


class Hinge(FunctionMetric, function=losses.hinge):
    """The mean of ``max(1 - y_true * y_pred, 0)`` for labels -1 and 1. Labels 0 and 1 are converted.

    >>> round(float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.0
    """


class SquaredHinge(FunctionMetric, function=losses.squared_hinge):
    """The mean of ``max(1 - y_true * y_pred, 0)**2`` for labels -1 and 1. Labels 0 and 1 are converted.

    >>> round(float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.25
    """


class CategoricalHinge(FunctionMetric, function=losses.categorical_hinge):
    """The mean of ``max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)``, for one-hot targets.

    >>> round(float(CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])), 4)
    0.5
    """


class PearsonCorrelation(FunctionMetric, function=f.pearson_correlation):
    """The mean of Pearson's correlation coefficient of targets and predictions. It is NaN if one of them is constant.

    >>> round(float(PearsonCorrelation()([[0.0, 1.0, 2.0]], [[0.0, 2.0, 1.0]])), 4)
    0.5
    """

    axis: Axis = -1


class ConcordanceCorrelation(FunctionMetric, function=f.concordance_correlation):
    """The mean of the concordance correlation coefficient of targets and predictions (Lin 1989).

    >>> round(float(ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[0.0, 2.0, 1.0]])), 4)
    0.5
    """

    axis: Axis = -1


CLASS_OF = {cls.function: cls for cls in FunctionMetric.__subclasses__()}  # function -> the class that averages it
