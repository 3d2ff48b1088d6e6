"""ResNet: blocks whose output is added to their input (He et al., 2016, arXiv:1512.03385; V2: arXiv:1603.05027)."""

from functools import partial

from ..layers import Add, Conv2D, MaxPooling2D, ZeroPadding2D
from ..utils.imagenet import decode_predictions, preprocess_input
from .common import keras_files, network, normalized, relu

_DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_HASHES = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}
_normalized = partial(normalized, epsilon=1.001e-5)


def _conv_bn_relu(x, filters, size, name, **kwargs):
    x = Conv2D(filters, size, name=f"{name}_conv", **kwargs)(x)
    return relu(_normalized(x, f"{name}_bn"), f"{name}_relu")


def _block(x, filters, strides, project, name):
    """A bottleneck block: 1x1, 3x3 and 1x1 convolutions, added to the input."""
    shortcut = x
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = _normalized(shortcut, f"{name}_0_bn")
    x = _conv_bn_relu(x, filters, 1, f"{name}_1", strides=strides)
    x = _conv_bn_relu(x, filters, 3, f"{name}_2", padding="same")
    x = _normalized(Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    return relu(Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _block_v2(x, filters, strides, project, name):
    """A bottleneck block that normalizes and activates before it convolves."""
    activated = relu(_normalized(x, f"{name}_preact_bn"), f"{name}_preact_relu")
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(activated)
    else:
        shortcut = MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    y = _conv_bn_relu(activated, filters, 1, f"{name}_1", use_bias=False)
    y = ZeroPadding2D(1, name=f"{name}_2_pad")(y)
    y = _conv_bn_relu(y, filters, 3, f"{name}_2", strides=strides, use_bias=False)
    y = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y)
    return Add(name=f"{name}_out")([shortcut, y])


def _body(x, depths, v2):
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not v2:
        x = relu(_normalized(x, "conv1_bn"), "conv1_relu")
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            # V1 halves the size in the first block of each stage but the first, V2 in the last of each but the last.
            halving = (i == depth - 1 and stage < 3) if v2 else (i == 0 and stage > 0)
            block = _block_v2 if v2 else _block
            x = block(x, 64 * 2**stage, 2 if halving else 1, i == 0, f"conv{stage + 2}_block{i + 1}")
    return relu(_normalized(x, "post_bn"), "post_relu") if v2 else x


def _resnet(depth, weights, v2=False):
    name = f"resnet{depth}" + ("v2" if v2 else "")
    top, notop = _HASHES[name]
    return network(
        f"ResNet{depth}" + ("V2" if v2 else ""),
        name,
        partial(_body, depths=_DEPTHS[depth], v2=v2),
        f"ResNet{' V2' if v2 else ''} with {depth} layers and {weights:,} weights (with the top).",
        size=224,
        min_size=32,
        pool_names=("avg_pool", "max_pool"),
        files=keras_files(f"resnet/{name}", top=top, notop=notop),
    )


ResNet50 = _resnet(50, 25_636_712)
ResNet101 = _resnet(101, 44_707_176)
ResNet152 = _resnet(152, 60_419_944)
ResNet50V2 = _resnet(50, 25_613_800, v2=True)
ResNet101V2 = _resnet(101, 44_675_560, v2=True)
ResNet152V2 = _resnet(152, 60_380_648, v2=True)

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]
