"""Layers whose outputs have the shape of the inputs: they apply a function, add a penalty, or mark steps."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from .. import regularizers
from ..core.fields import field
from .arguments import Activation
from .base import Layer


class Elementwise(Layer):
    """Base of layers whose outputs have the shape and the mask of the inputs. Subclasses write `call`.

    >>> import numpy as np
    >>> class Double(Elementwise, abstract=True):
    ...     def call(self, inputs):
    ...         return inputs * 2
    >>> Double()(np.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """

    supports_masking = True

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


class Identity(Elementwise):
    """Returns its inputs unchanged.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> Identity()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    def call(self, inputs: Array) -> Array:
        return inputs


class Activation(Elementwise):
    """Applies an activation function to its inputs.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    activation: Activation = field()

    def call(self, inputs: Array) -> Array:
        return self.activation(inputs)


class ActivityRegularization(Elementwise):
    """Returns its inputs unchanged and adds a penalty on them to the loss: ``l1 * sum(|x|) + l2 * sum(x**2)``.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> layer = ActivityRegularization(l1=0.5)
    >>> outputs = layer(np.array([[1.0, -3.0]]))
    >>> [float(loss) for loss in layer.losses]
    [2.0]
    """

    l1: float = field(default=0.0, doc="Factor of the sum of the absolute values.")
    l2: float = field(default=0.0, doc="Factor of the sum of the squares.")

    def __post_init__(self):
        super().__post_init__()
        self.activity_regularizer = regularizers.L1L2(self.l1, self.l2)

    def call(self, inputs: Array) -> Array:
        return inputs


class Masking(Elementwise):
    """Marks steps of sequences as missing if all their features equal `mask_value`, and sets them to zero.

    Shapes: ``(batch, steps, features)``, and the same for the outputs. The outputs carry a mask of shape
    ``(batch, steps)``, which is False at missing steps.

    >>> import numpy as np
    >>> Masking(-1.0)(np.array([[[-1.0, -1.0], [2.0, -1.0]]])).tolist()
    [[[0.0, 0.0], [2.0, -1.0]]]
    """

    mask_value: float = field(default=0.0, doc="The value that marks a step as missing.")

    def call(self, inputs: Array) -> Array:
        return jnp.where(self.compute_mask(inputs)[..., None], inputs, 0)

    makes_masks = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.any(inputs != self.mask_value, axis=-1)
