"""Helpers for users' programs."""

import importlib

from oneiros.core import is_symbol as is_keras_tensor
from oneiros.core.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from oneiros.core.random import set_random_seed
from oneiros.core.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from oneiros.utils.arrays import normalize, to_categorical, to_ordinal
from oneiros.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from oneiros.utils.config import Config
from oneiros.utils.data import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    PyDataset,
    Sequence,
    SequenceEnqueuer,
    get_index,
)
from oneiros.utils.files import get_file, urlretrieve, validate_file
from oneiros.utils.hdf5 import HDF5Matrix
from oneiros.utils.progress import Progbar
from oneiros.utils.splitting import split_dataset

# Names that Keras offers here too; loaded at first use, because what defines them builds on this package or is seldom
# used.
_ELSEWHERE = {
    "oneiros.backend": "clear_session standardize_dtype",
    "oneiros.layers.input_layer": "get_source_inputs",
    "oneiros.models.feature_space": "FeatureSpace",
    "oneiros.models.drawing": "model_to_dot plot_model",
    "oneiros.models.parallel": "multi_gpu_model",
    "oneiros.models.summary": "print_summary",
    "oneiros.preprocessing": (
        "audio_dataset_from_directory image_dataset_from_directory text_dataset_from_directory "
        "timeseries_dataset_from_array"
    ),
    "oneiros.preprocessing.image": "array_to_img img_to_array load_img save_img",
    "oneiros.preprocessing.sequence": "pad_sequences",
}
_ELSEWHERE = {name: module for module, names in _ELSEWHERE.items() for name in names.split()}

__all__ = [
    *("Config", "split_dataset"),
    *("CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name"),
    *("get_registered_object", "register_keras_serializable", "set_random_seed", "GeneratorEnqueuer"),
    *("HDF5Matrix", "OrderedEnqueuer", "Progbar", "PyDataset", "Sequence", "SequenceEnqueuer", "get_file"),
    *("get_index", "is_keras_tensor", "normalize", "pack_x_y_sample_weight", "to_categorical"),
    *("disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"),
    *("bounding_boxes", "to_ordinal", "unpack_x_y_sample_weight", "urlretrieve", "validate_file"),
    *_ELSEWHERE,
]


def __getattr__(name):
    if name == "bounding_boxes":
        return importlib.import_module("oneiros.utils.bounding_boxes")
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
