"""Reductions, sorting, counting and sums of products (a part of `keras.ops.numpy`)."""

import builtins
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from ..core import op
from .table import Axes, DType, Tensor, as_float, define, operand, tensor, tensors


@define(
    jnp,
    "all amax amin any argmax argmin mean median nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd "
    "nansum nanvar ptp std sum var",
)
def _reduction(x: Tensor, axis: Axes = None, keepdims: bool = False, *, function) -> Array:
    """A reduction over axes.

    Summaries:
        all: Whether all elements along axes are true.
        amax: The largest element along axes.
        amin: The smallest element along axes.
        any: Whether at least one element along axes is true.
        argmax: The index of the largest element along an axis.
        argmin: The index of the smallest element along an axis.
        mean: The mean along axes.
        median: The median along axes.
        nanargmax: The index of the largest element along an axis, ignoring NaN.
        nanargmin: The index of the smallest element along an axis, ignoring NaN.
        nanmax: The largest element along axes, ignoring NaN.
        nanmean: The mean along axes, ignoring NaN.
        nanmedian: The median along axes, ignoring NaN.
        nanmin: The smallest element along axes, ignoring NaN.
        nanprod: The product of the elements along axes, ignoring NaN.
        nanstd: The standard deviation along axes, ignoring NaN.
        nansum: The sum of the elements along axes, ignoring NaN.
        nanvar: The variance along axes, ignoring NaN.
        ptp: The largest minus the smallest element along axes.
        std: The standard deviation along axes.
        sum: The sum of the elements along axes.
        var: The variance along axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce over; ``None`` for all of them. `argmax` and `argmin` take one axis.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    >>> sum([[1, 2], [3, 4]], axis=0).tolist()
    [4, 6]

    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=1, keepdims=True).tolist()
    [[1.5], [3.5]]

    >>> var([1.0, 3.0]).tolist()
    1.0

    >>> std([1.0, 3.0]).tolist()
    1.0

    >>> argmax([[1, 5, 2], [4, 3, 0]], axis=-1).tolist()
    [1, 0]

    >>> any([[True, False], [False, False]], axis=1).tolist()
    [True, False]

    >>> all([[True, False], [True, True]], axis=1).tolist()
    [False, True]

    >>> nansum([1.0, float("nan")]).tolist()
    1.0

    >>> amax([[1, 5], [4, 2]], axis=0).tolist()
    [4, 5]

    >>> amin([[1, 5], [4, 2]], axis=0).tolist()
    [1, 2]

    >>> argmin([[1, 5, 2], [4, 3, 0]], axis=-1).tolist()
    [0, 2]

    >>> median([1.0, 9.0, 2.0]).tolist()
    2.0

    >>> nanargmax([1.0, float("nan"), 3.0]).tolist()
    2

    >>> nanargmin([float("nan"), 1.0, 3.0]).tolist()
    1

    >>> nanmax([1.0, float("nan")]).tolist()
    1.0

    >>> nanmean([1.0, float("nan"), 3.0]).tolist()
    2.0

    >>> nanmedian([1.0, float("nan"), 3.0]).tolist()
    2.0

    >>> nanmin([1.0, float("nan")]).tolist()
    1.0

    >>> nanprod([2.0, float("nan")]).tolist()
    2.0

    >>> nanstd([1.0, float("nan"), 3.0]).tolist()
    1.0

    >>> nanvar([1.0, float("nan"), 3.0]).tolist()
    1.0

    >>> ptp([[1, 5], [4, 2]], axis=1).tolist()
    [4, 2]
    """
    return function(operand(x), axis=axis, keepdims=keepdims)


@define(jnp, "max min")
def _extreme(x: Tensor, axis: Axes = None, keepdims: bool = False, initial: Tensor = None, *, function) -> Array:
    """The largest or smallest element along axes.

    Summaries:
        max: The largest element along axes.
        min: The smallest element along axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.
        initial: A number that is compared with the elements, and the result for empty tensors.

    Returns:
        A tensor without the reduced axes.

    >>> max([[1, 5], [4, 2]], axis=0).tolist()
    [4, 5]

    >>> min([3, 4], initial=0).tolist()
    0
    """
    return function(operand(x), axis=axis, keepdims=keepdims, initial=initial)


@op
def prod(x: Tensor, axis: Axes = None, keepdims: bool = False, dtype: DType = None) -> Array:
    """The product of the elements along axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to multiply along; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.
        dtype: Data type of the result; by default that of `x`.

    Returns:
        A tensor without the reduced axes.

    >>> prod([[1, 2], [3, 4]], axis=1).tolist()
    [2, 12]
    """
    return jnp.prod(operand(x), axis=axis, keepdims=keepdims, dtype=dtype)


@define(jnp, "nanpercentile nanquantile percentile quantile")
def _quantile(
    x: Tensor, q: Tensor, axis: Axes = None, method: str = "linear", keepdims: bool = False, *, function
) -> Array:
    """Quantiles along axes.

    Summaries:
        nanpercentile: Percentiles along axes, ignoring NaN.
        nanquantile: Quantiles along axes, ignoring NaN.
        percentile: Percentiles along axes.
        quantile: Quantiles along axes.

    Args:
        x: Tensor of numbers.
        q: Which quantiles: numbers from 0 to 1 (for percentiles, from 0 to 100).
        axis: Axis or axes to reduce over; ``None`` for all of them.
        method: Value to take between two neighbouring elements: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes, behind the axes of `q`: ``(*q.shape, ...)``.

    >>> quantile([1.0, 2.0, 4.0], 0.5).tolist()
    2.0

    >>> percentile([1.0, 2.0, 4.0], 50).tolist()
    2.0

    >>> nanpercentile([1.0, 2.0, float("nan")], 50).tolist()
    1.5

    >>> nanquantile([1.0, 2.0, float("nan")], 0.5).tolist()
    1.5
    """
    return function(operand(x), q=operand(q), axis=axis, method=method, keepdims=keepdims)


@define(jnp, "cumprod cumsum nancumprod nancumsum")
def _cumulation(x: Tensor, axis: int | None = None, dtype: DType = None, *, function) -> Array:
    """Cumulative sums or products.

    Summaries:
        cumprod: The cumulative product of the elements along an axis.
        cumsum: The cumulative sum of the elements along an axis.
        nancumprod: The cumulative product of the elements along an axis, counting NaN as 1.
        nancumsum: The cumulative sum of the elements along an axis, counting NaN as 0.

    Args:
        x: Tensor of any shape.
        axis: Axis to accumulate along; ``None`` for the flattened tensor.
        dtype: Data type of the result; by default that of `x`.

    Returns:
        A tensor of the shape of `x`, flat if `axis` is ``None``.

    >>> cumsum([1, 2, 3]).tolist()
    [1, 3, 6]

    >>> cumprod([1, 2, 3]).tolist()
    [1, 2, 6]

    >>> nancumprod([2.0, float("nan"), 3.0]).tolist()
    [2.0, 2.0, 6.0]

    >>> nancumsum([2.0, float("nan"), 3.0]).tolist()
    [2.0, 2.0, 5.0]
    """
    return function(operand(x), axis=axis, dtype=dtype)


@define(jnp, "argsort sort")
def _order(x: Tensor, axis: int = -1, *, function) -> Array:
    """Ascending order along an axis.

    Summaries:
        argsort: The indices that sort a tensor along an axis, in ascending order.
        sort: Sorts a tensor along an axis, in ascending order.

    Args:
        x: Tensor of any shape.
        axis: Axis to sort along.

    Returns:
        A tensor of the shape of `x`.

    >>> sort([3, 1, 2]).tolist()
    [1, 2, 3]

    >>> argsort([3, 1, 2]).tolist()
    [1, 2, 0]
    """
    return function(operand(x), axis=axis)


@op
def average(x: Tensor, axis: Axes = None, weights: Tensor = None) -> Array:
    """The weighted mean along axes.

    Args:
        x: Tensor of numbers.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        weights: Weight of each element, of the shape of `x` or a vector for one axis; equal weights by default.

    Returns:
        A tensor without the reduced axes.

    >>> average([1.0, 5.0], weights=[3.0, 1.0]).tolist()
    2.0
    """
    return jnp.average(operand(x), axis=axis, weights=operand(weights))


@op
def argpartition(x: Tensor, kth: int, axis: int = -1) -> Array:
    """The indices that partition a tensor: the `kth` smallest elements come first, the others follow.

    Args:
        x: Tensor of any shape.
        kth: Position (from 0) at which the element is the one that sorting would put there. No element before it is
            larger, none behind it is smaller.
        axis: Axis to partition along.

    Returns:
        Integers of the shape of `x`.

    >>> int(argpartition([7, 1, 5], 0)[0])
    1
    """
    return jnp.argpartition(operand(x), kth, axis)


@op
def histogram(x: Tensor, bins: int | Tensor = 10, range: tuple[float, float] | None = None) -> tuple[Array, Array]:
    """Counts how many elements fall into each bin.

    Args:
        x: Tensor of numbers, of any shape.
        bins: Number of bins of equal width, or a vector of the edges of the bins.
        range: Smallest and largest edge; by default the smallest and largest element of `x`.

    Returns:
        ``(counts, edges)``: vectors of the length of the number of bins, and one more.

    >>> counts, edges = histogram([1.0, 2.0, 2.5], bins=2, range=(0, 4))
    >>> counts.tolist(), edges.tolist()
    ([1.0, 2.0], [0.0, 2.0, 4.0])
    """
    return jnp.histogram(operand(x), bins=operand(bins), range=range)


@op
def digitize(x: Tensor, bins: Tensor) -> Array:
    """The index of the bin of each element.

    Args:
        x: Tensor of numbers.
        bins: Vector of the edges of the bins, in ascending or descending order.

    Returns:
        Integers of the shape of `x`: 0 for elements before the first edge.

    >>> digitize([0.5, 1.5, 9.0], [1.0, 2.0]).tolist()
    [0, 1, 2]
    """
    return jnp.digitize(operand(x), bins=operand(bins))


@op
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Array:
    """Differences of neighbours along an axis.

    Args:
        a: Tensor of numbers.
        n: Number of times that differences are taken.
        axis: Axis of the neighbours.

    Returns:
        A tensor whose axis is shorter by `n`.

    >>> diff([1, 4, 9]).tolist()
    [3, 5]
    """
    return jnp.diff(operand(a), n=n, axis=axis)


@op
def trapezoid(y: Tensor, x: Tensor = None, dx: float = 1.0, axis: int = -1) -> Array:
    """The integral along an axis by the trapezoidal rule.

    Args:
        y: Values of the function at the sample points.
        x: Sample points. By default, they are `dx` apart.
        dx: Distance between sample points if `x` is not given.
        axis: Axis to integrate along.

    Returns:
        A tensor without the axis.

    >>> trapezoid([1.0, 2.0, 3.0]).tolist()
    4.0
    """
    return jnp.trapezoid(operand(y), operand(x), dx=dx, axis=axis)


@op
def tensordot(x1: Tensor, x2: Tensor, axes: int | Sequence = 2) -> Array:
    """Products of two tensors, summed over axes.

    Args:
        x1: First tensor.
        x2: Second tensor.
        axes: Number of axes to sum over: the last ones of `x1` and the first ones of `x2`. Or a pair of lists: the axes
            of `x1` and the axes of `x2`.

    Returns:
        A tensor with the remaining axes of `x1`, then those of `x2`.

    >>> tensordot([[1, 2], [3, 4]], [1, 1], axes=1).tolist()
    [3, 7]
    """
    return jnp.tensordot(operand(x1), operand(x2), axes=axes)


@op
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Array:
    """The cross-correlation of two vectors.

    Args:
        x1: First vector.
        x2: Second vector.
        mode: 'valid' where the vectors overlap completely, 'full' where they overlap at all, 'same' for the middle part
            of 'full' that has the length of the longer vector.

    Returns:
        A vector.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0]).tolist()
    [2.0, 3.0]
    """
    return jnp.correlate(operand(x1), operand(x2), mode=mode)


@op
def cross(x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """The cross product of vectors in three (or two) dimensions.

    Args:
        x1: Tensor of vectors of size 2 or 3.
        x2: Tensor of vectors of size 2 or 3.
        axisa: Axis of `x1` that holds the vectors.
        axisb: Axis of `x2` that holds the vectors.
        axisc: Axis of the result that holds the vectors.
        axis: Sets `axisa`, `axisb` and `axisc` to one value.

    Returns:
        A tensor of vectors of size 3; of numbers if both tensors hold vectors of size 2.

    >>> cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    return jnp.cross(operand(x1), operand(x2), axisa=axisa, axisb=axisb, axisc=axisc, axis=axis)


@op
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Array:
    """The positions at which to insert values so that a sequence stays sorted.

    Args:
        sorted_sequence: Vector in ascending order.
        values: Values to insert.
        side: 'left' to insert before equal elements, 'right' to insert after them.

    Returns:
        Integers of the shape of `values`.

    >>> searchsorted([1, 3, 5], [3, 4]).tolist()
    [1, 2]
    """
    return jnp.searchsorted(operand(sorted_sequence), operand(values), side=side)


@op
def bincount(x: Tensor, weights: Tensor = None, minlength: int = 0, sparse: bool = False) -> Array:
    """Counts how often each integer occurs.

    Args:
        x: Non-negative integers: a vector, or a matrix whose rows are counted separately.
        weights: Weights of the elements, of the shape of `x`; 1 by default.
        minlength: Smallest number of counts. In compiled code, it is the number of counts, and larger integers are
            ignored.
        sparse: Not used; results are dense.

    Returns:
        Counts ``(length,)`` or ``(rows, length)``.

    Raises:
        ValueError: In compiled code without `minlength`.

    >>> bincount([1, 1, 3]).tolist()
    [0, 2, 0, 1]
    """
    x = tensor(x)
    traced = isinstance(x, jax.core.Tracer)
    length = minlength if traced else builtins.max(minlength, int(x.max()) + 1 if x.size else 0)
    if traced and not minlength:
        raise ValueError("bincount in compiled code: the number of bins must be known. Give `minlength`.")
    weights = None if weights is None else tensor(weights)

    def count(x, weights):
        return jnp.bincount(x, weights, length=length)

    if x.ndim == 1:
        return count(x, weights)
    return jax.vmap(count, (0, None if weights is None else 0))(x, weights)


@op
def einsum(subscripts: str, *operands: Tensor, **kwargs) -> Array:
    """Sums of products in Einstein notation.

    Args:
        subscripts: One letter for each axis of the operands and of the result, such as ``"ij,jk->ik"``. Products are
            summed over the letters that are missing in the result.
        *operands: Tensors.
        **kwargs: Not used.

    Returns:
        A tensor.

    >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1]).tolist()
    [3, 7]
    """
    return jnp.einsum(subscripts, *tensors(operands))


@op
def slogdet(x: Tensor) -> tuple[Array, Array]:
    """The sign of the determinant, and the natural logarithm of its absolute value.

    Args:
        x: Square matrices ``(..., n, n)``.

    Returns:
        ``(sign, logarithm)``, both of shape ``(...)``.

    >>> [part.tolist() for part in slogdet([[-1.0, 0.0], [0.0, 1.0]])]
    [-1.0, 0.0]
    """
    return tuple(jnp.linalg.slogdet(as_float(x)))


@op
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Tensor = None,
) -> Array | tuple[Array, ...]:
    """The distinct values of a tensor, in ascending order.

    Args:
        x: Tensor.
        sorted: Not used; the values are always sorted.
        return_index: Whether to return the index at which each value occurs first.
        return_inverse: Whether to return, for each element of `x`, the index of its value.
        return_counts: Whether to return how often each value occurs.
        axis: Axis whose slices are compared; ``None`` to compare the elements.
        size: Number of values to return. It is required in compiled code.
        fill_value: Value that is repeated at the end if there are fewer than `size` values; by default the smallest
            one.

    Returns:
        The values, or a tuple of the values and of what the flags ask for, in the order of the arguments.

    >>> unique([3, 1, 3]).tolist()
    [1, 3]
    """
    flags = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    return jnp.unique(tensor(x), axis=axis, size=size, fill_value=fill_value, **flags)
