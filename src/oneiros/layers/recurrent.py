"""SimpleRNN, GRU and LSTM: their equations, one step at a time; `kernels.recurrence` runs whole sequences."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from ..core import behaviour
from ..core.fields import field
from ..core.variable import current_scope
from ..kernels import recurrence
from ..kernels.dispatch import fast
from .arguments import Activation, PositiveInt, UseBias
from .cells import DroppingCell
from .rnn import CellLayer

_PACKAGE = __name__.split(".")[0] + "."


class SimpleRNNCell(DroppingCell):
    """One step of a fully connected recurrent network: ``h = activation(x @ W + h @ U + b)``.

    Shapes: ``(N, in)`` and the state ``(N, units)``.

    >>> import numpy as np
    >>> output, states = SimpleRNNCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> output.shape, len(states)
    ((2, 4), 1)
    """

    units: PositiveInt = field(first=True, doc="Size of the state and of the output.")
    activation: Activation = field(default="tanh", first=True)
    use_bias: UseBias = field(default=True, first=True)

    def call(
        self, inputs: jax.Array, states: Sequence[jax.Array], training: bool = False
    ) -> tuple[jax.Array, list[jax.Array]]:
        x, h = self.dropped(inputs, states[0], training)
        h = x @ self.kernel + h @ self.recurrent_kernel
        h = self.activation(h if self.bias is None else h + self.bias)
        return h, [h]

    def run_sequence(self, inputs: jax.Array, states: Sequence[jax.Array], **options) -> tuple:
        return run(recurrence.simple_rnn, inputs, states, *_weights(self), activation=self.activation, **options)


class GatedCell(DroppingCell, abstract=True):
    """Base class of cells with gates: one activation for the gates, and one for the values that they let through."""

    units: PositiveInt = field(first=True, doc="Size of the state and of the output.")
    activation: Activation = field(default="tanh", first=True)
    recurrent_activation: Activation = field(default="sigmoid", first=True, doc="Activation of the gates.")
    use_bias: UseBias = field(default=True, first=True)


class LSTMCell(GatedCell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    ::

        i, f, o = recurrent_activation(x @ W + h @ U + b)     the gates
        c = f * c + i * activation(x @ W_c + h @ U_c + b_c)
        h = o * activation(c)

    The weights hold the blocks in the order i, f, c, o. Shapes: ``(N, in)`` and two states ``(N, units)``, h and c.

    >>> import numpy as np
    >>> output, (h, c) = LSTMCell(4)(np.ones((2, 3)), [np.zeros((2, 4)), np.zeros((2, 4))])
    >>> output.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    unit_forget_bias: bool = field(
        default=True, after="bias_initializer", doc="Whether the bias of the forget gate starts at 1."
    )

    state_size = property(lambda self: [self.units, self.units])

    def initial_bias(self) -> Any:
        return forget_bias(self.bias_initializer, self.units) if self.unit_forget_bias else self.bias_initializer

    def call(
        self, inputs: jax.Array, states: Sequence[jax.Array], training: bool = False
    ) -> tuple[jax.Array, list[jax.Array]]:
        x, h = self.dropped(inputs, states[0], training)
        z = x @ self.kernel + h @ self.recurrent_kernel
        z = z if self.bias is None else z + self.bias
        h, c = recurrence.lstm_step(z, states[1], self.activation, self.recurrent_activation)
        return h, [h, c]

    def run_sequence(self, inputs: jax.Array, states: Sequence[jax.Array], **options) -> tuple:
        return run(recurrence.lstm, inputs, states, *_weights(self), **_activations(self), **options)


class GRUCell(GatedCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    ::

        z, r = recurrent_activation(x @ W + h @ U + b)        the gates
        g = activation(x @ W_g + r * (h @ U_g + c_g) + b_g)   with reset_after, as in cuDNN
        g = activation(x @ W_g + (r * h) @ U_g + b_g)         without
        h = z * h + (1 - z) * g

    The weights hold the blocks in the order z, r, g. With `reset_after` the bias is ``(2, 3 * units)``: one row for the
    inputs and one for the state. Shapes: ``(N, in)`` and the state ``(N, units)``.

    >>> import numpy as np
    >>> output, states = GRUCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> output.shape
    (2, 4)
    """

    gates = 3

    reset_after: bool = field(
        default=True,
        after="recurrent_dropout",
        doc="Whether the reset gate acts after the product with the state (as in cuDNN) or before it.",
    )

    def build(self, input_shape: tuple) -> None:
        width = 3 * self.units
        bias_shape = (2, width) if self.reset_after else (width,)
        self.add_weights((input_shape[-1], width), (self.units, width), bias_shape)

    def call(
        self, inputs: jax.Array, states: Sequence[jax.Array], training: bool = False
    ) -> tuple[jax.Array, list[jax.Array]]:
        x, h = self.dropped(inputs, states[0], training)
        kernel, recurrent_kernel, bias = _weights(self)
        bias, state_bias = bias if self.reset_after and bias is not None else (bias, None)
        z = x @ kernel if bias is None else x @ kernel + bias
        products = recurrence.gru_products(z, h, recurrent_kernel, state_bias, self.reset_after)
        h = recurrence.gru_step(*products, states[0], self.activation, self.recurrent_activation)
        return h, [h]

    def run_sequence(self, inputs: jax.Array, states: Sequence[jax.Array], **options) -> tuple:
        options |= _activations(self) | {"reset_after": bool(self.reset_after)}
        return run(recurrence.gru, inputs, states, *_weights(self), **options)


class SimpleRNN(CellLayer, cell=SimpleRNNCell):
    """Fully connected recurrent layer: `SimpleRNNCell` over ``(N, T, in)``. The equations are those of the cell.

    >>> import numpy as np
    >>> SimpleRNN(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """


class LSTM(CellLayer, cell=LSTMCell):
    """Long short-term memory: `LSTMCell` over ``(N, T, in)``. The equations are those of the cell.

    >>> import numpy as np
    >>> output, h, c = LSTM(4, return_sequences=True, return_state=True)(np.ones((2, 5, 3)))
    >>> output.shape, h.shape
    ((2, 5, 4), (2, 4))
    """


class GRU(CellLayer, cell=GRUCell):
    """Gated recurrent unit: `GRUCell` over ``(N, T, in)``. The equations are those of the cell.

    >>> import numpy as np
    >>> GRU(4, go_backwards=True)(np.ones((2, 5, 3))).shape
    (2, 4)
    """


def forget_bias(initializer: Any, width: int, before: int = 1, after: int = 2) -> Callable:
    """An initializer for a bias whose forget gate starts at 1: that many blocks of `width` come before and after."""

    def initialize(shape, dtype=None):
        # By NumPy: nothing needs to be compiled.
        start, end = (np.asarray(initializer((n * width,), dtype=dtype)) for n in (before, after))
        return np.concatenate([start, np.ones((width,), start.dtype), end])

    return initialize


def run(kernel: Callable, inputs: jax.Array, states: Sequence[jax.Array], *weights, **options) -> tuple:
    """Calls a function of `kernels.recurrence`; compiled, if it is not already being compiled: else each call would."""
    functions = [option for option in options.values() if callable(option)]
    if current_scope() is None and all(f.__module__.startswith(_PACKAGE) for f in functions):
        kernel = _compiled(kernel, fast("recurrence"), behaviour.relu6_hard_sigmoid)
    return kernel(inputs, *states, *weights, **options)


@functools.cache
def _compiled(kernel, *circumstances):
    names = ("reverse", "activation", "recurrent_activation", "reset_after", "return_sequences", "time_major")
    known = inspect.signature(kernel).parameters
    return jax.jit(functools.partial(kernel), static_argnames=[name for name in names if name in known])


def _weights(cell):
    return [None if weight is None else weight.value for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


def _activations(cell):
    return {"activation": cell.activation, "recurrent_activation": cell.recurrent_activation}
