"""Locally connected layers: convolutions whose kernel is another at each position."""

import math

from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..kernels import convolution as kernels
from .convolutional import _Window
from .input_spec import InputSpec


class _LocallyConnected(_Window):
    paddings = ("valid",)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        implementation=1,
        **kwargs,
    ):
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(kernel_size, strides, padding, data_format, 1, use_bias, **kwargs)
        if implementation != 1:
            raise InputDataError(
                f"{type(self).__name__}: implementation={implementation!r} stores its weights otherwise. Use 1."
            )
        self.implementation = implementation
        self.filters = positive_int("filters", filters)
        self._resolve(
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape):
        channels = self.channels(input_shape)
        lengths = self.compute_output_shape(input_shape)
        lengths = lengths[2:] if self.channels_first else lengths[1:-1]
        if None in lengths:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): the spatial dimensions must be known, since each position "
                f"has weights of its own. Received the input shape {tuple(input_shape)}."
            )
        taps = math.prod(self.kernel_size) * channels
        self.kernel = self._weight("kernel", (math.prod(lengths), taps, self.filters))
        self.bias = self._weight("bias", (*lengths, self.filters)) if self.use_bias else None
        self.input_spec = InputSpec(shape=(None, *input_shape[1:]))

    def convolve(self, x):
        kernel = self.kernel.value
        if self.channels_first:  # Keras stores the taps in the order of the inputs' axes
            positions, taps, filters = kernel.shape
            kernel = kernel.reshape(positions, x.shape[-1], taps // x.shape[-1], filters)
            kernel = kernel.swapaxes(1, 2).reshape(positions, taps, filters)
        return kernels.local_conv(x, kernel, self.kernel_size, self.strides)


class LocallyConnected1D(_LocallyConnected):
    """`Conv1D` with unshared weights: ``(N, L, C)`` to ``(N, L', filters)``.

    The kernel has the shape ``(L', kernel_size * C, filters)``.
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """`Conv2D` with unshared weights: ``(N, H, W, C)`` to ``(N, H', W', filters)``.

    The kernel has the shape ``(H' * W', kernel_h * kernel_w * C, filters)``.
    """

    rank = 2
