"""How the tables of this folder become functions of arrays, lists, variables and symbols."""

import inspect
import re
import types
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Variable, config, op

Tensor: TypeAlias = Any  # arrays, NumPy arrays, variables, symbols, numbers and (nested) lists of numbers
Shape: TypeAlias = int | Sequence[int]
Axes: TypeAlias = int | Sequence[int] | None
DType: TypeAlias = Any  # the name of a type, or a type of NumPy's


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


_HELPERS = ("table", "recording", "layouts")  # modules whose functions are not for users


def publish(namespace: dict, *modules: types.ModuleType) -> None:
    """Puts the public functions of modules into a namespace: their own, and those of others in the same folder.

    Args:
        namespace: the dictionary that they are put into.
        *modules: the modules.
    """
    for module in modules:
        for name, value in vars(module).items():
            package, _, home = getattr(value, "__module__", "").rpartition(".")
            if callable(value) and not name.startswith("_") and package == module.__package__ and home not in _HELPERS:
                namespace[name] = value


def define(library, names=None, make=op):
    """Decorator that makes one op for each name, all with the decorated function's signature.

    Each op is a copy of the decorated function whose keyword-only argument `function` is the library's function of
    that name. Its docstring is the library's summary, the decorated function's text after its own summary, and those
    of its examples that call the op.

    Args:
        library: A module or a dictionary, which has a function of arrays under each name.
        names: Names separated by spaces; by default all of the dictionary's. The ops are put into the module of the
            decorated function.
        make: What turns a function of arrays into one that takes symbols too.
    """

    def declare(pattern):
        signature = inspect.signature(pattern)
        signature = signature.replace(parameters=[p for p in signature.parameters.values() if p.name != "function"])
        own_summary, *text = inspect.getdoc(pattern).split("\n\n")
        called = [set(re.findall(r"(\w+)\(", part)) if part.startswith(">>> ") else None for part in text]
        for name in library if names is None else names.split():
            target = library[name] if isinstance(library, dict) else getattr(library, name)
            function = types.FunctionType(pattern.__code__, pattern.__globals__, name, pattern.__defaults__)
            function.__qualname__, function.__module__ = name, pattern.__module__
            function.__kwdefaults__, function.__signature__ = {"function": target}, signature
            function.__annotations__ = {k: v for k, v in pattern.__annotations__.items() if k != "function"}
            parts = [part for part, names in zip(text, called) if names is None or name in names]
            function.__doc__ = "\n\n".join([_summary(target) or own_summary, *parts]) + "\n"
            pattern.__globals__[name] = make(function)

    return declare


def _summary(function):
    """The first line of a function's docstring; for an alias, that of the function that it names."""
    line = (function.__doc__ or "").strip().split("\n")[0]
    alias = re.match(r"Alias of :func:`jax\.numpy\.(\w+)`", line)
    return _summary(getattr(jnp, alias[1])) if alias else line and line.rstrip(".") + "."
