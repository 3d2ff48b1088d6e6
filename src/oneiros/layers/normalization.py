"""Normalization of activations over the batch, the features, or groups of them, and of weights.

Statistics are taken in float32 (or wider) whatever the layer computes in.
"""

import math

import jax.numpy as jnp
from jax import lax

from ..core import behaviour, deferred
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..kernels import normalization as kernels
from ..kernels.reduction import add_bias, scaled
from .core import Elementwise
from .input_spec import InputSpec


def _wide(x):
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


class BatchNormalization(Elementwise):
    """Each feature to mean `beta` and standard deviation `gamma` (Ioffe, Szegedy 2015).

    In training by the batch's mean and variance, which also move `moving_mean` and `moving_variance` by
    ``moving * momentum + new * (1 - momentum)``; else, and where the layer is frozen (``trainable = False``), by these
    moving values. axis: the features'. center, scale: whether there are `beta` and `gamma`.
    A mask keeps the steps that it leaves out from counting.

    >>> import numpy as np
    >>> x = np.array([[1.0], [3.0]])
    >>> BatchNormalization(epsilon=0.0)(x, training=True).tolist()
    [[-1.0], [1.0]]
    """

    uses_learning_phase = True
    _inert = Elementwise._inert | {"virtual_batch_size": None, "fused": None, "adjustment": None}

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)):  # as tf.keras writes it
            if len(axis) != 1:
                raise InputDataError(f"BatchNormalization: expected one axis. Received: axis={axis!r}")
            axis = axis[0]
        if renorm:
            raise NotImplementedError("BatchNormalization: renorm=True is not supported.")
        self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.renorm, self.renorm_clipping, self.renorm_momentum = renorm, renorm_clipping, renorm_momentum
        self.synchronized = synchronized  # under a mesh the statistics are those of the whole batch in any case
        self._resolve(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape):
        _check_axes(self, (self.axis,), input_shape)
        shape = (input_shape[self.axis],)
        self.gamma = self._weight("gamma", shape) if self.scale else None
        self.beta = self._weight("beta", shape) if self.center else None
        self.moving_mean = self._moving("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._moving("moving_variance", shape, self.moving_variance_initializer)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def _moving(self, name, shape, initializer):
        return self.add_weight(name, shape, initializer=initializer, trainable=False)

    def call(self, inputs, training=False, mask=None):
        x = _wide(inputs if jnp.issubdtype(inputs.dtype, jnp.floating) else inputs.astype(self.compute_dtype))
        axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        mean, variance = self.moving_mean.raw, self.moving_variance.raw
        if training and (self.trainable or behaviour.frozen_uses_batch):
            mean, variance, count = self._statistics(x, axes, mask)
            if not deferred.dropped():
                self._move(mean, variance, count)
        outputs = kernels.normalize(x, axes, mean, variance, _raw(self.gamma), _raw(self.beta), self.epsilon)
        return outputs.astype(self.compute_dtype)

    def _statistics(self, x, axes, mask):
        if mask is None:
            return *kernels.batch_norm_train(x, axes), math.prod(x.shape[axis] for axis in axes)
        if mask.shape != x.shape[: mask.ndim] or mask.ndim > self.axis % x.ndim:
            raise InputDataError(
                f"Layer {self.name} (BatchNormalization): a mask of shape {mask.shape} does not fit inputs of shape "
                f"{x.shape} that are normalized along axis {self.axis}."
            )
        weights = jnp.broadcast_to(mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim)), x.shape).astype(x.dtype)
        count = weights.sum(axes)
        mean = (x * weights).sum(axes) / count
        centered = jnp.square(x - jnp.expand_dims(mean, axes))
        return mean, (centered * weights).sum(axes) / count, count

    def _move(self, mean, variance, count):
        if behaviour.unbiased_moving_variance:
            variance = variance * (count / jnp.maximum(count - 1, 1))
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving.raw * self.momentum + lax.stop_gradient(new) * (1 - self.momentum))


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


class LayerNormalization(Elementwise):
    """Each example to mean `beta` and standard deviation `gamma` over its features (Ba, Kiros, Hinton 2016).

    axis: the features' axis, or several. center, scale: whether there are `beta` and `gamma`.
    """

    _inert = Elementwise._inert | {"rms_scaling": False}

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self._resolve(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def _axes(self, rank):
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(sorted(axis % rank for axis in axes))

    def build(self, input_shape):
        _check_axes(self, self.axis if isinstance(self.axis, list) else [self.axis], input_shape)
        shape = tuple(input_shape[axis] for axis in self._axes(len(input_shape)))
        self.gamma = self._weight("gamma", shape) if self.scale else None
        self.beta = self._weight("beta", shape) if self.center else None

    def call(self, inputs):
        x = _wide(inputs)
        axes = self._axes(x.ndim)
        centered = x - x.mean(axes, keepdims=True)
        outputs = centered * lax.rsqrt(jnp.square(centered).mean(axes, keepdims=True) + self.epsilon)
        gaps = [axis - axes[0] for axis in range(axes[0], x.ndim) if axis not in axes]
        if self.scale:
            outputs = scaled(outputs, jnp.expand_dims(self.gamma.raw, gaps))
        if self.center:
            outputs = add_bias(outputs, jnp.expand_dims(self.beta.raw, gaps))
        return outputs.astype(self.compute_dtype)


class GroupNormalization(Elementwise):
    """Each example to mean `beta` and deviation `gamma` over the positions and each group of channels (Wu, He 2018).

    groups: how many; -1: as many as there are channels (instance normalization). axis: the channels'.
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.groups = groups if groups == -1 else positive_int("groups", groups)
        self.axis = int(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self._resolve(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape):
        _check_axes(self, (self.axis,), input_shape)
        channels = input_shape[self.axis]
        if self.groups != -1 and channels % self.groups:
            raise InputDataError(
                f"Layer {self.name} (GroupNormalization): the number of channels ({channels}) must be a multiple of "
                f"the number of groups ({self.groups})."
            )
        self.gamma = self._weight("gamma", (channels,)) if self.scale else None
        self.beta = self._weight("beta", (channels,)) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
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
    """Each example to Euclidean length 1 over `axis` (one axis or several).

    >>> import numpy as np
    >>> np.asarray(UnitNormalization()(np.array([[3.0, 4.0]])), float).round(3).tolist()
    [[0.6, 0.8]]
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else int(axis)

    def call(self, inputs):
        x = _wide(inputs)
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        squares = jnp.square(x).sum(axes, keepdims=True)
        return (x * lax.rsqrt(jnp.maximum(squares, 1e-12))).astype(self.compute_dtype)


class RMSNormalization(Elementwise):
    """``x / sqrt(mean(x**2) + epsilon) * scale`` over `axis` (Zhang, Sennrich 2019)."""

    supports_masking = False

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = epsilon

    def _axes(self, rank):
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(sorted(axis % rank for axis in axes))

    def build(self, input_shape):
        axes = self._axes(len(input_shape))
        _check_axes(self, axes, input_shape)
        self.scale = self.add_weight("scale", tuple(input_shape[axis] for axis in axes), initializer="ones")

    def call(self, inputs):
        x = _wide(inputs)
        axes = self._axes(x.ndim)
        outputs = x * lax.rsqrt(jnp.square(x).mean(axes, keepdims=True) + self.epsilon)
        others = [axis for axis in range(x.ndim) if axis not in axes]
        return (outputs * jnp.expand_dims(self.scale.raw, others)).astype(self.compute_dtype)


class Rescaling(Elementwise):
    """``inputs * scale + offset``, for instance from 0...255 to -1...1: ``Rescaling(1 / 127.5, -1)``.

    scale, offset: numbers, or one for each channel.
    """

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs):
        x = inputs.astype(self.compute_dtype)
        return x * jnp.asarray(self.scale, x.dtype) + jnp.asarray(self.offset, x.dtype)
