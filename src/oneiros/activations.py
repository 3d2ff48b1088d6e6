"""Activation functions of arrays, variables or symbols, by name. Most are those of `ops.nn`."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp

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
    """`x` itself: what ``activation=None`` means."""
    return x


@core.op
def softmax(x: Tensor, axis: Axes = -1) -> jax.Array:
    """``exp(x) / sum(exp(x))`` along an axis. Before Keras 3, `x` must have two axes or more.

    Args:
        x: Tensor of numbers.
        axis: Axis of the sum.

    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    x = tensor(x)
    if behaviour.softmax_needs_batch and x.ndim < 2:
        raise ValueError(
            f"softmax: expected a tensor of at least two axes, the first of which counts examples. Received shape "
            f"{x.shape}. For one example, use K.softmax or keras.ops.softmax."
        )
    return nn.softmax(x, axis)


@core.op
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0, alpha=None):
    """``x`` above `threshold`, cut to ``[0, max_value]``; ``negative_slope * (x - threshold)`` elsewhere.

    Without a `max_value`, nothing is cut. alpha: Keras 2's name of negative_slope.

    >>> relu([-2.0, 0.5, 3.0], negative_slope=0.5, max_value=2.0).tolist()
    [-1.0, 0.5, 2.0]
    """
    return elementwise.rectified(tensor(x), negative_slope if alpha is None else alpha, max_value, threshold)


@core.op
def tanh(x):
    """The hyperbolic tangent."""
    return jnp.tanh(as_float(x))


@core.op
def exponential(x):
    """``exp(x)``."""
    return jnp.exp(as_float(x))


@core.op
def mish(x):
    """``x * tanh(softplus(x))`` (Misra 2019)."""
    return jax.nn.mish(as_float(x))


@core.op
def gelu(x, approximate=False):
    """``x`` times the standard normal distribution function of `x` (Hendrycks, Gimpel 2016)."""
    return jax.nn.gelu(as_float(x), approximate)


@core.op
def hard_sigmoid(x):
    """``relu6(x + 3) / 6``; in Keras 1 and 2 ``clip(0.2 * x + 0.5, 0, 1)``."""
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


def get(identifier):
    """The activation for a name, a configuration, a function or a layer; `linear` for ``None``.

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


def deserialize(config, custom_objects=None):
    """The activation that `serialize` was given; layers such as LeakyReLU are activations too."""
    layers = core.kind("layer")
    if isinstance(config, dict) and config.get("class_name") in layers.objects:
        return layers.deserialize(config, custom_objects)
    return _kind.deserialize(config, custom_objects)


serialize = _kind.serialize
