"""Checks of the values in data, on the host and before anything is computed: one fast pass, a slow one on failure."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import losses
from ..core import config
from ..core.context import current
from ..core.errors import InputDataError
from ..core.structure import leaves, paths
from ..layers.embedding import NO_STRAY

_SMALL = 1 << 10  # values; below this a copy costs less than care
_CHUNK = 1 << 18  # values that are looked at together: they fit the processor's cache

_ROUNDING = 1e-5  # how far arithmetic may have carried a probability out of [0, 1]


def on_disk(x: Any) -> bool:
    """Whether this is an HDF5 data set (or an HDF5Matrix, a window on one): sliced batch by batch."""
    return type(x).__name__ == "HDF5Matrix" or (hasattr(x, "chunks") and hasattr(x, "shape"))


def check_values(x: Any, outputs: Any, weights: Any, rows: Any = None) -> None:
    """Checks the values of data in memory. Data on disk are checked batch by batch.

    Args:
        x: arrays in any structure.
        outputs: the `Target` of each output.
        weights: a list of arrays.
        rows: the numbers of the rows in the user's data, if they are not 0, 1, 2, ...

    Raises:
        InputDataError: if there are values that training must not see.
    """
    if config.check_finite():
        arrays = leaves(x)
        places = ["".join(f"[{key!r}]" for key in path) for path in paths(x)] if len(arrays) > 1 else [""]
        named = [(f"x{place}", array) for place, array in zip(places, arrays)]
        names = ["y"] if len(outputs) == 1 else [f"y[{i}]" for i in range(len(outputs))]
        named += [(name, target.array) for name, target in zip(names, outputs) if losses.traits_of(target.loss)]
        for name, array in (*named, *(("sample_weight", weight) for weight in weights)):
            if array is not None and not on_disk(array):
                check_finite(array, name, rows)
    check_targets(outputs, rows)


def check_finite(array: Any, name: str, rows: Any = None) -> None:
    """Raises `InputDataError` if there is NaN or an infinity among floating point values; the message says where.

    In `fit` with a callback that deals with NaN, such as `TerminateOnNaN`, it warns instead.

    Args:
        array: any array.
        name: the name for messages.
        rows: the numbers of the rows in the user's data, if they are not 0, 1, 2, ...

    >>> check_finite(np.array([[1.0], [np.nan]]), "x")
    Traceback (most recent call last):
    oneiros.core.errors.InputDataError: x: nan in row 1, at [1, 0] (1 such value). ...
    """
    if all_finite(array):
        return
    wrong = np.argwhere(~np.isfinite(np.asarray(array)))
    place = wrong[0].tolist()
    row = place[0] if rows is None else int(rows[place[0]])
    message = (
        f"{name}: {np.asarray(array)[tuple(place)]} in row {row}, at {[row, *place[1:]]} ({len(wrong)} such "
        f"value{'s' * (len(wrong) > 1)}). Every weight would become NaN. Clean the data (numpy.nan_to_num, or leave "
        "the rows out); if a layer deals with such values, oneiros.config.set_check_finite(False) lets them pass."
    )
    if not current().expects_nan:
        raise InputDataError(message)
    warnings.warn(f"{message} Training goes on, as a callback that deals with NaN is there.", stacklevel=2)


def all_finite(array: Any) -> bool:
    """Whether all values of an array are finite.

    The sum of their squares is not if one of them is not: a single pass at the speed of memory, and no copy.
    """
    if type(array) is np.ndarray and array.size < _SMALL and array.dtype.kind == "f":
        return bool(np.isfinite(array).all())
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return True
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return bool(jnp.isfinite(array).all())
    array = np.atleast_1d(np.asarray(array))  # on the CPU without a copy
    size = max(1, _CHUNK // max(array[:1].size, 1))
    with np.errstate(all="ignore"):
        for start in range(0, len(array), size):
            part = array[start : start + size].reshape(-1)
            quick = part.dtype in (np.float32, np.float64) and np.isfinite(np.dot(part, part))
            if not quick and not np.isfinite(part).all():
                return False
    return True


def check_targets(outputs: Any, rows: Any = None) -> None:
    """Raises `InputDataError` for targets that a built-in loss would misread: of another shape, or out of range.

    Args:
        outputs: the `Target` of each output. A loss of the user's own gets whatever is given.
        rows: the numbers of the rows in the user's data, if they are not 0, 1, 2, ...
    """
    for loss, target, shape in outputs:
        traits = losses.traits_of(loss)
        if traits is None or target is None:
            continue
        strict = traits.strict and getattr(loss, "axis", -1) == -1
        if shape is not None and (strict or not isinstance(loss, losses.Loss)):
            losses.check_shapes(loss, (None, *target.shape[1:]), (None, *shape))
        if traits.targets == "classes" and shape and not on_disk(target):
            losses.check_labels(target, shape[-1], getattr(loss, "ignore_class", None), rows=rows)
        if traits.targets == "probabilities" and not on_disk(target):
            _check_binary(traits.name, target, rows)


def _check_binary(name, target, rows):
    low, high = (target.min(), target.max()) if target.size else (0, 1)
    if low >= -_ROUNDING and high <= 1 + _ROUNDING:
        return
    target = np.asarray(target)
    wrong = np.argwhere((target < -_ROUNDING) | (target > 1 + _ROUNDING))
    if len(wrong):  # NaN is left to the search for it, which can be switched off
        label, row = target[tuple(wrong[0])].item(), wrong[0][0] if rows is None else rows[wrong[0][0]]
        raise InputDataError(
            f"y: {label:g} in row {row} is not in [0, 1] ({len(wrong)} such value{'s' * (len(wrong) > 1)}). "
            f"{name} expects the labels 0 and 1, or probabilities. For -1 and 1 write (y + 1) / 2, or take the hinge "
            "loss; for more than two classes take sparse_categorical_crossentropy with one output a class; for "
            "numbers of any size, mean_squared_error."
        )


# Layers that only move values: an index that comes out of them went in.
_MOVING = ("Reshape", "Flatten", "Permute", "RepeatVector", "Identity", "InputLayer", "Concatenate")


def embedded_inputs(graph: Any) -> Iterator:
    """Pairs (number of an input, embedding) where values of that input are indices, moved at most."""
    origins = {id(symbol): {number} for number, symbol in enumerate(graph.inputs)}
    for node in graph.nodes:
        operation, came_from = node.operation, [origins.get(id(symbol), set()) for symbol in node.inputs]
        inner = getattr(operation, "layer_graph", None)
        if not any(came_from):
            continue
        if getattr(operation, "index_limit", None) is not None and not node.kwargs.get("reverse"):
            yield from ((number, operation) for number in came_from[0])
        elif inner is not None and len(inner.inputs) == len(came_from):
            yield from ((number, layer) for inside, layer in embedded_inputs(inner) for number in came_from[inside])
        elif type(operation).__module__.startswith("oneiros.") and type(operation).__name__ in _MOVING:
            origins |= {id(symbol): set().union(*came_from) for symbol in node.outputs}


def check_indices(embedded: Any, arrays: Any, rows: Any = None) -> None:
    """Raises `InputDataError` if values of an input are out of range, or fractions, for the embedding that takes them.

    Args:
        embedded: what `embedded_inputs` found.
        arrays: the inputs, flat.
        rows: the numbers of the rows in the user's data, if they are not 0, 1, 2, ...
    """
    for number, layer in embedded:
        array = arrays[number]
        if not on_disk(array) and array.size:
            layer.check_indices(np.asarray(array), "of the input", lambda place: place if rows is None else rows[place])


_STRAYS = "stray indices"  # among the logs of a step


def watched(model: Any) -> list:
    """The layers that note indices that are out of range."""
    return [layer for layer in (model, *model.sublayers()) if layer.stray_index is not None]


def with_strays(logs: dict, layers: Iterable) -> dict:
    """The logs of a step, and with them what these layers noted: so it is looked at when they are."""
    return {**logs, _STRAYS: [layer.stray_index.raw for layer in layers]} if layers and isinstance(logs, dict) else logs


def without_strays(logs: dict, layers: Iterable) -> dict:
    """The logs alone; raises `InputDataError` if an index that these layers noted was out of range."""
    strays = logs.pop(_STRAYS, ())
    if any(index != NO_STRAY for index in strays):
        raise_strays(layers, strays)
    return logs


def raise_strays(layers: Iterable, noted: Any = None) -> None:
    """Raises `InputDataError` if an index was out of range. noted: by these layers; without it, what they hold now."""
    for layer, index in zip(layers, [layer.stray_index.raw for layer in layers] if noted is None else noted):
        if int(index) != NO_STRAY:
            layer.stray_index.assign(NO_STRAY)
            raise InputDataError(layer.out_of_range(int(index), "was computed from the input and"))
