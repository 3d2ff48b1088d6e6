"""Arguments and sizes of convolutions."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from oneiros.core.checks import int_tuple, one_of
from oneiros.core.config import standardize_data_format


def normalize_tuple(value: int | Iterable[int], n: int, name: str) -> tuple[int, ...]:
    """A tuple of `n` integers.

    Args:
        value: `n` integers, or one that is repeated.
        n: how many there must be.
        name: the name of the argument, for messages.

    Raises:
        InputDataError: it is not so many integers.

    >>> normalize_tuple(2, 3, "strides")
    (2, 2, 2)
    """
    return int_tuple(name, value, n)


def normalize_padding(value: str) -> str:
    """The name of a padding in lower case: 'valid', 'same', 'causal' or 'full'.

    >>> normalize_padding("SAME")
    'same'
    """
    return one_of("padding", value, ("valid", "same", "causal", "full"))


def normalize_data_format(value: str | None) -> str:
    """The data format, 'channels_last' or 'channels_first'; by default the one that is configured.

    >>> normalize_data_format("Channels_First")
    'channels_first'
    """
    return standardize_data_format(value)


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of an axis after a convolution or pooling.

    Args:
        input_length: the length before; ``None`` if it is unknown.
        filter_size: the length of the kernel.
        padding: 'valid', 'same', 'causal' or 'full'.
        stride: the distance of two windows.
        dilation: the distance of two entries of the kernel.

    Returns:
        How many windows there are; ``None`` for an unknown length.

    >>> conv_output_length(10, 3, "valid", 2)
    4
    """
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    lost = {"same": 0, "causal": 0, "valid": reach - 1, "full": 1 - reach}[normalize_padding(padding)]
    return (input_length - lost + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The length of an axis before a convolution, from its length after it.

    Args:
        output_length: how many windows there are; ``None`` if it is unknown.
        filter_size: the length of the kernel.
        padding: 'valid', 'same' or 'full'.
        stride: the distance of two windows.

    >>> conv_input_length(4, 3, "valid", 2)
    9
    """
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[normalize_padding(padding)]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(dim_size: int | None, stride_size: int, kernel_size: int, padding: str) -> int | None:
    """The length of an axis after a transposed convolution.

    Args:
        dim_size: the length before; ``None`` if it is unknown.
        stride_size: the stride.
        kernel_size: the length of the kernel.
        padding: 'valid', 'same' or 'full'.

    >>> deconv_length(4, 2, 3, "valid")
    9
    """
    if dim_size is None:
        return None
    extra = {"valid": max(kernel_size - stride_size, 0), "full": -(stride_size + kernel_size - 2), "same": 0}
    return dim_size * stride_size + extra[normalize_padding(padding)]


def convert_kernel(kernel: npt.ArrayLike) -> np.ndarray:
    """A kernel flipped in its spatial axes: from Theano's convolutions to everybody else's, or back.

    Args:
        kernel: shape ``(*sizes, inputs, outputs)`` with one to three sizes.

    Raises:
        ValueError: the kernel has another number of axes.

    >>> convert_kernel(np.arange(3).reshape(3, 1, 1)).ravel()
    array([2, 1, 0])
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"convert_kernel: expected 3 to 5 dimensions. Received: shape {kernel.shape}")
    return np.copy(np.flip(kernel, tuple(range(kernel.ndim - 2))))
