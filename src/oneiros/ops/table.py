"""Turns the tables of this folder into functions that take arrays, lists, variables and symbols alike."""

import inspect
import re
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import Variable, config, op

Tensor: TypeAlias = Any  # arrays, NumPy arrays, variables, symbols, numbers and (nested) lists of numbers
Tree: TypeAlias = Any  # one tensor, or nested lists, tuples and dictionaries of tensors
Shape: TypeAlias = int | Sequence[int]
Size: TypeAlias = int | Sequence[int]  # one number for all spatial dimensions, or one for each
Axes: TypeAlias = int | Sequence[int] | None
DType: TypeAlias = Any  # the name of a data type, or a data type of NumPy


def tensor(x: Tensor) -> Array:
    """Converts anything that users may pass as a tensor to a JAX array.

    Args:
        x: Array, NumPy array, variable, number, sparse matrix of SciPy or JAX, or (nested) list of numbers.

    Returns:
        An array. Python floats, alone or in lists, become `floatx()`; whatever has a data type keeps it.

    >>> tensor([0.5, 1.0]).dtype
    dtype('float32')
    """
    if isinstance(x, jax.Array):
        return x
    if isinstance(x, Variable):
        return x.value
    if hasattr(x, "tocoo"):  # SciPy's sparse matrices
        x = x.toarray()
    elif hasattr(x, "todense"):  # JAX's
        x = x.todense()
    array = jnp.asarray(x)
    if not hasattr(x, "dtype") and jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(config.floatx())
    return array


def operand(x: Tensor) -> Tensor:
    """Converts like `tensor`, but keeps Python numbers, which then adopt the data type of the other operand.

    Args:
        x: Anything that `tensor` takes, or ``None``.

    Returns:
        An array, or the Python number or ``None`` that was passed.

    >>> (jnp.ones(2, "bfloat16") * operand(0.5)).dtype
    dtype(bfloat16)
    """
    return x if isinstance(x, (jax.Array, bool, int, float, complex, type(None))) else tensor(x)


def tensors(xs: Sequence[Tensor] | Tensor) -> list[Array]:
    """Converts each item of a list with `tensor`. A single array is split along its first axis.

    Args:
        xs: List or tuple of tensors, or one tensor.

    Returns:
        A list of arrays.

    >>> [x.tolist() for x in tensors(jnp.eye(2))]
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return [tensor(x) for x in (xs if isinstance(xs, (list, tuple)) else tensor(xs))]


def dims(shape: Shape) -> tuple[int, ...]:
    """Converts a shape argument to a tuple of Python integers.

    Args:
        shape: One integer, or a list, tuple or array of integers.

    Returns:
        The shape.

    >>> dims(3), dims([2, np.int64(4)])
    ((3,), (2, 4))
    """
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    return tuple(int(d) for d in shape)


def to_dtype(dtype: DType = None) -> np.dtype:
    """Converts a `dtype` argument to a data type of NumPy.

    Args:
        dtype: Name or data type; ``None`` stands for `floatx()`.

    Returns:
        The data type. Unless JAX may use 64 bits, 64-bit integers become 32-bit ones.

    >>> to_dtype()
    dtype('float32')
    """
    dtype = dtype or config.floatx()
    config.require_float64(dtype)
    return jax.dtypes.canonicalize_dtype(dtype)


def as_float(x: Tensor) -> Array:
    """Converts like `tensor`, and integers and booleans to `floatx()`.

    Args:
        x: Anything that `tensor` takes.

    Returns:
        An array of floats (or complex numbers).

    >>> as_float([1, 2]).tolist()
    [1.0, 2.0]
    """
    x = tensor(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())


_HELPERS = ("table", "recording", "layouts")  # modules whose functions are not for users


def publish(namespace: dict[str, Any], *modules: types.ModuleType) -> None:
    """Copies the public functions of modules into a namespace.

    Args:
        namespace: Where to put the functions: the `globals()` of the caller.
        *modules: Modules whose functions are copied, whether they define them or import them from the same folder.
    """
    for module in modules:
        for name, value in vars(module).items():
            package, _, home = getattr(value, "__module__", "").rpartition(".")
            if callable(value) and not name.startswith("_") and package == module.__package__ and home not in _HELPERS:
                namespace[name] = value


def define(
    library: types.ModuleType | dict[str, Callable], names: str | None = None, make: Callable = op
) -> Callable[[Callable], None]:
    """Makes one op for each name, all with the signature of the decorated function.

    Each op is a copy of the decorated function whose keyword-only argument `function` is the library's function of
    that name. The ops are put into the module of the decorated function.

    The docstring of an op starts with its summary: the line ``name: Summary.`` of the section ``Summaries:`` in the
    decorated function's docstring if there is one, else the first line of the library function's docstring. The
    sections of the decorated function's docstring follow, without the examples that do not call the op.

    Args:
        library: Module or dictionary that has a function of arrays under each name.
        names: The names, separated by spaces. By default, all those of the dictionary.
        make: Function that makes an op of a function of arrays.

    Returns:
        A decorator.

    >>> @define(jnp, "sin cos")
    ... def _wave(x, *, function):
    ...     '''A wave.
    ...
    ...     Summaries:
    ...         sin: The sine of an angle in radians.
    ...     '''
    ...     return function(x)
    >>> sin.__doc__, float(cos(0.0))
    ('The sine of an angle in radians.\\n', 1.0)
    """

    def declare(pattern):
        signature = inspect.signature(pattern)
        signature = signature.replace(parameters=[p for p in signature.parameters.values() if p.name != "function"])
        own_summary, *text = inspect.getdoc(pattern).split("\n\n")
        summaries = text.pop(0) if text and text[0].startswith("Summaries:") else ""
        summaries = dict(re.findall(r"^    (\w+): (.+)$", summaries, re.MULTILINE))
        called = [set(re.findall(r"(\w+)\(", part)) if part.startswith(">>> ") else None for part in text]
        for name in library if names is None else names.split():
            target = library[name] if isinstance(library, dict) else getattr(library, name)
            function = types.FunctionType(pattern.__code__, pattern.__globals__, name, pattern.__defaults__)
            function.__qualname__, function.__module__ = name, pattern.__module__
            function.__kwdefaults__, function.__signature__ = {"function": target}, signature
            function.__annotations__ = {k: v for k, v in pattern.__annotations__.items() if k != "function"}
            parts = [part for part, names in zip(text, called) if names is None or name in names]
            summary = summaries.get(name) or _summary(target) or own_summary
            function.__doc__ = "\n\n".join([summary, *parts]) + "\n"
            pattern.__globals__[name] = make(function)

    return declare


def _summary(function):
    """The first line of a function's docstring; for an alias, that of the function that it names."""
    line = (function.__doc__ or "").strip().split("\n")[0]
    alias = re.match(r"Alias of :func:`jax\.numpy\.(\w+)`", line)
    return _summary(getattr(jnp, alias[1])) if alias else line and line.rstrip(".") + "."
