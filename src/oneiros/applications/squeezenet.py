"""SqueezeNet 1.1: the accuracy of AlexNet with fifty times fewer weights (Iandola et al., 2016, arXiv:1602.07360)."""

from collections.abc import Sequence
from typing import Any

from ..config import image_data_format
from ..core import Symbol, is_symbol
from ..layers import (
    Activation,
    Concatenate,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    MaxPooling2D,
)
from ..layers.input_layer import get_source_inputs
from ..models import Model
from ..utils import get_file
from ..utils.imagenet import decode_predictions, obtain_input_shape, preprocess_input

_URL = "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/"
_FILES = {
    True: "squeezenet_weights_tf_dim_ordering_tf_kernels.h5",
    False: "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
# (squeeze, expand) filters of fire modules 2 to 9; pooling comes before modules 4 and 6.
_FIRE = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def fire_module(x: Symbol, number: int, squeeze: int, expand: int) -> Symbol:
    """Reduces to few channels, then expands with 1x1 and 3x3 convolutions in parallel.

    Args:
        x: Features.
        number: Number of the module, for the names of its layers.
        squeeze: Number of filters of the first convolution.
        expand: Number of filters of each of the two parallel convolutions.

    Returns:
        Features with ``2 * expand`` channels.
    """
    name = f"fire{number}/"
    axis = 3 if image_data_format() == "channels_last" else 1

    def convolved(x, filters, size, part):
        x = Conv2D(filters, size, padding="same" if size == 3 else "valid", name=name + part)(x)
        return Activation("relu", name=f"{name}relu_{part}")(x)

    x = convolved(x, squeeze, 1, "squeeze1x1")
    left, right = convolved(x, expand, 1, "expand1x1"), convolved(x, expand, 3, "expand3x3")
    return Concatenate(axis=axis, name=name + "concat")([left, right])


def SqueezeNet(  # noqa: N802 - a constructor
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """SqueezeNet 1.1 with 1,235,496 weights (with the classifier).

    Pass images through `preprocess_input` first: channels in BGR order, with the mean of ImageNet subtracted.

    Args:
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        input_shape: Shape of an image without the batch axis, at least 48x48; 227x227 by default.
        pooling: Pooling of the features if there is no classifier: 'avg' or 'max' over all positions, or ``None`` to
            keep all four axes.
        classes: Number of classes; 1000 with the weights for ImageNet.

    Returns:
        A `Model`.

    Raises:
        ValueError: If the weights for ImageNet are requested with a different number of classes.

    >>> SqueezeNet(weights=None, input_shape=(48, 48, 3), classes=10).output_shape
    (None, 10)
    """
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(f"SqueezeNet: weights='imagenet' has 1000 classes. Received: classes={classes}")
    shape = obtain_input_shape(
        input_shape, default_size=227, min_size=48, data_format=image_data_format(), require_flatten=include_top
    )
    inputs = Input(shape) if input_tensor is None else input_tensor
    if not is_symbol(inputs):
        inputs = Input(shape, tensor=inputs)
    x = Conv2D(64, 3, strides=2, name="conv1")(inputs)
    x = Activation("relu", name="relu_conv1")(x)
    x = MaxPooling2D(3, strides=2, name="pool1")(x)
    for number, (squeeze, expand) in _FIRE.items():
        if number in (4, 6):
            x = MaxPooling2D(3, strides=2, name=f"pool{number - 1}")(x)
        x = fire_module(x, number, squeeze, expand)
    if include_top:
        x = Dropout(0.5, name="drop9")(x)
        x = Conv2D(classes, 1, name="conv10")(x)
        x = Activation("relu", name="relu_conv10")(x)
        x = GlobalAveragePooling2D()(x)
        x = Activation("softmax", name="loss")(x)
    elif pooling is not None:
        x = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}[pooling]()(x)
    model = Model(get_source_inputs(inputs) if input_tensor is not None else inputs, x, name="squeezenet")
    if weights == "imagenet":
        name = _FILES[bool(include_top)]
        weights = get_file(name, _URL + name, cache_subdir="models")
    if weights:
        model.load_weights(weights)
    return model


__all__ = ["SqueezeNet", "decode_predictions", "preprocess_input"]
