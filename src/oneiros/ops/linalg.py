"""`keras.ops.linalg`: matrix functions; leading dimensions are batches."""

from functools import partial

import jax
import jax.numpy as jnp

from ..core import op
from .table import as_float, tensor


@op
def cholesky(x, upper=False):
    """The triangular factor of a positive definite matrix, lower unless told otherwise; NaN if it is not definite."""
    return jnp.linalg.cholesky(as_float(x), upper=upper)


@op
def cholesky_inverse(x, upper=False):
    """The inverse of the matrix whose Cholesky factor is `x`."""
    x = as_float(x)
    inverse = solve_triangular(x, jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape), lower=not upper)
    transposed = jnp.swapaxes(inverse, -1, -2)
    return inverse @ transposed if upper else transposed @ inverse


@op
def det(x):
    """The determinant."""
    return jnp.linalg.det(as_float(x))


@op
def eig(x):
    """Eigenvalues and eigenvectors of a square matrix; on the CPU only."""
    return tuple(jnp.linalg.eig(as_float(x)))


@op
def eigh(x):
    """Eigenvalues, ascending, and eigenvectors of a Hermitian matrix."""
    return tuple(jnp.linalg.eigh(as_float(x)))


@op
def inv(x):
    """The inverse."""
    return jnp.linalg.inv(as_float(x))


def jvp(fun, primals, tangents, has_aux=False):
    """``(outputs, their derivative along tangents)`` of a function at `primals`; with has_aux, also what it adds."""
    to_arrays = tuple(map(tensor, primals)), tuple(map(tensor, tangents))
    return jax.jvp(fun, *to_arrays, has_aux=has_aux)


@op
def logdet(x):
    """The logarithm of the determinant of a positive definite matrix."""
    return jnp.linalg.slogdet(as_float(x))[1]


@op
def lstsq(a, b, rcond=None):
    """The solution `x` of ``a @ x = b`` with the least squared error."""
    return jnp.linalg.lstsq(as_float(a), as_float(b), rcond=rcond)[0]


@op
def lu_factor(x):
    """The packed LU factors and the pivots."""
    import jax.scipy.linalg

    return tuple(jax.scipy.linalg.lu_factor(as_float(x)))


@op
def matrix_rank(x, tol=None):
    """How many singular values exceed the tolerance."""
    return jnp.linalg.matrix_rank(as_float(x), tol)


@op
def norm(x, ord=None, axis=None, keepdims=False):
    """A norm of vectors or matrices, as `numpy.linalg.norm` has them."""
    return jnp.linalg.norm(as_float(x), ord, axis, keepdims)


@op
def pinv(x, rcond=None):
    """The Moore-Penrose pseudo-inverse."""
    return jnp.linalg.pinv(as_float(x), rcond)


@op
def qr(x, mode="reduced"):
    """An orthogonal and an upper triangular factor."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Received: {mode!r}")
    return tuple(jnp.linalg.qr(as_float(x), mode))


def _columns(solver, a, b):
    """Calls a solver for matrices `b` with a batch of vectors, too."""
    a, b = as_float(a), as_float(b)
    return solver(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else solver(a, b)


@op
def solve(a, b):
    """The solution `x` of ``a @ x = b``, for vectors or matrices `b`."""
    return _columns(jnp.linalg.solve, a, b)


@op
def solve_triangular(a, b, lower=False):
    """The solution `x` of ``a @ x = b`` for a triangular `a`."""
    import jax.scipy.linalg

    return _columns(partial(jax.scipy.linalg.solve_triangular, lower=lower), a, b)


@op
def svd(x, full_matrices=True, compute_uv=True):
    """``(u, s, v)`` with ``x = u * s @ v``, or the singular values alone."""
    result = jnp.linalg.svd(as_float(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result
