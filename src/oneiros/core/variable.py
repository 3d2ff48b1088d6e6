"""Named state, and the functions that turn Python code with state into pure JAX.

A `Variable` is a cell that holds an array. While a function is traced, a `Scope` holds the values instead, and notes
what is read and written. `compiled`, `value_and_grad` and `scan` are built on it; nothing else in the library deals
with tracers.
"""

import contextlib
import itertools
import typing
from collections import deque
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import get_opaque_trace_state

from . import config
from .context import current, within
from .interrupts import held
from .registry import kind
from .runtime import compiler_options
from .structure import in_order_of, keep, unkeep


def current_scope() -> "Scope | None":
    """The `Scope` of the code that runs now, or `None` outside of any."""
    return current().scope


class Scope:
    """Holds the values of variables while a function is traced.

    A variable that is not in it is looked up in the scope around it. At the outermost level it is read as it is, and
    noted in `discovered`.

    Args:
        values: a dictionary from variables to values, or pairs of them.

    >>> v = Variable(1.0)
    >>> with Scope({v: jnp.array(2.0)}):
    ...     float(v)
    2.0
    >>> float(v)
    1.0
    """

    def __init__(self, values=()):
        self.values = {v: x.raw if isinstance(x, Variable) else x for v, x in dict(values).items()}
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
        """The value of a variable."""
        if variable in self.values:
            return self.values[variable]
        if self.outer is not None:
            return self.outer.read(variable)
        self.discovered[variable] = None
        return variable._value

    def write(self, variable, value):
        """Sets the value of a variable, inside of this scope."""
        self.values[variable] = value
        self.written[variable] = None
        if self.outer is None or not self.outer.knows(variable):
            self.discovered[variable] = None

    def knows(self, variable):
        """Whether this scope, or one around it, has a value for a variable."""
        return variable in self.values or (self.outer is not None and self.outer.knows(variable))


def writes_are_carried() -> bool:
    """Whether the code that is traced now may write variables: not in a `jax.jit`, `vmap` or `cond` without a scope."""
    scope = current_scope()
    return scope is not None and scope.trace == get_opaque_trace_state()


def autocast(dtype):
    """A context in which floating variables are read as `dtype`, the compute type of the layer that is running."""
    return within(dtype=dtype)


_serial = itertools.count()
_CHOICES = {
    "aggregation": ("none", "mean", "sum", "only_first_replica"),
    "synchronization": ("auto", "none", "on_write", "on_read"),
}


def _one_of(name, value):
    if value not in _CHOICES[name]:
        raise ValueError(f"Variable: {name} must be one of {_CHOICES[name]}. Received: {name}={value!r}")
    return value


class Variable:
    """A named cell that holds an array.

    It takes part in arithmetic as its value does. ``assign`` replaces the value.

    Args:
        initializer: an array, a number, a function of (shape, dtype), or the name of an initializer, such as "ones".
        shape: the shape, needed with a function or a name.
        dtype: the type; by default the array's own, and `floatx()` for floats.
        trainable: whether training changes the value.
        name: the variable's name.
        constraint: a function that is applied to the value after each update.
        regularizer: a function of the value that gives a penalty, which is added to the loss.
        autocast: whether layers that compute in another type than that of their weights see the value in that type.
        aggregation: how replicas' updates of it would be put together: `"none"`, `"mean"`, `"sum"` or
            `"only_first_replica"`. It is kept for programs that ask; JAX has one value of each variable.
        synchronization: when replicas' values would be brought together: `"auto"`, `"none"`, `"on_write"` or
            `"on_read"`. It is kept as well.
        layout: ignored.
        overwrite_with_gradient: whether its "gradient" is its next value: optimizers assign it as it is.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]) is v
    True
    >>> (v * 2).tolist()
    [4.0, 6.0]
    """

    __array_ufunc__ = None  # NumPy arrays leave the arithmetic to us

    _overwrite_with_gradient = False

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable=True,
        name=None,
        constraint=None,
        regularizer=None,
        autocast=True,
        aggregation=None,
        synchronization=None,
        layout=None,
        overwrite_with_gradient=False,
    ):
        self.aggregation = _one_of("aggregation", aggregation or "none")
        self.synchronization = _one_of("synchronization", synchronization or "auto")
        if overwrite_with_gradient:
            self.overwrite_with_gradient = overwrite_with_gradient
        # A variable may be made while code is traced; it holds an array all the same.
        if isinstance(initializer, str):
            initializer = kind("initializer").get(initializer)
        with jax.ensure_compile_time_eval():
            if callable(initializer) and not hasattr(initializer, "shape"):
                dtype = str(jnp.dtype(dtype or config.floatx()))
                config.require_float64(dtype)
                initializer = initializer(tuple(shape), dtype=dtype)
            # Arrays that come from outside may share their memory with NumPy: keep a copy of our own.
            self._value = _copied(to_array(initializer, dtype))
        self._lent = False
        self.name = name or "variable"
        self.path = "/".join((*current().name_scopes, self.name))
        self.trainable = trainable
        self.order = (not trainable, next(_serial))  # among a layer's weights: `trainable` set later does not move it
        self.constraint = constraint
        self.regularizer = regularizer
        self.autocast = autocast

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether the "gradient" of this variable is its next value, which optimizers assign as it is."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"`overwrite_with_gradient` must be a boolean. Received: {value!r}")
        self._overwrite_with_gradient = value

    @property
    def value(self) -> jax.Array:
        """The value; floats in the compute type of the layer that is running."""
        value = self.raw
        dtype = current().dtype
        if dtype is not None and self.autocast and jnp.issubdtype(value.dtype, jnp.floating):
            value = value.astype(dtype)
        return value

    def assign(self, value) -> "Variable":
        """Replaces the value.

        Args:
            value: an array of the same shape. It is converted to the variable's type.

        Returns:
            The variable.

        Raises:
            ValueError: if the shape differs, or inside of a `jax.jit` or `jax.grad` of the user's own.
        """
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

    def assign_add(self, value) -> "Variable":
        """Adds an array to the value, and returns the variable."""
        return self.assign(self.raw + jnp.asarray(value, self.dtype))

    def assign_sub(self, value) -> "Variable":
        """Subtracts an array from the value, and returns the variable."""
        return self.assign(self.raw - jnp.asarray(value, self.dtype))

    @property
    def raw(self) -> jax.Array:
        """The value in the variable's own type, whatever the compute type."""
        scope = current_scope()
        if scope is not None:
            return scope.read(self)
        self._lent = True
        return self._value

    @property
    def stored(self) -> jax.Array:
        """The array that is stored, whatever is being traced. It is to be read at once, not kept."""
        return self._value

    def spread_like(self, other) -> None:
        """Spreads the value over the same devices as that of another variable of the same shape."""
        sharding = getattr(other.stored, "sharding", None)
        if self.shape == other.shape and sharding is not None and sharding.num_devices > 1:
            self._value = jax.device_put(self._value, sharding)

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

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array."""
        return np.asarray(self.value)

    def get_shape(self):
        """The shape, as TensorFlow's variables give it."""
        return self.shape

    def read_value(self):
        """The value, as TensorFlow's variables give it."""
        return self.value

    def __jax_array__(self):
        return self.value

    def __array__(self, dtype=None, copy=None):
        return (np.array if copy else np.asarray)(self.value, dtype)

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

    if typing.TYPE_CHECKING:  # the operators, which are set below

        def _operator(self, other: typing.Any) -> typing.Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _operator
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = _operator

        def __neg__(self) -> typing.Any: ...

        def __abs__(self) -> typing.Any: ...

    __hash__ = object.__hash__

    def __eq__(self, other):
        # Two variables are equal if they are one: they are members of sets and keys of dictionaries. Against numbers
        # and arrays the value is compared.
        if isinstance(other, (int, float, np.ndarray, np.generic, jax.Array)):
            return self.value == other
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


_WIDE = {np.dtype(name) for name in ("float64", "int64", "uint64", "complex128")}


def to_array(x, dtype=None) -> jax.Array:
    """An array of the type `dtype`. Without one, NumPy's and Python's floats become `floatx()`, and other types stay.

    Args:
        x: a number, an array, a variable, or nested lists of numbers.
        dtype: the type.
    """
    if isinstance(x, Variable):
        x = x.value
    if not isinstance(x, jax.Array):
        x = np.asarray(x)
    if dtype is None and (jnp.issubdtype(x.dtype, jnp.floating) and not isinstance(x, jax.Array)):
        dtype = config.floatx()
    if dtype is not None:
        config.require_float64(dtype)
        dtype = jax.dtypes.canonicalize_dtype(dtype)  # int64 is int32 unless 64 bits were asked for
        if isinstance(x, np.ndarray) and x.dtype in _WIDE:
            # As JAX does it, but for the program that it would compile for the shape.
            x = x.astype(jax.dtypes.canonicalize_dtype(x.dtype))
    return jnp.asarray(x, dtype)


def _copied(x):
    """A copy of an array. On the CPU NumPy makes it: JAX would compile a program for every shape."""
    if isinstance(x, jax.core.Tracer) or x.weak_type or jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended):
        return jnp.array(x)
    if x.sharding.num_devices > 1 or {device.platform for device in x.devices()} != {"cpu"}:
        return jnp.array(x)
    return jax.device_put(np.array(x), x.sharding if x.committed else None)


def _donates():
    """Whether old values are given up for the memory of the new ones.

    They would be lost if the call failed. On the CPU that risk buys nothing measurable; elsewhere memory is scarce.
    """
    return jax.default_backend() != "cpu"


class _Retrace(Exception):
    """A trace met variables that it did not know of."""


class compiled:  # noqa: N801 - used as a function
    """`jax.jit` for functions that read and write variables.

    New values are written back after each call. An exception before that leaves every variable as it was.

    Args:
        fn: a function of arrays, or of structures of them.
        static: the names of keyword arguments that are constants.
        variables: variables that are known to be written. All others are found when the function is traced.
        reads: variables that are known to be read. If there are no others, one trace is saved.
        eager: whether the function runs in Python each time, for prints and breakpoints. Variables are still written
            only when it has ended.

    >>> n = Variable(0.0)
    >>> count = compiled(lambda x: n.assign_add(x).value)
    >>> float(count(2.0)), float(count(3.0)), float(n)
    (2.0, 5.0, 5.0)
    """

    def __init__(self, fn, static=(), variables=(), reads=None, eager=False):
        self.fn, self.eager = fn, eager
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

    def _run_eagerly(self, args, kwargs):
        args = unkeep(jax.tree.map(_unless_text, keep(args)))
        with autocast(None), Scope() as scope:
            result = jax.tree.map(lambda x: x, keep(self.fn(*args, **kwargs)))
        for variable in scope.written:
            variable.assign(scope.values[variable])
        return unkeep(result)

    @property
    def written(self):
        """The variables that calls write, as far as they are known."""
        return list(self._program[1])

    def discover(self, *args):
        """The variables that a call with these arguments would write. Nothing is computed."""
        self._discover(args, {}, ())
        return self.written

    def snapshot(self, keep=False):
        """What `restore` needs to undo the next call, should its computation fail later.

        Args:
            keep: whether to make copies where the memory of old values is used for the new ones. Without copies,
            nothing can be undone there.
        """
        if keep:
            return [(v, v.raw) for v in self._program[1]]
        return [] if _donates() else [(v, v._value) for v in self._program[1]]

    @staticmethod
    def restore(snapshot):
        """Brings back the values that `snapshot` noted."""
        for variable, value in snapshot:
            variable._value = value

    def __call__(self, *args, **kwargs):
        if current_scope() is not None:
            return self.fn(*args, **kwargs)
        if self.eager:
            return self._run_eagerly(args, kwargs)
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


def _unless_text(x):
    """An array of JAX, unless there are strings in it."""
    return x if isinstance(x, np.ndarray) and x.dtype.kind in "USO" else jnp.asarray(x)


def value_and_grad(fn, variables, has_aux=False):
    """A function that returns the value of the scalar function `fn`, and its gradients with respect to variables.

    Values that `fn` writes into other variables are kept.

    Args:
        fn: a function that returns a scalar.
        variables: the variables.
        has_aux: whether `fn` returns ``(value, aux)``; then the first part of the result is that pair too.

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

    Args:
        step: a function of (carry, x) that returns the new carry and an output.
        init: the first carry.
        xs: arrays whose first axis is looped over, or a structure of them.
        length: the number of steps, needed without `xs`.
        reverse: whether to begin at the end.
        unroll: how many steps one iteration of the compiled loop has.

    Returns:
        The last carry, and the outputs stacked along a new first axis.

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
    """Runs ``step(x)`` for the first `count` entries of `xs`. The body may read and write variables.

    Args:
        step: a function of one entry.
        count: the number of steps, which may be known only at run time.
        xs: arrays whose first axis is looped over, or a structure of them.

    Returns:
        What the last step returns: an array, or a structure of arrays.

    >>> total = Variable(0.0)
    >>> last = repeat(lambda x: total.assign_add(x).value, 2, jnp.arange(1.0, 4.0))
    >>> float(last)
    3.0
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
