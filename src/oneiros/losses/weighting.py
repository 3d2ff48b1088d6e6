"""How losses, metrics and training match values with weights and masks, and average them.

Here `values` are what a loss or metric computes for each sample, ``(N,)``, or for each step or pixel, ``(N, T)``. A
weight or mask with fewer axes than the values applies to whole samples or steps.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .. import core
from ..core.config import behaviour
from ..ops.table import tensor


def targets_like(y_true: Array, y_pred: Array) -> Array:
    """The targets with the rank of the predictions, if an axis of size 1 is the only difference.

    >>> targets_like(jnp.zeros(8), jnp.zeros((8, 1))).shape
    (8, 1)
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return y_true[..., None]
    return without_unit_axis(y_true, y_pred.ndim)


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets and predictions with the same rank, if an axis of size 1 is the only difference.

    The one of higher rank loses the axis, unless the other is a vector: then the vector becomes a column.

    >>> [y.shape for y in align(jnp.zeros((8, 5, 1)), jnp.zeros((8, 5)))]
    [(8, 5), (8, 5)]
    """
    if y_pred.ndim == y_true.ndim + 1 and y_true.ndim != 1:
        return y_true, without_unit_axis(y_pred, y_true.ndim)
    if y_true.ndim == 2 and y_pred.ndim == 1 and y_true.shape[1] == 1:
        return y_true, y_pred[:, None]
    return targets_like(y_true, y_pred), y_pred


def without_unit_axis(x: Array, ndim: int) -> Array:
    """`x` without its last axis, if `x` has ``ndim + 1`` axes and the last one has size 1.

    >>> without_unit_axis(jnp.zeros((8, 1)), 1).shape
    (8,)
    """
    return x[..., 0] if x.ndim == ndim + 1 and x.shape[-1] == 1 else x


def with_axes(x: Array, ndim: int) -> Array:
    """`x` with axes of size 1 appended until it has `ndim` axes.

    >>> with_axes(jnp.zeros(8), 3).shape
    (8, 1, 1)
    """
    return x.reshape(x.shape + (1,) * (ndim - x.ndim))


def weight_like(weight, values: Array) -> Array:
    """A weight with the type and the rank of the values, so that it broadcasts against them.

    >>> weight_like([1, 2], jnp.zeros((2, 3))).shape
    (2, 1)
    """
    return with_axes(without_unit_axis(tensor(weight).astype(values.dtype), values.ndim), values.ndim)


def mask_like(mask: Any, values: Array) -> Array:
    """A mask in the shape of the values. From axes that the values do not have, the first entry is taken."""
    mask = tensor(mask)
    while mask.ndim > values.ndim:
        mask = mask[..., 0]
    return jnp.broadcast_to(with_axes(mask, values.ndim), values.shape)


def mask_of(y_pred: Any) -> Array | None:
    """The mask that a layer attached to these predictions; `None` if there is none."""
    return core.get_mask(y_pred) if isinstance(y_pred, jax.Array) else None


def both_masks(mask: Array | None, other: Array | None) -> Array | None:
    """True where both masks are. A missing mask is True everywhere."""
    return other if mask is None else mask if other is None else mask & other


def over_weighted_axes(values: Array, weight: Array) -> Array:
    """The mean of the values over the axes that the weight does not have."""
    return jnp.mean(values, tuple(range(weight.ndim, values.ndim))) if values.ndim > weight.ndim else values


def safe_divide(a: Array, b: Array) -> Array:
    """``a / b``, with 0 where ``b`` is 0.

    >>> safe_divide(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])).tolist()
    [0.0, 0.5]
    """
    return jnp.where(b == 0, 0, a / jnp.where(b == 0, 1, b))


def reduce_weighted(
    values: Array, sample_weight: Any = None, mask: Any = None, reduction: str | None = "sum_over_batch_size"
) -> Array:
    """Weighs the values of a loss and reduces them to one number.

    Args:
        values: Losses ``(N,)``, or ``(N, T)`` for each step.
        sample_weight: Weights ``(N,)`` or of the shape of the values.
        mask: Booleans ``(N,)`` or of the shape of the values. Values where it is False count neither in sums nor in
            means.
        reduction: ``"sum_over_batch_size"`` divides the sum by the number of values, ``"mean_with_sample_weight"`` by
            the sum of the weights. ``"sum"`` does not divide. ``"none"`` or `None` returns the weighted values.

    Returns:
        A scalar, or an array of the shape of the values if nothing is reduced.

    >>> float(reduce_weighted(jnp.array([1.0, 3.0]), sample_weight=[1.0, 3.0]))
    5.0
    """
    weight = None if sample_weight is None else weight_like(sample_weight, values)
    if mask is not None:
        mask = weight_like(mask, values)
        weight = mask if weight is None else weight * mask
    if weight is not None:
        values = jnp.where(weight == 0, 0, values) * weight if mask is not None else values * weight
    if reduction in (None, "none"):
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        return safe_divide(total, jnp.sum(jnp.broadcast_to(weight, values.shape)))
    if mask is not None:
        return safe_divide(total, jnp.sum(jnp.broadcast_to(mask, values.shape)))
    return total / max(values.size, 1)


def weighted(values: Any, sample_weight: Any, mask: Any, dtype: str) -> tuple[Array, Array | None]:
    """Prepares the values and weights that a metric sums up.

    Values are averaged over the axes that the weights do not have. Values of weight 0 become 0, even if they are NaN.

    Args:
        values: ``(N,)``, ``(N, T)``, ... or a scalar.
        sample_weight: Weights with as many axes as the values or fewer; `None` for equal weights.
        mask: Booleans with as many axes as the values or fewer, or `None`.
        dtype: Type to compute in.

    Returns:
        The values, and weights of their shape; `None` for the latter if all values weigh the same.
    """
    values = tensor(values).astype(dtype)
    weight = None if sample_weight is None else tensor(sample_weight).astype(dtype)
    if mask is not None:
        mask = tensor(mask).astype(dtype)
        if weight is None:
            weight = mask
        else:
            weight = without_unit_axis(weight, mask.ndim)
            ndim = max(weight.ndim, mask.ndim)
            weight = with_axes(weight, ndim) * with_axes(mask, ndim)
    if weight is None:
        return values, None
    weight = without_unit_axis(weight, values.ndim)
    values = over_weighted_axes(values, weight)
    return jnp.where(weight == 0, 0, values), jnp.broadcast_to(weight, values.shape)


def weighted_mean(values: Any, weights: Any, mask: Any, rows: Any = None) -> Array:
    """The mean over the batch of what a loss or metric function returned, as `fit` computes it.

    With weights, Keras 1 and 2 divide by the number of weights that are not 0, and Keras 3 by the batch size.

    Args:
        values: ``(N,)``, ``(N, T)``, ... or a scalar.
        weights: ``(N,)``, ``(N, T)`` or `None`.
        mask: Booleans, ``(N,)``, ``(N, T)`` or `None`. The mean is taken where it is True.
        rows: Number of rows of data in a batch that was padded. In the padded rows the mask is False and the weight 0.
    """
    values = jnp.asarray(values)
    share = 1 if rows is None or not values.ndim else rows / values.shape[0]
    if mask is not None and values.ndim:
        mask = mask_like(mask, values)
        values = jnp.where(mask, values, 0) * (mask.size * share / jnp.maximum(mask.sum(), 1))
    if weights is None:
        return values.mean() / share
    weights = jnp.asarray(weights, values.dtype)
    values = over_weighted_axes(values, weights)
    if behaviour.weights_normalized_by_count:
        return (values * weights).mean() / jnp.maximum((weights != 0).mean(), 1e-7)
    return (values * weights).mean() / share
