"""Convolutions of channels-last arrays in one to three spatial dimensions.

``x`` is ``(N, *spatial, C)``; strides and dilation are an int or a tuple; padding is ``"valid"``, ``"same"``
(TensorFlow's rule: the odd element goes to the end), ``"causal"`` (all of it to the front, one dimension) or explicit
pairs ``[(low, high), ...]``.
"""

import itertools
import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from .dispatch import fast
from .product import project

Padding = str | Sequence[tuple[int, int]]

_LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


def conv(x: Array, kernel: Array, strides=1, padding: Padding = "valid", dilation=1, groups: int = 1) -> Array:
    """Cross-correlate ``x`` with ``kernel`` ``(*k, C // groups, F)``, giving ``(N, *out, F)``."""
    rank = x.ndim - 2
    strides, dilation = spread(strides, rank), spread(dilation, rank)
    pads = tuple(pad_widths(x.shape[1:-1], kernel.shape[:-2], strides, padding, dilation))
    if fast("convolution") and jnp.issubdtype(x.dtype, jnp.floating):
        if groups == 1 and math.prod(kernel.shape[:-2]) == 1:
            return _pointwise(x, kernel, strides, pads)
        if groups > 1 and groups == x.shape[-1]:
            return _depthwise(x, kernel, strides, pads, dilation)
        if groups > 1:
            return _grouped(x, kernel, strides, pads, dilation, groups)
    return _xla(x, kernel, strides, pads, dilation, groups)


def _xla(x, kernel, strides, pads, dilation, groups=1):
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        pads,
        rhs_dilation=dilation,
        dimension_numbers=_LAYOUTS[x.ndim - 2],
        feature_group_count=groups,
    )


def _pointwise(x, kernel, strides, pads):
    """A convolution whose kernel covers one element: a matrix product."""
    x = pad_spatial(x, pads)
    if any(s > 1 for s in strides):
        x = x[(slice(None), *(slice(None, None, s) for s in strides))]
    return project(x, kernel.reshape(kernel.shape[-2:]))


def _depthwise(x, kernel, strides, pads, dilation):
    """``kernel`` ``(*k, 1, C * M)``: a sum over taps of slices times weights, which XLA makes one loop."""
    multiplier = kernel.shape[-1] // x.shape[-1]
    x = pad_spatial(x, pads)
    x = jnp.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    slices = patch_slices(x, kernel.shape[:-2], strides, dilation)
    return sum(a * w for a, w in zip(slices, kernel.reshape(-1, kernel.shape[-1])))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _grouped(x, kernel, strides, pads, dilation, groups):
    """XLA's kernel gradient for groups is fifty times slower than that of each group by itself."""
    return _xla(x, kernel, strides, pads, dilation, groups)


def _grouped_forward(x, kernel, *how):
    return _grouped(x, kernel, *how), (x, kernel)


def _grouped_backward(strides, pads, dilation, groups, residuals, dy):
    x, kernel = residuals
    _, transpose = jax.vjp(lambda x: _xla(x, kernel, strides, pads, dilation, groups), x)
    parts = zip(*(jnp.split(a, groups, -1) for a in (x, kernel, dy)))
    d_kernel = [jax.vjp(lambda w: _xla(x, w, strides, pads, dilation), w)[1](d)[0] for x, w, d in parts]  # noqa: B023
    return *transpose(dy), jnp.concatenate(d_kernel, -1)


_grouped.defvjp(_grouped_forward, _grouped_backward)


def pad_spatial(x: Array, pads, value=0) -> Array:
    """``value`` around the spatial dimensions; elements are taken away where a width is negative."""
    if not any(map(any, pads)):
        return x
    return lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0), *((*pair, 0) for pair in pads), (0, 0, 0)])


def patch_slices(x, size, strides, dilation):
    """For each tap of the window, in row-major order, the strided slice ``(N, *out, C)`` of ``x`` that it meets."""
    out = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation)]
    slices = []
    for tap in itertools.product(*map(range, size)):
        starts = [i * d for i, d in zip(tap, dilation)]
        limits = [start + (o - 1) * s + 1 for start, o, s in zip(starts, out, strides)]
        slices.append(lax.slice(x, [0, *starts, 0], [x.shape[0], *limits, x.shape[-1]], [1, *strides, 1]))
    return slices


def depthwise_conv(x: Array, kernel: Array, strides=1, padding: Padding = "valid", dilation=1) -> Array:
    """Convolve each channel with its own ``M`` filters: kernel ``(*k, C, M)``, result ``(N, *out, C * M)``."""
    *size, channels, multiplier = kernel.shape
    return conv(x, kernel.reshape(*size, 1, channels * multiplier), strides, padding, dilation, groups=channels)


def conv_transpose(
    x: Array, kernel: Array, strides=1, padding: str = "valid", output_padding=None, dilation=1, output_shape=None
) -> Array:
    """The transpose of ``conv``: what maps its outputs' gradient to its inputs'. Kernel ``(*k, F_out, C_in)``.

    ``output_shape`` (spatial sizes) chooses among the lengths that the forward convolution would have mapped to this
    one; without it ``deconv_output_length`` does.
    """
    rank = x.ndim - 2
    strides, dilation = spread(strides, rank), spread(dilation, rank)
    size = kernel.shape[:-2]
    if output_shape is None:
        extra = spread(output_padding, rank)
        output_shape = [
            deconv_output_length(n, k, padding, e, s, d)
            for n, k, e, s, d in zip(x.shape[1:-1], size, extra, strides, dilation)
        ]
    forward = pad_widths(output_shape, size, strides, padding, dilation)
    pads = []
    for n, out, k, s, d, (low, _) in zip(x.shape[1:-1], output_shape, size, strides, dilation, forward):
        low = (k - 1) * d - low
        pads.append((low, out - (n - 1) * s - 1 - low + (k - 1) * d))
    flipped = jnp.flip(kernel, range(rank)).swapaxes(-1, -2)
    return lax.conv_general_dilated(
        x, flipped, (1,) * rank, pads, lhs_dilation=strides, rhs_dilation=dilation, dimension_numbers=_LAYOUTS[rank]
    )


def local_conv(x: Array, kernel: Array, kernel_size, strides=1) -> Array:
    """Convolution with weights of their own at each position: kernel ``(positions, prod(k) * C, F)``, no padding."""
    rank = x.ndim - 2
    kernel_size, strides = spread(kernel_size, rank), spread(strides, rank)
    patches = jnp.stack(patch_slices(x, kernel_size, strides, (1,) * rank), axis=-2)
    batch, *out, taps, channels = patches.shape
    flat = patches.reshape(batch, math.prod(out), taps * channels)
    return jnp.einsum("npi,pif->npf", flat, kernel).reshape(batch, *out, kernel.shape[-1])


def spread(value, rank: int) -> tuple:
    """An int (or None) for every spatial dimension, or the tuple that was given."""
    return (value,) * rank if value is None or isinstance(value, int) else tuple(value)


def pad_widths(spatial, size, strides, padding: Padding, dilation) -> list[tuple[int, int]]:
    """Elements to add before and after each spatial dimension."""
    if not isinstance(padding, str):
        return [tuple(pair) for pair in padding]
    if padding == "valid":
        return [(0, 0)] * len(size)
    if padding == "causal":
        return [((k - 1) * d, 0) for k, d in zip(size, dilation)]
    if padding != "same":
        raise ValueError(f"padding must be 'valid', 'same', 'causal' or pairs (low, high); got {padding!r}")
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, k, s, d in zip(spatial, size, strides, dilation)
    ]
    return [(total // 2, total - total // 2) for total in totals]


def conv_output_length(length: int | None, kernel: int, padding: str, stride: int, dilation: int = 1) -> int | None:
    """Length after a convolution or pooling; None (unknown) stays None."""
    if length is None:
        return None
    if padding in ("same", "causal"):
        return -(-length // stride)
    extent = (kernel - 1) * dilation + 1
    if padding == "full":
        return (length + extent - 2) // stride + 1
    return max((length - extent) // stride + 1, 0)


def deconv_output_length(
    length: int | None, kernel: int, padding: str, output_padding: int | None = None, stride: int = 1, dilation: int = 1
) -> int | None:
    """Length after a transposed convolution, as Keras defines it; None (unknown) stays None."""
    if length is None:
        return None
    extent = (kernel - 1) * dilation + 1
    if output_padding is None:
        return length * stride + (max(extent - stride, 0) if padding == "valid" else 0)
    trim = extent // 2 if padding == "same" else 0
    return (length - 1) * stride + extent - 2 * trim + output_padding
