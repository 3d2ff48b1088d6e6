"""`keras.ops.linalg`: functions of matrices ``(..., m, n)``. Leading dimensions are batches."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import jax.scipy.linalg
from jax import Array

from ..core import op
from .table import Axes, Tensor, as_float, tensor


@op
def cholesky(x: Tensor, upper: bool = False) -> Array:
    """The Cholesky factor of positive definite matrices: the lower triangular `L` with ``x = L @ L.T``.

    Args:
        x: Symmetric positive definite matrices ``(..., n, n)``.
        upper: Whether to return the upper triangular ``L.T`` instead.

    Returns:
        Matrices ``(..., n, n)``; NaN where `x` is not positive definite.

    >>> cholesky([[4.0, 0.0], [0.0, 9.0]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    return jnp.linalg.cholesky(as_float(x), upper=upper)


@op
def cholesky_inverse(x: Tensor, upper: bool = False) -> Array:
    """The inverse of the matrices whose Cholesky factors are given.

    Args:
        x: Triangular factors ``(..., n, n)``.
        upper: Whether the factors are upper triangular.

    Returns:
        Matrices ``(..., n, n)``.

    >>> cholesky_inverse([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    x = as_float(x)
    inverse = solve_triangular(x, jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape), lower=not upper)
    transposed = jnp.swapaxes(inverse, -1, -2)  # (..., n, n)
    return inverse @ transposed if upper else transposed @ inverse


@op
def det(x: Tensor) -> Array:
    """The determinant of square matrices.

    Args:
        x: Square matrices ``(..., n, n)``.

    Returns:
        Numbers ``(...)``.

    >>> det([[2.0, 0.0], [0.0, 3.0]]).tolist()
    6.0
    """
    return jnp.linalg.det(as_float(x))


@op
def eig(x: Tensor) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of square matrices. JAX computes them on the CPU only.

    Args:
        x: Square matrices ``(..., n, n)``.

    Returns:
        ``(eigenvalues, eigenvectors)``, complex: ``(..., n)`` and ``(..., n, n)``. The eigenvectors are columns.

    >>> eig([[2.0, 0.0], [0.0, 3.0]])[0].tolist()
    [(2+0j), (3+0j)]
    """
    return tuple(jnp.linalg.eig(as_float(x)))


@op
def eigh(x: Tensor) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of symmetric (or Hermitian) matrices.

    Args:
        x: Matrices ``(..., n, n)``.

    Returns:
        ``(eigenvalues, eigenvectors)``: ``(..., n)`` in ascending order and ``(..., n, n)``. The eigenvectors are
        columns.

    >>> eigh([[3.0, 0.0], [0.0, 2.0]])[0].tolist()
    [2.0, 3.0]
    """
    return tuple(jnp.linalg.eigh(as_float(x)))


@op
def inv(x: Tensor) -> Array:
    """The inverse of square matrices.

    Args:
        x: Square matrices ``(..., n, n)``.

    Returns:
        Matrices ``(..., n, n)``.

    >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return jnp.linalg.inv(as_float(x))


def jvp(fun: Callable, primals: Sequence[Tensor], tangents: Sequence[Tensor], has_aux: bool = False) -> tuple:
    """The value of a function and its directional derivative (forward-mode differentiation).

    Args:
        fun: Function of tensors.
        primals: The arguments.
        tangents: The direction: one tensor for each argument, of the same shape.
        has_aux: Whether the function returns ``(result, auxiliary data)``.

    Returns:
        ``(result, derivative)``, or ``(result, derivative, auxiliary data)``.

    >>> value, slope = jvp(lambda x: x**2, [3.0], [1.0])
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    to_arrays = tuple(map(tensor, primals)), tuple(map(tensor, tangents))
    return jax.jvp(fun, *to_arrays, has_aux=has_aux)


@op
def logdet(x: Tensor) -> Array:
    """The natural logarithm of the determinant's absolute value.

    Args:
        x: Square matrices ``(..., n, n)``, usually positive definite.

    Returns:
        Numbers ``(...)``.

    >>> logdet([[1.0, 0.0], [0.0, 1.0]]).tolist()
    0.0
    """
    return jnp.linalg.slogdet(as_float(x))[1]


@op
def lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Array:
    """The least-squares solution `x` of ``a @ x = b``.

    Args:
        a: Matrix ``(m, n)``.
        b: Vector ``(m,)`` or matrix ``(m, k)``.
        rcond: Singular values below `rcond` times the largest one count as 0. By default, it follows from the precision
            of the data type.

    Returns:
        ``(n,)`` or ``(n, k)``.

    >>> print(lstsq([[1.0], [1.0]], [2.0, 4.0]).round())
    [3.]
    """
    return jnp.linalg.lstsq(as_float(a), as_float(b), rcond=rcond)[0]


@op
def lu_factor(x: Tensor) -> tuple[Array, Array]:
    """The LU factorization with pivots.

    Args:
        x: Square matrices ``(..., n, n)``.

    Returns:
        ``(factors, pivots)``: both triangular factors in one matrix ``(..., n, n)``, without the ones on the diagonal
        of the lower factor; and the index ``(..., n)`` of the row that each row was exchanged with.

    >>> lu_factor([[2.0, 1.0], [1.0, 1.0]])[0].tolist()
    [[2.0, 1.0], [0.5, 0.5]]
    """
    return tuple(jax.scipy.linalg.lu_factor(as_float(x)))


@op
def matrix_rank(x: Tensor, tol: float | None = None) -> Array:
    """The rank of matrices: the number of singular values above a tolerance.

    Args:
        x: Matrices ``(..., m, n)``.
        tol: Relative tolerance: the threshold is `tol` times the largest singular value. By default, `tol` is
            ``max(m, n)`` times the precision of the data type.

    Returns:
        Integers ``(...)``.

    >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]]).tolist()
    1
    """
    return jnp.linalg.matrix_rank(as_float(x), tol)


@op
def norm(x: Tensor, ord: int | float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Array:
    """A norm of vectors or matrices, as in `numpy.linalg.norm`.

    Args:
        x: Tensor of numbers.
        ord: Order of the norm: a number, 'fro' (Frobenius) or 'nuc' (nuclear). By default, the square root of the sum
            of the squares.
        axis: One axis for norms of vectors, two axes for norms of matrices; ``None`` for the whole tensor.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    >>> norm([3.0, 4.0]).tolist()
    5.0
    """
    return jnp.linalg.norm(as_float(x), ord, axis, keepdims)


@op
def pinv(x: Tensor, rcond: float | None = None) -> Array:
    """The Moore-Penrose pseudo-inverse.

    Args:
        x: Matrices ``(..., m, n)``.
        rcond: Singular values below `rcond` times the largest one count as 0. By default, it follows from the precision
            of the data type.

    Returns:
        Matrices ``(..., n, m)``.

    >>> print(pinv([[2.0, 0.0], [0.0, 0.0]]))
    [[0.5 0. ]
     [0.  0. ]]
    """
    return jnp.linalg.pinv(as_float(x), rcond)


@op
def qr(x: Tensor, mode: str = "reduced") -> tuple[Array, Array]:
    """The QR factorization: ``x = q @ r`` with orthogonal `q` and upper triangular `r`.

    Args:
        x: Matrices ``(..., m, n)``.
        mode: 'reduced' for ``k = min(m, n)`` columns of `q`, 'complete' for ``k = m``.

    Returns:
        ``(q, r)``: ``(..., m, k)`` and ``(..., k, n)``.

    Raises:
        ValueError: If the mode is unknown.

    >>> q, r = qr([[3.0], [4.0]])
    >>> q.shape, r.shape
    ((2, 1), (1, 1))
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Received: {mode!r}")
    return tuple(jnp.linalg.qr(as_float(x), mode))


def _columns(solver, a, b):
    """Calls a solver for matrices `b`, with vectors as matrices of one column."""
    a, b = as_float(a), as_float(b)
    return solver(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else solver(a, b)  # (..., n) or (..., n, k)


@op
def solve(a: Tensor, b: Tensor) -> Array:
    """The solution `x` of ``a @ x = b``.

    Args:
        a: Square matrices ``(..., n, n)``.
        b: Vectors ``(..., n)`` or matrices ``(..., n, k)``.

    Returns:
        A tensor of the shape of `b`.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    return _columns(jnp.linalg.solve, a, b)


@op
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Array:
    """The solution `x` of ``a @ x = b`` for triangular matrices.

    Args:
        a: Triangular matrices ``(..., n, n)``; the other triangle is ignored.
        b: Vectors ``(..., n)`` or matrices ``(..., n, k)``.
        lower: Whether the matrices are lower triangular.

    Returns:
        A tensor of the shape of `b`.

    >>> solve_triangular([[2.0, 0.0], [2.0, 1.0]], [2.0, 3.0], lower=True).tolist()
    [1.0, 1.0]
    """
    return _columns(partial(jax.scipy.linalg.solve_triangular, lower=lower), a, b)


@op
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Array | tuple[Array, Array, Array]:
    """The singular value decomposition: ``x = (u * s) @ v``.

    Args:
        x: Matrices ``(..., m, n)``.
        full_matrices: Whether `u` and `v` are square. Otherwise `u` has ``min(m, n)`` columns and `v` as many rows.
        compute_uv: Whether to compute `u` and `v`.

    Returns:
        ``(u, s, v)``, where `s` is the singular values ``(..., min(m, n))`` in descending order and `v` is already
        transposed; or `s` alone.

    >>> svd([[3.0, 0.0], [0.0, 2.0]], compute_uv=False).tolist()
    [3.0, 2.0]
    """
    result = jnp.linalg.svd(as_float(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result
