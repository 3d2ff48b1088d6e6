"""Counts and conversions of layers' weights."""

import math

import numpy as np

from oneiros.utils.conv_utils import convert_kernel

_CONVOLUTIONS = {
    *("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv2D", "DepthwiseConv2D"),
    *("Convolution1D", "Convolution2D", "Convolution3D", "Deconvolution2D", "SeparableConvolution2D"),
}


def count_params(weights) -> int:
    """The number of entries in a list of weights, of which each is counted once.

    >>> count_params([np.zeros((2, 3)), np.zeros(4)])
    10
    """
    return int(sum(math.prod(w.shape) for w in {id(w): w for w in weights}.values()))


def print_summary(model, line_length=None, positions=None, print_fn=None):
    """Prints a table of a model's layers: `model.summary()`."""
    model.summary(line_length, positions, print_fn)


def convert_all_kernels_in_model(model):
    """Flips the kernels of all convolutions of a model: from Theano's convolutions to everybody else's, or back."""
    for layer in model.layers:
        if type(layer).__name__ in _CONVOLUTIONS:
            spatial = 2 + getattr(layer, "rank", 2)
            layer.set_weights([convert_kernel(w) if w.ndim == spatial else w for w in layer.get_weights()])
        elif hasattr(layer, "layers"):
            convert_all_kernels_in_model(layer)


def convert_dense_weights_data_format(dense, previous_feature_map_shape, target_data_format="channels_first"):
    """Reorders the kernel of a Dense layer that follows a Flatten, when feature maps change their data format.

    Args:
        dense: the Dense layer.
        previous_feature_map_shape: the shape before the Flatten in the new format, without the batch axis.
        target_data_format: the new format, 'channels_first' or 'channels_last'.

    Raises:
        ValueError: another format.
    """
    if target_data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f"target_data_format: expected 'channels_first' or 'channels_last'. Received: {target_data_format!r}"
        )
    kernel, *bias = dense.get_weights()
    to_last = target_data_format == "channels_last"
    channels, *sizes = np.roll(previous_feature_map_shape, 1 if to_last else 0)
    old, source, target = ((channels, *sizes), 0, -2) if to_last else ((*sizes, channels), -2, 0)
    rows = np.moveaxis(kernel.reshape(*old, -1), source, target)
    dense.set_weights([rows.reshape(kernel.shape), *bias])
