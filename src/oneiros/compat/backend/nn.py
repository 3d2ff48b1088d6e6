"""Activations, losses, convolutions, pooling, normalization and random numbers, with the names of Keras 2."""

import functools
import inspect

import jax
import jax.numpy as jnp

from ...core import SeedGenerator, config, has_symbol
from ...kernels import convolution as kernels
from ...kernels import elementwise
from ...ops import convolution, random
from ...ops import nn as ops
from ...ops.convolution import channels_last
from ...ops.table import Tensor, as_float, define, dims, tensor
from .layouts import layout
from .recording import function_of_tensors, is_building, record
from .state import variable


@function_of_tensors
def hard_sigmoid(x: Tensor) -> jax.Array:
    """``0.2 * x + 0.5``, limited to the range from 0 to 1.

    Args:
        x: Tensor of numbers.

    Returns:
        A tensor of the shape of `x`.

    >>> hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jnp.clip(0.2 * as_float(x) + 0.5, 0, 1)


@define(
    {"sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "softsign": jax.nn.soft_sign}, make=function_of_tensors
)
def _activation(x: Tensor, *, function) -> jax.Array:
    """An activation function.

    Args:
        x: Tensor of numbers.

    Returns:
        A tensor of the shape of `x`.

    >>> sigmoid([0.0]).tolist()
    [0.5]

    >>> print(softplus([0.0]).round(4))
    [0.6931]

    >>> softsign([1.0]).tolist()
    [0.5]
    """
    return function(as_float(x))


@function_of_tensors
def softmax(x: Tensor, axis: int = -1) -> jax.Array:
    """Probabilities: ``exp(x) / sum(exp(x))``.

    Args:
        x: Tensor of numbers.
        axis: Axis of the sum.

    Returns:
        A tensor of the shape of `x`.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return jax.nn.softmax(as_float(x), axis)


@function_of_tensors
def elu(x: Tensor, alpha: float = 1.0) -> jax.Array:
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2016).

    Args:
        x: Tensor of numbers.
        alpha: Minus the limit for very negative numbers.

    Returns:
        A tensor of the shape of `x`.

    >>> print(elu([-1.0, 2.0]).round(4))
    [-0.6321  2.    ]
    """
    return jax.nn.elu(as_float(x), alpha)


@function_of_tensors
def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> jax.Array:
    """A rectifier.

    Args:
        x: Tensor of numbers.
        alpha: Slope below the threshold.
        max_value: Largest result; ``None`` for no limit.
        threshold: What a number must exceed to be passed on.

    Returns:
        A tensor of the shape of `x`.

    >>> relu([-1.0, 2.0, 8.0], max_value=6.0).tolist()
    [0.0, 2.0, 6.0]
    """
    return elementwise.rectified(as_float(x), alpha, max_value, threshold)


# Losses of single examples


@function_of_tensors
def binary_crossentropy(target, output, from_logits=False):
    """``-target log(output) - (1 - target) log(1 - output)``, elementwise."""
    target, output = jnp.broadcast_arrays(as_float(target), as_float(output))
    return ops.binary_crossentropy(target, output, from_logits)


@function_of_tensors
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-sum(target log(output))`` over the classes; outputs are divided by their sum first."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


@function_of_tensors
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, ignore_class=None):
    """``-log(output[target])`` for integer targets of any shape that fits; 0 where the target is `ignore_class`."""
    output = jnp.moveaxis(as_float(output), axis, -1)
    target = tensor(target).astype("int32").reshape(output.shape[:-1])
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits)
    valid = target != ignore_class
    loss = ops.sparse_categorical_crossentropy(jnp.where(valid, target, 0), output, from_logits)
    return jnp.where(valid, loss, 0)


@function_of_tensors
def binary_focal_crossentropy(target, output, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False):
    """Binary cross-entropy times ``(1 - p)**gamma``, `p` the target's probability (Lin et al. 2017)."""
    target, output = as_float(target), as_float(output)
    probability = jax.nn.sigmoid(output) if from_logits else output
    agreement = target * probability + (1 - target) * (1 - probability)
    loss = (1 - agreement) ** gamma * ops.binary_crossentropy(target, output, from_logits)
    return loss * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else loss


@function_of_tensors
def categorical_focal_crossentropy(target, output, alpha=0.25, gamma=2.0, from_logits=False, axis=-1):
    """Categorical cross-entropy, each class times ``alpha * (1 - p)**gamma`` (Lin et al. 2017)."""
    target, output = as_float(target), as_float(output)
    output = jax.nn.softmax(output, axis) if from_logits else output / jnp.sum(output, axis, keepdims=True)
    output = jnp.clip(output, config.epsilon(), 1 - config.epsilon())
    return -jnp.sum(alpha * (1 - output) ** gamma * target * jnp.log(output), axis)


# Normalization


@function_of_tensors
def l2_normalize(x, axis=None):
    """`x` divided by its Euclidean norm along `axis`."""
    x = as_float(x)
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis, keepdims=True), 1e-12))


def _spread_over(statistic, x, axes):
    """A statistic of the axes that are not in `axes`, in the rank of `x`."""
    statistic = tensor(statistic)
    return statistic if statistic.ndim == x.ndim else jnp.expand_dims(statistic, axes)


@function_of_tensors
def batch_normalization(x, mean, var, beta, gamma, epsilon=1e-3, axis=-1):
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta``; statistics along `axis`, or of the rank of `x`."""
    x = as_float(x)
    axes = [a for a in range(x.ndim) if a != axis % x.ndim]
    mean, var, beta, gamma = (None if s is None else _spread_over(s, x, axes) for s in (mean, var, beta, gamma))
    result = (x - mean) * jax.lax.rsqrt(var + epsilon)
    result = result if gamma is None else result * gamma
    return result if beta is None else result + beta


@function_of_tensors
def normalize_batch_in_training(x, gamma, beta, reduction_axes, epsilon=1e-3):
    """``(normalized x, mean, variance)`` over some axes of a batch."""
    x, axes = as_float(x), tuple(reduction_axes)
    mean, var = jnp.mean(x, axes), jnp.var(x, axes)
    spread = [None if s is None else _spread_over(s, x, axes) for s in (mean, var, beta, gamma)]
    return batch_normalization(x, *spread, epsilon), mean, var


@function_of_tensors
def bias_add(x, bias, data_format=None):
    """`x` plus a bias of one number a channel, or of the shape of one example with the channels last.

    Where the data have their channels first, the elements of such a bias are read in their order, as if its shape
    began with the channels: so Keras does it, and so the weights of LocallyConnected layers are meant.
    """
    x, bias = tensor(x), tensor(bias)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(f"bias_add: expected a bias of 1 or {x.ndim - 1} dimensions. Received shape {bias.shape}.")
    if layout(data_format) == "channels_first" and x.ndim > 2:
        bias = bias.reshape(bias.shape[-1:] + (bias.shape[:-1] or (1,) * (x.ndim - 2)))
    return x + bias


# Convolution and pooling


@function_of_tensors
def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution over time; padding may be 'causal'."""
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def conv2d(x, kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """Convolution of images."""
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def conv3d(x, kernel, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1)):
    """Convolution of volumes."""
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def atrous_conv2d(x, kernel, rate=1, padding="valid", data_format=None):
    """Convolution of images with a kernel whose taps lie `rate` pixels apart."""
    return ops.conv(x, kernel, (1, 1), padding, layout(data_format), rate)


def _conv_transpose(x, kernel, output_shape, strides, padding, data_format, dilation_rate):
    x, back = channels_last(tensor(x), layout(data_format))
    spatial = output_shape[1:-1] if layout(data_format) == "channels_last" else output_shape[2:]
    spatial = None if any(d is None for d in spatial) else dims(spatial)
    kernel = tensor(kernel)
    return back(kernels.conv_transpose(x, kernel, strides, padding, None, dilation_rate, spatial))


@function_of_tensors
def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """The transpose of `conv2d`: kernel ``(rows, columns, outputs, inputs)``; `output_shape` with the batch axis."""
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@function_of_tensors
def conv3d_transpose(x, kernel, output_shape, strides=(1, 1, 1), padding="valid", data_format=None):
    """The transpose of `conv3d`: kernel ``(*size, outputs, inputs)``; `output_shape` with the batch axis."""
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, (1, 1, 1))


@function_of_tensors
def deconv2d(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None):
    """Keras 1's name of `conv2d_transpose`."""
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, (1, 1))


@function_of_tensors
def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """Convolution of each channel with filters of its own."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def separable_conv1d(
    x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """A depthwise convolution over time, then a mixing of the channels."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout(data_format), dilation_rate
    )


@function_of_tensors
def separable_conv2d(
    x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)
):
    """A depthwise convolution of images, then a mixing of the channels."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout(data_format), dilation_rate
    )


def _local_conv(inputs, kernel, kernel_size, strides, data_format):
    x, back = channels_last(tensor(inputs), layout(data_format))
    return back(kernels.local_conv(x, tensor(kernel), tuple(kernel_size), tuple(strides)))


@function_of_tensors
def local_conv1d(inputs, kernel, kernel_size, strides, data_format=None):
    """Convolution over time with weights of their own at each step: kernel ``(steps, size * channels, filters)``."""
    return _local_conv(inputs, kernel, kernel_size, strides, data_format)


@function_of_tensors
def local_conv2d(inputs, kernel, kernel_size, strides, output_shape, data_format=None):
    """Convolution of images with weights of their own at each place: kernel ``(places, size * channels, filters)``."""
    return _local_conv(inputs, kernel, kernel_size, strides, data_format)


def _pool(x, pool_size, strides, padding, data_format, pool_mode):
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"pool_mode must be 'max' or 'avg'. Received: {pool_mode!r}")
    function = convolution.max_pool if pool_mode == "max" else convolution.average_pool
    return function(x, tuple(pool_size), tuple(strides), padding, layout(data_format))


@function_of_tensors
def pool2d(x, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """The maximum ('max') or mean ('avg') of each window of images."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


@function_of_tensors
def pool3d(x, pool_size, strides=(1, 1, 1), padding="valid", data_format=None, pool_mode="max"):
    """The maximum ('max') or mean ('avg') of each window of volumes."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


# Random numbers


@functools.cache
def _stream(seed):
    return SeedGenerator(seed)


def _drawing(fn):
    """`function_of_tensors` for what draws numbers: each evaluation draws new ones, by a seed too.

    Where graphs are built, each expression has a stream of its own that begins with the seed; elsewhere all calls with
    the same seed share one.
    """
    recorded = function_of_tensors(fn)
    signature = inspect.signature(fn)

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        seed = bound.arguments.get("seed")
        if is_building():
            bound.arguments["seed"] = SeedGenerator(seed)
            if not has_symbol((args, kwargs)):
                return record(fn, bound.args, bound.kwargs)
        elif seed is not None:
            bound.arguments["seed"] = _stream(int(seed))
        return recorded(*bound.args, **bound.kwargs)

    return wrapper


@_drawing
def dropout(x, level, noise_shape=None, seed=None):
    """`x`, each element 0 with probability `level`, the others divided by ``1 - level``."""
    return random.dropout(x, level, noise_shape, seed)


@_drawing
def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


@_drawing
def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers of equal probability from `minval` up to, not including, `maxval`."""
    return random.uniform(shape, minval, maxval, dtype, seed)


@_drawing
def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability `p`, else 0."""
    draws = random.uniform(shape, 0.0, 1.0, "float32", seed)
    return (draws < p).astype(dtype or config.floatx())


@_drawing
def random_binomial(shape, p=0.0, dtype=None, seed=None):
    """1 with probability `p`, else 0."""
    draws = random.uniform(shape, 0.0, 1.0, "float32", seed)
    return (draws < p).astype(dtype or config.floatx())


@_drawing
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers, those beyond two standard deviations drawn again."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A variable of numbers of equal probability."""
    return variable(random.uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
    """A variable of normally distributed numbers of standard deviation `scale`."""
    return variable(random.normal(shape, mean, scale, dtype, seed), dtype, name)
