"""Metrics: functions of (y_true, y_pred), and objects that gather them over batches."""

import inspect as _inspect
from typing import Any as _Any

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
from .averages import (
    CLASS_OF,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PearsonCorrelation,
    Poisson,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)
from .base import (
    Mean,
    MeanMetricWrapper,
    MeanTensor,
    Metric,
    Sum,
    SumOverBatchSize,
    SumOverBatchSizeMetricWrapper,
)
from .base import kind as _kind
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
    cosine,
    cosine_proximity,
    cosine_similarity,
    pearson_correlation,
    resolve_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .regression import MeanRelativeError, R2Score, RootMeanSquaredError

for _name, _fn in _losses.functions.kind.objects.items():
    if not _inspect.isclass(_fn) and _name not in _kind.objects:
        _kind.add(_fn, _name)


def get(identifier: _Any) -> _Any:
    """The metric for what a user writes.

    Args:
        identifier: A name, a configuration, a class, a function or an object. `None` is returned as it is.

    Returns:
        For a name, an object; in Keras 1 and 2 the function of this name, if there is one. Otherwise a `Metric` or the
        given function or object.

    Raises:
        ValueError: If there is no such metric.

    >>> get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    metric = _kind.get(identifier)
    if isinstance(identifier, str) and _behaviour.metric_names_give_objects and metric in CLASS_OF:
        return CLASS_OF[metric]()
    return metric


serialize, deserialize = _kind.serializer(), _kind.deserialize
