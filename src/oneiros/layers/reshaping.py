"""Layers that rearrange their inputs: flatten, reshape, permute and repeat axes; crop, pad and enlarge spatial ones."""

import math

import jax
import jax.numpy as jnp

from ..core.checks import int_tuple, one_of, positive_int
from ..core.config import standardize_data_format
from ..core.errors import InputDataError
from .base import Layer
from .input_spec import InputSpec
from .spatial import Spatial


class Flatten(Layer):
    """All axes but the first in one: ``(N, a, b)`` to ``(N, a * b)``; ``(N,)`` to ``(N, 1)``.

    data_format: with 'channels_first' the channels are moved to the end before, so that weights fit both formats.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


class Reshape(Layer):
    """The elements of each example in another shape; one -1 in `target_shape` stands for what fits.

    >>> import numpy as np
    >>> Reshape((-1, 2))(np.ones((3, 6))).shape
    (3, 3, 2)
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        target = (target_shape,) if isinstance(target_shape, int) else tuple(int(n) for n in target_shape)
        if sum(n == -1 for n in target) > 1 or any(n < -1 for n in target):
            raise InputDataError(f"Reshape: expected sizes and at most one -1. Received: target_shape={target_shape!r}")
        self.target_shape = target

    def call(self, inputs):
        return inputs.reshape(self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape
        known = math.prod(n for n in self.target_shape if n != -1)
        if None in rest:
            return (batch, *(None if n == -1 else n for n in self.target_shape))
        size = math.prod(rest)
        fits = known and size % known == 0 if -1 in self.target_shape else size == known
        if not fits and size:
            raise InputDataError(
                f"Layer {self.name} (Reshape): the total size of the tensor must be unchanged. Received: "
                f"input_shape={tuple(rest)}, target_shape={self.target_shape}"
            )
        return (batch, *(size // (known or 1) if n == -1 else n for n in self.target_shape))


class Permute(Layer):
    """The axes in another order: `dims` names them from 1, the batch axis stays first.

    >>> import numpy as np
    >>> Permute((2, 1))(np.ones((5, 10, 64))).shape
    (5, 64, 10)
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise InputDataError(
                "Permute: the set of indices in `dims` must be consecutive and start from 1. "
                f"Received: dims={self.dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return inputs.transpose(0, *self.dims)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class RepeatVector(Layer):
    """Each example `n` times along a new axis: ``(N, C)`` to ``(N, n, C)``."""

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"RepeatVector: expected an integer. Received: n={n!r}")
        self.n = positive_int("n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return jnp.repeat(inputs[:, None, :], self.n, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])


def _pairs(name, value, rank):
    """Two counts for each axis: from one for all, one for each axis, or two for each axis."""
    if isinstance(value, int):
        value = (value,) * rank
    if not isinstance(value, (list, tuple)) or len(value) != rank:
        raise InputDataError(f"`{name}` should have {rank} elements. Received: {name}={value!r}")
    return tuple(int_tuple(f"entry {i} of {name}", pair, 2, minimum=0) for i, pair in enumerate(value, start=1))


class _Border(Spatial):
    """Base of layers that change both ends of each spatial axis; `border` is their argument."""

    border = None

    def __init__(self, border, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        pairs = _pairs(self.border, [border] if self.rank == 1 else border, self.rank)
        self.pairs = pairs
        setattr(self, self.border, pairs[0] if self.rank == 1 else pairs)


class _ZeroPadding(_Border):
    border = "padding"

    def transform(self, x):
        return jnp.pad(x, ((0, 0), *self.pairs, (0, 0)))

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        return (batch, *(None if n is None else n + a + b for n, (a, b) in zip(lengths, self.pairs)), channels)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after: ``(N, L, C)`` to ``(N, a + L + b, C)``. padding: a number, or (a, b)."""

    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images. padding: a number, one for each axis, or ``((top, bottom), (left, right))``."""

    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes. padding: a number, one for each axis, or a pair for each axis."""

    rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class _Cropping(_Border):
    border = "cropping"

    def transform(self, x):
        inner = [slice(a, n - b) for n, (a, b) in zip(x.shape[1:-1], self.pairs)]
        return x[(slice(None), *inner)]

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        lengths = [None if n is None else n - a - b for n, (a, b) in zip(lengths, self.pairs)]
        if any(n is not None and n <= 0 for n in lengths):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): values in `cropping` should be smaller than the "
                f"corresponding spatial dimension of the input. Received: input_shape={tuple(shape)}, "
                f"cropping={getattr(self, self.border)}"
            )
        return (batch, *lengths, channels)


class Cropping1D(_Cropping):
    """Cuts off both ends of ``(N, L, C)``. cropping: a number, or (before, after)."""

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Cuts off the edges of images. cropping: a number, one for each axis, or ``((top, bottom), (left, right))``."""

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts off the faces of volumes. cropping: a number, one for each axis, or a pair for each axis."""

    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class _UpSampling(Spatial):
    def __init__(self, size, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.size = int_tuple("size", size, self.rank)

    def transform(self, x):
        for axis, times in enumerate(self.size, start=1):
            x = jnp.repeat(x, times, axis)
        return x

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        return (batch, *(None if n is None else n * times for n, times in zip(lengths, self.size)), channels)


class UpSampling1D(_UpSampling):
    """Each step `size` times: ``(N, L, C)`` to ``(N, L * size, C)``."""

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(size, "channels_last", **kwargs)

    def get_config(self):
        return super().get_config() | {"size": self.size[0]}


class UpSampling2D(_UpSampling):
    """Images enlarged by whole factors: ``(N, H, W, C)`` to ``(N, H * size_h, W * size_w, C)``.

    interpolation: 'nearest', 'bilinear', 'bicubic' (Keys 1981), 'lanczos3' or 'lanczos5'.
    """

    rank = 2
    methods = {"bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = one_of("interpolation", interpolation, ("nearest", *self.methods))

    def transform(self, x):
        if self.interpolation == "nearest":
            return super().transform(x)
        x = self.as_float(x)
        return jax.image.resize(x, self.transform_shape(x.shape), self.methods[self.interpolation], antialias=False)


class UpSampling3D(_UpSampling):
    """Each voxel `size` times: ``(N, D, H, W, C)`` to ``(N, D * size_d, H * size_h, W * size_w, C)``."""

    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(size, data_format, **kwargs)
