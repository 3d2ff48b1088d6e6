"""Convolutions in one to three dimensions: plain, transposed, depthwise and separable.

Outputs are those of cross-correlation, as everywhere in the field. Lengths after ``padding='valid'``:
``(length - (kernel - 1) * dilation - 1) // stride + 1``; after ``'same'`` and ``'causal'``: ``ceil(length / stride)``.
"""

import inspect

from ..core.checks import int_tuple, one_of, positive_int
from ..core.errors import InputDataError
from ..kernels import convolution as kernels
from ..kernels.reduction import add_bias
from .input_spec import InputSpec
from .spatial import Spatial


class _Window(Spatial):
    """What all convolutions share: the window, the bias and the activation."""

    paddings = ("valid", "same")
    strided_dilation = False  # whether strides and dilation may go together

    def __init__(self, kernel_size, strides, padding, data_format, dilation_rate, use_bias, **kwargs):
        super().__init__(data_format, **kwargs)
        self.kernel_size = int_tuple("kernel_size", kernel_size, self.rank)
        self.strides = int_tuple("strides", strides, self.rank)
        self.padding = one_of("padding", padding, self.paddings)
        self.dilation_rate = int_tuple("dilation_rate", dilation_rate, self.rank)
        self.use_bias = use_bias
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
        self.bias = self._weight("bias", (features,)) if self.use_bias else None

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
        unused -= set(inspect.signature(cls.__init__).parameters)
        return cls(**{key: value for key, value in config.items() if key not in unused})


class _Conv(_Window):
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, use_bias, **kwargs)
        self.filters = positive_int("filters", filters)
        self.groups = positive_int("groups", groups)
        if self.filters % self.groups:
            raise InputDataError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
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
        if channels % self.groups:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): the number of input channels must be evenly divisible by "
                f"the number of groups. Received groups={self.groups}, but the input has {channels} channels (full "
                f"input shape is {tuple(input_shape)})."
            )
        self.kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
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


class _ConvTranspose(_Window):
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, use_bias, **kwargs)
        self.filters = positive_int("filters", filters)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = int_tuple("output_padding", output_padding, self.rank, minimum=0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides)):
                raise InputDataError(
                    f"{type(self).__name__}: `output_padding` must be less than `strides` in each dimension. "
                    f"Received: output_padding={self.output_padding}, strides={self.strides}"
                )
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
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, self.channels(input_shape)))
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


class _DepthwiseConv(_Window):
    strided_dilation = True

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, use_bias, **kwargs)
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self._resolve(
            activation=activation,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    kernel = property(lambda self: self.depthwise_kernel)

    def build(self, input_shape):
        channels = self.channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._weight("depthwise_kernel", shape, "depthwise")
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


class _SeparableConv(_Window):
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, use_bias, **kwargs)
        self.filters = positive_int("filters", filters)
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self._resolve(
            activation=activation,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape):
        channels = self.channels(input_shape)
        ones = (1,) * self.rank
        self.depthwise_kernel = self._weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        self.pointwise_kernel = self._weight(
            "pointwise_kernel", (*ones, channels * self.depth_multiplier, self.filters), "pointwise"
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
