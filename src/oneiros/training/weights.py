"""Weights of samples: given as such, and those that follow from the classes of the targets."""

from typing import Any

import numpy as np

from ..core import behaviour, floatx
from ..core.errors import InputDataError
from ..core.structure import Places, is_nested, leaves, pack
from .arrays import to_arrays


def sample_weights(y: Any, sample_weight: Any, class_weight: Any, objectives: Any) -> Any:
    """Weights in the structure of the targets, ``None`` where nothing is weighted.

    Args:
        y: the targets, arrays in the user's structure.
        sample_weight: what the user gave as weights.
        class_weight: dictionaries from class to weight.
        objectives: the losses and metrics, if it is known for which outputs they are.

    Raises:
        InputDataError: if the weights do not fit the targets, or are negative.
    """
    if sample_weight is None and class_weight is None:
        return None
    if y is None and objectives is not None:  # targets that compile was given
        y = [None if t is None else np.broadcast_to(0.0, t.shape) for t in objectives.target_tensors]
        names = [name for name, t in zip(objectives.places.layers, y) if t is not None]
    else:
        names = _names_of_targets(y, objectives)
    targets = leaves(y)
    places = Places(y, names)
    if behaviour.lists_not_tuples and isinstance(sample_weight, tuple) and len(places) > 1:
        raise TypeError(f"sample_weight: expected a list or a dictionary for {places.layers}. Received a tuple.")
    given = to_arrays(sample_weight, "sample_weight", len(targets))
    given = places.match(given, "sample_weight", ignore_unknown=behaviour.unknown_weights_ignored)
    modes = {} if objectives is None else dict(zip(objectives.places.layers, objectives.weight_modes))
    for name, target, weight in zip(names or (), targets, given):
        if weight is not None and modes.get(name) == "temporal" and target.ndim < 3:
            raise InputDataError(
                "sample_weight: sample_weight_mode='temporal' needs targets of shape (samples, steps, ...). Received: "
                f"targets of shape {tuple(target.shape)} for the output {name}."
            )
    classes = _class_weights(class_weight, places)
    weights = [_weights_of(*entry) for entry in zip(targets, given, classes)]
    return pack(y, weights) if any(w is not None for w in weights) else None


def _names_of_targets(y, objectives):
    """The names of the outputs to which the targets belong, so that weights may be given by them."""
    count = len(leaves(y))
    if objectives is None or not count:
        return None
    names = objectives.places.layers
    owners = dict(zip(objectives.entries(pack(y, range(count)), "y"), names))
    return [owners.get(i, f"y_{i}") for i in range(count)]


def _weights_of(target, weight, by_class):
    if weight is not None:
        weight = np.asarray(weight, floatx())
        if weight.ndim == 2 and weight.shape[1] == 1 and target.ndim < 3:
            weight = weight[:, 0]
        if weight.shape != tuple(target.shape[: weight.ndim]):
            raise InputDataError(
                f"sample_weight: expected one weight a sample (or a time step), shape "
                f"({target.shape[0]},). Received shape {weight.shape}."
            )
        if (weight < 0).any():
            row = int(np.argwhere(weight < 0)[0][0])
            raise InputDataError(f"sample_weight: weights must not be negative. Row {row} is {weight[row]}.")
    if by_class is not None:
        from_class = _weights_of_classes(np.asarray(target), by_class)
        weight = from_class if weight is None else weight * from_class
    return weight


def _class_weights(given, places):
    """A dictionary from class to weight, or ``None``, per target."""
    if isinstance(given, dict) and not any(isinstance(v, dict) for v in given.values()):
        return [given] * len(places)
    if given is not None and not is_nested(given):
        raise InputDataError(f"class_weight: expected a dictionary from class to weight. Received: {given!r}")
    return places.match(given, "class_weight")


def _weights_of_classes(y, by_class):
    if any(not isinstance(k, (int, np.integer)) for k in by_class):
        raise InputDataError(f"class_weight: classes must be integers. Received: {list(by_class)}")
    if any(float(w) < 0 for w in by_class.values()):
        raise InputDataError(f"class_weight: weights must not be negative. Received: {by_class}")
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(y.shape[:1] if y.ndim < 3 else y.shape[:-1])
    labels = labels.astype(int)
    present = np.unique(labels)
    missing = [int(c) for c in present if c not in by_class]
    if missing:
        raise InputDataError(
            f"class_weight: no weight for the classes {missing}, which occur in the targets. Received: {by_class}"
        )
    table = np.zeros(max(int(present.max(initial=0)), 0) + 1, floatx())
    for label in present:
        table[label] = by_class[label]
    return table[labels]
