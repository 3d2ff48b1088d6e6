"""The order in which files hold the state of an optimizer, and its group in the layout of Keras 3."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import Variable
from .layouts import numbered_arrays
from .safe_hdf5 import Group, check_type, child, has, where


def by_weight(optimizer: Any) -> list:
    """The slots as Keras orders them since 2.11: weight by weight, some kinds apart at the end."""
    names = optimizer.slot_names
    apart = (
        names
        if type(optimizer.inner_optimizer or optimizer).__name__ == "RMSprop"
        else [n for n in names if n == "velocity_hat"]
    )
    slots = optimizer.slots_by_variable
    of_variables = {id(v) for own in slots for v in own.values()}
    shared = [v for v in _arrays(optimizer) if id(v) not in of_variables]  # averages of the weights
    together = [v for own in slots for name, v in own.items() if name not in apart]
    return [*shared, *together, *(own[name] for name in apart for own in slots if name in own)]


def by_kind(optimizer: Any) -> list:
    """The slots as Keras ordered them before: first one kind for all weights, then the next."""
    slots = optimizer.slots_by_variable
    return [own[name] for name in optimizer.slot_names for own in slots if name in own] or _arrays(optimizer)


def scalars(optimizer: Any) -> list:
    """The single numbers of the state, without the count of steps and the learning rate."""
    counted = (optimizer.step_count, optimizer.learning_rate)
    return [v for v in optimizer.variables if v.shape == () and not any(v is one for one in counted)]


def _arrays(optimizer):
    return [v for v in optimizer.variables if v.shape != ()]


def in_order(optimizer: Any, model: Any) -> list:
    """The state in the order of Keras 3: steps, the learning rate, then what is kept for the weights.

    An array of zeros stands for what Keras 3 keeps and does not use.
    """
    rate = [optimizer.learning_rate] if isinstance(optimizer.learning_rate, Variable) else []
    kept = by_weight(optimizer)
    if names := optimizer.slots_in_files:
        kept = [
            own.get(name, np.zeros(variable.shape if name == names[-1] else (), "float32"))
            for variable, own in zip(model.trainable_variables, optimizer.slots_by_variable)
            for name in names
        ]
    outer = optimizer.outer_state
    numbers = [v for v in scalars(optimizer) if not any(v is one for one in outer)]
    return [*outer, optimizer.step_count, *rate, *kept, *numbers]


def optimizer_entries(model: Any) -> Iterator[tuple]:
    """The optimizer's state as ``(place, name, arrays by key)``, as files of Keras 3's layout hold it."""
    optimizer = getattr(model, "optimizer", None)
    if getattr(optimizer, "built", False) and hasattr(optimizer, "slots_in_files"):
        yield "optimizer/vars", optimizer.name, _store(optimizer, model)
        if inner := optimizer.inner_optimizer:  # Keras 3 reads its state from there too
            yield "optimizer/inner_optimizer/vars", inner.name, _store(inner, model)


def _store(optimizer, model):
    return {str(number): getattr(v, "raw", v) for number, v in enumerate(in_order(optimizer, model))}


def load_nested_optimizer(file: Group, model: Any) -> None:
    """Sets the optimizer's state from a file of Keras 3's layout, where it fits; otherwise warns."""
    optimizer = model.optimizer
    if not has(file, "optimizer") or not has(file["optimizer"], "vars") or not hasattr(optimizer, "slots_in_files"):
        return
    stored = numbered_arrays(child(file, "optimizer/vars"), "optimizer")
    optimizer.build(model.trainable_variables)
    wanted = in_order(optimizer, model)
    if stored.shapes != [tuple(v.shape) for v in wanted]:
        warnings.warn(
            f"{where(file)}: the stored state of the optimizer ({len(stored.shapes)} arrays) does not fit "
            f"{type(optimizer).__name__} ({len(wanted)} arrays). Training starts with a fresh state."
        )
        return
    arrays = stored.read()
    pairs = [(v, a, d) for v, a, d in zip(wanted, arrays, stored.datasets) if isinstance(v, Variable)]
    for variable, values, found in pairs:
        check_type(found, variable, values)
    for variable, values, _ in pairs:
        variable.assign(values)
