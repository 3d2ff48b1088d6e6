"""Activations that have parameters, as layers."""

import jax
import jax.numpy as jnp

from .. import activations
from ..core.errors import InputDataError
from .core import Elementwise
from .input_spec import InputSpec


def _slope(layer, name, value):
    if value is None or value < 0:
        raise InputDataError(f"{layer}: {name} cannot be None or negative. Received: {name}={value!r}")
    return float(value)


class ReLU(Elementwise):
    """``x`` above `threshold` (at most `max_value`, if given), else ``negative_slope * (x - threshold)``."""

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _slope("ReLU", "max_value", max_value)
        self.negative_slope = _slope("ReLU", "negative_slope", negative_slope)
        self.threshold = _slope("ReLU", "threshold", threshold)

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Elementwise):
    """``x`` where it is positive, else ``negative_slope * x``. alpha: the older name of `negative_slope`.

    >>> import numpy as np
    >>> LeakyReLU(0.5)(np.array([[-2.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _slope("LeakyReLU", "negative_slope", negative_slope)

    alpha = property(lambda self: self.negative_slope)

    def call(self, inputs):
        return jax.nn.leaky_relu(inputs, self.negative_slope)


class ELU(Elementwise):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2016)."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return jax.nn.elu(inputs, self.alpha)


class ThresholdedReLU(Elementwise):
    """``x`` where ``x > theta``, else 0."""

    def __init__(self, theta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.theta = _slope("ThresholdedReLU", "theta", theta)

    def call(self, inputs):
        return jnp.where(inputs > self.theta, inputs, 0)


class PReLU(Elementwise):
    """``x`` where it is positive, else ``alpha * x`` with a learned `alpha` for each feature (He et al. 2015).

    shared_axes: axes (from 1) along which `alpha` is the same, such as ``[1, 2]`` after a Conv2D.
    """

    def __init__(
        self, alpha_initializer="zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):
        super().__init__(**kwargs)
        self._resolve(
            alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint
        )
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)

    def build(self, input_shape):
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        shape = tuple(1 if axis in shared else n for axis, n in enumerate(input_shape))[1:]
        self.alpha = self._weight("alpha", shape)
        own = {axis: n for axis, n in enumerate(input_shape) if axis and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs):
        return jnp.maximum(inputs, 0) + self.alpha * jnp.minimum(inputs, 0)


class Softmax(Elementwise):
    """``exp(x) / sum(exp(x))`` over `axis` (one axis or several).

    mask: True where an element takes part, of a shape that broadcasts to that of the inputs. The others, and all
    where none takes part, become 0.

    >>> import numpy as np
    >>> Softmax()(np.array([[1.0, 1.0, 5.0]]), mask=np.array([[True, True, False]])).tolist()
    [[0.5, 0.5, 0.0]]
    """

    _inert = Elementwise._inert | {"robust_masking": False}

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
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
