"""Functions of (y_true, y_pred) that only measure: accuracies and correlations, one value for each example."""

import functools

import jax.numpy as jnp

from .. import core
from ..core.config import behaviour
from ..losses import functions as losses
from ..losses.traits import Traits, traits_of
from ..losses.weighting import align
from ..ops.table import as_float, tensor
from .base import kind


def metric(*aliases):
    """Makes a function of (y_true, y_pred) public: known by name, of arrays, lists, variables or symbols."""

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
def accuracy(y_true, y_pred):
    """How often predictions equal labels."""
    y_true, y_pred = align(y_true, y_pred)
    equal = (y_true.astype(y_pred.dtype) == y_pred).astype(core.floatx())
    return jnp.mean(equal, -1) if equal.ndim > 1 and behaviour.accuracy_is_mean else equal


@metric()
def binary_accuracy(y_true, y_pred, threshold=0.5):
    """How often predictions are on the same side of the threshold as labels.

    >>> binary_accuracy([[1, 0]], [[0.9, 0.7]]).tolist()
    [0.5]
    """
    y_true, y_pred = align(y_true, as_float(y_pred))
    return jnp.mean(y_true.astype(y_pred.dtype) == (y_pred > threshold), -1, dtype=core.floatx())


@metric()
def categorical_accuracy(y_true, y_pred):
    """How often the largest prediction is at the place of the largest target (of a one-hot vector)."""
    return (jnp.argmax(y_true, -1) == jnp.argmax(y_pred, -1)).astype(core.floatx())


def _labels(y_true, y_pred):
    return (y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true).astype("int32")


@metric()
def sparse_categorical_accuracy(y_true, y_pred):
    """How often the largest prediction is at the place that the integer target names."""
    return (_labels(y_true, y_pred) == jnp.argmax(y_pred, -1)).astype(core.floatx())


def _per_sample(hits):
    return jnp.mean(hits) if behaviour.top_k_is_mean else hits


def _among_top(labels, y_pred, k):
    chosen = jnp.take_along_axis(y_pred, labels[..., None], -1, mode="clip")
    inside = (labels >= 0) & (labels < y_pred.shape[-1])
    return (inside & (jnp.sum(y_pred > chosen, -1) < k)).astype(core.floatx())


@metric()
def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """How often the class of the largest target is among the k largest predictions."""
    return _per_sample(_among_top(jnp.argmax(y_true, -1), y_pred, k))


@metric()
def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """How often the integer target is among the k largest predictions.

    from_sorted_ids: `y_pred` holds class numbers, the best first, in place of predictions.
    """
    labels = _labels(y_true, y_pred)
    if from_sorted_ids:
        return _per_sample(jnp.any(y_pred[..., :k] == labels[..., None], -1).astype(core.floatx()))
    return _per_sample(_among_top(labels, y_pred, k))


def _centred(x, axis):
    return x - jnp.mean(x, axis, keepdims=True)


@metric()
def pearson_correlation(y_true, y_pred, axis=-1):
    """Pearson's correlation of targets and predictions along an axis; NaN where one of them is constant."""
    a, b = (_centred(y, axis) for y in align(as_float(y_true), as_float(y_pred)))
    return jnp.sum(a * b, axis) / jnp.sqrt(jnp.sum(a * a, axis) * jnp.sum(b * b, axis))


@metric()
def concordance_correlation(y_true, y_pred, axis=-1):
    """Lin's concordance correlation (1989) of targets and predictions along an axis."""
    y_true, y_pred = align(as_float(y_true), as_float(y_pred))
    a, b = _centred(y_true, axis), _centred(y_pred, axis)
    shift = jnp.square(jnp.mean(y_true, axis) - jnp.mean(y_pred, axis))
    spread = jnp.mean(a * a, axis) + jnp.mean(b * b, axis) + shift
    return 2 * jnp.mean(a * b, axis) / (spread + core.epsilon())


@metric()
def cosine_similarity(y_true, y_pred, axis=-1):
    """The cosine of the angle between targets and predictions: 1 for the same direction (the loss is minus that)."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


@metric("cosine")
def cosine_proximity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between targets and predictions: what Keras 1 and 2 report under this name."""
    return losses.cosine_similarity(y_true, y_pred, axis)


cosine = cosine_proximity


def resolve_accuracy(name, y_true_shape, y_pred_shape, loss=None):
    """The function that "accuracy" (or "crossentropy") means for targets and predictions of these shapes.

    loss: the loss function or its name; Keras 1 and 2 go by it.

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
