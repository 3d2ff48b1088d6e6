"""Symbolic tensors, the operations recorded on them, and graphs of these."""

import collections
import collections.abc
import functools
import importlib
import inspect
import itertools
import operator
import re
import typing

import jax
import jax.numpy as jnp
import numpy as np

from . import config, structure
from .context import current, within
from .errors import DisconnectedGraphError
from .mask_and_logits import get_mask, set_mask
from .names import unique_name
from .registry import kind
from .traceback import calling_line, guarded, tidy
from .variable import Scope, Variable

# Two fillings for unknown dimensions: what differs between the results is unknown there too. Both have many
# divisors, so that reshapes come out even, and are large enough for any window.
_FILLINGS = (720, 840)
STRING = "string"  # the type of symbols for strings, which JAX does not have
_SMALL_FILLINGS = (2, 4)  # for what takes short sequences only
_FILLED = re.compile(rf"(?<=[\[(, ])(?:{'|'.join(map(str, _FILLINGS))})(?=[,)\]])")


class Shape(tuple):
    """A shape, as a tuple; unknown dimensions are ``None``. It also has the methods of TensorFlow's shapes.

    >>> Shape((None, 3)).as_list()
    [None, 3]
    """

    def as_list(self):
        """The shape as a list."""
        return list(self)

    ndims = rank = property(len)

    def __getitem__(self, index):
        item = super().__getitem__(index)
        return Shape(item) if isinstance(index, slice) else item


def type_name(dtype: typing.Any = None) -> str:
    """The name of a number type, by default `floatx()`, or ``"string"``.

    >>> type_name(), type_name(np.int32), type_name("string")
    ('float32', 'int32', 'string')
    """
    return STRING if isinstance(dtype, str) and dtype == STRING else str(jnp.dtype(dtype or config.floatx()))


class Symbol:
    """A tensor without a value: it has a shape and a type, and knows how it is computed.

    Args:
        shape: the shape; unknown dimensions are ``None``.
        dtype: the type, by default `floatx()`.
        name: the name.
        node: the `Node` that it is an output of, ``None`` for a placeholder.
        index: the number of that output.
        sparse: whether it stands for a sparse matrix.

    >>> (Symbol((None, 3)) * 2).shape
    (None, 3)
    """

    @guarded
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        """NumPy arrays leave the arithmetic with symbols to us; other functions of NumPy do not know them."""
        name = _OF_UFUNCS.get(ufunc.__name__)
        if name and method == "__call__" and len(inputs) == 2 and inputs[1] is self and not kwargs:
            return getattr(self, name)(inputs[0])
        line = calling_line()
        raise TypeError(
            f"{f'{line}: ' if line else ''}NumPy's {ufunc.__name__} cannot take {self!r}, a symbol without a value. "
            "Use functions of oneiros.ops (they have NumPy's names), or a Lambda layer."
        )

    mask = None  # made by `mask_symbol`
    mask_spec = None  # the shape and type of the mask that goes with the values; `None` if they have none

    def __init__(self, shape, dtype=None, name=None, node=None, index=0, sparse=False):
        self.shape = Shape(None if d is None else int(d) for d in shape)
        self.dtype = type_name(dtype)
        self.name = name or unique_name("tensor")
        self.node = node
        self.index = index
        self.sparse = sparse

    ndim = property(lambda self: len(self.shape))
    rank = ndim

    @property
    def size(self):
        """The number of elements, or ``None`` if it is not known."""
        return None if None in self.shape else int(np.prod(self.shape))

    def get_shape(self):
        """The shape, as TensorFlow's tensors give it."""
        return self.shape

    def set_shape(self, shape):
        """Replaces the shape."""
        self.shape = Shape(shape)

    ragged, ragged_rank, row_splits_dtype = False, None, None  # there are no ragged tensors

    def reshape(self, newshape: typing.Any) -> "Symbol":
        """The same entries in another shape."""
        return _reshape(self, newshape)

    def squeeze(self, axis: typing.Any = None) -> "Symbol":
        """Without the axes of size 1, or without those that are given."""
        return _squeeze(self, axis)

    def astype(self, dtype):
        """A symbol for the same tensor as another type."""
        return _cast(self, jnp.dtype(dtype))

    def __repr__(self):
        return f"<Symbol shape={tuple(self.shape)}, dtype={self.dtype}, name={self.name}>"

    __hash__ = object.__hash__

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    @guarded
    def __iter__(self):
        if not self.shape or self.shape[0] is None:
            raise TypeError(
                f"{self!r} has no known length, so Python cannot loop over it: use ops.map, ops.scan, or a layer "
                "such as TimeDistributed."
            )
        return (self[i] for i in range(self.shape[0]))

    @guarded
    def _no_value(self, *args, **kwargs):
        line = calling_line()
        raise TypeError(
            f"{f'{line}: ' if line else ''}{self!r} is a symbol: it has no value until a model or K.function computes "
            "it. Use functions of oneiros.ops or the backend on it (ops.where and ops.cond for `if`), put other code "
            "into a Lambda layer, and let `if` decide on shapes only."
        )

    if typing.TYPE_CHECKING:  # the operators, which are set below

        def _operator(self, other: typing.Any) -> typing.Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _operator
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = _operator

        def __neg__(self) -> typing.Any: ...

        def __getitem__(self, key: typing.Any) -> typing.Any: ...

        def __abs__(self) -> typing.Any: ...

    __bool__ = __float__ = __int__ = __array__ = _no_value


class Node:
    """One application of an operation (a function of arrays, or a layer) to symbols.

    `inputs` and `outputs` are flat lists of symbols. `args` and `kwargs` keep the structure of the call, in
    containers of their own: users may change a list after they have called a layer on it.

    Args:
        operation: the function or layer.
        args: the positional arguments of the call.
        kwargs: its keyword arguments.
        output_specs: the shapes and types of the outputs, in their structure.

    >>> x = Symbol((None, 3))
    >>> (x * 2).node.inputs[0] is x
    True
    """

    placeholder = False  # True: the outputs are to be fed
    entry = False  # True: the outputs are those of an Input, with a value of its own or to be fed
    marked = False  # whether a program said that the outputs are others in training

    def __init__(self, operation, args, kwargs, output_specs):
        self.operation = operation
        self.args, self.kwargs = replace_symbols((args, kwargs), lambda symbol: symbol)
        self.inputs = symbols_in((args, dict(sorted(kwargs.items()))))  # as Keras walks them
        self.node_index = 0
        self.output_structure = output_specs
        prefix = operation_name(operation)
        self.outputs = []
        for i, spec in enumerate(structure.leaves(output_specs)):
            symbol = Symbol(spec.shape, spec.dtype, f"{prefix}/output_{i}" if i else prefix, self, i)
            if (mask_spec := getattr(spec, "mask_spec", None)) is not None:
                symbol.mask_spec = mask_spec
            self.outputs.append(symbol)

    def __getstate__(self):
        """What copies and pickles keep."""
        name = getattr(self.operation, "__qualname__", "")
        is_op = hasattr(self.operation, "public") and "<" not in name  # not defined within a function
        return vars(self) | ({"operation": _ByName(self.operation)} if is_op else {})

    @property
    def result(self):
        """The outputs in the structure in which the operation returns them."""
        return structure.pack(self.output_structure, self.outputs)

    # The faces that Keras' nodes have. What comes out of an Input is what goes in.
    outbound_layer = layer = property(lambda self: self.operation)
    input_tensors = property(lambda self: list(self.outputs if self.entry else self.inputs))
    output_tensors = property(lambda self: list(self.outputs))
    input_shapes = property(lambda self: [tuple(s.shape) for s in self.input_tensors])
    output_shapes = property(lambda self: [tuple(s.shape) for s in self.outputs])
    input_masks = property(lambda self: [mask_symbol(s) for s in self.input_tensors])
    output_masks = property(lambda self: [mask_symbol(s) for s in self.outputs])
    inbound_layers = property(lambda self: [s.node.operation for s in self.inputs if s.node])
    node_indices = property(lambda self: [s.node.node_index for s in self.inputs if s.node])
    tensor_indices = property(lambda self: [s.index for s in self.inputs if s.node])
    arguments = property(lambda self: self.kwargs)


class _ByName:
    """The function under an op, as pickles keep it: its own name leads to the op."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return _function_of_op, (self.function.__module__, self.function.__qualname__)


def _function_of_op(module, name):
    return inspect.unwrap(operator.attrgetter(name)(importlib.import_module(module)))


def operation_name(operation) -> str:
    """The name of a layer or function."""
    return getattr(operation, "name", None) or getattr(operation, "__name__", "op")


def depends_on_phase(node: Node) -> bool:
    """Whether a node computes something else in training. A call that is told by `training` does not."""
    training = node.kwargs.get("training")
    told = training is not None and not is_symbol(training)
    return node.marked or not told and bool(getattr(node.operation, "uses_learning_phase", False))


def mask_symbol(symbol: Symbol) -> "Symbol | None":
    """The mask of a symbol as a symbol, or `None` if it has none."""
    if symbol.mask_spec is None:
        return None
    if symbol.mask is None:
        symbol.mask = Node(_read_mask.__wrapped__, (symbol,), {}, symbol.mask_spec).result
    return symbol.mask


def is_symbol(x: typing.Any) -> bool:
    """Whether an object is a `Symbol`: a tensor without a value, such as `Input` returns.

    Args:
        x: Any object.

    Returns:
        True or False.

    >>> is_symbol(Symbol((None, 3))), is_symbol([1.0])
    (True, False)
    """
    return isinstance(x, Symbol)


def symbols_in(tree) -> list[Symbol]:
    """All symbols in nested lists, tuples and dictionaries, in order.

    >>> a, b = Symbol(()), Symbol(())
    >>> symbols_in({"x": [a, 1], "y": b}) == [a, b]
    True
    """
    if isinstance(tree, Symbol):
        return [tree]
    if isinstance(tree, (list, tuple)):
        return [s for item in tree for s in symbols_in(item)]
    if isinstance(tree, dict):
        return [s for item in tree.values() for s in symbols_in(item)]
    return []


def has_symbol(tree) -> bool:
    """Whether there is a symbol in nested lists, tuples and dictionaries."""
    if isinstance(tree, Symbol):
        return True
    if isinstance(tree, (list, tuple)):
        return any(map(has_symbol, tree))
    return isinstance(tree, dict) and any(map(has_symbol, tree.values()))


def replace_symbols(tree, replacement):
    """A structure like `tree` with ``replacement(symbol)`` in the place of each symbol."""
    if isinstance(tree, Symbol):
        return replacement(tree)
    if structure.is_nested(tree) and not isinstance(tree, Shape):
        return structure.rebuilt(tree, [replace_symbols(item, replacement) for item in structure.values_of(tree)])
    return tree


def record(fn: typing.Callable, args: tuple, kwargs: dict) -> typing.Any:
    """The results of ``fn(*args, **kwargs)`` as symbols: the call is noted as a node.

    >>> record(jnp.sum, (Symbol((None, 3)), -1), {}).shape
    (None,)
    """
    return Node(fn, args, kwargs, infer(fn, args, kwargs)).result


def symbol_of(x: typing.Any) -> typing.Any:
    """The symbol for the value of a variable, the same at each call. What is no variable is returned as it is.

    >>> variable = Variable([1.0, 2.0])
    >>> symbol_of(variable).shape, symbol_of(variable) is symbol_of(variable)
    ((2,), True)
    """
    if not isinstance(x, Variable):
        return x
    if "symbol" not in vars(x):
        x.symbol = record(_value_of, (x,), {})
    return x.symbol


def _value_of(variable):
    return variable.value


def op(fn):
    """Lets a function of arrays take symbols too: for a symbol it records a node and infers the shape of the result.

    >>> double = op(lambda x: x * 2)
    >>> double(Symbol((None, 3))).shape
    (None, 3)
    """

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        try:
            if has_symbol(args) or (kwargs and has_symbol(kwargs)):
                return record(fn, args, kwargs)
            return fn(*args, **kwargs)
        except BaseException as error:
            tidy(error)
            raise

    fn.public = wrapper
    wrapper.guarded = True
    if fn.__module__.split(".")[0] == "oneiros":  # a graph with it can be saved: files name operations
        module = fn.__module__.removeprefix("oneiros.").removeprefix("compat.")  # K is `backend` in files
        kind("operation").add(fn, f"{module}.{fn.__name__}")
    return wrapper


class Spec:
    """A shape and a type. Structures see it as one leaf, whereas they would take apart a shape that has ``None`` in it.

    >>> Spec((None, 3), "float32").dtype
    'float32'
    """

    def __init__(self, shape, dtype, mask_spec=None):
        self.shape, self.dtype, self.mask_spec = shape, dtype, mask_spec


def is_inferring() -> bool:
    """Whether shapes are being inferred, with made-up sizes for unknown dimensions."""
    return bool(current().inferring)


def infer(fn, args, kwargs):
    """The shapes and types of ``fn(*args, **kwargs)``, in the structure of its results.

    Args:
        fn: a function of arrays.
        args: its positional arguments, with symbols in the places of arrays.
        kwargs: its keyword arguments.

    >>> infer(lambda x: x.sum(-1), (Symbol((None, 3)),), {}).shape
    [None]
    """
    symbols = list(dict.fromkeys(symbols_in((args, kwargs))))
    masked = [s for s in symbols if s.mask_spec is not None]

    def run(filling, guess):
        def size(d, place):
            return guess.get(place, filling) if d is None else d

        def filled(spec):
            shape = tuple(size(d, i - len(spec.shape)) for i, d in enumerate(spec.shape))
            # Layers that take strings take integers as well, with results of the same shapes and types.
            return jax.ShapeDtypeStruct(shape, jnp.dtype("int32" if spec.dtype == STRING else spec.dtype))

        def call(arrays, masks):
            values = dict(zip(symbols, arrays))
            for symbol, mask in zip(masked, masks):
                set_mask(values[symbol], mask)
            new_args, new_kwargs = replace_symbols((args, kwargs), values.__getitem__)
            result = resolved(fn(*new_args, **new_kwargs), inside=True)
            return structure.keep(result), [get_mask(x) for x in structure.leaves(result)]

        with within(inferring=filling, replays=()), Scope():  # what the function writes is not to last
            result, masks = jax.eval_shape(call, list(map(filled, symbols)), [filled(s.mask_spec) for s in masked])
            return structure.unkeep(result), masks

    unknown = any(None in s.shape for s in symbols)
    guesses = _guesses(symbols, (args, kwargs)) if unknown and inspect.isfunction(fn) else [{}]
    tries = itertools.chain(((_FILLINGS, guess) for guess in guesses), [(_SMALL_FILLINGS, {})] if unknown else [])
    first_error = None
    for fillings, guess in tries:
        try:
            first, masks = run(fillings[0], guess)
            second, other_masks = run(fillings[1], guess) if unknown else (first, masks)
            break
        except Exception as error:
            if unknown:
                _hide_fillings(error)
            first_error = first_error or error
            if not isinstance(error, (TypeError, ValueError)):
                raise
    else:
        raise first_error

    def merge(a, b):
        return Spec([m if m == n else None for m, n in zip(a.shape, b.shape)], a.dtype)

    merged = structure.map_structure(merge, first, second)
    for spec, mask, other in zip(structure.leaves(merged), masks, other_masks):
        spec.mask_spec = None if mask is None else merge(mask, other)
    return merged


def _hide_fillings(error):
    """The made-up sizes in an error's message become ``None``, as the user knows them."""

    def hidden(text):
        return _FILLED.sub("None", text) if isinstance(text, str) else text

    error.args = tuple(map(hidden, error.args))
    if notes := getattr(error, "__notes__", None):
        notes[:] = map(hidden, notes)


def _guesses(symbols, arguments):
    """Sizes for unknown dimensions, by their place from the end: first none, then sizes that other arguments have.

    `placeholder(ndim=2) + variable` makes sense only where the unknown dimensions are those of the variable.
    """
    yield {}
    shapes = [getattr(x, "shape", ()) for x in structure.leaves(arguments)]
    sizes = sorted({d for shape in shapes for d in shape if d is not None and d != 1})
    places = sorted({i - s.ndim for s in symbols for i, d in enumerate(s.shape) if d is None}, reverse=True)
    for count in range(1, min(len(places), 3) + 1):
        for chosen in itertools.combinations(places, count):
            for values in itertools.product(sizes[:4], repeat=count):
                yield dict(zip(chosen, values))


def topological_order(outputs, inputs=()) -> list[Node]:
    """The nodes that symbols are computed by, each after those that it needs itself.

    Args:
        outputs: a list of symbols.
        inputs: symbols at which the search ends, or a dictionary of them.
    """
    stop = inputs if isinstance(inputs, collections.abc.Mapping) else set(inputs)

    def computed(symbol):
        return symbol.node is not None and not symbol.node.placeholder and symbol not in stop

    order, done = [], set()
    stack = [s.node for s in reversed(outputs) if computed(s)]
    while stack:
        node = stack[-1]
        if id(node) in done:
            stack.pop()
            continue
        missing = [s.node for s in node.inputs if computed(s) and id(s.node) not in done]
        if missing:
            stack.extend(reversed(missing))
        else:
            stack.pop()
            done.add(id(node))
            order.append(node)
    return order


class Graph:
    """A function of arrays that computes some symbols from values for others.

    Args:
        inputs: the symbols to give values for, or nested lists, tuples and dictionaries of them.
        outputs: the symbols to compute, in the same forms.

    Raises:
        ValueError: if the outputs need other inputs.

    >>> x = Symbol((None,))
    >>> Graph([x], x * 2 + 1)(jnp.array([1.0, 2.0])).tolist()
    [3.0, 5.0]
    """

    def __init__(self, inputs, outputs):
        self.inputs = symbols_in(inputs)
        self.outputs = outputs
        self.nodes = topological_order(symbols_in(outputs), self.inputs)
        known = {id(s) for s in self.inputs}
        for node in self.nodes:
            self._check(node.inputs, known, node)
            known.update(id(s) for s in node.outputs)
        self._check(symbols_in(outputs), known, None)

    @staticmethod
    def _check(symbols, known, node):
        for s in symbols:
            if id(s) not in known:
                where = f" (needed by {operation_name(node.operation)})" if node else ""
                raise DisconnectedGraphError(
                    f"Graph disconnected: cannot obtain a value for {s!r}{where}. It does not come from the given "
                    "inputs; list the Input that it comes from among them."
                )

    def __call__(self, *arrays):
        values = dict(zip(self.inputs, arrays))

        outer = current().replays
        with within(replays=(*outer, values)):
            _compute(self.nodes, values)
        if len(outer) == 1 and isinstance(outer[0], StepValues):
            outer[0].update(values)
        return replace_symbols(self.outputs, lambda s: values[s])


class StepValues(dict):
    """What the graphs of one training step computed, for the losses that come after them.

    >>> x = Symbol((3,))
    >>> with within(replays=(StepValues(),)):
    ...     outputs = Graph([x], x * 2)(jnp.ones(3))
    ...     resolved(x + 1).tolist()
    [2.0, 2.0, 2.0]
    """


def _compute(nodes, values):
    """Computes nodes, each after its inputs: `values` has the values of symbols, and gets those of more."""

    def value(symbol):
        return values[symbol]

    for node in nodes:
        if all(s in values for s in node.outputs):
            continue  # an inner symbol is fed
        args, kwargs = replace_symbols((node.args, node.kwargs), value)
        result = resolved(node.operation(*args, **kwargs), inside=True)
        for symbol, array in zip(node.outputs, structure.leaves(result)):
            values.setdefault(symbol, array.value if isinstance(array, Variable) else array)


def resolved(tree: typing.Any, inside: bool = False) -> typing.Any:
    """`tree` with values in the place of symbols, if it belongs to a computation that is under way.

    Functions of users may use symbols of the graph around them: losses of variational autoencoders do. When such a
    function is called on arrays, those symbols stand for their values. Elsewhere the tree stays as it is.

    Args:
        tree: a structure of symbols and other things.
        inside: whether it is known to belong to the computation. Otherwise, while shapes are inferred, the arrays in
            it tell.
    """
    symbols = symbols_in(tree)
    if not symbols:
        return tree
    context = current()
    if context.replays:
        values = collections.ChainMap(*reversed(context.replays))
        nodes = topological_order(symbols, values)
        needed = [*symbols, *(s for node in nodes for s in node.inputs)]
        made = {s for node in nodes for s in node.outputs}
        if all(s in values or s in made for s in needed):
            _compute(nodes, values)
            return replace_symbols(tree, lambda s: values[s])
    elif context.inferring and (inside or _is_traced(tree)):
        return replace_symbols(tree, _made_up)
    return tree


def symbol_behind(value: typing.Any) -> Symbol | None:
    """The symbol whose value an array is in the computation under way; the last, where a layer passes on what it gets.

    Losses of users get arrays, and may ask for what they came from.
    """
    for values in current().replays:
        for symbol, found in reversed(values.items()):
            if found is value:
                return symbol
    return None


def _is_traced(tree):
    is_traced = any(isinstance(x, jax.core.Tracer) for x in structure.leaves(tree))
    return is_traced and config.behaviour.calls_use_outer_symbols


def _made_up(symbol):
    filling = current().inferring
    return jnp.zeros([filling if d is None else d for d in symbol.shape], symbol.dtype)


@op
def _read_mask(x):
    return get_mask(x)


@op
def _cast(x, dtype):
    return x.astype(dtype)


@op
def _reshape(x, newshape):
    return jnp.reshape(x, newshape)


@op
def _squeeze(x, axis):
    return jnp.squeeze(x, axis)


def _operator(name, fn):
    fn.__name__ = name.strip("_")  # and_ is __and__
    fn.__qualname__ = f"Symbol.__{fn.__name__}__"
    setattr(Symbol, f"__{fn.__name__}__", op(fn))


_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and_ or_ xor"
_ONE_SIDED = "lt le gt ge getitem"
for _function in (getattr(operator, name) for name in f"{_ARITHMETIC} {_ONE_SIDED}".split()):
    _name = _function.__name__
    _operator(_name, lambda a, b, _function=_function: _function(a, b))
    if _name not in _ONE_SIDED.split():
        _operator("r" + _name.strip("_"), lambda a, b, _function=_function: _function(b, a))
# What `array + symbol` calls, and the method of the symbol that does it.
_OF_UFUNCS = {name: f"__r{name}__" for name in ("add", "matmul")} | {
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__",
    "power": "__rpow__",
    "bitwise_and": "__rand__",
    "bitwise_or": "__ror__",
    "bitwise_xor": "__rxor__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
}
for _function in (operator.neg, operator.abs, operator.invert):
    _operator(_function.__name__, lambda a, _function=_function: _function(a))
