"""How values are matched with weights and masks, and averaged: the rules that losses, metrics and training share.

Here `values` are what a loss or metric gives for each sample, ``(N,)``, or for each step or pixel, ``(N, T)``. A
weight or mask with fewer axes than the values applies to whole samples or steps.
"""

import jax
import jax.numpy as jnp
from jax import Array

from .. import core
from ..core.config import behaviour
from ..ops.table import tensor


def targets_like(y_true: Array, y_pred: Array) -> Array:
    """The targets with the rank of the predictions, where an axis of size 1 is the only difference.

    >>> targets_like(jnp.zeros(8), jnp.zeros((8, 1))).shape
    (8, 1)
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return y_true[..., None]
    return without_unit_axis(y_true, y_pred.ndim)


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets and predictions of the same rank, where an axis of size 1 is the only difference.

    The longer of the two loses the axis, unless the other is a vector: then that becomes a column.

    >>> [y.shape for y in align(jnp.zeros((8, 5, 1)), jnp.zeros((8, 5)))]
    [(8, 5), (8, 5)]
    """
    if y_pred.ndim == y_true.ndim + 1 and y_true.ndim != 1:
        return y_true, without_unit_axis(y_pred, y_true.ndim)
    if y_true.ndim == 2 and y_pred.ndim == 1 and y_true.shape[1] == 1:
        return y_true, y_pred[:, None]
    return targets_like(y_true, y_pred), y_pred


def without_unit_axis(x: Array, ndim: int) -> Array:
    """`x` without its last axis, if that has size 1 and is one more than `ndim`."""
    return x[..., 0] if x.ndim == ndim + 1 and x.shape[-1] == 1 else x


def with_axes(x: Array, ndim: int) -> Array:
    """`x` with axes of size 1 added at the end, up to `ndim` axes."""
    return x.reshape(x.shape + (1,) * (ndim - x.ndim))


def weight_like(weight, values: Array) -> Array:
    """A weight with the type and the rank of the values, so that it broadcasts against them.

    >>> weight_like([1, 2], jnp.zeros((2, 3))).shape
    (2, 1)
    """
    return with_axes(without_unit_axis(tensor(weight).astype(values.dtype), values.ndim), values.ndim)


def mask_like(mask, values: Array) -> Array:
    """A mask in the shape of the values. Of axes that the values lack, the first entry is taken."""
    mask = tensor(mask)
    while mask.ndim > values.ndim:
        mask = mask[..., 0]
    return jnp.broadcast_to(with_axes(mask, values.ndim), values.shape)


def mask_of(y_pred) -> Array | None:
    """The mask that a layer left on these predictions, ``None`` if there is none."""
    return core.get_mask(y_pred) if isinstance(y_pred, jax.Array) else None


def both_masks(mask: Array | None, other: Array | None) -> Array | None:
    """True where both masks are; a missing mask is True everywhere."""
    return other if mask is None else mask if other is None else mask & other


def over_weighted_axes(values: Array, weight: Array) -> Array:
    """The mean of the values over the axes that the weight does not have."""
    return jnp.mean(values, tuple(range(weight.ndim, values.ndim))) if values.ndim > weight.ndim else values


def safe_divide(a: Array, b: Array) -> Array:
    """``a / b``, and 0 where b is 0.

    >>> safe_divide(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])).tolist()
    [0.0, 0.5]
    """
    return jnp.where(b == 0, 0, a / jnp.where(b == 0, 1, b))


def reduce_weighted(values, sample_weight=None, mask=None, reduction="sum_over_batch_size") -> Array:
    """What a `Loss` makes of its values: weighted, and reduced to one number unless the reduction is ``"none"``.

    Values that are masked out count neither in sums nor in means.

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


def weighted(values, sample_weight, mask, dtype) -> tuple[Array, Array | None]:
    """What a metric sums up: values, and weights of their shape (``None`` for equal weights).

    Values are averaged over the axes that the weights do not have. Those of weight 0 become 0, even NaN.
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


def weighted_mean(values, weights, mask, rows=None) -> Array:
    """What `fit` makes of the values of a loss or metric that is a function: their mean over the batch.

    Where weights are given, Keras 1 and 2 divide by the number of weights that are not 0, Keras 3 by the batch size.

    Args:
        values: ``(N,)``, ``(N, T)``, ... or a scalar.
        weights: ``(N,)``, ``(N, T)`` or ``None``.
        mask: booleans, ``(N,)``, ``(N, T)`` or ``None``. The mean is over the places where it is True.
        rows: number of true rows in a batch that was filled up. The mask is False in the others, their weight is 0.
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
