"""Matrix products over the last axes."""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array


def project(x: Array, kernel: Array, axes: int = 1) -> Array:
    """``tensordot(x, kernel, axes)``, as a product of two matrices.

    With more axes in the product, XLA copies the outputs' gradient into another order to get that of the kernel.
    """
    kept, summed = x.shape[: x.ndim - axes], kernel.shape[:axes]
    left, right = x.reshape(math.prod(kept), math.prod(summed)), kernel.reshape(math.prod(summed), -1)
    product = jnp.matmul(left, right, preferred_element_type=type_of_sums(x))
    return product.reshape(*kept, *kernel.shape[axes:])


def type_of_sums(x: Array) -> str | None:
    """The type in which products with `x` are summed up: 32 bits for small integers, `None` for `x`'s own."""
    return "int32" if x.dtype == "int8" else None


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def straight_through(exact: Callable, smooth: Callable, x: Array, *constants: Array) -> Array:
    """``exact(x, *constants)``, whose derivative is that of ``smooth(x, *constants)``, where `exact` rounds.

    Source: Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons" (arXiv:1308.3432).

    >>> jax.grad(lambda x: straight_through(jnp.round, lambda x: 2 * x, x))(1.3).item()
    2.0
    """
    return exact(x, *constants)


def _forward(exact, smooth, x, *constants):
    return exact(x, *constants), (x, constants)


def _backward(exact, smooth, kept, gradient):
    x, constants = kept
    _, pull = jax.vjp(lambda x: smooth(x, *constants), x)
    return (*pull(gradient), *(None for _ in constants))


straight_through.defvjp(_forward, _backward)
