"""Helpers for users' programs."""

from oneiros.utils.arrays import normalize, to_categorical
from oneiros.utils.data import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    PyDataset,
    Sequence,
    SequenceEnqueuer,
)
from oneiros.utils.files import get_file
from oneiros.utils.hdf5 import HDF5Matrix
from oneiros.utils.progress import Progbar

__all__ = [
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "normalize",
    "to_categorical",
]
