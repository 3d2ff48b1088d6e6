"""AWQ: weights are scaled before they are rounded, so that those lose least that meet large inputs.

Source: Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration" (arXiv:2306.00978),
section 3.2. The scale of an input is a power of its size; the exponent is searched on a grid.
"""

from typing import Any

import numpy as np

from .functions import compute_quantization_parameters, dequantize_with_sz_map, quantize_with_sz_map
from .gptq import check_layer, rows_of, set_integers
from .objects import AWQConfig


def _rounded(weights, group_size, bits=4):
    """Integers, scales, zero points and groups of a matrix ``(outputs, inputs)``."""
    scale, zero, largest = compute_quantization_parameters(weights, bits=bits, per_channel=True, group_size=group_size)
    inputs = weights.shape[1]
    groups = np.arange(inputs) // (inputs if group_size == -1 else group_size)
    return quantize_with_sz_map(weights, scale, zero, groups, largest), scale, zero, groups


def awq_search_optimal_scales(
    weights: Any, activation_magnitudes: Any, *, num_grid_points: int = 20, group_size: int = -1
) -> np.ndarray:
    """The scales of the inputs for which the rounded weights err least, weighted by the sizes of the inputs.

    Args:
        weights: a matrix ``(outputs, inputs)``.
        activation_magnitudes: the size of each input.
        num_grid_points: the number of exponents from 0 to 1 that are tried.
        group_size: how many inputs share a scale of the integers; -1 for all.

    >>> awq_search_optimal_scales(np.ones((2, 3)), np.array([1.0, 2.0, 4.0]), num_grid_points=1).tolist()
    [1.0, 1.0, 1.0]
    """
    weights = np.asarray(weights, "float32")
    sizes = np.maximum(np.asarray(activation_magnitudes, "float32"), 1e-8)
    best, least = np.ones_like(sizes), np.inf
    for exponent in np.arange(num_grid_points) / num_grid_points:
        scales = sizes**exponent
        scales = np.maximum(scales / np.sqrt(scales.max() * scales.min()), 1e-8)
        integers, *parameters = _rounded(weights * scales, group_size)
        errors = (np.asarray(dequantize_with_sz_map(integers, *parameters)) / scales - weights) * sizes
        if (error := np.mean(np.square(errors))) < least:
            best, least = scales, error
    return best.astype("float32")


def awq_quantize_matrix(
    weights_transpose: Any, activation_magnitudes: Any, *, num_grid_points: int = 20, group_size: int = -1
) -> tuple:
    """Integers in place of a matrix whose inputs are scaled before.

    Args:
        weights_transpose: the matrix ``(outputs, inputs)``.
        activation_magnitudes: the size of each input.
        num_grid_points: as in `awq_search_optimal_scales`.
        group_size: how many inputs share a scale of the integers; -1 for all.

    Returns:
        The integers ``(outputs, inputs)``, their scales and zero points ``(outputs, groups)``, the scales of the
        inputs, and the number of the group of each input.
    """
    weights = np.asarray(weights_transpose, "float32")
    scales = awq_search_optimal_scales(
        weights, activation_magnitudes, num_grid_points=num_grid_points, group_size=group_size
    )
    integers, scale, zero, groups = _rounded(weights * scales, group_size)
    return integers, scale, zero, scales, groups.astype("float32")


class AWQ:
    """The quantization of one layer by AWQ: it takes the layer's inputs, then sets its integers.

    Args:
        layer: a `Dense` or `EinsumDense` layer.
        config: the configuration.

    Raises:
        TypeError: if the layer is of another class.

    >>> import oneiros as keras
    >>> layer = keras.layers.Dense(3)
    >>> layer.build((None, 4))
    >>> config = AWQConfig(None, None, group_size=-1)
    >>> layer.quantize("awq", config=config)
    >>> run = AWQ(layer, config)
    >>> run.update_activation_magnitudes(np.random.default_rng(0).normal(size=(20, 4)))
    >>> run.quantize_layer()
    >>> layer.kernel.dtype
    dtype('uint8')
    """

    def __init__(self, layer: Any, config: AWQConfig | None = None):
        check_layer(layer)
        self.layer, self.config = layer, config or AWQConfig(None, None)
        self.rows, self.columns = layer.matrix_shape()
        self.activation_magnitudes = np.zeros(self.rows, "float32")
        self.num_samples = 0

    def update_activation_magnitudes(self, batch: Any) -> None:
        """Takes inputs of the layer into account: the largest absolute value of each.

        Args:
            batch: an array whose last axes are those that the layer sums over.

        Raises:
            ValueError: if there are none, or of another size.
        """
        x = np.abs(rows_of(batch, self.rows).astype("float32"))
        self.activation_magnitudes = np.maximum(self.activation_magnitudes, x.max(0))
        self.num_samples += len(x)

    def quantize_layer(self) -> None:
        """Finds the scales and the integers, and puts them into the layer."""
        layer, config = self.layer, self.config
        integers, scale, zero, scales, groups = awq_quantize_matrix(
            np.array(layer.as_matrix(layer.main_weight.raw)).T,
            self.activation_magnitudes,
            num_grid_points=config.num_grid_points,
            group_size=config.group_size,
        )
        set_integers(layer, config.weight_bits, integers, scale, zero, groups, awq_scales=scales)

    def free(self) -> None:
        """Lets go of the layer and of what was collected."""
        del self.layer, self.activation_magnitudes
