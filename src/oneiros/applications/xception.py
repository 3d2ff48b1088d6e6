"""Xception: depthwise separable convolutions throughout (Chollet, 2017, arXiv:1610.02357)."""

from ..layers import Add, Conv2D, MaxPooling2D, SeparableConv2D
from ..utils.imagenet import decode_predictions
from .common import convolved, keras_files, network, normalized, relu
from .inception_v3 import preprocess_input

# The filters of the convolutions of each block. Blocks 2, 3, 4 and 13 halve the size by pooling.
_BLOCKS = {
    2: (128, 128),
    3: (256, 256),
    4: (728, 728),
    **dict.fromkeys(range(5, 13), (728, 728, 728)),
    13: (728, 1024),
}


def _separable(x, filters, name):
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return normalized(x, f"{name}_bn")


def _block(x, number, all_filters):
    shortcut, halved = x, len(all_filters) == 2
    if halved:
        shortcut = Conv2D(all_filters[-1], 1, strides=2, padding="same", use_bias=False)(x)
        shortcut = normalized(shortcut)
    for i, filters in enumerate(all_filters, 1):
        name = f"block{number}_sepconv{i}"
        if (number, i) != (2, 1):  # the input of block 2 is activated already
            x = relu(x, f"{name}_act")
        x = _separable(x, filters, name)
    if halved:
        x = MaxPooling2D(3, strides=2, padding="same", name=f"block{number}_pool")(x)
    return Add()([x, shortcut])


def _body(x):
    x = convolved(x, 32, 3, "block1_conv1", "block1_conv1_bn", "block1_conv1_act", strides=2)
    x = convolved(x, 64, 3, "block1_conv2", "block1_conv2_bn", "block1_conv2_act")
    for number, filters in _BLOCKS.items():
        x = _block(x, number, filters)
    for i, filters in enumerate((1536, 2048), 1):
        x = relu(_separable(x, filters, f"block14_sepconv{i}"), f"block14_sepconv{i}_act")
    return x


Xception = network(
    "Xception",
    "xception",
    _body,
    "Xception with 22,910,480 weights (with the top).",
    size=299,
    min_size=71,
    files=keras_files(
        "xception/xception", top="0a58e3b7378bc2990ea3b43d5981f1f6", notop="b0042744bf5b25fce3cb969f33bebb97"
    ),
)

__all__ = ["Xception", "decode_predictions", "preprocess_input"]
