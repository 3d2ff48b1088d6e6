"""Losses that `compile` is given for several outputs together, or several for one output.

Most losses belong to one output each, and `Objectives` matches them by place. `split` takes out of what the user wrote
those that do not, as Keras 3 reads it: where a dictionary of outputs says ``{"a": (y1, y2)}``, the loss of ``"a"`` sees
both; and a list in the place of something that is no list holds several losses for the same outputs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .. import losses
from ..core.errors import InputDataError
from ..core.structure import is_nested, leaves, map_structure, pack, rebuilt, values_of
from ..losses.weighting import weighted_mean
from ..metrics.batches import BatchMean


class Joint(NamedTuple):
    """A loss of several outputs.

    places: the structure of the outputs that it is for, with their numbers as leaves. name: the loss's name in the logs
    without "_loss". loss: what the user gave. weight: the number that it counts with.
    """

    places: Any
    name: str
    loss: Any
    weight: float = 1.0

    def tracker(self) -> BatchMean:
        """What keeps the mean of this loss."""
        return BatchMean(f"{self.name}_loss")

    def compute(self, fn: Callable, targets: list, outputs: list, weights: list, rows: int | None) -> jax.Array:
        """The loss of a batch. There is one entry for each output of the model."""
        y_true, y_pred = (map_structure(lambda i, flat=flat: flat[i], self.places) for flat in (targets, outputs))
        given = [weights[i] for i in leaves(self.places)]
        weight = None
        if any(w is not None for w in given):
            given = [1.0 if w is None else w for w in given]
            weight = sum(given) / len(given)
        if isinstance(fn, losses.Loss) or losses.traits_of(fn) is not None:  # one that knows arrays only
            y_true, y_pred, fn = self._stacked(y_true), self._stacked(y_pred), getattr(fn, "call", fn)
            weight = None if weight is None else jnp.concatenate(jnp.broadcast_arrays(*given))
        values = losses.check_result(fn(y_true, y_pred), fn)
        if values.ndim or weight is None:
            return weighted_mean(values, weight, None, rows)
        return values * jnp.mean(weight)

    def _stacked(self, arrays):
        """One array, as the losses that are there for arrays see a structure."""
        if not is_nested(arrays):
            return arrays
        arrays = leaves(arrays)
        if len({array.shape for array in arrays}) > 1:
            raise InputDataError(
                f"loss: the outputs of {self.name!r} have the shapes {[array.shape for array in arrays]}, and a loss "
                "for all of them together needs equal ones. Give one loss for each."
            )
        return jnp.concatenate(arrays)


def split(given: Any, weights: Any, places: Any) -> tuple[Any, Any, list[Joint]]:
    """The losses for single outputs, their weights, and the losses for several outputs.

    Args:
        given: the losses as `compile` was given them.
        weights: the weights likewise, in the same structure or one for each loss in order.
        places: the `Places` of the outputs.

    >>> from oneiros.core.structure import Places
    >>> split({"a": "mse", "d": "mae"}, None, Places({"a": (0, 0), "d": 0}))[2]
    [Joint(places=(0, 1), name='a', loss='mse', weight=1.0)]
    """
    if not is_nested(given):
        return given, weights, []
    joint = []
    numbers = pack(places.tree, range(len(places)))
    plain = _split(given, numbers, (), places, joint)
    if not joint:
        return plain, _alone(weights), []
    if isinstance(weights, (list, tuple)) and not any(map(is_nested, weights)):
        if len(weights) != len(leaves(given)):
            raise InputDataError(
                f"loss_weights: expected one for each of the {len(leaves(given))} losses. Received: {weights!r}"
            )
        weights = pack(given, weights)
    if weights is None:
        return plain, None, joint
    weighed = []
    plain_weights = _split(weights, numbers, (), places, weighed)
    by_loss = [1.0 if weight.loss is None else weight.loss for weight in weighed]
    return plain, plain_weights, [entry._replace(weight=weight) for entry, weight in zip(joint, by_loss, strict=True)]


def _alone(given):
    """The only entry of a list, in a structure of weights that follows that of the losses."""
    if not is_nested(given):
        return given
    entries = values_of(given)
    return rebuilt(given, [e[0] if isinstance(e, (list, tuple)) and len(e) == 1 else e for e in entries])


def _split(given, numbers, path, places, joint):
    """What is for single outputs; adds the rest to `joint`."""
    if given is None or (not path and not is_nested(given)):
        return given
    if not is_nested(given):
        if not is_nested(numbers):
            return given
        joint.append(Joint(numbers, _name(numbers, path, places), given))
        return None
    if not is_nested(numbers):
        if isinstance(given, dict) or (not path and len(given) > 1):
            return given  # names, or entries for outputs that are not there: they are looked up later
        first, *others = values_of(given)
        joint += [Joint(numbers, places.names[numbers], other) for other in others]
        return first
    if _is_group(given, numbers):
        plain = None
        for entry in given:
            if is_nested(entry):
                plain = _split(entry, numbers, path or (None,), places, joint)
            else:
                joint.append(Joint(numbers, _name(numbers, path, places), entry))
        return plain
    keys = list(numbers) if isinstance(numbers, dict) else list(range(len(numbers)))
    if isinstance(given, dict) and isinstance(numbers, dict) and set(given) <= set(keys):
        return {k: _split(v, numbers[k], (*path, k), places, joint) for k, v in given.items()}
    if isinstance(given, (list, tuple)) and len(given) == len(keys):
        parts = zip(given, values_of(numbers), keys)
        return [_split(entry, part, (*path, key), places, joint) for entry, part, key in parts]
    return given


def _is_group(given, numbers):
    """Whether a list holds losses for the same outputs, and not one for each output."""
    if not isinstance(given, (list, tuple)) or type(given) is type(numbers):
        return False
    if any(isinstance(entry, dict) or (is_nested(entry) and len(entry) == len(numbers)) for entry in given):
        return any(not is_nested(entry) for entry in given)
    return len(given) == 1 < len(numbers) and callable(given[0])


def _name(numbers, path, places):
    """The path to the outputs, or all their names."""
    path = [str(key) for key in path if key is not None]
    return "/".join(path) or "_".join(places.names[i] for i in leaves(numbers))
