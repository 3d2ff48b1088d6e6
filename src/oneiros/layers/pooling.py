"""Pooling: maxima and means over windows, over all positions, and over a given number of regions."""

import jax.numpy as jnp
import numpy as np

from ..core.fields import field, optional
from ..kernels import pooling as kernels
from .arguments import Padding, PerAxis, per_axis
from .data_format import Spatial


class _Pooling(Spatial):
    """Base of pooling over windows. What padding adds is never a maximum and does not count in a mean."""

    pool_size: PerAxis = field(default=2, first=True, doc="Length of the window on each axis.")
    strides: PerAxis = field(
        optional(per_axis), default=None, first=True, doc="Step of the window. Defaults to `pool_size`."
    )
    padding: Padding = field(default="valid", first=True)

    def __post_init__(self):
        super().__post_init__()
        if self.strides is None:
            self.strides = self.pool_size

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        return (batch, *self.window_lengths(lengths, self.pool_size, self.strides, self.padding), channels)


class _MaxPooling(_Pooling):
    def transform(self, x):
        return kernels.max_pool(x, self.pool_size, self.strides, self.padding)


class _AveragePooling(_Pooling):
    def transform(self, x):
        return kernels.avg_pool(self.as_float(x), self.pool_size, self.strides, self.padding)


class MaxPooling1D(_MaxPooling):
    """The maximum of each window: ``(N, L, C)`` to ``(N, L', C)``.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).ravel().tolist()
    [3.0, 2.0]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The maximum of each window: ``(N, H, W, C)`` to ``(N, H', W', C)``."""

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The maximum of each window: ``(N, D, H, W, C)`` to ``(N, D', H', W', C)``."""

    rank = 3


class AveragePooling1D(_AveragePooling):
    """The mean of each window: ``(N, L, C)`` to ``(N, L', C)``."""

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window: ``(N, H, W, C)`` to ``(N, H', W', C)``."""

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window: ``(N, D, H, W, C)`` to ``(N, D', H', W', C)``."""

    rank = 3


class _GlobalPooling(Spatial):
    keepdims: bool = field(default=False, doc="Whether to keep the spatial axes, with length 1.")

    @property
    def axes(self):
        return tuple(range(2, self.rank + 2) if self.channels_first else range(1, self.rank + 1))

    def compute_output_shape(self, input_shape):
        sizes = enumerate(input_shape)
        return tuple(1 if i in self.axes else n for i, n in sizes if self.keepdims or i not in self.axes)


class _GlobalMaxPooling(_GlobalPooling):
    def call(self, inputs):
        return inputs.max(self.axes, keepdims=self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):
    def call(self, inputs):
        return self.as_float(inputs).mean(self.axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum over all steps: ``(N, L, C)`` to ``(N, C)``."""

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum over all positions: ``(N, H, W, C)`` to ``(N, C)``."""

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum over all positions: ``(N, D, H, W, C)`` to ``(N, C)``."""

    rank = 3


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over all steps, or over the unmasked ones: ``(N, L, C)`` to ``(N, C)``.

    >>> import numpy as np
    >>> x = np.array([[[1.0], [3.0], [8.0]]])
    >>> GlobalAveragePooling1D()(x, mask=np.array([[True, True, False]])).tolist()
    [[2.0]]
    """

    rank = 1

    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        inputs = self.as_float(inputs)
        weights = jnp.expand_dims(mask.astype(inputs.dtype), self.channel_axis)
        total = (inputs * weights).sum(self.axes, keepdims=self.keepdims)
        return total / weights.sum(self.axes, keepdims=self.keepdims)

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over all positions: ``(N, H, W, C)`` to ``(N, C)``."""

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean over all positions: ``(N, D, H, W, C)`` to ``(N, C)``."""

    rank = 3


class _AdaptivePooling(Spatial):
    """Region i of n on an axis of length L reaches from ``floor(i * L / n)`` to ``ceil((i + 1) * L / n)``."""

    output_size: PerAxis = field(first=True, doc="Number of regions on each axis, or one integer for all axes.")

    def transform(self, x):
        # Windows are products of intervals, so maxima and means may be taken axis by axis.
        for axis, regions in enumerate(self.output_size, start=1):
            index, inside = _regions(x.shape[axis], regions)
            gathered = jnp.take(x, index, axis=axis)
            x = self.reduce(gathered, axis + 1, inside.reshape(*inside.shape, *(1,) * (x.ndim - axis - 1)))
        return x

    def transform_shape(self, shape):
        return (shape[0], *self.output_size, shape[-1])


def _regions(length, regions):
    """Indices ``(regions, widest)`` of the elements of each region, the last one repeated, and which of them count."""
    starts = np.arange(regions) * length // regions
    ends = -(-(np.arange(regions) + 1) * length // regions)
    index = starts[:, None] + np.arange((ends - starts).max())
    return np.minimum(index, ends[:, None] - 1), index < ends[:, None]


class _AdaptiveMaxPooling(_AdaptivePooling):
    def reduce(self, x, axis, inside):
        return x.max(axis)


class _AdaptiveAveragePooling(_AdaptivePooling):
    def reduce(self, x, axis, inside):
        x = self.as_float(x)
        weights = (inside / inside.sum(1, keepdims=True)).astype(x.dtype)
        return (x * weights).sum(axis)


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The maxima of `output_size` regions of about equal length: ``(N, L, C)`` to ``(N, output_size, C)``."""

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The maxima of ``h * w`` regions of about equal size: ``(N, H, W, C)`` to ``(N, h, w, C)``."""

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The maxima of ``d * h * w`` regions of about equal size: ``(N, D, H, W, C)`` to ``(N, d, h, w, C)``."""

    rank = 3


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means of `output_size` regions of about equal length: ``(N, L, C)`` to ``(N, output_size, C)``."""

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of ``h * w`` regions of about equal size: ``(N, H, W, C)`` to ``(N, h, w, C)``."""

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The means of ``d * h * w`` regions of about equal size: ``(N, D, H, W, C)`` to ``(N, d, h, w, C)``."""

    rank = 3
