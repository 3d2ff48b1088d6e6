"""Shapes: axes moved, tensors joined, cut and read in parts (a part of `keras.ops.numpy`)."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import op
from .table import Axes, Shape, Tensor, define, dims, operand, tensor, tensors


@op
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Array:
    """New axes of size 1.

    Args:
        x: Tensor of any shape.
        axis: Place or places of the new axes in the result.

    Returns:
        The same elements in a shape with one dimension more for each new axis.

    >>> expand_dims([1, 2], 0).shape
    (1, 2)
    """
    return jnp.expand_dims(operand(x), axis)


@define(jnp, "count_nonzero flip squeeze")
def _along(x: Tensor, axis: Axes = None, *, function) -> Array:
    """A function of the axes of a tensor.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to work on; ``None`` for all of them (`squeeze`: all of size 1).

    Returns:
        A tensor.

    >>> count_nonzero([[0, 1], [2, 3]], axis=0).tolist()
    [1, 2]

    >>> flip([1, 2, 3]).tolist()
    [3, 2, 1]

    >>> squeeze([[[1, 2]]]).shape
    (2,)
    """
    return function(operand(x), axis=axis)


@define(jnp, "diag diagflat tril triu")
def _triangle(x: Tensor, k: int = 0, *, function) -> Array:
    """A diagonal or a triangle of matrices.

    Args:
        x: Tensor: a vector to put on a diagonal, or a matrix (`tril` and `triu`: matrices on the last two axes).
        k: Which diagonal: 0 the main one, positive above it, negative below it.

    Returns:
        A tensor.

    >>> diag([1, 2]).tolist()
    [[1, 0], [0, 2]]

    >>> tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]

    >>> triu([[1, 2], [3, 4]]).tolist()
    [[1, 2], [0, 4]]
    """
    return function(operand(x), k=k)


@define(jnp, "diagonal trace")
def _diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, *, function) -> Array:
    """The diagonal of matrices, or its sum.

    Args:
        x: Tensor of two or more dimensions.
        offset: Which diagonal: 0 the main one, positive above it, negative below it.
        axis1: Axis of the matrices' rows.
        axis2: Axis of the matrices' columns.

    Returns:
        A tensor without the two axes; the diagonal, if it is asked for, is the last axis.

    >>> diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]

    >>> trace([[1, 2], [3, 4]]).tolist()
    5
    """
    return function(operand(x), offset=offset, axis1=axis1, axis2=axis2)


@define(jnp, "dsplit hsplit vsplit")
def _split_there(x: Tensor, indices_or_sections: int | Sequence[int], *, function) -> list[Array]:
    """Parts along the axis that the name says.

    Args:
        x: Tensor.
        indices_or_sections: The number of equal parts, or the indices at which to cut.

    Returns:
        A list of tensors.

    >>> [part.tolist() for part in hsplit([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    return function(operand(x), indices_or_sections=indices_or_sections)


@define(jnp, "array_split split")
def _split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0, *, function) -> list[Array]:
    """Parts along an axis.

    Args:
        x: Tensor.
        indices_or_sections: The number of parts, or the indices at which to cut. `split` wants equal parts.
        axis: Axis to cut.

    Returns:
        A list of tensors.

    >>> [part.tolist() for part in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]

    >>> [part.tolist() for part in array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    return function(operand(x), indices_or_sections=indices_or_sections, axis=axis)


@op
def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Axes moved to other places; the others keep their order.

    Args:
        x: Tensor.
        source: Axis or axes to move.
        destination: Where each of them goes.

    Returns:
        The same elements, with the axes in another order.

    >>> moveaxis(jnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return jnp.moveaxis(operand(x), source, destination)


@op
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Array:
    """Two axes exchanged.

    Args:
        x: Tensor.
        axis1: One axis.
        axis2: The other axis.

    Returns:
        The same elements, with the two axes exchanged.

    >>> swapaxes(jnp.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    return jnp.swapaxes(operand(x), axis1, axis2)


@op
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Array:
    """The axes in another order.

    Args:
        x: Tensor.
        axes: For each axis of the result, the axis of `x`; by default the order is reversed.

    Returns:
        The same elements, with the axes reordered.

    >>> transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.transpose(operand(x), axes)


@op
def roll(x: Tensor, shift: int | Sequence[int], axis: Axes = None) -> Array:
    """Elements shifted along an axis; those pushed out at the end come back at the beginning.

    Args:
        x: Tensor.
        shift: By how many places, for each axis.
        axis: Axis or axes to shift along; ``None`` for the flattened tensor.

    Returns:
        A tensor of the shape of `x`.

    >>> roll([1, 2, 3], 1).tolist()
    [3, 1, 2]
    """
    return jnp.roll(operand(x), shift, axis)


@define(jnp, "take take_along_axis")
def _take(x: Tensor, indices: Tensor, axis: int | None = None, *, function) -> Array:
    """Elements at indices.

    Args:
        x: Tensor.
        indices: Integers. `take_along_axis` wants as many dimensions as `x` has, with one row of indices for each.
        axis: Axis that the indices count along; ``None`` for the flattened tensor.

    Returns:
        A tensor. `take` puts the dimensions of the indices in the place of the axis.

    >>> take([10, 20, 30], [2, 0]).tolist()
    [30, 10]

    >>> take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1).tolist()
    [[20], [30]]
    """
    return function(operand(x), operand(indices), axis=axis)


@op
def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Array:
    """Each element several times.

    Args:
        x: Tensor.
        repeats: How often each element is repeated: one number, or one for each element of the axis.
        axis: Axis to repeat along; ``None`` for the flattened tensor.

    Returns:
        A tensor that is longer along the axis.

    >>> repeat([1, 2], 2).tolist()
    [1, 1, 2, 2]
    """
    return jnp.repeat(operand(x), repeats, axis)


@define(jnp, "dstack hstack vstack")
def _stack_there(xs: Sequence[Tensor], *, function) -> Array:
    """Tensors joined along the axis that the name says.

    Args:
        xs: List of tensors, or one tensor that is split along its first axis.

    Returns:
        A tensor.

    >>> hstack([[1, 2], [3]]).tolist()
    [1, 2, 3]

    >>> vstack([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return function(tensors(xs))


@op
def concatenate(xs: Sequence[Tensor], axis: int | None = 0) -> Array:
    """Tensors joined along an axis that they have.

    Args:
        xs: List of tensors whose other axes agree.
        axis: Axis to join along; ``None`` to join the flattened tensors.

    Returns:
        A tensor.

    >>> concatenate([[[1, 2]], [[3, 4]]], axis=1).tolist()
    [[1, 2, 3, 4]]
    """
    return jnp.concatenate(tensors(xs), axis)


@op
def rot90(array: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """A tensor turned by 90 degrees, counterclockwise.

    Args:
        array: Tensor of two or more dimensions.
        k: How many times to turn it.
        axes: The two axes of the plane.

    Returns:
        The same elements in their new places.

    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    return jnp.rot90(operand(array), k=k, axes=axes)


@op
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Array:
    """The second tensor behind the first.

    Args:
        x1: First tensor.
        x2: Second tensor.
        axis: Axis to join along; ``None`` to join the flattened tensors.

    Returns:
        A tensor.

    >>> append([1, 2], [[3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return jnp.append(operand(x1), operand(x2), axis=axis)


@op
def unravel_index(indices: Tensor, shape: Shape):
    """Coordinates from indices into the flattened tensor.

    Args:
        indices: Integers.
        shape: Shape of the tensor.

    Returns:
        A tuple with the indices along each axis.

    >>> [index.tolist() for index in unravel_index([1, 5], (2, 3))]
    [[0, 1], [1, 2]]
    """
    return jnp.unravel_index(operand(indices), shape)


@op
def broadcast_to(x: Tensor, shape: Shape) -> Array:
    """`x` repeated until it has a shape.

    Args:
        x: Tensor whose axes are of size 1 or of the size wanted.
        shape: Shape of the result.

    Returns:
        A tensor of the shape.

    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return jnp.broadcast_to(tensor(x), dims(shape))


@op
def get_item(x: Tensor, key) -> Array:
    """``x[key]``.

    Args:
        x: Tensor.
        key: Index, slice, ``...``, or a tuple of them.

    Returns:
        A part of `x`.

    >>> get_item([[1, 2], [3, 4]], (0, -1)).tolist()
    2
    """
    return tensor(x)[key]


def ndim(x: Tensor) -> int:
    """The number of dimensions.

    Args:
        x: Tensor.

    Returns:
        A number of Python's, for a symbol too.

    >>> ndim([[1, 2]])
    2
    """
    return len(x.shape) if hasattr(x, "shape") else tensor(x).ndim


@op
def pad(x: Tensor, pad_width, mode: str = "constant", constant_values=None) -> Array:
    """Values added around a tensor.

    Args:
        x: Tensor.
        pad_width: How many values: one number, ``(before, after)``, or one such pair for each axis.
        mode: 'constant', 'reflect', 'symmetric', 'edge', 'wrap' and others of `numpy.pad`.
        constant_values: The value that 'constant' adds; 0 by default.

    Returns:
        A larger tensor.

    >>> pad([1, 2], (1, 2)).tolist()
    [0, 1, 2, 0, 0]
    """
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return jnp.pad(tensor(x), pad_width, mode=mode, **options)


@op
def reshape(x: Tensor, newshape: Shape) -> Array:
    """The same elements in another shape.

    Args:
        x: Tensor.
        newshape: The new shape. One dimension may be -1, which is then inferred; ``None`` keeps the dimension that
            `x` has at that place.

    Returns:
        A tensor of the new shape.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """
    x = tensor(x)
    shape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    unknown = [d for d in shape if d is None or d == -1]
    if len(unknown) == 1:
        shape = tuple(-1 if d is None else d for d in shape)
    return x.reshape(dims(x.shape[i] if d is None else d for i, d in enumerate(shape)))


@op
def size(x: Tensor) -> int:
    """The number of elements.

    Args:
        x: Tensor.

    Returns:
        A number.

    >>> size([[1, 2, 3]])
    3
    """
    return tensor(x).size


@op
def stack(x: Sequence[Tensor], axis: int = 0) -> Array:
    """Tensors joined along a new axis.

    Args:
        x: List of tensors of one shape.
        axis: Place of the new axis in the result.

    Returns:
        A tensor with one dimension more.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.stack(tensors(x), axis)


@op
def tile(x: Tensor, repeats: Shape) -> Array:
    """A tensor repeated as a whole.

    Args:
        x: Tensor.
        repeats: How often to repeat it along each axis.

    Returns:
        A larger tensor.

    >>> tile([1, 2], 2).tolist()
    [1, 2, 1, 2]
    """
    return jnp.tile(tensor(x), dims(repeats))


def vectorize(pyfunc: Callable, *, excluded=None, signature: str | None = None) -> Callable:
    """Makes a function of single numbers one of tensors.

    Args:
        pyfunc: Function to call for each element.
        excluded: Places or names of arguments that are passed on as they are.
        signature: What the function takes and gives, if not single numbers: such as ``"(n),(n)->()"``.

    Returns:
        A function that broadcasts its arguments.

    >>> vectorize(lambda a, b: a * b)([1, 2], 3).tolist()
    [3, 6]
    """
    return op(jnp.vectorize(pyfunc, excluded=excluded or frozenset(), signature=signature))
