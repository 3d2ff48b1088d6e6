"""Bases of Keras 2's layers over spatial axes, of which programs made layers of their own."""

import inspect
from typing import Any

import jax

from ..layers import (
    Conv2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)


class _GlobalPooling1D(GlobalAveragePooling1D):
    """Base of pooling over all steps: subclasses define `call`."""


class _GlobalPooling2D(GlobalAveragePooling2D):
    """Base of pooling over all places of an image: subclasses define `call`."""


class _GlobalPooling3D(GlobalAveragePooling3D):
    """Base of pooling over all places of a volume: subclasses define `call`."""


class _Pools:
    def call(self, inputs: Any) -> jax.Array:
        return self._pooling_function(
            inputs=inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class _Pooling1D(_Pools, MaxPooling1D):
    """Base of pooling over steps: subclasses define `_pooling_function`."""


class _Pooling2D(_Pools, MaxPooling2D):
    """Base of pooling over windows of images: subclasses define `_pooling_function`."""


class _Pooling3D(_Pools, MaxPooling3D):
    """Base of pooling over windows of volumes: subclasses define `_pooling_function`."""


class _Conv(Conv2D):
    """Base of convolutions over `rank` axes: subclasses define `call`, if they compute something else."""

    def __init__(self, rank: int, *args, **kwargs):
        object.__setattr__(self, "rank", rank)
        super().__init__(*args, **kwargs)

    _self, *_others = inspect.signature(Conv2D.__init__).parameters.values()
    __init__.__signature__ = inspect.Signature([_self, inspect.Parameter("rank", _self.kind), *_others])
    del _self, _others
