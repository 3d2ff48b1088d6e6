"""`keras.legacy.interfaces` of Keras 2: decorators that let a function take Keras 1's argument names."""

import functools
from collections.abc import Callable
from typing import Any

from .adapting import adapt

_LAYERS = {
    "dense": "Dense", "dropout": "Dropout", "embedding": "Embedding", "pooling1d": "MaxPooling1D", "prelu": "PReLU",
    "gaussiannoise": "GaussianNoise", "recurrent": "LSTM", "gaussiandropout": "GaussianDropout", "lambda": "Lambda",
    "spatialdropout1d": "SpatialDropout1D", "spatialdropoutNd": "SpatialDropout2D", "conv1d": "Conv1D",
    "conv2d": "Conv2D", "conv3d": "Conv3D", "separable_conv2d": "SeparableConv2D", "deconv2d": "Conv2DTranspose",
    "convlstm2d": "ConvLSTM2D", "batchnorm": "BatchNormalization", "zeropadding2d": "ZeroPadding2D",
    "zeropadding3d": "ZeroPadding3D", "pooling2d": "MaxPooling2D", "pooling3d": "MaxPooling3D",
    "global_pooling": "GlobalMaxPooling2D", "upsampling1d": "UpSampling1D", "upsampling2d": "UpSampling2D",
    "upsampling3d": "UpSampling3D", "cropping2d": "Cropping2D", "cropping3d": "Cropping3D", "input": "InputLayer",
    "model_constructor": "Model", "add_weight": "add_weight", "get_updates": "get_updates",
    "generator_methods": "Model.fit_generator",
}  # fmt: skip


def __getattr__(name):
    key = name.removeprefix("legacy_").removesuffix("_support")
    if key not in _LAYERS or name == key:
        raise AttributeError(f"keras.legacy.interfaces has no {name!r}.")
    return functools.partial(adapt, name=_LAYERS[key], method=True)


def __dir__():
    return ["generate_legacy_interface", "raise_duplicate_arg_error", *(f"legacy_{key}_support" for key in _LAYERS)]


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> None:
    raise TypeError(f"Got both {old_arg!r} and {new_arg!r}, which are the same argument.")


def generate_legacy_interface(
    allowed_positional_args: Any = None,
    conversions: Any = None,
    preprocessor: Any = None,
    value_conversions: Any = None,
) -> Callable:
    """A decorator that renames keyword arguments: `conversions` are pairs (old name, new name)."""

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            if preprocessor is not None:
                args, kwargs, _ = preprocessor(args, kwargs)
            for key, table in (value_conversions or {}).items():
                if key in kwargs and kwargs[key] in table:
                    kwargs[key] = table[kwargs[key]]
            for old, new in conversions or []:
                if old in kwargs:
                    if new in kwargs:
                        raise_duplicate_arg_error(old, new)
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate
