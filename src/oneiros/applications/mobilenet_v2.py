"""MobileNetV2: residual blocks with narrow ends and a wide middle (Sandler et al., 2018, arXiv:1801.04381)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..core.errors import InputDataError
from ..layers import Add, Conv2D, DepthwiseConv2D, ReLU
from ..models import Model
from ..utils.imagenet import decode_predictions
from .common import build, channel_axis, classifier, divisible, normalized, padded, shared
from .inception_v3 import preprocess_input
from .mobilenet import image_size

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering"
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)
# (expansion, filters, blocks, strides of the first)
_STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def _normalized(x, name, active=None):
    x = normalized(x, name, momentum=0.999)
    return x if active is None else ReLU(6.0, name=active)(x)


def _block(x, expansion, filters, strides, number):
    prefix = f"block_{number}_" if number else "expanded_conv_"
    inputs, channels = x, x.shape[channel_axis()]
    if number:
        x = Conv2D(expansion * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _normalized(x, f"{prefix}expand_BN", f"{prefix}expand_relu")
    if strides == 2:
        x = padded(x, 3, f"{prefix}pad")
    padding = "same" if strides == 1 else "valid"
    x = DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{prefix}depthwise")(x)
    x = _normalized(x, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_BN")
    return Add(name=f"{prefix}add")([inputs, x]) if strides == 1 and channels == filters else x


def MobileNetV2(  # noqa: N802
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2 with 3,538,984 weights (with the classifier) for images of 224x224.

    Args:
        input_shape: Shape of an image without the batch axis. Weights for ImageNet exist for 96, 128, 160, 192 and 224
            pixels.
        alpha: Factor of all numbers of filters; with the weights for ImageNet 0.35, 0.5, 0.75, 1, 1.3 or 1.4.
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        pooling: Pooling of the features if there is no classifier: 'avg', 'max' or ``None``.
        classes: Number of classes; 1000 with the weights for ImageNet.
        classifier_activation: Activation of the classifier; ``None`` for logits.
        name: Name of the model.

    Returns:
        A `Model`.

    Raises:
        InputDataError: If the arguments contradict each other.
    """
    given = shared(locals())
    size, rows = image_size(input_shape, include_top, _SIZES)
    if weights == "imagenet" and alpha not in _WIDTHS:
        raise InputDataError(
            f"MobileNetV2: with weights='imagenet', alpha must be one of {_WIDTHS}. Received: alpha={alpha}"
        )

    def body(x):
        x = Conv2D(divisible(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
        x = _normalized(x, "bn_Conv1", "Conv1_relu")
        number = 0
        for expansion, filters, blocks, strides in _STAGES:
            for i in range(blocks):
                x = _block(x, expansion, divisible(filters * alpha), strides if i == 0 else 1, number)
                number += 1
        x = Conv2D(divisible(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
        return _normalized(x, "Conv_1_bn", "out_relu")

    stem = f"{_URL}_tf_kernels_{float(alpha)}_{size}"
    return build(
        body,
        name or f"mobilenetv2_{alpha:0.2f}_{rows}",
        **given,
        size=size,
        min_size=32,
        top=partial(classifier, pool_name=None),
        files={True: (f"{stem}.h5", None), False: (f"{stem}_no_top.h5", None)},
    )


__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
