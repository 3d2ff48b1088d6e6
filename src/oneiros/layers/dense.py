"""The densely connected layer."""

from jax import Array

from ..core.fields import field
from ..kernels.product import project
from ..kernels.reduction import add_bias
from .arguments import Activation, Constraint, Initializer, PositiveInt, Regularizer, UseBias
from .base import Layer
from .input_spec import InputSpec


class Dense(Layer):
    """A densely connected layer: ``activation(inputs @ kernel + bias)``.

    Shapes: ``(batch, ..., features)`` to ``(batch, ..., units)``. The kernel is of shape ``(features, units)``, the
    bias of shape ``(units,)``.

    >>> import numpy as np
    >>> Dense(3)(np.ones((2, 4))).shape
    (2, 3)
    """

    ignored_arguments = Layer.ignored_arguments | {"lora_rank": None, "lora_alpha": None, "quantization_config": None}

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

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units))
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs: Array) -> Array:
        outputs = project(inputs, self.kernel.value)
        return self.activation(outputs if self.bias is None else add_bias(outputs, self.bias.value))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)
