"""Dense, and the layers that only apply a function or note something."""

import jax.numpy as jnp

from .. import regularizers
from ..core.fields import field
from ..kernels.product import project
from ..kernels.reduction import add_bias
from .arguments import Activation, Constraint, Initializer, PositiveInt, Regularizer, UseBias
from .base import Layer
from .input_spec import InputSpec


class Elementwise(Layer):
    """Base of layers whose outputs have the inputs' shape and mask."""

    supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape


class Dense(Layer):
    """Densely connected layer: ``activation(inputs @ kernel + bias)``.

    Shapes: ``(..., in)`` to ``(..., units)``.

    >>> import numpy as np
    >>> Dense(3)(np.ones((2, 4))).shape
    (2, 3)
    """

    _inert = Layer._inert | {"lora_rank": None, "lora_alpha": None, "quantization_config": None}

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

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units))
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs):
        outputs = project(inputs, self.kernel.value)
        return self.activation(outputs if self.bias is None else add_bias(outputs, self.bias.value))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


class Identity(Elementwise):
    """The inputs, unchanged."""

    def call(self, inputs):
        return inputs


class Activation(Elementwise):
    """Applies an activation: a name, a function or a layer.

    >>> import numpy as np
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    activation: Activation = field()

    def call(self, inputs):
        return self.activation(inputs)


class ActivityRegularization(Elementwise):
    """Passes its inputs on and adds ``l1 * sum(|inputs|) + l2 * sum(inputs**2)`` to the loss."""

    l1: float = field(default=0.0, doc="Factor of the sum of the absolute values.")
    l2: float = field(default=0.0, doc="Factor of the sum of the squares.")

    def __post_init__(self):
        super().__post_init__()
        self.activity_regularizer = regularizers.L1L2(self.l1, self.l2)

    def call(self, inputs):
        return inputs


class Masking(Elementwise):
    """Marks the steps whose features all equal `mask_value` as missing, and sets them to zero.

    Shapes: ``(N, T, features)`` to the same. The outputs carry a mask of shape ``(N, T)``, False at missing steps.

    >>> import numpy as np
    >>> Masking(-1.0)(np.array([[[-1.0, -1.0], [2.0, -1.0]]])).tolist()
    [[[0.0, 0.0], [2.0, -1.0]]]
    """

    mask_value: float = field(default=0.0, doc="The value that marks a step as missing.")

    def call(self, inputs):
        return jnp.where(self.compute_mask(inputs)[..., None], inputs, 0)

    def compute_mask(self, inputs, mask=None):
        return jnp.any(inputs != self.mask_value, axis=-1)
