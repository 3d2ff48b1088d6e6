"""Convolutions in one to three dimensions: plain, transposed, depthwise and separable.

Outputs are those of cross-correlation, as everywhere in the field. Lengths after ``padding='valid'``:
``(length - (kernel - 1) * dilation - 1) // stride + 1``; after ``'same'`` and ``'causal'``: ``ceil(length / stride)``.
"""

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
    """Base of layers with a kernel, a bias and an activation: their shared arguments."""

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
    """What all convolutions share: the window, the bias and the activation."""

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
        if not self.strided_dilation and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InputDataError(
                f"{type(self).__name__}: `strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def channels(self, input_shape):
        """The number of input channels, which `input_spec` requires from here on."""
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): the channel dimension (axis {self.channel_axis}) must be "
                f"known. Received the input shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def add_bias(self, features):
        self.bias = self.add_weight("bias", (features,)) if self.use_bias else None

    def call(self, inputs):
        return self.activation(super().call(inputs))

    def transform(self, x):
        outputs = self.convolve(self.as_float(x))
        return outputs if self.bias is None else add_bias(outputs, self.bias.value)

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        lengths = self.window_lengths(lengths, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return (batch, *lengths, self.features(channels))

    def features(self, channels):
        return self.filters

    @classmethod
    def from_config(cls, config):
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
    """Convolution over one axis: ``(N, L, C)`` to ``(N, L', filters)``.

    padding: 'valid', 'same', or 'causal' (nothing later than a step enters its output; van den Oord et al. 2016).
    groups: channels are split into so many groups, each with ``filters / groups`` filters of its own.

    >>> import numpy as np
    >>> Conv1D(4, 3, padding="causal")(np.ones((2, 10, 8))).shape
    (2, 10, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over two axes: ``(N, H, W, C)`` to ``(N, H', W', filters)``.

    >>> import numpy as np
    >>> Conv2D(4, (3, 3), strides=2, activation="relu")(np.ones((2, 9, 9, 3))).shape
    (2, 4, 4, 4)
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution over three axes: ``(N, D, H, W, C)`` to ``(N, D', H', W', filters)``."""

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
    """The transpose of `Conv1D`: ``(N, L, C)`` to ``(N, L', filters)``, where L is what `Conv1D` makes of L'.

    output_padding: which of the several such L' (0 to ``strides - 1`` more than the shortest); ``None``:
    ``L * strides``, for padding='valid' plus ``max(kernel_size - strides, 0)``.
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """The transpose of `Conv2D`: ``(N, H, W, C)`` to ``(N, H', W', filters)``. See `Conv1DTranspose`.

    >>> import numpy as np
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 5, 3))).shape
    (2, 10, 10, 4)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """The transpose of `Conv3D`: ``(N, D, H, W, C)`` to ``(N, D', H', W', filters)``. See `Conv1DTranspose`."""

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
    """Each channel convolved with `depth_multiplier` filters of its own: ``(N, L, C)`` to ``(N, L', C * m)``."""

    rank = 1
    paddings = ("valid", "same", "causal")


class DepthwiseConv2D(_DepthwiseConv):
    """Each channel convolved with `depth_multiplier` filters of its own: ``(N, H, W, C)`` to ``(N, H', W', C * m)``."""

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
    """`DepthwiseConv1D`, then a mixing of the channels to `filters`: ``(N, L, C)`` to ``(N, L', filters)``."""

    rank = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(_SeparableConv):
    """`DepthwiseConv2D`, then a mixing of the channels to `filters` (Chollet 2017)."""

    rank = 2
