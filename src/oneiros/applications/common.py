"""Common parts of all networks: checks of the arguments, the classifier, the files of weights.

A network is a function from a symbol of images to a symbol of features. `network` turns it into the function that users
call.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..config import image_data_format
from ..core import Symbol
from ..core.errors import InputDataError
from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    Layer,
    ZeroPadding2D,
)
from ..layers.input_layer import get_source_inputs
from ..models import Model
from ..utils import get_file
from ..utils.imagenet import obtain_input_shape

Body: TypeAlias = Callable[[Symbol], Symbol]  # from images to features
Files: TypeAlias = dict[bool, tuple[str, str | None]]  # from `include_top` to (URL, hash) of a file of weights


def channel_axis() -> int:
    """The axis of the channels in batches of images: 3, or 1 with channels first."""
    return 3 if image_data_format() == "channels_last" else 1


def spatial_shape(x: Symbol) -> tuple[int | None, int | None]:
    """Height and width of a batch of images."""
    return tuple(x.shape[1:3] if channel_axis() == 3 else x.shape[2:])


def normalized(x: Symbol, name: str | None = None, **kwargs: Any) -> Symbol:
    """Applies batch normalization to the channels. `kwargs` are arguments of `BatchNormalization`."""
    return BatchNormalization(axis=channel_axis(), name=name, **kwargs)(x)


def divisible(filters: float, tolerant: bool = False) -> int:
    """The multiple of 8, at least 8, that is nearest to a number of filters.

    Args:
        filters: The number, such as a product with a factor of the width.
        tolerant: Whether the result may be more than a tenth below the number.

    >>> divisible(18), divisible(10), divisible(10, tolerant=True)
    (24, 16, 8)
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if tolerant or rounded >= 0.9 * filters else rounded + 8


def padded(x: Symbol, kernel_size: int, name: str) -> Symbol:
    """Zeros around images for a kernel with strides of 2, as TensorFlow's networks place them.

    The last pixel gets the zeros that the first does without if the side is even, or not known.
    """
    half = kernel_size // 2
    before = [half - 1 if side is None else half - 1 + side % 2 for side in spatial_shape(x)]
    return ZeroPadding2D(tuple((b, half) for b in before), name=name)(x)


def relu(x: Symbol, name: str | None = None) -> Symbol:
    """Applies the ReLU activation."""
    return Activation("relu", name=name)(x)


def convolved(
    x: Symbol,
    filters: int,
    size: int | tuple[int, int],
    name: str | None = None,
    bn_name: str | None = None,
    act_name: str | None = None,
    *,
    scale: bool = True,
    epsilon: float = 1e-3,
    **kwargs: Any,
) -> Symbol:
    """Applies a convolution without bias, batch normalization, then ReLU. `kwargs` are arguments of `Conv2D`."""
    x = Conv2D(filters, size, use_bias=False, name=name, **kwargs)(x)
    return relu(normalized(x, bn_name, scale=scale, epsilon=epsilon), act_name)


def classifier(
    x: Symbol, classes: int, activation: str | Callable | None, pool_name: str | None = "avg_pool"
) -> Symbol:
    """The usual classifier: global average pooling, then one dense layer."""
    x = GlobalAveragePooling2D(name=pool_name)(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def build(
    body: Body,
    name: str,
    *,
    include_top: bool,
    weights: str | None,
    input_tensor: Any,
    input_shape: Sequence[int | None] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: str | Callable | None,
    size: int,
    min_size: int,
    files: Files | None = None,
    top: Callable[[Symbol, int, Any], Symbol] = classifier,
    pool_names: tuple[str | None, str | None] = (None, None),
    after_pooling: Callable[[Symbol], Symbol] | None = None,
    any_size: bool = False,
) -> Model:
    """Builds the model of a network.

    Args:
        body: Function from a symbol of images to a symbol of features.
        name: Name of the model.
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        input_shape: Shape of an image without the batch axis.
        pooling: Pooling of the features without the classifier: 'avg', 'max' or ``None``.
        classes: Number of classes.
        classifier_activation: Activation of the classifier.
        size: Height and width of the images for which the network was made.
        min_size: Smallest height and width.
        files: Dictionary from `include_top` to (URL, MD5 or SHA-256) of the weights for ImageNet.
        top: Function from features, the number of classes and an activation to the outputs.
        pool_names: Names of the layers that ``pooling="avg"`` and ``pooling="max"`` add.
        after_pooling: Function from the pooled features to the outputs without the classifier.
        any_size: Whether the classifier takes images of any size.

    Returns:
        The model, with its weights loaded.

    Raises:
        InputDataError: If the arguments contradict each other.
    """
    _check(name, include_top, weights, pooling, classes, classifier_activation, files)
    shape = obtain_input_shape(
        input_shape,
        default_size=size,
        min_size=min_size,
        data_format=image_data_format(),
        require_flatten=include_top and not any_size,
        weights=weights,
    )
    inputs = Input(shape) if input_tensor is None else input_tensor
    if not isinstance(getattr(getattr(inputs, "node", None), "operation", None), Layer):
        inputs = Input(shape, tensor=inputs)
    x = body(inputs)
    if include_top:
        x = top(x, classes, classifier_activation)
    elif pooling == "avg":
        x = GlobalAveragePooling2D(name=pool_names[0])(x)
    elif pooling == "max":
        x = GlobalMaxPooling2D(name=pool_names[1])(x)
    if not include_top and after_pooling is not None:
        x = after_pooling(x)
    model = Model(inputs if input_tensor is None else get_source_inputs(inputs), x, name=name)
    if weights == "imagenet":
        url, digest = files[bool(include_top)]
        weights = get_file(url.rsplit("/", 1)[1], url, cache_subdir="models", file_hash=digest)
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
    """Selects the arguments that all networks have from the ``locals()`` of a function."""
    names = "include_top weights input_tensor input_shape pooling classes classifier_activation"
    return {name: arguments[name] for name in names.split()}


# Who scales the pixels: what a docstring says on images, and on arguments.
_SCALING = {
    "before": ("Pass images through `preprocess_input` of the same module first.", ""),
    "inside": ("Images have pixels from 0 to 255: the network scales them itself.", ""),
    "optional": (
        "Images have pixels from 0 to 255: the network scales them itself, unless told otherwise.",
        "\n        include_preprocessing: Whether the network scales the pixels itself.",
    ),
}


def described(summary: str, scaling: str = "before", **facts: Any) -> str:
    """

    {images}

    Args:
        include_top: Whether the network includes its classifier.{preprocessing}
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        input_shape: Shape of an image without the batch axis. With the classifier and the weights for ImageNet, it must
            be {size}x{size}; otherwise at least {min_size}x{min_size}.
        pooling: Pooling of the features if there is no classifier: 'avg' or 'max' over all positions, or ``None`` to
            keep all four axes.
        classes: Number of classes; 1000 with the weights for ImageNet.
        classifier_activation: Activation of the classifier; ``None`` for logits.
        name: Name of the model.

    Returns:
        A `Model`.

    Raises:
        InputDataError: If the arguments contradict each other.
    """
    images, preprocessing = _SCALING[scaling]
    return summary + described.__doc__.format(images=images, preprocessing=preprocessing, **facts)


def named(make: Callable[..., Model], name: str, module: str, doc: str) -> Callable[..., Model]:
    """Gives a function that makes networks its name, module and docstring."""
    make.__name__ = make.__qualname__ = name
    make.__module__, make.__doc__ = module, doc
    return make


def network(function_name: str, default_name: str, body: Body, doc: str, **facts: Any) -> Callable[..., Model]:
    """Makes the function that users call, with the usual arguments of Keras.

    Args:
        function_name: Name of the function.
        default_name: Default name of the model.
        body: Function from a symbol of images to a symbol of features.
        doc: Summary for the docstring.
        **facts: Further arguments of `build`.

    Returns:
        The function.
    """

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

    return named(make, function_name, getattr(body, "func", body).__module__, described(doc, **facts))


def keras_files(stem: str, **hashes: Any) -> Files:
    """The URLs and MD5 hashes of the weights that Keras publishes, with and without the classifier."""
    base = f"https://storage.googleapis.com/tensorflow/keras-applications/{stem}_weights_tf_dim_ordering_tf_kernels"
    return {True: (f"{base}.h5", hashes["top"]), False: (f"{base}_notop.h5", hashes["notop"])}
