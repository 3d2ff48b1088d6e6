"""Activations, losses, convolutions, pooling, normalization and random numbers, with the names of Keras 2."""

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ...core import SeedGenerator, config, has_symbol
from ...kernels import convolution as kernels
from ...kernels import elementwise
from ...ops import convolution, random
from ...ops import nn as ops
from ...ops.convolution import channels_last
from ...ops.table import Axes, DType, Shape, Tensor, as_float, define, dims, tensor
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
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> jax.Array:
    """``-target * log(output) - (1 - target) * log(1 - output)``, element by element.

    Args:
        target: Numbers from 0 to 1.
        output: Probabilities, or logits, of a shape that broadcasts with that of the target.
        from_logits: Whether `output` holds logits.

    Returns:
        A tensor of the common shape.

    >>> print(binary_crossentropy([1.0, 0.0], [0.5, 0.5]).round(4))
    [0.6931 0.6931]
    """
    target, output = jnp.broadcast_arrays(as_float(target), as_float(output))
    return ops.binary_crossentropy(target, output, from_logits)


@function_of_tensors
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """``-sum(target * log(output))`` over the classes. Outputs that are not logits are divided by their sum first.

    Args:
        target: Probabilities ``(..., classes)``, such as one-hot vectors.
        output: Probabilities, or logits, of the same shape.
        from_logits: Whether `output` holds logits.
        axis: Axis of the classes.

    Returns:
        A tensor without the axis of the classes.

    >>> print(categorical_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    return ops.categorical_crossentropy(target, output, from_logits, axis)


@function_of_tensors
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> jax.Array:
    """``-log(output[target])``, for targets that are class numbers.

    Args:
        target: Integers with as many elements as `output` has without its classes.
        output: Probabilities, or logits, ``(..., classes)``.
        from_logits: Whether `output` holds logits.
        axis: Axis of the classes.
        ignore_class: A class number for which the result is 0.

    Returns:
        A tensor without the axis of the classes.

    >>> print(sparse_categorical_crossentropy([0], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    output = jnp.moveaxis(as_float(output), axis, -1)
    target = tensor(target).astype("int32").reshape(output.shape[:-1])
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits)
    valid = target != ignore_class
    loss = ops.sparse_categorical_crossentropy(jnp.where(valid, target, 0), output, from_logits)
    return jnp.where(valid, loss, 0)


@function_of_tensors
def binary_focal_crossentropy(
    target: Tensor,
    output: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> jax.Array:
    """Binary cross-entropy times ``(1 - p)**gamma``, where p is the probability of the correct label (Lin et al. 2017).

    Args:
        target: Labels 0 and 1.
        output: Probabilities, or logits, of the same shape.
        apply_class_balancing: Whether to multiply by `alpha` for label 1 and by ``1 - alpha`` for label 0.
        alpha: Weight of label 1.
        gamma: Exponent of the factor.
        from_logits: Whether `output` holds logits.

    Returns:
        A tensor of the same shape.

    >>> print(binary_focal_crossentropy([1.0], [0.5]).round(4))
    [0.1733]
    """
    target, output = as_float(target), as_float(output)
    probability = jax.nn.sigmoid(output) if from_logits else output
    agreement = target * probability + (1 - target) * (1 - probability)
    loss = (1 - agreement) ** gamma * ops.binary_crossentropy(target, output, from_logits)
    return loss * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else loss


@function_of_tensors
def categorical_focal_crossentropy(
    target: Tensor, output: Tensor, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    """Categorical cross-entropy with each class multiplied by ``alpha * (1 - p)**gamma`` (Lin et al. 2017).

    Args:
        target: Probabilities ``(..., classes)``, such as one-hot vectors.
        output: Probabilities, or logits, of the same shape.
        alpha: Weight of the classes.
        gamma: Exponent of the factor.
        from_logits: Whether `output` holds logits.
        axis: Axis of the classes.

    Returns:
        A tensor without the axis of the classes.

    >>> print(categorical_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
    [0.0433]
    """
    target, output = as_float(target), as_float(output)
    output = jax.nn.softmax(output, axis) if from_logits else output / jnp.sum(output, axis, keepdims=True)
    output = jnp.clip(output, config.epsilon(), 1 - config.epsilon())
    return -jnp.sum(alpha * (1 - output) ** gamma * target * jnp.log(output), axis)


# Normalization


@function_of_tensors
def l2_normalize(x: Tensor, axis: Axes = None) -> jax.Array:
    """Divides by the Euclidean norm along an axis.

    Args:
        x: Tensor of numbers.
        axis: Axis or axes of the norm; `None` means all.

    Returns:
        A tensor of the shape of `x`.

    >>> [round(float(v), 3) for v in l2_normalize([3.0, 4.0])]
    [0.6, 0.8]
    """
    x = as_float(x)
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis, keepdims=True), 1e-12))


def _spread_over(statistic, x, axes):
    """A statistic of the axes that are not in `axes`, with axes of size 1 added up to the rank of `x`."""
    statistic = tensor(statistic)
    return statistic if statistic.ndim == x.ndim else jnp.expand_dims(statistic, axes)


@function_of_tensors
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    beta: Tensor | None,
    gamma: Tensor | None,
    epsilon: float = 1e-3,
    axis: int = -1,
) -> jax.Array:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta`` (Ioffe & Szegedy 2015).

    Args:
        x: Tensor of numbers.
        mean: Means along `axis`, or a tensor of the rank of `x`.
        var: Variances along `axis`, or a tensor of the rank of `x`.
        beta: Offsets in the same form; `None` for none.
        gamma: Scales in the same form; `None` for none.
        epsilon: Small number that is added to the variance.
        axis: Axis of the statistics.

    Returns:
        A tensor of the shape of `x`.

    >>> print(batch_normalization([[1.0], [3.0]], [2.0], [1.0], None, None, 0.0)[:, 0])
    [-1.  1.]
    """
    x = as_float(x)
    axes = [a for a in range(x.ndim) if a != axis % x.ndim]
    mean, var, beta, gamma = (None if s is None else _spread_over(s, x, axes) for s in (mean, var, beta, gamma))
    result = (x - mean) * jax.lax.rsqrt(var + epsilon)
    result = result if gamma is None else result * gamma
    return result if beta is None else result + beta


@function_of_tensors
def normalize_batch_in_training(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Normalizes a batch by its own mean and variance over some axes.

    Args:
        x: Tensor of numbers.
        gamma: Scales along the other axes; `None` for none.
        beta: Offsets along the other axes; `None` for none.
        reduction_axes: Axes of the mean.
        epsilon: Small number that is added to the variance.

    Returns:
        The normalized tensor, the mean and the variance.

    >>> x, mean, var = normalize_batch_in_training([[1.0], [3.0]], None, None, [0])
    >>> mean.tolist(), var.tolist()
    ([2.0], [1.0])
    """
    x, axes = as_float(x), tuple(reduction_axes)
    mean, var = jnp.mean(x, axes), jnp.var(x, axes)
    spread = [None if s is None else _spread_over(s, x, axes) for s in (mean, var, beta, gamma)]
    return batch_normalization(x, *spread, epsilon), mean, var


@function_of_tensors
def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> jax.Array:
    """Adds a bias.

    A bias with the shape of a sample is given with the channels last, also for data with the channels first. Then its
    elements are read in order, as if its shape began with the channels: so Keras does it, and so the weights of
    LocallyConnected layers are meant.

    Args:
        x: Tensor ``(N, ..., channels)``, or ``(N, channels, ...)`` with `channels_first`.
        bias: Tensor ``(channels,)``, or of the shape of one sample.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ValueError: If the bias has another number of dimensions.

    >>> bias_add(jnp.zeros((1, 2)), [1.0, 2.0]).tolist()
    [[1.0, 2.0]]
    """
    x, bias = tensor(x), tensor(bias)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(f"bias_add: expected a bias of 1 or {x.ndim - 1} dimensions. Received shape {bias.shape}.")
    if layout(data_format) == "channels_first" and x.ndim > 2:
        bias = bias.reshape(bias.shape[-1:] + (bias.shape[:-1] or (1,) * (x.ndim - 2)))
    return x + bias


# Convolution and pooling


@function_of_tensors
def conv1d(
    x: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> jax.Array:
    """Convolution over time.

    Args:
        x: Tensor ``(N, steps, in)``, or ``(N, in, steps)`` with `channels_first`.
        kernel: Kernel ``(size, in, out)``.
        strides: Step of the window.
        padding: ``"valid"``, ``"same"`` or ``"causal"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distance between the elements of the window.

    Returns:
        A tensor ``(N, new_steps, out)``.

    >>> conv1d(jnp.ones((1, 5, 2)), jnp.ones((3, 2, 4))).shape
    (1, 3, 4)
    """
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> jax.Array:
    """Convolution of images.

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        kernel: Kernel ``(height, width, in, out)``.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distances between the elements of the window.

    Returns:
        Images with `out` channels.

    >>> conv2d(jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 4))).shape
    (1, 3, 3, 4)
    """
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> jax.Array:
    """Convolution of volumes.

    Args:
        x: Volumes ``(N, d1, d2, d3, in)``, or ``(N, in, d1, d2, d3)`` with `channels_first`.
        kernel: Kernel ``(k1, k2, k3, in, out)``.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distances between the elements of the window.

    Returns:
        Volumes with `out` channels.

    >>> conv3d(jnp.ones((1, 3, 3, 3, 2)), jnp.ones((3, 3, 3, 2, 4))).shape
    (1, 1, 1, 1, 4)
    """
    return ops.conv(x, kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def atrous_conv2d(
    x: Tensor, kernel: Tensor, rate: Any = 1, padding: str = "valid", data_format: str | None = None
) -> jax.Array:
    """Convolution of images with a dilated kernel (Yu & Koltun 2016).

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        kernel: Kernel ``(height, width, in, out)``.
        rate: Distance between the elements of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Images with `out` channels.

    >>> atrous_conv2d(jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 4)), 2).shape
    (1, 1, 1, 4)
    """
    return ops.conv(x, kernel, (1, 1), padding, layout(data_format), rate)


def _conv_transpose(x, kernel, output_shape, strides, padding, data_format, dilation_rate):
    x, back = channels_last(tensor(x), layout(data_format))
    spatial = output_shape[1:-1] if layout(data_format) == "channels_last" else output_shape[2:]
    spatial = None if any(d is None for d in spatial) else dims(spatial)
    kernel = tensor(kernel)
    return back(kernels.conv_transpose(x, kernel, strides, padding, None, dilation_rate, spatial))


@function_of_tensors
def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> jax.Array:
    """The transpose of `conv2d`, also called deconvolution.

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        kernel: Kernel ``(height, width, out, in)``.
        output_shape: Shape of the result, with the batch axis. Unknown dimensions are `None`.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distances between the elements of the window.

    Returns:
        Images of the shape `output_shape`.

    >>> conv2d_transpose(jnp.ones((1, 3, 3, 4)), jnp.ones((3, 3, 2, 4)), (1, 5, 5, 2)).shape
    (1, 5, 5, 2)
    """
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@function_of_tensors
def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """The transpose of `conv3d`.

    Args:
        x: Volumes ``(N, d1, d2, d3, in)``, or ``(N, in, d1, d2, d3)`` with `channels_first`.
        kernel: Kernel ``(k1, k2, k3, out, in)``.
        output_shape: Shape of the result, with the batch axis. Unknown dimensions are `None`.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Volumes of the shape `output_shape`.

    >>> conv3d_transpose(jnp.ones((1, 1, 1, 1, 4)), jnp.ones((3, 3, 3, 2, 4)), (1, 3, 3, 3, 2)).shape
    (1, 3, 3, 3, 2)
    """
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, (1, 1, 1))


@function_of_tensors
def deconv2d(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """The name of `conv2d_transpose` in Keras 1.

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        kernel: Kernel ``(height, width, out, in)``.
        output_shape: Shape of the result, with the batch axis. Unknown dimensions are `None`.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Images of the shape `output_shape`.

    >>> deconv2d(jnp.ones((1, 3, 3, 4)), jnp.ones((3, 3, 2, 4)), (1, 5, 5, 2)).shape
    (1, 5, 5, 2)
    """
    return _conv_transpose(x, kernel, output_shape, strides, padding, data_format, (1, 1))


@function_of_tensors
def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> jax.Array:
    """Convolution of images that filters each channel separately.

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        depthwise_kernel: Kernel ``(height, width, in, multiplier)``.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distances between the elements of the window.

    Returns:
        Images with ``in * multiplier`` channels.

    >>> depthwise_conv2d(jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 4))).shape
    (1, 3, 3, 8)
    """
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, layout(data_format), dilation_rate)


@function_of_tensors
def separable_conv1d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> jax.Array:
    """A depthwise convolution over time, then one with a window of 1 that mixes the channels.

    Args:
        x: Tensor ``(N, steps, in)``, or ``(N, in, steps)`` with `channels_first`.
        depthwise_kernel: Kernel ``(size, in, multiplier)``.
        pointwise_kernel: Kernel ``(1, in * multiplier, out)``.
        strides: Step of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distance between the elements of the window.

    Returns:
        A tensor ``(N, new_steps, out)``.

    >>> separable_conv1d(jnp.ones((1, 5, 2)), jnp.ones((3, 2, 2)), jnp.ones((1, 4, 7))).shape
    (1, 3, 7)
    """
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout(data_format), dilation_rate
    )


@function_of_tensors
def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> jax.Array:
    """A depthwise convolution of images, then one with a window of 1 that mixes the channels.

    Args:
        x: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        depthwise_kernel: Kernel ``(height, width, in, multiplier)``.
        pointwise_kernel: Kernel ``(1, 1, in * multiplier, out)``.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        dilation_rate: Distances between the elements of the window.

    Returns:
        Images with `out` channels.

    >>> separable_conv2d(jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 2)), jnp.ones((1, 1, 4, 7))).shape
    (1, 3, 3, 7)
    """
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout(data_format), dilation_rate
    )


def _local_conv(inputs, kernel, kernel_size, strides, data_format):
    x, back = channels_last(tensor(inputs), layout(data_format))
    return back(kernels.local_conv(x, tensor(kernel), tuple(kernel_size), tuple(strides)))


@function_of_tensors
def local_conv1d(
    inputs: Tensor, kernel: Tensor, kernel_size: Sequence[int], strides: Sequence[int], data_format: str | None = None
) -> jax.Array:
    """Convolution over time with different weights at each step.

    Args:
        inputs: Tensor ``(N, steps, in)``, or ``(N, in, steps)`` with `channels_first`.
        kernel: Kernel ``(new_steps, size * in, out)``.
        kernel_size: Size of the window, in a list.
        strides: Step of the window, in a list.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        A tensor ``(N, new_steps, out)``.

    >>> local_conv1d(jnp.ones((1, 5, 2)), jnp.ones((3, 6, 4)), [3], [1]).shape
    (1, 3, 4)
    """
    return _local_conv(inputs, kernel, kernel_size, strides, data_format)


@function_of_tensors
def local_conv2d(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    output_shape: Any,
    data_format: str | None = None,
) -> jax.Array:
    """Convolution of images with different weights at each position.

    Args:
        inputs: Images ``(N, rows, columns, in)``, or ``(N, in, rows, columns)`` with `channels_first`.
        kernel: Kernel ``(new_rows * new_columns, height * width * in, out)``.
        kernel_size: Height and width of the window.
        strides: Steps of the window.
        output_shape: Not used; the kernel and the inputs determine it.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.

    Returns:
        Images with `out` channels.

    >>> local_conv2d(jnp.ones((1, 4, 4, 2)), jnp.ones((4, 18, 5)), [3, 3], [1, 1], [2, 2]).shape
    (1, 2, 2, 5)
    """
    return _local_conv(inputs, kernel, kernel_size, strides, data_format)


def _pool(x, pool_size, strides, padding, data_format, pool_mode):
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"pool_mode must be 'max' or 'avg'. Received: {pool_mode!r}")
    function = convolution.max_pool if pool_mode == "max" else convolution.average_pool
    return function(x, tuple(pool_size), tuple(strides), padding, layout(data_format))


@function_of_tensors
def pool2d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> jax.Array:
    """The maximum or mean of each window of images.

    Args:
        x: Images ``(N, rows, columns, channels)``, or ``(N, channels, rows, columns)`` with `channels_first`.
        pool_size: Height and width of the window.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        pool_mode: ``"max"`` or ``"avg"``.

    Returns:
        Images with the same channels.

    Raises:
        ValueError: If `pool_mode` is something else.

    >>> pool2d(jnp.ones((1, 4, 4, 1)), (2, 2), (2, 2)).shape
    (1, 2, 2, 1)
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


@function_of_tensors
def pool3d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> jax.Array:
    """The maximum or mean of each window of volumes.

    Args:
        x: Volumes ``(N, d1, d2, d3, channels)``, or ``(N, channels, d1, d2, d3)`` with `channels_first`.
        pool_size: Size of the window.
        strides: Steps of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``. `None` means `image_data_format()`.
        pool_mode: ``"max"`` or ``"avg"``.

    Returns:
        Volumes with the same channels.

    Raises:
        ValueError: If `pool_mode` is something else.

    >>> pool3d(jnp.ones((1, 2, 2, 2, 1)), (2, 2, 2), pool_mode="avg").shape
    (1, 1, 1, 1, 1)
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


# Random numbers


@functools.cache
def _stream(seed):
    return SeedGenerator(seed)


def _drawing(fn):
    """`function_of_tensors` for random functions: each evaluation draws new numbers, even with a seed.

    Where graphs are built, each expression has its own stream, which begins with the seed. Elsewhere all calls with the
    same seed share one stream.
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
def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: int | None = None) -> jax.Array:
    """Sets random elements to 0, and divides the others by ``1 - level`` (Srivastava et al. 2014).

    Args:
        x: Tensor of numbers.
        level: Probability of 0, at least 0 and below 1.
        noise_shape: Shape of the random mask, which broadcasts to that of `x`. By default that of `x`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor of the shape of `x`.

    >>> dropout(jnp.ones(3), 0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    return random.dropout(x, level, noise_shape, seed)


@_drawing
def random_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: DType = None, seed: int | None = None
) -> jax.Array:
    """Numbers from a normal distribution.

    Args:
        shape: Shape of the result.
        mean: Mean.
        stddev: Standard deviation.
        dtype: Type of the numbers; by default `floatx()`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor.

    >>> random_normal((2, 3)).shape
    (2, 3)
    """
    return random.normal(shape, mean, stddev, dtype, seed)


@_drawing
def random_uniform(
    shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: DType = None, seed: int | None = None
) -> jax.Array:
    """Numbers from a uniform distribution on [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Lower bound, inclusive.
        maxval: Upper bound, exclusive.
        dtype: Type of the numbers; by default `floatx()`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor.

    >>> random_uniform((2, 3)).shape
    (2, 3)
    """
    return random.uniform(shape, minval, maxval, dtype, seed)


@_drawing
def random_bernoulli(shape: Shape, p: float = 0.0, dtype: DType = None, seed: int | None = None) -> jax.Array:
    """Random zeros and ones.

    Args:
        shape: Shape of the result.
        p: Probability of 1.
        dtype: Type of the numbers; by default `floatx()`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor.

    >>> random_bernoulli((3,), p=1.0).tolist()
    [1.0, 1.0, 1.0]
    """
    draws = random.uniform(shape, 0.0, 1.0, "float32", seed)
    return (draws < p).astype(dtype or config.floatx())


@_drawing
def random_binomial(shape: Shape, p: float = 0.0, dtype: DType = None, seed: int | None = None) -> jax.Array:
    """The older name of `random_bernoulli`.

    Args:
        shape: Shape of the result.
        p: Probability of 1.
        dtype: Type of the numbers; by default `floatx()`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor.

    >>> random_binomial((3,), p=1.0).tolist()
    [1.0, 1.0, 1.0]
    """
    draws = random.uniform(shape, 0.0, 1.0, "float32", seed)
    return (draws < p).astype(dtype or config.floatx())


@_drawing
def truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: DType = None, seed: int | None = None
) -> jax.Array:
    """Numbers from a normal distribution; those beyond two standard deviations from the mean are drawn again.

    Args:
        shape: Shape of the result.
        mean: Mean.
        stddev: Standard deviation.
        dtype: Type of the numbers; by default `floatx()`.
        seed: Integer that makes the numbers reproducible.

    Returns:
        A tensor.

    >>> bool(jnp.all(jnp.abs(truncated_normal((100,))) <= 2))
    True
    """
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_uniform_variable(
    shape: Shape, low: float, high: float, dtype: DType = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable with numbers from a uniform distribution on [low, high).

    Args:
        shape: Shape of the variable.
        low: Lower bound, inclusive.
        high: Upper bound, exclusive.
        dtype: Type of the variable; by default `floatx()`.
        name: Name of the variable.
        seed: Integer that makes the numbers reproducible.

    >>> random_uniform_variable((2, 3), 0.0, 1.0).shape
    (2, 3)
    """
    return variable(random.uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(
    shape: Shape, mean: float, scale: float, dtype: DType = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable with numbers from a normal distribution.

    Args:
        shape: Shape of the variable.
        mean: Mean.
        scale: Standard deviation.
        dtype: Type of the variable; by default `floatx()`.
        name: Name of the variable.
        seed: Integer that makes the numbers reproducible.

    >>> random_normal_variable((2, 3), 0.0, 1.0).shape
    (2, 3)
    """
    return variable(random.normal(shape, mean, scale, dtype, seed), dtype, name)
