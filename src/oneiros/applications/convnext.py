"""ConvNeXt: a ResNet with the manners of vision transformers (Liu et al., 2022, arXiv:2201.03545)."""

from functools import partial

from ..core.errors import InputDataError
from ..layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    Normalization,
    StochasticDepth,
)
from ..models import Sequential
from ..utils.imagenet import TORCH_MEAN, TORCH_STD, decode_predictions
from .common import build, channel_axis, described, named, shared
from .efficientnet import files, preprocess_input

# (blocks of the four stages, channels of the first: they double, weights, SHA-256 with and without the classifier)
_VARIANTS = {
    "Tiny": (
        *((3, 3, 9, 3), 96, 28_589_128),
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "Small": (
        *((3, 3, 27, 3), 96, 50_223_688),
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "Base": (
        *((3, 3, 27, 3), 128, 88_591_464),
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "Large": (
        *((3, 3, 27, 3), 192, 197_767_336),
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "XLarge": (
        *((3, 3, 27, 3), 256, 350_196_968),
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
_normalization = partial(LayerNormalization, epsilon=1e-6)


def _block(x, channels, name):
    y = Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv")(x)
    y = _normalization(name=f"{name}_layernorm")(y)
    y = Activation("gelu", name=f"{name}_gelu")(Dense(4 * channels, name=f"{name}_pointwise_conv_1")(y))
    y = Dense(channels, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(1e-6, channels, name=f"{name}_layer_scale")(y)
    return x + Activation("linear", name=f"{name}_identity")(y)


def _stem(channels, name):
    convolution = Conv2D(channels, 4, strides=4, name=f"{name}_stem_conv")
    return Sequential([convolution, _normalization(name=f"{name}_stem_layernorm")], name=f"{name}_stem")


def _downsampling(channels, name, number):
    """Halves the sides."""
    prefix = f"{name}_downsampling"
    convolution = Conv2D(channels, 2, strides=2, name=f"{prefix}_conv_{number}")
    layers = [_normalization(name=f"{prefix}_layernorm_{number}"), convolution]
    return Sequential(layers, name=f"{prefix}_block_{number}")


def _body(x, depths, channels, name, include_preprocessing):
    if include_preprocessing and x.shape[-1] == 3:
        mean = [255 * value for value in TORCH_MEAN]
        variance = [(255 * value) ** 2 for value in TORCH_STD]
        x = Normalization(mean=mean, variance=variance, name=f"{name}_prestem_normalization")(x)
    for stage, depth in enumerate(depths):
        width = channels * 2**stage
        x = (_downsampling(width, name, stage - 1) if stage else _stem(width, name))(x)
        for i in range(depth):
            x = _block(x, width, f"{name}_stage_{stage}_block_{i}")
    return x


def _top(x, classes, activation, name):
    x = GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = _normalization(name=f"{name}_head_layernorm")(x)
    return Dense(classes, activation=activation, name=f"{name}_head_dense")(x)


def _convnext(variant):
    depths, channels, weights_count, *hashes = _VARIANTS[variant]
    default_name = f"convnext_{variant.lower()}"
    facts = {"size": 224, "min_size": 32}

    def make(
        include_top=True,
        include_preprocessing=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=default_name,
    ):
        if channel_axis() == 1:
            raise InputDataError(f"{name}: ConvNeXt takes images with the channels last, not 'channels_first'.")
        return build(
            partial(_body, depths=depths, channels=channels, name=name, include_preprocessing=include_preprocessing),
            name,
            **shared(locals()),
            **facts,
            top=partial(_top, name=name),
            after_pooling=lambda x: _normalization()(x),
            files=files(f"tensorflow/keras-applications/convnext/{default_name}", *hashes),
        )

    summary = f"ConvNeXt-{variant} with {weights_count:,} weights (with the top)."
    return named(make, f"ConvNeXt{variant}", __name__, described(summary, "optional", **facts))


ConvNeXtTiny = _convnext("Tiny")
ConvNeXtSmall = _convnext("Small")
ConvNeXtBase = _convnext("Base")
ConvNeXtLarge = _convnext("Large")
ConvNeXtXLarge = _convnext("XLarge")

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "LayerScale",
    "StochasticDepth",
    "decode_predictions",
    "preprocess_input",
]
