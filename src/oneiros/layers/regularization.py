"""Noise that keeps a network from learning its data by heart. All of it acts in training only."""

import math

import jax.numpy as jnp

from ..core import SeedGenerator
from ..core.checks import fraction
from ..core.config import standardize_data_format
from ..core.errors import InputDataError
from ..kernels import random
from .core import Elementwise
from .input_spec import InputSpec


class _Noise(Elementwise):
    """Subclasses define ``disturb(inputs, key)``. seed: an integer; ``None`` draws one."""

    uses_learning_phase = True
    strength = "rate"  # the attribute that is 0 where nothing is to be done

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or not getattr(self, self.strength):
            return inputs
        inputs = inputs if jnp.issubdtype(inputs.dtype, jnp.floating) else inputs.astype(self.compute_dtype)
        return self.disturb(inputs, self.seed_generator.next())


class Dropout(_Noise):
    """Sets a fraction `rate` of the inputs to zero and scales the others by ``1 / (1 - rate)`` (Srivastava et al.
    2014).

    noise_shape: shape of the mask, 1 where it is the same along an axis (``None``: the inputs' length).

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 2))).tolist()  # not in training
    [[1.0, 1.0]]
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = fraction("rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        if any(n is not None and (not isinstance(n, int) or n < 1) for n in self.noise_shape or ()):
            raise InputDataError(f"Dropout: noise_shape must hold positive integers or None. Received: {noise_shape!r}")

    def mask_shape(self, shape):
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): noise_shape={self.noise_shape} has another rank than the "
                f"inputs, whose shape is {shape}."
            )
        return tuple(n if m is None else m for m, n in zip(self.noise_shape, shape))

    def disturb(self, inputs, key):
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        kept = random.dropout_mask(key, self.rate, self.mask_shape(inputs.shape))
        return jnp.where(kept, inputs / (1 - self.rate), 0)


class _SpatialDropout(Dropout):
    """Drops whole feature maps: each channel of an example at all its positions, or not at all."""

    rank = None

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(rate, kwargs.pop("noise_shape", None), seed, **kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def mask_shape(self, shape):
        ones = (1,) * self.rank
        return (*shape[:2], *ones) if self.data_format == "channels_first" else (shape[0], *ones, shape[-1])


class SpatialDropout1D(_SpatialDropout):
    """Drops whole features of ``(N, L, C)``: each at all steps, or not at all (Tompson et al. 2015)."""

    rank = 1

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, "channels_last", seed, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Drops whole feature maps of ``(N, H, W, C)`` (Tompson et al. 2015)."""

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Drops whole feature maps of ``(N, D, H, W, C)`` (Tompson et al. 2015)."""

    rank = 3


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance where the inputs have them 0 and 1 (Klambauer et al. 2017, for SELU)."""

    def disturb(self, inputs, key):
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        dropped = -1.0507009873554805 * 1.6732632423543772  # the limit of SELU at minus infinity
        kept = random.dropout_mask(key, self.rate, self.mask_shape(inputs.shape))
        factor = ((1 - self.rate) * (1 + self.rate * dropped**2)) ** -0.5
        return factor * jnp.where(kept, inputs, dropped) - factor * dropped * self.rate


class GaussianDropout(_Noise):
    """Multiplies by normal noise of mean 1 and variance ``rate / (1 - rate)`` (Srivastava et al. 2014)."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = fraction("rate", rate, one_allowed=False)

    def disturb(self, inputs, key):
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs * (1 + deviation * random.normal(key, inputs.shape, inputs.dtype))


class GaussianNoise(_Noise):
    """Adds normal noise of mean 0 and the standard deviation `stddev`."""

    strength = "stddev"

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if not stddev >= 0:
            raise InputDataError(f"GaussianNoise: stddev must be at least 0. Received: stddev={stddev!r}")
        self.stddev = stddev

    def disturb(self, inputs, key):
        return inputs + self.stddev * random.normal(key, inputs.shape, inputs.dtype)
