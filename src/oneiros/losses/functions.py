"""Loss functions of (y_true, y_pred): one value per sample, or per step or pixel. The last axis is reduced.

If the ranks of targets and predictions differ by an axis of size 1, they are aligned first: targets ``(n,)`` fit
predictions ``(n, 1)``.
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array

from .. import core
from ..ops import nn
from ..ops.ctc import ctc_loss
from ..ops.table import Axes, Tensor, as_float, tensor
from .traits import Traits
from .weighting import align, without_unit_axis

kind = core.kind("loss")


def loss(*aliases: str, targets: str = "values", by_row: bool = True, strict: bool = False) -> Callable:
    """Makes a function of (y_true, y_pred) a public loss.

    The function receives arrays. Predictions are floats. Targets are cast to the type of the predictions and aligned
    with them, unless they are class numbers or have a shape of their own (``targets="free"``).

    Args:
        *aliases: Further names under which `get` finds the loss.
        targets: What the targets are; see `Traits`.
        by_row: Whether each sample is computed independently of the others; see `Traits`.
        strict: Whether the loss class also requires targets that fit exactly; see `Traits`.

    Returns:
        A decorator.
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
def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``(y_true - y_pred)**2`` over the last axis.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [2.0]
    """
    return jnp.mean(jnp.square(y_pred - y_true), -1)


@loss("mae", "MAE")
def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``|y_true - y_pred|`` over the last axis.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [1.0]
    """
    return jnp.mean(jnp.abs(y_pred - y_true), -1)


@loss("mape", "MAPE")
def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Array:
    """100 times the mean of ``|y_true - y_pred| / max(|y_true|, epsilon)`` over the last axis.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)`` of percentages: one value per sample, step or pixel.

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    return 100 * jnp.mean(jnp.abs(y_true - y_pred) / jnp.maximum(jnp.abs(y_true), core.epsilon()), -1)


@loss("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``(log(y_true + 1) - log(y_pred + 1))**2`` over the last axis.

    Args:
        y_true: Targets ``(N, ..., D)``, not negative. Values below `keras.config.epsilon()` are replaced by it.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> round(float(mean_squared_logarithmic_error([[0.0, 1.0]], [[2.0, 1.0]])[0]), 4)
    0.6035
    """
    a, b = (jnp.log1p(jnp.maximum(y, core.epsilon())) for y in (y_true, y_pred))
    return jnp.mean(jnp.square(b - a), -1)


def _signs(y_true):
    """Labels 0 and 1 as -1 and 1. Labels that are -1 and 1 already are kept."""
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(binary, 2 * y_true - 1, y_true)


@loss()
def hinge(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``max(1 - y_true * y_pred, 0)`` over the last axis, for labels -1 and 1.

    Args:
        y_true: Labels ``(N, ..., D)``: -1 and 1. If all are 0 or 1, they are converted.
        y_pred: Predictions of the same shape, as a rule from -1 to 1.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> hinge([[1.0, -1.0]], [[0.5, 0.5]]).tolist()
    [1.0]
    """
    return jnp.mean(jnp.maximum(1 - _signs(y_true) * y_pred, 0), -1)


@loss()
def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``max(1 - y_true * y_pred, 0)**2`` over the last axis, for labels -1 and 1.

    Args:
        y_true: Labels ``(N, ..., D)``: -1 and 1. If all are 0 or 1, they are converted.
        y_pred: Predictions of the same shape, as a rule from -1 to 1.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> squared_hinge([[1.0, -1.0]], [[0.5, 0.5]]).tolist()
    [1.25]
    """
    return jnp.mean(jnp.square(jnp.maximum(1 - _signs(y_true) * y_pred, 0)), -1)


@loss(targets="one-hot")
def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Array:
    """``max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)`` over the classes.

    Args:
        y_true: One-hot targets ``(N, ..., classes)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).tolist()
    [0.75]
    """
    right = jnp.sum(y_true * y_pred, -1)
    wrong = jnp.max((1 - y_true) * y_pred, -1)
    return jnp.maximum(wrong - right + 1, 0)


@loss("huber_loss")
def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Array:
    """The mean of ``e**2 / 2`` where ``|e| <= delta``, and of ``delta * (|e| - delta / 2)`` elsewhere (Huber 1964).

    ``e`` is the error ``y_pred - y_true``. The loss is quadratic for small errors and linear for large ones, so that
    outliers weigh less than in the squared error.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.
        delta: Error at which the loss changes from quadratic to linear.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> huber([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [0.75]
    """
    error = jnp.abs(y_pred - y_true)
    return jnp.mean(jnp.where(error <= delta, jnp.square(error) / 2, delta * (error - delta / 2)), -1)


@loss("logcosh")
def log_cosh(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``log(cosh(y_pred - y_true))`` over the last axis.

    It is about ``e**2 / 2`` for small errors and ``|e| - log(2)`` for large ones.

    Args:
        y_true: Targets ``(N, ..., D)``.
        y_pred: Predictions of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> round(float(log_cosh([[0.0, 1.0]], [[2.0, 1.0]])[0]), 4)
    0.6625
    """
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - math.log(2), -1)


@loss("cosine_proximity", "cosine")
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Array:
    """Minus the cosine of the angle between targets and predictions: -1 for the same direction, 1 for opposite ones.

    Args:
        y_true: Target vectors ``(N, ..., D)``.
        y_pred: Predicted vectors of the same shape.
        axis: Axis of the vectors.

    Returns:
        An array without that axis.

    >>> cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]]).tolist()
    [-1.0]
    """
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis)


@loss()
def poisson(y_true: Tensor, y_pred: Tensor) -> Array:
    """The mean of ``y_pred - y_true * log(y_pred)`` over the last axis.

    Up to a constant, this is minus the log-likelihood of counts `y_true` whose expected values are `y_pred`.

    Args:
        y_true: Counts ``(N, ..., D)``.
        y_pred: Predicted expected values of the same shape, positive.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> round(float(poisson([[2.0, 1.0]], [[1.5, 1.0]])[0]), 4)
    0.8445
    """
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + core.epsilon()), -1)


@loss("kld", "KLD", "kullback_leibler_divergence")
def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Array:
    """The sum of ``y_true * log(y_true / y_pred)`` over the last axis (Kullback & Leibler 1951).

    Args:
        y_true: Target probabilities ``(N, ..., D)``.
        y_pred: Predicted probabilities of the same shape.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> round(float(kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4)
    0.1438
    """
    y_true, y_pred = jnp.clip(y_true, core.epsilon(), 1), jnp.clip(y_pred, core.epsilon(), 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), -1)


@loss(targets="one-hot", strict=True)
def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """``-sum(y_true * log(y_pred))`` over the classes, for one-hot targets.

    Args:
        y_true: One-hot targets, or probabilities, ``(N, ..., classes)``.
        y_pred: Predicted probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits, to which softmax was not applied yet.
        label_smoothing: Share of each target that is spread evenly over all classes, from 0 to 1 (Szegedy et al. 2016).
        axis: Axis of the classes.

    Returns:
        An array without the axis of the classes.

    Raises:
        ValueError: If the shapes differ.

    >>> round(float(categorical_crossentropy([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])[0]), 4)
    0.3567
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return nn.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@loss(targets="classes", strict=True)
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Array:
    """``-log(y_pred[y_true])``: the cross-entropy for targets that are class numbers.

    Args:
        y_true: Class numbers ``(N, ...)`` or ``(N, ..., 1)``, from 0.
        y_pred: Predicted probabilities, or logits, ``(N, ..., classes)``.
        from_logits: Whether `y_pred` holds logits, to which softmax was not applied yet.
        ignore_class: A class number whose samples, steps or pixels are ignored: their loss is 0, and they do not
            count in means.
        axis: Axis of the classes in `y_pred`.

    Returns:
        An array without the axis of the classes.

    Raises:
        ValueError: If the shapes do not fit.

    >>> round(float(sparse_categorical_crossentropy([1], [[0.1, 0.7, 0.2]])[0]), 4)
    0.3567
    """
    labels = without_unit_axis(y_true.astype("int32"), y_pred.ndim - 1)
    if ignore_class is None:
        return nn.sparse_categorical_crossentropy(labels, y_pred, from_logits, axis)
    valid = labels != ignore_class
    values = nn.sparse_categorical_crossentropy(jnp.where(valid, labels, 0), y_pred, from_logits, axis)
    values = jnp.where(valid, values, 0)
    core.set_mask(values, valid)
    return values


@loss("bce", "BCE", targets="probabilities")
def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """The mean over `axis` of ``-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)``.

    Args:
        y_true: Labels 0 and 1, or probabilities, ``(N, ..., D)``.
        y_pred: Predicted probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits, to which the sigmoid was not applied yet.
        label_smoothing: Moves labels toward 0.5: ``y_true * (1 - label_smoothing) + label_smoothing / 2``.
        axis: Axis over which the mean is taken.

    Returns:
        An array without that axis.

    Raises:
        ValueError: If the shapes differ.

    >>> round(float(binary_crossentropy([[1.0, 0.0]], [[0.8, 0.4]])[0]), 4)
    0.367
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    return jnp.mean(nn.binary_crossentropy(y_true, y_pred, from_logits), axis)


@loss(targets="probabilities")
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Binary cross-entropy times ``(1 - p)**gamma``, where p is the probability of the correct label (Lin et al. 2017).

    The factor lowers the loss of samples that are already classified well.

    Args:
        y_true: Labels 0 and 1, or probabilities, ``(N, ..., D)``.
        y_pred: Predicted probabilities, or logits, of the same shape.
        apply_class_balancing: Whether to multiply the loss of class 1 by `alpha` and that of class 0 by ``1 - alpha``.
        alpha: Weight of class 1.
        gamma: Exponent of the factor. 0 gives the plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, to which the sigmoid was not applied yet.
        label_smoothing: Moves labels toward 0.5: ``y_true * (1 - label_smoothing) + label_smoothing / 2``.
        axis: Axis over which the mean is taken.

    Returns:
        An array without that axis.

    >>> round(float(binary_focal_crossentropy([[1.0, 0.0]], [[0.8, 0.4]])[0]), 4)
    0.0453
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
    y_true: Tensor,
    y_pred: Tensor,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """``-sum(alpha * (1 - y_pred)**gamma * y_true * log(y_pred))`` over the classes (Lin et al. 2017).

    Args:
        y_true: One-hot targets, or probabilities, ``(N, ..., classes)``.
        y_pred: Predicted probabilities, or logits, of the same shape.
        alpha: Weight of the classes: a number, or one for each class.
        gamma: Exponent of the factor that lowers the loss of samples that are already classified well.
        from_logits: Whether `y_pred` holds logits, to which softmax was not applied yet.
        label_smoothing: Share of each target that is spread evenly over all classes, from 0 to 1.
        axis: Axis of the classes.

    Returns:
        An array without the axis of the classes.

    >>> round(float(categorical_focal_crossentropy([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])[0]), 4)
    0.008
    """
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    y_pred = jax.nn.softmax(y_pred, axis) if from_logits else y_pred / jnp.sum(y_pred, axis, keepdims=True)
    y_pred = _clipped(y_pred)
    weight = jnp.power(1 - y_pred, gamma) * jnp.asarray(alpha, y_pred.dtype)
    return -jnp.sum(weight * y_true * jnp.log(y_pred), axis)


@loss(targets="classes")
def categorical_generalized_cross_entropy(y_true: Tensor, y_pred: Tensor, q: float) -> Array:
    """``(1 - y_pred[y_true]**q) / q``: a loss that is robust to wrong labels (Zhang & Sabuncu 2018).

    Args:
        y_true: Class numbers ``(N, ...)`` or ``(N, ..., 1)``, from 0.
        y_pred: Predicted probabilities ``(N, ..., classes)``.
        q: Exponent, above 0 and at most 1. Near 0 the loss is the cross-entropy; at 1 it is ``1 - y_pred[y_true]``.

    Returns:
        An array ``(N, ...)``: one value per sample, step or pixel.

    >>> round(float(categorical_generalized_cross_entropy([1], [[0.1, 0.7, 0.2]], q=0.5)[0]), 4)
    0.3267
    """
    labels = y_true.astype("int32")
    labels = labels[..., 0] if labels.ndim == y_pred.ndim else labels
    right = jnp.take_along_axis(y_pred, labels[..., None], -1)[..., 0]
    return (1 - jnp.power(right, q)) / q


def _overlap(y_true, y_pred, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return axis, jnp.sum(y_true * y_pred, axis)


@loss(by_row=False)
def dice(y_true: Tensor, y_pred: Tensor, axis: Axes = None) -> Array:
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))``, for segmentation (Milletari et al. 2016).

    Args:
        y_true: Labels 0 and 1, of any shape.
        y_pred: Predicted probabilities of the same shape.
        axis: Axis or axes to sum over. `None` means all, the batch included.

    Returns:
        An array without these axes; by default a scalar.

    >>> round(float(dice([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.2727
    """
    axis, both = _overlap(y_true, y_pred, axis)
    return 1 - (2 * both + core.epsilon()) / (jnp.sum(y_true, axis) + jnp.sum(y_pred, axis) + core.epsilon())


@loss(by_row=False)
def tversky(y_true: Tensor, y_pred: Tensor, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Array:
    """``1 - tp / (tp + alpha * fn + beta * fp)``, for segmentation (Salehi et al. 2017).

    ``tp``, ``fn`` and ``fp`` are sums over true positives, false negatives and false positives. With the default
    weights this is `dice`.

    Args:
        y_true: Labels 0 and 1, of any shape.
        y_pred: Predicted probabilities of the same shape.
        alpha: Weight of false negatives.
        beta: Weight of false positives.
        axis: Axis or axes to sum over. `None` means all, the batch included.

    Returns:
        An array without these axes; by default a scalar.

    >>> round(float(tversky([[1.0, 0.0]], [[0.8, 0.4]], alpha=0.7, beta=0.3)), 4)
    0.2453
    """
    axis, both = _overlap(y_true, y_pred, axis)
    false_positive = jnp.sum((1 - y_true) * y_pred, axis)
    false_negative = jnp.sum(y_true * (1 - y_pred), axis)
    epsilon = core.epsilon()
    return 1 - (both + epsilon) / (both + beta * false_positive + alpha * false_negative + epsilon)


@loss(targets="free", by_row=False)
def circle(
    y_true: Tensor,
    y_pred: Tensor,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Array:
    """Circle loss of embeddings with class numbers as targets (Sun et al. 2020).

    Args:
        y_true: Class numbers ``(N,)`` or ``(N, 1)``.
        y_pred: Embeddings ``(N, D)`` of length 1.
        ref_labels: Class numbers ``(M,)`` of the embeddings that `y_pred` is compared with. By default `y_true`.
        ref_embeddings: Embeddings ``(M, D)`` to compare with. By default `y_pred`.
        remove_diagonal: Whether to leave out the comparison of each sample with itself.
        gamma: Scale of the similarities.
        margin: Relaxation margin ``m``: optimal similarities are ``1 + m`` and ``-m``.

    Returns:
        An array ``(N,)``. It is 0 for samples without another of their class, or without one of a different class.
        These do not count in means.

    >>> print(circle([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], gamma=2.0).round(2))
    [0.45 0.78 0.  ]
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
    values = jax.nn.softplus(jnp.where(exists, sums[0] + sums[1], least))
    core.set_mask(values, exists)
    return values


@loss(targets="free")
def ctc(y_true: Tensor, y_pred: Tensor) -> Array:
    """Connectionist temporal classification, for labels whose positions in time are unknown (Graves et al. 2006).

    Args:
        y_true: Class numbers ``(N, labels)``, padded with 0. Class 0 is also the blank.
        y_pred: Logits ``(N, steps, classes)``.

    Returns:
        An array ``(N,)``: minus the log-probability of each label sequence.

    >>> round(float(ctc([[1, 2]], [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])[0]), 4)
    1.1029
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
