"""Convolution on CPUs: what XLA does badly there, done with matrix products and plain loops.

XLA's CPU convolution is good forward and for the inputs' gradient, but slow by an order of magnitude for the kernel's
gradient, and for depthwise kernels. The kernel's gradient is computed here in blocks (some examples, or some rows of
one): patches are laid out in a buffer that stays in the cache, and multiplied with the block's output gradient.
"""

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

BLOCK_ELEMENTS = 3 * 2**17  # of the patches of a block: 1.5 MB in float32


def pointwise(x, kernel, strides, pads):
    """A convolution whose kernel covers one element: a matrix product."""
    x = _pad(x, pads)
    if any(s > 1 for s in strides):
        x = x[(slice(None), *(slice(None, None, s) for s in strides))]
    return jnp.tensordot(x, kernel.reshape(kernel.shape[-2:]), 1)


def depthwise(x, kernel, strides, pads, dilation):
    """``kernel`` ``(*k, 1, C * M)``: a sum over taps of slices times weights, which XLA makes one loop."""
    multiplier = kernel.shape[-1] // x.shape[-1]
    x = _pad(x, pads)
    x = jnp.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    slices = patch_slices(x, kernel.shape[:-2], strides, dilation)
    return sum(a * w for a, w in zip(slices, kernel.reshape(-1, kernel.shape[-1])))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def dense(x, kernel, strides, pads, dilation):
    """The convolution for one group."""
    return _xla(x, kernel, strides, pads, dilation)


def _dense_forward(x, kernel, strides, pads, dilation):
    return dense(x, kernel, strides, pads, dilation), (x, kernel)


def _dense_backward(strides, pads, dilation, residuals, dy):
    x, kernel = residuals
    _, transpose = jax.vjp(lambda x: _xla(x, kernel, strides, pads, dilation), x)
    return *transpose(dy), _kernel_gradient(x, kernel, strides, pads, dilation, dy)


dense.defvjp(_dense_forward, _dense_backward)


def _xla(x, kernel, strides, pads, dilation):
    letters = "DHW"[5 - x.ndim :]
    layouts = f"N{letters}C", f"{letters}IO", f"N{letters}C"
    return lax.conv_general_dilated(x, kernel, strides, pads, rhs_dilation=dilation, dimension_numbers=layouts)


def _kernel_gradient(x, kernel, strides, pads, dilation, dy):
    size, out, channels = kernel.shape[:-2], dy.shape[1:-1], kernel.shape[-2:]
    batch, rows, examples = x.shape[0], *_block(x.shape[0], out, math.prod(kernel.shape[:-1]))
    count = -(-out[0] // rows)
    extent = (rows - 1) * strides[0] + (size[0] - 1) * dilation[0] + 1
    if count > 1:
        high = (count - 1) * rows * strides[0] + extent - x.shape[1] - pads[0][0]
        x = _pad(x, ((pads[0][0], high),))
        dy = _pad(dy, ((0, count * rows - out[0]),))
        pads = ((0, 0), *pads[1:])
    else:
        extent = x.shape[1]
    wide = jnp.promote_types(kernel.dtype, jnp.float32)

    def add(i, total):
        example, row = i // count * examples, i % count * rows
        block = _cut(_cut(x, example, examples, 0), row * strides[0], extent, 1)
        patches = jnp.concatenate(patch_slices(_pad(block, pads), size, strides, dilation), -1)
        d_block = _cut(_cut(dy, example, examples, 0), row, rows, 1).reshape(-1, channels[1])
        patches = patches.reshape(-1, math.prod(size) * channels[0])
        return total + jnp.matmul(patches.T, d_block, preferred_element_type=wide)

    total = jnp.zeros((math.prod(size) * channels[0], channels[1]), wide)
    total = lax.fori_loop(0, batch // examples * count, add, total)
    return total.reshape(kernel.shape).astype(kernel.dtype)


def _block(batch, out, width):
    """Output rows and examples of a block: whole examples if one fits, rows of a single one otherwise."""
    most = max(1, BLOCK_ELEMENTS // (math.prod(out[1:]) * width))
    if most < out[0]:
        return -(-out[0] // -(-out[0] // most)), 1
    return out[0], max(n for n in range(1, most // out[0] + 1) if batch % n == 0)


def _cut(x, start, size, axis):
    return lax.dynamic_slice_in_dim(x, start, size, axis) if size < x.shape[axis] else x


def _pad(x, pads):
    """Zeros around the first spatial dimensions, or taken away where negative."""
    if not any(map(any, pads)):
        return x
    rest = ((0, 0, 0),) * (x.ndim - 1 - len(pads))
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((*pair, 0) for pair in pads), *rest])


def patch_slices(x, size, strides, dilation):
    """For each tap of the window, in row-major order, the strided slice ``(N, *out, C)`` of ``x`` that it meets."""
    out = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation)]
    slices = []
    for tap in itertools.product(*map(range, size)):
        starts = [i * d for i, d in zip(tap, dilation)]
        limits = [start + (o - 1) * s + 1 for start, o, s in zip(starts, out, strides)]
        slices.append(lax.slice(x, [0, *starts, 0], [x.shape[0], *limits, x.shape[-1]], [1, *strides, 1]))
    return slices
