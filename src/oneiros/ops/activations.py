"""Activation functions (a part of `keras.ops.nn`)."""

import functools

import jax
import jax.numpy as jnp
from jax import Array

from ..core import op, remember_logits
from .table import Axes, Tensor, as_float, define, operand


def _softmax(function):
    @functools.wraps(function)
    def call(x, axis):
        if axis is None:
            return function(x.ravel(), 0).reshape(x.shape)
        return function(x, tuple(axis) if isinstance(axis, list) else axis)

    return call


def _remembered(name, function):
    """A function from logits to probabilities; while code is traced, losses can find the logits again."""

    @functools.wraps(function)
    def call(x, axis=None):
        y = function(x) if axis is None else function(x, axis)
        if isinstance(y, jax.core.Tracer) and (axis is None or isinstance(axis, int)):
            remember_logits(y, name, None if axis is None else axis % x.ndim, x)
        return y

    return call


@define(
    {
        "sigmoid": _remembered("sigmoid", jax.nn.sigmoid),
        "softplus": jax.nn.softplus,
        "softsign": jax.nn.soft_sign,
        "silu": jax.nn.silu,
        "swish": jax.nn.silu,
        "log_sigmoid": jax.nn.log_sigmoid,
        "hard_sigmoid": jax.nn.hard_sigmoid,
        "hard_silu": jax.nn.hard_silu,
        "hard_swish": jax.nn.hard_silu,
        "hard_tanh": jax.nn.hard_tanh,
        "selu": jax.nn.selu,
    }
)
def _activation(x: Tensor, *, function) -> Array:
    """An activation function.

    Args:
        x: Tensor of any shape; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`.

    >>> sigmoid([0.0]).tolist()
    [0.5]

    >>> print(softplus([0.0]).round(4))
    [0.6931]

    >>> softsign([1.0, -1.0]).tolist()
    [0.5, -0.5]

    >>> silu([0.0]).tolist()
    [0.0]

    >>> swish([0.0]).tolist()
    [0.0]

    >>> print(log_sigmoid([0.0]).round(4))
    [-0.6931]

    >>> hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]

    >>> hard_silu([0.0, 3.0]).tolist()
    [0.0, 3.0]

    >>> hard_swish([0.0, 3.0]).tolist()
    [0.0, 3.0]

    >>> hard_tanh([-2.0, 0.5, 2.0]).tolist()
    [-1.0, 0.5, 1.0]

    >>> selu([0.0]).tolist()
    [0.0]
    """
    return function(as_float(x))


@define(jax.nn, "relu relu6")
def _rectified(x: Tensor, *, function) -> Array:
    """A rectifier.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and type of `x`.

    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]

    >>> relu6([-1.0, 2.0, 8.0]).tolist()
    [0.0, 2.0, 6.0]
    """
    return function(operand(x))


@op
def sparse_sigmoid(x: Tensor) -> Array:
    """Sigmoid in three straight pieces: 0 below -1, 1 above 1, and ``(x + 1) / 2`` between them.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape of `x`.

    >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jnp.clip((as_float(x) + 1) / 2, 0, 1)


@op
def sparse_plus(x: Tensor) -> Array:
    """Softplus with exact zeros: 0 below -1, `x` above 1, and ``(x + 1)**2 / 4`` between them.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape of `x`.

    >>> sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    x = as_float(x)
    return jnp.where(x <= -1, 0, jnp.where(x >= 1, x, (x + 1) ** 2 / 4))


@op
def tanh_shrink(x: Tensor) -> Array:
    """``x - tanh(x)``.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape of `x`.

    >>> print(tanh_shrink([0.0, 1.0]).round(4))
    [0.     0.2384]
    """
    x = as_float(x)
    return x - jnp.tanh(x)


@define(
    {
        "softmax": _remembered("softmax", _softmax(jax.nn.softmax)),
        "log_softmax": _softmax(jax.nn.log_softmax),
        "glu": jax.nn.glu,
    }
)
def _along_axis(x: Tensor, axis: Axes = -1, *, function) -> Array:
    """An activation along an axis.

    Args:
        x: Tensor; integers become `floatx()`.
        axis: Axis to work along. For softmax also several, or ``None`` for all elements together.

    Returns:
        A tensor of the shape of `x`; `glu` halves the axis.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]

    >>> print(log_softmax([0.0, 0.0]).round(4))
    [-0.6931 -0.6931]

    >>> glu([1.0, 2.0, 0.0, 0.0]).tolist()
    [0.5, 1.0]
    """
    return function(as_float(x), axis)


@op
def sparsemax(x: Tensor, axis: int = -1) -> Array:
    """The nearest point of the probability simplex: a softmax with exact zeros (Martins & Astudillo 2016).

    Args:
        x: Tensor; integers become `floatx()`.
        axis: Axis of the classes.

    Returns:
        Probabilities of the shape of `x`.

    >>> sparsemax([2.0, 1.5, -1.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    x = as_float(x)
    ordered = jnp.flip(jnp.sort(x, axis), axis)
    count = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape([-1] + [1] * (x.ndim - 1 - axis % x.ndim))
    sums = jnp.cumsum(ordered, axis)
    size = jnp.sum(1 + count * ordered > sums, axis, keepdims=True)
    threshold = (jnp.take_along_axis(sums, size - 1, axis) - 1) / size.astype(x.dtype)
    return jnp.maximum(x - threshold, 0)


@op
def squareplus(x: Tensor, b: float = 4) -> Array:
    """``(x + sqrt(x**2 + b)) / 2``, a smooth rectifier without exponentials (Barron 2021).

    Args:
        x: Tensor of any shape.
        b: How smooth it is at 0; 0 gives `relu`.

    Returns:
        A tensor of the shape of `x`.

    >>> squareplus([0.0]).tolist()
    [1.0]
    """
    return jax.nn.squareplus(as_float(x), b)


@op
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Array:
    """`x` where it is positive, ``negative_slope * x`` elsewhere (Maas et al. 2013).

    Args:
        x: Tensor of any shape.
        negative_slope: Slope for negative elements.

    Returns:
        A tensor of the shape of `x`.

    >>> leaky_relu([-1.0, 2.0], 0.5).tolist()
    [-0.5, 2.0]
    """
    return jax.nn.leaky_relu(as_float(x), negative_slope)


@define(jax.nn, "elu celu")
def _exponential(x: Tensor, alpha: float = 1.0, *, function) -> Array:
    """A rectifier whose negative side is an exponential (Clevert et al. 2016, Barron 2017).

    Args:
        x: Tensor of any shape.
        alpha: Minus the limit for very negative elements.

    Returns:
        A tensor of the shape of `x`.

    >>> print(elu([-1.0, 2.0]).round(4))
    [-0.6321  2.    ]

    >>> print(celu([-1.0, 2.0]).round(4))
    [-0.6321  2.    ]
    """
    return function(as_float(x), alpha)


@op
def gelu(x: Tensor, approximate: bool = True) -> Array:
    """``x`` times the normal distribution function of ``x`` (Hendrycks & Gimpel 2016).

    Args:
        x: Tensor of any shape.
        approximate: Whether to use the approximation by tanh, which is faster.

    Returns:
        A tensor of the shape of `x`.

    >>> print(gelu([0.0, 1.0]).round(3))
    [0.    0.841]
    """
    return jax.nn.gelu(as_float(x), approximate)


@op
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """Elements moved towards 0 by `threshold`; smaller ones become 0.

    Args:
        x: Tensor of any shape.
        threshold: How far to move.

    Returns:
        A tensor of the shape of `x`.

    >>> soft_shrink([-2.0, 0.25, 2.0]).tolist()
    [-1.5, 0.0, 1.5]
    """
    x = as_float(x)
    return jnp.sign(x) * jnp.maximum(jnp.abs(x) - threshold, 0)


@op
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """Elements whose absolute value does not exceed `threshold` set to 0.

    Args:
        x: Tensor of any shape.
        threshold: Largest absolute value that becomes 0.

    Returns:
        A tensor of the shape of `x`.

    >>> hard_shrink([-2.0, 0.25, 2.0]).tolist()
    [-2.0, 0.0, 2.0]
    """
    x = as_float(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0)


@op
def threshold(x: Tensor, threshold: float, default_value: float) -> Array:
    """`x` where it exceeds a threshold, another value elsewhere.

    Args:
        x: Tensor of any shape.
        threshold: What elements must exceed.
        default_value: What replaces the others.

    Returns:
        A tensor of the shape of `x`.

    >>> threshold([0.5, 2.0], 1.0, 0.0).tolist()
    [0.0, 2.0]
    """
    x = as_float(x)
    return jnp.where(x > threshold, x, default_value)
