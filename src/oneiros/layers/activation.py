"""Activations that have parameters, as layers."""

import typing

import jax
import jax.numpy as jnp

from .. import activations
from ..core import behaviour
from ..core.errors import InputDataError
from ..core.fields import field, optional
from .arguments import Constraint, Initializer, Regularizer
from .elementwise import Elementwise
from .input_spec import InputSpec


def _not_negative(name, value):
    if value is None or value < 0 and not behaviour.unlimited_arguments:
        raise InputDataError(f"{name} cannot be None or negative. Received: {name}={value!r}")
    return float(value)


def _leak(name, value):
    return float(value) if value is not None and behaviour.negative_leaks else _not_negative(name, value)


def _axes(name, value):
    return [value] if isinstance(value, int) else value and list(value)


class ReLU(Elementwise):
    """The rectified linear unit, with an optional leak, threshold and largest output.

    ``f(x) = max_value`` for ``x >= max_value``, ``x`` for ``threshold <= x < max_value``, and
    ``negative_slope * (x - threshold)`` below.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> ReLU(max_value=2.0)(np.array([[-1.0, 1.0, 3.0]])).tolist()
    [[0.0, 1.0, 2.0]]
    """

    max_value: float = field(optional(_not_negative), default=None, doc="Largest output. `None` sets no limit.")
    negative_slope: float = field(_not_negative, default=0.0, doc="Slope below the threshold.")
    threshold: float = field(_not_negative, default=0.0, doc="Input from which on the output is the input itself.")

    def call(self, inputs: jax.Array) -> jax.Array:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Elementwise):
    """A rectified linear unit with a small slope below zero: ``x`` if ``x > 0``, else ``negative_slope * x``.

    Shapes: any, and the same for the outputs. From Maas et al., "Rectifier Nonlinearities Improve Neural Network
    Acoustic Models", 2013.

    >>> import numpy as np
    >>> LeakyReLU(0.5)(np.array([[-2.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    negative_slope: float = field(_leak, default=0.3, doc="Slope of the negative part.")

    alpha = property(lambda self: self.negative_slope)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jax.nn.leaky_relu(inputs, self.negative_slope)


class ELU(Elementwise):
    """The exponential linear unit: ``x`` if ``x > 0``, else ``alpha * (exp(x) - 1)``.

    Shapes: any, and the same for the outputs. From Clevert et al., "Fast and Accurate Deep Network Learning by
    Exponential Linear Units (ELUs)", 2016.

    >>> import numpy as np
    >>> ELU(alpha=2.0)(np.array([[-100.0, 3.0]])).tolist()
    [[-2.0, 3.0]]
    """

    alpha: float = field(default=1.0, doc="The negative part approaches `-alpha`.")

    def call(self, inputs: jax.Array) -> jax.Array:
        return jax.nn.elu(inputs, self.alpha)


class ThresholdedReLU(Elementwise):
    """Passes on what is larger than a threshold: ``x`` if ``x > theta``, else 0.

    Shapes: any, and the same for the outputs. From Konda et al., "Zero-bias autoencoders and the benefits of
    co-adapting features", 2015.

    >>> import numpy as np
    >>> ThresholdedReLU(theta=1.0)(np.array([[0.5, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    theta: float = field(_not_negative, default=1.0, doc="Inputs up to this become 0.")

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.where(inputs > self.theta, inputs, 0)


class PReLU(Elementwise):
    """A leaky rectified linear unit that learns its slope: ``x`` if ``x > 0``, else ``alpha * x``.

    There is one `alpha` for each entry of an example, or for each that is left without the `shared_axes`.

    Shapes: any, and the same for the outputs. From He et al., "Delving Deep into Rectifiers", 2015.

    >>> import numpy as np
    >>> PReLU(alpha_initializer="ones")(np.array([[-2.0, 2.0]])).tolist()
    [[-2.0, 2.0]]
    """

    alpha_initializer: Initializer = "zeros"
    alpha_regularizer: Regularizer = None
    alpha_constraint: Constraint = None
    shared_axes: list = field(
        _axes, default=None, doc="Axes, from 1, along which `alpha` is the same, such as `[1, 2]` after a Conv2D."
    )

    def build(self, input_shape: tuple) -> None:
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        shape = tuple(1 if axis in shared else n for axis, n in enumerate(input_shape))[1:]
        self.alpha = self.add_weight("alpha", shape)
        own = {axis: n for axis, n in enumerate(input_shape) if axis and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.maximum(inputs, 0) + self.alpha * jnp.minimum(inputs, 0)


class Softmax(Elementwise):
    """Turns numbers into probabilities: ``exp(x) / sum(exp(x))``.

    It may be called with a mask that can be broadcast to the inputs. Elements where the mask is False are treated as
    absent: their outputs are 0. Where every element is masked, all outputs are 0.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> Softmax()(np.array([[1.0, 1.0, 5.0]]), mask=np.array([[True, True, False]])).tolist()
    [[0.5, 0.5, 0.0]]
    """

    ignored_arguments = Elementwise.ignored_arguments | {"robust_masking": False}

    axis: typing.Any = field(default=-1, doc="Axis along which the outputs add up to 1, or a list of several.")

    def call(self, inputs: jax.Array, mask: typing.Any = None) -> jax.Array:
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return jax.nn.softmax(inputs, axis)
        if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in zip(mask.shape[::-1], inputs.shape[::-1])):
            raise InputDataError(
                f"Layer {self.name} (Softmax): the mask must be broadcastable to the inputs. Received: "
                f"inputs.shape={inputs.shape}, mask.shape={mask.shape}"
            )
        mask = jnp.broadcast_to(mask.astype(bool), inputs.shape)
        return jax.nn.softmax(jnp.where(mask, inputs, jnp.finfo(inputs.dtype).min), axis) * mask
