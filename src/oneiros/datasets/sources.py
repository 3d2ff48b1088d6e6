"""Where the data sets come from, and how their files are read."""

import gzip
import itertools
import os
import pickle

import numpy as np

from oneiros.core.errors import CorruptFileError, InputDataError, UnsafeModelError
from oneiros.utils.files import get_file

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def fetch(path, url, file_hash, cache_dir=None):
    """The local path of a data set's file. ``path`` is its name in the cache, or an absolute path of the user's own."""
    folder, name = os.path.split(os.path.expanduser(path))
    if os.path.isabs(folder):
        return get_file(name, url, cache_subdir="", file_hash=file_hash, cache_dir=folder)
    return get_file(name, url, cache_subdir=os.path.join("datasets", folder), file_hash=file_hash, cache_dir=cache_dir)


def read_npz(path, url, file_hash, cache_dir=None):
    """The arrays of an npz file, which may hold pickled lists: `fetch` has made sure of its hash."""
    path = fetch(path, url, file_hash, cache_dir)
    try:
        with np.load(path, allow_pickle=True) as file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError) as error:
        raise CorruptFileError(f"{path}: is no readable npz file: {error}") from error


def read_idx(path, item_shape, header):
    """The bytes of a gzipped idx file as an array of shape ``(items, *item_shape)``."""
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).reshape(-1, *item_shape)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists and arrays; refuses everything that could run code."""

    def find_class(self, module, name):
        module = module.replace("numpy.core", "numpy._core")  # the name since NumPy 2
        allowed = {"numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype", "_codecs.encode"}
        if f"{module}.{name}" not in allowed:
            raise UnsafeModelError(f"A data file asks for {module}.{name}, which is no array. It is not loaded.")
        return super().find_class(module, name)


def read_arrays(file):
    """The dictionary pickled in an open file, with text keys; only arrays, lists and plain values are accepted."""
    content = _ArrayUnpickler(file, encoding="bytes").load()
    return {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}


def shuffled(seed, *columns_of_splits):
    """Each split (a tuple of equally long arrays) in a random order, by one generator for all of them."""
    random = np.random.RandomState(seed)
    result = []
    for columns in columns_of_splits:
        order = np.arange(len(columns[0]))
        random.shuffle(order)
        result.append(tuple(column[order] for column in columns))
    return result


def split(x, y, test_split):
    """``(x_train, y_train), (x_test, y_test)``, the last ``test_split`` of the rows being the test data."""
    if not 0 <= test_split < 1:
        raise InputDataError(f"load_data: test_split must lie in [0, 1). Received: {test_split}")
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])


def encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from):
    """Word ranks as Keras gives them out. ``splits``: pairs of an array of lists and an array of labels.

    Ranks are raised by ``index_from``, texts begin with ``start_char``, and numbers outside ``[skip_top, num_words)``
    become ``oov_char`` (``None``: are left out). Texts of ``maxlen`` numbers or more are dropped.
    """
    shift = index_from or 0
    encoded = []
    for texts, labels in splits:
        lengths = np.fromiter(map(len, texts), int, len(texts)) + (start_char is not None)
        if maxlen:
            short = lengths < maxlen
            texts, labels, lengths = texts[short], labels[short], lengths[short]
            if not len(texts):
                raise InputDataError(f"load_data: no text is shorter than maxlen={maxlen}. Choose a larger maxlen.")
        ends = lengths.cumsum()
        numbers = np.full(ends[-1], -1 if start_char is None else start_char)
        words = np.ones(len(numbers), bool)
        if start_char is not None:
            words[ends - lengths] = False
        numbers[words] = np.fromiter(itertools.chain.from_iterable(texts), int, words.sum()) + shift
        encoded.append((numbers, ends, labels))
    if not num_words:
        num_words = max(numbers.max() for numbers, _, _ in encoded) + 1
    result = []
    for numbers, ends, labels in encoded:
        kept = (skip_top <= numbers) & (numbers < num_words)
        if oov_char is None:
            ends = kept.cumsum()[ends - 1]
            numbers = numbers[kept]
        else:
            numbers[~kept] = oov_char
        numbers, ends = numbers.tolist(), ends.tolist()
        lists = np.empty(len(ends), object)
        for i, (start, end) in enumerate(zip([0, *ends], ends)):
            lists[i] = numbers[start:end]
        result.append((lists, labels))
    return result
