"""Shapes: moving axes, joining, splitting and indexing tensors (a part of `keras.ops.numpy`)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import op
from .table import Axes, Shape, Tensor, define, dims, operand, tensor, tensors


@op
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Array:
    """Adds axes of size 1.

    Args:
        x: Tensor of any shape.
        axis: Position or positions of the new axes in the result.

    Returns:
        A tensor of the same elements, with the new axes.

    >>> expand_dims([1, 2], 0).shape
    (1, 2)
    """
    return jnp.expand_dims(operand(x), axis)


@define(jnp, "count_nonzero flip squeeze")
def _along(x: Tensor, axis: Axes = None, *, function) -> Array:
    """A function of the axes of a tensor.

    Summaries:
        count_nonzero: Counts the elements along axes that are not 0.
        flip: Reverses the order of the elements along axes.
        squeeze: Removes axes of size 1.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes; ``None`` for all of them (`squeeze`: all those of size 1).

    Returns:
        A tensor. `flip` keeps the shape, `count_nonzero` and `squeeze` remove the axes.

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

    Summaries:
        diag: The diagonal of a matrix, or the matrix with a vector on its diagonal.
        diagflat: The matrix with the flattened tensor on its diagonal.
        tril: The lower triangle of matrices; elements above the diagonal become 0.
        triu: The upper triangle of matrices; elements below the diagonal become 0.

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

    >>> diagflat([[1, 2]]).tolist()
    [[1, 0], [0, 2]]
    """
    return function(operand(x), k=k)


@define(jnp, "diagonal trace")
def _diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, *, function) -> Array:
    """The diagonal of matrices, or its sum.

    Summaries:
        diagonal: The diagonal of matrices.
        trace: The sum of the diagonal of matrices.

    Args:
        x: Tensor of two or more dimensions.
        offset: Which diagonal: 0 the main one, positive above it, negative below it.
        axis1: Axis of the matrices' rows.
        axis2: Axis of the matrices' columns.

    Returns:
        A tensor without the two axes. `diagonal` appends the diagonal as the last axis.

    >>> diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]

    >>> trace([[1, 2], [3, 4]]).tolist()
    5
    """
    return function(operand(x), offset=offset, axis1=axis1, axis2=axis2)


@define(jnp, "dsplit hsplit vsplit")
def _split_there(x: Tensor, indices_or_sections: int | Sequence[int], *, function) -> list[Array]:
    """Parts along one axis.

    Summaries:
        dsplit: Splits a tensor along its third axis.
        hsplit: Splits a tensor along its second axis; a vector along its only one.
        vsplit: Splits a tensor along its first axis.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal parts, or the indices at which to split.

    Returns:
        A list of tensors.

    >>> [part.tolist() for part in hsplit([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]

    >>> [part.tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
    [[[1, 2]], [[3, 4]]]

    >>> [part.shape for part in dsplit(jnp.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return function(operand(x), indices_or_sections=indices_or_sections)


@define(jnp, "array_split split")
def _split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0, *, function) -> list[Array]:
    """Parts along an axis.

    Summaries:
        array_split: Splits a tensor along an axis into parts whose sizes may differ by one.
        split: Splits a tensor along an axis into equal parts.

    Args:
        x: Tensor.
        indices_or_sections: Number of parts, or the indices at which to split. For `split`, the number must divide the
            size of the axis.
        axis: Axis to split.

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
    """Moves axes to other positions; the other axes keep their order.

    Args:
        x: Tensor.
        source: Axis or axes to move.
        destination: New position of each of them.

    Returns:
        A tensor with reordered axes.

    >>> moveaxis(jnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return jnp.moveaxis(operand(x), source, destination)


@op
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Array:
    """Exchanges two axes.

    Args:
        x: Tensor.
        axis1: First axis.
        axis2: Second axis.

    Returns:
        A tensor with the two axes exchanged.

    >>> swapaxes(jnp.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    return jnp.swapaxes(operand(x), axis1, axis2)


@op
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Array:
    """Reorders the axes.

    Args:
        x: Tensor.
        axes: For each axis of the result, the axis of `x`. By default, the order is reversed.

    Returns:
        A tensor with reordered axes.

    >>> transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.transpose(operand(x), axes)


@op
def roll(x: Tensor, shift: int | Sequence[int], axis: Axes = None) -> Array:
    """Shifts elements along axes; those that leave at the end re-enter at the beginning.

    Args:
        x: Tensor.
        shift: Number of positions to shift by, for each axis.
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

    Summaries:
        take: Takes slices of a tensor at indices along an axis.
        take_along_axis: Takes elements along an axis, with separate indices for each position on the other axes.

    Args:
        x: Tensor.
        indices: Integers. For `take_along_axis`, a tensor with the number of dimensions of `x`, whose other axes
            broadcast against those of `x`.
        axis: Axis that the indices refer to; ``None`` for the flattened tensor.

    Returns:
        A tensor. `take` replaces the axis by the axes of the indices; `take_along_axis` returns the shape of the
        indices, broadcast along the other axes.

    >>> take([10, 20, 30], [2, 0]).tolist()
    [30, 10]

    >>> take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1).tolist()
    [[20], [30]]
    """
    return function(operand(x), operand(indices), axis=axis)


@op
def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Array:
    """Repeats each element.

    Args:
        x: Tensor.
        repeats: Number of repetitions: one for all, or one for each element along the axis.
        axis: Axis to repeat along; ``None`` for the flattened tensor.

    Returns:
        A tensor that is longer along the axis.

    >>> repeat([1, 2], 2).tolist()
    [1, 1, 2, 2]
    """
    return jnp.repeat(operand(x), repeats, axis)


@define(jnp, "dstack hstack vstack")
def _stack_there(xs: Sequence[Tensor], *, function) -> Array:
    """Tensors joined along one axis.

    Summaries:
        dstack: Joins tensors along their third axis.
        hstack: Joins tensors along their second axis; vectors along their only one.
        vstack: Joins tensors along their first axis; vectors as rows of a matrix.

    Args:
        xs: List of tensors, or one tensor that is split along its first axis.

    Returns:
        A tensor.

    >>> hstack([[1, 2], [3]]).tolist()
    [1, 2, 3]

    >>> vstack([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]

    >>> dstack([[1, 2], [3, 4]]).tolist()
    [[[1, 3], [2, 4]]]
    """
    return function(tensors(xs))


@op
def concatenate(xs: Sequence[Tensor], axis: int | None = 0) -> Array:
    """Joins tensors along an existing axis.

    Args:
        xs: List of tensors whose shapes agree except for that axis.
        axis: Axis to join along; ``None`` to join the flattened tensors.

    Returns:
        A tensor.

    >>> concatenate([[[1, 2]], [[3, 4]]], axis=1).tolist()
    [[1, 2, 3, 4]]
    """
    return jnp.concatenate(tensors(xs), axis)


@op
def rot90(array: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Rotates a tensor by 90 degrees, counterclockwise.

    Args:
        array: Tensor of two or more dimensions.
        k: Number of rotations; negative for clockwise.
        axes: The two axes of the plane of rotation: from the first towards the second.

    Returns:
        The rotated tensor.

    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    return jnp.rot90(operand(array), k=k, axes=axes)


@op
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Array:
    """Joins two tensors.

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
def unravel_index(indices: Tensor, shape: Shape) -> tuple[Array, ...]:
    """Converts indices into a flattened tensor to coordinates.

    Args:
        indices: Integers.
        shape: Shape of the tensor.

    Returns:
        A tuple with one tensor of indices for each axis.

    >>> [index.tolist() for index in unravel_index([1, 5], (2, 3))]
    [[0, 1], [1, 2]]
    """
    return jnp.unravel_index(operand(indices), shape)


@op
def broadcast_to(x: Tensor, shape: Shape) -> Array:
    """Broadcasts a tensor to a shape.

    Args:
        x: Tensor. Each axis must have size 1 or the size of the new shape; axes may be missing in front.
        shape: The new shape.

    Returns:
        A tensor of the new shape.

    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return jnp.broadcast_to(tensor(x), dims(shape))


@op
def get_item(x: Tensor, key: Any) -> Array:
    """Indexes a tensor: ``x[key]``.

    Args:
        x: Tensor.
        key: Index, slice, ``...``, ``None``, a tensor of indices, or a tuple of them.

    Returns:
        The selected part of `x`.

    >>> get_item([[1, 2], [3, 4]], (0, -1)).tolist()
    2
    """
    return tensor(x)[key]


def ndim(x: Tensor) -> int:
    """The number of dimensions.

    Args:
        x: Tensor.

    Returns:
        A Python integer, for symbols as well.

    >>> ndim([[1, 2]])
    2
    """
    return len(x.shape) if hasattr(x, "shape") else tensor(x).ndim


@op
def pad(x: Tensor, pad_width: int | Sequence, mode: str = "constant", constant_values: Tensor = None) -> Array:
    """Pads a tensor.

    Args:
        x: Tensor.
        pad_width: Number of elements to add: one number, ``(before, after)``, or one such pair for each axis.
        mode: 'constant', 'reflect', 'symmetric', 'edge', 'wrap', or another mode of `numpy.pad`.
        constant_values: Value for the mode 'constant'; 0 by default.

    Returns:
        The padded tensor.

    Raises:
        ValueError: If there is a value for another mode than 'constant'.

    >>> pad([1, 2], (1, 2)).tolist()
    [0, 1, 2, 0, 0]
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values is for mode='constant'. Received: mode={mode!r}, {constant_values=}")
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return jnp.pad(tensor(x), pad_width, mode=mode, **options)


@op
def reshape(x: Tensor, newshape: Shape) -> Array:
    """Changes the shape of a tensor.

    Args:
        x: Tensor.
        newshape: The new shape. One dimension may be -1 (or ``None``), and is then inferred. If several dimensions are
            ``None``, each keeps the size that `x` has at its position.

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
        A Python integer.

    >>> size([[1, 2, 3]])
    3
    """
    return tensor(x).size


@op
def stack(x: Sequence[Tensor], axis: int = 0) -> Array:
    """Joins tensors along a new axis.

    Args:
        x: List of tensors of the same shape.
        axis: Position of the new axis in the result.

    Returns:
        A tensor with one more dimension.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.stack(tensors(x), axis)


@op
def tile(x: Tensor, repeats: Shape) -> Array:
    """Repeats a tensor as a whole.

    Args:
        x: Tensor.
        repeats: Number of repetitions along each axis.

    Returns:
        A tensor whose axes are longer by these factors.

    >>> tile([1, 2], 2).tolist()
    [1, 2, 1, 2]
    """
    return jnp.tile(tensor(x), dims(repeats))


def vectorize(
    pyfunc: Callable, *, excluded: Iterable[int | str] | None = None, signature: str | None = None
) -> Callable:
    """Turns a function of numbers into a function of tensors.

    Args:
        pyfunc: Function to call for each element. It must consist of JAX-compatible operations.
        excluded: Positions or names of arguments that are passed on unchanged.
        signature: Shapes of the arguments and of the result if they are not numbers, such as ``"(n),(n)->()"``.

    Returns:
        A function that broadcasts its arguments against each other.

    >>> vectorize(lambda a, b: a * b)([1, 2], 3).tolist()
    [3, 6]
    """
    return op(jnp.vectorize(pyfunc, excluded=excluded or frozenset(), signature=signature))
