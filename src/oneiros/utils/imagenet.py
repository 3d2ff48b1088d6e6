"""Helpers for networks trained on ImageNet: the scaling of their inputs, and the names of their classes."""

import functools
import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.utils.files import get_file

CLASS_INDEX_URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_MD5 = "c2c37ea517e94d9795004a39431a14cb"
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red
TORCH_MEAN, TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # red, green, blue; of pixels in [0, 1]


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scales RGB pixels from 0 to 255 to the range that a family of networks expects.

    Args:
        x: one image or a batch, an array or a symbolic tensor.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        mode: 'caffe' (BGR order, mean colour subtracted), 'tf' (scaled to [-1, 1]) or 'torch' (scaled to [0, 1], then
            normalized per channel).

    Returns:
        An array or symbolic tensor of the same shape.

    Raises:
        InputDataError: the mode is unknown, or `x` does not have 3 or 4 axes.

    >>> preprocess_input(np.full((1, 1, 3), 255.0), mode="tf").ravel()
    array([1., 1., 1.])
    """
    if mode not in ("caffe", "tf", "torch"):
        raise InputDataError(f"preprocess_input: expected mode 'caffe', 'tf' or 'torch'. Received: {mode!r}")
    channels_first = standardize_data_format(data_format) == "channels_first"
    if isinstance(x, (np.ndarray, list, tuple)):
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(floatx())
    dtype = x.dtype if isinstance(x, np.ndarray) else floatx()
    rank = len(x.shape)
    if rank not in (3, 4):
        raise InputDataError(f"preprocess_input: expected an image (3-D) or a batch (4-D). Received shape {x.shape}")
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = rank - 3 if channels_first else rank - 1

    def per_channel(values):
        return np.asarray(values, dtype).reshape([3 if i == axis else 1 for i in range(rank)])

    if mode == "torch":
        return (x / 255.0 - per_channel(TORCH_MEAN)) / per_channel(TORCH_STD)
    reverse = tuple(slice(None, None, -1) if i == axis else slice(None) for i in range(rank))
    return x[reverse] - per_channel(CAFFE_MEAN)


@functools.cache
def _class_index():
    path = get_file("imagenet_class_index.json", CLASS_INDEX_URL, cache_subdir="models", file_hash=CLASS_INDEX_MD5)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def decode_predictions(preds: npt.ArrayLike, top: int = 5) -> list[list[tuple]]:
    """Names the most probable ImageNet classes of each prediction. The names are downloaded once.

    Args:
        preds: scores of the classes, shape ``(samples, 1000)``.
        top: number of classes to return for each sample.

    Returns:
        For each sample, a list of ``(WordNet id, name, score)`` with the highest score first.

    Raises:
        InputDataError: `preds` has a different shape.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise InputDataError(f"decode_predictions: expected shape (samples, 1000). Received: {preds.shape}")
    names = _class_index()
    best = np.argsort(-preds, axis=1, kind="stable")[:, :top]
    return [[(*names[str(i)], row[i]) for i in indices] for row, indices in zip(preds, best)]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str | None = None,
    require_flatten: bool = True,
    weights: str | None = None,
    include_top: bool | None = None,
) -> tuple[int | None, ...]:
    """Checks the input shape of a pretrained architecture, or chooses one.

    Args:
        input_shape: the shape that the user gave, without the batch axis; ``None`` for a default.
        default_size: height and width that the top layers expect.
        min_size: smallest height and width.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        require_flatten: whether the shape must be fully known, because the model includes its top layers.
        weights: 'imagenet' for pretrained weights, which require three channels.
        include_top: older name of `require_flatten`.

    Returns:
        The shape, without the batch axis. Height and width are ``None`` if the model takes any size.

    Raises:
        InputDataError: the model does not support the shape.

    >>> obtain_input_shape(None, 224, 32, "channels_last", require_flatten=True)
    (224, 224, 3)
    """
    require_flatten = require_flatten if include_top is None else include_top
    channels_first = standardize_data_format(data_format) == "channels_first"

    def arranged(channels, *sides):
        return (channels, *sides) if channels_first else (*sides, channels)

    input_shape = None if input_shape is None else tuple(input_shape)
    channels = 3
    if weights != "imagenet" and input_shape and len(input_shape) == 3:
        channels = input_shape[0 if channels_first else -1]
        if channels not in (1, 3):
            warnings.warn(f"This model usually expects 1 or 3 channels; input_shape={input_shape} has {channels}.")
    default_shape = arranged(channels, default_size, default_size)
    if weights == "imagenet" and require_flatten:
        if input_shape not in (None, default_shape):
            raise InputDataError(
                f"With weights='imagenet' and the top included, input_shape must be {default_shape}. "
                f"Received: {input_shape}"
            )
        return default_shape
    if input_shape is not None:
        if len(input_shape) != 3:
            raise InputDataError(f"input_shape must have three dimensions. Received: {input_shape}")
        if weights == "imagenet" and input_shape[0 if channels_first else -1] != 3:
            raise InputDataError(f"With weights='imagenet' input_shape must have 3 channels. Received: {input_shape}")
        sides = input_shape[1:] if channels_first else input_shape[:2]
        if any(side is not None and side < min_size for side in sides):
            raise InputDataError(f"input_shape must be at least {min_size}x{min_size}. Received: {input_shape}")
    elif require_flatten:
        input_shape = default_shape
    else:
        input_shape = arranged(channels, None, None)
    if require_flatten and None in input_shape:
        raise InputDataError(f"With the top included, input_shape must be fully known. Received: {input_shape}")
    return input_shape
