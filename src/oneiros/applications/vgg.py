"""VGG: very deep networks of 3x3 convolutions (Simonyan and Zisserman, 2015, arXiv:1409.1556)."""

from functools import partial

from ..layers import Conv2D, Dense, Flatten, MaxPooling2D
from ..utils.imagenet import decode_predictions, preprocess_input
from .common import keras_files, network

_FILTERS = (64, 128, 256, 512, 512)


def _body(x, depths):
    for block, (filters, depth) in enumerate(zip(_FILTERS, depths), 1):
        for i in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i}")(x)
        x = MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    return x


def _top(x, classes, activation):
    x = Flatten(name="flatten")(x)
    x = Dense(4096, activation="relu", name="fc1")(x)
    x = Dense(4096, activation="relu", name="fc2")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


_facts = {"size": 224, "min_size": 32, "top": _top}
VGG16 = network(
    "VGG16",
    "vgg16",
    partial(_body, depths=(2, 2, 3, 3, 3)),
    "VGG with 16 layers and 138,357,544 weights (with the top).",
    files=keras_files("vgg16/vgg16", top="64373286793e3c8b2b4e3219cbf3544b", notop="6d6bbae143d832006294945121d1f1fc"),
    **_facts,
)
VGG19 = network(
    "VGG19",
    "vgg19",
    partial(_body, depths=(2, 2, 4, 4, 4)),
    "VGG with 19 layers and 143,667,240 weights (with the top).",
    files=keras_files("vgg19/vgg19", top="cbe5617147190e668d6c5d5026f83318", notop="253f8cb515780f3b799900260a226db6"),
    **_facts,
)

__all__ = ["VGG16", "VGG19", "decode_predictions", "preprocess_input"]
