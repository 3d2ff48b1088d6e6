"""Noise against overfitting. All of these layers act in training only."""

import math
from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import Array

from ..core import SeedGenerator, behaviour
from ..core.errors import InputDataError
from ..core.fields import field
from ..kernels import random
from .arguments import DataFormat, Rate, Seed, rate
from .elementwise import Elementwise
from .input_spec import InputSpec


class Noise(Elementwise, abstract=True):
    """Base of layers that change their inputs at random. Subclasses write ``disturb(inputs, key)``.

    >>> class Jitter(Noise, abstract=True):
    ...     rate = 0.5
    ...     def disturb(self, inputs, key):
    ...         return inputs + random.normal(key, inputs.shape, inputs.dtype)
    >>> Jitter()(jnp.ones(2)).tolist()  # not in training
    [1.0, 1.0]
    """

    uses_learning_phase = True
    strength = "rate"  # the attribute that is 0 where nothing is to be done

    seed: Seed = None

    def __post_init__(self):
        super().__post_init__()
        self.seed_generator = SeedGenerator(self.seed)

    def call(self, inputs, training=False):
        strength = getattr(self, self.strength)
        of_all = self.strength == "rate" and strength == 1 and behaviour.unlimited_arguments
        if not training or not strength or of_all:
            return inputs
        inputs = inputs if jnp.issubdtype(inputs.dtype, jnp.floating) else inputs.astype(self.compute_dtype)
        return self.disturb(inputs, self.seed_generator.next())


def _noise_shape(name, value):
    shape = None if value is None else tuple(value)
    if any(n is not None and (not isinstance(n, int) or n < 1) for n in shape or ()):
        raise InputDataError(f"{name} must hold positive integers or None. Received: {value!r}")
    return shape


class Dropout(Noise):
    """Sets a random fraction of the inputs to zero, and multiplies the others by ``1 / (1 - rate)``.

    Shapes: any, and the same for the outputs. From Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks
    from Overfitting", 2014.

    >>> import numpy as np
    >>> layer, x = Dropout(0.5, seed=1), np.ones((1, 100))
    >>> bool((layer(x) == x).all())  # not in training
    True
    >>> sorted({float(value) for value in layer(x, training=True)[0]})
    [0.0, 2.0]
    """

    rate: float = field(
        partial(rate, one_allowed=True),
        first=True,
        doc="Fraction of the inputs that is dropped in training, from 0 to 1.",
    )
    noise_shape: tuple = field(
        _noise_shape,
        default=None,
        first=True,
        doc="Shape of the mask: 1 where it is the same along an axis, `None` for the inputs' length.",
    )

    def mask_shape(self, shape: Any) -> tuple:
        """The shape of the mask for inputs of this shape. Along an axis of length 1 the mask is the same."""
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): noise_shape={self.noise_shape} has another rank than the "
                f"inputs, whose shape is {shape}."
            )
        return tuple(n if m is None else m for m, n in zip(self.noise_shape, shape))

    def disturb(self, inputs: Array, key: Array) -> Array:
        """The inputs with some elements dropped.

        Args:
            inputs: an array of floats.
            key: a random key of JAX.
        """
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        kept = random.dropout_mask(key, self.rate, self.mask_shape(inputs.shape))
        return jnp.where(kept, inputs / (1 - self.rate), 0)


class _SpatialDropout(Dropout):
    """Drops whole feature maps: each channel of an example at all its positions, or not at all."""

    rank = None
    positional_last = ("name", "dtype")

    data_format: DataFormat = field(default=None, after="rate")

    noise_shape = None

    def __post_init__(self):
        super().__post_init__()
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def mask_shape(self, shape):
        ones = (1,) * self.rank
        return (*shape[:2], *ones) if self.data_format == "channels_first" else (shape[0], *ones, shape[-1])


class SpatialDropout1D(_SpatialDropout):
    """Drops whole features of sequences: each at all steps, or at none.

    Shapes: ``(batch, steps, channels)``, and the same for the outputs. From Tompson et al., "Efficient Object
    Localization Using Convolutional Networks", 2015.

    >>> import numpy as np
    >>> outputs = SpatialDropout1D(0.5, seed=1)(np.ones((1, 10, 4)), training=True)
    >>> bool((outputs == outputs[:, :1]).all())
    True
    """

    rank = 1

    data_format = "channels_last"


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images: each at all positions, or at none.

    Shapes: ``(batch, height, width, channels)``, and the same for the outputs. From Tompson et al., "Efficient Object
    Localization Using Convolutional Networks", 2015.

    >>> import numpy as np
    >>> outputs = SpatialDropout2D(0.5, seed=1)(np.ones((1, 3, 5, 4)), training=True)
    >>> bool((outputs == outputs[:, :1, :1]).all())
    True
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Drops whole channels of volumes: each at all positions, or at none.

    Shapes: ``(batch, depth, height, width, channels)``, and the same for the outputs. From Tompson et al., "Efficient
    Object Localization Using Convolutional Networks", 2015.

    >>> import numpy as np
    >>> outputs = SpatialDropout3D(0.5, seed=1)(np.ones((1, 2, 3, 5, 4)), training=True)
    >>> bool((outputs == outputs[:, :1, :1, :1]).all())
    True
    """

    rank = 3


class AlphaDropout(Dropout):
    """Dropout for networks with SELU: it keeps the mean and variance of inputs that have mean 0 and variance 1.

    Shapes: any, and the same for the outputs. From Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(1, 10000))
    >>> outputs = AlphaDropout(0.5, seed=1)(x, training=True)
    >>> round(float(outputs.std()), 1)
    1.0
    """

    def disturb(self, inputs: Array, key: Array) -> Array:
        """The inputs with some elements dropped, as in `Dropout.disturb`."""
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        dropped = -1.0507009873554805 * 1.6732632423543772  # the limit of SELU at minus infinity
        kept = random.dropout_mask(key, self.rate, self.mask_shape(inputs.shape))
        factor = ((1 - self.rate) * (1 + self.rate * dropped**2)) ** -0.5
        return factor * jnp.where(kept, inputs, dropped) - factor * dropped * self.rate


class GaussianDropout(Noise):
    """Multiplies the inputs by normal noise of mean 1 and variance ``rate / (1 - rate)``.

    Shapes: any, and the same for the outputs. From Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks
    from Overfitting", 2014.

    >>> import numpy as np
    >>> outputs = GaussianDropout(0.5, seed=1)(np.ones((1, 10000)), training=True)
    >>> round(float(outputs.std()), 1)
    1.0
    """

    rate: Rate = field(first=True, doc="As in `Dropout`: the noise has the variance `rate / (1 - rate)`.")

    def disturb(self, inputs: Array, key: Array) -> Array:
        """The inputs with noise, as in `Dropout.disturb`."""
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs * (1 + deviation * random.normal(key, inputs.shape, inputs.dtype))


def _deviation(name, value):
    if not value >= 0 and not behaviour.unlimited_arguments:
        raise InputDataError(f"{name} must be at least 0. Received: {name}={value!r}")
    return value


class GaussianNoise(Noise):
    """Adds normal noise of mean 0.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> outputs = GaussianNoise(2.0, seed=1)(np.ones((1, 10000)), training=True)
    >>> round(float(outputs.std()), 1)
    2.0
    """

    strength = "stddev"

    stddev: float = field(_deviation, first=True, doc="Standard deviation of the noise.")

    def disturb(self, inputs: Array, key: Array) -> Array:
        """The inputs with noise, as in `Dropout.disturb`."""
        return inputs + self.stddev * random.normal(key, inputs.shape, inputs.dtype)
