"""Convolutions in one to three dimensions: plain, transposed, depthwise and separable.

As everywhere in the field, they compute cross-correlations: the kernel is not flipped. The length of an output axis is
``(length - (kernel - 1) * dilation - 1) // stride + 1`` with ``padding="valid"``, and ``ceil(length / stride)`` with
``"same"`` and ``"causal"``. All shapes are those of ``data_format="channels_last"``.
"""

from typing import Any

from jax import Array

from ..core import behaviour
from ..core.checks import int_tuple, one_of
from ..core.errors import InputDataError
from ..core.fields import field, fields_of, of_owner, optional
from ..kernels import convolution as kernels
from ..kernels.reduction import add_bias
from .arguments import Activation, Constraint, Initializer, PerAxis, PositiveInt, Regularizer, UseBias
from .base import Layer
from .data_format import Spatial
from .input_spec import InputSpec


@of_owner
def _padding(name, value, layer):
    return one_of(name, value, layer.paddings)


@of_owner
def _extra_lengths(name, value, layer):
    return int_tuple(name, value, layer.rank, minimum=0)


class KernelAndBias(Layer, abstract=True):
    """Base of layers with a kernel, a bias and an activation: the arguments that these share."""

    activation: Activation = None
    use_bias: UseBias = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None


class Window(Spatial, abstract=True):
    """Base of all convolutions: the sliding window, the bias and the activation.

    A subclass writes ``convolve(x)`` for arrays with the channels last.
    """

    paddings = ("valid", "same")
    strided_dilation = False  # whether strides and dilation may go together

    kernel_size: PerAxis = field(first=True, doc="Length of the window on each axis, or one integer for all axes.")
    strides: PerAxis = field(default=1, first=True, doc="Step of the window on each axis, or one integer for all axes.")
    padding: str = field(
        _padding,
        default="valid",
        first=True,
        doc='`"valid"` for none, or `"same"` to add zeros so that strides of 1 keep the lengths.',
    )
    dilation_rate: PerAxis = field(default=1, doc="Distance between the elements of the window on each axis.")

    def __post_init__(self):
        super().__post_init__()
        together = self.strided_dilation or behaviour.unlimited_arguments
        if not together and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InputDataError(
                f"{type(self).__name__}: `strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def channels(self, input_shape: tuple) -> int:
        """The number of input channels. From now on the layer's `input_spec` asks for that number.

        Args:
            input_shape: the shape of the inputs, in the layer's data format.

        Raises:
            InputDataError: if the number is not known.
        """
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): the channel dimension (axis {self.channel_axis}) must be "
                f"known. Received the input shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def add_bias(self, features: Array) -> None:
        """Makes the weight `bias` for this number of output channels, if the layer uses one."""
        self.bias = self.add_weight("bias", (features,)) if self.use_bias else None

    def call(self, inputs: Array) -> Array:
        return self.activation(super().call(inputs))

    def transform(self, x: Array) -> Array:
        """The convolution with its bias. The channels of `x` and of the result are last."""
        outputs = self.convolve(self.as_float(x))
        return outputs if self.bias is None else add_bias(outputs, self.bias.value)

    def transform_shape(self, shape: Any) -> tuple:
        """The shape of what `transform` returns for an array of this shape."""
        batch, *lengths, channels = shape
        lengths = self.window_lengths(lengths, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return (batch, *lengths, self.features(channels))

    def features(self, channels: int) -> int:
        """The number of output channels for a number of input channels."""
        return self.filters

    @classmethod
    def from_config(cls, config: dict) -> "Window":
        # tf.keras writes the arguments of its common base class, used or not.
        unused = {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}
        unused -= fields_of(cls).keys()
        return cls(**{key: value for key, value in config.items() if key not in unused})


class _Conv(Window, KernelAndBias):
    filters: PositiveInt = field(first=True, doc="Number of output channels.")
    groups: PositiveInt = field(
        default=1,
        after="dilation_rate",
        doc="Number of groups that the channels are split into. Each group has `filters / groups` filters of its own.",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.filters % self.groups:
            raise InputDataError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={self.groups}, filters={self.filters}."
            )

    def build(self, input_shape):
        channels = self.channels(input_shape)
        if channels % self.groups:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): the number of input channels must be evenly divisible by "
                f"the number of groups. Received groups={self.groups}, but the input has {channels} channels (full "
                f"input shape is {tuple(input_shape)})."
            )
        self.kernel = self.add_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.add_bias(self.filters)

    def convolve(self, x):
        return kernels.conv(x, self.kernel.value, self.strides, self.padding, self.dilation_rate, self.groups)


class Conv1D(_Conv):
    """Convolution over one axis, such as time.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``. The kernel is of shape
    ``(kernel_size, channels / groups, filters)``.

    With ``padding="causal"`` no output depends on later inputs, as in van den Oord et al., "WaveNet: A Generative Model
    for Raw Audio", 2016.

    >>> import numpy as np
    >>> Conv1D(4, 3, padding="causal")(np.ones((2, 10, 8))).shape
    (2, 10, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over two axes, as those of images.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, filters)``. The kernel is of shape
    ``(*kernel_size, channels / groups, filters)``.

    >>> import numpy as np
    >>> Conv2D(4, (3, 3), strides=2, activation="relu")(np.ones((2, 9, 9, 3))).shape
    (2, 4, 4, 4)
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution over three axes, as those of volumes or videos.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, filters)``. The
    kernel is of shape ``(*kernel_size, channels / groups, filters)``.

    >>> import numpy as np
    >>> Conv3D(4, 3)(np.ones((1, 5, 6, 7, 2))).shape
    (1, 3, 4, 5, 4)
    """

    rank = 3


class _ConvTranspose(Window, KernelAndBias):
    filters: PositiveInt = field(first=True, doc="Number of output channels.")
    output_padding: int | tuple = field(
        optional(_extra_lengths),
        default=None,
        after="padding",
        doc="How much longer than the shortest possible output each axis is: less than the stride.",
    )

    def __post_init__(self):
        super().__post_init__()
        if any(extra >= stride for extra, stride in zip(self.output_padding or (), self.strides)):
            raise InputDataError(
                f"{type(self).__name__}: `output_padding` must be less than `strides` in each dimension. "
                f"Received: output_padding={self.output_padding}, strides={self.strides}"
            )

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", (*self.kernel_size, self.filters, self.channels(input_shape)))
        self.add_bias(self.filters)

    def convolve(self, x):
        return kernels.conv_transpose(
            x, self.kernel.value, self.strides, self.padding, self.output_padding, self.dilation_rate
        )

    def transform_shape(self, shape):
        batch, *lengths, _ = shape
        extra = self.output_padding or (None,) * self.rank
        window = zip(lengths, self.kernel_size, extra, self.strides, self.dilation_rate)
        lengths = [kernels.deconv_output_length(n, k, self.padding, e, s, d) for n, k, e, s, d in window]
        return (batch, *lengths, self.filters)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over one axis: the way back from the output shape of a `Conv1D` to its input shape.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``. The kernel is of shape
    ``(kernel_size, filters, channels)``.

    Several lengths may lead a `Conv1D` to the same output. `output_padding` chooses among them: it is added to the
    shortest one. By default the length is ``steps * strides``, and with ``padding="valid"``
    ``max(kernel_size - strides, 0)`` more.

    >>> import numpy as np
    >>> Conv1DTranspose(4, 3, strides=2)(np.ones((2, 5, 8))).shape
    (2, 11, 4)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over two axes: the way back from the output shape of a `Conv2D` to its input shape.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, filters)``. The kernel is of shape
    ``(*kernel_size, filters, channels)``. `Conv1DTranspose` says how long the outputs are.

    >>> import numpy as np
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 5, 3))).shape
    (2, 10, 10, 4)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over three axes: the way back from the output shape of a `Conv3D` to its input shape.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, filters)``. The
    kernel is of shape ``(*kernel_size, filters, channels)``. `Conv1DTranspose` says how long the outputs are.

    >>> import numpy as np
    >>> Conv3DTranspose(4, 2, strides=2)(np.ones((1, 2, 3, 4, 3))).shape
    (1, 4, 6, 8, 4)
    """

    output_padding: int | tuple = field(default=None, after="data_format")

    rank = 3


class _DepthwiseConv(Window):
    strided_dilation = True

    depth_multiplier: PositiveInt = field(default=1, after="padding", doc="Number of filters for each channel.")
    activation: Activation = None
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None
    bias_constraint: Constraint = None

    kernel = property(lambda self: self.depthwise_kernel)

    def build(self, input_shape):
        channels = self.channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_weight("depthwise_kernel", shape)
        self.add_bias(self.features(channels))

    def convolve(self, x):
        return kernels.depthwise_conv(x, self.depthwise_kernel.value, self.strides, self.padding, self.dilation_rate)

    def features(self, channels):
        return None if channels is None else channels * self.depth_multiplier


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution over one axis in which each channel has `depth_multiplier` filters of its own.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels * depth_multiplier)``. The kernel is of shape
    ``(kernel_size, channels, depth_multiplier)``.

    >>> import numpy as np
    >>> DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 10, 8))).shape
    (2, 8, 16)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution over two axes in which each channel has `depth_multiplier` filters of its own.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, channels * depth_multiplier)``. The
    kernel is of shape ``(*kernel_size, channels, depth_multiplier)``.

    >>> import numpy as np
    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 9, 9, 3))).shape
    (2, 7, 7, 6)
    """

    rank = 2


class _SeparableConv(Window):
    filters: PositiveInt = field(first=True, doc="Number of output channels.")
    depth_multiplier: PositiveInt = field(default=1, doc="Number of depthwise filters for each channel.")
    activation: Activation = None
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: Regularizer = None
    pointwise_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None
    pointwise_constraint: Constraint = None
    bias_constraint: Constraint = None

    def build(self, input_shape):
        channels = self.channels(input_shape)
        ones = (1,) * self.rank
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier)
        )
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel", (*ones, channels * self.depth_multiplier, self.filters)
        )
        self.add_bias(self.filters)

    def convolve(self, x):
        x = kernels.depthwise_conv(x, self.depthwise_kernel.value, self.strides, self.padding, self.dilation_rate)
        return kernels.conv(x, self.pointwise_kernel.value)


class SeparableConv1D(_SeparableConv):
    """A `DepthwiseConv1D`, followed by a mixing of its channels into `filters` new ones.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``. The kernels are of shapes
    ``(kernel_size, channels, depth_multiplier)`` and ``(1, channels * depth_multiplier, filters)``.

    >>> import numpy as np
    >>> SeparableConv1D(4, 3)(np.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(_SeparableConv):
    """A `DepthwiseConv2D`, followed by a mixing of its channels into `filters` new ones.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, filters)``. The kernels are of
    shapes ``(*kernel_size, channels, depth_multiplier)`` and ``(1, 1, channels * depth_multiplier, filters)``. From
    Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    >>> import numpy as np
    >>> SeparableConv2D(4, 3, padding="same")(np.ones((2, 9, 9, 3))).shape
    (2, 9, 9, 4)
    """

    rank = 2
