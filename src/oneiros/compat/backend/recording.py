"""When the backend's functions compute, and when they record."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import Node, Symbol, Variable, op
from ...core.phase import is_building
from ...core.symbol import infer, record, replace_symbols


def function_of_tensors(fn: Callable) -> Callable:
    """`core.op` for the backend: shapes of symbols may be arguments, and where graphs are built, variables."""
    recorded = op(fn)

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        if _contains(ShapeSymbol, (args, kwargs)):
            return _record_with_shapes(fn, args, kwargs)
        if is_building() and _contains(Variable, (args, kwargs)):
            return record(fn, args, kwargs)
        return recorded(*args, **kwargs)

    fn.public = wrapper
    return wrapper


def _contains(kind, tree):
    if isinstance(tree, kind):
        return True
    if isinstance(tree, (list, tuple)):
        return any(_contains(kind, item) for item in tree)
    return isinstance(tree, dict) and any(_contains(kind, item) for item in tree.values())


class GraphVariable(Variable):
    """A variable of a program for Keras 1 or 2: outside of calls, arithmetic with it is recorded."""


jax.tree_util.register_pytree_node(GraphVariable, lambda v: ((v.value,), None), lambda _, children: children[0])


def _recording_method(name):
    compute, function = getattr(Variable, name), getattr(Symbol, name).__wrapped__

    def method(self, *others):
        return record(function, (self, *others), {}) if is_building() else compute(self, *others)

    method.__name__ = name
    return method


_BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"]
for _name in (
    *(f"__{prefix}{name}__" for name in _BINARY for prefix in ("", "r")),
    *("__neg__", "__abs__", "__invert__", "__lt__", "__le__", "__gt__", "__ge__", "__getitem__"),
):
    setattr(GraphVariable, _name, _recording_method(_name))


class ShapeSymbol(Symbol):
    """The shape of a symbol, or a number computed from it: an integer that is known when the graph is traced.

    The backend's functions take it where they need a shape; elsewhere it is a symbol like any other.
    """

    def __init__(self, fn: Callable, args: tuple, source: Any):
        node = Node(fn, args, {}, infer(fn, args, {}))
        spec = node.outputs[0]
        super().__init__(spec.shape, spec.dtype, spec.name, node)
        node.outputs[0] = self
        self._fn, self._args, self.source = fn, args, source

    def number(self, source: Any) -> Any:
        """The value, from an array in the place of the symbol whose shape this is."""
        if self._args == (self.source,):
            return np.array(source.shape, "int32")
        return self._fn(*replace_symbols(self._args, lambda s: s.number(source)))


def shape_of(x: Any) -> Any:
    """The shape as integers: a NumPy array, or a symbol for a symbol."""
    if isinstance(x, Symbol):
        return ShapeSymbol(_shape_of, (x,), x)
    return np.array(x.shape if hasattr(x, "shape") else np.shape(x), "int32")


@op
def _shape_op(x):
    return jnp.array(x.shape, "int32")


_shape_of = _shape_op.__wrapped__


def _derived(name):
    function = getattr(operator, name)

    def compute(a, b):
        return function(a, b)

    def method(self, other):
        same = not isinstance(other, Symbol) or (isinstance(other, ShapeSymbol) and other.source is self.source)
        if same and (isinstance(other, (int, slice, np.integer, ShapeSymbol))):
            return ShapeSymbol(compute, (self, other), self.source)
        return getattr(Symbol, f"__{name}__")(self, other)

    compute.__name__ = method.__name__ = name
    return method


for _name in ["add", "sub", "mul", "floordiv", "mod", "getitem"]:
    setattr(ShapeSymbol, f"__{_name}__", _derived(_name))
ShapeSymbol.__radd__, ShapeSymbol.__rmul__ = ShapeSymbol.__add__, ShapeSymbol.__mul__


def _record_with_shapes(fn, args, kwargs):
    """Records `fn` so that it gets numbers for the shape symbols among its arguments."""
    sources = []

    def hole(symbol):
        if not isinstance(symbol, ShapeSymbol):
            return symbol
        if not any(symbol.source is s for s in sources):
            sources.append(symbol.source)
        return _Hole(symbol)

    args, kwargs = replace_symbols((args, kwargs), hole)

    @functools.wraps(fn)
    def filled(arrays, *args, **kwargs):
        values = {id(s): array for s, array in zip(sources, arrays)}
        args, kwargs = _fill((args, kwargs), lambda s: s.number(values[id(s.source)]))
        return fn(*args, **kwargs)

    return record(filled, (sources, *args), kwargs)


class _Hole:
    def __init__(self, symbol):
        self.symbol = symbol


def _fill(tree, number):
    if isinstance(tree, _Hole):
        return number(tree.symbol)
    if isinstance(tree, (list, tuple)):
        return type(tree)(_fill(item, number) for item in tree)
    return {key: _fill(item, number) for key, item in tree.items()} if isinstance(tree, dict) else tree
