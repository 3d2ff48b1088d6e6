"""ResNet50. In programs for Keras 1 and 2, it is the classic one, with layer names such as `res2a_branch2a`.

The two differ in padding, epsilon and the order of weights, so each needs its own file of weights.
"""

import functools
from collections.abc import Sequence
from typing import Any

from ..core import Symbol, behaviour
from ..layers import Add, AveragePooling2D, Conv2D, Dense, Flatten, MaxPooling2D, ZeroPadding2D
from ..models import Model
from ..utils.imagenet import decode_predictions, preprocess_input
from . import resnet
from .common import network, normalized, relu

_DEPTHS = {2: 3, 3: 4, 4: 6, 5: 3}


def _branch(x, filters, size, strides, stage, block, part, padding="valid"):
    x = Conv2D(filters, size, strides=strides, padding=padding, name=f"res{stage}{block}_branch{part}")(x)
    return normalized(x, f"bn{stage}{block}_branch{part}")


def _main_path(x, kernel_size, filters, stage, block, strides=1):
    x = relu(_branch(x, filters[0], 1, strides, stage, block, "2a"))
    x = relu(_branch(x, filters[1], kernel_size, 1, stage, block, "2b", "same"))
    return _branch(x, filters[2], 1, 1, stage, block, "2c")


def identity_block(input_tensor: Symbol, kernel_size: int, filters: Sequence[int], stage: int, block: str) -> Symbol:
    """A residual block of three convolutions, added to its input.

    Args:
        input_tensor: Features.
        kernel_size: Size of the second kernel; the others are 1x1.
        filters: Numbers of filters of the three convolutions.
        stage: Number of the stage, for the names of the layers.
        block: Letter of the block, for the names of the layers.

    Returns:
        Features of the shape of the input.
    """
    x = _main_path(input_tensor, kernel_size, filters, stage, block)
    return relu(Add()([x, input_tensor]))


def conv_block(
    input_tensor: Symbol,
    kernel_size: int,
    filters: Sequence[int],
    stage: int,
    block: str,
    strides: int | tuple[int, int] = (2, 2),
) -> Symbol:
    """A residual block of three convolutions, added to a convolution of its input.

    Args:
        input_tensor: Features.
        kernel_size: Size of the second kernel; the others are 1x1.
        filters: Numbers of filters of the three convolutions.
        stage: Number of the stage, for the names of the layers.
        block: Letter of the block, for the names of the layers.
        strides: Strides of the first convolution and of the shortcut.

    Returns:
        The new features.
    """
    x = _main_path(input_tensor, kernel_size, filters, stage, block, strides)
    shortcut = _branch(input_tensor, filters[2], 1, strides, stage, block, "1")
    return relu(Add()([x, shortcut]))


def _classic_body(x):
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = relu(normalized(Conv2D(64, 7, strides=2, name="conv1")(x), "bn_conv1"))
    x = MaxPooling2D(3, strides=2)(x)
    for stage, depth in _DEPTHS.items():
        width = 2 ** (stage + 4)
        filters = (width, width, 4 * width)
        x = conv_block(x, 3, filters, stage, "a", strides=1 if stage == 2 else 2)
        for block in "bcdef"[: depth - 1]:
            x = identity_block(x, 3, filters, stage, block)
    return AveragePooling2D(7, name="avg_pool")(x)


def _classic_top(x, classes, activation):
    return Dense(classes, activation=activation, name="fc1000")(Flatten()(x))


_URL = "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/resnet50_weights_tf_dim_ordering_tf"
_classic = network(
    "ResNet50",
    "resnet50",
    _classic_body,
    "The ResNet50 of Keras 1 and 2.",
    size=224,
    min_size=197,
    top=_classic_top,
    files={
        True: (f"{_URL}_kernels.h5", "a7b3fe01876f51b976af0dea6bc144eb"),
        False: (f"{_URL}_kernels_notop.h5", "a268eb855778b3df3c7506639542a6af"),
    },
)


@functools.wraps(resnet.ResNet50)
def ResNet50(*args: Any, **kwargs: Any) -> Model:  # noqa: N802
    make = _classic if behaviour.classic_resnet50 else resnet.ResNet50
    return make(*args, **kwargs)


__all__ = ["ResNet50", "conv_block", "decode_predictions", "identity_block", "preprocess_input"]
