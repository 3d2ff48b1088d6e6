"""Losses: functions, classes made from them, and checks of targets."""

from typing import Any as _Any

from .checks import check_labels, check_result, check_shapes
from .classes import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    LossFunctionWrapper,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    Reduction,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
from .functions import (
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine,
    cosine_proximity,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    kld,
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
    tversky,
)
from .functions import kind as _kind
from .traits import Traits, expects_classes, is_by_row, traits_of
from .weighting import reduce_weighted


def get(identifier: _Any) -> _Any:
    """The loss for what a user writes.

    Args:
        identifier: A name, a configuration, a class, a function or an object. `None` is returned as it is.

    Returns:
        A function of (y_true, y_pred) for the name of a function; otherwise a `Loss` or the given object.

    Raises:
        ValueError: If there is no such loss.

    >>> get("mse") is mean_squared_error, get({"class_name": "Huber", "config": {"delta": 2.0}}).delta
    (True, 2.0)
    """
    return _kind.get(identifier)


serialize, deserialize = _kind.serializer(), _kind.deserialize
