"""Functions that Keras 1 and 2 had beside the layers: metrics, regularizers, helpers of `utils`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import Array

from .. import losses, optimizers, regularizers, utils
from ..core import kind
from ..core.lazy import LazyModule
from ..core.registry import factory
from ..utils.atomic import regular, replacing
from ..utils.layer_utils import count_params

K = LazyModule(f"{__package__}.backend")

# --- metrics of Keras 1: of one batch, so the logs show their mean over the batches


def _positives(y):
    return K.round(K.clip(y, 0, 1))


def precision(y_true: Array, y_pred: Array) -> Array:
    """The share of the selected items that are relevant, in a batch."""
    return K.sum(_positives(y_true * y_pred)) / (K.sum(_positives(y_pred)) + K.epsilon())


def recall(y_true: Array, y_pred: Array) -> Array:
    """The share of the relevant items that are selected, in a batch."""
    return K.sum(_positives(y_true * y_pred)) / (K.sum(_positives(y_true)) + K.epsilon())


def fbeta_score(y_true: Array, y_pred: Array, beta: float = 1) -> Array:
    """The weighted harmonic mean of precision and recall, in a batch; recall counts `beta` times as much."""
    if beta < 0:
        raise ValueError(f"fbeta_score: expected beta >= 0. Received: beta={beta!r}")
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return (1 + beta**2) * p * r / (beta**2 * p + r + K.epsilon())


def fmeasure(y_true: Array, y_pred: Array) -> Array:
    """The harmonic mean of precision and recall, in a batch."""
    return fbeta_score(y_true, y_pred, beta=1)


def fscore(y_true: Array, y_pred: Array) -> Array:
    return fmeasure(y_true, y_pred)


def f1score(y_true: Array, y_pred: Array) -> Array:
    return fmeasure(y_true, y_pred)


def matthews_correlation(y_true: Array, y_pred: Array) -> Array:
    """The correlation of true and predicted classes (Matthews, 1975), in a batch."""
    true, predicted = _positives(y_true), _positives(y_pred)
    tp, tn = K.sum(true * predicted), K.sum((1 - true) * (1 - predicted))
    fp, fn = K.sum((1 - true) * predicted), K.sum(true * (1 - predicted))
    return (tp * tn - fp * fn) / (K.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) + K.epsilon())


# --- regularizers of Keras 1

WeightRegularizer = ActivityRegularizer = L1L2Regularizer = regularizers.L1L2


@factory
def l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    return regularizers.L1L2(l1=l1, l2=l2)


@factory
def activity_l1(l: float = 0.01) -> Any:  # noqa: E741 - Keras' name
    return regularizers.L1L2(l1=l)


@factory
def activity_l2(l: float = 0.01) -> Any:  # noqa: E741
    return regularizers.L1L2(l2=l)


@factory
def activity_l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    return regularizers.L1L2(l1=l1, l2=l2)


class EigenvalueRegularizer(regularizers.Regularizer):
    """`k` times the root of the largest eigenvalue of ``W.T @ W``, found by power iteration."""

    def __init__(self, k: float):
        self.k = k

    def __call__(self, x):
        if K.ndim(x) != 2:
            raise ValueError(f"EigenvalueRegularizer expects a matrix. Received: {K.ndim(x)} dimensions.")
        square = K.dot(K.transpose(x), x)
        vector = K.ones((K.int_shape(x)[1], 1))
        for _ in range(9):
            vector = K.dot(square, vector)
            vector = vector / K.sqrt(K.sum(K.square(vector)))
        return self.k * K.sqrt(K.sum(vector * K.dot(square, vector)))


# What strings may name, by kind, in Keras 1 and before Keras 3.
KERAS1_NAMES = {
    "metric": (precision, recall, fbeta_score, fmeasure, fscore, f1score, matthews_correlation),
    "regularizer": (l1l2, activity_l1, activity_l2, activity_l1l2, regularizers.l1_l2),
}
OLD_NAMES = {"regularizer": KERAS1_NAMES["regularizer"]}

# --- optimizers


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """The gradient `g`, whose norm is `n`, scaled so that its norm is at most `c`."""
    return K.switch(n >= c, g * c / n, g) if c > 0 else g


def optimizer_from_config(config: dict, custom_objects: dict | None = None) -> Any:
    return optimizers.deserialize(config, custom_objects)


# --- keras.utils.np_utils, conv_utils, io_utils, layer_utils, generic_utils


def categorical_probas_to_classes(p: Any) -> np.ndarray:
    return np.argmax(p, axis=1)


def probas_to_classes(y_pred: Array) -> np.ndarray:
    """The class of each row of probabilities."""
    return categorical_probas_to_classes(y_pred) if np.shape(y_pred)[-1] > 1 else np.array([x[0] > 0.5 for x in y_pred])


def accuracy(p: Any, y: Any) -> Any:
    return np.mean([a == b for a, b in zip(p, y)])


def binary_logloss(p: Any, y: Any) -> Any:
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -np.mean(y * np.log(p) + (1 - np.asarray(y)) * np.log(1 - p))


def multiclass_logloss(p: Any, y: Any) -> Any:
    """The mean of minus the logarithm of the probability that `p` gives the class `y` of each row."""
    p = np.asarray(p) / np.sum(p, axis=1, keepdims=True)
    classes = np.argmax(y, axis=1) if np.ndim(y) > 1 else np.asarray(y)
    return -np.mean(np.log(np.clip(p[np.arange(len(p)), classes], 1e-15, 1)))


def convert_kernel(kernel: np.ndarray, dim_ordering: str | None = None) -> np.ndarray:
    """A convolution kernel turned around in all its spatial axes, as Theano's are."""
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"convert_kernel: expected 3 to 5 dimensions. Received: shape {kernel.shape}")
    axes = range(2, kernel.ndim) if dim_ordering == "th" else range(kernel.ndim - 2)
    return np.copy(np.flip(kernel, tuple(axes)))


def save_array(array: Any, name: str) -> None:
    """Writes an array to the HDF5 file `name`."""
    import h5py

    with replacing(name) as part, h5py.File(part, "w") as file:
        file["array"] = np.asarray(array)


def load_array(name: str) -> np.ndarray:
    """The array in the HDF5 file `name`."""
    import h5py

    with h5py.File(regular(name, "an HDF5 file"), "r") as file:
        return file[next(iter(file))][()]


def count_total_params(layers: Any, layer_set: Any = None) -> tuple:
    """The numbers of trainable and other weights' entries in layers, each layer counted once."""
    seen = set() if layer_set is None else layer_set
    own = [layer for layer in layers if layer not in seen and not seen.add(layer)]
    return (
        count_params([w for layer in own for w in layer.trainable_weights]),
        count_params([w for layer in own for w in layer.non_trainable_weights]),
    )


def plot(model: Any, to_file: str = "model.png", show_shapes: bool = False, show_layer_names: bool = True) -> Any:
    """`plot_model` as Keras 1 called it."""
    return utils.plot_model(model, to_file=to_file, show_shapes=show_shapes, show_layer_names=show_layer_names)


def layer_from_config(config: dict, custom_objects: dict | None = None) -> Any:
    """The layer of a configuration ``{"class_name", "config"}``."""
    return kind("layer").deserialize(config, custom_objects)


maketrans = str.maketrans


def make_tuple(*args) -> tuple:
    return args


def get_from_module(
    identifier: Any, module_params: Any, module_name: Any, instantiate: bool = False, kwargs: dict | None = None
) -> Any:
    """What a dictionary of functions and classes has under a name; anything but a string stays."""
    if isinstance(identifier, dict):
        identifier, kwargs, instantiate = identifier["name"], {k: v for k, v in identifier.items() if k != "name"}, True
    if not isinstance(identifier, str):
        return identifier
    if identifier not in module_params:
        raise ValueError(f"Invalid {module_name}: {identifier}")
    thing = module_params[identifier]
    return thing(**(kwargs or {})) if instantiate else thing


def urlretrieve(url: str, filename: str, reporthook: Callable | None = None, data: Any = None) -> Any:
    """Downloads a URL to a file."""
    from urllib.request import urlretrieve as retrieve

    return retrieve(url, filename, reporthook, data)


# --- what modules of Keras 2.2 and 2.3 import from each other


def is_all_none(structure: Any) -> bool:
    """Whether there is nothing but ``None`` in a structure.

    Args:
        structure: A list, a dictionary or one thing.

    >>> is_all_none([None, None]), is_all_none([None, 3])
    (True, False)
    """
    values = structure.values() if isinstance(structure, dict) else structure
    return all(v is None for v in (values if isinstance(structure, (list, tuple, dict)) else [structure]))


def transpose_shape(shape: Any, target_format: str, spatial_axes: Any) -> Any:
    """A shape with the channels last, in another layout.

    Args:
        shape: The shape.
        target_format: `"channels_first"` or `"channels_last"`.
        spatial_axes: The places of the spatial axes in `shape`.

    >>> transpose_shape((16, 128, 128, 32), "channels_first", (1, 2))
    (16, 32, 128, 128)
    """
    if target_format == "channels_last":
        return shape
    if target_format != "channels_first":
        raise ValueError(f"transpose_shape: expected channels_first or channels_last. Received: {target_format!r}")
    return type(shape)((*shape[: spatial_axes[0]], shape[-1], *(shape[i] for i in spatial_axes)))


def clone_metric(metric: Any) -> Any:
    """A metric of the same configuration; a function is returned as it is.

    Args:
        metric: The metric.
    """
    return type(metric).from_config(metric.get_config()) if hasattr(metric, "get_config") else metric


def clone_metrics(metrics: Any) -> list:
    """Metrics of the same configurations.

    Args:
        metrics: A list of metrics.
    """
    return [clone_metric(metric) for metric in metrics]


def huber_loss(y_true: Array, y_pred: Array, delta: float = 1.0) -> Array:
    """`huber`, as Keras 2.3 calls it.

    Args:
        y_true: The targets.
        y_pred: The outputs.
        delta: Where squares end and absolute values begin.
    """
    return losses.huber(y_true, y_pred, delta)
