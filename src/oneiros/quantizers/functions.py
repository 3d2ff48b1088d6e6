"""Numbers in fewer bits: how they are rounded, packed and brought back.

The functions are those of the papers and programs that they cite. Scales divide or multiply as they do in Keras 3: an
integer of `abs_max_quantize` is the number *times* its scale, so that files can be exchanged.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import op, to_array
from ..core.checks import one_of
from ..kernels import float8


def _floating(x):
    x = to_array(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype("float32")


def abs_max_quantize(
    inputs: Any,
    axis: int | Sequence[int] | None,
    value_range: Sequence[int] = (-127, 127),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple:
    """Integers in place of floats, with a scale that maps the largest absolute value to the end of a range.

    Args:
        inputs: floats of any shape.
        axis: the axes over which the largest value is taken: along them all numbers share a scale.
        value_range: the smallest and the largest integer.
        dtype: the type of the integers.
        epsilon: is added to the largest value, so that zeros do no harm.
        to_numpy: whether NumPy computes it, and arrays of NumPy are returned.

    Returns:
        The integers, and the scale, whose `axis` have size 1: the inputs are about ``integers / scale``.

    >>> values, scale = abs_max_quantize(np.array([[0.25, -1.0]], "float32"), axis=-1)
    >>> values.tolist(), round(float(scale[0, 0]))
    ([[32, -127]], 127)
    """
    xp = np if to_numpy else jnp
    inputs = np.asarray(inputs) if to_numpy else _floating(inputs)
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    largest = xp.max(xp.abs(inputs), axis=axis, keepdims=True)
    scale = (value_range[1] / (largest + xp.asarray(epsilon, inputs.dtype))).astype(inputs.dtype)
    return xp.clip(xp.round(inputs * scale), *value_range).astype(dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: Sequence[int] = (-8, 7),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple:
    """Integers in place of a matrix, where each block of a column has a scale and an integer that stands for zero.

    Args:
        inputs: a matrix ``(rows, columns)`` of floats.
        block_size: the number of rows that share a scale. The last block may be shorter: zeros count as the rest of it.
        value_range: the smallest and the largest integer.
        dtype: the type of the integers.
        epsilon: is added to the range of the numbers of a block.
        to_numpy: whether arrays of NumPy are returned.

    Returns:
        The integers ``(rows, columns)``, the scales and the zero points, both ``(blocks, columns)``: the inputs are
        about ``(integers - zero) * scale``.

    >>> values, scale, zero = abs_max_quantize_grouped_with_zero_point(np.array([[0.0], [1.5], [3.0]]), 4)
    >>> values.T.tolist(), zero.tolist(), round(float(scale[0, 0]), 3)
    ([[-8, 0, 7]], [[-8]], 0.2)
    """
    inputs = _floating(inputs)
    low, high = value_range
    rows, columns = inputs.shape
    blocks = -(-rows // block_size)
    padded = jnp.pad(inputs, ((0, blocks * block_size - rows), (0, 0))).reshape(blocks, block_size, columns)
    scale, zero = _scale_and_zero(padded.min(1), padded.max(1), high - low, epsilon)
    zero = jnp.clip(jnp.round(zero + low), low, high)
    values = jnp.clip(jnp.round(padded / scale[:, None]) + zero[:, None], low, high)
    results = values.reshape(-1, columns)[:rows].astype(dtype), scale, zero.astype(dtype)
    return tuple(map(np.asarray, results)) if to_numpy else results


def _scale_and_zero(low, high, levels, epsilon=0.0):
    """The scale of numbers from `low` to `high`, and the level of zero, not rounded. Constants get a range of 2."""
    constant = low == high
    low, high = jnp.where(constant, low - 1, low), jnp.where(constant, high + 1, high)
    scale = (high - low + epsilon) / levels
    return scale, -low / scale


def compute_quantization_parameters(
    x: Any,
    *,
    bits: int,
    symmetric: bool = False,
    per_channel: bool = False,
    group_size: int = -1,
    compute_dtype: str = "float32",
    epsilon: float = 0.0,
) -> tuple:
    """The scales and zero points for the rows of a matrix.

    Args:
        x: a matrix ``(outputs, inputs)``.
        bits: the number of bits of the integers, which begin at 0.
        symmetric: whether the middle of the integers stands for zero.
        per_channel: whether each row has scales of its own.
        group_size: the number of neighbours in a row that share a scale; -1 for all. It needs `per_channel`.
        compute_dtype: the type of the scales.
        epsilon: is added to the range of the numbers of a group.

    Returns:
        The scales and the zero points, ``(outputs, groups)``, and the largest integer.

    Raises:
        ValueError: if `x` is not a matrix with entries.

    >>> scale, zero, largest = compute_quantization_parameters(np.array([[-1.0, 2.0]]), bits=2)
    >>> scale.tolist(), zero.tolist(), float(largest)
    ([[1.0]], [[1]], 3.0)
    """
    if x is None:
        raise ValueError("compute_quantization_parameters: x cannot be None.")
    x = to_array(x, compute_dtype)
    if not x.size:
        raise ValueError("compute_quantization_parameters: x cannot be empty.")
    if x.ndim < 2:
        raise ValueError(f"compute_quantization_parameters: x must have a rank of at least 2. Received: {x.shape}")
    outputs = x.shape[0]
    x = x.reshape(outputs, -1) if per_channel else x.reshape(1, -1)
    if per_channel and group_size > 0:
        missing = -x.shape[1] % group_size
        groups = jnp.pad(x, ((0, 0), (0, missing))).reshape(outputs, -1, group_size)
    else:
        groups = x[:, None]
    low, high, largest = groups.min(-1), groups.max(-1), 2**bits - 1
    if symmetric:
        high = jnp.maximum(jnp.abs(low), high)
        low = jnp.where(low < 0, -high, low)
    scale, zero = _scale_and_zero(low, high, largest, epsilon)
    zero = jnp.full_like(scale, (largest + 1) / 2) if symmetric else jnp.clip(jnp.round(zero), 0, largest)
    if not per_channel:
        scale, zero = jnp.tile(scale, (outputs, 1)), jnp.tile(zero, (outputs, 1))
    return scale, zero.astype("uint8"), jnp.asarray(largest, compute_dtype)


def quantize_with_zero_point(input_tensor: Any, scale: Any, zero: Any, maxq: Any) -> Array:
    """The integers from 0 to `maxq` that stand for floats.

    Args:
        input_tensor: the floats.
        scale: the distance of two neighbours.
        zero: the integer that stands for zero.
        maxq: the largest integer.

    >>> quantize_with_zero_point(np.array([-1.0, 0.2, 9.0]), 0.1, 3, 15).tolist()
    [0.0, 5.0, 15.0]
    """
    scale = jnp.asarray(scale)
    scale = jnp.where(scale == 0, 1e-8, scale)
    return jnp.clip(jnp.round(to_array(input_tensor) / scale) + jnp.asarray(zero, scale.dtype), 0, maxq)


def dequantize_with_zero_point(input_tensor: Any, scale: Any, zero: Any) -> Array:
    """The floats that integers stand for.

    Args:
        input_tensor: the integers.
        scale: the distance of two neighbours.
        zero: the integer that stands for zero.

    >>> dequantize_with_zero_point(np.array([3.0, 5.0]), 0.5, 3).tolist()
    [0.0, 1.0]
    """
    scale = jnp.asarray(scale)
    return (jnp.asarray(input_tensor, scale.dtype) - jnp.asarray(zero, scale.dtype)) * scale


def quantize_with_sz_map(
    weights_matrix: Any, scale: Any, zero: Any, g_idx: Any, maxq: Any, group_axis: int = -1
) -> Array:
    """The integers that stand for a matrix whose columns belong to groups.

    Args:
        weights_matrix: the matrix.
        scale: the scale of each group.
        zero: the zero point of each group.
        g_idx: the number of the group of each place along `group_axis`.
        maxq: the largest integer.
        group_axis: the axis of the matrix along which there are groups.
    """
    scale, zero = _of_each(scale, g_idx, group_axis), _of_each(zero, g_idx, group_axis)
    return quantize_with_zero_point(weights_matrix, scale, zero, maxq).astype("uint8")


def dequantize_with_sz_map(weights_matrix: Any, scale: Any, zero: Any, g_idx: Any, group_axis: int = -1) -> Array:
    """The matrix that integers stand for, where the columns belong to groups.

    Args:
        weights_matrix: the integers.
        scale: the scale of each group.
        zero: the zero point of each group.
        g_idx: the number of the group of each place along `group_axis`.
        group_axis: the axis of the matrix along which there are groups.

    >>> dequantize_with_sz_map(np.array([[4, 4]]), np.array([[1.0, 0.5]]), np.array([[3, 2]]), [0, 1]).tolist()
    [[1.0, 1.0]]
    """
    scale, zero = _of_each(scale, g_idx, group_axis), _of_each(zero, g_idx, group_axis)
    return dequantize_with_zero_point(weights_matrix, scale, zero)


def _of_each(parameters, g_idx, axis):
    return jnp.take(to_array(parameters), jnp.asarray(g_idx, "int32"), axis=axis)


# --- 4 bits


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple:
    """Puts two integers of 4 bits into a byte: those at even places into the lower half.

    Args:
        arr: integers from -8 to 7, or from 0 to 15 with `"uint8"`.
        axis: the axis along which neighbours share a byte. With an odd length a zero is added.
        dtype: `"int8"` or `"uint8"`.

    Returns:
        The bytes, their shape, and the length of the axis before.

    >>> packed, shape, length = pack_int4(np.array([[1], [2], [3]], "int8"))
    >>> packed.tolist(), shape, length
    ([[33], [3]], (2, 1), 3)
    """
    one_of("dtype", dtype, ("int8", "uint8"))
    arr = jnp.moveaxis(jnp.asarray(arr), axis, 0)
    length = arr.shape[0]
    halves = jnp.pad(arr, [(0, length % 2)] + [(0, 0)] * (arr.ndim - 1)).astype("uint8") & 0xF
    packed = jax.lax.bitcast_convert_type(halves[::2] | halves[1::2] << 4, jnp.dtype(dtype))
    packed = jnp.moveaxis(packed, 0, axis)
    return packed, packed.shape, length


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Array:
    """The integers of 4 bits that `pack_int4` put into bytes.

    Args:
        packed: the bytes.
        orig_len: the length of the axis before.
        axis: the axis along which neighbours share a byte.
        dtype: `"int8"` for integers with a sign, or `"uint8"`.

    >>> unpack_int4(np.array([[33], [3]], "int8"), 3).tolist()
    [[1], [2], [3]]
    """
    one_of("dtype", dtype, ("int8", "uint8"))
    # Shifts of the byte's own type: with a sign they bring it down from the upper half.
    packed = jax.lax.bitcast_convert_type(jnp.asarray(packed), jnp.dtype(dtype))
    axis %= packed.ndim
    halves = jnp.stack([packed << 4 >> 4, packed >> 4], axis + 1)
    halves = halves.reshape(*packed.shape[:axis], -1, *packed.shape[axis + 1 :])
    return jax.lax.slice_in_dim(halves, 0, orig_len, axis=axis)


# --- floats of 8 bits


def compute_float8_scale(amax: Any, scale: Any, dtype_max: float, margin: int = 0) -> Array:
    """The scale with which numbers fill the range of an 8-bit float: they are divided by it.

    Source: Micikevicius et al., "FP8 Formats for Deep Learning" (arXiv:2209.05433), as NVIDIA's Transformer Engine
    updates it.

    Args:
        amax: the largest absolute value that is expected.
        scale: the scale until now, which stays where `amax` is 0 or not finite.
        dtype_max: the largest number of the type.
        margin: how many powers of two to stay below it.

    >>> float(compute_float8_scale(224.0, 1.0, 448.0))
    0.5
    """
    return float8.next_scale(_floating(amax), _floating(scale), dtype_max, margin)


def compute_float8_amax_history(x: Any, amax_history: Any) -> Array:
    """The largest absolute values of past steps, with that of `x` in front, and without the oldest.

    Args:
        x: the numbers of this step.
        amax_history: the values until now.

    >>> compute_float8_amax_history(np.array([3.0, -4.0]), np.array([1.0, 2.0, 0.5])).tolist()
    [4.0, 0.5, 1.0]
    """
    return float8.next_history(_floating(x), _floating(amax_history))


def quantize_and_dequantize(inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str) -> Array:
    """The numbers as an 8-bit float can hold them.

    Args:
        inputs: the numbers.
        scale: what they are divided by before, and multiplied by afterwards.
        quantized_dtype: `"float8_e4m3fn"` or `"float8_e5m2"`.
        compute_dtype: the type of the result.

    >>> quantize_and_dequantize(np.array([1.03, 1000.0]), 1.0, "float8_e4m3fn", "float32").tolist()
    [1.0, 448.0]
    """
    return float8.through(jnp.asarray(inputs, compute_dtype), jnp.asarray(scale, compute_dtype), quantized_dtype)


# --- training for integers


def _nudged(low, high, num_bits, narrow_range):
    """The range moved a little, so that zero is one of the levels; and the distance of two of them."""
    first, last = int(narrow_range), 2**num_bits - 1
    step = (high - low) / (last - first)
    zero = jnp.floor(jnp.clip(first - low / step, first, last) + 0.5)
    return (first - zero) * step, (last - zero) * step, step


@op
def fake_quant_with_min_max_vars(
    inputs: Any,
    min_vals: Any,
    max_vals: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Array:
    """The numbers as integers between two bounds can hold them, as floats: training with it prepares for integers.

    Gradients pass where a number is inside of the range; those of numbers outside go to the bound. Source: Jacob et
    al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
    (arXiv:1712.05877), with the range nudged as TensorFlow does it.

    Args:
        inputs: the numbers.
        min_vals: the lower bound: a scalar, or one for each place along `axis`.
        max_vals: the upper bound.
        num_bits: the number of bits of the integers.
        narrow_range: whether the integers begin at 1 instead of 0.
        axis: the axis along which there are several bounds.

    >>> fake_quant_with_min_max_vars(np.array([-0.3, 0.26, 2.0]), 0.0, 1.5, num_bits=2).tolist()
    [0.0, 0.5, 1.5]
    """
    inputs = _floating(inputs)
    low, high = (to_array(bound, "float32").ravel() for bound in (min_vals, max_vals))
    shape = [1] * inputs.ndim
    if axis is not None:
        shape[axis] = inputs.shape[axis]
        low, high = (jnp.broadcast_to(bound, shape[axis]) for bound in (low, high))
    low, high = low.reshape(shape), high.reshape(shape)
    return _fake_quant(inputs.astype("float32"), low, high, num_bits, narrow_range).astype(inputs.dtype)


def _fake_quant(x, low, high, num_bits, narrow_range):
    first, last, step = map(jax.lax.stop_gradient, _nudged(low, high, num_bits, narrow_range))
    clipped = jnp.clip(x, first, last)
    rounded = jnp.floor((clipped - first) / step + 0.5) * step + first
    # Of this the value is `rounded`, and the derivatives are those of a number that is cut off at the bounds.
    inside = (x >= first) & (x <= last)
    path = jnp.where(inside, x, jnp.where(x < first, low, high))
    return jax.lax.stop_gradient(rounded) + (path - jax.lax.stop_gradient(path))
