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
    """A function from logits to probabilities. While JAX traces, it records the logits, which losses then use."""

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

    Summaries:
        sigmoid: ``1 / (1 + exp(-x))``, a smooth step from 0 to 1.
        softplus: ``log(1 + exp(x))``, a smooth rectifier (Dugas et al. 2001).
        softsign: ``x / (1 + abs(x))``, a smooth step from -1 to 1.
        silu: ``x * sigmoid(x)``, also known as swish (Elfwing et al. 2017).
        swish: ``x * sigmoid(x)``, also known as SiLU (Ramachandran et al. 2017).
        log_sigmoid: ``log(sigmoid(x))``, computed without overflow.
        hard_sigmoid: ``relu6(x + 3) / 6``, a piecewise linear sigmoid (Howard et al. 2019).
        hard_silu: ``x * relu6(x + 3) / 6``, also known as hard swish (Howard et al. 2019).
        hard_swish: ``x * relu6(x + 3) / 6``, also known as hard SiLU (Howard et al. 2019).
        hard_tanh: `x` clipped to ``[-1, 1]``.
        selu: ``1.0507 * elu(x, alpha=1.6733)``, which keeps mean 0 and variance 1 (Klambauer et al. 2017).

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

    Summaries:
        relu: ``max(x, 0)``, the rectified linear unit (Nair & Hinton 2010).
        relu6: ``min(max(x, 0), 6)``, a rectifier with an upper limit (Krizhevsky 2010).

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
    """Piecewise linear sigmoid: 0 below -1, 1 above 1, and ``(x + 1) / 2`` in between.

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
    """Piecewise quadratic softplus: 0 below -1, `x` above 1, and ``(x + 1)**2 / 4`` in between.

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
    """Computes ``x - tanh(x)``.

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

    Summaries:
        softmax: ``exp(x) / sum(exp(x))`` along an axis, computed without overflow.
        log_softmax: ``log(softmax(x))`` along an axis, computed without overflow.
        glu: ``a * sigmoid(b)`` for the two halves `a`, `b` of an axis (Dauphin et al. 2017).

    Args:
        x: Tensor; integers become `floatx()`. `glu` needs an axis of even size.
        axis: Axis of the classes (`glu`: the axis that is split). `softmax` and `log_softmax` also take several axes,
            or ``None`` to normalize over all elements.

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
    """Projects onto the probability simplex: like a softmax, but with exact zeros (Martins & Astudillo 2016).

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
        b: Smoothness at 0; ``b=0`` gives `relu`.

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
    """A rectifier whose negative side is an exponential.

    Summaries:
        elu: `x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2016).
        celu: `x` where it is positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere (Barron 2017).

    Args:
        x: Tensor of any shape; integers become `floatx()`.
        alpha: The function approaches ``-alpha`` for very negative elements.

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
    """Gaussian error linear unit: `x` times the standard normal distribution function of `x`.

    The source is Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415.

    Args:
        x: Tensor of any shape; integers become `floatx()`.
        approximate: Whether to use the faster approximation by tanh instead of the error function.

    Returns:
        A tensor of the shape of `x`.

    >>> print(gelu([0.0, 1.0]).round(3))
    [0.    0.841]
    """
    return jax.nn.gelu(as_float(x), approximate)


@op
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """Moves each element towards 0 by `threshold`; elements within `threshold` of 0 become 0.

    Args:
        x: Tensor of any shape; integers become `floatx()`.
        threshold: Distance, not negative.

    Returns:
        A tensor of the shape of `x`.

    >>> soft_shrink([-2.0, 0.25, 2.0]).tolist()
    [-1.5, 0.0, 1.5]
    """
    x = as_float(x)
    return jnp.sign(x) * jnp.maximum(jnp.abs(x) - threshold, 0)


@op
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """Sets elements whose absolute value does not exceed `threshold` to 0.

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
    """Keeps elements that exceed a threshold, and replaces the others.

    Args:
        x: Tensor of any shape; integers become `floatx()`.
        threshold: Elements must be greater than this to be kept.
        default_value: Value that replaces the others.

    Returns:
        A tensor of the shape of `x`.

    >>> threshold([0.5, 2.0], 1.0, 0.0).tolist()
    [0.0, 2.0]
    """
    x = as_float(x)
    return jnp.where(x > threshold, x, default_value)
