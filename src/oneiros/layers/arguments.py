"""The types of arguments that layers share: how they are checked, resolved and documented."""

from typing import Annotated, Any

from .. import activations, constraints, initializers, regularizers
from ..core.checks import fraction, int_tuple, positive_int
from ..core.config import standardize_data_format
from ..core.fields import Argument, of_owner

Activation = Annotated[
    Any,
    Argument(
        resolve=activations.get,
        doc="Activation function: its name, a function, a layer, or `None` for none.",
    ),
]
Initializer = Annotated[
    Any, Argument(resolve=initializers.get, doc="Initializer of the {part}: its name, an object or a function.")
]
Regularizer = Annotated[Any, Argument(resolve=regularizers.get, doc="Regularizer of the {part}, added to the loss.")]
Constraint = Annotated[
    Any, Argument(resolve=constraints.get, doc="Constraint on the {part}, applied after each update.")
]

PositiveInt = Annotated[int, Argument(positive_int)]
UseBias = Annotated[bool, Argument(doc="Whether the layer adds a bias.")]
Rate = Annotated[float, Argument(fraction, doc="Fraction of the inputs to drop, between 0 and 1.")]
Seed = Annotated[
    Any, Argument(doc="Integer that makes the layer's random numbers reproducible, or `None` to draw one.")
]
DataFormat = Annotated[
    str,
    Argument(
        resolve=standardize_data_format,
        doc='`"channels_last"` or `"channels_first"`. `None` takes `image_data_format()`.',
    ),
]


@of_owner
def _per_axis(name, value, layer):
    return int_tuple(name, value, layer.rank)


PerAxis = Annotated[int | tuple, Argument(_per_axis)]  # one integer for all spatial axes, or one for each
