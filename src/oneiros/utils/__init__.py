"""Helpers for users' programs."""

import importlib

from oneiros.utils.arrays import normalize, to_categorical, to_ordinal
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

# Names that Keras offers here too; loaded at first use, because preprocessing builds on this package.
_ELSEWHERE = {
    "oneiros.preprocessing": ("image_dataset_from_directory text_dataset_from_directory timeseries_dataset_from_array"),
    "oneiros.preprocessing.image": "array_to_img img_to_array load_img save_img",
    "oneiros.preprocessing.sequence": "pad_sequences",
}
_ELSEWHERE = {name: module for module, names in _ELSEWHERE.items() for name in names.split()}

__all__ = [
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "get_index",
    "normalize",
    "to_categorical",
    "to_ordinal",
    "urlretrieve",
    "validate_file",
    *_ELSEWHERE,
]


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
