"""New tensors: ranges, constants, windows (a part of `keras.ops.numpy`)."""

import builtins

import jax.numpy as jnp
from jax import Array

from ..core import config, op
from .table import DType, Shape, Tensor, define, dims, operand, tensor, tensors, to_dtype


@op
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Array:
    """The Vandermonde matrix: the powers of a vector, as columns.

    Args:
        x: Vector.
        N: Number of columns; by default the length of `x`.
        increasing: Whether the powers grow from left to right.

    Returns:
        A matrix with one row for each element of `x`.

    >>> vander([2, 3], N=3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    return jnp.vander(operand(x), N=N, increasing=increasing)


@op
def geomspace(
    start: Tensor, stop: Tensor, num: int = 50, endpoint: bool = True, dtype: DType = None, axis: int = 0
) -> Array:
    """Numbers with a constant ratio between neighbours (a geometric sequence).

    Args:
        start: First number.
        stop: Last number.
        num: Number of values.
        endpoint: Whether `stop` is one of them.
        dtype: Data type of the result.
        axis: Axis of the numbers, where `start` and `stop` are tensors.

    Returns:
        A tensor with `num` numbers along the axis.

    >>> print(geomspace(1.0, 8.0, 4).round(3))
    [1. 2. 4. 8.]
    """
    return jnp.geomspace(start, stop, num=num, endpoint=endpoint, dtype=dtype, axis=axis)


@op
def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DType = None,
    axis: int = 0,
) -> Array:
    """Powers of a base whose exponents are evenly spaced.

    Args:
        start: First exponent.
        stop: Last exponent.
        num: Number of values.
        endpoint: Whether the power of `stop` is one of them.
        base: Base of the powers.
        dtype: Data type of the result.
        axis: Axis of the numbers, where `start` and `stop` are tensors.

    Returns:
        A tensor with `num` numbers along the axis.

    >>> print(logspace(0.0, 2.0, 3).round())
    [  1.  10. 100.]
    """
    return jnp.logspace(start, stop, num=num, endpoint=endpoint, base=base, dtype=dtype, axis=axis)


@op
def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DType = None,
    axis: int = 0,
) -> Array | tuple[Array, Array]:
    """Evenly spaced numbers.

    Args:
        start: First number.
        stop: Last number.
        num: Number of values.
        endpoint: Whether `stop` is one of them.
        retstep: Whether to return the distance between neighbours as well.
        dtype: Data type of the result.
        axis: Axis of the numbers, where `start` and `stop` are tensors.

    Returns:
        A tensor with `num` numbers along the axis, or ``(tensor, distance)``.

    >>> linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return jnp.linspace(start, stop, num=num, endpoint=endpoint, retstep=retstep, dtype=dtype, axis=axis)


@op
def arange(start: Tensor, stop: Tensor = None, step: Tensor = None, dtype: DType = None) -> Array:
    """Evenly spaced numbers from `start` up to, not including, `stop`.

    Args:
        start: First number. Without `stop`, the range is from 0 to `start`.
        stop: End of the range.
        step: Distance between neighbours; 1 by default.
        dtype: Data type of the result; by default `floatx()` if one of the numbers is a float, else an integer type.

    Returns:
        A vector.

    >>> arange(1, 7, 2).tolist()
    [1, 3, 5]
    """
    numbers = [x for x in (start, stop, step) if x is not None]
    if dtype is None and builtins.any(jnp.issubdtype(jnp.result_type(x), jnp.floating) for x in numbers):
        dtype = config.floatx()
    return jnp.arange(start, stop, step, dtype)


@op
def array(x: Tensor, dtype: DType = None) -> Array:
    """A copy of `x` as an array.

    Args:
        x: Array, list, variable or number.
        dtype: Data type of the result; by default that of `x`.

    Returns:
        A tensor of the shape of `x`.

    >>> array([[1, 2]]).shape
    (1, 2)
    """
    return jnp.array(tensor(x), dtype)


@define(jnp, "bartlett blackman hamming hanning")
def _window(x: int, *, function) -> Array:
    """A window for spectra.

    Summaries:
        bartlett: The Bartlett window: a triangle from 0 to 1 and back.
        blackman: The Blackman window: ``0.42 - 0.5 cos(t) + 0.08 cos(2 t)`` for `t` from 0 to 2 pi.
        hamming: The Hamming window: ``0.54 - 0.46 cos(t)`` for `t` from 0 to 2 pi.
        hanning: The Hann window: ``0.5 - 0.5 cos(t)`` for `t` from 0 to 2 pi.

    Args:
        x: Number of samples.

    Returns:
        A vector of `x` numbers of `floatx()`.

    >>> print(hanning(3).round(3))
    [0. 1. 0.]

    >>> bartlett(3).tolist()
    [0.0, 1.0, 0.0]

    >>> print(blackman(5)[1:4].round(2))
    [0.34 1.   0.34]

    >>> print(hamming(3)[:2].round(2))
    [0.08 1.  ]
    """
    return function(int(x)).astype(config.floatx())


@op
def kaiser(x: int, beta: float) -> Array:
    """The Kaiser window, made of Bessel functions (Kaiser 1966).

    Args:
        x: Number of samples.
        beta: Shape of the window: 0 for a rectangle; the larger, the narrower.

    Returns:
        A vector of `x` numbers of `floatx()`.

    >>> kaiser(3, 0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    return jnp.kaiser(int(x), beta).astype(config.floatx())


@op
def eye(N: int, M: int | None = None, k: int = 0, dtype: DType = None) -> Array:
    """Ones on a diagonal, zeros elsewhere.

    Args:
        N: Number of rows.
        M: Number of columns; `N` by default.
        k: Which diagonal: 0 the main one, positive above it, negative below it.
        dtype: Data type of the result; `floatx()` by default.

    Returns:
        A matrix ``(N, M)``.

    >>> eye(2, 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    return jnp.eye(N, M, k, to_dtype(dtype))


@op
def identity(n: int, dtype: DType = None) -> Array:
    """The identity matrix.

    Args:
        n: Number of rows and columns.
        dtype: Data type of the result; `floatx()` by default.

    Returns:
        A matrix ``(n, n)``.

    >>> identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return jnp.identity(n, to_dtype(dtype))


@op
def tri(N: int, M: int | None = None, k: int = 0, dtype: DType = None) -> Array:
    """Ones at and below a diagonal, zeros above.

    Args:
        N: Number of rows.
        M: Number of columns; `N` by default.
        k: Which diagonal: 0 the main one, positive above it, negative below it.
        dtype: Data type of the result; `floatx()` by default.

    Returns:
        A matrix ``(N, M)``.

    >>> tri(2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return jnp.tri(N, M, k, to_dtype(dtype))


@define(jnp, "zeros ones empty")
def _filled(shape: Shape, dtype: DType = None, *, function) -> Array:
    """A new tensor.

    Summaries:
        zeros: A new tensor of zeros.
        ones: A new tensor of ones.
        empty: A new tensor whose elements are not specified (here: zeros).

    Args:
        shape: Shape of the tensor.
        dtype: Data type of the tensor; `floatx()` by default.

    Returns:
        A tensor of zeros (`zeros` and `empty`) or ones.

    >>> zeros((2, 1)).tolist()
    [[0.0], [0.0]]

    >>> ones(2, "int32").tolist()
    [1, 1]

    >>> empty((2, 3)).shape
    (2, 3)
    """
    return function(dims(shape), to_dtype(dtype))


@op
def full(shape: Shape, fill_value: Tensor, dtype: DType = None) -> Array:
    """A new tensor filled with one value.

    Args:
        shape: Shape of the tensor.
        fill_value: The value, or a tensor that broadcasts to the shape.
        dtype: Data type of the tensor; `floatx()` by default.

    Returns:
        A tensor of the shape.

    >>> full((2,), 7).tolist()
    [7.0, 7.0]
    """
    return jnp.full(dims(shape), tensor(fill_value), to_dtype(dtype))


@define(jnp, "zeros_like ones_like empty_like")
def _filled_like(x: Tensor, dtype: DType = None, *, function) -> Array:
    """A new tensor of the shape of `x`.

    Summaries:
        zeros_like: A tensor of zeros with the shape of another one.
        ones_like: A tensor of ones with the shape of another one.
        empty_like: A tensor with the shape of another one, whose elements are not specified (here: zeros).

    Args:
        x: Tensor.
        dtype: Data type of the new tensor; by default that of `x`.

    Returns:
        A tensor of zeros (`zeros_like` and `empty_like`) or ones.

    >>> zeros_like([1, 2]).tolist()
    [0, 0]

    >>> ones_like([1, 2]).tolist()
    [1, 1]

    >>> empty_like([1, 2]).shape
    (2,)
    """
    return function(tensor(x), dtype)


@op
def full_like(x: Tensor, fill_value: Tensor, dtype: DType = None) -> Array:
    """A new tensor of the shape of `x`, filled with one value.

    Args:
        x: Tensor.
        fill_value: The value, or a tensor that broadcasts to the shape.
        dtype: Data type of the new tensor; by default that of `x`.

    Returns:
        A tensor of the shape of `x`.

    >>> full_like([1, 2], 7).tolist()
    [7, 7]
    """
    return jnp.full_like(tensor(x), tensor(fill_value), dtype)


@op
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Array]:
    """Grids of coordinates.

    Args:
        *x: Vectors: the coordinates along each axis.
        indexing: 'xy' (Cartesian) if the first vector varies along the second axis, 'ij' (matrix) if it varies along
            the first.

    Returns:
        A list with one tensor for each vector; all have the shape of the grid.

    >>> [grid.tolist() for grid in meshgrid([1, 2], [3, 4])]
    [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    return jnp.meshgrid(*tensors(x), indexing=indexing)
