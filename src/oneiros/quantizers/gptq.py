"""GPTQ: weights are rounded one input after the other, and those that follow make up for the error.

Source: Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers"
(arXiv:2210.17323), section 3 and algorithm 1. The sum over the inputs of squared errors of the outputs is what is kept
small; its Hessian is ``2 X^T X``, the same for all outputs.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .functions import compute_quantization_parameters, pack_int4
from .objects import GPTQConfig

_PARAMETERS = partial(compute_quantization_parameters, bits=4, per_channel=True)


def gptq_quantize_matrix(
    weights_transpose: Any,
    inv_hessian: Any,
    *,
    blocksize: int = 128,
    group_size: int = -1,
    activation_order: bool = False,
    order_metric: Any = None,
    compute_scale_zero: Callable = _PARAMETERS,
) -> tuple:
    """Integers in place of a matrix, with errors made up for.

    Args:
        weights_transpose: the matrix ``(outputs, inputs)``.
        inv_hessian: the inverse of the Hessian, ``(inputs, inputs)``.
        blocksize: how many inputs are treated before their errors are handed on to all others.
        group_size: how many inputs share a scale; -1 for all.
        activation_order: whether inputs are treated in the order of `order_metric`, the largest first.
        order_metric: a number for each input; by default the inverse of the inverse Hessian's diagonal.
        compute_scale_zero: function of a part of the matrix that returns scale, zero point and largest integer.

    Returns:
        The integers ``(outputs, inputs)``, the scales and zero points ``(outputs, groups)``, and the number of the
        group of each input.
    """
    weights, inverse = np.array(weights_transpose, "float32"), np.asarray(inv_hessian, "float64")
    inputs = weights.shape[1]
    order = np.arange(inputs)
    if activation_order:
        metric = 1 / np.diag(inverse) if order_metric is None else order_metric
        order = np.argsort(-np.asarray(metric), kind="stable")
        weights, inverse = weights[:, order], inverse[np.ix_(order, order)]
    factor = np.linalg.cholesky(inverse).T.astype("float32")  # what is left of the inverse as inputs drop out
    size = inputs if group_size == -1 else group_size
    integers, scales, zeros = np.empty_like(weights), [], []
    for start in range(0, inputs, blocksize):
        stop = min(start + blocksize, inputs)
        errors = np.empty((len(weights), stop - start), "float32")
        for i in range(start, stop):
            if i % size == 0:
                scale, zero, largest = (np.asarray(x) for x in compute_scale_zero(weights[:, i : i + size]))
                scales.append(scale[:, :1])
                zeros.append(zero[:, :1])
                scale, zero = scale[:, 0], zero[:, 0].astype("float32")
            column = weights[:, i]
            integers[:, i] = np.clip(np.round(column / np.where(scale == 0, 1e-8, scale)) + zero, 0, largest)
            errors[:, i - start] = (column - (integers[:, i] - zero) * scale) / factor[i, i]
            weights[:, i:stop] -= np.outer(errors[:, i - start], factor[i, i:stop])
        weights[:, stop:] -= errors @ factor[start:stop, stop:]
    back = np.argsort(order, kind="stable")
    groups = (np.arange(inputs) // size)[back]
    return integers[:, back].astype("int32"), np.hstack(scales), np.hstack(zeros), groups.astype("float32")


class GPTQ:
    """The quantization of one layer by GPTQ: it takes the layer's inputs, then sets its integers.

    Args:
        layer: a `Dense` or `EinsumDense` layer.
        config: the configuration.

    Raises:
        TypeError: if the layer is of another class.

    >>> import oneiros as keras
    >>> layer = keras.layers.Dense(3)
    >>> layer.build((None, 4))
    >>> config = GPTQConfig(None, None, group_size=-1)
    >>> layer.quantize("gptq", config=config)
    >>> run = GPTQ(layer, config)
    >>> run.update_hessian_with_batch(np.random.default_rng(0).normal(size=(20, 4)))
    >>> run.quantize_and_correct_layer()
    >>> layer.kernel.dtype
    dtype('uint8')
    """

    def __init__(self, layer: Any, config: GPTQConfig | None = None):
        check_layer(layer)
        self.layer, self.config = layer, config or GPTQConfig(None, None)
        self.rows, self.columns = layer.matrix_shape()
        self.hessian = np.zeros((self.rows, self.rows), "float32")
        self.num_samples = 0

    def update_hessian_with_batch(self, input_batch: Any) -> None:
        """Takes inputs of the layer into account.

        Args:
            input_batch: an array whose last axes are those that the layer sums over.

        Raises:
            ValueError: if there are none, or of another size.
        """
        x = rows_of(input_batch, self.rows).astype("float64")
        total = self.num_samples + len(x)
        hessian = self.hessian * (self.num_samples / total) + 2 / total * (x.T @ x)
        self.hessian, self.num_samples = hessian.astype("float32"), total

    def quantize_and_correct_layer(self, blocksize: int = 128) -> None:
        """Finds the integers and puts them into the layer.

        Args:
            blocksize: as in `gptq_quantize_matrix`.
        """
        layer, config = self.layer, self.config
        hessian = np.array(self.hessian, "float64")
        weights = np.array(layer.as_matrix(layer.main_weight.raw)).T
        diagonal = np.diag(hessian).copy()
        unused = diagonal == 0
        hessian[unused, unused] = 1
        weights[:, unused] = 0
        hessian += (config.hessian_damping * np.diag(hessian).mean() + 1e-8) * np.eye(self.rows)
        found = gptq_quantize_matrix(
            weights,
            np.linalg.inv(hessian),
            blocksize=blocksize,
            group_size=config.group_size,
            activation_order=config.activation_order,
            order_metric=diagonal,
            compute_scale_zero=partial(
                compute_quantization_parameters,
                bits=config.weight_bits,
                symmetric=config.symmetric,
                per_channel=config.per_channel,
            ),
        )
        set_integers(layer, config.weight_bits, *found)

    def free(self) -> None:
        """Lets go of the layer and of what was collected."""
        del self.layer, self.hessian


def check_layer(layer: Any) -> None:
    """Raises `TypeError` if a layer has no kernel that can be calibrated."""
    if "gptq" not in getattr(layer, "quantization_modes", ()):
        raise TypeError(f"Unsupported layer type for quantization with data: {type(layer).__name__}.")


def rows_of(inputs: Any, size: int) -> np.ndarray:
    """Inputs of a layer as rows with `size` features.

    Raises:
        ValueError: if there are none, or of another size.
    """
    if inputs is None:
        raise ValueError("Input tensor cannot be None.")
    inputs = np.asarray(inputs)
    if not inputs.size:
        raise ValueError("Input tensor cannot be empty.")
    features, axis = 1, inputs.ndim
    while features < size and axis:
        axis -= 1
        features *= inputs.shape[axis]
    if features != size:
        raise ValueError(
            f"Input tensor has shape {inputs.shape}, which does not match: do not match input features {size}."
        )
    return inputs.reshape(-1, size)


def set_integers(layer: Any, bits: int, integers: Any, scale: Any, zero: Any, groups: Any, **more) -> None:
    """Puts integers ``(outputs, inputs)`` into a layer's variables, with scales, zero points and groups.

    Args:
        layer: the layer.
        bits: the number of bits of the integers.
        integers: the integers.
        scale: the scales.
        zero: the zero points.
        groups: the number of the group of each input.
        **more: values of further variables.
    """
    packed = pack_int4(np.asarray(integers, "uint8"), dtype="uint8")[0] if bits == 4 else integers
    parts = {"quantized": packed, "scale": scale, "zero": zero, "g_idx": groups} | more
    for part, value in parts.items():
        getattr(layer, layer.part(part)).assign(value)
    layer.calibrated()
