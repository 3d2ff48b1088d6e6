"""AlexNet: the network that won ImageNet 2012 (Krizhevsky, Sutskever and Hinton, NIPS 2012)."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPooling2D
from ..utils.imagenet import decode_predictions, preprocess_input
from .common import channel_axis, network

# (filters, kernel size, groups, normalized and pooled after); the groups ran on two GPUs
_CONVOLUTIONS = [
    (96, 11, 1, "normalized pooled"),
    (256, 5, 2, "normalized pooled"),
    (384, 3, 1, ""),
    (384, 3, 2, ""),
    (256, 3, 2, "pooled"),
]


class LocalResponseNormalization(Layer):
    """Local response normalization (Krizhevsky et al. 2012, section 3.3).

    It computes ``x / (bias + alpha * s) ** beta``, where ``s`` is the sum of ``x**2`` over neighbouring channels.

    Args:
        size: Number of neighbouring channels.
        alpha: Factor of the sum of squares.
        beta: Exponent.
        bias: Number added to the sum.
        axis: Axis of the channels; by default according to `image_data_format()`.
        **kwargs: Arguments of `Layer`.

    >>> LocalResponseNormalization(alpha=1.0, beta=0.5, bias=0.0)(jnp.ones((1, 1, 1, 1))).tolist()
    [[[[1.0]]]]
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 2.0,
        axis: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias
        self.axis = channel_axis() if axis is None else axis

    def call(self, inputs: jax.Array) -> jax.Array:
        axis = self.axis % inputs.ndim
        window = [self.size if i == axis else 1 for i in range(inputs.ndim)]
        around = [(self.size // 2, (self.size - 1) // 2) if i == axis else (0, 0) for i in range(inputs.ndim)]
        zero = jnp.zeros((), inputs.dtype)
        sums = jax.lax.reduce_window(jnp.square(inputs), zero, jax.lax.add, window, [1] * inputs.ndim, around)
        return inputs / (self.bias + self.alpha * sums) ** self.beta

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(input_shape)


def _body(x):
    for number, (filters, size, groups, after) in enumerate(_CONVOLUTIONS, 1):
        strides, padding = (4, "valid") if number == 1 else (1, "same")
        x = Conv2D(
            filters, size, strides=strides, padding=padding, groups=groups, activation="relu", name=f"conv{number}"
        )(x)
        if "normalized" in after:
            x = LocalResponseNormalization(name=f"norm{number}")(x)
        if "pooled" in after:
            x = MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return x


def _top(x, classes, activation):
    x = Flatten(name="flatten")(x)
    for number in (6, 7):
        x = Dense(4096, activation="relu", name=f"fc{number}")(x)
        x = Dropout(0.5, name=f"drop{number}")(x)
    return Dense(classes, activation=activation, name="fc8")(x)


AlexNet = network(
    "AlexNet",
    "alexnet",
    _body,
    "AlexNet with 60,965,224 weights (with the top). No official weights exist.",
    size=227,
    min_size=67,
    top=_top,
)

__all__ = ["AlexNet", "LocalResponseNormalization", "decode_predictions", "preprocess_input"]
