"""Weights of older versions of Keras in today's arrangement, and the one activation whose meaning has changed.

Keras 1 stored kernels of convolutions in other orders and one array per gate of recurrent layers; Theano flipped its
kernels; cuDNN's recurrent layers transpose kernels and have two biases.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import behaviour, kind, op
from ..core.errors import CorruptFileError

# Keras 1's gates, three arrays each (kernel, recurrent kernel, bias), in today's order
_GATES = {"LSTM": (0, 2, 1, 3), "ConvLSTM2D": (0, 2, 1, 3), "GRU": (0, 1, 2)}
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence,
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list:
    """A layer's arrays from a file, arranged as the layer has them today.

    Args:
        layer: the layer.
        weights: the arrays in the file's order.
        original_keras_version: the version of Keras that wrote the file.
        original_backend: its backend: 'theano', 'tensorflow', ...
        reshape: whether the kernel of a convolution may be reshaped to one of the same size.

    Returns:
        A list of arrays. Those that fit already, and those that cannot be made to fit, are as they were.

    Raises:
        CorruptFileError: weights of a cuDNN layer cannot be converted to those of this layer.
    """
    kind = type(layer).__name__
    first_version = str(original_keras_version or "").split(".")[0] == "1"

    def convert(inner, arrays):
        return preprocess_weights_for_loading(inner, arrays, original_keras_version, original_backend, reshape)

    if kind == "Bidirectional":
        half = len(weights) // 2
        return [*convert(layer.forward_layer, weights[:half]), *convert(layer.backward_layer, weights[half:])]
    if kind == "TimeDistributed":
        return convert(layer.layer, weights)
    if hasattr(layer, "layers"):
        return _nested(layer, weights, first_version, convert)
    weights = list(weights)
    if first_version:
        weights = _from_keras1(layer, kind, weights)
    if kind in _CONVOLUTIONS and weights:
        weights = _convolution(layer, kind, weights, original_backend, reshape)
    if kind in ("LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU"):
        weights = _cudnn(layer, kind, weights)
    return weights


def _nested(model, weights, first_version, convert):
    """The arrays of a model inside a model: first the trainable ones of all layers, then the others."""
    weights, layers = list(weights), list(dict.fromkeys(model.layers))  # a Merge may have one twice
    parts = {}
    for trainable in (True, False):
        for layer in layers:
            variables = layer.trainable_weights if trainable else layer.non_trainable_weights
            count = _stored_count(layer, len(variables)) if first_version else len(variables)
            parts.setdefault(id(layer), ([], []))[not trainable].extend(weights[:count])
            del weights[:count]
    converted = {}
    for layer in layers:
        trainable, others = parts[id(layer)]
        arrays = convert(layer, [*trainable, *others])
        split = len(layer.trainable_weights)
        converted[id(layer)] = (arrays[:split], arrays[split:])
    return [a for i in (0, 1) for layer in layers for a in converted[id(layer)][i]] + weights


def _stored_count(layer, count):
    """How many arrays Keras 1 stored for a layer that has `count` today."""
    gates = len(_GATES.get(type(layer).__name__, ()))
    return 3 * gates if gates and count else count


def _from_keras1(layer, kind, weights):
    gates = _GATES.get(kind)
    if gates and len(weights) == 3 * len(gates):
        fits = kind != "ConvLSTM2D" or weights[0].shape[:3] == tuple(layer.weights[0].shape[:3])
        if not fits and layer.data_format == "channels_first":
            weights = [w.transpose(2, 3, 1, 0) if w.ndim == 4 else w for w in weights]
        return [np.concatenate([weights[3 * gate + part] for gate in gates], -1) for part in range(3)]
    if not weights:
        return weights
    kernel, *rest = weights
    first = getattr(layer, "data_format", None) == "channels_first"
    if kind == "Conv1D" and kernel.ndim == 4:
        size = layer.kernel_size[0] if isinstance(layer.kernel_size, tuple) else layer.kernel_size
        if kernel.shape[:2] != (size, 1) or kernel.shape[3] != layer.filters:  # Keras 1.0 and 1.1
            kernel = kernel.transpose(2, 3, 1, 0)
        kernel = kernel[:, 0]
    elif kind == "Conv2D" and first and kernel.ndim == 4:
        kernel = kernel.transpose(2, 3, 1, 0)
    elif kind == "Conv2DTranspose" and kernel.ndim == 4:
        kernel = kernel.transpose(2, 3, 0, 1) if first else kernel.transpose(0, 1, 3, 2)
    elif kind == "Conv3D" and first and kernel.ndim == 5:
        kernel = kernel.transpose(2, 3, 4, 1, 0)
    return [kernel, *rest]


def _convolution(layer, kind, weights, backend, reshape):
    kernels = weights[: 2 if kind == "ConvLSTM2D" else 1]
    if backend == "theano":  # its convolutions flip the kernel, those of all others do not
        kernels = [np.flip(k, tuple(range(k.ndim - 2))) for k in kernels]
    shape = tuple(layer.weights[0].shape)
    if shape != kernels[0].shape:
        if reshape:
            if kernels[0].size != int(np.prod(shape)):
                raise CorruptFileError(
                    f"Layer {layer.name}: weights must be of equal size to be reshaped. Stored: {kernels[0].shape}, "
                    f"expected: {shape}."
                )
            kernels[0] = kernels[0].reshape(shape)
        elif kernels[0].ndim == 4:
            kernels = [k.transpose(3, 2, 0, 1) for k in kernels]
    return [*kernels, *weights[len(kernels) :]]


def _cudnn(layer, kind, weights):
    """Between cuDNN's arrangement of LSTM and GRU and the plain one, told apart by the biases."""
    if len(weights) != 3:
        return weights
    gates = 4 if "LSTM" in kind else 3
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    stored_cudnn = bias.shape == (2 * gates * units,)
    wanted_cudnn = kind.startswith("CuDNN")
    if stored_cudnn == wanted_cudnn:
        return weights
    if kind in ("GRU", "CuDNNGRU"):
        plain_shape = tuple(layer.weights[2].shape) if not wanted_cudnn else bias.shape
        if plain_shape != (2, gates * units):
            raise CorruptFileError(
                f"Layer {layer.name}: weights of CuDNNGRU and of GRU(reset_after=False) cannot be converted into each "
                "other. Use GRU(reset_after=True)."
            )
    order = "F" if stored_cudnn else "C"

    def of_gates(matrix, change):
        return np.hstack([change(part) for part in np.hsplit(matrix, gates)])

    kernel = of_gates(kernel, lambda k: k.T.reshape(k.shape, order=order))
    recurrent = of_gates(recurrent, lambda k: k.T)
    if gates == 3:
        bias = bias.reshape(2, -1) if stored_cudnn else bias.reshape(-1)
    elif stored_cudnn:
        bias = bias[: 4 * units] + bias[4 * units :]
    else:
        bias = np.tile(bias * 0.5, 2)
    return [kernel, recurrent, bias]


# --- hard_sigmoid, which Keras 3 defines differently


@op
def clipped_hard_sigmoid(x: Any) -> Array:
    """``clip(0.2 * x + 0.5, 0, 1)``: the hard_sigmoid of Keras 1, Keras 2 and tf.keras."""
    return jnp.clip(0.2 * x + 0.5, 0, 1)


_OLD_NAME = clipped_hard_sigmoid.__name__
kind("activation").add(clipped_hard_sigmoid)


def new_activation_names(keras_version: str | None = None, backend: str | None = None) -> dict:
    """What a file of this writer calls activations that have other names today: old name to new.

    Keras 3 and this library write 'jax' as the backend, and mean today's hard_sigmoid.
    """
    written_before = str(keras_version or "3").split(".")[0] in ("1", "2") and backend != "jax"
    return {"hard_sigmoid": _OLD_NAME} if written_before and behaviour.relu6_hard_sigmoid else {}


def with_stored_names(text: str) -> tuple:
    """The text of a configuration with the names that other versions know, and the backend that tells their meaning."""
    if f'"{_OLD_NAME}"' in text and '"hard_sigmoid"' not in text:
        return text.replace(f'"{_OLD_NAME}"', '"hard_sigmoid"'), "tensorflow"
    return text, behaviour.backend_name
