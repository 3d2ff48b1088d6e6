"""DenseNet: each layer takes the outputs of all previous layers (Huang et al., 2017, arXiv:1608.06993)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..core import Symbol
from ..layers import AveragePooling2D, Concatenate, Conv2D, MaxPooling2D, ZeroPadding2D
from ..models import Model
from ..utils import imagenet
from ..utils.imagenet import decode_predictions
from .common import build, channel_axis, keras_files, network, normalized, relu, shared

_EPSILON = 1.001e-5
_GROWTH = 32


def conv_block(x: Symbol, growth_rate: int, name: str) -> Symbol:
    """Appends channels to features, by a 1x1 and a 3x3 convolution.

    Args:
        x: Features.
        growth_rate: Number of channels to append.
        name: Prefix of the names of the layers.

    Returns:
        The input and the new channels, concatenated.
    """
    y = relu(normalized(x, f"{name}_0_bn", epsilon=_EPSILON), f"{name}_0_relu")
    y = Conv2D(4 * growth_rate, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = relu(normalized(y, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
    y = Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def dense_block(x: Symbol, blocks: int, name: str) -> Symbol:
    """A sequence of convolution blocks.

    Args:
        x: Features.
        blocks: Number of blocks.
        name: Prefix of the names of the layers.

    Returns:
        Features with ``32 * blocks`` more channels.
    """
    for i in range(1, blocks + 1):
        x = conv_block(x, _GROWTH, name=f"{name}_block{i}")
    return x


def transition_block(x: Symbol, reduction: float, name: str) -> Symbol:
    """Reduces the number of channels, and halves height and width.

    Args:
        x: Features.
        reduction: Fraction of the channels to keep.
        name: Prefix of the names of the layers.

    Returns:
        The reduced features.
    """
    x = relu(normalized(x, f"{name}_bn", epsilon=_EPSILON), f"{name}_relu")
    x = Conv2D(int(x.shape[channel_axis()] * reduction), 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _body(x, blocks):
    x = ZeroPadding2D(3)(x)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = relu(normalized(x, "conv1/bn", epsilon=_EPSILON), "conv1/relu")
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(x))
    for stage, count in enumerate(blocks, 2):
        x = dense_block(x, count, name=f"conv{stage}")
        if stage < len(blocks) + 1:
            x = transition_block(x, 0.5, name=f"pool{stage}")
    return relu(normalized(x, "bn", epsilon=_EPSILON), "relu")


_facts = {"size": 224, "min_size": 32, "pool_names": ("avg_pool", "max_pool")}
_HASHES = {
    121: ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    169: ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    201: ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}
_BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def _densenet(depth, weights):
    top, notop = _HASHES[depth]
    return network(
        f"DenseNet{depth}",
        f"densenet{depth}",
        partial(_body, blocks=_BLOCKS[depth]),
        f"DenseNet with {depth} layers and {weights:,} weights (with the top).",
        files=keras_files(f"densenet/densenet{depth}", top=top, notop=notop),
        **_facts,
    )


DenseNet121 = _densenet(121, 8_062_504)
DenseNet169 = _densenet(169, 14_307_880)
DenseNet201 = _densenet(201, 20_242_984)


def DenseNet(  # noqa: N802
    blocks: Sequence[int],
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "densenet",
) -> Model:
    """A DenseNet of any depth.

    Args:
        blocks: Number of convolution blocks in each dense block. Weights for ImageNet exist for those of `DenseNet121`,
            `DenseNet169` and `DenseNet201`.
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        input_shape: Shape of an image without the batch axis.
        pooling: Pooling of the features if there is no classifier: 'avg', 'max' or ``None``.
        classes: Number of classes; 1000 with the weights for ImageNet.
        classifier_activation: Activation of the classifier; ``None`` for logits.
        name: Name of the model.

    Returns:
        A `Model`.

    Raises:
        InputDataError: If the arguments contradict each other.
    """
    arguments = shared(locals())
    blocks = tuple(blocks)
    known = {counts: depth for depth, counts in _BLOCKS.items()}
    if blocks in known:
        return {121: DenseNet121, 169: DenseNet169, 201: DenseNet201}[known[blocks]](**arguments)
    return build(partial(_body, blocks=blocks), name, **arguments, **_facts)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales RGB pixels from 0 to 255 to [0, 1], and normalizes each channel by its mean and deviation on ImageNet.

    Args:
        x: Image or batch of images.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.

    Returns:
        An array of the shape of `x`.
    """
    return imagenet.preprocess_input(x, data_format, mode="torch")


__all__ = ["DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]
