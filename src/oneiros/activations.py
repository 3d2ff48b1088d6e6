"""Activation functions of arrays, variables or symbols, by name. Most are those of `ops.nn`."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from . import core
from .core.config import behaviour
from .kernels import elementwise
from .ops import nn
from .ops.nn import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from .ops.table import Axes, Tensor, as_float, tensor

_kind = core.kind("activation")


def linear(x: Any) -> Any:
    """The identity: what ``activation=None`` means.

    Args:
        x: Tensor of any shape.

    Returns:
        `x` itself.

    >>> linear([-1.0, 2.0])
    [-1.0, 2.0]
    """
    return x


@core.op
def softmax(x: Tensor, axis: Axes = -1) -> Array:
    """``exp(x) / sum(exp(x))`` along an axis. Before Keras 3, `x` must have two axes or more.

    Args:
        x: Tensor of numbers.
        axis: Axis of the classes; several axes, or ``None`` for all of them.

    Returns:
        Probabilities of the shape of `x`.

    Raises:
        ValueError: Before Keras 3, if `x` has fewer than two axes.

    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    x = tensor(x)
    if behaviour.softmax_needs_batch and x.ndim < 2:
        raise ValueError(
            f"softmax: expected a tensor of at least two axes, the first of them for the batch. Received shape "
            f"{x.shape}. For one example, use K.softmax or keras.ops.softmax."
        )
    return nn.softmax(x, axis)


@core.op
def relu(
    x: Tensor,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    alpha: float | None = None,
) -> Array:
    """The rectified linear unit, with optional slope, limit and threshold (Nair & Hinton 2010).

    Args:
        x: Tensor of any shape.
        negative_slope: Slope below the threshold: elements there become ``negative_slope * (x - threshold)``.
        max_value: Upper limit of the result; ``None`` for no limit.
        threshold: Elements from here on are kept.
        alpha: Name of `negative_slope` in Keras 2.

    Returns:
        A tensor of the shape of `x`.

    >>> relu([-2.0, 0.5, 3.0], negative_slope=0.5, max_value=2.0).tolist()
    [-1.0, 0.5, 2.0]
    """
    return elementwise.rectified(tensor(x), negative_slope if alpha is None else alpha, max_value, threshold)


@core.op
def tanh(x: Tensor) -> Array:
    """The hyperbolic tangent.

    Args:
        x: Tensor of any shape; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`, with elements from -1 to 1.

    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return jnp.tanh(as_float(x))


@core.op
def exponential(x: Tensor) -> Array:
    """The exponential function ``exp(x)``.

    Args:
        x: Tensor of any shape; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`.

    >>> exponential([0.0]).tolist()
    [1.0]
    """
    return jnp.exp(as_float(x))


@core.op
def mish(x: Tensor) -> Array:
    """The smooth rectifier ``x * tanh(softplus(x))`` (Misra 2019).

    Args:
        x: Tensor of any shape; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`.

    >>> [round(y, 4) for y in mish([0.0, 1.0]).tolist()]
    [0.0, 0.8651]
    """
    return jax.nn.mish(as_float(x))


@core.op
def gelu(x: Tensor, approximate: bool = False) -> Array:
    """Gaussian error linear unit: `x` times the standard normal distribution function of `x`.

    The source is Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415.

    Args:
        x: Tensor of any shape; integers become `floatx()`.
        approximate: Whether to use the faster approximation by tanh instead of the error function.

    Returns:
        A tensor of the shape of `x`.

    >>> [round(y, 4) for y in gelu([0.0, 1.0]).tolist()]
    [0.0, 0.8413]
    """
    return jax.nn.gelu(as_float(x), approximate)


@core.op
def hard_sigmoid(x: Tensor) -> Array:
    """Piecewise linear sigmoid: ``relu6(x + 3) / 6`` (in Keras 1 and 2: ``clip(0.2 * x + 0.5, 0, 1)``).

    Args:
        x: Tensor of any shape; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`, with elements from 0 to 1.

    >>> hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    x = as_float(x)
    return jax.nn.hard_sigmoid(x) if behaviour.relu6_hard_sigmoid else jnp.clip(0.2 * x + 0.5, 0, 1)


swish = silu
hard_swish = hard_silu

for _function in (
    *(celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear),
    *(log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign),
    *(sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold),
):
    _kind.add(_function)
_kind.add(silu, "swish")
_kind.add(hard_silu, "hard_swish")


def get(identifier: Any) -> Callable:
    """Finds an activation function.

    Args:
        identifier: Name of an activation, configuration from `serialize`, function, layer, or ``None`` for `linear`.

    Returns:
        The function (or layer).

    Raises:
        ValueError: If the name is unknown.

    >>> get("swish") is silu, get(None) is linear
    (True, True)
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if behaviour.layer_as_activation_warns and hasattr(identifier, "get_weights"):
        warnings.warn(
            f"activations.get: {identifier!r} is a layer. Do not pass a layer as the activation of another one: add it "
            "to the model behind that one.",
            stacklevel=2,
        )
    return linear if identifier is None else _kind.get(identifier)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable:
    """Restores an activation from what `serialize` returned.

    Args:
        config: Name or configuration of an activation function, or of a layer such as `LeakyReLU`.
        custom_objects: Your own functions and classes by name.

    Returns:
        The function (or layer).

    >>> deserialize(serialize(relu)) is relu
    True
    """
    layers = core.kind("layer")
    if isinstance(config, dict) and config.get("class_name") in layers.objects:
        return layers.deserialize(config, custom_objects)
    return _kind.deserialize(config, custom_objects)


serialize = _kind.serializer()
