"""Inception v3: parallel branches of small and factorized convolutions (Szegedy et al., 2016, arXiv:1512.00567)."""

from typing import Any

from ..core import Symbol
from ..layers import AveragePooling2D, Concatenate, MaxPooling2D
from ..utils import imagenet
from ..utils.imagenet import decode_predictions
from .common import channel_axis, convolved, keras_files, network


def conv2d_bn(
    x: Symbol,
    filters: int,
    num_row: int,
    num_col: int,
    padding: str = "same",
    strides: int | tuple[int, int] = (1, 1),
    name: str | None = None,
) -> Symbol:
    """Applies a convolution without bias, batch normalization, then ReLU.

    Args:
        x: Features.
        filters: Number of filters.
        num_row: Height of the kernel.
        num_col: Width of the kernel.
        padding: 'same' or 'valid'.
        strides: Strides of the convolution.
        name: Prefix of the names of the layers.

    Returns:
        The new features.
    """
    names = (None, None) if name is None else (f"{name}_conv", f"{name}_bn")
    return convolved(
        x, filters, (num_row, num_col), *names, act_name=name, scale=False, padding=padding, strides=strides
    )


def _chain(x, *steps, **last):
    """A sequence of convolutions (filters, rows, columns). `last` are further arguments of the last one."""
    for step in steps[:-1]:
        x = conv2d_bn(x, *step)
    return conv2d_bn(x, *steps[-1], **last)


def _pooled(x, filters):
    return conv2d_bn(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _joined(branches, name=None):
    return Concatenate(axis=channel_axis(), name=name)(branches)


def _halved(x, branches, name):
    """Chains that end with strides of 2 in parallel to pooling."""
    branches = [_chain(x, *steps, strides=2, padding="valid") for steps in branches]
    return _joined([*branches, MaxPooling2D(3, strides=2)(x)], name)


def _module_35(x, pool_filters, name):
    branches = [
        _chain(x, (64, 1, 1)),
        _chain(x, (48, 1, 1), (64, 5, 5)),
        _chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        _pooled(x, pool_filters),
    ]
    return _joined(branches, name)


def _module_17(x, n, name):
    branches = [
        _chain(x, (192, 1, 1)),
        _chain(x, (n, 1, 1), (n, 1, 7), (192, 7, 1)),
        _chain(x, (n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)),
        _pooled(x, 192),
    ]
    return _joined(branches, name)


def _module_8(x, name, inner_name):
    first = _chain(x, (320, 1, 1))
    left = _chain(x, (384, 1, 1))
    left = _joined([conv2d_bn(left, 384, 1, 3), conv2d_bn(left, 384, 3, 1)], inner_name)
    right = _chain(x, (448, 1, 1), (384, 3, 3))
    right = _joined([conv2d_bn(right, 384, 1, 3), conv2d_bn(right, 384, 3, 1)])
    return _joined([first, left, right, _pooled(x, 192)], name)


def stem(x: Symbol) -> Symbol:
    """The first layers of Inception v3 and of Inception-ResNet v2."""
    x = conv2d_bn(x, 32, 3, 3, strides=2, padding="valid")
    x = conv2d_bn(x, 32, 3, 3, padding="valid")
    x = MaxPooling2D(3, strides=2)(conv2d_bn(x, 64, 3, 3))
    x = conv2d_bn(x, 80, 1, 1, padding="valid")
    return MaxPooling2D(3, strides=2)(conv2d_bn(x, 192, 3, 3, padding="valid"))


def _body(x):
    x = stem(x)
    for i, pool_filters in enumerate((32, 64, 64)):
        x = _module_35(x, pool_filters, f"mixed{i}")
    x = _halved(x, [[(384, 3, 3)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]], "mixed3")
    for i, n in enumerate((128, 160, 160, 192), 4):
        x = _module_17(x, n, f"mixed{i}")
    x = _halved(x, [[(192, 1, 1), (320, 3, 3)], [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)]], "mixed8")
    for i in range(2):
        x = _module_8(x, f"mixed{9 + i}", f"mixed9_{i}")
    return x


_files = keras_files(
    "inception_v3/inception_v3", top="9a0d58056eeedaa3f26cb7ebd46da564", notop="bcbd6486424b2319ff4ef7d526e38f63"
)
InceptionV3 = network(
    "InceptionV3",
    "inception_v3",
    _body,
    "Inception v3 with 23,851,784 weights (with the top).",
    size=299,
    min_size=75,
    files=_files,
)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pixels from 0 to 255 to [-1, 1].

    Args:
        x: Image or batch of images.
        data_format: 'channels_last' or 'channels_first'; it makes no difference here.

    Returns:
        An array of the shape of `x`.
    """
    return imagenet.preprocess_input(x, data_format, mode="tf")


__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]
