"""Optimizers and learning rate schedules."""

from typing import Any as _Any

import jax.numpy as _jnp

from .. import core as _core
from . import schedules
from .algorithms import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
from .base import Optimizer
from .schedules import LearningRateSchedule
from .wrappers import LossScaleOptimizer, MultiOptimizer, OptaxOptimizer, OptimizerMap, TFOptimizer

_kind = _core.kind("optimizer")
# Keras 1 and 2 have the classes under these names too.
sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam


def get(identifier: _Any) -> Optimizer | None:
    """The optimizer for what a user writes.

    Args:
        identifier: A name, a configuration, a class, an object, or an Optax transformation. `None` gives `None`.

    Returns:
        An `Optimizer`.

    Raises:
        ValueError: If there is no such optimizer.

    >>> type(get("adam")).__name__, get({"class_name": "SGD", "config": {"learning_rate": 0.5}}).momentum
    ('Adam', 0.0)
    """
    if isinstance(identifier, Optimizer) or identifier is None:
        return identifier
    if hasattr(identifier, "init") and hasattr(identifier, "update") and not isinstance(identifier, type):
        return OptaxOptimizer(identifier)
    optimizer = _kind.get(identifier)
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"Expected an optimizer: a name, a configuration or an object. Received: {identifier!r}")
    return optimizer


serialize = _kind.serializer()


def deserialize(config: _Any, custom_objects: dict | None = None) -> Optimizer:
    """An optimizer made from its configuration.

    As in Keras, letter case does not matter in the names of the library's classes, and such a name is put into lower
    case in the configuration itself.

    Args:
        config: A dictionary with ``"class_name"`` and ``"config"``.
        custom_objects: A dictionary from names to your own classes.

    Raises:
        ValueError: If there is no such optimizer.

    >>> deserialize({"class_name": "sgd", "config": {"learning_rate": 0.5}}).get_config()["learning_rate"]
    0.5
    """
    optimizer = _kind.deserialize(config, custom_objects)
    name = config.get("class_name") if isinstance(config, dict) else None
    if isinstance(name, str) and _kind.objects.get(type(optimizer).__name__) is type(optimizer):
        config["class_name"] = name.lower()
    return optimizer


def optimizer_from_config(config: dict, custom_objects: dict | None = None) -> Optimizer:
    """An optimizer made from its configuration: the name of `deserialize` in Keras 1.

    Args:
        config: A dictionary with ``"class_name"`` and ``"config"``.
        custom_objects: A dictionary from names to your own classes.
    """
    return deserialize(config, custom_objects)


def clip_norm(g: _Any, c: float, n: _Any) -> _Any:
    """A gradient scaled by ``c / n`` if its norm `n` is above `c`.

    Args:
        g: Gradient.
        c: Bound of the norm. 0 means no bound.
        n: Norm of the gradient.

    >>> clip_norm(_jnp.array([3.0, 4.0]), 2.5, 5.0).tolist()
    [1.5, 2.0]
    """
    return g * _core.to_array(_jnp.where(n >= c, c / _jnp.maximum(n, 1e-30), 1.0)) if c > 0 else g
