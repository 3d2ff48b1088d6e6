"""Checks of targets on the host, for mistakes that would otherwise broadcast silently or index out of range."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from ..core.advice import on_targets
from ..core.errors import InputDataError
from ..core.symbol import is_symbol, resolved
from .traits import traits_of


def check_shapes(
    loss: Any, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None], output: str | None = None
) -> None:
    """Checks that targets of one shape fit predictions of another, if the loss declares what targets it takes.

    Args:
        loss: The loss, or its name. Losses without `Traits` are not checked.
        y_true_shape: Shape of the targets. Unknown dimensions are `None`.
        y_pred_shape: Shape of the predictions. ``(n,)`` and ``(n, 1)`` fit each other.
        output: Name of the model's output, for the message.

    Raises:
        InputDataError: If the shapes do not fit.

    >>> check_shapes("mean_squared_error", (8,), (8, 1))
    """
    target, prediction, traits = tuple(y_true_shape), tuple(y_pred_shape), traits_of(loss)
    if traits is None or traits.targets == "free":
        return
    if traits.targets == "classes":
        expected = prediction[:-1]
        fits = _same(target, expected) or _same(target, (*expected, 1))
    else:
        expected = prediction
        fits = _same(target, prediction) or any(
            len(a) == len(b) + 1 and a[-1] in (1, None) and _same(a[:-1], b)
            for a, b in ((target, prediction), (prediction, target))
        )
    if not fits:
        raise InputDataError(
            f"{traits.name}: targets of shape {target} do not match predictions of shape {prediction}"
            f"{f' (output {output!r})' if output else ''}: expected targets of shape {expected}."
            + (
                on_targets(traits.targets, target, prediction)
                or " Reshape or encode the targets, or change the last layer."
            )
        )


def check_result(value: Any, function: Callable, kind: str = "loss") -> Any:
    """Checks that a user's loss or metric returned a number or an array.

    Args:
        value: What the function returned.
        function: The function, to be named in the message.
        kind: What the message calls the function.

    Returns:
        The value.

    Raises:
        InputDataError: If the value is `None`, a string, or anything else that is not numeric.

    >>> check_result(0.5, min)
    0.5
    """
    if is_symbol(value):  # the function used symbols of the model's graph
        value = resolved(value, inside=True)
    if isinstance(value, (jax.Array, float, int, np.generic)) or hasattr(value, "__jax_array__"):
        return value
    if value is not None and np.asarray(value).dtype.kind in "biufcV":
        return value
    name = getattr(function, "__qualname__", type(function).__name__).rpartition("<locals>.")[2]
    code = getattr(function, "__code__", None)
    place = f" See {code.co_filename}:{code.co_firstlineno}." if code else ""
    what = "None: it lacks a `return`" if value is None else f"{str(value)[:80]!r} of type {type(value).__name__}"
    raise InputDataError(
        f"The {kind} {name} returned {what}. It must return a tensor: a number for each sample, or their mean.{place}"
    )


def _same(a, b):
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b))


def check_labels(
    labels: Any, classes: int, ignore_class: int | None = None, name: str = "y", rows: Sequence[int] | None = None
) -> None:
    """Checks that labels are class numbers: integers from 0 to ``classes - 1``.

    Args:
        labels: Array of labels, of any shape. Floats with integer values are accepted.
        classes: Number of classes.
        ignore_class: A further label that is allowed.
        name: Name of the labels in messages.
        rows: Row numbers to report in messages. By default 0, 1, 2, ...

    Raises:
        InputDataError: If a label is not an integer or out of range. The message names its row.

    >>> check_labels([0, 2, 3], 3)
    Traceback (most recent call last):
    oneiros.core.errors.InputDataError: y: label 3 not in [0, 3), row 2. ...
    """
    labels = np.asarray(labels)
    if labels.dtype.kind in "iu" and (not labels.size or (labels.min() >= 0 and labels.max() < classes)):
        return
    if labels.dtype.kind not in "iufb":
        raise InputDataError(f"{name}: labels must be integers. Received: an array of type {labels.dtype}")
    with np.errstate(invalid="ignore"):
        good = (labels >= 0) & (labels < classes)
        if labels.dtype.kind == "f":
            good &= labels == np.floor(labels)
        if ignore_class is not None:
            good |= labels == ignore_class
    if good.all():
        return
    place = np.argwhere(~good)[0]
    label = labels[tuple(place)].item()
    row = int(place[0]) if len(place) else 0
    row = row if rows is None else int(rows[row])
    if isinstance(label, float) and not (np.isfinite(label) and label != int(label)):
        label = int(label) if np.isfinite(label) else label
    elif isinstance(label, float):
        raise InputDataError(
            f"{name}: label {label:g} is not an integer, row {row}. Class labels are integers in [0, {classes}); for "
            "probabilities use categorical_crossentropy."
        )
    raise InputDataError(
        f"{name}: label {label} not in [0, {classes}), row {row}. The output has {classes} classes: renumber the "
        "labels from 0, or enlarge the last layer."
    )
