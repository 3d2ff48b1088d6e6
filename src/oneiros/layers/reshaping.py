"""Layers that rearrange their inputs: flatten, reshape, permute and repeat axes; crop, pad and enlarge spatial ones.

The shapes of layers with spatial axes are those of ``data_format="channels_last"``.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp

from ..core import behaviour
from ..core.checks import int_tuple, one_of, positive_int
from ..core.errors import InputDataError
from ..core.fields import field, of_owner
from .arguments import DATA_FORMAT, DataFormat, PerAxis
from .base import Layer
from .data_format import Spatial
from .input_spec import InputSpec


class Flatten(Layer):
    """Joins all axes but the batch axis into one.

    Shapes: ``(batch, a, b, ...)`` to ``(batch, a * b * ...)``, and ``(batch,)`` to ``(batch, 1)``.

    >>> import numpy as np
    >>> Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    data_format: DataFormat = field(
        default=None,
        doc=DATA_FORMAT
        + ' With `"channels_first"` the channels are moved to the end before, so that weights fit both.',
    )

    input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: jax.Array) -> jax.Array:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


def _target_shape(name, value):
    target = (value,) if isinstance(value, int) else tuple(int(n) for n in value)
    if sum(n == -1 for n in target) > 1 or any(n < -1 for n in target):
        raise InputDataError(f"expected sizes and at most one -1. Received: {name}={value!r}")
    return target


class Reshape(Layer):
    """Gives each example another shape; its elements keep their order.

    Shapes: ``(batch, ...)`` to ``(batch, *target_shape)``.

    >>> import numpy as np
    >>> Reshape((-1, 2))(np.ones((3, 6))).shape
    (3, 3, 2)
    """

    target_shape: tuple = field(
        _target_shape, doc="Shape without the batch axis. One entry may be -1, which stands for what is left."
    )

    def call(self, inputs: jax.Array) -> jax.Array:
        return inputs.reshape(self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
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


def _permutation(name, value):
    dims = tuple(value)
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise InputDataError(
            f"the set of indices in `{name}` must be consecutive and start from 1. Received: {name}={dims}"
        )
    return dims


class Permute(Layer):
    """Puts the axes of each example into another order.

    Shapes: ``(batch, ...)`` to the batch axis and the other axes in the order of `dims`.

    >>> import numpy as np
    >>> Permute((2, 1))(np.ones((5, 10, 64))).shape
    (5, 64, 10)
    """

    dims: tuple = field(_permutation, doc="The axes in their new order, counted from 1. The batch axis stays first.")

    def __post_init__(self):
        super().__post_init__()
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: jax.Array) -> jax.Array:
        return inputs.transpose(0, *self.dims)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


def _repetitions(name, value):
    if not isinstance(value, int):
        raise TypeError(f"RepeatVector: expected an integer. Received: {name}={value!r}")
    return positive_int(name, value)


class RepeatVector(Layer):
    """Repeats each example along a new axis.

    Shapes: ``(batch, features)`` to ``(batch, n, features)``.

    >>> import numpy as np
    >>> RepeatVector(3)(np.array([[1.0, 2.0]])).tolist()
    [[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]]
    """

    n: int = field(_repetitions, doc="How often each example is repeated.")

    input_spec = InputSpec(ndim=2)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.repeat(inputs[:, None, :], self.n, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.n, input_shape[1])


def _pairs(name, value, rank):
    """Two counts for each axis: from one for all, one for each axis, or two for each axis."""
    if isinstance(value, int):
        value = (value,) * rank
    if not isinstance(value, (list, tuple)) or len(value) != rank:
        raise InputDataError(f"`{name}` should have {rank} elements. Received: {name}={value!r}")
    return tuple(int_tuple(f"entry {i} of {name}", pair, 2, minimum=0) for i, pair in enumerate(value, start=1))


@of_owner
def _border(name, value, layer):
    return _pairs(name, [value] if layer.rank == 1 else value, layer.rank)[0 if layer.rank == 1 else slice(None)]


class _Border(Spatial):
    """Base of layers that change both ends of each spatial axis; `border` is the name of their argument."""

    border = None

    @property
    def pairs(self):
        value = getattr(self, self.border)
        return (value,) if self.rank == 1 else value


class _ZeroPadding(_Border):
    border = "padding"

    def transform(self, x):
        return jnp.pad(x, ((0, 0), *self.pairs, (0, 0)))

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        return (batch, *(None if n is None else n + a + b for n, (a, b) in zip(lengths, self.pairs)), channels)


class ZeroPadding1D(_ZeroPadding):
    """Adds zeros before and after sequences.

    Shapes: ``(batch, steps, channels)`` to ``(batch, before + steps + after, channels)``.

    >>> import numpy as np
    >>> ZeroPadding1D((1, 2))(np.ones((1, 2, 1))).ravel().tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    rank = 1

    padding: int | tuple = field(_border, default=1, first=True, doc="A number, or a pair `(before, after)`.")


class ZeroPadding2D(_ZeroPadding):
    """Adds zeros around images.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> ZeroPadding2D(((1, 0), (2, 3)))(np.ones((1, 4, 6, 3))).shape
    (1, 5, 11, 3)
    """

    rank = 2

    padding: int | tuple = field(
        _border, default=(1, 1), first=True, doc="A number, one for each axis, or a pair for each axis."
    )


class ZeroPadding3D(_ZeroPadding):
    """Adds zeros around volumes.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> ZeroPadding3D((1, 2, 3))(np.ones((1, 2, 4, 6, 3))).shape
    (1, 4, 8, 12, 3)
    """

    rank = 3

    padding: int | tuple = field(
        _border,
        default=((1, 1), (1, 1), (1, 1)),
        first=True,
        doc="A number, one for each axis, or a pair for each axis.",
    )


class _Cropping(_Border):
    border = "cropping"

    def transform(self, x):
        inner = [slice(a, max(n - b, 0)) for n, (a, b) in zip(x.shape[1:-1], self.pairs)]
        return x[(slice(None), *inner)]

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        lengths = [None if n is None else n - a - b for n, (a, b) in zip(lengths, self.pairs)]
        if behaviour.unlimited_arguments:
            lengths = [None if n is None else max(n, 0) for n in lengths]
        elif any(n is not None and n <= 0 for n in lengths):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): values in `cropping` should be smaller than the "
                f"corresponding spatial dimension of the input. Received: input_shape={tuple(shape)}, "
                f"cropping={getattr(self, self.border)}"
            )
        return (batch, *lengths, channels)


class Cropping1D(_Cropping):
    """Cuts off steps at both ends of sequences.

    Shapes: ``(batch, steps, channels)`` to ``(batch, steps - before - after, channels)``.

    >>> import numpy as np
    >>> Cropping1D((1, 2))(np.ones((1, 7, 3))).shape
    (1, 4, 3)
    """

    rank = 1

    cropping: int | tuple = field(_border, default=(1, 1), first=True, doc="A number, or a pair `(before, after)`.")

    data_format = "channels_last"


class Cropping2D(_Cropping):
    """Cuts off the edges of images.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> Cropping2D(((1, 0), (2, 3)))(np.ones((1, 4, 7, 3))).shape
    (1, 3, 2, 3)
    """

    rank = 2

    cropping: int | tuple = field(
        _border, default=((0, 0), (0, 0)), first=True, doc="A number, one for each axis, or a pair for each axis."
    )


class Cropping3D(_Cropping):
    """Cuts off the faces of volumes.

    Shapes: ``(batch, depth, height, width, channels)`` to ``(batch, new_depth, new_height, new_width, channels)``.

    >>> import numpy as np
    >>> Cropping3D(1)(np.ones((1, 3, 4, 7, 3))).shape
    (1, 1, 2, 5, 3)
    """

    rank = 3

    cropping: int | tuple = field(
        _border,
        default=((1, 1), (1, 1), (1, 1)),
        first=True,
        doc="A number, one for each axis, or a pair for each axis.",
    )


class _UpSampling(Spatial):
    size: PerAxis = field(default=2, first=True, doc="Factor for each axis, or one for all.")

    def transform(self, x):
        for axis, times in enumerate(self.size, start=1):
            x = jnp.repeat(x, times, axis)
        return x

    def transform_shape(self, shape):
        batch, *lengths, channels = shape
        return (batch, *(None if n is None else n * times for n, times in zip(lengths, self.size)), channels)


class UpSampling1D(_UpSampling):
    """Repeats each step of sequences.

    Shapes: ``(batch, steps, channels)`` to ``(batch, steps * size, channels)``.

    >>> import numpy as np
    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    data_format = "channels_last"

    def get_config(self) -> dict:
        return super().get_config() | {"size": self.size[0]}


class UpSampling2D(_UpSampling):
    """Enlarges images by whole factors.

    Shapes: ``(batch, height, width, channels)`` to ``(batch, height * size[0], width * size[1], channels)``. The
    bicubic interpolation is that of Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981.

    >>> import numpy as np
    >>> UpSampling2D((2, 3), interpolation="bilinear")(np.ones((1, 4, 5, 3))).shape
    (1, 8, 15, 3)
    """

    rank = 2
    methods = {"bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}

    size: PerAxis = (2, 2)
    interpolation: str = field(
        partial(one_of, allowed=("nearest", *methods)),
        default="nearest",
        doc='`"nearest"`, `"bilinear"`, `"bicubic"` (Keys 1981), `"lanczos3"` or `"lanczos5"`.',
    )

    def transform(self, x: jax.Array) -> jax.Array:
        """The enlarged images. The channels of `x` and of the result are last."""
        if self.interpolation == "nearest":
            return super().transform(x)
        x = self.as_float(x)
        return jax.image.resize(x, self.transform_shape(x.shape), self.methods[self.interpolation], antialias=False)


class UpSampling3D(_UpSampling):
    """Repeats the elements of volumes along each axis.

    Shapes: ``(batch, depth, height, width, channels)`` to
    ``(batch, depth * size[0], height * size[1], width * size[2], channels)``.

    >>> import numpy as np
    >>> UpSampling3D((1, 2, 3))(np.ones((1, 2, 3, 4, 5))).shape
    (1, 2, 6, 12, 5)
    """

    rank = 3

    size: PerAxis = (2, 2, 2)
