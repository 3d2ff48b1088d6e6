"""What all recurrent layers share: the loop over time, states and masks. It works with any cell."""

import functools
import typing
from collections.abc import Iterable

import jax
import jax.numpy as jnp

from ..core import Variable, deferred, has_symbol, kind, op, structure
from ..core.errors import InputDataError
from ..core.fields import Documentation, constructor, field, fields_of, inherited_fields
from ..core.symbol import infer
from ..kernels.loop import rnn
from .arguments import Regularizer
from .base import Layer, shape_of
from .cells import (
    KernelCell,
    StackedRNNCells,
    as_list,
    build_cell,
    call_cell,
    check_cell,
    initial_state,
    is_size,
    leaves_of,
    output_size,
    runs_sequences,
    shapes_of,
    steady_dropout,
)
from .input_spec import InputSpec


def _cell(name, cell):
    cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
    check_cell(cell)
    return cell


class RNN(Layer):
    """Runs a cell over time.

    It is called on sequences ``(N, T, ...)``. Optional arguments: `initial_state`, a list of arrays (they can also
    follow the sequences in a list: ``[x, h, c]``); `mask`, booleans ``(N, T)``; and `constants`, which the cell gets at
    each step.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> RNN(keras.layers.SimpleRNNCell(4), return_sequences=True)(np.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    supports_masking = True
    untracked_attributes = Layer.untracked_attributes | {"_states"}

    cell: typing.Any = field(
        _cell, doc="Object with `call(inputs, states)` and `state_size` (see `AbstractRNNCell`), or a list of them."
    )
    return_sequences: bool = field(default=False, doc="Whether to return the outputs of all steps instead of the last.")
    return_state: bool = field(default=False, doc="Whether to return a list of the output and the final states.")
    go_backwards: bool = field(default=False, doc="Whether to process sequences from the last step to the first.")
    stateful: bool = field(
        default=False,
        doc="Whether each batch starts from the final states of the batch before, until `reset_states` is called. "
        "The batch size must be known.",
    )
    unroll: bool = field(default=False, doc="Whether to compile each step separately instead of a loop.")
    zero_output_for_mask: bool = field(
        default=False, doc="Whether masked steps output zeros instead of the output of the step before."
    )
    time_major: bool = field(default=False, kw_only=True, doc="Whether sequences have the shape `(T, N, ...)`.")
    num_constants: int = field(default=None, kw_only=True, doc="How many of the last inputs in a list are constants.")

    def __post_init__(self):
        super().__post_init__()
        self._states = None
        self._constants_shapes = []

    state_size = property(lambda self: self.cell.state_size)
    output_size = property(lambda self: output_size(self.cell))

    @property
    def state_spec(self) -> list[InputSpec]:
        return [InputSpec(shape=(None, *shape)) for shape in shapes_of(self.state_size)]

    # --- states

    @property
    def states(self) -> list:
        """The variables that hold the states of a stateful layer; before it is built, a list of ``None``."""
        return [None] * len(as_list(self.state_size)) if self._states is None else self._states

    @states.setter
    def states(self, values: list) -> None:
        self._states = values

    def get_initial_state(self, inputs: typing.Any = None, batch_size: int | None = None) -> typing.Any:
        """The list of states to start from: zeros, or what the cell's `get_initial_state` says.

        inputs: the sequences, or the batch size.
        """
        if has_symbol(inputs):
            return op(type(self).get_initial_state)(self, inputs)
        if isinstance(inputs, int):
            inputs, batch_size = None, inputs
        if inputs is not None:
            inputs = structure.map_structure(lambda x: x[0] if self.time_major else x[:, 0], inputs)
        return as_list(initial_state(self.cell, inputs, batch_size, self.compute_dtype))

    def reset_states(self, states: typing.Any = None) -> None:
        """Sets the states of a stateful layer: to zeros, or to these arrays ``(N, size)``."""
        if not self.stateful:
            raise AttributeError(f"Layer {self.name}: only a stateful layer has states to reset. Pass stateful=True.")
        if self._states is None:
            if states is None:
                return
            raise ValueError(f"Layer {self.name} is not built yet: call it on data before you set its states.")
        assign_states(self, leaves_of(self._states), states)

    reset_state = reset_states

    def _make_states(self, input_shape):
        shape = list(input_shape)
        shape[0 if self.time_major else 1] = 1
        if None in shape:
            raise ValueError(
                f"Layer {self.name}: a stateful RNN needs to know its batch size (and the size of each step). Give the "
                f"first layer a `batch_input_shape`, or the Input a `batch_shape`. Received shape: {input_shape}."
            )
        start = self.get_initial_state(jnp.zeros(shape, self.compute_dtype))
        self._states = jax.tree.map(lambda s: Variable(s, trainable=False, name=f"{self.name}/state"), start)

    def _start(self, inputs, given):
        """The states before the first step."""
        if given is None and not self.stateful:
            return self.get_initial_state(inputs)
        wanted = shapes_of(self.state_size)
        given = self._states if given is None else given
        leaves = jax.tree.leaves(given)
        batch = structure.leaves(inputs)[0].shape[1 if self.time_major else 0]
        for leaf, shape in zip(leaves, wanted):
            fits = leaf.ndim == len(shape) + 1 and all(w in (None, n) for w, n in zip(shape, leaf.shape[1:]))
            if not fits or leaf.shape[0] != batch:
                raise InputDataError(
                    f"Layer {self.name} ({type(self).__name__}): a state has shape {leaf.shape}; for this input it "
                    f"must be {(batch, *shape)}. Pass a fitting initial_state"
                    + ("; a stateful layer takes batches of one size only." if self.stateful else ".")
                )
        return as_list(jax.tree.unflatten(jax.tree.structure(as_list(self.state_size), is_leaf=is_size), leaves))

    # --- building and calling

    def build(self, input_shape: typing.Any) -> None:
        if self.unroll and any(s[0 if self.time_major else 1] is None for s in _each_shape(input_shape)):
            raise ValueError(
                f"Layer {self.name}: cannot unroll an RNN if the number of time steps is unknown. Give `input_shape` "
                "with it, or use unroll=False."
            )
        axis = 0 if self.time_major else 1
        shapes = [(*s[:axis], *s[axis + 1 :]) for s in _each_shape(input_shape)]
        build_cell(self.cell, shapes if _is_nest(input_shape) else shapes[0], self._constants_shapes)
        if self.stateful:
            self._make_states(_each_shape(input_shape)[0])

    def __call__(self, inputs, initial_state=None, constants=None, **kwargs):
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self.num_constants)
        if initial_state is not None:
            count, wanted = len(leaves_of(initial_state)), len(shapes_of(self.state_size))
            if count != wanted:
                raise ValueError(
                    f"Layer {self.name} ({type(self).__name__}): an `initial_state` was passed that is not compatible "
                    f"with `cell.state_size` ({self.state_size}): expected {wanted} states, received {count}."
                )
            kwargs["initial_state"] = initial_state
        if constants is not None:
            self.num_constants = len(constants)
            self._constants_shapes = shape_of(constants)
            kwargs["constants"] = constants
        return super().__call__(inputs, **kwargs)

    def call(
        self,
        inputs: typing.Any,
        initial_state: typing.Any = None,
        mask: typing.Any = None,
        training: bool = False,
        constants: typing.Any = None,
    ) -> typing.Any:
        states = self._start(inputs, initial_state)
        mask = next(iter(jax.tree.leaves(mask)), None)
        run = self._run_fused if self._can_fuse(training, constants) else self._run_steps
        output, states = run(inputs, states, mask, training, constants)
        if self.stateful and not deferred.dropped():
            for variable, state in zip(leaves_of(self._states), jax.tree.leaves(states)):
                variable.assign(state)
        return [output, *states] if self.return_state else output

    def _can_fuse(self, training, constants):
        """Whether the cell's own, faster loop can run."""
        plain = runs_sequences(self.cell) and not self.unroll and constants is None
        return plain and not (training and self.cell.recurrent_dropout)

    def _run_fused(self, inputs, states, mask, training, constants):
        axis = 0 if self.time_major else 1
        if training:
            noise_shape = [1 if i == axis else n for i, n in enumerate(inputs.shape)]
            inputs = self.cell.drop("inputs", inputs, self.cell.dropout, noise_shape)
        if mask is not None:
            mask = jnp.asarray(mask, bool).reshape(inputs.shape[:2])
        output, *states = self.cell.run_sequence(
            inputs,
            states,
            mask=mask,
            reverse=bool(self.go_backwards),
            return_sequences=bool(self.return_sequences),
            time_major=self.time_major,
        )
        if self.zero_output_for_mask and mask is not None:
            mask = jnp.flip(mask, axis) if self.go_backwards else mask
            shown = mask if self.return_sequences else jnp.take(mask, -1, axis)
            output = jnp.where(shown[..., None], output, 0)
        return output, states

    def _run_steps(self, inputs, states, mask, training, constants):
        def step(x, states_and_constants):
            given = states_and_constants[len(states) :]
            return call_cell(self.cell, x, states_and_constants[: len(states)], given or None, training)

        first = structure.map_structure(lambda x: x[0] if self.time_major else x[:, 0], inputs)
        with steady_dropout(self.cell, training, step, first, [*states, *(constants or ())]):
            last, outputs, states = rnn(
                step,
                inputs,
                states,
                go_backwards=self.go_backwards,
                mask=mask,
                constants=constants,
                unroll=self.unroll,
                time_major=self.time_major,
                zero_output_for_mask=self.zero_output_for_mask,
                return_all_outputs=self.return_sequences,
            )
        return outputs if self.return_sequences else last, states

    def compute_mask(self, inputs: typing.Any, mask: typing.Any = None) -> typing.Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask, *[None] * len(as_list(self.state_size))] if self.return_state else mask

    def compute_output_shape(self, input_shape: typing.Any) -> typing.Any:
        shape = _each_shape(input_shape)[0]
        batch, time = (shape[1], shape[0]) if self.time_major else shape[:2]
        size = self.output_size
        tail = (size,) if isinstance(size, int) else tuple(size)
        lead = (time, batch) if self.time_major else (batch, time)
        output = (*lead, *tail) if self.return_sequences else (batch, *tail)
        return [output, *((batch, *s) for s in shapes_of(self.state_size))] if self.return_state else output

    def compute_output_spec(self, *args, **kwargs) -> typing.Any:
        if runs_sequences(self.cell):
            return super().compute_output_spec(*args, **kwargs)
        return infer(self, args, kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        left_out = [name for name in ("num_constants", "time_major") if not config.get(name)]
        return {name: value for name, value in config.items() if name not in left_out}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "RNN":
        config = dict(config)
        if isinstance(config.get("cell"), dict):
            config["cell"] = kind("layer").deserialize(config["cell"], custom_objects)
        return cls(**config)


def assign_states(layer: typing.Any, variables: Iterable, values: typing.Any = None) -> None:
    """Gives the states' variables these values, or zeros; everything is checked before anything changes."""
    values = [jnp.zeros(v.shape, v.dtype) for v in variables] if values is None else leaves_of(values)
    if len(values) != len(variables):
        raise ValueError(
            f"Layer {layer.name} expects {len(variables)} states, but it received {len(values)} state values."
        )
    for i, (variable, value) in enumerate(zip(variables, values)):
        if tuple(jnp.shape(value)) != variable.shape:
            raise ValueError(
                f"State {i} is incompatible with layer {layer.name}: expected shape={variable.shape}, found "
                f"shape={jnp.shape(value)}."
            )
    for variable, value in zip(variables, values):
        variable.assign(value)


def split_inputs(
    inputs: typing.Any, initial_state: typing.Any, constants: typing.Any, num_constants: int | None = None
) -> tuple:
    """Takes ``[x, h, c, constant]`` apart: the inputs, the initial states and the constants (lists, or ``None``)."""
    if type(inputs) is list and inputs and hasattr(inputs[0], "shape"):
        if num_constants and constants is None:
            inputs, constants = inputs[:-num_constants], inputs[-num_constants:]
        if len(inputs) > 1 and initial_state is None:
            initial_state = inputs[1:]
        inputs = inputs[0]
    return inputs, *(None if x is None else as_list(x) for x in (initial_state, constants))


def _is_nest(shape):
    return isinstance(shape, dict) or any(isinstance(s, (list, tuple)) for s in shape)


def _each_shape(shape):
    """The shapes in a nest of them."""
    if isinstance(shape, dict):
        return [s for item in shape.values() for s in _each_shape(item)]
    return [s for item in shape for s in _each_shape(item)] if _is_nest(shape) else [tuple(shape)]


class CellLayer(RNN, abstract=True):
    """Base of layers that run one kind of cell: ``class LSTM(CellLayer, cell=LSTMCell)``.

    Their arguments are those of the cell, `activity_regularizer`, and those of `RNN`.
    """

    ndim = 3
    ignored_arguments = KernelCell.ignored_arguments

    activity_regularizer: Regularizer = field(default=None, first=True)

    def __init_subclass__(cls, cell=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if cell is None:
            return
        of_cell = fields_of(cell)
        running = {name: f for name, f in fields_of(cls).items() if name != "cell"}
        declared = of_cell | running
        order = list(declared)
        for name, before in (("activity_regularizer", "bias_regularizer"), ("reset_after", "unroll")):
            if name in order:
                order.remove(name)
                order.insert(order.index(before) + 1, name)
        cls.__fields__ = {name: declared[name] for name in order}
        cls.__init__ = constructor(cls, list(cls.__fields__.values()), functools.partial(cls._configure, cell))
        cls.__doc__ = Documentation(vars(cls).get("__doc__") or "", cls.__fields__)
        for name in (*of_cell, "kernel", "recurrent_kernel", "bias"):
            setattr(cls, name, _of_cell(name))

    @staticmethod
    def _configure(cell_class, self, values, args, kwargs):
        values = dict(zip(inherited_fields(type(self)), values))
        of_cell = {name: values.pop(name) for name in fields_of(cell_class)}
        regularizer = values.pop("activity_regularizer")
        RNN.__init__(self, cell_class(**of_cell, dtype=kwargs.get("dtype")), **values, **kwargs)
        self.activity_regularizer = regularizer
        self.input_spec = InputSpec(ndim=self.ndim)

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        axis = 2 if getattr(self, "data_format", None) == "channels_first" else -1
        self.input_spec = InputSpec(ndim=self.ndim, axes={axis: input_shape[axis]})


def _of_cell(name):
    return property(
        lambda self: getattr(self.cell, name),
        lambda self, value: setattr(self.cell, name, value),
        doc=f"`{name}` of the cell.",
    )
