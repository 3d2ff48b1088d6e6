"""Metrics: functions of (y_true, y_pred), and objects that gather them over batches."""

import inspect as _inspect

from .. import losses as _losses
from ..core.config import behaviour as _behaviour
from ..losses import (
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..losses.functions import KLD, kld
from . import functions as _f
from .base import (
    Mean,
    MeanMetricWrapper,
    MeanRelativeError,
    MeanTensor,
    Metric,
    RootMeanSquaredError,
    Sum,
    SumOverBatchSize,
    SumOverBatchSizeMetricWrapper,
)
from .base import kind as _kind
from .base import metric_class as _metric_class
from .confusion import (
    AUC,
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from .functions import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    resolve_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .regions import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU, R2Score


@_f.metric()
def cosine_similarity(y_true, y_pred, axis=-1):
    """The cosine of the angle between targets and predictions: 1 for the same direction (the loss is minus that)."""
    return -_losses.cosine_similarity(y_true, y_pred, axis)


@_f.metric("cosine")
def cosine_proximity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between targets and predictions: what Keras 1 and 2 report under this name."""
    return _losses.cosine_similarity(y_true, y_pred, axis)


cosine = cosine_proximity

for _name, _fn in _losses.functions.kind.objects.items():
    if not _inspect.isclass(_fn) and _name not in _kind.objects:
        _kind.add(_fn, _name)

_ENTROPY = {"from_logits": False, "label_smoothing": 0}
# Class -> the function that it averages, the name it goes by in the logs, and its options.
TABLE = {
    "Accuracy": (accuracy, "accuracy", {}),
    "BinaryAccuracy": (binary_accuracy, "binary_accuracy", {"threshold": 0.5}),
    "CategoricalAccuracy": (categorical_accuracy, "categorical_accuracy", {}),
    "SparseCategoricalAccuracy": (sparse_categorical_accuracy, "sparse_categorical_accuracy", {}),
    "TopKCategoricalAccuracy": (top_k_categorical_accuracy, "top_k_categorical_accuracy", {"k": 5}),
    "SparseTopKCategoricalAccuracy": (
        *(sparse_top_k_categorical_accuracy, "sparse_top_k_categorical_accuracy"),
        {"k": 5, "from_sorted_ids": False},
    ),
    "BinaryCrossentropy": (binary_crossentropy, "binary_crossentropy", _ENTROPY),
    "CategoricalCrossentropy": (categorical_crossentropy, "categorical_crossentropy", {**_ENTROPY, "axis": -1}),
    "SparseCategoricalCrossentropy": (
        *(sparse_categorical_crossentropy, "sparse_categorical_crossentropy"),
        {"from_logits": False, "ignore_class": None, "axis": -1},
    ),
    "MeanSquaredError": (mean_squared_error, "mean_squared_error", {}),
    "MeanAbsoluteError": (mean_absolute_error, "mean_absolute_error", {}),
    "MeanAbsolutePercentageError": (mean_absolute_percentage_error, "mean_absolute_percentage_error", {}),
    "MeanSquaredLogarithmicError": (mean_squared_logarithmic_error, "mean_squared_logarithmic_error", {}),
    "CosineSimilarity": (cosine_similarity, "cosine_similarity", {"axis": -1}),
    "LogCoshError": (log_cosh, "logcosh", {}),
    "KLDivergence": (kl_divergence, "kl_divergence", {}),
    "Poisson": (poisson, "poisson", {}),
    "Hinge": (hinge, "hinge", {}),
    "SquaredHinge": (squared_hinge, "squared_hinge", {}),
    "CategoricalHinge": (categorical_hinge, "categorical_hinge", {}),
    "PearsonCorrelation": (pearson_correlation, "pearson_correlation", {"axis": -1}),
    "ConcordanceCorrelation": (concordance_correlation, "concordance_correlation", {"axis": -1}),
}
_class_of = {}  # function -> the class that averages it
for _name, (_fn, _short, _options) in TABLE.items():
    _first = {"k": _options["k"]} if "k" in _options else {}  # the only option before the name
    _options = {**_first, "name": _short, "dtype": None, **_options}
    globals()[_name] = _class = _metric_class(_name, _fn, _options, __name__)
    _class_of[_fn] = _class


def get(identifier):
    """The metric for a name, a configuration, a class, a function or an object.

    A name gives an object; in Keras 1 and 2, where a function of this name exists, the function.

    >>> get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    metric = _kind.get(identifier)
    if isinstance(identifier, str) and _behaviour.generation == "3" and metric in _class_of:
        return _class_of[metric]()
    return metric


serialize, deserialize = _kind.serialize, _kind.deserialize
