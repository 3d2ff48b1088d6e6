"""What losses and metrics say about themselves, so that others need not know them by name."""

import dataclasses

from .. import core


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a loss or metric says about itself, for the checks of targets and for short batches.

    A function has them from the decorators `loss` and `metric`, or as an attribute ``traits``; a class has them as a
    class attribute. Without any, nothing is assumed: targets are not checked and batches are not filled up.

    Args:
        targets: what the targets are. ``"values"``: numbers in the shape of the predictions. ``"probabilities"``:
            the same, from 0 to 1. ``"one-hot"``: vectors with one entry for each class. ``"classes"``: class numbers,
            in the shape of the predictions without the last axis. ``"free"``: their shape is not that of the
            predictions.
        by_row: whether each sample is looked at by itself, and masks and weights are respected. Then a batch may be
            filled up with rows of no weight.
        strict: whether the class, too, takes only targets that fit exactly. Those of other classes may broadcast.
        name: name for messages.

    >>> traits_of("sparse_categorical_crossentropy").targets
    'classes'
    """

    targets: str = "free"
    by_row: bool = False
    strict: bool = False
    name: str = ""


def traits_of(part) -> Traits | None:
    """The traits of a loss or metric: an object, a class, a function or a loss's name. ``None`` if it has none."""
    if isinstance(part, str):
        part = core.kind("loss").objects.get(part)
    traits = getattr(part, "traits", None)
    return traits if isinstance(traits, Traits) else None


def is_by_row(part) -> bool:
    """Whether a loss or metric looks at each sample by itself and gives one number for the batch.

    >>> is_by_row("mean_squared_error"), is_by_row(lambda y_true, y_pred: 0)
    (True, False)
    """
    traits = traits_of(part)
    return traits is not None and traits.by_row and getattr(part, "reduction", "mean") not in (None, "none")


def expects_classes(loss) -> bool:
    """Whether the targets of a loss are class numbers.

    >>> expects_classes("sparse_categorical_crossentropy"), expects_classes("mse")
    (True, False)
    """
    traits = traits_of(loss)
    return traits is not None and traits.targets == "classes"


def inherit_traits(cls, *methods: str):
    """Takes the inherited traits from a class that overrides one of these methods and does not say its own."""
    if "traits" not in vars(cls) and not vars(cls).keys().isdisjoint(methods):
        cls.traits = None
