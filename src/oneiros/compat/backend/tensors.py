"""Elementwise functions, reductions, products and shapes, with the names and defaults of Keras 2."""

import builtins
import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import behaviour, config
from ...ops import math as ops_math
from ...ops.table import Axes, DType, Shape, Tensor, as_float, define, dims, operand, tensor, tensors, to_dtype
from .layouts import layout
from .products import matrix_products
from .recording import ShapeSymbol, function_of_tensors
from .state import is_sparse


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


@define(
    {
        "abs": jnp.abs,
        "cos": jnp.cos,
        "exp": jnp.exp,
        "flatten": jnp.ravel,
        "log": jnp.log,
        "round": jnp.round,
        "sign": jnp.sign,
        "sin": jnp.sin,
        "square": jnp.square,
        "tanh": jnp.tanh,
        "transpose": jnp.transpose,
    },
    make=function_of_tensors,
)
def _of_one(x: Tensor, *, function) -> jax.Array:
    """A function of one tensor.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor.

    >>> square([2.0, -3.0]).tolist()
    [4.0, 9.0]

    >>> flatten([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return function(tensor(x))


@function_of_tensors
def sqrt(x: Tensor) -> jax.Array:
    """The square root; negative numbers count as 0.

    Args:
        x: Tensor of numbers.

    Returns:
        A tensor of the shape of `x`.

    >>> sqrt([4.0, -1.0]).tolist()
    [2.0, 0.0]
    """
    return jnp.sqrt(jnp.maximum(tensor(x), 0))


@function_of_tensors
def batch_flatten(x: Tensor) -> jax.Array:
    """Each example as a vector.

    Args:
        x: Tensor ``(n, ...)``.

    Returns:
        A matrix of `n` rows.

    >>> batch_flatten(jnp.zeros((2, 3, 4))).shape
    (2, 12)
    """
    x = tensor(x)
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


@define(
    {
        "equal": jnp.equal,
        "greater": jnp.greater,
        "greater_equal": jnp.greater_equal,
        "less": jnp.less,
        "less_equal": jnp.less_equal,
        "lesser": jnp.less,
        "lesser_equal": jnp.less_equal,
        "maximum": jnp.maximum,
        "minimum": jnp.minimum,
        "not_equal": jnp.not_equal,
    },
    make=function_of_tensors,
)
def _of_two(x: Tensor, y: Tensor, *, function) -> jax.Array:
    """A function of two tensors, element by element.

    Args:
        x: First tensor.
        y: Second tensor, which broadcasts against the first.

    Returns:
        A tensor of the broadcast shape.

    >>> equal([1, 2], [1, 3]).tolist()
    [True, False]
    """
    return function(tensor(x), operand(y))


@function_of_tensors
def pow(x: Tensor, a: Tensor) -> jax.Array:
    """``x ** a``, element by element.

    Args:
        x: Tensor of numbers.
        a: Exponent, usually an integer.

    Returns:
        A tensor.

    >>> pow([2.0, 3.0], 2).tolist()
    [4.0, 9.0]
    """
    return jnp.power(tensor(x), operand(a))


@define({"all": jnp.all, "any": jnp.any, "b_any": jnp.any}, make=function_of_tensors)
def _of_booleans(x: Tensor, axis: Axes = None, keepdims: bool = False, *, function) -> jax.Array:
    """A reduction of truth values.

    Args:
        x: Tensor; numbers other than 0 are true.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor of booleans without the reduced axes.

    >>> any([[0, 1], [0, 0]], axis=1).tolist()
    [True, False]
    """
    return function(tensor(x).astype(bool), axis, keepdims=keepdims)


@define({"max": jnp.max, "min": jnp.min, "sum": jnp.sum}, make=function_of_tensors)
def _reduction(x: Tensor, axis: Axes = None, keepdims: bool = False, *, function) -> jax.Array:
    """A reduction.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    >>> sum([[1, 2], [3, 4]], axis=0).tolist()
    [4, 6]
    """
    return function(tensor(x), _axes(axis), keepdims=keepdims)


@define({"logsumexp": jax.nn.logsumexp, "mean": jnp.mean, "std": jnp.std, "var": jnp.var}, make=function_of_tensors)
def _reduction_to_floats(x: Tensor, axis: Axes = None, keepdims: bool = False, *, function) -> jax.Array:
    """A reduction of floats.

    Args:
        x: Tensor; integers and booleans become `floatx()`.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    >>> mean([[1, 2], [3, 4]], axis=0).tolist()
    [2.0, 3.0]
    """
    return function(as_float(x), _axes(axis), keepdims=keepdims)


@define({"argmax": jnp.argmax, "argmin": jnp.argmin, "expand_dims": jnp.expand_dims}, make=function_of_tensors)
def _on_last_axis(x: Tensor, axis: int = -1, *, function) -> jax.Array:
    """A function of one axis, the last by default.

    Args:
        x: Tensor.
        axis: The axis.

    Returns:
        A tensor.

    >>> argmax([[1, 5, 2], [4, 3, 0]]).tolist()
    [1, 0]
    """
    return function(tensor(x), axis)


@define({"cumprod": jnp.cumprod, "cumsum": jnp.cumsum}, make=function_of_tensors)
def _cumulation(x: Tensor, axis: int = 0, *, function) -> jax.Array:
    """Sums or products of all elements up to each place.

    Args:
        x: Tensor.
        axis: Axis to go along.

    Returns:
        A tensor of the shape of `x`.

    >>> cumsum([1, 2, 3]).tolist()
    [1, 3, 6]
    """
    return function(tensor(x), axis)


@function_of_tensors
def squeeze(x: Tensor, axis: int) -> jax.Array:
    """An axis of size 1 removed.

    Args:
        x: Tensor.
        axis: The axis.

    Returns:
        The same elements in a shape without the axis.

    >>> squeeze([[1, 2]], 0).shape
    (2,)
    """
    return jnp.squeeze(tensor(x), axis)


@function_of_tensors
def clip(x: Tensor, min_value: Tensor | None, max_value: Tensor | None) -> jax.Array:
    """`x` limited to a range.

    Args:
        x: Tensor of numbers.
        min_value: Smallest value; ``None`` for no limit.
        max_value: Largest value; ``None`` for no limit. It is raised to `min_value` where it is smaller.

    Returns:
        A tensor of the shape of `x`.

    >>> clip([-1.0, 5.0, 9.0], 0.0, 6.0).tolist()
    [0.0, 5.0, 6.0]
    """
    low = -jnp.inf if min_value is None else operand(min_value)
    high = jnp.inf if max_value is None else operand(max_value)
    return jnp.clip(tensor(x), low, jnp.maximum(low, high))


@function_of_tensors
def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> jax.Array:
    """The axes in another order.

    Args:
        x: Tensor.
        pattern: For each axis of the result, the axis of `x`.

    Returns:
        The same elements, with the axes reordered.

    >>> permute_dimensions(jnp.zeros((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    return jnp.transpose(tensor(x), dims(pattern))


@function_of_tensors
def reverse(x: Tensor, axes: Axes) -> jax.Array:
    """The elements along some axes in reverse order.

    Args:
        x: Tensor.
        axes: Axis or axes.

    Returns:
        A tensor of the shape of `x`.

    >>> reverse([1, 2, 3], 0).tolist()
    [3, 2, 1]
    """
    return jnp.flip(tensor(x), _axes(axes))


@define({"ones_like": jnp.ones_like, "zeros_like": jnp.zeros_like}, make=function_of_tensors)
def _filled_like(x: Tensor, dtype=None, name: str | None = None, *, function) -> jax.Array:
    """A new tensor of the shape of `x`.

    Args:
        x: Tensor.
        dtype: Type of the new tensor; by default that of `x`.
        name: Not used.

    Returns:
        A tensor of zeros or ones.

    >>> zeros_like([1, 2]).tolist()
    [0, 0]
    """
    return function(tensor(x), dtype)


@function_of_tensors
def repeat(x: Tensor, n: int) -> jax.Array:
    """Each row of a matrix `n` times.

    Args:
        x: Matrix ``(rows, d)``.
        n: Number of repetitions.

    Returns:
        A tensor ``(rows, n, d)``.

    >>> repeat([[1, 2]], 2).tolist()
    [[[1, 2], [1, 2]]]
    """
    return jnp.repeat(tensor(x)[:, None], int(n), 1)


@function_of_tensors
def tile(x: Tensor, n: Shape) -> jax.Array:
    """A tensor repeated as a whole.

    Args:
        x: Tensor.
        n: How often to repeat it along each axis.

    Returns:
        A larger tensor.

    >>> tile([1, 2], 2).tolist()
    [1, 2, 1, 2]
    """
    return jnp.tile(tensor(x), dims(n))


@function_of_tensors
def repeat_elements(x: Tensor, rep: int, axis: int) -> jax.Array:
    """Each element several times, along an axis.

    Args:
        x: Tensor.
        rep: Number of repetitions.
        axis: The axis.

    Returns:
        A tensor that is longer along the axis.

    >>> repeat_elements([1, 2], 2, 0).tolist()
    [1, 1, 2, 2]
    """
    return jnp.repeat(tensor(x), int(rep), axis)


def _of_shapes(fn):
    """Lets a function compute with shapes: integers outside of arrays give integers, which are known in traced code."""

    def call(*args, **kwargs):
        x = args[0] if args else next(iter(kwargs.values()))
        parts = x if isinstance(x, (list, tuple)) else [x]
        if not parts or not builtins.all(isinstance(p, (int, np.integer, np.ndarray, list, tuple)) for p in parts):
            return fn(*args, **kwargs)
        with jax.ensure_compile_time_eval():
            result = fn(*args, **kwargs)
        return np.asarray(result) if jnp.issubdtype(result.dtype, jnp.integer) else result

    functools.update_wrapper(call, fn)
    recorded = function_of_tensors(call)

    @functools.wraps(fn)
    def public(x, *args, **kwargs):
        parts = x if isinstance(x, (list, tuple)) else [x]
        sources = {id(p.source): p.source for p in parts if isinstance(p, ShapeSymbol)}
        if len(sources) == 1 and builtins.all(isinstance(p, (int, np.integer, ShapeSymbol)) for p in parts):
            return ShapeSymbol(functools.partial(call, **kwargs), (x, *args), *sources.values())
        return recorded(x, *args, **kwargs)

    return public


@_of_shapes
def prod(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """The product of the elements along an axis.

    Args:
        x: Tensor of numbers, or the integers of a shape.
        axis: Axis or axes; `None` means all.
        keepdims: Whether to keep these axes with size 1.

    Returns:
        A tensor; for the integers of a shape an integer.

    >>> prod(jnp.array([2.0, 3.0])).tolist()
    6.0
    """
    return jnp.prod(tensor(x), _axes(axis), keepdims=keepdims)


@_of_shapes
def stack(x: Sequence[Tensor], axis: int = 0) -> Any:
    """Joins tensors along a new axis.

    Args:
        x: Tensors of the same shape.
        axis: Position of the new axis in the result.

    Returns:
        A tensor with one dimension more.

    >>> stack([jnp.zeros(3), jnp.ones(3)], axis=1).shape
    (3, 2)
    """
    return jnp.stack(tensors(x), axis)


@_of_shapes
def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Any:
    """Joins tensors along an existing axis. Sparse tensors give a sparse one.

    Args:
        tensors: Tensors whose shapes differ along the axis alone.
        axis: The axis.

    Returns:
        A tensor.

    >>> concatenate([jnp.zeros((2, 3)), jnp.ones((2, 1))]).shape
    (2, 4)
    """
    if builtins.all(is_sparse(x) for x in tensors):
        from jax.experimental import sparse

        parts = [sparse.BCOO.from_scipy_sparse(x) if hasattr(x, "tocoo") else x for x in tensors]
        return sparse.bcoo_concatenate(parts, dimension=axis % parts[0].ndim)
    return jnp.concatenate([tensor(x) for x in tensors], axis)


@_of_shapes
def cast(x: Tensor, dtype: DType) -> Any:
    """Converts a tensor to another type.

    Args:
        x: Tensor.
        dtype: The new type, such as ``"float32"``.

    Returns:
        A tensor of the same shape.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    return tensor(x).astype(to_dtype(dtype))


def cast_to_floatx(x: Tensor) -> Any:
    """Converts numbers to a NumPy array of type `floatx()`. A tensor or symbol is converted to a tensor or symbol.

    Args:
        x: Tensor, symbol, NumPy array or nested list.

    Returns:
        The same values in the type `floatx()`.

    >>> cast_to_floatx([1, 2])
    array([1., 2.], dtype=float32)
    """
    if hasattr(x, "dtype") and not isinstance(x, (np.ndarray, np.generic)):
        return cast(x, config.floatx())
    return np.asarray(x, config.floatx())


@function_of_tensors
def identity(x: Tensor, name: str | None = None) -> jax.Array:
    """A tensor with the same values.

    Args:
        x: Tensor.
        name: Not used.

    Returns:
        A tensor of the shape of `x`.

    >>> identity([1, 2]).tolist()
    [1, 2]
    """
    return tensor(x)


@function_of_tensors
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: DType = "int32") -> jax.Array:
    """Numbers from `start` up to, but not including, `stop`.

    Args:
        start: First number. If `stop` is not given, numbers go from 0 up to this one.
        stop: End of the numbers, which is not included.
        step: Difference of neighbours.
        dtype: Type of the numbers.

    Returns:
        A tensor of one dimension.

    >>> arange(3).tolist(), arange(1, 7, 2).tolist()
    ([0, 1, 2], [1, 3, 5])
    """
    if stop is None:
        start, stop = 0, builtins.max(int(start), 0)
    if np.dtype(dtype) != to_dtype(dtype):  # 64 bits, which JAX has only if it is told to
        return np.arange(start, stop, step, dtype)
    return jnp.arange(start, stop, step, to_dtype(dtype))


@function_of_tensors
def reshape(x: Tensor, shape: Any) -> jax.Array:
    """The same elements in another shape.

    Args:
        x: Tensor.
        shape: The new shape. One dimension may be -1 (or `None`) and is inferred.

    Returns:
        A tensor of the new shape.

    >>> reshape(jnp.zeros((2, 6)), (4, -1)).shape
    (4, 3)
    """
    return tensor(x).reshape(dims(-1 if d is None else d for d in shape))


@function_of_tensors
def gather(reference: Tensor, indices: Tensor) -> jax.Array:
    """Looks up entries along the first axis.

    Args:
        reference: Tensor ``(rows, ...)``.
        indices: Integers of any shape.

    Returns:
        A tensor of shape ``indices.shape + reference.shape[1:]``.

    >>> gather([[1, 2], [3, 4]], [1, 1]).tolist()
    [[3, 4], [3, 4]]
    """
    return tensor(reference)[tensor(indices).astype("int32")]


@function_of_tensors
def one_hot(indices: Tensor, num_classes: int) -> jax.Array:
    """Integers as one-hot vectors.

    Args:
        indices: Integers ``(...)``.
        num_classes: Length of the vectors.

    Returns:
        A tensor ``(..., num_classes)`` of type `floatx()`.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return jax.nn.one_hot(tensor(indices).astype("int32"), int(num_classes), dtype=config.floatx())


@function_of_tensors
def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> jax.Array:
    """Whether each target class is among the `k` largest predictions of its row.

    Args:
        predictions: Scores ``(N, classes)``.
        targets: Class numbers ``(N,)``.
        k: Number of largest predictions to consider.

    Returns:
        Booleans ``(N,)``.

    >>> in_top_k([[0.1, 0.6, 0.3]], [2], 2).tolist()
    [True]
    """
    return ops_math.in_top_k(targets, predictions, int(k))


@function_of_tensors
def dot(x: Tensor, y: Tensor) -> jax.Array:
    """The matrix product. With more dimensions, it sums over the last axis of `x` and the second to last of `y`.

    Args:
        x: Tensor ``(..., n)``. It may be a sparse matrix.
        y: Tensor ``(..., n, m)``. It may be a sparse matrix.

    Returns:
        A tensor with the other axes of `x`, then those of `y`.

    >>> dot(jnp.ones((2, 3)), jnp.ones((4, 3, 5))).shape
    (2, 4, 5)
    """
    if is_sparse(x) or is_sparse(y):
        return _sparse(x) @ _sparse(y)
    return jnp.dot(tensor(x), tensor(y))


def _sparse(x):
    if not hasattr(x, "tocoo"):
        return x if is_sparse(x) else tensor(x)
    from jax.experimental import sparse

    return sparse.BCOO.from_scipy_sparse(x)


@function_of_tensors
def batch_dot(x: Tensor, y: Tensor, axes: Any = None) -> jax.Array:
    """For each sample, the product that sums over one axis of `x` and one of `y`.

    Args:
        x: Tensor ``(N, ...)``.
        y: Tensor ``(N, ...)``.
        axes: The axis of `x` and the axis of `y`, with the batch as axis 0, or one integer for both. By default the
            last of `x` and the second to last of `y` (the last, if `y` has two axes).

    Returns:
        A tensor ``(N, ...)`` with the other axes of `x`, then those of `y`, and at least ``(N, 1)``. In versions of
        Keras before 2.3 it is the product of the last two axes, see `products.matrix_products`.

    Raises:
        ValueError: If a tensor has less than two dimensions, or sizes differ along the axes.

    >>> batch_dot(jnp.ones((8, 20)), jnp.ones((8, 30, 20)), axes=(1, 2)).shape
    (8, 30)
    """
    x, y = tensor(x), tensor(y)
    if builtins.min(x.ndim, y.ndim) < 2:
        raise ValueError(f"batch_dot: expected at least two dimensions. Received shapes {x.shape} and {y.shape}.")
    if axes is None:
        axes = (x.ndim - 1, builtins.max(y.ndim - 2, 0 if behaviour.batch_dot_of_matrices else 1))
    axes = (axes, axes) if isinstance(axes, (int, np.integer)) else tuple(axes)
    a, b = axes[0] % x.ndim, axes[1] % y.ndim
    if behaviour.batch_dot_of_matrices:
        return matrix_products(x, y, (a, b))
    if 0 in (a, b):
        raise ValueError(f"batch_dot: the batch axis 0 cannot be summed over. Received: axes={axes}")
    if x.shape[a] != y.shape[b]:
        raise ValueError(f"batch_dot: cannot sum over the axes {axes} of shapes {x.shape} and {y.shape}: sizes differ.")
    result = jax.lax.dot_general(x, y, (((a,), (b,)), ((0,), (0,))))
    return result[:, None] if result.ndim == 1 else result


# Padding and resizing


@function_of_tensors
def temporal_padding(x: Tensor, padding: Any = (1, 1)) -> jax.Array:
    """Adds zeros before the first and after the last step of sequences.

    Args:
        x: Tensor ``(N, steps, features)``.
        padding: Number of steps before and after, or one integer for both.

    Returns:
        A tensor ``(N, before + steps + after, features)``.

    >>> temporal_padding(jnp.ones((1, 2, 1)), (1, 0))[0, :, 0].tolist()
    [0.0, 1.0, 1.0]
    """
    pair = (padding, padding) if isinstance(padding, int) else tuple(padding)
    return jnp.pad(tensor(x), ((0, 0), pair, (0, 0)))


def _spatial_padding(x, padding, data_format):
    pads = [(p, p) if isinstance(p, int) else tuple(p) for p in padding]
    around = [(0, 0), *pads, (0, 0)] if layout(data_format) == "channels_last" else [(0, 0), (0, 0), *pads]
    return jnp.pad(tensor(x), around)


@function_of_tensors
def spatial_2d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> jax.Array:
    """Adds zeros around images.

    Args:
        x: Images ``(N, rows, columns, channels)``, or ``(N, channels, rows, columns)`` with `channels_first`.
        padding: Numbers of rows above and below, and of columns on the left and on the right.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Larger images.

    >>> spatial_2d_padding(jnp.ones((1, 2, 2, 1))).shape
    (1, 4, 4, 1)
    """
    return _spatial_padding(x, padding, data_format)


@function_of_tensors
def spatial_3d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> jax.Array:
    """Adds zeros around volumes.

    Args:
        x: Volumes ``(N, d1, d2, d3, channels)``, or ``(N, channels, d1, d2, d3)`` with `channels_first`.
        padding: For each dimension, the numbers of zeros before and after.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Larger volumes.

    >>> spatial_3d_padding(jnp.ones((1, 2, 2, 2, 1))).shape
    (1, 4, 4, 4, 1)
    """
    return _spatial_padding(x, padding, data_format)


@function_of_tensors
def asymmetric_temporal_padding(x: Tensor, left_pad: int = 1, right_pad: int = 1) -> jax.Array:
    """Adds zeros before the first and after the last step of sequences.

    Args:
        x: Tensor ``(N, steps, features)``.
        left_pad: Number of steps before.
        right_pad: Number of steps after.

    Returns:
        A tensor ``(N, left_pad + steps + right_pad, features)``.

    >>> asymmetric_temporal_padding(jnp.ones((1, 2, 1)), 2, 0).shape
    (1, 4, 1)
    """
    return jnp.pad(tensor(x), ((0, 0), (left_pad, right_pad), (0, 0)))


@function_of_tensors
def asymmetric_spatial_2d_padding(
    x: Tensor,
    top_pad: int = 1,
    bottom_pad: int = 1,
    left_pad: int = 1,
    right_pad: int = 1,
    data_format: str | None = None,
) -> jax.Array:
    """Adds zeros around images.

    Args:
        x: Images ``(N, rows, columns, channels)``, or ``(N, channels, rows, columns)`` with `channels_first`.
        top_pad: Number of rows above.
        bottom_pad: Number of rows below.
        left_pad: Number of columns on the left.
        right_pad: Number of columns on the right.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Larger images.

    >>> asymmetric_spatial_2d_padding(jnp.ones((1, 2, 2, 1)), 1, 0, 0, 0).shape
    (1, 3, 2, 1)
    """
    return _spatial_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), data_format)


def _repeated(x, factors, data_format):
    x, first = tensor(x), 1 if layout(data_format) == "channels_last" else 2
    for axis, factor in enumerate(factors, first):
        x = jnp.repeat(x, int(factor), axis)
    return x


@function_of_tensors
def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str | None, interpolation: str = "nearest"
) -> jax.Array:
    """Enlarges images by integer factors.

    Args:
        x: Images ``(N, rows, columns, channels)``, or ``(N, channels, rows, columns)`` with `channels_first`.
        height_factor: Factor of the number of rows.
        width_factor: Factor of the number of columns.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        interpolation: ``"nearest"``, which repeats pixels, or ``"bilinear"``.

    Returns:
        Larger images.

    Raises:
        ValueError: If the interpolation is not known.

    >>> resize_images(jnp.ones((1, 2, 2, 1)), 2, 3, "channels_last").shape
    (1, 4, 6, 1)
    """
    if interpolation == "nearest":
        return _repeated(x, (height_factor, width_factor), data_format)
    if interpolation != "bilinear":
        raise ValueError(f"resize_images: interpolation must be 'nearest' or 'bilinear'. Received: {interpolation!r}")
    x, first = tensor(x), 1 if layout(data_format) == "channels_last" else 2
    size = list(x.shape)
    size[first : first + 2] = size[first] * int(height_factor), size[first + 1] * int(width_factor)
    return jax.image.resize(x, size, "linear")


@function_of_tensors
def resize_volumes(
    x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None
) -> jax.Array:
    """Enlarges volumes by integer factors. Elements are repeated.

    Args:
        x: Volumes ``(N, depth, height, width, channels)``, or with the channels as second axis for `channels_first`.
        depth_factor: Factor of the depth.
        height_factor: Factor of the height.
        width_factor: Factor of the width.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Larger volumes.

    >>> resize_volumes(jnp.ones((1, 2, 2, 2, 1)), 1, 2, 3, "channels_last").shape
    (1, 2, 4, 6, 1)
    """
    return _repeated(x, (depth_factor, height_factor, width_factor), data_format)


def pattern_broadcast(x: Tensor, broadcastable: Sequence[bool]) -> Tensor:
    """Returns `x`. In Theano it marked the axes that broadcast; here every axis of size 1 does.

    Args:
        x: Tensor.
        broadcastable: Not used.

    >>> pattern_broadcast(jnp.ones((1, 2)), (True, False)).shape
    (1, 2)
    """
    return x


def print_tensor(x: Tensor, message: str = "", summarize: int = 3) -> jax.Array:
    """Returns `x`, and prints it after a message whenever it is computed.

    Args:
        x: Tensor.
        message: Text before the values.
        summarize: Not used.

    >>> print_tensor(jnp.array([1.0, 2.0]), "x =").tolist()
    x = [1. 2.]
    [1.0, 2.0]
    """
    return _printed(x, message)


@function_of_tensors
def _printed(x, message):
    x = tensor(x)
    jax.debug.callback(lambda value: print(message, value, flush=True), x)
    return x
