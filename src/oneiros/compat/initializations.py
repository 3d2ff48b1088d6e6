"""`keras.initializations` of Keras 1: functions that make a variable of a shape."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import initializers
from . import backend


def get_fans(shape: Sequence[int], dim_ordering: str = "th") -> tuple:
    """Numbers of inputs and outputs of a unit, by a weight's shape."""
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) in (4, 5):
        size = int(np.prod(shape[2:] if dim_ordering == "th" else shape[:-2]))
        inputs, outputs = (shape[1], shape[0]) if dim_ordering == "th" else (shape[-2], shape[-1])
        return inputs * size, outputs * size
    return np.sqrt(np.prod(shape)), np.sqrt(np.prod(shape))


def _make(initializer, shape, name):
    return backend.variable(initializer(tuple(shape), backend.floatx()), name=name)


def uniform(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Any:
    return _make(initializers.RandomUniform(-scale, scale), shape, name)


def normal(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Any:
    return _make(initializers.RandomNormal(0.0, scale), shape, name)


def _by_fans(scale_of):
    def initialize(shape, name=None, dim_ordering="th"):
        kind, scale = scale_of(*get_fans(shape, dim_ordering))
        return kind(shape, float(scale), name=name)

    return initialize


lecun_uniform = _by_fans(lambda fan_in, fan_out: (uniform, np.sqrt(3 / fan_in)))
glorot_normal = _by_fans(lambda fan_in, fan_out: (normal, np.sqrt(2 / (fan_in + fan_out))))
glorot_uniform = _by_fans(lambda fan_in, fan_out: (uniform, np.sqrt(6 / (fan_in + fan_out))))
he_normal = _by_fans(lambda fan_in, fan_out: (normal, np.sqrt(2 / fan_in)))
he_uniform = _by_fans(lambda fan_in, fan_out: (uniform, np.sqrt(6 / fan_in)))


def orthogonal(shape: Sequence[int], scale: float = 1.1, name: str | None = None, dim_ordering: str = "th") -> Any:
    return _make(initializers.Orthogonal(scale), shape, name)


def identity(shape: Sequence[int], scale: float = 1, name: str | None = None, dim_ordering: str = "th") -> Any:
    return _make(initializers.Identity(scale), shape, name)


def zero(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Any:
    return backend.zeros(shape, name=name)


def one(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Any:
    return backend.ones(shape, name=name)


_NAMES = "uniform normal lecun_uniform glorot_normal glorot_uniform he_normal he_uniform orthogonal identity zero one"


def get(identifier: Any, **kwargs) -> Any:
    """The function of this name, with these arguments set."""
    if callable(identifier):
        return identifier
    if identifier not in _NAMES.split():
        raise ValueError(f"Unknown initialization: {identifier!r}. Known: {', '.join(_NAMES.split())}.")
    return functools.partial(globals()[identifier], **kwargs) if kwargs else globals()[identifier]
