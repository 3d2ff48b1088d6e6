"""`keras.ops.nn`: activations, normalizations, losses per example, attention."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from ..core import config, logits_behind, op
from ..core.advice import on_targets
from ..kernels import losses
from . import activations
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
from .table import Axes, DType, Tensor, as_float, publish, tensor, to_dtype

publish(globals(), activations)


@op
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: DType = None, sparse: bool = False) -> Array:
    """One-hot encoding: each integer becomes a vector of zeros with a 1 at its index.

    Args:
        x: Integers of any shape. Integers outside ``[0, num_classes)`` become vectors of zeros.
        num_classes: Length of the vectors.
        axis: Position of the new axis in the result.
        dtype: Data type of the result; `floatx()` by default.
        sparse: Not used; results are dense.

    Returns:
        A tensor with one more dimension than `x`.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return jax.nn.one_hot(tensor(x).astype("int32"), num_classes, dtype=to_dtype(dtype), axis=axis)


@op
def multi_hot(
    inputs: Tensor, num_classes: int | None = None, axis: int = -1, dtype: DType = None, sparse: bool = False, **kwargs
) -> Array:
    """Multi-hot encoding: each row of integers becomes a vector with a 1 at each integer that occurs.

    Args:
        inputs: Integers ``(n,)`` or ``(batch, n)``.
        num_classes: Length of the vectors.
        axis: Position of the axis of the classes.
        dtype: Data type of the result; `floatx()` by default.
        sparse: Not used; results are dense.
        **kwargs: `num_tokens`, an older name of `num_classes`.

    Returns:
        A tensor ``(num_classes,)`` or ``(batch, num_classes)``.

    >>> multi_hot([[0, 2]], 4).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    num_classes = kwargs.get("num_tokens", num_classes)
    x = tensor(inputs)
    reduction = 1 if x.ndim > 1 else 0
    hot = jax.nn.one_hot(x, num_classes, dtype=to_dtype(dtype), axis=axis)  # (batch, n, classes) for axis=-1
    return jnp.max(hot, reduction)


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
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Array:
    """Binary cross-entropy, element by element: ``-target * log(output) - (1 - target) * log(1 - output)``.

    Args:
        target: Numbers from 0 to 1.
        output: Probabilities (or logits) of the shape of the target.
        from_logits: Whether `output` is logits instead of probabilities. Probabilities are clipped to
            ``[epsilon(), 1 - epsilon()]``.

    Returns:
        A tensor of the shape of the target.

    Raises:
        ValueError: If the shapes differ.

    >>> print(binary_crossentropy([1.0, 0.0], [0.5, 0.5]).round(4))
    [0.6931 0.6931]
    """
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
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Array:
    """Cross-entropy of probabilities: ``-sum(target * log(output))`` over the classes.

    Args:
        target: Probabilities of the classes, such as one-hot vectors.
        output: Probabilities (or logits) of the shape of the target.
        from_logits: Whether `output` is logits instead of probabilities. Probabilities are divided by their sum, and
            clipped to ``[epsilon(), 1 - epsilon()]``.
        axis: Axis of the classes.

    Returns:
        A tensor without the axis of the classes.

    Raises:
        ValueError: If the shapes differ.

    >>> print(categorical_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    output, from_logits = _softmax_logits(output, from_logits, axis)
    target, output = _losses_inputs("categorical_crossentropy", target, output, axis)
    if from_logits:
        return losses.softmax_cross_entropy(target, output, axis)
    output = output / jnp.sum(output, axis, keepdims=True)
    return -jnp.sum(target * jnp.log(_clipped(output)), axis)


@op
def sparse_categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Array:
    """Cross-entropy of class indices: ``-log(output[target])``.

    Args:
        target: Integers of the shape of the output without its axis of classes. A last axis of size 1 is removed.
        output: Probabilities (or logits) of the classes.
        from_logits: Whether `output` is logits instead of probabilities. Probabilities are divided by their sum, and
            clipped to ``[epsilon(), 1 - epsilon()]``.
        axis: Axis of the classes in the output.

    Returns:
        A tensor without the axis of the classes.

    Raises:
        ValueError: If the shapes do not fit.

    >>> print(sparse_categorical_crossentropy([0], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    output, from_logits = _softmax_logits(output, from_logits, axis)
    target, output = tensor(target).astype("int32"), as_float(tensor(output))
    output = jnp.moveaxis(output, axis, -1)  # (..., classes)
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
def moments(
    x: Tensor, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False
) -> tuple[Array, Array]:
    """The mean and the variance along axes. Half-precision numbers are summed in float32.

    Args:
        x: Tensor of numbers.
        axes: Axis or axes to reduce over.
        keepdims: Whether the reduced axes stay, with size 1.
        synchronized: Not used.

    Returns:
        ``(mean, variance)``, both without the reduced axes.

    >>> [part.tolist() for part in moments([[1.0, 3.0]], -1)]
    [[2.0], [1.0]]
    """
    x = as_float(x)
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    mean, variance = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    return mean.astype(x.dtype), variance.astype(x.dtype)


def _along(value, ndim, axes):
    """An array over `axes`, with dimensions of size 1 for the other axes."""
    shape = [1] * ndim
    for axis, size in zip(axes, value.shape):
        shape[axis] = size
    return value.reshape(shape)


@op
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int | Sequence[int],
    offset: Tensor = None,
    scale: Tensor = None,
    epsilon: float = 1e-3,
) -> Array:
    """Batch normalization: ``(x - mean) / sqrt(variance + epsilon) * scale + offset`` (Ioffe & Szegedy 2015).

    Args:
        x: Tensor of numbers.
        mean: Means, one for each position along `axis`.
        variance: Variances, one for each position along `axis`.
        axis: Axis (or axes) of `mean`, `variance`, `offset` and `scale`: usually that of the channels.
        offset: Added to the normalized values; 0 by default.
        scale: Factor of the normalized values; 1 by default.
        epsilon: Small number added to the variance.

    Returns:
        A tensor of the shape of `x`.

    >>> batch_normalization([[1.0], [3.0]], [2.0], [1.0], -1, epsilon=0).tolist()
    [[-1.0], [1.0]]
    """
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
def layer_normalization(
    x: Tensor, gamma: Tensor = None, beta: Tensor = None, axis: Axes = -1, epsilon: float | None = None, **kwargs
) -> Array:
    """Layer normalization: scales each example to mean 0 and variance 1 along axes (Ba et al. 2016).

    Args:
        x: Tensor of numbers.
        gamma: Factor of the normalized values, of the shape of the axes; 1 by default.
        beta: Added to the scaled values, of the shape of the axes; 0 by default.
        axis: Axis or axes to normalize along.
        epsilon: Small number added to the variance; `config.epsilon()` by default.
        **kwargs: Not used.

    Returns:
        A tensor of the shape of `x`.

    >>> layer_normalization([[1.0, 3.0]]).round().tolist()
    [[-1.0, 1.0]]
    """
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
def rms_normalization(x: Tensor, scale: Tensor = None, axis: Axes = -1, epsilon: float | None = None) -> Array:
    """RMS normalization: ``x / sqrt(mean(x**2) + epsilon) * scale`` (Zhang & Sennrich 2019).

    Args:
        x: Tensor of numbers.
        scale: Factor of the normalized values, of the shape of the axes; 1 by default.
        axis: Axis or axes of the mean.
        epsilon: Small number added to the mean; `config.epsilon()` by default.

    Returns:
        A tensor of the shape of `x`.

    >>> rms_normalization([[2.0, -2.0]]).round().tolist()
    [[1.0, -1.0]]
    """
    x = as_float(x)
    axes = _axes(axis, x.ndim)
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    epsilon = config.epsilon() if epsilon is None else epsilon
    result = wide * jax.lax.rsqrt(jnp.mean(jnp.square(wide), axes, keepdims=True) + epsilon)
    if scale is not None:
        result = result * _along(tensor(scale), x.ndim, axes)
    return result.astype(x.dtype)


@op
def normalize(x: Tensor, axis: Axes = -1, order: float = 2, epsilon: float | None = None) -> Array:
    """Divides a tensor by its norm along an axis.

    Args:
        x: Tensor of numbers.
        axis: Axis of the vectors whose norm becomes 1.
        order: Order of the norm: 1 for the sum of absolute values, 2 for the Euclidean norm.
        epsilon: Lower limit of the norm to divide by; `config.epsilon()` by default.

    Returns:
        A tensor of the shape of `x`.

    >>> normalize([[2.0, 2.0]], order=1).tolist()
    [[0.5, 0.5]]
    """
    x = as_float(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:  # by the square, so that the gradient at 0 is finite
        return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis, keepdims=True), epsilon**2))
    return x / jnp.maximum(jnp.linalg.norm(x, order, axis, keepdims=True), epsilon)


@op
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Array:
    """The peak signal-to-noise ratio of two images: ``20 log10(max_val) - 10 log10(mean squared difference)``.

    Args:
        x1: First image.
        x2: Second image, of the same shape.
        max_val: Largest value that a pixel can have.

    Returns:
        Decibels.

    >>> print(psnr([1.0, 0.0], [0.0, 1.0], 10.0).round(2))
    20.0
    """
    x1, x2 = tensor(x1), tensor(x2)
    return 20 * jnp.log10(jnp.asarray(max_val, as_float(x1).dtype)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


@op
def polar(abs_: Tensor, angle: Tensor) -> Array:
    """Complex numbers from their absolute values and angles.

    Args:
        abs_: Absolute values.
        angle: Angles in radians.

    Returns:
        Complex numbers.

    >>> polar([2.0], [0.0]).tolist()
    [(2+0j)]
    """
    abs_, angle = as_float(abs_), as_float(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor = None,
    mask: Tensor = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Array:
    """Scaled dot-product attention (Vaswani et al. 2017).

    Args:
        query: ``(n, T, heads, features)``.
        key: ``(n, S, key_heads, features)``. Each head is shared by ``heads / key_heads`` heads of the query.
        value: ``(n, S, key_heads, features)``.
        bias: Added to the logits; broadcasts to ``(n, heads, T, S)``.
        mask: Booleans that broadcast to ``(n, heads, T, S)``: true where a query may attend to a key.
        scale: Factor of the logits; ``1 / sqrt(features)`` by default.
        is_causal: Whether each query attends only to its own position and earlier ones.
        flash_attention: Not used.
        attn_logits_soft_cap: Upper limit `c` of the absolute logits, which become ``c * tanh(logits / c)``. ``None``
            for no limit.

    Returns:
        ``(n, T, heads, features)``.

    >>> x = jnp.ones((1, 3, 2, 4))
    >>> dot_product_attention(x, x, x).shape
    (1, 3, 2, 4)
    """
    query, key, value = as_float(query), as_float(key), as_float(value)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    groups = query.shape[2] // key.shape[2]  # heads of the query that share one head of the key
    key, value = (jnp.repeat(x, groups, 2) if groups > 1 else x for x in (key, value))
    # (n, T, heads, features), (n, S, heads, features) -> (n, heads, T, S)
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
    return jnp.einsum("bhts,bshd->bthd", weights, value)  # (n, T, heads, features)
