"""The types of arguments that layers share: how they are checked, resolved and documented."""

import numbers
from functools import partial
from typing import Annotated, Any

from .. import activations, constraints, initializers, quantizers, regularizers
from ..core import behaviour
from ..core.checks import fraction, int_tuple, one_of, positive_int
from ..core.config import standardize_data_format
from ..core.fields import Argument, of_owner

Activation = Annotated[
    Any,
    Argument(
        resolve=activations.get,
        doc="Activation function: its name, a function or a layer. `None` leaves the values as they are.",
    ),
]
_PARTS = {
    "activity": "outputs",
    "depthwise": "depthwise kernel",
    "pointwise": "pointwise kernel",
    "recurrent": "recurrent kernel",
} | {name: f"weights `{name}`" for name in ("alpha", "beta", "gamma", "moving_mean", "moving_variance")}
Initializer = Annotated[
    Any,
    Argument(resolve=initializers.get, doc="Initializer of the {part}: a name, an object or a function.", parts=_PARTS),
]
Regularizer = Annotated[
    Any, Argument(resolve=regularizers.get, doc="Penalty on the {part}, which is added to the loss.", parts=_PARTS)
]
Constraint = Annotated[
    Any, Argument(resolve=constraints.get, doc="Constraint on the {part}, applied after each update.", parts=_PARTS)
]
Quantization = Annotated[Any, Argument(resolve=quantizers.get)]


def rate(name: str, value: Any, one_allowed: bool = False) -> float:
    """Checks that an argument is the fraction of something that is dropped.

    For Keras 1 and 2, a number below 0 or above 1 counts as the nearest of these.

    Args:
        name: the argument's name.
        value: its value.
        one_allowed: whether it may be 1.

    Returns:
        The value as a `float`.

    Raises:
        InputDataError: if it is something else.
    """
    if behaviour.unlimited_arguments and isinstance(value, numbers.Real):
        value, one_allowed = min(max(value, 0), 1), True
    return fraction(name, value, one_allowed)


PositiveInt = Annotated[int, Argument(positive_int)]
UseBias = Annotated[bool, Argument(doc="Whether the layer adds a bias.")]
Rate = Annotated[
    float,
    Argument(rate, doc="Fraction that is dropped in training, at least 0 and below 1."),
]
Seed = Annotated[Any, Argument(doc="Integer that makes the random numbers reproducible. `None` draws one.")]
Padding = Annotated[
    str,
    Argument(
        partial(one_of, allowed=("valid", "same")),
        doc='`"valid"` for none, or `"same"` to add zeros so that strides of 1 keep the lengths.',
    ),
]


def _data_format(name, value):
    return standardize_data_format(value)


DATA_FORMAT = '`"channels_last"` or `"channels_first"`. `None` means `keras.config.image_data_format()`.'
DataFormat = Annotated[str, Argument(_data_format, doc=DATA_FORMAT)]


@of_owner
def per_axis(name: str, value: Any, layer: Any) -> tuple:
    """Checks an argument that has one integer for each spatial axis of the layer, or one integer for all.

    Args:
        name: the argument's name.
        value: its value.
        layer: the layer, whose `rank` is the number of spatial axes.

    Returns:
        A tuple of integers.

    Raises:
        InputDataError: if it is something else.
    """
    return int_tuple(name, value, layer.rank)


PerAxis = Annotated[int | tuple, Argument(per_axis)]  # one integer for all spatial axes, or one for each
