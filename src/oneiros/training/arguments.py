"""Checks of what `compile`, `fit` and their kin are given, before anything starts."""

import inspect
import math
import numbers
import types
import warnings
from typing import Any

import numpy as np

from ..core import behaviour
from ..core.checks import fraction, positive_int
from ..core.errors import InputDataError
from .callbacks import Callback, CallbackList


def checked(given: dict) -> types.SimpleNamespace:
    """Arguments of `fit` and its kin, as these use them.

    Args:
        given: the arguments by name. What needs no check stays as it is.

    >>> checked({"epochs": 3, "x": None})
    namespace(epochs=3, x=None)
    """
    for name, value in given.items():
        if check := _CHECKS.get(name):
            given[name] = check(name, value)
    return types.SimpleNamespace(**given)


def _optional(check):
    return lambda name, value: None if value is None else check(name, value)


def _count(name, value):
    return positive_int(name, value, 0)


def _steps(name, value):
    """A number of steps. Older generations of Keras round it up: 31.25 steps are 32."""
    if behaviour.fractional_steps and isinstance(value, numbers.Real) and value > 0 and math.isfinite(value):
        return math.ceil(value)
    return positive_int(name, value)


def _verbose(name, value):
    if isinstance(value, str) and value == "auto":
        return value
    if not isinstance(value, (numbers.Integral, np.bool_)):
        raise InputDataError(f"{name}: expected 0, 1, 2 or 'auto'. Received: {name}={value!r}")
    if value not in (0, 1, 2):
        warnings.warn(f"{name}: expected 0 (nothing), 1 (a bar) or 2 (a line an epoch). Received: {name}={value!r}")
    return int(value)


def _shuffle(name, value):
    if isinstance(value, str) and value == "batch":
        return value
    if value is None or isinstance(value, np.bool_) or (isinstance(value, numbers.Integral) and value in (0, 1)):
        return bool(value)
    raise InputDataError(f"{name}: expected True, False or 'batch'. Received: {name}={value!r}")


def _frequency(name, value):
    if isinstance(value, (list, tuple, set, range)):
        return [positive_int(name, epoch) for epoch in value]
    return positive_int(name, value)


def _callbacks(name, value):
    if value is None or isinstance(value, CallbackList):
        return value
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    for callback in listed:
        if inspect.isclass(callback):
            raise InputDataError(f"{name}: {callback.__name__} is a class. Make an object: {callback.__name__}(...).")
        if not isinstance(callback, Callback) and not hasattr(callback, "set_model"):
            raise InputDataError(f"{name}: expected callbacks, such as EarlyStopping(). Received: {name}={value!r}")
    return listed


def _class_weight(name, value):
    for part in value if isinstance(value, (list, tuple)) else [value]:
        if part is not None and not isinstance(part, dict):
            raise InputDataError(f"{name}: expected a dictionary from class to weight. Received: {name}={value!r}")
    return value


def _split(name, value):
    return fraction(name, value, one_allowed=False)


_CHECKS = {
    **dict.fromkeys(("epochs", "initial_epoch", "workers"), _count),
    **dict.fromkeys(("steps", "steps_per_epoch", "validation_steps"), _optional(_steps)),
    **dict.fromkeys(("batch_size", "validation_batch_size"), _optional(positive_int)),
    "max_queue_size": positive_int,
    "verbose": _verbose,
    "shuffle": _shuffle,
    "validation_freq": _frequency,
    "validation_split": _split,
    "callbacks": _callbacks,
    "class_weight": _class_weight,
}


def check_epochs(epochs: int, initial_epoch: int) -> None:
    """Warns where there is nothing to do."""
    if initial_epoch > epochs:
        warnings.warn(
            f"initial_epoch={initial_epoch} lies behind epochs={epochs}: nothing is trained. `epochs` is the number of "
            "the last epoch, not how many there are to come."
        )


def limited(name: str, value: int | None, limit: int | None) -> int | None:
    """An argument, or the limit that the user has set for all programs where that is smaller; this is told.

    >>> limited("steps", 5, None), limited("steps", 2, 3)
    (5, 2)
    """
    if limit is None or (value is not None and value <= limit):
        return value
    warnings.warn(f"Limiting {name} to {limit}, as oneiros.config.set_max_{name} asks.", stacklevel=2)
    return limit


def check_ends(source: Any, steps: int | None, name: str) -> None:
    """Complains about a generator that does not say when it ends.

    Args:
        source: what yields batches.
        steps: the number of batches, if it was given.
        name: the argument that would say it.

    Raises:
        InputDataError: if `source` is a generator and there is no number of batches.
    """
    if steps is None and hasattr(source, "__next__") and not hasattr(source, "__len__"):
        raise InputDataError(
            f"{name}: a generator does not say how many batches there are. Give {name}, the number of batches to take, "
            "or a Sequence (PyDataset), which knows its length."
        )


_MODES = (None, "temporal", "samplewise")


def check_compile(
    loss: Any, metrics: Any, weighted_metrics: Any, sample_weight_mode: Any, steps_per_execution: int, **switches
) -> None:
    """Complains about what cannot be a loss, a metric, or a mode of sample weights. The arguments are `compile`'s.

    Args:
        loss: losses.
        metrics: metrics.
        weighted_metrics: metrics.
        sample_weight_mode: modes of sample weights.
        steps_per_execution: a number of steps.
        **switches: what is true, false or left to the library.

    Raises:
        InputDataError: if one of them is none of these.
    """
    named = {
        "loss": (loss, "losses"),
        "metrics": (metrics, "metrics"),
        "weighted_metrics": (weighted_metrics, "metrics"),
    }
    for name, (given, what) in named.items():
        for part in _leaves(given):
            if part is not None and not (isinstance(part, str) or callable(part) or hasattr(part, "update_state")):
                raise InputDataError(f"{name}: expected names, functions or objects for {what}. Received: {part!r}")
    for mode in _leaves(sample_weight_mode):
        if mode not in _MODES:
            raise InputDataError(
                f"sample_weight_mode: expected None or 'temporal', for each output. Received: {sample_weight_mode!r}"
            )
    positive_int("steps_per_execution", steps_per_execution)
    for name, value in switches.items():
        if value not in (True, False, None, "auto"):
            raise InputDataError(f"{name}: expected True or False. Received: {name}={value!r}")


def _leaves(given):
    """What nested lists and dictionaries hold; dictionaries with a class name are configurations of objects."""
    if isinstance(given, dict) and "class_name" not in given:
        given = list(given.values())
    if not isinstance(given, (list, tuple)):
        return [] if isinstance(given, dict) else [given]
    return [leaf for part in given for leaf in _leaves(part)]
