"""Layers whose outputs have the shape of the inputs: they apply a function, add a penalty, or mark steps."""

import jax.numpy as jnp

from .. import regularizers
from ..core.fields import field
from .arguments import Activation
from .base import Layer


class Elementwise(Layer):
    """Base of layers whose outputs have the inputs' shape and mask."""

    supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape


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
