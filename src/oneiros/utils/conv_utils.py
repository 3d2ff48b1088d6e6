"""Arguments and sizes of convolutions."""

import numpy as np

from oneiros.core.checks import int_tuple, one_of
from oneiros.core.config import standardize_data_format


def normalize_tuple(value, n, name):
    """`n` integers; one integer stands for all. name: of the argument, for messages.

    >>> normalize_tuple(2, 3, "strides")
    (2, 2, 2)
    """
    return int_tuple(name, value, n)


def normalize_padding(value):
    """'valid', 'same', 'causal' or 'full', in any letter case."""
    return one_of("padding", value, ("valid", "same", "causal", "full"))


def normalize_data_format(value):
    """'channels_last' or 'channels_first'; None is the configured one."""
    return standardize_data_format(value)


def conv_output_length(input_length, filter_size, padding, stride, dilation=1):
    """How many windows fit into an axis; None for an axis of unknown length.

    >>> conv_output_length(10, 3, "valid", 2)
    4
    """
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    lost = {"same": 0, "causal": 0, "valid": reach - 1, "full": 1 - reach}[normalize_padding(padding)]
    return (input_length - lost + stride - 1) // stride


def conv_input_length(output_length, filter_size, padding, stride):
    """The length of an axis on which `output_length` windows fit.

    >>> conv_input_length(4, 3, "valid", 2)
    9
    """
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[normalize_padding(padding)]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(dim_size, stride_size, kernel_size, padding):
    """The length of an axis after a transposed convolution.

    >>> deconv_length(4, 2, 3, "valid")
    9
    """
    if dim_size is None:
        return None
    extra = {"valid": max(kernel_size - stride_size, 0), "full": -(stride_size + kernel_size - 2), "same": 0}
    return dim_size * stride_size + extra[normalize_padding(padding)]


def convert_kernel(kernel):
    """A kernel turned around in its spatial axes (all but the last two): from a convolution to a correlation.

    >>> convert_kernel(np.arange(3).reshape(3, 1, 1)).ravel()
    array([2, 1, 0])
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"convert_kernel: expected 3 to 5 dimensions. Received: shape {kernel.shape}")
    return np.copy(np.flip(kernel, tuple(range(kernel.ndim - 2))))
