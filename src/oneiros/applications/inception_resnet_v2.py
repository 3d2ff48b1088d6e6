"""Inception-ResNet v2: Inception modules with residual connections (Szegedy et al., 2017, arXiv:1602.07261)."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from ..core import Symbol
from ..layers import Activation, AveragePooling2D, Concatenate, Conv2D, Layer, MaxPooling2D
from ..utils.imagenet import decode_predictions
from .common import channel_axis, convolved, keras_files, network, normalized
from .inception_v3 import preprocess_input, stem

# name -> (scale of the residual, chains of (filters, kernel size))
_BLOCKS = {
    "block35": (0.17, [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]]),
    "block17": (0.1, [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]]),
    "block8": (0.2, [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]]),
}


class CustomScaleLayer(Layer):
    """Adds scaled features: ``inputs[0] + scale * inputs[1]``.

    Args:
        scale: Factor of the second input.
        **kwargs: Arguments of `Layer`.
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Sequence[jax.Array]) -> jax.Array:
        return inputs[0] + inputs[1] * self.scale

    def compute_output_shape(self, input_shape: Sequence[Sequence[int | None]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])


def conv2d_bn(
    x: Symbol,
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int | tuple[int, int] = 1,
    padding: str = "same",
    activation: str | Callable | None = "relu",
    use_bias: bool = False,
    name: str | None = None,
) -> Symbol:
    """Applies a convolution, batch normalization if there is no bias, and an activation.

    Args:
        x: Features.
        filters: Number of filters.
        kernel_size: Size of the kernel.
        strides: Strides of the convolution.
        padding: 'same' or 'valid'.
        activation: The activation; ``None`` for none.
        use_bias: Whether to use a bias instead of batch normalization.
        name: Prefix of the names of the layers.

    Returns:
        The new features.
    """
    x = Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=use_bias, name=name)(x)
    if not use_bias:
        x = normalized(x, name and f"{name}_bn", scale=False)
    return x if activation is None else Activation(activation, name=name and f"{name}_ac")(x)


def _chain(x, steps, **last):
    for filters, size in steps[:-1]:
        x = conv2d_bn(x, filters, size)
    return conv2d_bn(x, *steps[-1], **last)


def inception_resnet_block(
    x: Symbol, scale: float, block_type: str, block_idx: int, activation: str | Callable | None = "relu"
) -> Symbol:
    """An Inception module whose concatenated branches are projected, scaled and added to its input.

    Args:
        x: Features.
        scale: Factor of the residual.
        block_type: 'block35', 'block17' or 'block8', named after the size of their features.
        block_idx: Number of the block, for the names of the layers.
        activation: Activation of the sum; ``None`` for none.

    Returns:
        Features of the shape of `x`.

    Raises:
        ValueError: If the block type is unknown.
    """
    if block_type not in _BLOCKS:
        raise ValueError(f"block_type: expected one of {', '.join(_BLOCKS)}. Received: {block_type!r}")
    name = f"{block_type}_{block_idx}"
    branches = [_chain(x, steps) for steps in _BLOCKS[block_type][1]]
    mixed = Concatenate(axis=channel_axis(), name=f"{name}_mixed")(branches)
    added = conv2d_bn(mixed, x.shape[channel_axis()], 1, activation=None, use_bias=True, name=f"{name}_conv")
    x = CustomScaleLayer(scale)([x, added])
    return x if activation is None else Activation(activation, name=f"{name}_ac")(x)


def _halved(x, branches, name):
    branches = [_chain(x, steps, strides=2, padding="valid") for steps in branches]
    return Concatenate(axis=channel_axis(), name=name)([*branches, MaxPooling2D(3, strides=2)(x)])


def _body(x):
    x = stem(x)
    branches = [_chain(x, steps) for steps in ([(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)])]
    branches.append(conv2d_bn(AveragePooling2D(3, strides=1, padding="same")(x), 64, 1))
    x = Concatenate(axis=channel_axis(), name="mixed_5b")(branches)
    for i in range(1, 11):
        x = inception_resnet_block(x, 0.17, "block35", i)
    x = _halved(x, [[(384, 3)], [(256, 1), (256, 3), (384, 3)]], "mixed_6a")
    for i in range(1, 21):
        x = inception_resnet_block(x, 0.1, "block17", i)
    x = _halved(x, [[(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)]], "mixed_7a")
    for i in range(1, 10):
        x = inception_resnet_block(x, 0.2, "block8", i)
    x = inception_resnet_block(x, 1.0, "block8", 10, activation=None)
    return convolved(x, 1536, 1, "conv_7b", "conv_7b_bn", "conv_7b_ac", scale=False, padding="same")


InceptionResNetV2 = network(
    "InceptionResNetV2",
    "inception_resnet_v2",
    _body,
    "Inception-ResNet v2 with 55,873,736 weights (with the top).",
    size=299,
    min_size=75,
    files=keras_files(
        "inception_resnet_v2/inception_resnet_v2",
        top="e693bd0210a403b3192acc6073ad2e96",
        notop="d19885ff4a710c122648d3b5c3b684e4",
    ),
)

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]
