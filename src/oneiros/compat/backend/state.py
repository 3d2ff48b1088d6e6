"""Variables, placeholders, compiled functions, gradients, updates, the learning phase."""

import contextlib
import math

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
from ...core.symbol import topological_order
from ...core.variable import current_scope
from ...ops.table import dims, tensor, to_dtype
from .recording import GraphVariable, function_of_tensors, is_building, record, shape_of

# Values


def is_sparse(tensor):
    """Whether `tensor` is a sparse matrix (SciPy's or JAX's) or a symbol for one."""
    return bool(getattr(tensor, "sparse", False)) or hasattr(tensor, "tocoo") or hasattr(tensor, "todense")


def to_dense(tensor):
    """A dense array for a sparse one; anything else as it is."""
    if hasattr(tensor, "tocoo"):
        return jnp.asarray(tensor.toarray())
    return tensor.todense() if hasattr(tensor, "todense") else tensor


def variable(value, dtype=None, name=None, constraint=None):
    """A variable with this initial value. A SciPy matrix gives a sparse array, which cannot be assigned."""
    if hasattr(value, "tocoo"):
        from jax.experimental import sparse

        return sparse.BCOO.from_scipy_sparse(value.astype(dtype or config.floatx()))
    if isinstance(value, Symbol):
        value = eval(value)
    cls = GraphVariable if behaviour.expressions_recorded else Variable
    name = name or names.unique_name("Variable")
    return cls(tensor(value), dtype=dtype or config.floatx(), name=name, constraint=constraint)


def constant(value, dtype=None, shape=None, name=None):
    """An array that is not a variable; with a `shape`, one value is repeated, and several are put into it."""
    value = tensor(value).astype(to_dtype(dtype))
    if shape is None:
        return value
    return jnp.full(dims(shape), value) if value.size == 1 else value.reshape(dims(shape))


def _made(fn, shape, dtype, name, *args):
    """A variable of known shape, or an array where code is traced, or a symbol where the shape is one."""
    dtype = dtype or config.floatx()
    if symbols_in(shape):
        return function_of_tensors(fn)(shape, *args, dtype=dtype)
    value = fn(shape, *args, dtype=dtype)
    return value if current_scope() is not None or phase.inside() else variable(value, dtype, name)


def zeros(shape, dtype=None, name=None):
    """A variable of zeros; inside a call an array of them."""
    return _made(_zeros, shape, dtype, name)


def ones(shape, dtype=None, name=None):
    """A variable of ones; inside a call an array of them."""
    return _made(_ones, shape, dtype, name)


def eye(size, dtype=None, name=None):
    """The identity matrix as a variable; inside a call as an array."""
    return _made(_eye, size, dtype, name)


def _zeros(shape, dtype):
    return jnp.zeros(dims(shape), dtype)


def _ones(shape, dtype):
    return jnp.ones(dims(shape), dtype)


def _eye(size, dtype):
    return jnp.eye(*dims(size), dtype=dtype)


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None, ragged=False):
    """A symbol to be fed. Unknown dimensions are ``None``; with `ndim` alone, all are."""
    if shape is None:
        shape = (None,) * (ndim or 0)
    return Symbol(shape, to_dtype(dtype), name or names.unique_name("placeholder"), sparse=sparse)


def is_placeholder(x):
    """Whether `x` is a symbol that is to be fed."""
    return isinstance(x, Symbol) and (x.node is None or x.node.placeholder)


def is_keras_tensor(x):
    """Whether `x` is a symbol; for Keras 1 and 2: one that a layer (or Input) returned."""
    if not isinstance(x, (Symbol, Variable, jax.Array)) and not is_sparse(x):
        raise ValueError(f"is_keras_tensor: expected a symbolic tensor. Received: {type(x).__name__} {str(x)[:80]}")
    if not isinstance(x, Symbol) or not behaviour.keras_tensor_is_of_layer:
        return isinstance(x, Symbol)
    return x.node is not None and hasattr(x.node.operation, "get_config")


def shape(x):
    """The shape, for use in other functions of the backend: integers, of a symbol as a symbol."""
    return shape_of(x)


def int_shape(x):
    """The shape as a tuple; unknown dimensions are ``None``. ``None`` for what has no shape."""
    found = getattr(x, "shape", None)
    return None if found is None else tuple(found)


def is_explicit_shape(shape):
    """Whether a shape (a tuple or list) has no unknown dimensions but the first."""
    return isinstance(shape, (list, tuple)) and all(isinstance(d, int) for d in shape[1:])


def get_variable_shape(x):
    return int_shape(x)


def ndim(x):
    """The number of dimensions."""
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def dtype(x):
    """The name of the type."""
    return str(x.dtype)


def count_params(x):
    """The number of elements."""
    return math.prod(int(d) for d in x.shape)


def eval(x):
    """The value as a NumPy array; of a symbol, if it depends on no placeholder."""
    if isinstance(x, Symbol):
        graph = Graph([], x)
        with phase.running(phase.resolve()), deferred.dropping(behaviour.updates_in_training_only):
            x = graph()
    return np.array(to_dense(x))


def get_value(x):
    """The value of a variable as a NumPy array."""
    return eval(x)


def batch_get_value(tensors):
    """The values of variables as a list of NumPy arrays."""
    return [eval(x) for x in tensors]


def set_value(x, value):
    """Sets a variable's value from an array."""
    if not hasattr(x, "assign"):
        raise ValueError(f"set_value: expected a variable. Received: {type(x).__name__} {str(x)[:80]}")
    x.assign(np.asarray(eval(value) if isinstance(value, Symbol) else value))


def batch_set_value(tuples):
    """Sets the values of variables from pairs (variable, array): all of them, or, if one does not fit, none."""
    pairs = [(v, np.asarray(value)) for v, value in tuples]
    for v, value in pairs:
        if tuple(v.shape) != value.shape:
            raise ValueError(
                f"batch_set_value: {v.path} has shape {v.shape}. Received an array of shape {value.shape}."
            )
    for v, value in pairs:
        set_value(v, value)


# Updates


def update(x, new_x):
    """Sets a variable at once, and returns it; where updates are collected, the pair (variable, new value)."""
    if deferred.active() or is_building() or isinstance(new_x, Symbol):
        return x, new_x
    return x.assign(tensor(new_x))


def update_add(x, increment):
    """Adds to a variable; see `update`."""
    return update(x, _add(x, increment))


def update_sub(x, decrement):
    """Subtracts from a variable; see `update`."""
    return update(x, _subtract(x, decrement))


def moving_average_update(x, value, momentum):
    """``x = momentum * x + (1 - momentum) * value``; see `update`."""
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


def learning_phase():
    """0 or 1: inside a call, or once fixed by `set_learning_phase`. Otherwise a symbol, which `function` takes."""
    global _learning_phase
    if phase.inside() or phase.default() is not None:
        return int(phase.resolve())
    if _learning_phase is None:
        _learning_phase = record(_read_phase, (), {})
        _learning_phase.name = "keras_learning_phase"
    return _learning_phase


def _is_phase(x):
    return isinstance(x, Symbol) and x.node is not None and x.node.operation is _read_phase


def set_learning_phase(value):
    """Fixes the learning phase: 0 (test) or 1 (train)."""
    if value not in (0, 1):
        raise ValueError(f"set_learning_phase: expected 0 (test) or 1 (train). Received: {value!r}")
    phase.set_default(value)


@contextlib.contextmanager
def learning_phase_scope(value):
    """Fixes the learning phase inside a `with` block."""
    previous = phase.default()
    set_learning_phase(value)
    try:
        yield
    finally:
        phase.set_default(previous)


def in_train_phase(x, alt, training=None):
    """`x` in training, else `alt`; either may be a function without arguments."""
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


def in_test_phase(x, alt, training=None):
    """`x` in test, else `alt`; either may be a function without arguments."""
    return in_train_phase(alt, x, training)


# Functions and gradients


class Function:
    """A compiled function from symbols to symbols.

    inputs: placeholders or other symbols to feed, and `learning_phase()`, fed with 0 or 1; updates: pairs (variable,
    new value), done at each call after the outputs are computed; fetches: more of them, or symbols to compute for
    nothing but what they print; feed_dict: more placeholders and
    their values, which are looked up at each call.
    Returns a list of NumPy arrays, or one for one symbol.

    >>> x, total = placeholder((None,)), variable(0.0)
    >>> f = function([x], [x * 2], updates=[(total, x[0])])
    >>> f([[1.0, 2.0]])[0].tolist(), float(total)
    ([2.0, 4.0], 1.0)
    """

    def __init__(self, inputs, outputs, updates=None, name=None, fetches=(), feed_dict=None):
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


def function(inputs, outputs, updates=None, name=None, fetches=(), feed_dict=None):
    """A compiled function from symbols to symbols: see `Function`."""
    return Function(inputs, outputs, updates, name, fetches, feed_dict)


class _Cell:
    """What stands for an array where `value_and_grad` expects a variable."""

    def __init__(self, array):
        self.raw = array


def gradients(loss, variables):
    """The gradients of the sum of `loss` with respect to symbols or variables, as symbols.

    A symbol on which the loss does not depend gets ``None``; such a variable gets zeros.
    """
    single = not isinstance(variables, (list, tuple))
    wanted = [variables] if single else list(variables)
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
def stop_gradient(variables):
    """The same values, taken as constants by `gradients`; a list gives a list."""
    return map_structure(lambda x: jax.lax.stop_gradient(tensor(x)), variables)


# Names and sessions


@contextlib.contextmanager
def name_scope(name, *args, **kwargs):
    """A block that names its operations in other engines. Names of variables come from their layers here."""
    yield f"{name}/"


def clear_session(free_memory=True):
    """Forgets names that were given, the learning phase, and the global random stream."""
    global _learning_phase
    names.reset_uids()
    phase.set_default(None)
    reset_global_seed_generator()
    _learning_phase = None


class Session:
    """Stands for TensorFlow's session: computes symbols."""

    def run(self, fetches, feed_dict=None):
        """The values of symbols, variables and arrays in any structure; feed_dict: placeholders to their values."""
        flags = [value for symbol, value in (feed_dict or {}).items() if _is_phase(symbol)]
        feed_dict = {symbol: value for symbol, value in (feed_dict or {}).items() if not _is_phase(symbol)}
        graph = Graph(list(feed_dict), fetches)
        training = bool(flags[0]) if flags else phase.resolve()
        with phase.running(training), deferred.dropping(behaviour.updates_in_training_only):
            result = graph(*(_feed(symbol, value) for symbol, value in feed_dict.items()))
        return map_structure(np.array, result)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def __getattr__(self, name):
        raise AttributeError(
            f"Session.{name} is TensorFlow's. Here there is no session: only `run(fetches, feed_dict)` is offered."
        )


_session = Session()


def get_session():
    """An object whose `run` computes symbols."""
    return _session


def set_session(session):
    """Does nothing: there is no session to choose."""


def manual_variable_initialization(value):
    """Does nothing: variables have their values from the start."""
