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
    """A `Conv1D` that has a kernel of its own at each position.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``. The kernel is of shape
    ``(new_steps, kernel_size * channels, filters)``, the bias of shape ``(new_steps, filters)``.

    >>> import numpy as np
    >>> LocallyConnected1D(4, 3)(np.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """A `Conv2D` that has a kernel of its own at each position.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, filters)``. The kernel is of shape
    ``(new_height * new_width, kernel_height * kernel_width * channels, filters)``, the bias of shape
    ``(new_height, new_width, filters)``.

    >>> import numpy as np
    >>> LocallyConnected2D(4, 3)(np.ones((2, 5, 6, 3))).shape
    (2, 3, 4, 4)
    """

    rank = 2
