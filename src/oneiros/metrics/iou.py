"""Intersection over union: metrics from a confusion matrix of classes."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.checks import positive_int
from ..core.config import behaviour
from ..core.fields import field, of_owner
from ..losses.traits import Traits
from ..losses.weighting import safe_divide, weight_like
from ..ops.table import Tensor, as_float, tensor
from .base import NamedMetric


@of_owner
def _class_ids(name, value, metric):
    count = metric.num_classes
    ids = list(range(count)) if value is None else list(value)
    if not ids or max(ids) >= count or min(ids) < 0:
        raise ValueError(f"{name} must be in [0, {count}). Received: {value!r}")
    return ids


class IoU(NamedMetric):
    """The intersection over union ``tp / (tp + fp + fn)`` of classes, averaged over some of them.

    >>> round(float(IoU(2, [1])([0, 0, 1, 1], [0, 1, 1, 1])), 3)
    0.667
    """

    traits = Traits(by_row=True)
    num_classes: int = field(positive_int, first=True, doc="Number of classes.")
    target_class_ids: list = field(_class_ids, first=True, doc="The classes to average over. `None` means all.")
    ignore_class: int = field(default=None, doc="Label whose samples or pixels are ignored.")
    sparse_y_true: bool = field(default=True, doc="Whether labels are class numbers, instead of vectors on `axis`.")
    sparse_y_pred: bool = field(
        default=True, doc="Whether predictions are class numbers, instead of vectors on `axis`."
    )
    axis: int = field(default=-1, doc="Axis of the classes.")

    def __post_init__(self):
        if self._dtype is None and behaviour.iou_counts_integers:
            self._dtype = "int32"  # exact beyond the 2**24 pixels at which float32 stops counting
        super().__post_init__()
        shape = (self.num_classes, self.num_classes)
        self.total_cm = self.add_variable(shape, name="total_confusion_matrix")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the confusion matrix.

        Args:
            y_true: Class numbers of any shape, or one-hot vectors if `sparse_y_true` is False.
            y_pred: Predicted class numbers of the same shape, or scores of the classes if `sparse_y_pred` is False.
            sample_weight: Weights with as many axes as the class numbers or fewer.
        """
        y_true, y_pred = tensor(y_true), tensor(y_pred)
        labels = y_true if self.sparse_y_true else jnp.argmax(y_true, self.axis)
        predictions = y_pred if self.sparse_y_pred else jnp.argmax(y_pred, self.axis)
        weight = jnp.ones(labels.shape, self.dtype)
        if sample_weight is not None:
            if jnp.issubdtype(weight.dtype, jnp.integer) and _has_fractions(sample_weight):
                warnings.warn(
                    f"{self.name}: casting weights from float to int, in which this metric counts, cuts off their "
                    'fractions. Give the metric dtype="float32" to keep them.',
                    stacklevel=2,
                )
            weight = jnp.broadcast_to(weight_like(sample_weight, weight), labels.shape)
        labels, predictions, weight = labels.ravel().astype(int), predictions.ravel().astype(int), weight.ravel()
        if self.ignore_class is not None:
            weight = jnp.where(labels == self.ignore_class, 0, weight)
        inside = (labels >= 0) & (labels < self.num_classes) & (predictions >= 0) & (predictions < self.num_classes)
        index = jnp.where(inside, labels * self.num_classes + predictions, 0)
        counts = jax.ops.segment_sum(jnp.where(inside, weight, 0), index, self.num_classes**2)
        self.total_cm.assign_add(counts.reshape(self.num_classes, self.num_classes))

    def result(self) -> Array:
        """The mean over the classes that occur in labels or predictions."""
        matrix = self.total_cm.raw
        both = jnp.diagonal(matrix)
        union = jnp.sum(matrix, 0) + jnp.sum(matrix, 1) - both
        ids = jnp.asarray(self.target_class_ids)
        both, union = both[ids], union[ids]
        return safe_divide(jnp.sum(safe_divide(both, union)), jnp.sum(union > 0).astype(matrix.dtype))


def _has_fractions(weight):
    return not isinstance(weight, jax.core.Tracer) and bool(np.any(np.asarray(weight) % 1))


class MeanIoU(IoU):
    """`IoU`, averaged over all classes.

    >>> round(float(MeanIoU(2)([0, 0, 1, 1], [0, 1, 1, 1])), 3)
    0.583
    """

    target_class_ids = property(lambda self: list(range(self.num_classes)))


class OneHotIoU(IoU):
    """`IoU` for one-hot labels, and predictions that are scores of the classes.

    >>> round(float(OneHotIoU(2, [1])([[1, 0], [0, 1]], [[0.4, 0.6], [0.3, 0.7]])), 3)
    0.5
    """

    sparse_y_true = False
    sparse_y_pred: bool = False


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` for one-hot labels, and predictions that are scores of the classes.

    >>> round(float(OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.4, 0.6], [0.3, 0.7]])), 3)
    0.25
    """

    sparse_y_true = False
    sparse_y_pred: bool = False


class BinaryIoU(IoU):
    """The intersection over union of the classes 0 (predictions below the threshold) and 1.

    >>> round(float(BinaryIoU()([0, 0, 1, 1], [0.2, 0.6, 0.7, 0.9])), 3)
    0.583
    """

    target_class_ids: list = field(_class_ids, default=(0, 1), first=True)
    threshold: float = field(default=0.5, first=True, doc="Predictions of at least this are class 1.")

    num_classes = 2
    ignore_class = None
    sparse_y_true = sparse_y_pred = True
    axis = -1
    traits = IoU.traits

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        super().update_state(y_true, (as_float(y_pred) >= self.threshold).astype("int32"), sample_weight)
