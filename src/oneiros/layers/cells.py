"""Cells: one step of a recurrent network. What they share, and what a loop needs to know of anyone's cell."""

import contextlib
import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Scope, SeedGenerator, Symbol, Variable, behaviour, kind
from ..core.fields import ANY, field
from ..core.structure import leaves
from ..core.symbol import Shape
from ..kernels.random import dropout_mask
from .arguments import Constraint, Initializer, Rate, Regularizer, Seed
from .base import Layer


class AbstractRNNCell(Layer):
    """Base for cells: one step of a recurrent network, ``call(inputs, states) -> (output, new states)``.

    A cell has `state_size` (an integer, or a list of integers) and may have `output_size`, which defaults to the first
    state's. `inputs` is ``(N, in)``, each state ``(N, size)``.
    """

    @property
    def state_size(self):
        raise NotImplementedError(f"{type(self).__name__} needs a property `state_size`.")

    @property
    def output_size(self):
        return as_list(self.state_size)[0]

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """Zeros for a batch of this size (or for these inputs), one array for each state."""
        if isinstance(inputs, int):
            inputs, batch_size = None, inputs
        batch_size = leaves(inputs)[0].shape[0] if batch_size is None else batch_size
        return zero_states(self.state_size, batch_size, dtype or self.compute_dtype)


def _cells(name, cells):
    cells = [kind("layer").deserialize(cell) if isinstance(cell, dict) else cell for cell in cells]
    for cell in cells:
        check_cell(cell)
    return cells


class StackedRNNCells(AbstractRNNCell):
    """Cells on top of each other as one cell. Its states are a list with the states of each cell.

    In programs for Keras 1 and 2 they are one flat list that begins with the last cell's.
    """

    cells: list = field(_cells, doc="The cells, from the first to the last.")

    @property
    def state_size(self):
        return self._arranged([cell.state_size for cell in self.cells])

    @property
    def output_size(self):
        return output_size(self.cells[-1])

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        return self._arranged([initial_state(cell, inputs, batch_size, dtype) for cell in self.cells])

    def build(self, input_shape):
        shape, *constants = input_shape if isinstance(input_shape, list) else [input_shape]
        for cell in self.cells:
            build_cell(cell, shape, constants)
            size = output_size(cell)
            shape = (shape[0], *((size,) if isinstance(size, int) else size))

    def call(self, inputs, states, constants=None, training=False):
        new = []
        for cell, state in zip(self.cells, self._taken_apart(states)):
            inputs, state = call_cell(cell, inputs, state, constants, training)
            new.append(state)
        return inputs, self._arranged(new)

    def _arranged(self, per_cell):
        if not behaviour.flat_stacked_states:
            return per_cell
        return [state for states in reversed(per_cell) for state in as_list(states)]

    def _taken_apart(self, states):
        if not behaviour.flat_stacked_states:
            return [as_list(state) for state in states]
        states, per_cell = list(states), []
        for cell in reversed(self.cells):
            count = len(as_list(cell.state_size))
            per_cell.insert(0, states[:count])
            states = states[count:]
        return per_cell


# --- cells, of this library or anyone's


def check_cell(cell):
    for needed in ("call", "state_size"):
        if not hasattr(cell, needed):
            raise ValueError(f"RNN: a cell needs `call` and `state_size`. Received one without `{needed}`: {cell!r}")


def build_cell(cell, input_shape, constants_shapes):
    if isinstance(cell, Layer) and not cell.built or not isinstance(cell, Layer) and hasattr(cell, "build"):
        cell.build([input_shape, *constants_shapes] if constants_shapes else input_shape)


def call_cell(cell, inputs, states, constants, training):
    """One step: the output, and the new states as a list."""
    options = {"training": training} | ({} if constants is None else {"constants": constants})
    accepted = inspect.signature(cell.call).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    options = {name: value for name, value in options.items() if name in accepted or takes_all and name != "training"}
    output, states = (cell if isinstance(cell, Layer) else cell.call)(inputs, states, **options)
    return output, as_list(states)


def runs_sequences(cell):
    """Whether a cell has a loop of its own, `run_sequence`, that does what its `call` does: both of one class."""
    definers = [next((c for c in type(cell).__mro__ if name in vars(c)), None) for name in ("call", "run_sequence")]
    return definers[1] is not None and definers[0] is definers[1]


def initial_state(cell, inputs, batch_size, dtype):
    """The states that a cell starts from, for the inputs of a step or a batch size."""
    if batch_size is None:
        batch_size = leaves(inputs)[0].shape[0]
    make = getattr(cell, "get_initial_state", None)
    if make is None:
        return zero_states(cell.state_size, batch_size, dtype)
    options = {"inputs": inputs, "batch_size": batch_size, "dtype": dtype}
    accepted = inspect.signature(make).parameters
    return make(**{name: value for name, value in options.items() if name in accepted})


def output_size(cell):
    size = getattr(cell, "output_size", None)
    return as_list(cell.state_size)[0] if size is None else size


def zero_states(size, batch_size, dtype):
    return jax.tree.map(lambda s: jnp.zeros((batch_size, *_tail(s)), dtype), as_list(size), is_leaf=is_size)


def as_list(x):
    """The items of a list or tuple; anything else as the only one."""
    return list(x) if isinstance(x, (list, tuple)) and not isinstance(x, Shape) else [x]


def is_size(size):
    return isinstance(size, (int, Shape)) or not isinstance(size, (list, tuple))


def _tail(size):
    return tuple(size) if isinstance(size, Shape) else (int(size),)


def shapes_of(size):
    """The shapes of all states, without the batch axis."""
    return [_tail(s) for s in jax.tree.leaves(as_list(size), is_leaf=is_size)]


def leaves_of(tree):
    return jax.tree.leaves(tree, is_leaf=lambda x: isinstance(x, (Variable, Symbol)))


# --- dropout whose mask is the same at all steps (Gal & Ghahramani 2016)


class _DropoutCell(AbstractRNNCell):
    """A cell that drops inputs and states. Inside an RNN one mask holds for all steps of a call."""

    seed_generator = None
    _noise = None  # inside an RNN: name of what is dropped -> its mask (or, in a dry run, its shape)

    def drop(self, name, x, rate, shape=None):
        """`x` with a share `rate` of its entries set to zero, the others scaled up to keep the mean."""
        if not rate:
            return x
        spec = jax.ShapeDtypeStruct(tuple(shape or x.shape), x.dtype)
        if self._noise is None:
            return x * self._draw(spec, rate)
        noise, _ = self._noise.setdefault(name, (spec, rate))
        return x if isinstance(noise, jax.ShapeDtypeStruct) else x * noise

    def _draw(self, spec, rate):
        if self.seed_generator is None:
            self.seed_generator = SeedGenerator(self.seed)
        kept = dropout_mask(self.seed_generator.next(), rate, spec.shape)
        return kept.astype(spec.dtype) / (1 - rate)


@contextlib.contextmanager
def steady_dropout(cell, training, step, *example):
    """Inside, each `_DropoutCell` in `cell` keeps its masks; a dry run of `step` finds their shapes."""
    cells = [cell, *cell.sublayers()] if isinstance(cell, Layer) and training else []
    cells = [c for c in cells if isinstance(c, _DropoutCell) and (c.dropout or c.recurrent_dropout)]
    try:
        for c in cells:
            c._noise = {}
        if cells:
            with Scope():
                jax.eval_shape(step, *example)
        for c in cells:
            c._noise = {name: (c._draw(spec, rate), rate) for name, (spec, rate) in c._noise.items()}
        yield
    finally:
        for c in cells:
            c._noise = None


# --- cells with a kernel for the inputs and one for the state


def _gate_by_gate(initializer, gates, shape, dtype=None):
    gate = (*shape[:-1], shape[-1] // gates)
    return np.concatenate([initializer(gate, dtype=dtype) for _ in range(gates)], -1)


class KernelCell(_DropoutCell, abstract=True):
    """A cell with a `kernel` for its inputs, a `recurrent_kernel` for its state, a `bias`, and dropout.

    gates: how many blocks of `units` columns the weights have.
    """

    # How a cell is computed is up to the kernels: these choices of other versions are ignored.
    ignored_arguments = AbstractRNNCell.ignored_arguments | {"implementation": ANY, "use_cudnn": ANY}
    gates = 1
    dropout = recurrent_dropout = 0.0
    seed = None
    use_bias = True

    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None

    def __post_init__(self):
        super().__post_init__()
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = SeedGenerator(self.seed)

    state_size = property(lambda self: self.units)
    output_size = property(lambda self: self.units)

    def add_weights(self, kernel, recurrent_kernel, bias):
        """Makes the three weights, of these shapes."""
        self.kernel = self.add_weight("kernel", kernel, initializer=self._of_gates(self.kernel_initializer))
        initializer = self._of_gates(self.recurrent_initializer)
        self.recurrent_kernel = self.add_weight("recurrent_kernel", recurrent_kernel, initializer=initializer)
        self.bias = self.add_weight("bias", bias, initializer=self.initial_bias()) if self.use_bias else None

    def _of_gates(self, initializer):
        """In Keras 1 the columns of each gate are drawn as a matrix of their own."""
        if behaviour.gates_initialized_apart and self.gates > 1:
            return functools.partial(_gate_by_gate, initializer, self.gates)
        return initializer

    def initial_bias(self):
        return self.bias_initializer

    def build(self, input_shape):
        width = self.gates * self.units
        self.add_weights((input_shape[-1], width), (self.units, width), (width,))

    def dropped(self, inputs, state, training):
        """Inputs and output state as the matrix products see them."""
        if not training:
            return inputs, state
        return self.drop("inputs", inputs, self.dropout), self.drop("state", state, self.recurrent_dropout)


class DroppingCell(KernelCell, abstract=True):
    """A `KernelCell` with dropout as arguments."""

    dropout: Rate = field(default=0.0, doc="Fraction of the inputs that is dropped in training.")
    recurrent_dropout: Rate = field(default=0.0, doc="Fraction of the state that is dropped in training.")
    seed: Seed = None
