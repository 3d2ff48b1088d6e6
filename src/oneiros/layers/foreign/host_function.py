"""Computations of other libraries, with gradients, inside of compiled code."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def host_function(forward: Callable, backward: Callable, specs: Sequence) -> Callable:
    """A function of arrays that another library computes, outside of compiled code.

    Args:
        forward: from ``(values, constants)``, two lists of NumPy arrays, to a list of NumPy arrays.
        backward: from ``(values, constants, cotangents)`` to the gradients with respect to the values, a list.
        specs: the shapes and types of the results, a list of `jax.ShapeDtypeStruct`.

    Returns:
        A function of ``(values, constants)``, lists of arrays. Its gradients with respect to the values are those of
        `backward`; values of integers have none.

    >>> square = host_function(
    ...     lambda values, _: [values[0] ** 2],
    ...     lambda values, _, cotangents: [2 * values[0] * cotangents[0]],
    ...     [jax.ShapeDtypeStruct((2,), "float32")],
    ... )
    >>> jax.jit(jax.grad(lambda x: square([x], [])[0].sum()))(jnp.array([1.0, 3.0])).tolist()
    [2.0, 6.0]
    """

    def called(function, wanted, *arguments):
        def on_host(*arrays):
            results = function(*jax.tree.map(np.asarray, arrays))
            return [np.asarray(x, spec.dtype).reshape(spec.shape) for x, spec in zip(results, wanted, strict=True)]

        return jax.pure_callback(on_host, list(wanted), *arguments, vmap_method="sequential")

    @jax.custom_vjp
    def compute(values, constants):
        return called(forward, specs, values, constants)

    def compute_and_keep(values, constants):
        return compute(values, constants), (values, constants)

    def pull_back(kept, cotangents):
        values, constants = kept
        wanted = [jax.ShapeDtypeStruct(x.shape, x.dtype if _is_floating(x) else "float32") for x in values]
        found = called(backward, wanted, values, constants, [_zeros(c, s) for c, s in zip(cotangents, specs)])
        of_values = [g if _is_floating(x) else _no_gradient(x) for g, x in zip(found, values)]
        return of_values, jax.tree.map(_no_gradient_of, constants)

    compute.defvjp(compute_and_keep, pull_back)
    return compute


def _is_floating(x: Array) -> bool:
    return jnp.issubdtype(x.dtype, jnp.floating)


def _zeros(cotangent: Any, spec: Any) -> Array:
    """Cotangents of integers are of a type that no other library knows."""
    return jnp.zeros(spec.shape, "float32") if cotangent.dtype == jax.dtypes.float0 else cotangent


def _no_gradient(x: Array) -> np.ndarray:
    return np.zeros(x.shape, jax.dtypes.float0)


def _no_gradient_of(x: Array) -> Any:
    return jnp.zeros_like(x) if _is_floating(x) else _no_gradient(x)
