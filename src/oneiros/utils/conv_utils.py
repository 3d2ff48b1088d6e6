"""Arguments and sizes of convolutions."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from oneiros.core.checks import int_tuple, one_of
from oneiros.core.config import standardize_data_format


def normalize_tuple(value: int | Iterable[int], n: int, name: str) -> tuple[int, ...]:
    """Converts an argument to a tuple of integers.

    Args:
        value: `n` integers, or one integer that is repeated.
        n: number of integers.
        name: name of the argument for error messages.

    Returns:
        The tuple.

    Raises:
        InputDataError: the value is neither an integer nor `n` integers.

    >>> normalize_tuple(2, 3, "strides")
    (2, 2, 2)
    """
    return int_tuple(name, value, n)


def normalize_padding(value: str) -> str:
    """Checks the name of a padding.

    Args:
        value: 'valid', 'same', 'causal' or 'full', in upper or lower case.

    Returns:
        The name in lower case.

    Raises:
        InputDataError: the name is unknown.

    >>> normalize_padding("SAME")
    'same'
    """
    return one_of("padding", value, ("valid", "same", "causal", "full"))


def normalize_data_format(value: str | None) -> str:
    """Checks the name of a data format.

    Args:
        value: 'channels_last' or 'channels_first', in upper or lower case; ``None`` for `image_data_format()`.

    Returns:
        The name in lower case.

    Raises:
        ValueError: the name is unknown.

    >>> normalize_data_format("Channels_First")
    'channels_first'
    """
    return standardize_data_format(value)


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of an axis after a convolution or pooling.

    Args:
        input_length: length of the input; ``None`` if it is unknown.
        filter_size: length of the kernel.
        padding: 'valid', 'same', 'causal' or 'full'.
        stride: distance between successive windows.
        dilation: distance between the elements of the kernel.

    Returns:
        The number of windows; ``None`` for an unknown length.

    >>> conv_output_length(10, 3, "valid", 2)
    4
    """
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    lost = {"same": 0, "causal": 0, "valid": reach - 1, "full": 1 - reach}[normalize_padding(padding)]
    return (input_length - lost + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The length of an axis before a convolution, computed from its length after it.

    Args:
        output_length: length of the output; ``None`` if it is unknown.
        filter_size: length of the kernel.
        padding: 'valid', 'same' or 'full'.
        stride: distance between successive windows.

    Returns:
        The length; ``None`` for an unknown length.

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
        dim_size: length of the input; ``None`` if it is unknown.
        stride_size: the stride.
        kernel_size: length of the kernel.
        padding: 'valid', 'same' or 'full'.

    Returns:
        The length; ``None`` for an unknown length.

    >>> deconv_length(4, 2, 3, "valid")
    9
    """
    if dim_size is None:
        return None
    extra = {"valid": max(kernel_size - stride_size, 0), "full": -(stride_size + kernel_size - 2), "same": 0}
    return dim_size * stride_size + extra[normalize_padding(padding)]


def convert_kernel(kernel: npt.ArrayLike) -> np.ndarray:
    """Flips a kernel along its spatial axes, which converts between Theano's convention and that of other libraries.

    Args:
        kernel: shape ``(*sizes, inputs, outputs)`` with one to three spatial axes.

    Returns:
        The flipped kernel.

    Raises:
        ValueError: the kernel has a different number of axes.

    >>> convert_kernel(np.arange(3).reshape(3, 1, 1)).ravel()
    array([2, 1, 0])
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"convert_kernel: expected 3 to 5 dimensions. Received: shape {kernel.shape}")
    return np.copy(np.flip(kernel, tuple(range(kernel.ndim - 2))))
