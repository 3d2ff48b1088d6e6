"""EfficientNetV2: faster to train, with full convolutions in the first stages (Tan & Le, 2021, arXiv:2104.00298)."""

import math

from ..layers import Activation, DepthwiseConv2D, Normalization, Rescaling
from ..utils.imagenet import TORCH_MEAN, TORCH_STD, decode_predictions
from .common import build, channel_axis, described, divisible, named, normalized, shared
from .efficientnet import (
    added,
    block_names,
    classifier,
    convolution,
    files,
    kernels,
    preprocess_input,
    squeeze_and_excite,
)

# Table 4 of the paper and its code: (blocks, filters, expansion, strides of the first block, fused) of each stage.
# A fused block has one full convolution where others have a 1x1 and a depthwise one.
_STAGES = {
    "B": [(1, 16, 1, 1, 1), (2, 32, 4, 2, 1), (2, 48, 4, 2, 1), (3, 96, 4, 2, 0), (5, 112, 6, 1, 0), (8, 192, 6, 2, 0)],
    "S": [
        (2, 24, 1, 1, 1),
        (4, 48, 4, 2, 1),
        (4, 64, 4, 2, 1),
        (6, 128, 4, 2, 0),
        (9, 160, 6, 1, 0),
        (15, 256, 6, 2, 0),
    ],
    "M": [
        *[(3, 24, 1, 1, 1), (5, 48, 4, 2, 1), (5, 80, 4, 2, 1), (7, 160, 4, 2, 0)],
        *[(14, 176, 6, 1, 0), (18, 304, 6, 2, 0), (5, 512, 6, 1, 0)],
    ],
    "L": [
        *[(4, 32, 1, 1, 1), (7, 64, 4, 2, 1), (7, 96, 4, 2, 1), (10, 192, 4, 2, 0)],
        *[(19, 224, 6, 1, 0), (25, 384, 6, 2, 0), (7, 640, 6, 1, 0)],
    ],
}
_STEMS = {"B": 32, "S": 24, "M": 24, "L": 32}  # filters of the first convolution
# (factor of the width, factor of the depth, size of the images, weights, MD5 with and without the classifier)
_VARIANTS = {
    "B0": (1.0, 1.0, 224, 7_200_312, "21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "B1": (1.0, 1.1, 240, 8_212_124, "069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "B2": (1.1, 1.2, 260, 10_178_374, "424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "B3": (1.2, 1.4, 300, 14_467_622, "1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "S": (1.0, 1.0, 384, 21_612_360, "e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "M": (1.0, 1.0, 480, 54_431_388, "a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "L": (1.0, 1.0, 480, 119_027_848, "27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}


def _normalized(x, name):
    return normalized(x, f"{name}bn", momentum=0.9)


def _active(x, name):
    return Activation("silu", name=f"{name}activation")(_normalized(x, name))


def _rounded(filters):
    return divisible(filters, tolerant=True)


def _fused_block(x, filters, expansion, strides, drop_rate, name):
    shortcut, channels = x, x.shape[channel_axis()]
    if expansion == 1:
        x = _active(convolution(filters, 3, f"{name}project_conv", strides=strides)(x), f"{name}project_")
    else:
        x = convolution(expansion * channels, 3, f"{name}expand_conv", strides=strides)(x)
        x = convolution(filters, 1, f"{name}project_conv")(_active(x, f"{name}expand_"))
        x = _normalized(x, f"{name}project_")
    return added(x, shortcut, strides, drop_rate, name)


def _block(x, filters, expansion, strides, drop_rate, name):
    shortcut, channels = x, x.shape[channel_axis()]
    x = _active(convolution(expansion * channels, 1, f"{name}expand_conv")(x), f"{name}expand_")
    x = DepthwiseConv2D(
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=kernels(),
        name=f"{name}dwconv2",
    )(x)
    x = squeeze_and_excite(_active(x, name), max(1, int(channels / 4)), name)
    x = _normalized(convolution(filters, 1, f"{name}project_conv")(x), f"{name}project_")
    return added(x, shortcut, strides, drop_rate, name)


def _scaled(x, kind):
    if kind == "B" and x.shape[channel_axis()] == 3:
        variance = [deviation**2 for deviation in TORCH_STD]
        return Normalization(axis=channel_axis(), mean=TORCH_MEAN, variance=variance)(Rescaling(1 / 255)(x))
    return Rescaling(1 / 128, offset=-1)(x)


def _body(x, kind, width, depth, include_preprocessing):
    if include_preprocessing:
        x = _scaled(x, kind)
    x = _active(convolution(_rounded(_STEMS[kind] * width), 3, "stem_conv", strides=2)(x), "stem_")
    stages = _STAGES[kind]
    total = sum(stage[0] for stage in stages)  # of B0, for B1 to B3 as well: their last blocks are dropped more often
    rows = block_names([(math.ceil(depth * blocks), strides) for blocks, _, _, strides, _ in stages], total)
    for (_, filters, expansion, _, fused), blocks in zip(stages, rows):
        for name, strides, rate in blocks:
            x = (_fused_block if fused else _block)(x, _rounded(filters * width), expansion, strides, rate, name)
    return _active(convolution(_rounded(1280 * width), 1, "top_conv")(x), "top_")


def _efficientnet(variant):
    width, depth, size, weights_count, *hashes = _VARIANTS[variant]
    default_name = f"efficientnetv2-{variant.lower()}"
    facts = {"size": size, "min_size": 32, "pool_names": ("avg_pool", "max_pool")}

    def make(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        include_preprocessing=True,
        name=default_name,
    ):
        return build(
            lambda x: _body(x, variant[0], width, depth, include_preprocessing),
            name,
            **shared(locals()),
            **facts,
            top=lambda x, classes, activation: classifier(x, classes, activation, 0.2),
            files=files(f"tensorflow/keras-applications/efficientnet_v2/{default_name}", *hashes),
        )

    summary = f"EfficientNetV2 {variant} with {weights_count:,} weights (with the top)."
    return named(make, f"EfficientNetV2{variant}", __name__, described(summary, "optional", **facts))


EfficientNetV2B0 = _efficientnet("B0")
EfficientNetV2B1 = _efficientnet("B1")
EfficientNetV2B2 = _efficientnet("B2")
EfficientNetV2B3 = _efficientnet("B3")
EfficientNetV2S = _efficientnet("S")
EfficientNetV2M = _efficientnet("M")
EfficientNetV2L = _efficientnet("L")

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]
