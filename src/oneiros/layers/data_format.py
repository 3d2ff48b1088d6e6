"""The base of layers over one to three spatial axes: whatever the data format, they compute on channels-last arrays."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ..core import behaviour
from ..core.config import standardize_data_format
from ..core.errors import InputDataError
from ..core.fields import field, of_owner
from ..kernels.convolution import conv_output_length
from .arguments import DATA_FORMAT
from .base import Layer
from .input_spec import InputSpec


@of_owner
def _format_of_rank(name, value, layer):
    """In programs for Keras 1 and 2, the configured format is that of images: sequences do not follow it."""
    if value is None and layer.rank == 1 and not behaviour.conv1d_follows_image_format:
        return "channels_last"
    return standardize_data_format(value)


class Spatial(Layer):
    """Base of layers over one to three spatial axes.

    Subclasses see arrays with the channels last, whatever the data format.

    A subclass sets `rank`, the number of spatial axes, and writes ``transform(x)`` and ``transform_shape(shape)``.

    >>> import numpy as np
    >>> class Flip(Spatial, abstract=True):
    ...     rank = 1
    ...     def transform(self, x):
    ...         return x[:, ::-1]
    ...     def transform_shape(self, shape):
    ...         return shape
    >>> Flip()(np.array([[[1.0], [2.0], [3.0]]])).ravel().tolist()
    [3.0, 2.0, 1.0]
    """

    rank = None

    data_format: str = field(_format_of_rank, default=None, doc=DATA_FORMAT)

    def __post_init__(self):
        super().__post_init__()
        self.input_spec = InputSpec(ndim=self.rank + 2)

    channels_first = property(lambda self: self.data_format == "channels_first")
    channel_axis = property(lambda self: 1 if self.channels_first else -1)

    def call(self, inputs: Array) -> Array:
        self.compute_output_shape(inputs.shape)  # complains where nothing would be left
        if not self.channels_first:
            return self.transform(inputs)
        outputs = self.transform(jnp.moveaxis(inputs, 1, -1))
        return jnp.moveaxis(outputs, -1, 1) if outputs.ndim > 2 else outputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        input_shape = tuple(input_shape)
        if len(input_shape) != self.rank + 2:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}) expects {self.rank + 2} dimensions, received the shape "
                f"{input_shape}."
            )
        if not self.channels_first:
            return self.transform_shape(input_shape)
        batch, channels, *lengths = input_shape
        batch, *lengths, channels = self.transform_shape((batch, *lengths, channels))
        return (batch, channels, *lengths)

    def window_lengths(
        self, lengths: Sequence, sizes: Sequence, strides: Sequence, padding: str, dilation: Sequence | None = None
    ) -> tuple:
        """The lengths of the outputs of a window that slides over the spatial axes.

        Args:
            lengths: the lengths of the axes; `None` for those that are not known.
            sizes: the window's length on each axis.
            strides: its step on each axis.
            padding: `"valid"`, `"same"` or `"causal"`.
            dilation: the distance between the window's elements on each axis, by default 1.

        Returns:
            A list of lengths.

        Raises:
            InputDataError: if nothing would be left on an axis.
        """
        dilation = dilation or (1,) * self.rank
        outputs = [
            conv_output_length(n, k, padding, s, d)
            for n, k, s, d in zip(lengths, sizes, strides, dilation, strict=True)
        ]
        if 0 in outputs:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): computed output size would be zero or negative. The input "
                f"has the lengths {tuple(lengths)}, the window {tuple(sizes)} with strides {tuple(strides)}, dilation "
                f"{tuple(dilation)} and padding {padding!r}. Use larger inputs, a smaller window or padding='same'."
            )
        return outputs

    def as_float(self, x: Array) -> Array:
        """The array itself if it holds floats; integers become the type that the layer computes in."""
        return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(self.compute_dtype)
