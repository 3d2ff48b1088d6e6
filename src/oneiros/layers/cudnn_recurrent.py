"""CuDNNGRU and CuDNNLSTM: the computations of GRU and LSTM, with the weights in the layout of cuDNN.

They run on every device. `cudnn_to_plain` and `plain_to_cudnn` convert the weights.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.fields import field
from ..kernels import recurrence
from .arguments import PositiveInt
from .cells import KernelCell
from .recurrent import forget_bias, run
from .rnn import CellLayer


class _CuDNNCell(KernelCell):
    """A cell with the weights of cuDNN: blocks of kernels are transposed in memory; the bias is twice as long."""

    units: PositiveInt = field(first=True, doc="Size of the state and of the output.")

    def build(self, input_shape):
        width = self.gates * self.units
        self.add_weights((input_shape[-1], width), (self.units, width), (2 * width,))

    def plain_weights(self):
        return cudnn_to_plain([self.kernel.value, self.recurrent_kernel.value, self.bias.value], self.gates)

    def run_sequence(self, inputs, states, **options):
        return run(self.sequence, inputs, states, *self.plain_weights(), **options)

    def call(self, inputs, states, training=False):
        _, *states = self.run_sequence(inputs[:, None], states)
        return states[0], states


class CuDNNLSTMCell(_CuDNNCell):
    gates = 4

    unit_forget_bias: bool = field(
        default=True, after="bias_initializer", doc="Whether the bias of the forget gate starts at 1."
    )
    sequence = staticmethod(recurrence.lstm)

    state_size = property(lambda self: [self.units, self.units])

    def initial_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        return forget_bias(self.bias_initializer, self.units, before=5)  # the state's forget gate


class CuDNNGRUCell(_CuDNNCell):
    gates = 3
    sequence = staticmethod(recurrence.gru)


class CuDNNLSTM(CellLayer, cell=CuDNNLSTMCell):
    """`LSTM` with weights in the layout of cuDNN. It runs on any device.

    >>> import numpy as np
    >>> CuDNNLSTM(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    unroll = False
    zero_output_for_mask = False


class CuDNNGRU(CellLayer, cell=CuDNNGRUCell):
    """`GRU` (with `reset_after`) with weights in the layout of cuDNN. It runs on any device.

    >>> import numpy as np
    >>> CuDNNGRU(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    unroll = False
    zero_output_for_mask = False


def cudnn_to_plain(weights: Sequence[Array], gates: int) -> list:
    """``[kernel, recurrent_kernel, bias]`` of a CuDNN layer as those of an LSTM (4 gates) or a GRU (3).

    cuDNN reads each gate's matrix, flat in memory, as its transpose, and has one bias for the inputs and one for the
    state, which only a GRU keeps apart.
    """
    kernel, recurrent, bias = weights
    kernel = _each_gate(kernel, gates, lambda block: block.reshape(block.shape[::-1]).T)
    recurrent = _each_gate(recurrent, gates, lambda block: block.T)
    bias = bias.reshape(2, -1)
    return [kernel, recurrent, bias.sum(0) if gates == 4 else bias]


def plain_to_cudnn(weights: Sequence[Array], gates: int) -> list:
    """The inverse of `cudnn_to_plain`; an LSTM's bias is shared out in equal halves."""
    kernel, recurrent, bias = weights
    kernel = _each_gate(kernel, gates, lambda block: block.T.reshape(block.shape))
    recurrent = _each_gate(recurrent, gates, lambda block: block.T)
    if gates == 3 and bias.ndim != 2:
        raise ValueError("Only the weights of a GRU with reset_after=True can be converted to CuDNNGRU's.")
    return [kernel, recurrent, _library(bias).concatenate([bias / 2, bias / 2]) if gates == 4 else bias.reshape(-1)]


def _each_gate(matrix, gates, change):
    library = _library(matrix)
    return library.concatenate([change(block) for block in library.split(matrix, gates, axis=1)], axis=1)


def _library(array):
    return np if isinstance(array, np.ndarray) else jnp
