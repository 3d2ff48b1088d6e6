"""Spectral normalization of a layer's kernel."""

import jax.numpy as jnp
from jax import Array, lax

from ..core.errors import InputDataError
from ..core.fields import field
from .arguments import PositiveInt
from .wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """Keeps the largest singular value of a layer's kernel, or of its embeddings, near 1.

    Each call in training divides the kernel by an estimate of that value, after `power_iterations` steps of the power
    method.

    Shapes: those of the wrapped layer. From Miyato et al., "Spectral Normalization for Generative Adversarial
    Networks", 2018.

    >>> import numpy as np
    >>> from oneiros.layers.dense import Dense
    >>> layer = SpectralNormalization(Dense(3), power_iterations=50)
    >>> outputs = layer(np.ones((2, 4)), training=True)
    >>> round(float(np.linalg.norm(layer.kernel, 2)), 3)
    1.0
    """

    power_iterations: PositiveInt = field(default=1, doc="Steps of the power method in each call in training.")

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.kernel = getattr(self.layer, "kernel", None)
        if self.kernel is None:
            self.kernel = getattr(self.layer, "embeddings", None)
        if self.kernel is None:
            raise InputDataError(
                f"SpectralNormalization: {type(self.layer).__name__} has neither a kernel nor embeddings to normalize."
            )
        self.vector_u = self.add_weight(
            "vector_u", (1, self.kernel.shape[-1]), initializer="truncated_normal", trainable=False
        )

    def call(self, inputs: Array, training: bool = False) -> Array:
        if training:
            self._normalize()
        return self.layer(inputs)

    def _normalize(self):
        weights = self.kernel.raw.reshape(-1, self.kernel.shape[-1])
        u = self.vector_u.raw
        for _ in range(self.power_iterations):
            v = _unit(u @ weights.T)
            u = _unit(v @ weights)
        u, v = lax.stop_gradient((u, v))
        sigma = (v @ weights @ u.T).reshape(())
        self.vector_u.assign(u)
        self.kernel.assign(self.kernel.raw / sigma)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)


def _unit(x):
    return x * lax.rsqrt(jnp.maximum(jnp.square(x).sum(), 1e-12))
