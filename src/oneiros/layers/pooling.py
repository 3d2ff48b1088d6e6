"""Pooling: maxima and means over windows, over all positions, and over a given number of regions.

All shapes are those of ``data_format="channels_last"``.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ..core.fields import field, optional
from ..kernels import pooling as kernels
from .arguments import Padding, PerAxis, per_axis
from .data_format import Spatial


class _Pooling(Spatial):
    """Base of pooling over windows. What padding adds is never a maximum and does not count in a mean."""

    positional_last = ("name",)

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
    """The maximum of each window over one axis.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).ravel().tolist()
    [3.0, 2.0]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The maximum of each window over two axes.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> MaxPooling2D((2, 3))(np.ones((1, 4, 6, 3))).shape
    (1, 2, 2, 3)
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The maximum of each window over three axes.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> MaxPooling3D(2)(np.ones((1, 2, 4, 6, 3))).shape
    (1, 1, 2, 3, 3)
    """

    rank = 3


class AveragePooling1D(_AveragePooling):
    """The mean of each window over one axis. What padding adds is left out of the means.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    >>> import numpy as np
    >>> AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).ravel().tolist()
    [2.0, 1.0]
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window over two axes. What padding adds is left out of the means.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> AveragePooling2D(3, strides=1, padding="same")(np.ones((1, 4, 6, 3))).shape
    (1, 4, 6, 3)
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window over three axes. What padding adds is left out of the means.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> AveragePooling3D(2)(np.ones((1, 2, 4, 6, 3))).shape
    (1, 1, 2, 3, 3)
    """

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
    """The maximum over all steps.

    Shapes: ``(batch, steps, channels)`` to ``(batch, channels)``, or ``(batch, 1, channels)`` with `keepdims`.

    >>> import numpy as np
    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0], [2.0]]])).tolist()
    [[3.0]]
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum over all positions of an image.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, channels)``, or ``(batch, 1, 1, channels)`` with
    `keepdims`.

    >>> import numpy as np
    >>> GlobalMaxPooling2D()(np.ones((2, 4, 6, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum over all positions of a volume.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, channels)``, or ``(batch, 1, 1, 1, channels)`` with
    `keepdims`.

    >>> import numpy as np
    >>> GlobalMaxPooling3D(keepdims=True)(np.ones((2, 3, 4, 5, 6))).shape
    (2, 1, 1, 1, 6)
    """

    rank = 3


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over all steps, or over those that a mask does not leave out.

    Shapes: ``(batch, steps, channels)`` to ``(batch, channels)``, or ``(batch, 1, channels)`` with `keepdims`.

    >>> import numpy as np
    >>> x = np.array([[[1.0], [3.0], [8.0]]])
    >>> GlobalAveragePooling1D()(x, mask=np.array([[True, True, False]])).tolist()
    [[2.0]]
    """

    rank = 1

    supports_masking = True

    def call(self, inputs: Array, mask: Any = None) -> Array:
        if mask is None:
            return super().call(inputs)
        inputs = self.as_float(inputs)
        weights = jnp.expand_dims(mask.astype(inputs.dtype), self.channel_axis)
        total = (inputs * weights).sum(self.axes, keepdims=self.keepdims)
        return total / weights.sum(self.axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over all positions of an image.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, channels)``, or ``(batch, 1, 1, channels)`` with
    `keepdims`.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.ones((2, 4, 6, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean over all positions of a volume.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, channels)``, or ``(batch, 1, 1, 1, channels)`` with
    `keepdims`.

    >>> import numpy as np
    >>> GlobalAveragePooling3D()(np.ones((2, 3, 4, 5, 6))).shape
    (2, 6)
    """

    rank = 3


class _AdaptivePooling(Spatial):
    output_size: PerAxis = field(first=True, doc="Number of regions on each axis, or one integer for all axes.")

    mean = False  # of the regions; their maxima otherwise

    def transform(self, x):
        return kernels.adaptive_pool(self.as_float(x) if self.mean else x, self.output_size, self.mean)

    def transform_shape(self, shape):
        return (shape[0], *self.output_size, shape[-1])


class _AdaptiveAveragePooling(_AdaptivePooling):
    mean = True


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The maximum of each of `output_size` regions of about equal length.

    Shapes: ``(batch, steps, channels)`` to ``(batch, output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveMaxPooling1D(2)(np.array([[[1.0], [5.0], [2.0], [4.0]]])).ravel().tolist()
    [5.0, 4.0]
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The maximum of each of ``output_size[0] * output_size[1]`` regions of about equal size.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, *output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveMaxPooling2D((2, 3))(np.ones((1, 5, 7, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The maximum of each of ``output_size[0] * output_size[1] * output_size[2]`` regions of about equal size.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, *output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveMaxPooling3D(2)(np.ones((1, 3, 5, 7, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The mean of each of `output_size` regions of about equal length.

    Shapes: ``(batch, steps, channels)`` to ``(batch, output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveAveragePooling1D(2)(np.array([[[1.0], [5.0], [2.0], [4.0]]])).ravel().tolist()
    [3.0, 3.0]
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The mean of each of ``output_size[0] * output_size[1]`` regions of about equal size.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, *output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveAveragePooling2D((2, 3))(np.ones((1, 5, 7, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The mean of each of ``output_size[0] * output_size[1] * output_size[2]`` regions of about equal size.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, *output_size, channels)``.

    >>> import numpy as np
    >>> AdaptiveAveragePooling3D(2)(np.ones((1, 3, 5, 7, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
