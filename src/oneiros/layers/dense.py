"""The densely connected layer."""

from jax import Array

from ..core.fields import field
from ..kernels.product import project
from ..kernels.reduction import add_bias
from .arguments import Activation, Constraint, Initializer, PositiveInt, Regularizer, UseBias
from .input_spec import InputSpec
from .quantized import MainWeight, QuantizableLayer


class Dense(QuantizableLayer):
    """A densely connected layer: ``activation(inputs @ kernel + bias)``.

    Shapes: ``(batch, ..., features)`` to ``(batch, ..., units)``. The kernel is of shape ``(features, units)``, the
    bias of shape ``(units,)``.

    >>> import numpy as np
    >>> Dense(3)(np.ones((2, 4))).shape
    (2, 3)
    """

    units: PositiveInt = field(doc="Size of the last axis of the outputs.")
    activation: Activation = None
    use_bias: UseBias = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    input_spec = InputSpec(min_ndim=2)
    supports_masking = True
    kernel = MainWeight()

    def build(self, input_shape: tuple) -> None:
        self.add_main_weight((input_shape[-1], self.units), input_shape)
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self.add_lora_if_asked()
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def product(self, inputs: Array, weight: Array) -> Array:
        return project(inputs, weight)

    def call(self, inputs: Array) -> Array:
        return self.finish(project(inputs, self.float_weight()))

    def finish(self, outputs: Array) -> Array:
        return self.activation(outputs if self.bias is None else add_bias(outputs, self.bias.value))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)
