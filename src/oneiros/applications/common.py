"""What all networks share: the checks of their arguments, the classifier, the files of weights.

A network is a function from a symbol of images to a symbol of features. `network` makes the function that users call.
"""

import os

from ..config import image_data_format
from ..core import is_symbol
from ..core.errors import InputDataError
from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
)
from ..layers.input_layer import get_source_inputs
from ..models import Model
from ..utils import get_file
from ..utils.imagenet import obtain_input_shape


def channel_axis():
    """Axis of the channels in batches of images."""
    return 3 if image_data_format() == "channels_last" else 1


def spatial_shape(x):
    """Height and width of a symbol of images."""
    return tuple(x.shape[1:3] if channel_axis() == 3 else x.shape[2:])


def normalized(x, name=None, **kwargs):
    """Batch normalization over the channels."""
    return BatchNormalization(axis=channel_axis(), name=name, **kwargs)(x)


def relu(x, name=None):
    """Rectified features."""
    return Activation("relu", name=name)(x)


def convolved(x, filters, size, name=None, bn_name=None, act_name=None, *, scale=True, epsilon=1e-3, **kwargs):
    """A convolution without bias, batch normalization, then ReLU."""
    x = Conv2D(filters, size, use_bias=False, name=name, **kwargs)(x)
    return relu(normalized(x, bn_name, scale=scale, epsilon=epsilon), act_name)


def classifier(x, classes, activation, pool_name="avg_pool"):
    """The usual top: the mean over all positions, one dense layer."""
    x = GlobalAveragePooling2D(name=pool_name)(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def build(
    body,
    name,
    *,
    include_top,
    weights,
    input_tensor,
    input_shape,
    pooling,
    classes,
    classifier_activation,
    size,
    min_size,
    files=None,
    top=classifier,
    pool_names=(None, None),
):
    """The model of a network.

    Args:
        body: Function from a symbol of images to a symbol of features.
        name: Name of the model.
        size: Side of the images that the network was made for.
        min_size: Smallest side of images.
        files: Dictionary from `include_top` to (URL, MD5) of ImageNet's weights.
        top: Function from features, the number of classes and an activation to the outputs.
        pool_names: Names of the layers that ``pooling="avg"`` and ``pooling="max"`` add.

    The other arguments are those of the functions that users call.
    """
    _check(name, include_top, weights, pooling, classes, classifier_activation, files)
    shape = obtain_input_shape(
        input_shape,
        default_size=size,
        min_size=min_size,
        data_format=image_data_format(),
        require_flatten=include_top,
        weights=weights,
    )
    inputs = Input(shape) if input_tensor is None else input_tensor
    if not is_symbol(inputs):
        inputs = Input(shape, tensor=inputs)
    x = body(inputs)
    if include_top:
        x = top(x, classes, classifier_activation)
    elif pooling == "avg":
        x = GlobalAveragePooling2D(name=pool_names[0])(x)
    elif pooling == "max":
        x = GlobalMaxPooling2D(name=pool_names[1])(x)
    model = Model(inputs if input_tensor is None else get_source_inputs(inputs), x, name=name)
    if weights == "imagenet":
        url, md5 = files[bool(include_top)]
        weights = get_file(url.rsplit("/", 1)[1], url, cache_subdir="models", file_hash=md5)
    if weights is not None:
        model.load_weights(weights)
    return model


def _check(name, include_top, weights, pooling, classes, activation, files):
    if weights == "imagenet":
        if files is None or bool(include_top) not in files:
            raise InputDataError(
                f"{name}: there are no published weights for it. Pass weights=None, or the path of a weights file."
            )
        if include_top and classes != 1000:
            raise InputDataError(f"{name}: weights='imagenet' has 1000 classes. Received: classes={classes}")
        if include_top and activation not in ("softmax", None):
            raise InputDataError(
                f"{name}: with weights='imagenet', classifier_activation must be 'softmax' or None. "
                f"Received: {activation!r}"
            )
    elif weights is not None and not os.path.exists(weights):
        raise InputDataError(
            f"{name}: `weights` should be None (random), 'imagenet', or the path of a weights file that exists. "
            f"Received: weights={weights!r}"
        )
    if pooling not in (None, "avg", "max"):
        raise InputDataError(f"{name}: expected pooling 'avg', 'max' or None. Received: pooling={pooling!r}")


def shared(arguments: dict) -> dict:
    """Those arguments of a network that all networks have, out of its ``locals()``."""
    names = "include_top weights input_tensor input_shape pooling classes classifier_activation"
    return {name: arguments[name] for name in names.split()}


def described(summary, **facts):
    """

    The images go through `preprocess_input` of the same module first.

    Args:
        include_top: Whether the network ends with its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        input_shape: Shape of an image without the batch axis. With the classifier and ImageNet's weights it is
            {size}x{size}; otherwise any size from {min_size}x{min_size} on.
        pooling: What to do with the features where there is no classifier: 'avg' or 'max' over all positions;
            ``None`` keeps all four axes.
        classes: Number of classes; 1000 with ImageNet's weights.
        classifier_activation: Activation of the classifier; ``None`` returns logits.
        name: Name of the model.

    Returns:
        A `Model`.

    Raises:
        InputDataError: If the arguments contradict each other.
    """
    return summary + described.__doc__.format(**facts)


def network(function_name, default_name, body, doc, **facts):
    """The function that users call: it has Keras' usual arguments and knows the facts of its network (see `build`)."""
    default_weights = "imagenet" if facts.get("files") else None

    def make(
        include_top=True,
        weights=default_weights,
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=default_name,
    ):
        return build(
            body,
            name,
            **shared(locals()),
            **facts,
        )

    make.__name__ = make.__qualname__ = function_name
    make.__module__ = getattr(body, "func", body).__module__
    make.__doc__ = described(doc, **facts)
    return make


def keras_files(stem, **hashes):
    """URLs and MD5 hashes of Keras' weights, with and without the classifier."""
    base = f"https://storage.googleapis.com/tensorflow/keras-applications/{stem}_weights_tf_dim_ordering_tf_kernels"
    return {True: (f"{base}.h5", hashes["top"]), False: (f"{base}_notop.h5", hashes["notop"])}
