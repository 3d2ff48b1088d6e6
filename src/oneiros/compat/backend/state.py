"""Variables, placeholders, compiled functions, gradients, updates, and the learning phase."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import (
    Graph,
    Symbol,
    Variable,
    behaviour,
    compiled,
    config,
    deferred,
    names,
    op,
    phase,
    symbols_in,
    value_and_grad,
)
from ...core.random import reset_global_seed_generator
from ...core.structure import map_structure
from ...core.symbol import symbol_behind, topological_order
from ...core.variable import current_scope
from ...ops.table import dims, tensor, to_dtype
from .recording import GraphVariable, function_of_tensors, is_building, record, shape_of

# Values


def is_sparse(tensor: Any) -> bool:
    """Whether a tensor is a sparse matrix of SciPy or JAX, or a symbol for one.

    Args:
        tensor: Any object.

    >>> is_sparse(jnp.zeros(3))
    False
    """
    return bool(getattr(tensor, "sparse", False)) or hasattr(tensor, "tocoo") or hasattr(tensor, "todense")


def to_dense(tensor: Any) -> Any:
    """A sparse matrix as a dense array. Anything else is returned as it is.

    Args:
        tensor: Sparse matrix, or any object.

    >>> to_dense(jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    if hasattr(tensor, "tocoo"):
        return jnp.asarray(tensor.toarray())
    return tensor.todense() if hasattr(tensor, "todense") else tensor


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Callable | None = None) -> Any:
    """Makes a variable.

    Args:
        value: Initial value: an array, a number, a list or a symbol. A SciPy matrix gives a sparse array, which cannot
            be assigned.
        dtype: Type; by default `floatx()`.
        name: Name of the variable.
        constraint: Function that is applied to the variable after each update.

    >>> variable([1.0, 2.0]).numpy().tolist()
    [1.0, 2.0]
    """
    if hasattr(value, "tocoo"):
        from jax.experimental import sparse

        return sparse.BCOO.from_scipy_sparse(value.astype(dtype or config.floatx()))
    if isinstance(value, Symbol):
        value = eval(value)
    cls = GraphVariable if behaviour.expressions_recorded else Variable
    name = name or names.unique_name("Variable")
    with contextlib.nullcontext() if isinstance(value, jax.core.Tracer) else jax.ensure_compile_time_eval():
        value = tensor(value)  # also where a step is traced: an optimizer makes its slots in get_updates
    return cls(value, dtype=dtype or config.floatx(), name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> jax.Array:
    """Makes a tensor that is not a variable.

    Args:
        value: Number or nested list.
        dtype: Type; by default `floatx()`.
        shape: Shape of the tensor. A single value is repeated, several are reshaped.
        name: Not used.

    >>> constant(2.0, shape=(2,)).tolist()
    [2.0, 2.0]
    """
    value = tensor(value).astype(to_dtype(dtype))
    if shape is None:
        return value
    return jnp.full(dims(shape), value) if value.size == 1 else value.reshape(dims(shape))


def _made(fn, shape, dtype, name, *args):
    """A variable of known shape; an array where code is traced; a symbol if the shape is one."""
    dtype = dtype or config.floatx()
    if symbols_in(shape):
        return function_of_tensors(fn)(shape, *args, dtype=dtype)
    if phase.inside() or (current_scope() is not None and not deferred.active()):
        return fn(shape, *args, dtype=dtype)
    with jax.ensure_compile_time_eval():  # see `variable`
        return variable(fn(shape, *args, dtype=dtype), dtype, name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros. Inside a call it is an array.

    Args:
        shape: Shape.
        dtype: Type; by default `floatx()`.
        name: Name of the variable.

    >>> zeros((2,)).numpy().tolist()
    [0.0, 0.0]
    """
    return _made(_zeros, shape, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones. Inside a call it is an array.

    Args:
        shape: Shape.
        dtype: Type; by default `floatx()`.
        name: Name of the variable.

    >>> ones((2,)).numpy().tolist()
    [1.0, 1.0]
    """
    return _made(_ones, shape, dtype, name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Any:
    """The identity matrix as a variable. Inside a call it is an array.

    Args:
        size: Number of rows, or the numbers of rows and columns.
        dtype: Type; by default `floatx()`.
        name: Name of the variable.

    >>> eye(2).numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return _made(_eye, size, dtype, name)


def _zeros(shape, dtype):
    return jnp.zeros(dims(shape), dtype)


def _ones(shape, dtype):
    return jnp.ones(dims(shape), dtype)


def _eye(size, dtype):
    return jnp.eye(*dims(size), dtype=dtype)


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> Symbol:
    """A symbol whose value is fed to a `function`.

    Args:
        shape: Shape. Unknown dimensions are `None`.
        ndim: Number of dimensions, all unknown, if there is no shape. Without both it is a scalar, until a model is
            called on it, whose input says its shape.
        dtype: Type; by default `floatx()`.
        sparse: Whether sparse matrices are fed.
        name: Name of the symbol.
        ragged: Not used.

    >>> placeholder((None, 3)).shape
    (None, 3)
    """
    unranked = shape is None and ndim is None
    shape = (None,) * (ndim or 0) if shape is None else shape
    symbol = Symbol(shape, to_dtype(dtype), name or names.unique_name("placeholder"), sparse=sparse)
    symbol.unranked = unranked
    return symbol


def is_placeholder(x: Any) -> bool:
    """Whether an object is a symbol whose value is fed.

    Args:
        x: Any object.

    >>> is_placeholder(placeholder((None,)))
    True
    """
    return isinstance(x, Symbol) and (x.node is None or x.node.placeholder)


def is_keras_tensor(x: Any) -> bool:
    """Whether a tensor is a symbol; in Keras 1 and 2, whether it is one that a layer (or `Input`) returned.

    Args:
        x: Tensor, variable or symbol.

    Raises:
        ValueError: If it is something else.

    >>> is_keras_tensor(jnp.zeros(3))
    False
    """
    if not isinstance(x, (Symbol, Variable, jax.Array)) and not is_sparse(x):
        raise ValueError(f"is_keras_tensor: expected a symbolic tensor. Received: {type(x).__name__} {str(x)[:80]}")
    if not isinstance(x, Symbol) or not behaviour.keras_tensor_is_of_layer:
        return isinstance(x, Symbol)
    return x.node is not None and hasattr(x.node.operation, "get_config")


def shape(x: Any) -> Any:
    """The shape of a tensor, for use in other functions of K.

    Args:
        x: Tensor, variable or symbol.

    Returns:
        A tuple of integers; for a symbol, a symbolic shape.

    >>> list(map(int, shape(jnp.zeros((2, 3)))))
    [2, 3]
    """
    return shape_of(x)


def int_shape(x: Any) -> tuple | None:
    """The shape of a tensor as a tuple.

    Args:
        x: Tensor, variable or symbol.

    Returns:
        A tuple. Unknown dimensions are `None`. `None` for an object without a shape.

    >>> int_shape(placeholder((None, 3)))
    (None, 3)
    """
    found = getattr(x, "shape", None)
    return None if found is None else tuple(found)


def is_explicit_shape(shape: Any) -> bool:
    """Whether a shape has no unknown dimensions except for the first.

    Args:
        shape: Tuple or list.

    >>> is_explicit_shape((None, 3)), is_explicit_shape((2, None))
    (True, False)
    """
    return isinstance(shape, (list, tuple)) and all(isinstance(d, int) for d in shape[1:])


def get_variable_shape(x: Any) -> tuple | None:
    """The name of `int_shape` for variables.

    Args:
        x: Variable.

    >>> get_variable_shape(variable([1.0, 2.0]))
    (2,)
    """
    return int_shape(x)


def ndim(x: Any) -> int:
    """The number of dimensions of a tensor.

    Args:
        x: Tensor, variable or symbol.

    >>> ndim(jnp.zeros((2, 3)))
    2
    """
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def dtype(x: Any) -> str:
    """The name of a tensor's type.

    Args:
        x: Tensor, variable or symbol.

    >>> dtype(jnp.zeros(3))
    'float32'
    """
    return str(x.dtype)


def count_params(x: Any) -> int:
    """The number of elements of a tensor.

    Args:
        x: Tensor or variable.

    >>> count_params(jnp.zeros((2, 3)))
    6
    """
    return math.prod(int(d) for d in x.shape)


def eval(x: Any) -> np.ndarray:
    """The value of a tensor, a variable, or a symbol that depends on no placeholder.

    Args:
        x: Tensor, variable or symbol.

    Returns:
        A NumPy array.

    >>> eval(variable([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    if isinstance(x, Symbol):
        graph = Graph([], x)
        with phase.running(phase.resolve()), deferred.dropping(behaviour.updates_in_training_only):
            x = graph()
    return np.array(to_dense(x))


def get_value(x: Any) -> np.ndarray:
    """The value of a variable as a NumPy array.

    Args:
        x: Variable.

    >>> get_value(variable([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return eval(x)


def batch_get_value(tensors: Iterable) -> list[np.ndarray]:
    """The values of several variables as NumPy arrays.

    Args:
        tensors: Variables.

    >>> [v.tolist() for v in batch_get_value([variable(1.0), variable(2.0)])]
    [1.0, 2.0]
    """
    return [eval(x) for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Sets the value of a variable.

    Args:
        x: Variable.
        value: Array of its shape.

    Raises:
        ValueError: If `x` is not a variable.

    >>> v = variable(1.0)
    >>> set_value(v, 2.0)
    >>> float(v)
    2.0
    """
    if not hasattr(x, "assign"):
        raise ValueError(f"set_value: expected a variable. Received: {type(x).__name__} {str(x)[:80]}")
    x.assign(np.asarray(eval(value) if isinstance(value, Symbol) else value))


def batch_set_value(tuples: Iterable[tuple]) -> None:
    """Sets the values of several variables: all of them, or none if one does not fit.

    Args:
        tuples: Pairs of a variable and an array.

    Raises:
        ValueError: If the shape of an array is not that of its variable.

    >>> v = variable(1.0)
    >>> batch_set_value([(v, 2.0)])
    >>> float(v)
    2.0
    """
    pairs = [(v, np.asarray(value)) for v, value in tuples]
    for v, value in pairs:
        if tuple(v.shape) != value.shape:
            raise ValueError(
                f"batch_set_value: {v.path} has shape {v.shape}. Received an array of shape {value.shape}."
            )
    for v, value in pairs:
        set_value(v, value)


# Updates


def update(x: Any, new_x: Any) -> Any:
    """Sets a variable.

    Args:
        x: Variable.
        new_x: New value. If it is a symbol, nothing is set yet.

    Returns:
        The variable; where updates are collected, the pair of the variable and its new value.

    >>> v = variable(1.0)
    >>> float(update(v, 3.0))
    3.0
    """
    if deferred.active() or is_building() or isinstance(new_x, Symbol):
        return x, new_x
    return x.assign(tensor(new_x))


def update_add(x: Any, increment: Any) -> Any:
    """Adds to a variable. It returns what `update` returns.

    Args:
        x: Variable.
        increment: What is added.

    >>> float(update_add(variable(1.0), 2.0))
    3.0
    """
    return update(x, _add(x, increment))


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtracts from a variable. It returns what `update` returns.

    Args:
        x: Variable.
        decrement: What is subtracted.

    >>> float(update_sub(variable(1.0), 2.0))
    -1.0
    """
    return update(x, _subtract(x, decrement))


def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """Sets a variable to ``momentum * x + (1 - momentum) * value``. It returns what `update` returns.

    Args:
        x: Variable.
        value: New value that enters the average.
        momentum: Decay of the average, from 0 to 1.

    >>> float(moving_average_update(variable(1.0), 3.0, 0.5))
    2.0
    """
    return update(x, _moving_average(x, value, momentum))


@function_of_tensors
def _add(x, increment):
    return _raw(x) + tensor(increment)


@function_of_tensors
def _subtract(x, decrement):
    return _raw(x) - tensor(decrement)


@function_of_tensors
def _moving_average(x, value, momentum):
    return _raw(x) * momentum + tensor(value) * (1 - momentum)


def _raw(x):
    return x.raw if isinstance(x, Variable) else tensor(x)


# The learning phase


def _read_phase():
    return jnp.asarray(phase.resolve())


_read_phase.uses_learning_phase = True
_learning_phase = None


def learning_phase() -> Any:
    """The learning phase: 0 (test) or 1 (training).

    Returns:
        An integer inside a call, and after `set_learning_phase`. Otherwise a symbol, which `function` accepts as
        input.

    >>> with learning_phase_scope(1):
    ...     learning_phase()
    1
    """
    global _learning_phase
    if phase.inside() or phase.default() is not None:
        return int(phase.resolve())
    if _learning_phase is None:
        _learning_phase = record(_read_phase, (), {})
        _learning_phase.name = "keras_learning_phase"
    return _learning_phase


def _is_phase(x):
    return isinstance(x, Symbol) and x.node is not None and x.node.operation is _read_phase


def set_learning_phase(value: int) -> None:
    """Fixes the learning phase.

    Args:
        value: 0 (test) or 1 (training).

    Raises:
        ValueError: If it is something else.

    >>> set_learning_phase(0); learning_phase()
    0
    >>> clear_session()
    """
    if value not in (0, 1):
        raise ValueError(f"set_learning_phase: expected 0 (test) or 1 (train). Received: {value!r}")
    phase.set_default(value)


@contextlib.contextmanager
def learning_phase_scope(value: int) -> Iterator[None]:
    """Fixes the learning phase inside a `with` block.

    Args:
        value: 0 (test) or 1 (training).

    >>> with learning_phase_scope(0):
    ...     learning_phase()
    0
    """
    previous = phase.default()
    set_learning_phase(value)
    try:
        yield
    finally:
        phase.set_default(previous)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Chooses between two tensors by the learning phase.

    Args:
        x: Tensor, or function without arguments, for training.
        alt: The same for other phases.
        training: The phase; by default `learning_phase()`.

    >>> in_train_phase(1.0, 2.0, training=True)
    1.0
    """
    training = learning_phase() if training is None else training
    if isinstance(training, (bool, int, np.integer)):
        chosen = x if training else alt
        return chosen() if callable(chosen) else chosen
    values = [f() if callable(f) else f for f in (x, alt)]
    if _is_phase(training):
        return record(_by_phase, tuple(values), {})
    return op(_by_flag)(training, *values)


def _by_phase(x, alt):
    return tensor(x) if phase.resolve() else tensor(alt)


_by_phase.uses_learning_phase = True


def _by_flag(training, x, alt):
    return jnp.where(tensor(training).astype(bool), tensor(x), tensor(alt))


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Chooses between two tensors by the learning phase.

    Args:
        x: Tensor, or function without arguments, for phases other than training.
        alt: The same for training.
        training: The phase; by default `learning_phase()`.

    >>> in_test_phase(1.0, 2.0, training=True)
    2.0
    """
    return in_train_phase(alt, x, training)


# Functions and gradients


class Function:
    """A compiled function from symbols to symbols.

    Args:
        inputs: Placeholders or other symbols to feed, in a list, or one of them. `learning_phase()` may be among them,
            which is fed with 0 or 1.
        outputs: Symbols to compute, in a list, or one of them.
        updates: Pairs of a variable and its new value. They are set in each call after the outputs are computed.
        name: Name of the function, for messages.
        fetches: Further updates, or symbols that are computed for their effects, such as `print_tensor`.
        feed_dict: Further placeholders and their values, which are looked up in each call.

    Raises:
        TypeError: If inputs are not symbols, or updates not pairs.

    >>> x, total = placeholder((None,)), variable(0.0)
    >>> f = function([x], [x * 2], updates=[(total, x[0])])
    >>> f([[1.0, 2.0]])[0].tolist(), float(total)
    ([2.0, 4.0], 1.0)
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        updates: Any = None,
        name: str | None = None,
        fetches: Any = (),
        feed_dict: dict | None = None,
    ):
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else inputs
        self.name = name
        self.outputs = outputs
        self._single_input = not isinstance(inputs, (list, tuple))
        inputs = [inputs] if self._single_input else self.inputs
        self._is_fed = [isinstance(x, Symbol) and not _is_phase(x) for x in inputs]
        self._fed = [x for x, fed in zip(inputs, self._is_fed) if fed]
        unfit = [x for x in inputs if not isinstance(x, (Symbol, bool, int, np.integer))]
        if unfit:
            raise TypeError(f"function: inputs must be placeholders or other symbols. Received: {unfit[0]!r}")
        self._feed_dict, self._fed_more = feed_dict or {}, list(feed_dict or {})
        more = [x for x in fetches or () if not isinstance(x, Symbol)]
        self.updates = list(_pairs([updates or [], more]))
        extra = [x for x in fetches or () if isinstance(x, Symbol)]
        fed = [*self._fed, *self._fed_more]
        self._graph = Graph(fed, (outputs, [new for _, new in self.updates], extra))
        self._compiled = compiled(self._run, static=("training",))

    def _run(self, *arrays, training):
        with phase.running(training), deferred.dropping(behaviour.updates_in_training_only):
            outputs, new_values, _ = self._graph(*arrays)
        outputs = map_structure(tensor, outputs)
        for (x, _), new in zip(self.updates, new_values):
            x.assign(tensor(new).astype(x.dtype))
        return outputs

    def __call__(self, inputs=(), *more):
        """Computes the outputs for values of the inputs: a list of NumPy arrays, or one array for one symbol."""
        inputs = [inputs, *more] if self._single_input or more else list(inputs)
        if len(inputs) != len(self._is_fed):
            raise ValueError(
                f"function {self.name or ''}expects {len(self._is_fed)} inputs, one for each of {self.inputs}. "
                f"Received {len(inputs)}."
            )
        flags = [x for x, fed in zip(inputs, self._is_fed) if not fed]
        training = bool(np.asarray(flags[0])) if flags and phase.default() is None else phase.resolve()
        values = [x for x, fed in zip(inputs, self._is_fed) if fed]
        arrays = [_feed(symbol, value) for symbol, value in zip(self._fed, values)]
        arrays += [_feed(symbol, self._feed_dict[symbol]) for symbol in self._fed_more]
        return map_structure(np.array, self._compiled(*arrays, training=training))


def _pairs(updates):
    """Pairs (variable, new value) from nested lists of them; updates that were executed already are left out."""
    for item in updates:
        if isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], Variable):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from _pairs(item)
        elif item is not None and not isinstance(item, Variable):
            raise TypeError(f"function: updates must be pairs (variable, new value). Received: {item!r}")


def _feed(symbol, value):
    value = value.value if isinstance(value, Variable) else to_dense(value)
    value = value if isinstance(value, jax.Array) else np.asarray(value)
    expected = tuple(symbol.shape)
    fits = len(expected) == value.ndim and all(d is None or d == n for d, n in zip(expected, value.shape))
    if expected and not fits:
        raise ValueError(f"Cannot feed an array of shape {value.shape} to {symbol.name!r}, which has shape {expected}.")
    return jnp.asarray(value, to_dtype(symbol.dtype))


def function(
    inputs: Any,
    outputs: Any,
    updates: Any = None,
    name: str | None = None,
    fetches: Any = (),
    feed_dict: dict | None = None,
) -> Function:
    """A compiled function from symbols to symbols.

    Args:
        inputs: Placeholders or other symbols to feed, in a list, or one of them.
        outputs: Symbols to compute, in a list, or one of them.
        updates: Pairs of a variable and its new value. They are set in each call after the outputs are computed.
        name: Name of the function, for messages.
        fetches: Further updates, or symbols that are computed for their effects, such as `print_tensor`.
        feed_dict: Further placeholders and their values, which are looked up in each call.

    >>> x = placeholder((None,))
    >>> function([x], [x * 2])([[1.0, 2.0]])[0].tolist()
    [2.0, 4.0]
    """
    return Function(inputs, outputs, updates, name, fetches, feed_dict)


class _Cell:
    """What stands for an array where `value_and_grad` expects a variable."""

    def __init__(self, array):
        self.raw = array


def gradients(loss: Any, variables: Any) -> list:
    """The gradients of a symbolic loss, as symbols.

    Args:
        loss: Symbol. If it is not a scalar, its elements are summed up.
        variables: Symbols or variables, or one of them.

    Returns:
        A list of gradients. For a symbol on which the loss does not depend it is `None`; for such a variable, zeros.

    Raises:
        ValueError: If the loss is not a symbol, or `variables` holds something else.

    >>> x = placeholder((None,))
    >>> function([x], gradients(x * x, [x]))([[3.0]])[0].tolist()
    [6.0]
    """
    single = not isinstance(variables, (list, tuple))
    wanted = [variables] if single else list(variables)
    if isinstance(loss, jax.core.Tracer) and any(isinstance(x, Symbol) for x in wanted):
        behind = symbol_behind(loss)  # an output that a loss got, by symbols of the model
        loss = loss if behind is None else behind
    if not isinstance(loss, Symbol):
        raise ValueError(
            "gradients: the loss must be a symbol, computed from placeholders, inputs or outputs of a model. Received: "
            f"{type(loss).__name__}. Derive functions of arrays and variables by jax.grad or core.value_and_grad."
        )
    for x in wanted:
        if not isinstance(x, (Symbol, Variable)):
            raise ValueError(f"gradients: expected symbols or variables. Received: {type(x).__name__} {str(x)[:80]}")
    nodes = topological_order([loss], [x for x in wanted if isinstance(x, Symbol)])
    used = {id(s): s for node in nodes for s in node.inputs} | {id(loss): loss}
    symbols = [x for x in wanted if isinstance(x, Symbol) and id(x) in used]
    fed = [s for s in used.values() if is_placeholder(s) and not any(s is x for x in symbols)]
    held = [x for x in wanted if isinstance(x, Variable)]
    graph = Graph([*symbols, *fed], loss)

    def gradient(at, others):
        cells = [_Cell(array) for array in at]

        def value():
            scope = current_scope()
            return jnp.sum(graph(*(scope.read(c) for c in cells), *others))

        return tuple(value_and_grad(value, [*cells, *held])()[1])

    found = record(gradient, (symbols, fed), {})
    by_id = {id(x): g for x, g in zip([*symbols, *held], found)}
    return [by_id.get(id(x)) for x in wanted]


@function_of_tensors
def stop_gradient(variables: Any) -> Any:
    """The same values, which `gradients` treats as constants.

    Args:
        variables: Tensor, or a list of tensors.

    >>> stop_gradient(jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    return map_structure(lambda x: jax.lax.stop_gradient(tensor(x)), variables)


# Names and sessions


@contextlib.contextmanager
def name_scope(name: str, *args, **kwargs) -> Iterator[str]:
    """A `with` block that names operations in TensorFlow. Here the names of variables come from their layers.

    Args:
        name: Name of the block.
        *args: Not used.
        **kwargs: Not used.

    >>> with name_scope("block") as prefix:
    ...     prefix
    'block/'
    """
    yield f"{name}/"


def clear_session(free_memory: bool = True) -> None:
    """Resets automatic names, the learning phase, and the global random state.

    Args:
        free_memory: Not used.

    >>> clear_session()
    """
    global _learning_phase
    names.reset_uids()
    phase.set_default(None)
    reset_global_seed_generator()
    _learning_phase = None


class Session:
    """Stands in for TensorFlow's session: `run` computes symbols.

    >>> x = placeholder((None,))
    >>> Session().run(x * 2, {x: [1.0, 2.0]}).tolist()
    [2.0, 4.0]
    """

    def run(self, fetches: Any, feed_dict: dict | None = None) -> Any:
        """Computes values.

        Args:
            fetches: Symbols, variables and arrays in any structure.
            feed_dict: A dictionary from placeholders to their values.

        Returns:
            NumPy arrays in the same structure.
        """
        flags = [value for symbol, value in (feed_dict or {}).items() if _is_phase(symbol)]
        feed_dict = {symbol: value for symbol, value in (feed_dict or {}).items() if not _is_phase(symbol)}
        graph = Graph(list(feed_dict), fetches)
        training = bool(flags[0]) if flags else phase.resolve()
        with phase.running(training), deferred.dropping(behaviour.updates_in_training_only):
            result = graph(*(_feed(symbol, value) for symbol, value in feed_dict.items()))
        return map_structure(np.array, result)

    def close(self) -> None:
        """Does nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def __getattr__(self, name):
        raise AttributeError(
            f"Session.{name} is TensorFlow's. Here there is no session: only `run(fetches, feed_dict)` is offered."
        )


_session = Session()


def get_session() -> Session:
    """The object whose `run` computes symbols.

    >>> get_session().run(jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    return _session


def set_session(session: Any) -> None:
    """Does nothing: there is only one session.

    Args:
        session: Not used.

    >>> set_session(get_session())
    """


def manual_variable_initialization(value: bool) -> None:
    """Does nothing: variables have their values from the start.

    Args:
        value: Not used.

    >>> manual_variable_initialization(False)
    """
