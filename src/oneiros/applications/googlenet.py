"""GoogLeNet, or Inception v1 (Szegedy et al., 2015, arXiv:1409.4842)."""

from ..core import Symbol
from ..layers import (
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from ..models import Model
from ..utils.imagenet import decode_predictions, preprocess_input
from .alexnet import LocalResponseNormalization
from .common import channel_axis, network

# Table 1 of the paper. Filters of the branches: 1x1, (reduction, 3x3), (reduction, 5x5), behind pooling.
_MODULES = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}


def _conv(x, filters, size, name, **kwargs):
    return Conv2D(filters, size, padding="same", activation="relu", name=name, **kwargs)(x)


def _pool(x, name, strides=2):
    return MaxPooling2D(3, strides=strides, padding="same", name=name)(x)


def _normalized(x, name):
    return LocalResponseNormalization(alpha=2e-5, bias=1.0, name=name)(x)


def inception_module(x: Symbol, name: str) -> Symbol:
    """An Inception module: branches of 1x1, 3x3 and 5x5 convolutions and of pooling, concatenated.

    Args:
        x: Features.
        name: Name of the module in the paper, from '3a' to '5b'.

    Returns:
        The concatenated features.
    """
    single, (reduce3, filters3), (reduce5, filters5), pooled = _MODULES[name]
    name = f"inception_{name}"
    branches = [
        _conv(x, single, 1, f"{name}/1x1"),
        _conv(_conv(x, reduce3, 1, f"{name}/3x3_reduce"), filters3, 3, f"{name}/3x3"),
        _conv(_conv(x, reduce5, 1, f"{name}/5x5_reduce"), filters5, 5, f"{name}/5x5"),
        _conv(_pool(x, f"{name}/pool", strides=1), pooled, 1, f"{name}/pool_proj"),
    ]
    return Concatenate(axis=channel_axis(), name=f"{name}/output")(branches)


def _body(x):
    x = _conv(x, 64, 7, "conv1/7x7_s2", strides=2)
    x = _normalized(_pool(x, "pool1/3x3_s2"), "pool1/norm1")
    x = _conv(_conv(x, 64, 1, "conv2/3x3_reduce"), 192, 3, "conv2/3x3")
    x = _pool(_normalized(x, "conv2/norm2"), "pool2/3x3_s2")
    for name in _MODULES:
        x = inception_module(x, name)
        if name in ("3b", "4e"):
            x = _pool(x, f"pool{name[0]}/3x3_s2")
    return x


def _top(x, classes, activation):
    x = GlobalAveragePooling2D(name="pool5/7x7_s1")(x)
    x = Dropout(0.4, name="pool5/drop_7x7_s1")(x)
    return Dense(classes, activation=activation, name="loss3/classifier")(x)


GoogLeNet = network(
    "GoogLeNet",
    "googlenet",
    _body,
    "GoogLeNet with 6,998,552 weights (with the top). No official weights exist.",
    size=224,
    min_size=32,
    top=_top,
)


def with_auxiliary_classifiers(model: Model) -> Model:
    """Adds the two auxiliary classifiers of the paper to a GoogLeNet, behind the modules 4a and 4d.

    Train the result with ``loss_weights=[1, 0.3, 0.3]``.

    Args:
        model: A GoogLeNet with its classifier.

    Returns:
        A model with three outputs that shares its weights with `model`.
    """
    classes = model.output_shape[-1]
    outputs = [model.output]
    for number, module in ((1, "4a"), (2, "4d")):
        name = f"loss{number}"
        x = model.get_layer(f"inception_{module}/output").output
        x = AveragePooling2D(5, strides=3, name=f"{name}/ave_pool")(x)
        x = Flatten(name=f"{name}/flatten")(_conv(x, 128, 1, f"{name}/conv"))
        x = Dropout(0.7, name=f"{name}/drop_fc")(Dense(1024, activation="relu", name=f"{name}/fc")(x))
        outputs.append(Dense(classes, activation="softmax", name=f"{name}/classifier")(x))
    return Model(model.inputs, outputs, name=f"{model.name}_auxiliary")


__all__ = ["GoogLeNet", "decode_predictions", "inception_module", "preprocess_input", "with_auxiliary_classifiers"]
