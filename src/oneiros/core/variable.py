"""Named state, and the three functions that turn Python code with state into pure JAX.

A `Variable` is a cell that holds an array. While a function is traced, a `Scope` holds the values instead and
notes what is read and written. `compiled`, `value_and_grad` and `scan` stand on it; nothing else in the library
touches tracers.
"""

import contextlib
import itertools
from collections import deque
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import get_opaque_trace_state

from . import config
from .context import current, within
from .interrupts import held
from .runtime import compiler_options
from .structure import in_order_of, keep, unkeep


def current_scope():
    return current().scope


class Scope:
    """Values of variables while a function is traced.

    values: dict from variable to value; a variable that is not in it is looked up in the outer scope, or, at the
    outermost level, read as it is and noted in `discovered`.
    """

    def __init__(self, values=()):
        self.values = dict(values)
        self.written = {}  # an ordered set
        self.discovered = {}

    def __enter__(self):
        self.outer = current_scope()
        self.trace = get_opaque_trace_state()
        self.block = within(scope=self)
        self.block.__enter__()
        return self

    def __exit__(self, *exception):
        self.block.__exit__(*exception)

    def read(self, variable):
        if variable in self.values:
            return self.values[variable]
        if self.outer is not None:
            return self.outer.read(variable)
        self.discovered[variable] = None
        return variable._value

    def write(self, variable, value):
        self.values[variable] = value
        self.written[variable] = None
        if self.outer is None or not self.outer.knows(variable):
            self.discovered[variable] = None

    def knows(self, variable):
        return variable in self.values or (self.outer is not None and self.outer.knows(variable))


def writes_are_carried():
    """Whether what is traced now may write variables: not inside a `jax.jit`, `vmap` or `cond` that has no scope."""
    scope = current_scope()
    return scope is not None and scope.trace == get_opaque_trace_state()


def autocast(dtype):
    """Inside, floating variables read as `dtype` (the compute type of the layer that is running)."""
    return within(dtype=dtype)


_serial = itertools.count()


class Variable:
    """A named cell that holds an array.

    initializer: an array-like, or a function of (shape, dtype).
    shape, dtype: needed with a function; dtype defaults to `floatx()` for floats.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]) is v
    True
    >>> (v * 2).tolist()
    [4.0, 6.0]
    """

    __array_ufunc__ = None  # NumPy arrays leave the arithmetic to us

    def __init__(
        self, initializer, shape=None, dtype=None, trainable=True, name=None, constraint=None, regularizer=None
    ):
        # A variable may be made while code is traced; it holds an array all the same.
        with jax.ensure_compile_time_eval():
            if callable(initializer) and not hasattr(initializer, "shape"):
                dtype = str(jnp.dtype(dtype or config.floatx()))
                config.require_float64(dtype)
                initializer = initializer(tuple(shape), dtype=dtype)
            # Arrays that come from outside may share their memory with NumPy: keep a copy of our own.
            self._value = jnp.array(to_array(initializer, dtype))
        self._lent = False
        self.name = name or "variable"
        self.path = self.name
        self.trainable = trainable
        self.order = (not trainable, next(_serial))  # among a layer's weights: `trainable` set later does not move it
        self.constraint = constraint
        self.regularizer = regularizer

    @property
    def value(self):
        value = self.raw
        dtype = current().dtype
        if dtype is not None and jnp.issubdtype(value.dtype, jnp.floating):
            value = value.astype(dtype)
        return value

    def assign(self, value):
        """Replaces the value; the shape must stay, the type is kept."""
        value = value.value if isinstance(value, Variable) else value
        value = jnp.asarray(value, self.dtype)
        if value.shape != self.shape:
            raise ValueError(
                f"The shape of variable {self.path} is {self.shape}. Received a value of shape {value.shape}."
            )
        scope = current_scope()
        if scope is not None:
            scope.write(self, value)
        elif isinstance(value, jax.core.Tracer):
            raise ValueError(
                f"Variable {self.path} was assigned inside jax.jit or jax.grad. Use oneiros.core's compiled or "
                "value_and_grad, which carry variables through."
            )
        else:
            self._value = value
        return self

    def assign_add(self, value):
        return self.assign(self.raw + jnp.asarray(value, self.dtype))

    def assign_sub(self, value):
        return self.assign(self.raw - jnp.asarray(value, self.dtype))

    @property
    def raw(self):
        """The value in the variable's own type, whatever the compute type."""
        scope = current_scope()
        if scope is not None:
            return scope.read(self)
        self._lent = True
        return self._value

    def _take(self):
        """The value for a call that may overwrite it: arrays that a user may hold are copied first."""
        if self._lent and _donates():
            self._value, self._lent = jnp.array(self._value), False
        return self._value

    # Shapes and types never change, so they need no scope.
    shape = property(lambda self: self._value.shape)
    dtype = property(lambda self: str(self._value.dtype))
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)

    def numpy(self):
        return np.asarray(self.value)

    def get_shape(self):
        return self.shape

    def read_value(self):
        return self.value

    def __jax_array__(self):
        return self.value

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype)

    def __getitem__(self, index):
        return self.value[index]

    def __len__(self):
        return len(self._value)

    def __iter__(self):
        return iter(self.value)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __bool__(self):
        return bool(self.value)

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._value}>"

    __hash__ = object.__hash__

    def __eq__(self, other):  # identity: variables are members of sets and keys of dictionaries
        return self is other

    def __getattr__(self, name):
        # Methods of arrays (v.sum(), v.astype(...)). Dunders and private names are never forwarded.
        if name.startswith("_") or not hasattr(jax.Array, name):
            raise AttributeError(f"'Variable' object has no attribute '{name}'")
        return getattr(self.value, name)


def _delegate(name):
    def method(self, *others):
        if any(hasattr(o, "node") for o in others):
            return NotImplemented  # a symbol records the operation
        return getattr(self.value, name)(*(o.value if isinstance(o, Variable) else o for o in others))

    method.__name__ = name
    return method


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
for _name in (
    *(f"__{prefix}{name}__" for name in _BINARY for prefix in ("", "r")),
    *("__neg__", "__abs__", "__invert__", "__lt__", "__le__", "__gt__", "__ge__"),
):
    setattr(Variable, _name, _delegate(_name))

# As a pytree a variable is its value, so jax.numpy functions (which are jitted inside) take variables.
jax.tree_util.register_pytree_node(Variable, lambda v: ((v.value,), None), lambda _, children: children[0])


def to_array(x, dtype=None):
    """An array of `dtype`; without one, floats become `floatx()` and other types stay."""
    if isinstance(x, Variable):
        x = x.value
    if not isinstance(x, jax.Array):
        x = np.asarray(x)
    if dtype is None and (jnp.issubdtype(x.dtype, jnp.floating) and not isinstance(x, jax.Array)):
        dtype = config.floatx()
    if dtype is not None:
        config.require_float64(dtype)
        dtype = jax.dtypes.canonicalize_dtype(dtype)  # int64 is int32 unless 64 bits were asked for
    return jnp.asarray(x, dtype)


def _donates():
    """Whether old values are given up for the memory of the new ones.

    They would be lost if the call failed. On the CPU that risk buys nothing measurable; elsewhere memory is scarce.
    """
    return jax.default_backend() != "cpu"


class _Retrace(Exception):
    """A trace met variables that it did not know of."""


class compiled:  # noqa: N801 - used as a function
    """`jax.jit` for functions that read and write variables.

    fn: function of arrays (pytrees of them). static: names of keyword arguments that are constants.
    variables: those that are known to be written; all others are discovered while tracing. reads: those that are known
    to be read, if it is likely that there are no others: that saves a trace.

    Values are written back after each call. An exception before that leaves every variable as it was.

    >>> n = Variable(0.0)
    >>> count = compiled(lambda x: n.assign_add(x).value)
    >>> float(count(2.0)), float(count(3.0)), float(n)
    (2.0, 5.0, 5.0)
    """

    def __init__(self, fn, static=(), variables=(), reads=None):
        self.fn = fn
        self.static = static
        self._is_new = reads is None
        written = dict.fromkeys(variables)
        self._set_variables(list(written), [v for v in dict.fromkeys(reads or ()) if v not in written])

    def _set_variables(self, written, read):
        # One attribute, so that another thread never sees a jitted function with the lists of another.
        def pure(written_values, read_values, args, kwargs, statics):
            values = zip((*written, *read), (*written_values, *read_values))
            with autocast(None), Scope(values) as scope:
                result = keep(self.fn(*unkeep(args), **unkeep(kwargs), **dict(statics)))
                result = jax.tree.map(lambda x: x, result)  # variables in the result become their values
            if self._discovered(scope, written, read):
                raise _Retrace
            return result, tuple(scope.values[v] for v in written)

        donate = {"donate_argnums": 0} if _donates() else {}
        jitted = jax.jit(pure, static_argnums=4, compiler_options=compiler_options(), **donate)
        self._program = (jitted, written, read)

    def _discovered(self, scope, written, read):
        """Whether a trace met variables that are new, which are known from now on."""
        known_written, known = set(written), {*written, *read}
        more_written = [v for v in scope.written if v not in known_written]
        more_read = [v for v in scope.discovered if v not in known and v not in scope.written]
        if more_written or more_read:
            self._set_variables([*written, *more_written], [v for v in (*read, *more_read) if v not in scope.written])
        return bool(more_written or more_read)

    def _discover(self, args, kwargs, statics):
        """The first trace, for the variables alone.

        It runs to its end: JAX never lets go of the arrays that an interrupted trace has met.
        """
        _, written, read = self._program

        def dry_run(values, args, kwargs):
            with autocast(None), Scope(zip(written, values)) as scope:
                self.fn(*unkeep(args), **unkeep(kwargs), **dict(statics))
            self._discovered(scope, written, read)

        jax.eval_shape(dry_run, [v._value for v in written], args, kwargs)
        self._is_new = False

    @property
    def written(self):
        """The variables that calls write, as far as they are known."""
        return list(self._program[1])

    def discover(self, *args):
        """The variables that a call with these arguments would write; nothing is computed."""
        self._discover(args, {}, ())
        return self.written

    def snapshot(self, keep=False):
        """What `restore` needs to undo the next call, should its computation fail later.

        keep: also where old values are given up for the memory of the new ones; there it costs a copy.
        """
        if keep:
            return [(v, v.raw) for v in self._program[1]]
        return [] if _donates() else [(v, v._value) for v in self._program[1]]

    @staticmethod
    def restore(snapshot):
        for variable, value in snapshot:
            variable._value = value

    def __call__(self, *args, **kwargs):
        if current_scope() is not None:
            return self.fn(*args, **kwargs)
        statics = tuple((name, kwargs.pop(name)) for name in self.static if name in kwargs)
        args, kwargs = keep(args), keep(kwargs)
        if self._is_new:
            self._discover(args, kwargs, statics)
        while True:
            jitted, written, read = self._program
            try:
                with held() if _donates() else contextlib.nullcontext():  # all of the same step
                    result, values = jitted(
                        tuple([v._take() for v in written]), tuple([v._value for v in read]), args, kwargs, statics
                    )
                    # All at once: this runs in C, where neither Ctrl-C nor another thread comes between.
                    deque(map(setattr, written, itertools.repeat("_value"), values), maxlen=0)
                return unkeep(result)
            except _Retrace:
                continue
            except ValueError as error:
                if "compiler_options" in str(error):  # inside the user's own jax.jit, which compiles in its way
                    return self.fn(*unkeep(args), **unkeep(kwargs), **dict(statics))
                raise


def value_and_grad(fn, variables, has_aux=False):
    """The function that returns ``(value, gradients)`` of the scalar `fn` with respect to `variables`.

    With has_aux, `fn` returns ``(value, aux)`` and so does the first part of the result. What `fn` writes into
    other variables is kept.

    >>> w = Variable(3.0)
    >>> value, (gradient,) = value_and_grad(lambda: w.value**2, [w])()
    >>> float(value), float(gradient)
    (9.0, 6.0)
    """
    variables = list(variables)

    def wrapped(*args, **kwargs):
        written = []

        def pure(values):
            with Scope(zip(variables, values)) as scope:
                result = fn(*args, **kwargs)
                value, aux = result if has_aux else (result, None)
                written[:] = scope.written
                return value, (keep(aux), [scope.values[v] for v in written])

        (value, (aux, new_values)), gradients = jax.value_and_grad(pure, has_aux=True)([v.raw for v in variables])
        for variable, new_value in zip(written, new_values):
            variable.assign(new_value)
        return ((value, unkeep(aux)) if has_aux else value), gradients

    return wrapped


def scan(step, init, xs, length=None, reverse=False, unroll=1):
    """`jax.lax.scan` whose body may read and write variables.

    >>> total = Variable(0.0)
    >>> def step(carry, x):
    ...     total.assign_add(x)
    ...     return carry + 1, x * 2
    >>> count, doubled = scan(step, 0, jnp.arange(3.0))
    >>> int(count), doubled.tolist(), float(total)
    (3, [0.0, 2.0, 4.0], 3.0)
    """
    return _loop(step, init, xs, partial(jax.lax.scan, length=length, reverse=reverse, unroll=unroll))


def _dry_run(fn, *args):
    """The shapes of the results, and the variables that are written."""
    written = []

    def run(*args):  # a function of its own each time: JAX would not run one again that it has traced before
        with Scope() as scope:
            result = fn(*args)
            written[:] = scope.written
            return result

    return jax.eval_shape(run, *args), written


def _loop(step, init, xs, run):
    xs = keep(xs)

    def kept(carry, x):
        carry, y = step(in_order_of(init, carry), unkeep(x))
        return carry, keep(y)

    _, written = _dry_run(kept, init, jax.tree.map(lambda x: x[0], xs))

    def body(carry, x):
        carry, values = carry
        with Scope(zip(written, values)) as scope:
            carry, y = kept(carry, x)
            return (carry, [scope.values[v] for v in written]), y

    (carry, values), ys = run(body, (init, [v.raw for v in written]), xs)
    for variable, value in zip(written, values):
        variable.assign(value)
    return in_order_of(init, carry), unkeep(ys)


def repeat(step, count, xs):
    """Runs ``step(x)`` for the first `count` entries of `xs`; `count` may be known only at run time.

    Returns what the last step returns: a pytree of arrays.
    """
    xs = keep(xs)

    def kept(x):
        return keep(step(unkeep(x)))

    shapes, written = _dry_run(kept, jax.tree.map(lambda x: x[0], xs))

    def body(i, carry):
        _, values = carry
        with Scope(zip(written, values)) as scope:
            y = kept(jax.tree.map(lambda x: x[i], xs))
            return y, [scope.values[v] for v in written]

    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    y, values = jax.lax.fori_loop(0, count, body, (zeros, [v.raw for v in written]))
    for variable, value in zip(written, values):
        variable.assign(value)
    return unkeep(y)
