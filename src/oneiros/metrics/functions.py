"""Functions of (y_true, y_pred) that only measure: accuracies and correlations, one value per sample."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from .. import core
from ..core.config import behaviour
from ..losses import functions as losses
from ..losses.traits import Traits, traits_of
from ..losses.weighting import align
from ..ops.table import Tensor, as_float, tensor
from .base import kind


def metric(*aliases: str) -> Callable:
    """Makes a function of (y_true, y_pred) a public metric.

    The function receives arrays, whether it is called with arrays, lists, variables or symbols.

    Args:
        *aliases: Further names under which `get` finds the metric.

    Returns:
        A decorator.
    """

    def decorate(fn):
        @functools.wraps(fn)
        def call(y_true, y_pred, *args, **kwargs):
            return fn(tensor(y_true), tensor(y_pred), *args, **kwargs)

        call.traits = Traits(by_row=True, name=fn.__name__)
        public = core.op(call)
        kind.add(public, fn.__name__, *aliases)
        return public

    return decorate


@metric("acc", "ACC")
def accuracy(y_true: Tensor, y_pred: Tensor) -> Array:
    """How often predictions equal labels.

    Args:
        y_true: Labels ``(N, ...)``.
        y_pred: Predicted labels of the same shape.

    Returns:
        An array of 0 and 1. In versions of Keras that average it, the mean over the last axis, if there are two axes or
        more.

    >>> accuracy([1, 2, 3], [1, 0, 3]).tolist()
    [1.0, 0.0, 1.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    equal = (y_true.astype(y_pred.dtype) == y_pred).astype(core.floatx())
    return jnp.mean(equal, -1) if equal.ndim > 1 and behaviour.accuracy_is_mean else equal


@metric()
def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Array:
    """How often predictions are on the same side of the threshold as labels.

    Args:
        y_true: Labels 0 and 1, ``(N, ..., D)``.
        y_pred: Predictions of the same shape.
        threshold: Predictions above it are counted as 1.

    Returns:
        An array of that shape. Before Keras 3, ``(N, ...)``: means over the last axis.

    >>> binary_accuracy([[1, 0]], [[0.9, 0.7]]).tolist()
    [[1.0, 0.0]]
    """
    y_true, y_pred = align(y_true, as_float(y_pred))
    equal = (y_true.astype(y_pred.dtype) == (y_pred > threshold)).astype(core.floatx())
    return jnp.mean(equal, -1) if behaviour.accuracy_is_mean else equal


@metric()
def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Array:
    """How often the largest prediction is at the position of the largest target.

    Args:
        y_true: One-hot targets ``(N, ..., classes)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)`` of 0 and 1.

    >>> categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]).tolist()
    [1.0, 0.0]
    """
    return (jnp.argmax(y_true, -1) == jnp.argmax(y_pred, -1)).astype(core.floatx())


def _labels(y_true, y_pred):
    return (y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true).astype("int32")


@metric()
def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Array:
    """How often the class with the largest prediction is the target.

    Args:
        y_true: Class numbers ``(N, ...)`` or ``(N, ..., 1)``.
        y_pred: Predictions ``(N, ..., classes)``.

    Returns:
        An array ``(N, ...)`` of 0 and 1.

    >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]]).tolist()
    [1.0, 0.0]
    """
    return (_labels(y_true, y_pred) == jnp.argmax(y_pred, -1)).astype(core.floatx())


def _per_sample(hits):
    return jnp.mean(hits) if behaviour.top_k_is_mean else hits


def _among_top(labels, y_pred, k):
    chosen = jnp.take_along_axis(y_pred, labels[..., None], -1, mode="clip")
    inside = (labels >= 0) & (labels < y_pred.shape[-1])
    return (inside & (jnp.sum(y_pred > chosen, -1) < k)).astype(core.floatx())


@metric()
def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Array:
    """How often the class of a one-hot target is among the `k` largest predictions.

    Args:
        y_true: One-hot targets ``(N, ..., classes)``.
        y_pred: Predictions of the same shape.
        k: Number of largest predictions to consider.

    Returns:
        An array ``(N, ...)`` of 0 and 1. In versions of Keras that average it, their mean.

    >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.6, 0.3]], k=2).tolist()
    [1.0]
    """
    return _per_sample(_among_top(jnp.argmax(y_true, -1), y_pred, k))


@metric()
def sparse_top_k_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """How often a class number is among the `k` largest predictions.

    Args:
        y_true: Class numbers ``(N, ...)`` or ``(N, ..., 1)``.
        y_pred: Predictions ``(N, ..., classes)``.
        k: Number of largest predictions to consider.
        from_sorted_ids: Whether `y_pred` holds class numbers, the most probable first, instead of predictions.

    Returns:
        An array ``(N, ...)`` of 0 and 1. In versions of Keras that average it, their mean.

    >>> sparse_top_k_categorical_accuracy([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]], k=2).tolist()
    [1.0, 0.0]
    """
    labels = _labels(y_true, y_pred)
    if from_sorted_ids:
        return _per_sample(jnp.any(y_pred[..., :k] == labels[..., None], -1).astype(core.floatx()))
    return _per_sample(_among_top(labels, y_pred, k))


def _centred(x, axis):
    return x - jnp.mean(x, axis, keepdims=True)


@metric()
def pearson_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Array:
    """Pearson's correlation coefficient of targets and predictions along an axis.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.
        axis: Axis along which the correlation is computed.

    Returns:
        An array without that axis, from -1 to 1; NaN where targets or predictions are constant.

    >>> round(float(pearson_correlation([[0.0, 1.0, 2.0]], [[0.0, 2.0, 1.0]])[0]), 3)
    0.5
    """
    a, b = (_centred(y, axis) for y in align(as_float(y_true), as_float(y_pred)))
    return jnp.sum(a * b, axis) / jnp.sqrt(jnp.sum(a * a, axis) * jnp.sum(b * b, axis))


@metric()
def concordance_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Array:
    """The concordance correlation coefficient of targets and predictions along an axis (Lin 1989).

    Unlike Pearson's, it is 1 only if predictions equal targets.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.
        axis: Axis along which the correlation is computed.

    Returns:
        An array without that axis, from -1 to 1.

    >>> round(float(concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 2.0, 1.0]])[0]), 3)
    0.5
    """
    y_true, y_pred = align(as_float(y_true), as_float(y_pred))
    a, b = _centred(y_true, axis), _centred(y_pred, axis)
    shift = jnp.square(jnp.mean(y_true, axis) - jnp.mean(y_pred, axis))
    spread = jnp.mean(a * a, axis) + jnp.mean(b * b, axis) + shift
    return 2 * jnp.mean(a * b, axis) / (spread + core.epsilon())


@metric()
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Array:
    """The cosine of the angle between targets and predictions: 1 for the same direction.

    The loss of this name is minus that.

    Args:
        y_true: Target vectors ``(N, ..., D)``.
        y_pred: Predicted vectors of the same shape.
        axis: Axis of the vectors.

    Returns:
        An array without that axis, from -1 to 1.

    >>> cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]]).tolist()
    [1.0]
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


@metric("cosine")
def cosine_proximity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Array:
    """Minus the cosine of the angle between targets and predictions, as Keras 1 and 2 report it under this name.

    Args:
        y_true: Target vectors ``(N, ..., D)``.
        y_pred: Predicted vectors of the same shape.
        axis: Axis of the vectors.

    Returns:
        An array without that axis, from -1 to 1.

    >>> cosine_proximity([[0.0, 2.0]], [[0.0, 3.0]]).tolist()
    [-1.0]
    """
    return losses.cosine_similarity(y_true, y_pred, axis)


cosine = cosine_proximity


def resolve_accuracy(
    name: str, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None], loss: Any = None
) -> Callable:
    """The function that "accuracy" (or "crossentropy") stands for, given the shapes of targets and predictions.

    Args:
        name: ``"accuracy"``, ``"acc"``, ``"ACC"``, or ``"crossentropy"`` and its short forms.
        y_true_shape: Shape of the targets. Unknown dimensions are `None`.
        y_pred_shape: Shape of the predictions.
        loss: The loss function or its name. Keras 1 and 2 choose by it instead of by the targets' shape.

    Returns:
        A metric function.

    >>> resolve_accuracy("accuracy", (None,), (None, 10)).__name__
    'sparse_categorical_accuracy'
    """
    y_true_shape, y_pred_shape = tuple(y_true_shape), tuple(y_pred_shape)
    one = len(y_pred_shape) < 2 or y_pred_shape[-1] == 1
    if behaviour.accuracy_follows_loss:
        by_targets = {"probabilities": "binary", "classes": "sparse_categorical"}
        traits = traits_of(loss)
        which = "binary" if one else by_targets.get(traits and traits.targets, "categorical")
    elif one:
        which = "binary"
    else:
        sparse = len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1
        which = "sparse_categorical" if sparse else "categorical"
    suffix = "accuracy" if name in ("accuracy", "acc", "ACC") else "crossentropy"
    return kind.objects[f"{which}_{suffix}"]
