"""What residual branches of deep networks end with: a learned factor for each channel, and dropping of the branch."""

import jax.numpy as jnp
from jax import Array

from ..core.checks import fraction
from ..core.fields import field
from ..initializers import Constant
from ..kernels import random
from .arguments import PositiveInt
from .elementwise import Elementwise
from .regularization import Noise


class LayerScale(Elementwise):
    """Multiplies each channel by a learned factor, which is small at first.

    Shapes: ``(..., channels)``, and the same for the outputs. The weight `gamma` is of shape ``(channels,)``. From
    Touvron et al., "Going Deeper with Image Transformers", 2021 (arXiv:2103.17239).

    >>> import numpy as np
    >>> LayerScale(0.5, 2)(np.array([[1.0, 4.0]])).tolist()
    [[0.5, 2.0]]
    """

    init_values: float = field(doc="Value of all factors before training.")
    projection_dim: PositiveInt = field(doc="Number of channels.")

    def build(self, input_shape: tuple) -> None:
        self.gamma = self.add_weight("gamma", (self.projection_dim,), initializer=Constant(self.init_values))

    def call(self, inputs: Array) -> Array:
        return inputs * self.gamma.value


class StochasticDepth(Noise):
    """Sets all values of a random fraction of the examples to zero, and divides the others by the fraction kept.

    At the end of a residual branch, it drops the branch. It acts in training only.

    Shapes: ``(batch, ...)``, and the same for the outputs. From Huang et al., "Deep Networks with Stochastic Depth",
    2016 (arXiv:1603.09382).

    >>> import numpy as np
    >>> outputs = StochasticDepth(0.5)(np.ones((100, 3)), training=True)
    >>> sorted({tuple(example) for example in outputs.tolist()})
    [(0.0, 0.0, 0.0), (2.0, 2.0, 2.0)]
    """

    strength = "drop_path_rate"

    drop_path_rate: float = field(fraction, first=True, doc="Probability that an example is dropped, from 0 to 1.")

    seed = None

    def disturb(self, inputs: Array, key: Array) -> Array:
        """The inputs with some examples dropped, as in `Dropout.disturb`."""
        if self.drop_path_rate == 1:
            return inputs * 0
        ones = (1,) * (inputs.ndim - 1)
        kept = random.dropout_mask(key, self.drop_path_rate, (inputs.shape[0], *ones))
        return jnp.where(kept, inputs / (1 - self.drop_path_rate), 0)
