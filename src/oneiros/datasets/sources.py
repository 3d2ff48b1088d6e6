"""Downloads the files of the data sets, and reads them safely."""

import contextlib
import gzip
import itertools
import math
import os
import pickle
import zipfile
from collections.abc import Iterable
from typing import IO, Any, TypeAlias

import numpy as np

from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.utils.archives import unpacked_limit
from oneiros.utils.atomic import regular
from oneiros.utils.files import get_file

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# (x_train, y_train), (x_test, y_test)
Splits: TypeAlias = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def fetch(path: str, url: str, file_hash: str | tuple[str, ...], cache_dir: str | os.PathLike | None = None) -> str:
    """Downloads a file of a data set unless it is in the cache.

    Args:
        path: Name of the file in the cache, or an absolute path.
        url: URL of the file.
        file_hash: Its SHA-256 or MD5 hash, or a tuple of accepted hashes.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        The local path of the file.
    """
    folder, name = os.path.split(os.path.expanduser(path))
    if os.path.isabs(folder):
        return get_file(name, url, cache_subdir="", file_hash=file_hash, cache_dir=folder)
    return get_file(name, url, cache_subdir=os.path.join("datasets", folder), file_hash=file_hash, cache_dir=cache_dir)


def read_npz(
    path: str, url: str, file_hash: str | tuple[str, ...], cache_dir: str | os.PathLike | None = None
) -> dict[str, np.ndarray]:
    """Downloads an npz file with `fetch`, and reads it with `npz_arrays`."""
    return npz_arrays(fetch(path, url, file_hash, cache_dir))


def npz_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the arrays of an npz file. Arrays of lists are pickled in it; see `read_arrays`.

    Args:
        path: Path of the file.

    Returns:
        The arrays by name.

    Raises:
        UnsafeModelError: If a pickle contains anything but arrays, lists and plain values.
        LimitExceededError: If the unpacked file is far larger than the file.
        CorruptFileError: If the file is damaged.
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
            raise ValueError(f"a pickle that is not an array of shape {shape}")
    else:
        array = np.frombuffer(file.read(size), dtype, count=math.prod(shape)).copy()
    return array.reshape(shape, order="F" if by_column else "C")


@contextlib.contextmanager
def _damaged(path):
    """Turns the errors of reading a damaged file into a `CorruptFileError`."""
    try:
        yield
    except (UnsafeModelError, LimitExceededError, FileNotFoundError):
        raise
    except Exception as error:
        raise CorruptFileError(f"{path}: is damaged, or not of the expected format: {error}") from error


def read_idx(path: str | os.PathLike, item_shape: tuple[int, ...], header: int) -> np.ndarray:
    """Reads a gzipped idx file of bytes.

    Args:
        path: Path of the file.
        item_shape: Shape of one item.
        header: Size of the header in bytes.

    Returns:
        A uint8 array of shape ``(items, *item_shape)``.
    """
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).reshape(-1, *item_shape)


class _Building(np.ndarray):
    """An array that is filled from a pickle. A shape larger than the content is refused."""

    def __setstate__(self, state):
        shape, content = state[1], state[4]
        if math.prod(shape) > len(content):
            raise pickle.UnpicklingError(f"an array of shape {shape} with {len(content)} entries")
        super().__setstate__(state)


_ARRAY = object()  # stands for the class of arrays in pickles; it cannot be called


def _empty_array(kind, shape, code):
    """The empty array with which the pickle of an array begins; its state follows."""
    if kind is not _ARRAY or shape != (0,) or code not in (b"b", "b"):
        raise pickle.UnpicklingError("an array in a form that NumPy does not write")
    return np.empty(0, "i1").view(_Building)


def _bytes(text, encoding):
    """The bytes that Python 3 pickled as text, which it does in the protocols of Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding!r}")
    return text.encode("latin1")


def _dtype(name, *flags):
    if not isinstance(name, str):
        raise pickle.UnpicklingError("a data type that is not a name")
    return np.dtype(name)


def _scalar(dtype, content=None):
    if not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise pickle.UnpicklingError("a number of the wrong size")
    return np.frombuffer(content, dtype)[0]


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists, numbers, text and arrays; refuses everything else.

    The names of NumPy's functions in a pickle refer to the functions above. NumPy's own functions could be made to
    allocate any amount of memory.
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
            raise UnsafeModelError(f"A data file asks for {module}.{name}, which is not an array. It is not loaded.")
        return self._KNOWN[full]

    def persistent_load(self, pid):
        raise UnsafeModelError("A data file asks for an object from elsewhere. It is not loaded.")


def _unpickled(file, encoding):
    return _plain(_ArrayUnpickler(file, encoding=encoding).load())


def _plain(value):
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else value


def read_arrays(file: IO[bytes]) -> dict[str, Any]:
    """Reads a dictionary from a pickle that contains only arrays, lists and plain values.

    Args:
        file: File opened for reading bytes.

    Returns:
        The dictionary; keys that are bytes become strings.

    Raises:
        UnsafeModelError: If the pickle contains other objects.
        CorruptFileError: If the file is damaged.
    """
    with _damaged(getattr(file, "name", "data file")):
        content = _unpickled(file, "bytes")
        return {key.decode() if isinstance(key, bytes) else key: _plain(value) for key, value in content.items()}


def shuffled(seed: int, *columns_of_splits: tuple[np.ndarray, ...]) -> list[tuple[np.ndarray, ...]]:
    """Shuffles the rows of data splits.

    Args:
        seed: Seed of the generator that shuffles all splits, one after the other.
        *columns_of_splits: For each split, arrays of the same length, which are shuffled alike.

    Returns:
        The shuffled splits.

    >>> ((x, y),) = shuffled(0, (np.array([1, 2, 3]), np.array([10, 20, 30])))
    >>> bool((y == 10 * x).all())
    True
    """
    random = np.random.RandomState(seed)
    result = []
    for columns in columns_of_splits:
        order = np.arange(len(columns[0]))
        random.shuffle(order)
        result.append(tuple(column[order] for column in columns))
    return result


def split(x: np.ndarray, y: np.ndarray, test_split: float) -> Splits:
    """Splits data into training and test data.

    Args:
        x: Features.
        y: Targets, of the same length.
        test_split: Fraction of the rows, at the end, that become the test data.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``.

    Raises:
        InputDataError: If `test_split` is not in ``[0, 1)``.

    >>> split(np.arange(4), np.arange(4), 0.25)[1]
    (array([3]), array([3]))
    """
    if not 0 <= test_split < 1:
        raise InputDataError(f"load_data: test_split must lie in [0, 1). Received: {test_split}")
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])


def encode_texts(
    splits: Iterable[tuple[np.ndarray, np.ndarray]],
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int | None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Converts texts from word ranks to word indices.

    Args:
        splits: Pairs of an array of lists of ranks and an array of labels.
        num_words: Words with this index or a larger one are replaced; ``None`` for no limit.
        skip_top: Words with smaller indices are replaced.
        maxlen: Texts of this many indices or more are dropped; ``None`` to keep all.
        start_char: Index that marks the start of each text; ``None`` for no mark.
        oov_char: Index that replaces words; ``None`` to remove them.
        index_from: Offset that is added to the ranks.

    Returns:
        Pairs of an array of lists of indices and an array of labels.

    Raises:
        InputDataError: If no text is shorter than `maxlen`.
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
