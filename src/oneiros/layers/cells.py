"""Cells: one step of a recurrent network. What the library's cells share, and what a loop needs to know of any cell."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

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
    """Base class of cells: one step of a recurrent network, ``call(inputs, states) -> (output, new states)``.

    A cell has `state_size` (an integer, or a list of integers), and may have `output_size`, by default that of its
    first state. `inputs` is ``(N, in)``, each state ``(N, size)``.

    >>> import oneiros as keras
    >>> class Sum(AbstractRNNCell):
    ...     state_size = 3
    ...     def call(self, inputs, states):
    ...         total = states[0] + inputs
    ...         return total, [total]
    >>> keras.layers.RNN(Sum())(np.ones((1, 4, 3))).tolist()
    [[4.0, 4.0, 4.0]]
    """

    @property
    def state_size(self) -> Any:
        """The sizes of the states: an integer, or a list with one for each state."""
        raise NotImplementedError(f"{type(self).__name__} needs a property `state_size`.")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        return as_list(self.state_size)[0]

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> list:
        """The states before the first step: zeros.

        Args:
            inputs: Inputs ``(N, in)`` of a step, or the batch size.
            batch_size: Batch size, if there are no inputs.
            dtype: Type of the states; by default that in which the layer computes.

        Returns:
            A list of arrays ``(N, size)``, one for each state.
        """
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
    """Several cells as one cell: the output of each is the input of the next.

    The states are a list with the states of each cell. In programs for Keras 1 and 2 they are one flat list that begins
    with those of the last cell.

    >>> import oneiros as keras
    >>> cell = StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.GRUCell(2)])
    >>> keras.layers.RNN(cell)(np.ones((1, 5, 3))).shape
    (1, 2)
    """

    cells: list = field(_cells, doc="The cells, from the first to the last.")

    @property
    def state_size(self) -> Any:
        sizes = self._arranged([cell.state_size for cell in self.cells])
        return tuple(sizes) if behaviour.flat_stacked_states else sizes

    @property
    def output_size(self) -> Any:
        return output_size(self.cells[-1])

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> list:
        return self._arranged([initial_state(cell, inputs, batch_size, dtype) for cell in self.cells])

    def build(self, input_shape: Any) -> None:
        shape, *constants = input_shape if isinstance(input_shape, list) else [input_shape]
        for cell in self.cells:
            build_cell(cell, shape, constants)
            size = output_size(cell)
            shape = (shape[0], *((size,) if isinstance(size, int) else size))

    def call(self, inputs: jax.Array, states: Any, constants: Any = None, training: bool = False) -> tuple:
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


def check_cell(cell: Any) -> None:
    for needed in ("call", "state_size"):
        if not hasattr(cell, needed):
            raise ValueError(f"RNN: a cell needs `call` and `state_size`. Received one without `{needed}`: {cell!r}")


def build_cell(cell: Any, input_shape: tuple, constants_shapes: list) -> None:
    if isinstance(cell, Layer) and not cell.built or not isinstance(cell, Layer) and hasattr(cell, "build"):
        takes_constants = constants_shapes and "constants" in _options_of(cell)
        cell.build([input_shape, *constants_shapes] if takes_constants else input_shape)


def _options_of(cell):
    """The names of the options that `call` of a cell takes."""
    accepted = inspect.signature(cell.call).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    return {*accepted, "constants"} if takes_all else set(accepted)


def call_cell(cell: Any, inputs: Any, states: Any, constants: Any, training: bool) -> tuple:
    """Runs one step. Returns the output and a list of the new states.

    Args:
        cell: A layer, or any object with ``call(inputs, states)``.
        inputs: Inputs ``(N, in)``.
        states: List of states ``(N, size)``.
        constants: Further inputs that are the same at each step, or `None`.
        training: Whether the step is part of training. It is passed to cells whose `call` takes it.
    """
    options = {"training": training} | ({} if constants is None else {"constants": constants})
    accepted = _options_of(cell)
    options = {name: value for name, value in options.items() if name in accepted}
    output, states = (cell if isinstance(cell, Layer) else cell.call)(inputs, states, **options)
    return output, as_list(states)


def runs_sequences(cell: Any) -> bool:
    """Whether a cell has its own loop `run_sequence` that agrees with its `call`: the same class defines both."""
    definers = [next((c for c in type(cell).__mro__ if name in vars(c)), None) for name in ("call", "run_sequence")]
    return definers[1] is not None and definers[0] is definers[1]


def initial_state(cell: Any, inputs: Any, batch_size: int, dtype: Any) -> Any:
    """The states before the first step, for the inputs of a step or a batch size."""
    if batch_size is None:
        batch_size = leaves(inputs)[0].shape[0]
    make = getattr(cell, "get_initial_state", None)
    if make is None:
        return zero_states(cell.state_size, batch_size, dtype)
    options = {"inputs": inputs, "batch_size": batch_size, "dtype": dtype}
    accepted = inspect.signature(make).parameters
    return make(**{name: value for name, value in options.items() if name in accepted})


def output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    return as_list(cell.state_size)[0] if size is None else size


def zero_states(size: Any, batch_size: int, dtype: Any) -> list:
    return jax.tree.map(lambda s: jnp.zeros((batch_size, *_tail(s)), dtype), as_list(size), is_leaf=is_size)


def as_list(x: Any) -> list:
    """The items of a list or tuple as a list; anything else as a list of one."""
    return list(x) if isinstance(x, (list, tuple)) and not isinstance(x, Shape) else [x]


def is_size(size: Any) -> bool:
    return isinstance(size, (int, Shape)) or not isinstance(size, (list, tuple))


def _tail(size):
    return tuple(size) if isinstance(size, Shape) else (int(size),)


def shapes_of(size: Any) -> list:
    """The shapes of all states, without the batch dimension."""
    return [_tail(s) for s in jax.tree.leaves(as_list(size), is_leaf=is_size)]


def leaves_of(tree: Any) -> list:
    return jax.tree.leaves(tree, is_leaf=lambda x: isinstance(x, (Variable, Symbol)))


# --- dropout whose mask is the same at all steps (Gal & Ghahramani 2016)


class _DropoutCell(AbstractRNNCell):
    """A cell with dropout of inputs and states. Inside an RNN, the same mask is used for all steps of a call."""

    seed_generator = None
    _noise = None  # inside an RNN: name of what is dropped -> its mask (or, in a dry run, its shape)

    def drop(self, name, x, rate, shape=None):
        """`x` with a fraction `rate` of its entries set to 0, and the others scaled up to keep the mean."""
        if not rate or rate == 1:  # Keras 1 and 2 allow 1, and drop nothing then
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
def steady_dropout(cell: Any, training: bool, step: Callable, *example) -> Iterator:
    """Inside the block, each `_DropoutCell` in `cell` keeps its masks. A dry run of `step` finds their shapes."""
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

    The class attribute `gates` is the number of blocks of `units` columns in the weights.
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

    uses_learning_phase = property(lambda self: bool(self.dropout or self.recurrent_dropout))
    state_size = property(lambda self: self.units)
    output_size = property(lambda self: self.units)

    def add_weights(self, kernel: tuple, recurrent_kernel: tuple, bias: tuple) -> None:
        """Makes the three weights, with these shapes."""
        self.kernel = self.add_weight("kernel", kernel, initializer=self._of_gates(self.kernel_initializer))
        initializer = self._of_gates(self.recurrent_initializer)
        self.recurrent_kernel = self.add_weight("recurrent_kernel", recurrent_kernel, initializer=initializer)
        self.bias = self.add_weight("bias", bias, initializer=self.initial_bias()) if self.use_bias else None

    def _of_gates(self, initializer):
        """In Keras 1, the columns of each gate are initialized as a separate matrix."""
        if behaviour.gates_initialized_apart and self.gates > 1:
            return functools.partial(_gate_by_gate, initializer, self.gates)
        return initializer

    def initial_bias(self) -> Any:
        return self.bias_initializer

    def build(self, input_shape: tuple) -> None:
        width = self.gates * self.units
        self.add_weights((input_shape[-1], width), (self.units, width), (width,))

    def dropped(self, inputs: jax.Array, state: jax.Array, training: bool) -> tuple[jax.Array, jax.Array]:
        """Inputs and output state after dropout, for the matrix products."""
        if not training:
            return inputs, state
        return self.drop("inputs", inputs, self.dropout), self.drop("state", state, self.recurrent_dropout)


class DroppingCell(KernelCell, abstract=True):
    """A `KernelCell` with dropout as arguments."""

    dropout: Rate = field(default=0.0, doc="Fraction of the inputs that is dropped in training.")
    recurrent_dropout: Rate = field(default=0.0, doc="Fraction of the state that is dropped in training.")
    seed: Seed = None
