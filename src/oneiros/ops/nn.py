"""`keras.ops.nn`: activations, normalizations, losses of single examples, attention."""

import math

import jax
import jax.numpy as jnp

from ..core import config, logits_behind, op, remember_logits
from ..core.advice import on_targets
from ..kernels import losses
from .convolution import (  # noqa: F401 - names of keras.ops.nn
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    conv,
    conv_transpose,
    depth_to_space,
    depthwise_conv,
    fold,
    max_pool,
    separable_conv,
    space_to_depth,
    unfold,
)
from .ctc import ctc_decode, ctc_loss  # noqa: F401
from .table import as_float, define, of_floats, tensor, to_dtype


def _sparsemax(x, axis):
    """Martins & Astudillo 2016: the projection onto the simplex."""
    ordered = jnp.flip(jnp.sort(x, axis), axis)
    count = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape([-1] + [1] * (x.ndim - 1 - axis % x.ndim))
    sums = jnp.cumsum(ordered, axis)
    size = jnp.sum(1 + count * ordered > sums, axis, keepdims=True)
    threshold = (jnp.take_along_axis(sums, size - 1, axis) - 1) / size.astype(x.dtype)
    return jnp.maximum(x - threshold, 0)


def _softmax(function):
    def call(x, axis):
        if axis is None:
            return function(x.ravel(), 0).reshape(x.shape)
        return function(x, tuple(axis) if isinstance(axis, list) else axis)

    return call


def _remembered(name, function):
    """A function from logits to probabilities; while code is traced, losses can find the logits again."""

    def call(x, axis=None):
        y = function(x) if axis is None else function(x, axis)
        if isinstance(y, jax.core.Tracer) and (axis is None or isinstance(axis, int)):
            remember_logits(y, name, None if axis is None else axis % x.ndim, x)
        return y

    return call


def _soft_shrink(x, threshold):
    return jnp.sign(x) * jnp.maximum(jnp.abs(x) - threshold, 0)


# Signature -> name -> function of one float array and the parameters.
_ACTIVATIONS = {
    "x": {
        "sigmoid": _remembered("sigmoid", jax.nn.sigmoid),
        "sparse_sigmoid": lambda x: jnp.clip((x + 1) / 2, 0, 1),
        "softplus": jax.nn.softplus,
        "softsign": jax.nn.soft_sign,
        "sparse_plus": lambda x: jnp.where(x <= -1, 0, jnp.where(x >= 1, x, (x + 1) ** 2 / 4)),
        "silu": jax.nn.silu,
        "swish": jax.nn.silu,
        "log_sigmoid": jax.nn.log_sigmoid,
        "hard_sigmoid": jax.nn.hard_sigmoid,
        "hard_silu": jax.nn.hard_silu,
        "hard_swish": jax.nn.hard_silu,
        "hard_tanh": jax.nn.hard_tanh,
        "selu": jax.nn.selu,
        "tanh_shrink": lambda x: x - jnp.tanh(x),
    },
    "x, axis=-1": {
        "softmax": _remembered("softmax", _softmax(jax.nn.softmax)),
        "log_softmax": _softmax(jax.nn.log_softmax),
        "sparsemax": _sparsemax,
        "glu": jax.nn.glu,
    },
    "x, b=4": {"squareplus": jax.nn.squareplus},
    "x, negative_slope=0.2": {"leaky_relu": jax.nn.leaky_relu},
    "x, alpha=1.0": {"elu": jax.nn.elu, "celu": jax.nn.celu},
    "x, approximate=True": {"gelu": jax.nn.gelu},
    "x, threshold=0.5": {
        "soft_shrink": _soft_shrink,
        "hard_shrink": lambda x, threshold: jnp.where(jnp.abs(x) > threshold, x, 0),
    },
    "x, threshold, default_value": {
        "threshold": lambda x, threshold, default_value: jnp.where(x > threshold, x, default_value)
    },
}


for _signature, _rows in _ACTIVATIONS.items():
    define(globals(), _signature, " ".join(_rows), {name: of_floats(f) for name, f in _rows.items()})
define(globals(), "x", "relu relu6", jax.nn)


@op
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place that each integer names along a new `axis`, 0 elsewhere (everywhere for negative integers)."""
    return jax.nn.one_hot(tensor(x).astype("int32"), num_classes, dtype=to_dtype(dtype), axis=axis)


@op
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 at each place that occurs among the integers along `axis`, 0 elsewhere."""
    num_classes = kwargs.get("num_tokens", num_classes)
    x = tensor(inputs)
    reduction = 1 if x.ndim > 1 else 0
    return jnp.max(jax.nn.one_hot(x, num_classes, dtype=to_dtype(dtype), axis=axis), reduction)


def _clipped(output):
    return jnp.clip(output, config.epsilon(), 1 - config.epsilon())


def _losses_inputs(name, target, output, axis=None):
    target, output = tensor(target), as_float(tensor(output))
    target = target.astype(output.dtype)
    if target.shape != output.shape:
        raise ValueError(
            f"{name}: target and output must have the same shape. Received: target of shape {target.shape}, output of "
            f"shape {output.shape}.{on_targets('values' if axis is None else 'one-hot', target.shape, output.shape)}"
        )
    if axis is not None and output.ndim < 1:
        raise ValueError(f"{name}: expected at least one dimension. Received an output of shape {output.shape}.")
    return target, output


@op
def binary_crossentropy(target, output, from_logits=False):
    """``-target log(output) - (1 - target) log(1 - output)``, elementwise; outputs are probabilities or logits."""
    logits = None if from_logits else logits_behind(output, "sigmoid")
    if logits is not None:
        output, from_logits = logits, True
    target, output = _losses_inputs("binary_crossentropy", target, output)
    if from_logits:
        return losses.sigmoid_cross_entropy(target, output)
    output = _clipped(output)
    return -target * jnp.log(output) - (1 - target) * jnp.log1p(-output)


def _softmax_logits(output, from_logits, axis):
    known = not from_logits and isinstance(output, jax.core.Tracer)
    logits = logits_behind(output, "softmax", axis % output.ndim) if known else None
    return (output, from_logits) if logits is None else (logits, True)


@op
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-sum(target log(output))`` over the classes on `axis`; outputs are probabilities or logits."""
    output, from_logits = _softmax_logits(output, from_logits, axis)
    target, output = _losses_inputs("categorical_crossentropy", target, output, axis)
    if from_logits:
        return losses.softmax_cross_entropy(target, output, axis)
    output = output / jnp.sum(output, axis, keepdims=True)
    return -jnp.sum(target * jnp.log(_clipped(output)), axis)


@op
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-log(output[target])`` for integer targets; outputs are probabilities or logits."""
    output, from_logits = _softmax_logits(output, from_logits, axis)
    target, output = tensor(target).astype("int32"), as_float(tensor(output))
    output = jnp.moveaxis(output, axis, -1)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    if target.shape != output.shape[:-1]:
        raise ValueError(
            "sparse_categorical_crossentropy: targets must have the shape of the output without its classes, "
            f"{output.shape[:-1]}. Received: target of shape {target.shape}, output of shape {output.shape}."
            + on_targets("classes", target.shape, output.shape)
        )
    if not from_logits:
        output = jnp.log(_clipped(output / jnp.sum(output, -1, keepdims=True)))
        return -jnp.take_along_axis(output, target[..., None], -1)[..., 0]
    return losses.sparse_softmax_cross_entropy(target, output)


@op
def moments(x, axes, keepdims=False, synchronized=False):
    """Mean and variance over `axes`; half precision is summed in float32."""
    x = as_float(x)
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    mean, variance = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    return mean.astype(x.dtype), variance.astype(x.dtype)


def _along(value, ndim, axes):
    """A vector (or array over `axes`) with dimensions of 1 in the other places."""
    shape = [1] * ndim
    for axis, size in zip(axes, value.shape):
        shape[axis] = size
    return value.reshape(shape)


@op
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset`` with statistics along `axis`."""
    x = as_float(x)
    axes = axis if isinstance(axis, (list, tuple)) else (axis,)
    mean, variance = _along(tensor(mean), x.ndim, axes), _along(tensor(variance), x.ndim, axes)
    factor = jax.lax.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * _along(tensor(scale), x.ndim, axes)
    result = (x - mean) * factor
    return (result if offset is None else result + _along(tensor(offset), x.ndim, axes)).astype(x.dtype)


def _axes(axis, ndim):
    return sorted(a % ndim for a in (axis if isinstance(axis, (list, tuple)) else (axis,)))


@op
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """Each example brought to mean 0 and variance 1 over `axis`, scaled by `gamma` and shifted by `beta`."""
    x = as_float(x)
    axes = _axes(axis, x.ndim)
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    mean = jnp.mean(wide, axes, keepdims=True)
    variance = jnp.var(wide, axes, keepdims=True)
    result = (wide - mean) * jax.lax.rsqrt(variance + (config.epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        result = result * _along(tensor(gamma), x.ndim, axes)
    if beta is not None:
        result = result + _along(tensor(beta), x.ndim, axes)
    return result.astype(x.dtype)


@op
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """``x / sqrt(mean(x**2) + epsilon) * scale`` over `axis` (Zhang & Sennrich 2019)."""
    x = as_float(x)
    axes = _axes(axis, x.ndim)
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    epsilon = config.epsilon() if epsilon is None else epsilon
    result = wide * jax.lax.rsqrt(jnp.mean(jnp.square(wide), axes, keepdims=True) + epsilon)
    if scale is not None:
        result = result * _along(tensor(scale), x.ndim, axes)
    return result.astype(x.dtype)


@op
def normalize(x, axis=-1, order=2, epsilon=None):
    """`x` divided by its norm of the given order along `axis`."""
    x = as_float(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:  # by the square, so that the gradient at 0 is finite
        return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis, keepdims=True), epsilon**2))
    return x / jnp.maximum(jnp.linalg.norm(x, order, axis, keepdims=True), epsilon)


@op
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio of two images, in decibels."""
    x1, x2 = tensor(x1), tensor(x2)
    return 20 * jnp.log10(jnp.asarray(max_val, as_float(x1).dtype)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


@op
def polar(abs_, angle):
    """Complex numbers from their absolute values and angles."""
    abs_, angle = as_float(abs_), as_float(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op
def dot_product_attention(
    query,
    key,
    value,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention=None,
    attn_logits_soft_cap=None,
):
    """Scaled dot-product attention (Vaswani et al. 2017) of ``(N, length, heads, features)`` arrays.

    bias: added to the logits ``(N, heads, T, S)``; mask: False where a query may not look; scale: 1 / sqrt(features).
    """
    query, key, value = as_float(query), as_float(key), as_float(value)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    groups = query.shape[2] // key.shape[2]  # heads of the query that share one of the key
    key, value = (jnp.repeat(x, groups, 2) if groups > 1 else x for x in (key, value))
    logits = jnp.einsum("bthd,bshd->bhts", query, key, preferred_element_type=jnp.float32) * scale
    if attn_logits_soft_cap is not None:
        logits = jnp.tanh(logits / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        logits = logits + tensor(bias)
    if is_causal:
        logits = jnp.where(jnp.tri(*logits.shape[-2:], dtype=bool), logits, jnp.finfo(logits.dtype).min)
    if mask is not None:
        logits = jnp.where(tensor(mask).astype(bool), logits, jnp.finfo(logits.dtype).min)
    weights = jax.nn.softmax(logits).astype(value.dtype)
    return jnp.einsum("bhts,bshd->bthd", weights, value)
