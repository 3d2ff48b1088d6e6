"""What losses and metrics declare about themselves, so that other code need not recognize them by name."""

import dataclasses
from typing import Any

from .. import core


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a loss or metric declares about itself. It is used to check targets and to pad short batches.

    The decorators `loss` and `metric` set it as the attribute ``traits`` of a function; a class has it as a class
    attribute. Without it nothing is assumed: targets are not checked and batches are not padded.

    Args:
        targets: What the targets are. ``"values"``: numbers in the shape of the predictions. ``"probabilities"``:
            the same, from 0 to 1. ``"one-hot"``: vectors with one entry for each class. ``"classes"``: class numbers,
            in the shape of the predictions without the last axis. ``"free"``: any shape, independent of that of the
            predictions.
        by_row: Whether each sample is computed independently of the others, with respect for masks and weights. Then
            a batch may be padded with rows of weight 0.
        strict: Whether the loss class, too, requires targets that fit exactly. Other loss classes let targets
            broadcast.
        name: Name for messages.

    >>> traits_of("sparse_categorical_crossentropy").targets
    'classes'
    """

    targets: str = "free"
    by_row: bool = False
    strict: bool = False
    name: str = ""


def traits_of(part: Any) -> Traits | None:
    """The traits of a loss or metric.

    Args:
        part: An object, a class, a function, or the name of a loss.

    Returns:
        The traits; `None` if it declares none.

    >>> traits_of("mse").by_row, traits_of(max)
    (True, None)
    """
    if isinstance(part, str):
        part = core.kind("loss").objects.get(part)
    traits = getattr(part, "traits", None)
    return traits if isinstance(traits, Traits) else None


def is_by_row(part: Any) -> bool:
    """Whether a loss or metric computes each sample independently and reduces the batch to one number.

    Args:
        part: An object, a class, a function, or the name of a loss.

    >>> is_by_row("mean_squared_error"), is_by_row(lambda y_true, y_pred: 0)
    (True, False)
    """
    traits = traits_of(part)
    return traits is not None and traits.by_row and getattr(part, "reduction", "mean") not in (None, "none")


def expects_classes(loss: Any) -> bool:
    """Whether the targets of a loss are class numbers.

    Args:
        loss: An object, a class, a function, or a name.

    >>> expects_classes("sparse_categorical_crossentropy"), expects_classes("mse")
    (True, False)
    """
    traits = traits_of(loss)
    return traits is not None and traits.targets == "classes"


def inherit_traits(cls: type, *methods: str) -> None:
    """Clears the inherited traits of a class that overrides one of these methods without declaring its own traits."""
    if "traits" not in vars(cls) and not vars(cls).keys().isdisjoint(methods):
        cls.traits = None
