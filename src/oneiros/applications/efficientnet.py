"""EfficientNet: width, depth and size of the images grow together (Tan & Le, 2019, arXiv:1905.11946)."""

import math
from typing import Any

from ..core import Symbol
from ..initializers import VarianceScaling
from ..layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
)
from ..utils.imagenet import TORCH_STD, decode_predictions
from .common import Files, build, channel_axis, described, divisible, named, normalized, padded, shared

_DROP_CONNECT = 0.2
# Table 1 of the paper: (kernel size, blocks, filters, expansion, strides of the first block)
_STAGES = [
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
]
# (factor of the width, factor of the depth, size of the images, dropout, weights, MD5 with and without the classifier)
_VARIANTS = {
    "B0": (1.0, 1.0, 224, 0.2, 5_330_571, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "B1": (1.0, 1.1, 240, 0.2, 7_856_239, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "B2": (1.1, 1.2, 260, 0.3, 9_177_569, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "B3": (1.2, 1.4, 300, 0.3, 12_320_535, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "B4": (1.4, 1.8, 380, 0.4, 19_466_823, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "B5": (1.6, 2.2, 456, 0.4, 30_562_527, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "B6": (1.8, 2.6, 528, 0.5, 43_265_143, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "B7": (2.0, 3.1, 600, 0.5, 66_658_687, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}


def kernels() -> VarianceScaling:
    """The initializer of all convolutions."""
    return VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def convolution(filters: int, size: int, name: str, **kwargs: Any) -> Conv2D:
    """A convolution without bias. `kwargs` are arguments of `Conv2D`."""
    given = {"padding": "same", "use_bias": False, "kernel_initializer": kernels()} | kwargs
    return Conv2D(filters, size, name=name, **given)


def squeeze_and_excite(x: Symbol, filters: int, name: str) -> Symbol:
    """Multiplies each channel by a factor that depends on the averages of all channels (Hu et al., arXiv:1709.01507).

    Args:
        x: Features.
        filters: Number of channels between the two convolutions.
        name: Prefix of the names of the layers.

    Returns:
        Features of the shape of `x`.
    """
    channels = x.shape[channel_axis()]
    shape = (1, 1, channels) if channel_axis() == 3 else (channels, 1, 1)
    factors = Reshape(shape, name=f"{name}se_reshape")(GlobalAveragePooling2D(name=f"{name}se_squeeze")(x))
    given = {"use_bias": True}
    factors = convolution(filters, 1, f"{name}se_reduce", activation="silu", **given)(factors)
    factors = convolution(channels, 1, f"{name}se_expand", activation="sigmoid", **given)(factors)
    return Multiply(name=f"{name}se_excite")([x, factors])


def added(x: Symbol, shortcut: Symbol, strides: int, drop_rate: float, name: str) -> Symbol:
    """Adds the output of a block to its input, if they have the same shape.

    Args:
        x: The output of the block.
        shortcut: Its input.
        strides: Strides of the block.
        drop_rate: Fraction of the examples whose block is dropped in training.
        name: Prefix of the names of the layers.

    Returns:
        The sum, or `x`.
    """
    if strides != 1 or x.shape[channel_axis()] != shortcut.shape[channel_axis()]:
        return x
    if drop_rate:
        x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return Add(name=f"{name}add")([x, shortcut])


def block_names(stages: list[tuple[int, int]], total: int) -> list[list[tuple[str, int, float]]]:
    """Names the blocks of a network.

    Args:
        stages: The number of blocks and the strides of the first one, for each stage.
        total: The number of blocks after which the drop rate is 0.2. It grows from block to block.

    Returns:
        The prefix, the strides and the drop rate of each block, for each stage.

    >>> block_names([(1, 1), (2, 2)], total=3)[1]
    [('block2a_', 2, 0.06666666666666667), ('block2b_', 1, 0.13333333333333333)]
    """
    number, named_stages = 0, []
    for stage, (count, strides) in enumerate(stages, 1):
        letters = [chr(ord("a") + i) for i in range(count)]
        rates = [_DROP_CONNECT * (number + i) / total for i in range(count)]
        named_stages.append(
            [(f"block{stage}{a}_", 1 if i else strides, rate) for i, (a, rate) in enumerate(zip(letters, rates))]
        )
        number += count
    return named_stages


def classifier(x: Symbol, classes: int, activation: Any, dropout: float) -> Symbol:
    """Global average pooling, dropout, then one dense layer."""
    x = Dropout(dropout, name="top_dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
    initializer = VarianceScaling(1 / 3, mode="fan_out", distribution="uniform")
    return Dense(classes, activation=activation, kernel_initializer=initializer, name="predictions")(x)


def _active(x, name):
    return Activation("silu", name=f"{name}activation")(normalized(x, f"{name}bn"))


def _block(x, kernel_size, filters, expansion, strides, drop_rate, name):
    shortcut, channels = x, x.shape[channel_axis()]
    if expansion != 1:
        x = _active(convolution(expansion * channels, 1, f"{name}expand_conv")(x), f"{name}expand_")
    if strides == 2:
        x = padded(x, kernel_size, f"{name}dwconv_pad")
    x = DepthwiseConv2D(
        kernel_size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        depthwise_initializer=kernels(),
        name=f"{name}dwconv",
    )(x)
    x = squeeze_and_excite(_active(x, name), max(1, int(channels / 4)), name)
    x = normalized(convolution(filters, 1, f"{name}project_conv")(x), f"{name}project_bn")
    return added(x, shortcut, strides, drop_rate, name)


def _scaled(x, pretrained):
    """Pixels from 0 to 1, then normalized by mean and variance: weights, which are 0 and 1 at first."""
    x = Normalization(axis=channel_axis())(Rescaling(1 / 255)(x))
    if pretrained:  # the published files hold the variances where the network divides by deviations
        factors = [1 / math.sqrt(deviation) for deviation in TORCH_STD]
        x = Rescaling(factors if channel_axis() == 3 else [[[factor]] for factor in factors])(x)
    return x


def _body(x, width, depth, pretrained):
    x = padded(_scaled(x, pretrained), 3, "stem_conv_pad")
    x = _active(convolution(divisible(32 * width), 3, "stem_conv", strides=2, padding="valid")(x), "stem_")
    stages = [(math.ceil(depth * stage[1]), stage[-1]) for stage in _STAGES]
    rows = block_names(stages, total=sum(count for count, _ in stages))
    for (kernel_size, _, filters, expansion, _), blocks in zip(_STAGES, rows):
        for name, strides, rate in blocks:
            x = _block(x, kernel_size, divisible(filters * width), expansion, strides, rate, name)
    return _active(convolution(divisible(1280 * width), 1, "top_conv")(x), "top_")


def files(stem: str, top: str, notop: str) -> Files:
    """The URLs of the weights with and without the classifier, and their hashes."""
    base = f"https://storage.googleapis.com/{stem}"
    return {True: (f"{base}.h5", top), False: (f"{base}_notop.h5", notop)}


def _efficientnet(variant):
    width, depth, size, dropout, weights_count, *hashes = _VARIANTS[variant]
    default_name = f"efficientnet{variant.lower()}"
    facts = {"size": size, "min_size": 32, "pool_names": ("avg_pool", "max_pool")}

    def make(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=default_name,
    ):
        return build(
            lambda x: _body(x, width, depth, pretrained=weights == "imagenet"),
            name,
            **shared(locals()),
            **facts,
            top=lambda x, classes, activation: classifier(x, classes, activation, dropout),
            files=files(f"keras-applications/{default_name}", *hashes),
        )

    summary = f"EfficientNet {variant} with {weights_count:,} weights (with the top)."
    return named(make, f"EfficientNet{variant}", __name__, described(summary, "inside", **facts))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Returns the images as they are: these networks scale the pixels themselves.

    Args:
        x: Image or batch of images, with pixels from 0 to 255.
        data_format: Ignored.

    Returns:
        `x`.
    """
    return x


EfficientNetB0 = _efficientnet("B0")
EfficientNetB1 = _efficientnet("B1")
EfficientNetB2 = _efficientnet("B2")
EfficientNetB3 = _efficientnet("B3")
EfficientNetB4 = _efficientnet("B4")
EfficientNetB5 = _efficientnet("B5")
EfficientNetB6 = _efficientnet("B6")
EfficientNetB7 = _efficientnet("B7")

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]
