"""Where the data sets come from, and how their files are read."""

import contextlib
import gzip
import itertools
import math
import os
import pickle
import zipfile

import numpy as np

from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.utils.archives import unpacked_limit
from oneiros.utils.atomic import regular
from oneiros.utils.files import get_file

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def fetch(path, url, file_hash, cache_dir=None):
    """The local path of a data set's file. ``path`` is its name in the cache, or an absolute path of the user's own."""
    folder, name = os.path.split(os.path.expanduser(path))
    if os.path.isabs(folder):
        return get_file(name, url, cache_subdir="", file_hash=file_hash, cache_dir=folder)
    return get_file(name, url, cache_subdir=os.path.join("datasets", folder), file_hash=file_hash, cache_dir=cache_dir)


def read_npz(path, url, file_hash, cache_dir=None):
    """The arrays of an npz file; `fetch` has made sure of its hash."""
    return npz_arrays(fetch(path, url, file_hash, cache_dir))


def npz_arrays(path):
    """The arrays of an npz file by name. Ragged ones are pickled in it, and read like `read_arrays` does.

    Raises ``UnsafeModelError`` for pickles of anything but arrays, lists and plain values, ``LimitExceededError`` for
    a file that unpacks to far more than its size, ``CorruptFileError`` for one that is damaged.
    """
    with _damaged(path), zipfile.ZipFile(regular(path)) as archive:
        members = archive.infolist()
        total, size = sum(member.file_size for member in members), os.path.getsize(path)
        if total > unpacked_limit(size):
            raise LimitExceededError(f"{path}: unpacks to {total} bytes, far more than its {size}. It is not read.")
        arrays = {}
        for member in members:
            with archive.open(member) as file:
                arrays[member.filename.removesuffix(".npy")] = _npy_array(file, member.file_size)
        return arrays


def _npy_array(file, size):
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = read_header(file)
    if math.prod(shape) * (1 if dtype.hasobject else dtype.itemsize) > size:
        raise ValueError(f"an array of shape {shape} and type {dtype} does not fit into {size} bytes")
    if dtype.hasobject:
        array = _unpickled(file, "latin1")
        if not isinstance(array, np.ndarray) or array.size != math.prod(shape):
            raise ValueError(f"a pickle that is no array of shape {shape}")
    else:
        array = np.frombuffer(file.read(size), dtype, count=math.prod(shape)).copy()
    return array.reshape(shape, order="F" if by_column else "C")


@contextlib.contextmanager
def _damaged(path):
    """What reading bytes without sense raises becomes a `CorruptFileError`."""
    try:
        yield
    except (UnsafeModelError, LimitExceededError, FileNotFoundError):
        raise
    except Exception as error:
        raise CorruptFileError(f"{path}: is damaged, or not of the expected format: {error}") from error


def read_idx(path, item_shape, header):
    """The bytes of a gzipped idx file as an array of shape ``(items, *item_shape)``."""
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).reshape(-1, *item_shape)


class _Building(np.ndarray):
    """An array that gets its content from a pickle, which may not claim more than it brings."""

    def __setstate__(self, state):
        shape, content = state[1], state[4]
        if math.prod(shape) > len(content):
            raise pickle.UnpicklingError(f"an array of shape {shape} with {len(content)} entries")
        super().__setstate__(state)


_ARRAY = object()  # stands for the class of arrays in pickles: nothing can be called or made by it


def _empty_array(kind, shape, code):
    """What a pickle begins an array with; its state follows."""
    if kind is not _ARRAY or shape != (0,) or code not in (b"b", "b"):
        raise pickle.UnpicklingError("an array that begins otherwise than NumPy's do")
    return np.empty(0, "i1").view(_Building)


def _bytes(text, encoding):
    """How Python 3 writes bytes for Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding!r}")
    return text.encode("latin1")


def _dtype(name, *flags):
    if not isinstance(name, str):
        raise pickle.UnpicklingError("a type that is no name")
    return np.dtype(name)


def _scalar(dtype, content=None):
    if not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise pickle.UnpicklingError("a number that is no number")
    return np.frombuffer(content, dtype)[0]


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists, numbers, text and arrays; refuses everything else.

    A pickle gets functions of ours under NumPy's names, not NumPy's own, which could be made to take any memory.
    """

    _KNOWN = {
        "numpy._core.multiarray._reconstruct": _empty_array,
        "numpy._core.multiarray.scalar": _scalar,
        "numpy.ndarray": _ARRAY,
        "numpy.dtype": _dtype,
        "_codecs.encode": _bytes,
    }

    def find_class(self, module, name):
        full = f"{module.replace('numpy.core', 'numpy._core')}.{name}"  # the name since NumPy 2
        if full not in self._KNOWN:
            raise UnsafeModelError(f"A data file asks for {module}.{name}, which is no array. It is not loaded.")
        return self._KNOWN[full]

    def persistent_load(self, pid):
        raise UnsafeModelError("A data file asks for an object from elsewhere. It is not loaded.")


def _unpickled(file, encoding):
    return _plain(_ArrayUnpickler(file, encoding=encoding).load())


def _plain(value):
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else value


def read_arrays(file):
    """The dictionary pickled in an open file, with text keys; only arrays, lists and plain values are accepted."""
    with _damaged(getattr(file, "name", "data file")):
        content = _unpickled(file, "bytes")
        return {key.decode() if isinstance(key, bytes) else key: _plain(value) for key, value in content.items()}


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
