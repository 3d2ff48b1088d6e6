"""Metrics that are the mean of a function of (y_true, y_pred) over all examples: that is all there is to them."""

from typing import Annotated

from ..core.fields import Argument, field
from ..losses import functions as losses
from . import functions as f
from .base import FunctionMetric

FromLogits = Annotated[bool, Argument(doc="Whether the predictions are logits instead of probabilities.")]
LabelSmoothing = Annotated[float, Argument(doc="Share of each target that is spread over all classes, from 0 to 1.")]
Axis = Annotated[int, Argument(doc="Axis along which the function is computed.")]


class Accuracy(FunctionMetric, function=f.accuracy):
    pass


class BinaryAccuracy(FunctionMetric, function=f.binary_accuracy):
    threshold: float = field(default=0.5, doc="Predictions above it count as 1.")


class CategoricalAccuracy(FunctionMetric, function=f.categorical_accuracy):
    pass


class SparseCategoricalAccuracy(FunctionMetric, function=f.sparse_categorical_accuracy):
    pass


class TopKCategoricalAccuracy(FunctionMetric, function=f.top_k_categorical_accuracy):
    k: int = field(default=5, first=True, doc="How many of the largest predictions count.")


class SparseTopKCategoricalAccuracy(FunctionMetric, function=f.sparse_top_k_categorical_accuracy):
    k: int = field(default=5, first=True, doc="How many of the largest predictions count.")
    from_sorted_ids: bool = field(default=False, doc="Whether the predictions are class numbers, the best first.")


class BinaryCrossentropy(FunctionMetric, function=losses.binary_crossentropy):
    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0


class CategoricalCrossentropy(FunctionMetric, function=losses.categorical_crossentropy):
    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0
    axis: Axis = -1


class SparseCategoricalCrossentropy(FunctionMetric, function=losses.sparse_categorical_crossentropy):
    from_logits: FromLogits = False
    ignore_class: int = field(default=None, doc="Class whose places do not count.")
    axis: Axis = -1


class MeanSquaredError(FunctionMetric, function=losses.mean_squared_error):
    pass


class MeanAbsoluteError(FunctionMetric, function=losses.mean_absolute_error):
    pass


class MeanAbsolutePercentageError(FunctionMetric, function=losses.mean_absolute_percentage_error):
    pass


class MeanSquaredLogarithmicError(FunctionMetric, function=losses.mean_squared_logarithmic_error):
    pass


class CosineSimilarity(FunctionMetric, function=f.cosine_similarity):
    axis: Axis = -1


class LogCoshError(FunctionMetric, function=losses.log_cosh, name="logcosh"):
    pass


class KLDivergence(FunctionMetric, function=losses.kl_divergence):
    pass


class Poisson(FunctionMetric, function=losses.poisson):
    pass


class Hinge(FunctionMetric, function=losses.hinge):
    pass


class SquaredHinge(FunctionMetric, function=losses.squared_hinge):
    pass


class CategoricalHinge(FunctionMetric, function=losses.categorical_hinge):
    pass


class PearsonCorrelation(FunctionMetric, function=f.pearson_correlation):
    axis: Axis = -1


class ConcordanceCorrelation(FunctionMetric, function=f.concordance_correlation):
    axis: Axis = -1


CLASS_OF = {cls.function: cls for cls in FunctionMetric.__subclasses__()}  # function -> the class that averages it
