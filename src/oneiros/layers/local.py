"""Locally connected layers: convolutions with a separate kernel at each position."""

import math

from ..core.errors import InputDataError
from ..core.fields import field
from ..kernels import convolution as kernels
from .arguments import PositiveInt
from .convolutional import KernelAndBias, Window
from .input_spec import InputSpec


class _LocallyConnected(Window, KernelAndBias):
    paddings = ("valid",)

    filters: PositiveInt = field(first=True, doc="Number of output channels.")
    implementation: int = field(default=1, doc="How Keras 2 stored the weights. Only 1 is supported.")

    dilation_rate = property(lambda self: (1,) * self.rank)

    def __post_init__(self):
        super().__post_init__()
        if self.implementation != 1:
            raise InputDataError(
                f"{type(self).__name__}: implementation={self.implementation!r} stores its weights differently. Use 1."
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
        self.kernel = self.add_weight("kernel", (math.prod(lengths), taps, self.filters))
        self.bias = self.add_weight("bias", (*lengths, self.filters)) if self.use_bias else None
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
