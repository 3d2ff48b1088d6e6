"""Dense layers over any axes, written as Einstein sums."""

import math
import re

import jax.numpy as jnp
from jax import Array

from ..core.errors import InputDataError
from ..core.fields import ANY, field
from ..kernels.product import project, type_of_sums
from ..kernels.reduction import add_bias
from .arguments import Activation, Constraint, Initializer, Regularizer
from .quantized import MainWeight, QuantizableLayer

_DOTS = "0123456789"  # letters for the axes of an ellipsis


def _tail_shape(name, value):
    return (value,) if isinstance(value, int) else tuple(value)


class EinsumDense(QuantizableLayer):
    """A dense layer over any axes, written as an Einstein sum: ``activation(einsum(equation, inputs, kernel) + bias)``.

    Shapes: those that the equation says. The equation ``"ab,bc->ac"`` makes it a `Dense` layer.

    >>> import numpy as np
    >>> EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(np.ones((2, 5, 3))).shape
    (2, 5, 8)
    """

    ignored_arguments = QuantizableLayer.ignored_arguments | {"gptq_unpacked_column_size": ANY}
    kernel = MainWeight()

    equation: str = field(
        doc='Einstein sum such as `"abc,cd->abd"`. An ellipsis in the inputs and the outputs stands for any axes.'
    )
    _output_shape: tuple = field(
        _tail_shape,
        alias="output_shape",
        doc="Sizes of the outputs' axes, without the batch and those of an ellipsis. `None` if unknown.",
    )
    activation: Activation = None
    bias_axes: str = field(default=None, doc="Letters of the output axes along which the bias varies. `None`: no bias.")
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None
    activity_regularizer: Regularizer = None

    def _subscripts(self, input_shape):
        """The letters of inputs, kernel and outputs, with digits for an ellipsis, and the size of each letter."""
        match = re.fullmatch(r"([a-zA-Z.]+),([a-zA-Z]+)->([a-zA-Z.]+)", self.equation.replace(" ", ""))
        inputs, kernel, outputs = match.groups() if match else ("", "", "")
        if not match or inputs.count("...") != outputs.count("..."):
            raise InputDataError(
                f"EinsumDense: expected an equation such as 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'. "
                f"Received: equation={self.equation!r}"
            )
        dots = _DOTS[: len(input_shape) - len(inputs.replace("...", ""))] if "..." in inputs else ""
        inputs, outputs = inputs.replace("...", dots), outputs.replace("...", dots)
        if len(inputs) != len(input_shape):
            raise InputDataError(
                f"Layer {self.name} (EinsumDense): the equation {self.equation!r} wants {len(inputs)} axes. Received "
                f"the input shape {tuple(input_shape)}."
            )
        sizes = dict(zip(inputs, input_shape))
        given = [letter for letter in outputs if letter not in dots][0 if outputs[0] in dots else 1 :]
        if len(given) != len(self._output_shape):
            raise InputDataError(
                f"EinsumDense: output_shape={self._output_shape} does not give one size for each of the axes {given} "
                f"of the equation {self.equation!r}."
            )
        for letter, size in zip(given, self._output_shape):
            known = sizes.get(letter)
            if size is not None and known is not None and size != known:
                raise InputDataError(
                    f"Layer {self.name} (EinsumDense): axis {letter!r} has size {known} in the inputs, but "
                    f"output_shape={self._output_shape} says {size}."
                )
            sizes[letter] = known if size is None else size
        for letter in kernel:
            if letter not in sizes:
                raise InputDataError(
                    f"EinsumDense: axis {letter!r} of the kernel is neither in the inputs nor in the outputs of "
                    f"{self.equation!r}."
                )
        return inputs, kernel, outputs, sizes

    def build(self, input_shape: tuple) -> None:
        inputs, kernel, outputs, sizes = self._subscripts(input_shape)
        self._letters = (inputs, kernel, outputs)
        self.add_main_weight(tuple(sizes[letter] for letter in kernel), input_shape)
        summed = [letter for letter in kernel if letter not in outputs]
        kept, new = inputs[: -len(summed) or None], kernel[len(summed) :]
        in_order = summed and f"{kept}{new}" == outputs and inputs[len(kept) :] == kernel[: len(summed)]
        self._summed = len(summed) if in_order else None
        self.bias = None
        if self.bias_axes:
            first = min(outputs.index(letter) for letter in self.bias_axes)
            shape = tuple(sizes[letter] if letter in self.bias_axes else 1 for letter in outputs[first:])
            self.bias = self.add_weight("bias", shape)
        self.add_lora_if_asked()

    def product(self, inputs: Array, weight: Array) -> Array:
        if self._summed:
            return project(inputs, weight, self._summed)
        return jnp.einsum(self.equation, inputs, weight, preferred_element_type=type_of_sums(inputs))

    def call(self, inputs: Array) -> Array:
        return self.finish(self.product(inputs, self.float_weight()))

    def finish(self, outputs: Array) -> Array:
        return self.activation(outputs if self.bias is None else add_bias(outputs, self.bias.value))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        _, _, outputs, sizes = self._subscripts(input_shape)
        return tuple(sizes[letter] for letter in outputs)

    # --- what quantization needs to know of the kernel

    def summed_axes(self) -> tuple[int, ...]:
        _, kernel, outputs = self._letters
        return tuple(axis for axis, letter in enumerate(kernel) if letter not in outputs)

    def summed_input_axes(self) -> tuple[int, ...]:
        inputs, _, outputs = self._letters
        return tuple(axis for axis, letter in enumerate(inputs) if letter not in outputs)

    def for_outputs(self, scale: Array) -> Array:
        return _aligned(scale, *self._letters[1:])

    def of_outputs(self, scale: Array) -> Array:
        return _aligned(scale, self._letters[2], self._letters[1])

    def inputs_to_outputs(self, scale: Array) -> Array:
        return _aligned(scale, self._letters[0], self._letters[2])

    def _order(self):
        """The kernel's axes, those first that are summed over; and how many they are."""
        summed = self.summed_axes()
        return (*summed, *(axis for axis in range(len(self.kernel_shape)) if axis not in summed)), len(summed)

    def matrix_shape(self) -> tuple[int, int]:
        order, count = self._order()
        sizes = [self.kernel_shape[axis] for axis in order]
        return math.prod(sizes[:count]), math.prod(sizes[count:])

    def as_matrix(self, weight: Array) -> Array:
        return jnp.transpose(weight, self._order()[0]).reshape(self.matrix_shape())

    def from_matrix(self, matrix: Array) -> Array:
        order, count = self._order()
        sizes = [self.kernel_shape[axis] for axis in order]
        if matrix.shape[0] == 1:
            sizes[:count] = [1] * count
        return jnp.transpose(matrix.reshape(sizes), [order.index(axis) for axis in range(len(order))])

    def lora_outputs(self, inputs: Array, a: Array, b: Array) -> Array:
        if self._letters[1][-1] != self._letters[2][-1]:
            return self.product(inputs, jnp.matmul(a, b))
        return super().lora_outputs(inputs, a, b)


def _aligned(scale, have, want):
    """A scale with axes for the letters `have`, with axes for `want`. Those that go or come have size 1."""
    scale = jnp.squeeze(scale, tuple(axis for axis, letter in enumerate(have) if letter not in want))
    kept = [letter for letter in have if letter in want]
    scale = jnp.transpose(scale, [kept.index(letter) for letter in want if letter in kept])
    return jnp.expand_dims(scale, [axis for axis, letter in enumerate(want) if letter not in kept])
