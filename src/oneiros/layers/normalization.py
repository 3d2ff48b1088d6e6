"""Normalization of activations over the batch, the features, or groups of them, and of weights.

Statistics are taken in float32 (or wider) whatever the layer computes in.
"""

import math
import typing
from typing import Annotated

import jax.numpy as jnp
from jax import Array, lax

from ..core import behaviour, deferred
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..core.fields import Argument, field
from ..kernels import normalization as kernels
from ..kernels.reduction import add_bias, scaled
from .arguments import Constraint, Initializer, Regularizer
from .elementwise import Elementwise
from .input_spec import InputSpec


def _wide(x):
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _axis(name, value):
    """One axis. In configurations of tf.keras it is a list with one entry."""
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise InputDataError(f"expected one axis. Received: {name}={value!r}")
        value = value[0]
    return int(value)


def _axes(name, value):
    return list(value) if isinstance(value, (list, tuple)) else int(value)


def _groups(name, value):
    return value if value == -1 else positive_int(name, value)


def _clipping(name, value):
    """The limits of batch renormalization."""
    if value is None:
        return None
    if set(value) - {"rmax", "rmin", "dmax"}:
        raise InputDataError(f"{name}: expected the limits 'rmax', 'rmin' and 'dmax'. Received: {name}={value!r}")
    if value.get("rmin", 0) > value.get("rmax", math.inf):
        raise InputDataError(f"{name}: expected rmin not to be greater than rmax. Received: {name}={value!r}")
    return dict(value)


Axis = Annotated[int, Argument(_axis)]
Axes = Annotated[int | list, Argument(_axes, doc="Axis of the features, or a list of several.")]
Epsilon = Annotated[float, Argument(doc="Small number added to the variance, so that nothing is divided by 0.")]


class Affine(Elementwise, abstract=True):
    """Base of normalizations that end with ``x * gamma + beta``: the arguments for `gamma` and `beta`."""

    center: bool = field(default=True, doc="Whether there is an offset `beta`.")
    scale: bool = field(default=True, doc="Whether there is a factor `gamma`.")
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None


class BatchNormalization(Affine):
    """Normalizes each feature over the batch to mean 0 and variance 1, then computes ``gamma * x + beta``.

    In training the mean and variance are those of the batch. They also update moving averages:
    ``moving * momentum + new * (1 - momentum)``. Outside of training, and while `trainable` is False, the moving
    averages are used instead. Masked steps are left out of the statistics.

    Shapes: any, and the same for the outputs. From Ioffe & Szegedy, "Batch Normalization: Accelerating Deep Network
    Training by Reducing Internal Covariate Shift", 2015.

    >>> import numpy as np
    >>> x = np.array([[1.0], [3.0]])
    >>> BatchNormalization(epsilon=0.0)(x, training=True).tolist()
    [[-1.0], [1.0]]
    """

    uses_learning_phase = True
    ignored_arguments = Elementwise.ignored_arguments | {"virtual_batch_size": None, "fused": None, "adjustment": None}

    axis: Axis = field(default=-1, first=True, doc="Axis of the features.")
    momentum: float = field(default=0.99, first=True, doc="Share that the moving statistics keep in each update.")
    epsilon: Epsilon = field(default=1e-3, first=True)
    moving_mean_initializer: Initializer = field(default="zeros", after="gamma_initializer")
    moving_variance_initializer: Initializer = field(default="ones", after="moving_mean_initializer")
    renorm: bool = field(default=False, doc="Whether batch renormalization is used (Ioffe, 2017).")
    renorm_clipping: dict = field(
        _clipping, default=None, doc='Its limits `"rmax"`, `"rmin"` and `"dmax"`: those that are given count.'
    )
    renorm_momentum: float = field(default=0.99, doc="Share that its moving statistics keep in each update.")
    synchronized: bool = field(
        default=False, doc="No effect: with several devices, the statistics are always those of the whole batch."
    )

    def __post_init__(self):
        super().__post_init__()
        if self.renorm:
            self.renorm_clipping = self.renorm_clipping or {}

    def build(self, input_shape: tuple) -> None:
        _check_axes(self, (self.axis,), input_shape)
        shape = (input_shape[self.axis],)
        self.gamma = self.add_weight("gamma", shape) if self.scale else None
        self.beta = self.add_weight("beta", shape) if self.center else None
        self.moving_mean = self.add_weight("moving_mean", shape, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", shape, trainable=False)
        self.moving_stddev = self.renorm_mean = self.renorm_stddev = None
        if self.renorm:
            deviation = {"initializer": self._initial_deviation, "trainable": False}
            self.moving_stddev = self.add_weight("moving_stddev", shape, **deviation)
            self.renorm_mean = self.add_weight(
                "renorm_mean", shape, initializer=self.moving_mean_initializer, trainable=False
            )
            self.renorm_stddev = self.add_weight("renorm_stddev", shape, **deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def _initial_deviation(self, shape, dtype=None):
        return self.moving_variance_initializer(shape, dtype) ** 0.5

    def call(self, inputs: Array, training: bool | None = None, mask: typing.Any = None) -> Array:
        x = _wide(inputs if jnp.issubdtype(inputs.dtype, jnp.floating) else inputs.astype(self.compute_dtype))
        axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        mean, variance = self.moving_mean.raw, self.moving_variance.raw
        gamma, beta = _raw(self.gamma), _raw(self.beta)
        if training and (self.trainable or behaviour.frozen_uses_batch):
            mean, variance, count = self._statistics(x, axes, mask)
            if self.renorm:
                gamma, beta = self._corrected(mean, variance, gamma, beta)
            if not deferred.dropped():
                self._move(mean, variance, count)
        return kernels.normalize(x, axes, mean, variance, gamma, beta, self.epsilon).astype(self.compute_dtype)

    def _corrected(self, mean, variance, gamma, beta):
        """`gamma` and `beta` that normalize by the moving statistics what is normalized by those of the batch."""
        limits, deviation = self.renorm_clipping, jnp.sqrt(variance + self.epsilon)
        moving = jnp.maximum(self.renorm_stddev.raw, math.sqrt(self.epsilon))
        factor, offset = deviation / moving, (mean - self.renorm_mean.raw) / moving
        factor = jnp.clip(factor, limits.get("rmin"), limits.get("rmax"))
        if "dmax" in limits:
            offset = jnp.clip(offset, -limits["dmax"], limits["dmax"])
        factor, offset = lax.stop_gradient((factor, offset))
        if gamma is not None:
            factor, offset = factor * gamma, offset * gamma
        return factor, offset if beta is None else offset + beta

    def _statistics(self, x, axes, mask):
        if mask is None:
            return *kernels.batch_norm_train(x, axes), math.prod(x.shape[axis] for axis in axes)
        mask = jnp.asarray(mask)
        if any(size not in (1, whole) for size, whole in zip(mask.shape, x.shape)) or mask.ndim > x.ndim:
            raise InputDataError(
                f"Layer {self.name} (BatchNormalization): a mask of shape {mask.shape} does not fit inputs of shape "
                f"{x.shape} that are normalized along axis {self.axis}."
            )
        weights = jnp.broadcast_to(mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim)), x.shape).astype(x.dtype)
        count = weights.sum(axes)
        divisor = jnp.maximum(count, 1)  # of a channel that is masked throughout nothing is known
        mean = (x * weights).sum(axes) / divisor
        centered = jnp.square(x - jnp.expand_dims(mean, axes))
        return mean, (centered * weights).sum(axes) / divisor, count

    def _move(self, mean, variance, count):
        if behaviour.unbiased_moving_variance:
            variance = variance * (count / jnp.maximum(count - 1, 1))
        moves = [(self.moving_mean, mean, self.momentum)]
        if self.renorm:
            deviation = jnp.sqrt(variance + self.epsilon)
            moves += [(self.moving_stddev, deviation, self.momentum), (self.renorm_mean, mean, self.renorm_momentum)]
            moves += [(self.renorm_stddev, deviation, self.renorm_momentum)]
        else:
            moves += [(self.moving_variance, variance, self.momentum)]
        for moving, new, momentum in moves:
            moving.assign(moving.raw * momentum + lax.stop_gradient(new) * (1 - momentum))
        if self.renorm:
            self.moving_variance.assign(jnp.maximum(jnp.square(self.moving_stddev.raw) - self.epsilon, 0))


def _raw(variable):
    return None if variable is None else variable.raw


def _check_axes(layer, axes, shape):
    rank = len(shape)
    for axis in axes:
        if not -rank <= axis < rank or axis % rank == 0:
            raise InputDataError(
                f"Layer {layer.name} ({type(layer).__name__}): axis {axis} is not one of the inputs' axes beside the "
                f"batch. Received: axis={layer.axis!r}, input shape {tuple(shape)}."
            )
        if shape[axis] is None:
            raise InputDataError(
                f"Layer {layer.name} ({type(layer).__name__}): axis {axis} of the inputs must be known. Received the "
                f"input shape {tuple(shape)}."
            )


def _axes(axis, rank):
    """The numbers of one or several axes, from the first to the last, counted from 0."""
    return tuple(sorted(a % rank for a in (axis if isinstance(axis, list) else [axis])))


class LayerNormalization(Affine):
    """Normalizes the features of each example to mean 0 and variance 1, then computes ``gamma * x + beta``.

    Shapes: any, and the same for the outputs. From Ba, Kiros & Hinton, "Layer Normalization", 2016.

    >>> import numpy as np
    >>> LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    ignored_arguments = Elementwise.ignored_arguments | {"rms_scaling": False}

    axis: Axes = field(default=-1, first=True)
    epsilon: Epsilon = field(default=1e-3, first=True)

    def __post_init__(self):
        super().__post_init__()
        self.autocast = False  # what is large for 16 bits is not large any more once it is normalized

    def build(self, input_shape: tuple) -> None:
        _check_axes(self, self.axis if isinstance(self.axis, list) else [self.axis], input_shape)
        shape = tuple(input_shape[axis] for axis in _axes(self.axis, len(input_shape)))
        self.gamma = self.add_weight("gamma", shape) if self.scale else None
        self.beta = self.add_weight("beta", shape) if self.center else None

    def call(self, inputs: Array) -> Array:
        x = _wide(inputs)
        axes = _axes(self.axis, x.ndim)
        centered = x - x.mean(axes, keepdims=True)
        outputs = centered * lax.rsqrt(jnp.square(centered).mean(axes, keepdims=True) + self.epsilon)
        gaps = [axis - axes[0] for axis in range(axes[0], x.ndim) if axis not in axes]
        if self.scale:
            outputs = scaled(outputs, jnp.expand_dims(self.gamma.raw, gaps))
        if self.center:
            outputs = add_bias(outputs, jnp.expand_dims(self.beta.raw, gaps))
        return outputs.astype(self.compute_dtype)


class GroupNormalization(Affine):
    """Normalizes groups of channels of each example to mean 0 and variance 1, then computes ``gamma * x + beta``.

    Shapes: any, and the same for the outputs. From Wu & He, "Group Normalization", 2018.

    >>> import numpy as np
    >>> GroupNormalization(groups=2, epsilon=0.0)(np.array([[1.0, 3.0, 5.0, 9.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    groups: int = field(
        _groups, default=32, first=True, doc="Number of groups. -1 makes each channel a group (instance normalization)."
    )
    axis: Axis = field(default=-1, first=True, doc="Axis of the channels.")
    epsilon: Epsilon = field(default=1e-3, first=True)

    def __post_init__(self):
        super().__post_init__()
        self.autocast = False  # what is large for 16 bits is not large any more once it is normalized

    def build(self, input_shape: tuple) -> None:
        _check_axes(self, (self.axis,), input_shape)
        channels = input_shape[self.axis]
        if self.groups != -1 and channels % self.groups:
            raise InputDataError(
                f"Layer {self.name} (GroupNormalization): the number of channels ({channels}) must be a multiple of "
                f"the number of groups ({self.groups})."
            )
        self.gamma = self.add_weight("gamma", (channels,)) if self.scale else None
        self.beta = self.add_weight("beta", (channels,)) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Array) -> Array:
        x = jnp.moveaxis(_wide(inputs), self.axis, -1)
        groups = x.shape[-1] if self.groups == -1 else self.groups
        grouped = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
        axes = (*range(1, x.ndim - 1), x.ndim)
        centered = grouped - grouped.mean(axes, keepdims=True)
        normal = centered * lax.rsqrt(jnp.square(centered).mean(axes, keepdims=True) + self.epsilon)
        outputs = normal.reshape(x.shape)
        if self.scale:
            outputs = outputs * self.gamma.raw
        if self.center:
            outputs = outputs + self.beta.raw
        return jnp.moveaxis(outputs, -1, self.axis).astype(self.compute_dtype)


class UnitNormalization(Elementwise):
    """Scales each example to Euclidean length 1.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> np.asarray(UnitNormalization()(np.array([[3.0, 4.0]])), float).round(3).tolist()
    [[0.6, 0.8]]
    """

    axis: Axes = -1

    def call(self, inputs: Array) -> Array:
        x = _wide(inputs)
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        squares = jnp.square(x).sum(axes, keepdims=True)
        return (x * lax.rsqrt(jnp.maximum(squares, 1e-12))).astype(self.compute_dtype)


class RMSNormalization(Elementwise):
    """Divides the features of each example by their root mean square, then multiplies them by a learned `scale`.

    It computes ``x / sqrt(mean(x**2) + epsilon) * scale``.

    Shapes: any, and the same for the outputs. From Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019.

    >>> import numpy as np
    >>> RMSNormalization(epsilon=0.0)(np.array([[2.0, -2.0]])).tolist()
    [[1.0, -1.0]]
    """

    supports_masking = False

    axis: Axes = -1
    epsilon: Epsilon = 1e-6

    def build(self, input_shape: tuple) -> None:
        axes = _axes(self.axis, len(input_shape))
        _check_axes(self, axes, input_shape)
        self.scale = self.add_weight("scale", tuple(input_shape[axis] for axis in axes), initializer="ones")

    def call(self, inputs: Array) -> Array:
        x = _wide(inputs)
        axes = _axes(self.axis, x.ndim)
        outputs = x * lax.rsqrt(jnp.square(x).mean(axes, keepdims=True) + self.epsilon)
        others = [axis for axis in range(x.ndim) if axis not in axes]
        return (outputs * jnp.expand_dims(self.scale.raw, others)).astype(self.compute_dtype)


class Rescaling(Elementwise):
    """Changes the range of its inputs: ``inputs * scale + offset``.

    Shapes: any, and the same for the outputs.

    >>> import numpy as np
    >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0.0, 255.0]])).tolist()  # from 0...255 to -1...1
    [[-1.0, 1.0]]
    """

    scale: typing.Any = field(doc="Factor: a number, or one for each channel.")
    offset: typing.Any = field(default=0.0, doc="What is added: a number, or one for each channel.")

    def call(self, inputs: Array) -> Array:
        x = inputs.astype(self.compute_dtype)
        return x * jnp.asarray(self.scale, x.dtype) + jnp.asarray(self.offset, x.dtype)
