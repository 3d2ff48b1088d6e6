"""MobileNetV3: found by search, with squeeze and excitation, for phones (Howard et al., 2019, arXiv:1905.02244)."""

from functools import partial

from ..core import Symbol
from ..core.errors import InputDataError
from ..layers import (
    Activation,
    Add,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
)
from ..utils.imagenet import decode_predictions
from .common import build, channel_axis, divisible, named, normalized, padded, shared
from .efficientnet import preprocess_input

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_"
# Tables 1 and 2 of the paper: (expansion, filters, kernel size, strides, squeeze and excitation, h-swish) of each block
_BLOCKS = {
    "Small": [
        (1, 16, 3, 2, 1, 0),
        (72 / 16, 24, 3, 2, 0, 0),
        (88 / 24, 24, 3, 1, 0, 0),
        (4, 40, 5, 2, 1, 1),
        *[(6, 40, 5, 1, 1, 1)] * 2,
        *[(3, 48, 5, 1, 1, 1)] * 2,
        (6, 96, 5, 2, 1, 1),
        *[(6, 96, 5, 1, 1, 1)] * 2,
    ],
    "Large": [
        (1, 16, 3, 1, 0, 0),
        (4, 24, 3, 2, 0, 0),
        (3, 24, 3, 1, 0, 0),
        (3, 40, 5, 2, 1, 0),
        *[(3, 40, 5, 1, 1, 0)] * 2,
        (6, 80, 3, 2, 0, 1),
        (2.5, 80, 3, 1, 0, 1),
        *[(2.3, 80, 3, 1, 0, 1)] * 2,
        *[(6, 112, 3, 1, 1, 1)] * 2,
        (6, 160, 5, 2, 1, 1),
        *[(6, 160, 5, 1, 1, 1)] * 2,
    ],
}
_LAST = {"Small": 1024, "Large": 1280}  # filters of the last convolution but one
_COUNTS = {"Small": 2_554_968, "Large": 5_507_432}
# MD5 with and without the classifier
_HASHES = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}
_normalized = partial(normalized, momentum=0.999)


def _active(x, swish):
    return Activation("hard_silu")(x) if swish else ReLU()(x)


def _hard_sigmoid(x: Symbol) -> Symbol:
    return ReLU(6.0)(x + 3.0) * (1.0 / 6.0)


def _squeeze_and_excite(x, prefix):
    """Multiplies each channel by a factor that depends on the averages of all channels."""
    prefix, channels = f"{prefix}squeeze_excite_", x.shape[channel_axis()]
    factors = GlobalAveragePooling2D(keepdims=True, name=f"{prefix}avg_pool")(x)
    factors = Conv2D(divisible(channels / 4), 1, padding="same", name=f"{prefix}conv")(factors)
    factors = Conv2D(channels, 1, padding="same", name=f"{prefix}conv_1")(ReLU(name=f"{prefix}relu")(factors))
    return Multiply(name=f"{prefix}mul")([x, _hard_sigmoid(factors)])


def _block(x, number, row, alpha, minimalistic):
    expansion, filters, kernel_size, strides, squeezes, swish = row
    if minimalistic:
        kernel_size, squeezes, swish = 3, False, False
    prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
    inputs, channels, filters = x, x.shape[channel_axis()], divisible(filters * alpha)
    if number:
        x = Conv2D(divisible(channels * expansion), 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _active(_normalized(x, f"{prefix}expand_bn"), swish)
    if strides == 2:
        x = padded(x, kernel_size, f"{prefix}depthwise_pad")
    padding = "same" if strides == 1 else "valid"
    x = DepthwiseConv2D(kernel_size, strides=strides, padding=padding, use_bias=False, name=f"{prefix}depthwise")(x)
    x = _active(_normalized(x, f"{prefix}depthwise_bn"), swish)
    if squeezes:
        x = _squeeze_and_excite(x, prefix)
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_bn")
    return Add(name=f"{prefix}add")([inputs, x]) if strides == 1 and channels == filters else x


def _body(x, size, alpha, minimalistic, include_preprocessing):
    if include_preprocessing:
        x = Rescaling(1 / 127.5, offset=-1.0)(x)
    x = Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
    x = _active(_normalized(x, "conv_bn"), not minimalistic)
    for number, row in enumerate(_BLOCKS[size]):
        x = _block(x, number, row, alpha, minimalistic)
    filters = divisible(6 * x.shape[channel_axis()])
    x = Conv2D(filters, 1, padding="same", use_bias=False, name="conv_1")(x)
    return _active(_normalized(x, "conv_1_bn"), not minimalistic)


def _top(x, classes, activation, filters, minimalistic, dropout_rate):
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = _active(Conv2D(filters, 1, padding="same", name="conv_2")(x), not minimalistic)
    if dropout_rate > 0:
        x = Dropout(dropout_rate)(x)
    x = Flatten()(Conv2D(classes, 1, padding="same", name="logits")(x))
    return Activation(activation, name="predictions")(x)


def _files(size, alpha, minimalistic):
    """The published files, none for other widths than these."""
    stem = f"{size.lower()}{'_minimalistic' if minimalistic else ''}_224_{float(alpha)}"
    if stem not in _HASHES:
        return None
    top, notop = _HASHES[stem]
    return {True: (f"{_URL}{stem}_float.h5", top), False: (f"{_URL}{stem}_float_no_top_v2.h5", notop)}


_DOC = """MobileNetV3-{size} with {weights:,} weights (with the classifier).

    Images have pixels from 0 to 255: the network scales them itself, unless told otherwise.

    Args:
        input_shape: Shape of an image without the batch axis, at least 32x32. By default, the sides may be any.
        alpha: Factor of the numbers of filters; with the weights for ImageNet 0.75 or 1.
        minimalistic: Whether to do without squeeze and excitation, h-swish and 5x5 kernels. With the weights for
            ImageNet, `alpha` is 1 then.
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        classes: Number of classes; 1000 with the weights for ImageNet.
        pooling: Pooling of the features if there is no classifier: 'avg', 'max' or ``None``.
        dropout_rate: Fraction of the features to drop before the classifier.
        classifier_activation: Activation of the classifier; ``None`` for logits.
        include_preprocessing: Whether the network scales the pixels itself.
        name: Name of the model.

    Returns:
        A `Model`.

    Raises:
        InputDataError: If the arguments contradict each other.
    """


def _mobilenet(size):
    function_name = f"MobileNetV3{size}"

    def make(
        input_shape=None,
        alpha=1.0,
        minimalistic=False,
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        classes=1000,
        pooling=None,
        dropout_rate=0.2,
        classifier_activation="softmax",
        include_preprocessing=True,
        name=function_name,
    ):
        files = _files(size, alpha, minimalistic)
        if weights == "imagenet" and files is None:
            raise InputDataError(
                f"{function_name}: with weights='imagenet', alpha must be 0.75 or 1, and 1 with minimalistic=True. "
                f"Received: alpha={alpha}, minimalistic={minimalistic}"
            )
        last = divisible(_LAST[size] * max(alpha, 1.0))
        options = {"size": size, "alpha": alpha, "minimalistic": minimalistic}
        return build(
            partial(_body, include_preprocessing=include_preprocessing, **options),
            name,
            **shared(locals()),
            size=224,
            min_size=32,
            pool_names=("avg_pool", "max_pool"),
            top=partial(_top, filters=last, minimalistic=minimalistic, dropout_rate=dropout_rate),
            any_size=True,
            files=files,
        )

    return named(make, function_name, __name__, _DOC.format(size=size, weights=_COUNTS[size]))


MobileNetV3Small = _mobilenet("Small")
MobileNetV3Large = _mobilenet("Large")

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]
