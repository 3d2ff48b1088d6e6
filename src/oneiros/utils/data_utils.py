"""Downloads and data in batches, where Keras keeps them."""

from oneiros.utils.data import GeneratorEnqueuer, OrderedEnqueuer, Sequence, SequenceEnqueuer, get_index
from oneiros.utils.files import get_file, urlretrieve, validate_file

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "get_index",
    "urlretrieve",
    "validate_file",
]
