"""How the tables of this folder become functions of arrays, lists, variables and symbols."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Variable, config, op

# Parameters of these names hold one tensor and lead the list; lists of tensors are called `xs`.
_TENSORS = {"x", "x1", "x2", "y", "a", "b", "array", "sorted_sequence", "values", "indices"}
_TENSOR_OPTIONS = {"q", "weights", "bins"}


def tensor(x):
    """An array for whatever users hand over: lists (floats become `floatx()`), NumPy arrays, variables, numbers."""
    if isinstance(x, jax.Array):
        return x
    if isinstance(x, Variable):
        return x.value
    if hasattr(x, "tocoo"):  # SciPy's sparse matrices
        x = x.toarray()
    array = jnp.asarray(x)
    if not hasattr(x, "dtype") and jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(config.floatx())
    return array


def operand(x):
    """As `tensor`, but Python's numbers (and None) stay: numbers take the type of what they meet."""
    return x if isinstance(x, (jax.Array, bool, int, float, complex, type(None))) else tensor(x)


def tensors(xs):
    """A list of arrays, from a list of anything or from one array that is split along its first axis."""
    return [tensor(x) for x in (xs if isinstance(xs, (list, tuple)) else tensor(xs))]


def dims(shape):
    """A shape argument (a number, a list, an array) as a tuple of ints."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    return tuple(int(d) for d in shape)


def to_dtype(dtype=None):
    """A type argument as NumPy has it, 64 bits only where JAX may use them; ``None`` means `floatx()`."""
    dtype = dtype or config.floatx()
    config.require_float64(dtype)
    return jax.dtypes.canonicalize_dtype(dtype)


def as_float(x):
    """`tensor`, with integers and booleans as `floatx()`."""
    x = tensor(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())


def of_floats(function):
    """`function` of one array, with integers and booleans made `floatx()` first."""

    @functools.wraps(function)
    def call(x, *args, **options):
        return function(as_float(x), *args, **options)

    return call


def define(namespace, signature, names, library, make=op):
    """Puts ops of one signature into a module: each hands its arguments, made arrays, to the library's function.

    signature: parameters as Python writes them; names: names separated by spaces; library: a module or a dictionary;
    make: what turns a function of arrays into one of symbols.
    """
    parameters = inspect.signature(eval(f"lambda {signature}: None")).parameters
    passed = ", ".join(map(_passed, parameters))
    for name in names.split():
        target = library[name] if isinstance(library, dict) else getattr(library, name)
        known = {"__name__": namespace["__name__"], "target": target, "operand": operand, "tensors": tensors}
        function = eval(f"lambda {signature}: target({passed})", known)
        function.__name__ = function.__qualname__ = name
        function.__module__ = namespace["__name__"]
        summary = (target.__doc__ or "").strip().split("\n")[0]
        function.__doc__ = summary or f"{name.replace('_', ' ')} of the arguments."
        namespace[name] = make(function)


def _passed(parameter):
    if parameter in _TENSORS:
        return f"operand({parameter})"
    if parameter in _TENSOR_OPTIONS:
        return f"{parameter}=operand({parameter})"
    return f"tensors({parameter})" if parameter == "xs" else f"{parameter}={parameter}"
