"""DenseNet: every layer sees the outputs of all before it (Huang et al., 2017, arXiv:1608.06993)."""

from functools import partial

from ..layers import AveragePooling2D, Concatenate, Conv2D, MaxPooling2D, ZeroPadding2D
from ..utils import imagenet
from ..utils.imagenet import decode_predictions
from .common import build, channel_axis, keras_files, network, normalized, relu, shared

_EPSILON = 1.001e-5
_GROWTH = 32


def conv_block(x, growth_rate, name):
    """Adds `growth_rate` channels to `x`."""
    y = relu(normalized(x, f"{name}_0_bn", epsilon=_EPSILON), f"{name}_0_relu")
    y = Conv2D(4 * growth_rate, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = relu(normalized(y, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
    y = Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def dense_block(x, blocks, name):
    """`blocks` convolution blocks, one after the other."""
    for i in range(1, blocks + 1):
        x = conv_block(x, _GROWTH, name=f"{name}_block{i}")
    return x


def transition_block(x, reduction, name):
    """Keeps this share of the channels, and halves height and width."""
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
    blocks,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="densenet",
):
    """A DenseNet with these numbers of layers in its four blocks; ImageNet's weights are for 121, 169 and 201."""
    arguments = shared(locals())
    blocks = tuple(blocks)
    known = {counts: depth for depth, counts in _BLOCKS.items()}
    if blocks in known:
        return {121: DenseNet121, 169: DenseNet169, 201: DenseNet201}[known[blocks]](**arguments)
    return build(partial(_body, blocks=blocks), name, **arguments, **_facts)


def preprocess_input(x, data_format=None):
    """RGB pixels in [0, 255], scaled to [0, 1] and normalized per channel."""
    return imagenet.preprocess_input(x, data_format, mode="torch")


__all__ = ["DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]
