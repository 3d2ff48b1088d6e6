"""MobileNet: depthwise separable convolutions of adjustable width (Howard et al., 2017, arXiv:1704.04861)."""

from collections.abc import Callable, Sequence
from typing import Any

from ..core import Symbol
from ..core.errors import InputDataError
from ..layers import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from ..models import Model
from ..utils.imagenet import decode_predictions
from .common import build, image_data_format, normalized, shared
from .inception_v3 import preprocess_input

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_"
_WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_SIZES = (128, 160, 192, 224)
# (filters, strides) of the blocks after the first convolution
_BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


def relu6(x: Symbol) -> Symbol:
    """Applies the activation ``min(max(x, 0), 6)``."""
    return ReLU(6.0)(x)


def _block(x, filters, strides, depth_multiplier, number):
    if strides > 1:
        x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = DepthwiseConv2D(
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = ReLU(6.0, name=f"conv_dw_{number}_relu")(normalized(x, f"conv_dw_{number}_bn"))
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return ReLU(6.0, name=f"conv_pw_{number}_relu")(normalized(x, f"conv_pw_{number}_bn"))


def image_size(
    input_shape: Sequence[int | None] | None, include_top: bool, sizes: Sequence[int], default: int = 224
) -> tuple[int, int | None]:
    """Chooses the image size of the weights file for an input shape.

    Args:
        input_shape: Shape of an image without the batch axis, or ``None``.
        include_top: Whether the network includes its classifier.
        sizes: Sizes for which weights exist.
        default: Size to use if there are no weights for the input shape.

    Returns:
        The size, and the height of the images for the name of the model.
    """
    if input_shape is None:
        return default, default if include_top else None
    rows, columns = input_shape[1:] if image_data_format() == "channels_first" else input_shape[:2]
    return rows if rows == columns and rows in sizes else default, rows


def MobileNet(  # noqa: N802
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet with 4,253,864 weights (with the classifier) for images of 224x224.

    Args:
        input_shape: Shape of an image without the batch axis. Weights for ImageNet exist for 128, 160, 192 and 224
            pixels.
        alpha: Factor of all numbers of filters; with the weights for ImageNet 0.25, 0.5, 0.75 or 1.
        depth_multiplier: Number of filters per channel in depthwise convolutions; 1 with the weights for ImageNet.
        dropout: Fraction of the features to drop before the classifier.
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

    >>> MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=10).output_shape
    (None, 10)
    """
    given = shared(locals())
    size, rows = image_size(input_shape, include_top, _SIZES)
    if weights == "imagenet" and (depth_multiplier != 1 or alpha not in _WIDTHS):
        raise InputDataError(
            "MobileNet: with weights='imagenet', depth_multiplier must be 1 and alpha one of 0.25, 0.5, 0.75, 1. "
            f"Received: depth_multiplier={depth_multiplier}, alpha={alpha}"
        )

    def body(x):
        x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
        x = ReLU(6.0, name="conv1_relu")(normalized(x, "conv1_bn"))
        for number, (filters, strides) in enumerate(_BLOCKS, 1):
            x = _block(x, int(filters * alpha), strides, depth_multiplier, number)
        return x

    def top(x, classes, activation):
        x = GlobalAveragePooling2D(keepdims=True)(x)
        x = Conv2D(classes, 1, padding="same", name="conv_preds")(Dropout(dropout, name="dropout")(x))
        x = Reshape((classes,), name="reshape_2")(x)
        return Activation(activation, name="predictions")(x)

    width = _WIDTHS.get(alpha, "1_0")
    return build(
        body,
        name or f"mobilenet_{alpha:0.2f}_{rows}",
        **given,
        size=size,
        min_size=32,
        top=top,
        files={True: (f"{_URL}{width}_{size}_tf.h5", None), False: (f"{_URL}{width}_{size}_tf_no_top.h5", None)},
    )


__all__ = ["DepthwiseConv2D", "MobileNet", "decode_predictions", "preprocess_input", "relu6"]
