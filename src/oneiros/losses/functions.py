"""Loss functions of (y_true, y_pred): one value for each example (or place), the last axis reduced.

Targets of rank one less than the predictions', or one more, are aligned with them first: ``(n,)`` with ``(n, 1)``.
"""

import functools
import math

import jax
import jax.numpy as jnp

from .. import core
from ..ops import nn
from ..ops.ctc import ctc_loss
from ..ops.table import as_float, tensor
from .traits import Traits
from .weighting import align, without_unit_axis

kind = core.kind("loss")


def loss(*aliases: str, targets: str = "values", by_row: bool = True, strict: bool = False):
    """Makes a function of (y_true, y_pred) a public loss, known by its name and these aliases.

    The function gets arrays: predictions as floats, and targets aligned with them and of their type, unless the
    targets are class numbers or free of the predictions' shape. The other arguments are its `Traits`.
    """

    def decorate(fn):
        @functools.wraps(fn)
        def call(y_true, y_pred, *args, **kwargs):
            y_true, y_pred = tensor(y_true), as_float(y_pred)
            if targets not in ("classes", "free"):
                if jnp.result_type(y_true) != y_pred.dtype:
                    y_true = y_true.astype(y_pred.dtype)
                y_true, y_pred = align(y_true, y_pred)
            return fn(y_true, y_pred, *args, **kwargs)

        call.traits = Traits(targets, by_row, strict, fn.__name__)
        public = core.op(call)
        kind.add(public, fn.__name__, *aliases)
        return public

    return decorate


def _clipped(x):
    return jnp.clip(x, core.epsilon(), 1 - core.epsilon())


def _unit(x, axis):
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis, keepdims=True), 1e-12))


@loss("mse", "MSE")
def mean_squared_error(y_true, y_pred):
    """``mean((y_true - y_pred)**2)``.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [2.0]
    """
    return jnp.mean(jnp.square(y_pred - y_true), -1)


@loss("mae", "MAE")
def mean_absolute_error(y_true, y_pred):
    """``mean(|y_true - y_pred|)``."""
    return jnp.mean(jnp.abs(y_pred - y_true), -1)


@loss("mape", "MAPE")
def mean_absolute_percentage_error(y_true, y_pred):
    """``100 * mean(|y_true - y_pred| / |y_true|)``."""
    return 100 * jnp.mean(jnp.abs(y_true - y_pred) / jnp.maximum(jnp.abs(y_true), core.epsilon()), -1)


@loss("msle", "MSLE")
def mean_squared_logarithmic_error(y_true, y_pred):
    """``mean((log(y_true + 1) - log(y_pred + 1))**2)``; values below 0 count as 0."""
    a, b = (jnp.log1p(jnp.maximum(y, core.epsilon())) for y in (y_true, y_pred))
    return jnp.mean(jnp.square(b - a), -1)


def _signs(y_true):
    """Labels 0 and 1 as -1 and 1; labels that are -1 and 1 already stay."""
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(binary, 2 * y_true - 1, y_true)


@loss()
def hinge(y_true, y_pred):
    """``mean(max(1 - y_true * y_pred, 0))`` for labels -1 and 1 (or 0 and 1)."""
    return jnp.mean(jnp.maximum(1 - _signs(y_true) * y_pred, 0), -1)


@loss()
def squared_hinge(y_true, y_pred):
    """``mean(max(1 - y_true * y_pred, 0)**2)`` for labels -1 and 1 (or 0 and 1)."""
    return jnp.mean(jnp.square(jnp.maximum(1 - _signs(y_true) * y_pred, 0)), -1)


@loss(targets="one-hot")
def categorical_hinge(y_true, y_pred):
    """``max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)``."""
    right = jnp.sum(y_true * y_pred, -1)
    wrong = jnp.max((1 - y_true) * y_pred, -1)
    return jnp.maximum(wrong - right + 1, 0)


@loss("huber_loss")
def huber(y_true, y_pred, delta=1.0):
    """The mean of ``e**2 / 2`` where ``|e| <= delta``, of ``delta * (|e| - delta / 2)`` elsewhere (Huber 1964)."""
    error = jnp.abs(y_pred - y_true)
    return jnp.mean(jnp.where(error <= delta, jnp.square(error) / 2, delta * (error - delta / 2)), -1)


@loss("logcosh")
def log_cosh(y_true, y_pred):
    """``mean(log(cosh(y_pred - y_true)))``."""
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - math.log(2), -1)


@loss("cosine_proximity", "cosine")
def cosine_similarity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between targets and predictions: -1 for the same direction."""
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis)


@loss()
def poisson(y_true, y_pred):
    """``mean(y_pred - y_true * log(y_pred))``."""
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + core.epsilon()), -1)


@loss("kld", "KLD", "kullback_leibler_divergence")
def kl_divergence(y_true, y_pred):
    """``sum(y_true * log(y_true / y_pred))``."""
    y_true, y_pred = jnp.clip(y_true, core.epsilon(), 1), jnp.clip(y_pred, core.epsilon(), 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), -1)


@loss(targets="one-hot", strict=True)
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """``-sum(y_true * log(y_pred))`` over the classes on `axis`.

    from_logits: `y_pred` is not yet a softmax. label_smoothing: the share of 1 that is spread over all classes.
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return nn.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@loss(targets="classes", strict=True)
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """``-log(y_pred[y_true])`` for integer targets; 0 where the target is ignore_class."""
    labels = without_unit_axis(y_true.astype("int32"), y_pred.ndim - 1)
    if ignore_class is None:
        return nn.sparse_categorical_crossentropy(labels, y_pred, from_logits, axis)
    valid = labels != ignore_class
    values = nn.sparse_categorical_crossentropy(jnp.where(valid, labels, 0), y_pred, from_logits, axis)
    values = jnp.where(valid, values, 0)
    core.set_mask(values, valid)
    return values


@loss("bce", "BCE", targets="probabilities")
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The mean over `axis` of ``-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)``."""
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    return jnp.mean(nn.binary_crossentropy(y_true, y_pred, from_logits), axis)


@loss(targets="probabilities")
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Binary cross-entropy times ``(1 - p)**gamma``, p the probability of the right answer (Lin et al. 2017).

    apply_class_balancing: weigh class 1 by `alpha`, class 0 by ``1 - alpha``.
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    entropy = nn.binary_crossentropy(y_true, y_pred, from_logits)
    y_pred = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    weighted = jnp.power(1 - right, gamma) * entropy
    if apply_class_balancing:
        weighted = weighted * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(weighted, axis)


@loss(targets="one-hot")
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """``-sum(alpha * (1 - y_pred)**gamma * y_true * log(y_pred))`` (Lin et al. 2017).

    alpha: a number, or one for each class.
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    y_pred = jax.nn.softmax(y_pred, axis) if from_logits else y_pred / jnp.sum(y_pred, axis, keepdims=True)
    y_pred = _clipped(y_pred)
    weight = jnp.power(1 - y_pred, gamma) * jnp.asarray(alpha, y_pred.dtype)
    return -jnp.sum(weight * y_true * jnp.log(y_pred), axis)


@loss(targets="classes")
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """``(1 - y_pred[y_true]**q) / q`` for integer targets (Zhang, Sabuncu 2018): robust to wrong labels."""
    labels = y_true.astype("int32")
    labels = labels[..., 0] if labels.ndim == y_pred.ndim else labels
    right = jnp.take_along_axis(y_pred, labels[..., None], -1)[..., 0]
    return (1 - jnp.power(right, q)) / q


def _overlap(y_true, y_pred, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return axis, jnp.sum(y_true * y_pred, axis)


@loss(by_row=False)
def dice(y_true, y_pred, axis=None):
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`` over `axis` (by default all, the batch too)."""
    axis, both = _overlap(y_true, y_pred, axis)
    return 1 - (2 * both + core.epsilon()) / (jnp.sum(y_true, axis) + jnp.sum(y_pred, axis) + core.epsilon())


@loss(by_row=False)
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """`dice` with the weights `alpha` of false negatives and `beta` of false positives (Salehi et al. 2017)."""
    axis, both = _overlap(y_true, y_pred, axis)
    false_positive = jnp.sum((1 - y_true) * y_pred, axis)
    false_negative = jnp.sum(y_true * (1 - y_pred), axis)
    epsilon = core.epsilon()
    return 1 - (both + epsilon) / (both + beta * false_positive + alpha * false_negative + epsilon)


@loss(targets="free", by_row=False)
def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """Circle loss (Sun et al. 2020) of unit embeddings `y_pred` with integer labels `y_true`.

    ref_labels, ref_embeddings: what they are compared with; by default each other.
    remove_diagonal: leave the comparison of each with itself out.
    """
    labels = y_true.astype("int32").reshape(-1)
    others = labels if ref_labels is None else tensor(ref_labels).astype("int32").reshape(-1)
    similarity = y_pred @ (y_pred if ref_embeddings is None else as_float(ref_embeddings)).T
    same = labels[:, None] == others[None, :]
    different = ~same
    if remove_diagonal:
        same = same & ~jnp.eye(*same.shape, dtype=bool)
    positive = -jnp.maximum(1 + margin - similarity, 0) * (similarity - (1 - margin))
    negative = jnp.maximum(similarity + margin, 0) * (similarity - margin)
    least = jnp.finfo(y_pred.dtype).min
    sums = [
        jax.scipy.special.logsumexp(jnp.where(mask, gamma * logits, least), 1)
        for mask, logits in ((same, positive), (different, negative))
    ]
    exists = jnp.any(same, 1) & jnp.any(different, 1)
    return jax.nn.softplus(jnp.where(exists, sums[0] + sums[1], least))


@loss(targets="free")
def ctc(y_true, y_pred):
    """Connectionist temporal classification (Graves et al. 2006).

    y_true: class indices ``(n, labels)``, padded by 0, which is also the blank; y_pred: logits ``(n, time, classes)``.
    """
    y_true = y_true.astype("int32")
    lengths = jnp.full(len(y_pred), y_pred.shape[1], "int32")
    return ctc_loss(y_true, y_pred, jnp.sum(y_true != 0, -1).astype("int32"), lengths, mask_index=0)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
cosine = cosine_proximity = cosine_similarity
