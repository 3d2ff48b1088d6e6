"""ConvLSTM (Shi et al. 2015) in one to three dimensions: an LSTM whose matrix products are convolutions."""

import jax.numpy as jnp

from ..core.errors import InputDataError
from ..core.fields import field
from ..core.symbol import Shape
from ..kernels.convolution import conv, conv_output_length
from ..kernels.loop import rnn
from ..kernels.recurrence import lstm_step
from .arguments import Activation, DataFormat, Padding, PerAxis, PositiveInt, UseBias
from .cells import DroppingCell
from .input_spec import InputSpec
from .recurrent import forget_bias
from .rnn import RNN, CellLayer


class _ConvLSTMCell(DroppingCell):
    """One step of a convolutional LSTM.

    ::

        i, f, o = recurrent_activation(conv(x, W) + conv(h, U) + b)     the gates
        c = f * c + i * activation(conv(x, W_c) + conv(h, U_c) + b_c)
        h = o * activation(c)

    The convolution of the state keeps its size (padding 'same', stride 1). Shapes: ``(N, *lengths, in)`` and two
    states ``(N, *new_lengths, filters)``, h and c; with `channels_first` the channels come after the batch axis.
    """

    filters: PositiveInt = field(first=True, doc="Number of output channels.")
    kernel_size: PerAxis = field(first=True, doc="Length of the window on each axis, or one integer for all axes.")
    strides: PerAxis = field(default=1, first=True, doc="Step of the window on each axis.")
    padding: Padding = field(default="valid", first=True)
    data_format: DataFormat = field(default=None, first=True)
    dilation_rate: PerAxis = field(default=1, first=True, doc="Distance between the elements of the window.")
    activation: Activation = field(default="tanh", first=True)
    recurrent_activation: Activation = field(default="sigmoid", first=True, doc="Activation of the gates.")
    use_bias: UseBias = field(default=True, first=True)
    unit_forget_bias: bool = field(
        default=True, after="bias_initializer", doc="Whether the bias of the forget gate starts at 1."
    )

    def __post_init__(self):
        super().__post_init__()
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InputDataError(
                f"{type(self).__name__}: `strides > 1` and `dilation_rate > 1` exclude each other. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def initial_bias(self):
        return forget_bias(self.bias_initializer, self.filters) if self.unit_forget_bias else self.bias_initializer

    @property
    def state_size(self):
        return [self.output_size] * 2

    @property
    def output_size(self):
        lengths = getattr(self, "_output_lengths", (None,) * self.rank)
        return Shape((self.filters, *lengths) if self.data_format == "channels_first" else (*lengths, self.filters))

    def build(self, input_shape):
        channels, *lengths = self._split(input_shape)
        self._output_lengths = self._lengths(lengths)
        width = 4 * self.filters
        self.add_weights((*self.kernel_size, channels, width), (*self.kernel_size, self.filters, width), (width,))

    def _split(self, shape):
        """The channels and the lengths of a step's shape."""
        _, *rest = shape
        return rest if self.data_format == "channels_first" else (rest[-1], *rest[:-1])

    def _lengths(self, lengths):
        window = zip(lengths, self.kernel_size, self.strides, self.dilation_rate)
        return tuple(conv_output_length(n, k, self.padding, s, d) for n, k, s, d in window)

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        _, *lengths = self._split(inputs.shape)
        h = jnp.zeros((inputs.shape[0], *self._lengths(lengths), self.filters), dtype or self.compute_dtype)
        return [self._from_last(h, 1)] * 2

    def call(self, inputs, states, training=False):
        x, h = self.dropped(inputs, states[0], training)
        h, c = self._advance(self._project(self._to_last(x, 1)), self._to_last(h, 1), self._to_last(states[1], 1))
        h, c = self._from_last(h, 1), self._from_last(c, 1)
        return h, [h, c]

    def _project(self, x):
        z = conv(x, self.kernel.value, self.strides, self.padding, self.dilation_rate)
        return z if self.bias is None else z + self.bias

    def _advance(self, z, h, c):
        z = z + conv(h, self.recurrent_kernel.value, padding="same")
        return lstm_step(z, c, self.activation, self.recurrent_activation)

    def run_sequence(self, inputs, states, mask, reverse, return_sequences, time_major):
        x = self._to_last(inputs, 2)
        z = self._project(x.reshape(-1, *x.shape[2:]))  # the inputs of all steps at once

        def step(z, states):
            h, c = self._advance(z, *states)
            return h, [h, c]

        last, outputs, states = rnn(
            step,
            z.reshape(*x.shape[:2], *z.shape[1:]),
            [self._to_last(state, 1) for state in states],
            go_backwards=reverse,
            mask=mask,
            time_major=time_major,
            return_all_outputs=return_sequences,
        )
        output = self._from_last(outputs, 2) if return_sequences else self._from_last(last, 1)
        return output, *(self._from_last(state, 1) for state in states)

    def _to_last(self, x, axis):
        return jnp.moveaxis(x, axis, -1) if self.data_format == "channels_first" else x

    def _from_last(self, x, axis):
        return jnp.moveaxis(x, -1, axis) if self.data_format == "channels_first" else x


class ConvLSTM1DCell(_ConvLSTMCell):
    """One step of a convolutional LSTM on sequences (Shi et al. 2015).

    ::

        i, f, o = recurrent_activation(conv(x, W) + conv(h, U) + b)     the gates
        c = f * c + i * activation(conv(x, W_c) + conv(h, U_c) + b_c)
        h = o * activation(c)

    Shapes: ``(N, length, in)`` and two states ``(N, new_length, filters)``, h and c.
    """

    rank = 1


class ConvLSTM2DCell(_ConvLSTMCell):
    """One step of a convolutional LSTM on images (Shi et al. 2015). The equations are those of `ConvLSTM1DCell`.

    Shapes: ``(N, rows, columns, in)`` and two states ``(N, new_rows, new_columns, filters)``, h and c.

    >>> import numpy as np
    >>> cell = ConvLSTM2DCell(4, 3, padding="same")
    >>> state = np.zeros((1, 6, 6, 4))
    >>> output, states = cell(np.ones((1, 6, 6, 3)), [state, state])
    >>> output.shape
    (1, 6, 6, 4)
    """

    rank = 2


class ConvLSTM3DCell(_ConvLSTMCell):
    """One step of a convolutional LSTM on volumes (Shi et al. 2015). The equations are those of `ConvLSTM1DCell`."""

    rank = 3


class ConvRNN2D(RNN):
    """An `RNN` for cells that take images, such as `ConvLSTM2DCell`: inputs are ``(N, T, rows, columns, channels)``.

    >>> import numpy as np
    >>> ConvRNN2D(ConvLSTM2DCell(4, 3, padding="same"))(np.ones((1, 2, 6, 6, 3))).shape
    (1, 6, 6, 4)
    """

    input_spec = InputSpec(ndim=5)


class ConvLSTM1D(CellLayer, cell=ConvLSTM1DCell):
    """Convolutional LSTM over sequences ``(N, T, length, channels)``. The equations are those of `ConvLSTM1DCell`.

    >>> import numpy as np
    >>> ConvLSTM1D(4, 3)(np.ones((1, 2, 6, 3))).shape
    (1, 4, 4)
    """

    ndim = 4


class ConvLSTM2D(CellLayer, cell=ConvLSTM2DCell):
    """Convolutional LSTM over sequences of images ``(N, T, rows, columns, channels)``.

    >>> import numpy as np
    >>> ConvLSTM2D(4, 3, padding="same", return_sequences=True)(np.ones((1, 2, 6, 6, 3))).shape
    (1, 2, 6, 6, 4)
    """

    ndim = 5


class ConvLSTM3D(CellLayer, cell=ConvLSTM3DCell):
    """Convolutional LSTM over sequences of volumes ``(N, T, d1, d2, d3, channels)``.

    >>> import numpy as np
    >>> ConvLSTM3D(2, 3)(np.ones((1, 2, 4, 4, 4, 1))).shape
    (1, 2, 2, 2, 2)
    """

    ndim = 6
