"""How a layer keeps its main weight in fewer bits, and how it computes with it: one class for each mode.

A mode has no state: the variables are the layer's, under the names and in the order of Keras 3's files. The layers
(see `quantized`) say what is different between them: which axes are summed over, and how their weight is a matrix.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..kernels import float8
from ..kernels.embedding import take_rows
from ..kernels.product import straight_through
from ..quantizers import (
    AbsMaxQuantizer,
    abs_max_quantize_grouped_with_zero_point,
    dequantize_with_sz_map,
    pack_int4,
    unpack_int4,
)


def _along(quantizer, x, axis):
    """Integers and scale of a quantizer that may have axes of its own."""
    return quantizer(x, axis=axis) if getattr(quantizer, "axis", axis) is None else quantizer(x)


def _blocks(layer):
    """The length of the blocks that share a scale, `None` for whole columns."""
    size = getattr(layer.quantization_config, "block_size", None)
    return None if size in (None, -1) else size


def _dequantized(values, scale, zero, size, axis):
    """The floats of integers that have a scale and a zero point for each block along an axis."""

    def of_each(parameters):
        if parameters.shape[axis] == 1:  # no gathers, which are slow
            return parameters
        return jax.lax.slice_in_dim(jnp.repeat(parameters, size, axis), 0, values.shape[axis], axis=axis)

    return (values.astype(scale.dtype) - of_each(zero).astype(scale.dtype)) * of_each(scale)


class Mode:
    """Base class of the modes. `parts` are the endings of the names of a layer's variables, in the order of files."""

    parts: tuple = ()
    keeps_floats = False  # whether the weight stays as it is, beside what the mode adds

    def build(self, layer: Any) -> None:
        """Makes the variables."""
        raise NotImplementedError

    def values(self, layer: Any, weight: Array) -> dict:
        """The values of the variables for a weight, by the names of attributes."""
        raise NotImplementedError

    def apply(self, layer: Any, inputs: Array) -> Array:
        """The layer's outputs, without bias and activation."""
        raise NotImplementedError

    def shown(self, layer: Any) -> Any:
        """What the attribute `kernel` or `embeddings` is, without LoRA."""
        return layer.main_weight

    def dequantized(self, layer: Any) -> Array:
        """The weight that the variables stand for."""
        raise NotImplementedError

    def names(self, layer: Any) -> list[str]:
        """The attributes of the variables that files hold, apart from the bias."""
        return [layer.main_name, *(layer.part(part) for part in self.parts)]


class Int8Kernel(Mode):
    """A kernel of 8-bit integers with a scale for each output, multiplied with inputs of 8-bit integers.

    Source: Dettmers et al., "LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale" (arXiv:2208.07339),
    without its treatment of outliers.
    """

    parts = ("scale",)

    def build(self, layer: Any) -> None:
        shape = layer.kernel_shape
        ones = [1 if axis in layer.summed_axes() else size for axis, size in enumerate(shape)]
        layer.add_part(None, shape, "int8")
        layer.add_part("scale", layer.for_outputs(np.ones(ones)).shape, initializer="ones")

    def values(self, layer: Any, weight: Array) -> dict:
        quantizer = layer.quantization_config.weight_quantizer or AbsMaxQuantizer(axis=layer.summed_axes())
        values, scale = _along(quantizer, weight, layer.summed_axes())
        return {layer.main_name: values, layer.part("scale"): layer.for_outputs(scale)}

    def apply(self, layer: Any, inputs: Array) -> Array:
        return _integer_outputs(layer, inputs, layer.main_weight.raw, layer.value_of("scale"))

    def dequantized(self, layer: Any) -> Array:
        return layer.main_weight.raw.astype(layer.variable_dtype) / layer.of_outputs(layer.value_of("scale"))


def _integer_outputs(layer, inputs, kernel, scale):
    """The product with a kernel of integers; gradients are those of the kernel that it stands for."""
    quantizer = layer.inputs_quantizer
    scale = scale.astype(inputs.dtype)

    def smooth(x, kernel, scale):
        return layer.product(x, kernel.astype(x.dtype)) / scale

    def exact(x, kernel, scale):
        axis = layer.summed_input_axes()  # in place of the quantizer's own: else the scales would not fit the sums
        values, x_scale = quantizer(x, axis=axis) if hasattr(quantizer, "axis") else quantizer(x)
        return layer.product(values, kernel).astype(x.dtype) / (layer.inputs_to_outputs(x_scale) * scale)

    outputs = (
        smooth(inputs, kernel, scale) if quantizer is None else straight_through(exact, smooth, inputs, kernel, scale)
    )
    return layer.with_lora(inputs, outputs)


class Int4Kernel(Mode):
    """A kernel of 4-bit integers, two in a byte, with a scale and a zero point for each block of a column.

    The kernel is stored as a matrix with as many rows as the axes that are summed over have places. As in Keras 3 its
    axes keep their order, so that a row need not be one of those places.
    """

    def build(self, layer: Any) -> None:
        rows, columns = layer.matrix_shape()
        size = _blocks(layer)
        layer.add_part(None, (rows, -(-columns // 2)), "int8")
        groups = () if size is None else (-(-rows // size),)
        layer.add_part("scale", (*groups, columns), initializer="ones")
        if size is not None:
            layer.add_part("zero", (*groups, columns), "int8")
            layer.add_part("g_idx", (rows,), "float32", value=np.arange(rows) // size)

    def names(self, layer: Any) -> list[str]:
        parts = ("scale",) if _blocks(layer) is None else ("scale", "zero", "g_idx")
        return [layer.main_name, *(layer.part(part) for part in parts)]

    def values(self, layer: Any, weight: Array) -> dict:
        matrix, size = weight.reshape(layer.matrix_shape()), _blocks(layer)
        if size is None:
            quantizer = layer.quantization_config.weight_quantizer or AbsMaxQuantizer(axis=0, value_range=(-8, 7))
            values, scale = _along(quantizer, matrix, 0)
            zeros = {layer.part("scale"): scale[0]}
        else:
            values, scale, zero = abs_max_quantize_grouped_with_zero_point(matrix, size)
            zeros = {layer.part("scale"): scale, layer.part("zero"): zero}
        return {layer.main_name: pack_int4(values, axis=-1)[0], **zeros}

    def apply(self, layer: Any, inputs: Array) -> Array:
        columns_are_outputs = layer.summed_axes() == tuple(range(len(layer.summed_axes())))
        if _blocks(layer) is None and layer.inputs_quantizer is not None and columns_are_outputs:
            scale = layer.for_outputs(layer.from_matrix(layer.value_of("scale")[None]))
            return _integer_outputs(layer, inputs, layer.from_matrix(self._integers(layer)), scale)
        outputs = layer.product(inputs, self.dequantized(layer).astype(inputs.dtype))
        return layer.with_lora(inputs, outputs)

    def _integers(self, layer):
        return unpack_int4(layer.main_weight.raw, layer.matrix_shape()[1], axis=-1)

    def shown(self, layer: Any) -> Any:
        return self._integers(layer)

    def dequantized(self, layer: Any) -> Array:
        values, scale = self._integers(layer), layer.value_of("scale")
        if _blocks(layer) is None:
            return (values.astype(scale.dtype) / scale).reshape(layer.kernel_shape)
        return _dequantized(values, scale, layer.value_of("zero"), _blocks(layer), 0).reshape(layer.kernel_shape)


class Float8Kernel(Mode):
    """A kernel in floats whose products are those of 8-bit floats, for training. `kernels.float8` has the source."""

    keeps_floats = True
    _operands = ("inputs", "kernel", "outputs_grad")

    def build(self, layer: Any) -> None:
        length = getattr(layer.layer_policy, "amax_history_length", 1024)
        for operand in self._operands:
            for name, shape, value in (("scale", (), 1.0), ("amax_history", (length,), 0.0)):
                variable = layer.add_weight(
                    f"{operand}_{name}", shape, "float32", "ones" if value else "zeros", trainable=True
                )
                variable.overwrite_with_gradient = True
                setattr(layer, variable.path.rpartition("/")[2], variable)

    def names(self, layer: Any) -> list[str]:
        return [layer.main_name, *(f"{o}_{name}" for o in self._operands for name in ("scale", "amax_history"))]

    def apply(self, layer: Any, inputs: Array) -> Array:
        scales = [(getattr(layer, f"{o}_scale").raw, getattr(layer, f"{o}_amax_history").raw) for o in self._operands]
        kernel = layer.float_weight()
        outputs = layer.product(float8.inwards(inputs, *scales[0]), float8.inwards(kernel, *scales[1]))
        return float8.outwards(outputs, *scales[2])


class CalibratedKernel(Mode):
    """A kernel of few bits that was found with data, by GPTQ or AWQ. Until then, it stays as it is.

    It is stored as a matrix of outputs and inputs; integers of 4 bits share bytes along the outputs.
    """

    keeps_floats = True

    def build(self, layer: Any) -> None:
        rows, columns = layer.matrix_shape()
        config = layer.quantization_config or layer.layer_policy
        size, bits = config.group_size, config.weight_bits
        groups = 1 if size == -1 else -(-rows // size)
        layer.add_part("quantized", (-(-columns // 2) if bits == 4 else columns, rows), "uint8")
        layer.add_part("scale", (columns, groups), initializer="ones")
        layer.add_part("zero", (columns, groups), "uint8")
        if layer.quantization_mode == "awq":
            layer.add_part("awq_scales", (rows,), initializer="ones")
        layer.add_part("g_idx", (rows,), "float32", value=np.arange(rows) // (rows if size == -1 else size))

    def names(self, layer: Any) -> list[str]:
        extra = ["awq_scales"] if layer.quantization_mode == "awq" else []
        return [layer.part(part) for part in ("quantized", "scale", "zero", *extra, "g_idx")]

    def apply(self, layer: Any, inputs: Array) -> Array:
        kernel = self.dequantized(layer) if layer.is_calibrated else layer.float_weight()
        outputs = layer.product(inputs, kernel.astype(inputs.dtype))
        return layer.with_lora(inputs, outputs) if layer.is_calibrated else outputs

    def _integers(self, layer):
        values = getattr(layer, layer.part("quantized")).raw
        config = layer.quantization_config or layer.layer_policy
        return unpack_int4(values, layer.matrix_shape()[1], dtype="uint8") if config.weight_bits == 4 else values

    def shown(self, layer: Any) -> Any:
        return self._integers(layer) if layer.is_calibrated else layer.main_weight

    def dequantized(self, layer: Any) -> Array:
        scale, zero, groups = (layer.value_of(part) for part in ("scale", "zero", "g_idx"))
        matrix = dequantize_with_sz_map(self._integers(layer), scale, zero, groups).T
        if layer.quantization_mode == "awq":
            matrix = matrix / layer.value_of("awq_scales")[:, None]
        return layer.from_matrix(matrix)


# --- embeddings


class Int8Rows(Mode):
    """Embeddings of 8-bit integers with a scale for each row."""

    parts = ("scale",)

    def build(self, layer: Any) -> None:
        layer.add_part(None, layer.kernel_shape, "int8")
        layer.add_part("scale", layer.kernel_shape[:1], initializer="ones")

    def values(self, layer: Any, weight: Array) -> dict:
        quantizer = layer.quantization_config.weight_quantizer or AbsMaxQuantizer(axis=-1)
        values, scale = _along(quantizer, weight, -1)
        return {layer.main_name: values, layer.part("scale"): jnp.squeeze(scale, -1)}

    def apply(self, layer: Any, inputs: Array) -> Array:
        scale = take_rows(layer.value_of("scale"), inputs)[..., None]
        rows = take_rows(layer.main_weight.raw, inputs).astype(scale.dtype) / scale
        return layer.with_lora(inputs, rows.astype(layer.compute_dtype))

    def dequantized(self, layer: Any) -> Array:
        return layer.main_weight.raw.astype(layer.variable_dtype) / layer.value_of("scale")[:, None]


class Int4Rows(Mode):
    """Embeddings of 4-bit integers, two in a byte, with a scale and a zero point for each block of a row."""

    def build(self, layer: Any) -> None:
        (rows, columns), size = layer.kernel_shape, _blocks(layer)
        layer.add_part(None, (rows, -(-columns // 2)), "int8")
        groups = () if size is None else (-(-columns // size),)
        layer.add_part("scale", (rows, *groups), initializer="ones")
        if size is not None:
            layer.add_part("zero", (rows, *groups), "int8")
            layer.add_part("g_idx", (columns,), "float32", value=np.arange(columns) // size)

    names = Int4Kernel.names

    def values(self, layer: Any, weight: Array) -> dict:
        size = _blocks(layer)
        if size is None:
            quantizer = layer.quantization_config.weight_quantizer or AbsMaxQuantizer(axis=-1, value_range=(-8, 7))
            values, scale = _along(quantizer, weight, -1)
            found = {layer.part("scale"): jnp.squeeze(scale, -1)}
        else:
            values, scale, zero = abs_max_quantize_grouped_with_zero_point(weight.T, size)
            values, found = values.T, {layer.part("scale"): scale.T, layer.part("zero"): zero.T}
        return {layer.main_name: pack_int4(values, axis=-1)[0], **found}

    def _floats(self, layer, take):
        values = unpack_int4(take(layer.main_weight.raw), layer.kernel_shape[1], axis=-1)
        scale = take(layer.value_of("scale"))
        if _blocks(layer) is None:
            return values.astype(scale.dtype) / scale[..., None]
        return _dequantized(values, scale, take(layer.value_of("zero")), _blocks(layer), values.ndim - 1)

    def apply(self, layer: Any, inputs: Array) -> Array:
        rows = self._floats(layer, lambda table: take_rows(table, inputs))
        return layer.with_lora(inputs, rows.astype(layer.compute_dtype))

    def shown(self, layer: Any) -> Any:
        return unpack_int4(layer.main_weight.raw, layer.kernel_shape[1], axis=-1)

    def dequantized(self, layer: Any) -> Array:
        return self._floats(layer, lambda table: table)


KERNEL_MODES = {
    "int8": Int8Kernel(),
    "float8": Float8Kernel(),
    "int4": Int4Kernel(),
    "gptq": CalibratedKernel(),
    "awq": CalibratedKernel(),
}
ROW_MODES = {"int8": Int8Rows(), "int4": Int4Rows()}
