"""Counting and converting the weights of layers."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from oneiros.utils.conv_utils import convert_kernel

_CONVOLUTIONS = {
    *("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv2D", "DepthwiseConv2D"),
    *("Convolution1D", "Convolution2D", "Convolution3D", "Deconvolution2D", "SeparableConvolution2D"),
}


def count_params(weights: Iterable) -> int:
    """The total number of elements of weights. A weight that occurs several times is counted once.

    Args:
        weights: variables or arrays.

    Returns:
        The number.

    >>> count_params([np.zeros((2, 3)), np.zeros(4)])
    10
    """
    return int(sum(math.prod(w.shape) for w in {id(w): w for w in weights}.values()))


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Prints a table of the layers of a model.

    Args:
        model: the model.
        line_length: length of the lines in characters.
        positions: ends of the columns, as fractions of the line or in characters.
        print_fn: function that is called with the text; `print` by default.
    """
    model.summary(line_length, positions, print_fn)


def convert_all_kernels_in_model(model: Any) -> None:
    """Flips the kernels of all convolutions of a model, in place.

    Theano flips kernels when it convolves, and other libraries do not. This converts weights from one convention to
    the other.

    Args:
        model: the model, whose nested models are converted as well.
    """
    for layer in model.layers:
        if type(layer).__name__ in _CONVOLUTIONS:
            spatial = 2 + getattr(layer, "rank", 2)
            layer.set_weights([convert_kernel(w) if w.ndim == spatial else w for w in layer.get_weights()])
        elif hasattr(layer, "layers"):
            convert_all_kernels_in_model(layer)


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Reorders the kernel of a Dense layer behind a Flatten layer for another data format, in place.

    Args:
        dense: the Dense layer.
        previous_feature_map_shape: shape of the input of the Flatten layer in the new format, without the batch axis.
        target_data_format: the new format, 'channels_first' or 'channels_last'.

    Raises:
        ValueError: the format is neither of these.
    """
    if target_data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f"target_data_format: expected 'channels_first' or 'channels_last'. Received: {target_data_format!r}"
        )
    kernel, *bias = dense.get_weights()
    to_last = target_data_format == "channels_last"
    channels, *sizes = np.roll(previous_feature_map_shape, 1 if to_last else 0)
    old, source, target = ((channels, *sizes), 0, -2) if to_last else ((*sizes, channels), -2, 0)
    # (*old sizes, units) -> (*new sizes, units): only the channels move.
    rows = np.moveaxis(kernel.reshape(*old, -1), source, target)
    dense.set_weights([rows.reshape(kernel.shape), *bias])
