"""Data sets in two parts, for example to train and to validate."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.checks import is_integer
from ..core.errors import InputDataError
from ..core.structure import leaves, map_structure
from .data import PyDataset


def _stacked(samples):
    """Samples that are structures of arrays, as one structure of batches."""
    columns = [leaves(sample) for sample in samples]
    parts = iter([np.stack([np.asarray(column[i]) for column in columns]) for i in range(len(columns[0]))])
    return map_structure(lambda _: next(parts), samples[0])


class Samples(PyDataset):
    """Single samples by number. `batch` makes a data set of batches for `fit` from them.

    Args:
        get: Function from a number to a sample: an array, or tuples and dictionaries of arrays.
        numbers: The numbers, in order.
        seed: Seed of the random order of each epoch; ``None`` to keep the order.

    >>> samples = Samples(np.arange(5).__getitem__, range(5))
    >>> [batch.tolist() for batch in samples.batch(2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, get: Callable, numbers: Sequence[int], seed: int | None = None):
        super().__init__()
        self.get, self.numbers = get, list(numbers)
        self.random = None if seed is None else random.Random(seed)
        self.on_epoch_end()

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        return self.get(self.numbers[index])

    def cardinality(self) -> int:
        """The number of samples."""
        return len(self)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Samples":
        """A data set of batches.

        Args:
            batch_size: Number of samples in a batch.
            drop_remainder: Whether a last batch with fewer samples is left out.
        """
        count = len(self) // batch_size if drop_remainder else -(-len(self) // batch_size)

        def batch(index):
            return _stacked([self[i] for i in range(index * batch_size, min((index + 1) * batch_size, len(self)))])

        batches = Samples(batch, range(count))
        batches.on_epoch_end = self.on_epoch_end
        return batches

    def map(self, function: Callable, **options: Any) -> "Samples":
        """A data set of what a function makes of each sample; tuples are its arguments.

        Args:
            function: Function of a sample, or of its parts.
            **options: Not used.
        """

        def changed(index):
            sample = self[index]
            return function(*sample) if isinstance(sample, tuple) else function(sample)

        return Samples(changed, range(len(self)))

    def shuffle(self, buffer_size: int | None = None, seed: int | None = None, **options: Any) -> "Samples":
        """The samples in random order, which is drawn again after each epoch.

        Args:
            buffer_size: Not used: all samples are shuffled.
            seed: Seed of the order.
            **options: Not used.
        """
        return Samples(self.get, self.numbers, random.randrange(2**32) if seed is None else seed)

    def take(self, count: int) -> "Samples":
        """The first samples."""
        return Samples(self.get, self.numbers[:count])

    def prefetch(self, buffer_size: int | None = None) -> "Samples":
        """Returns the data set itself: `fit` prepares batches in advance anyway."""
        return self

    def on_epoch_end(self) -> None:
        if self.random is not None:
            self.random.shuffle(self.numbers)


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """Splits data into a left and a right part, for example to train and to validate.

    Args:
        dataset: An array, a list or tuple of arrays of the same length, a data set whose entries have numbers (a
            `PyDataset`, a ``torch.utils.data.Dataset``), or one to iterate over (a ``tf.data.Dataset``). What it yields
            are the samples, batches too.
        left_size: Number of samples of the left part, or their fraction; the rest by default.
        right_size: Number of samples of the right part, which are the last ones, or their fraction; the rest by
            default.
        shuffle: Whether to shuffle the samples first.
        seed: Seed of the random order.
        preferred_backend: Not used.

    Returns:
        Two data sets of single samples. Their method `batch` makes batches for `fit`.

    Raises:
        InputDataError: If a size does not fit, or a part would be empty.
        TypeError: If a size or the data set is of another type.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(sample) for sample in right]
    (8, [8, 9])
    """
    get, count = _samples(dataset)
    left, right = _sizes(left_size, right_size, count)
    numbers = list(range(count))
    if shuffle:
        random.Random(seed).shuffle(numbers)
    return Samples(get, numbers[:left]), Samples(get, numbers[count - right :])


def _samples(dataset):
    """A function from numbers to samples, and the number of samples."""
    if isinstance(dataset, (list, tuple)):
        if not dataset or not all(hasattr(array, "shape") and np.ndim(array) for array in dataset):
            raise InputDataError(
                f"dataset: expected arrays in the {type(dataset).__name__}. Received: {dataset!r:.100}"
            )
        lengths = [len(array) for array in dataset]
        if len(set(lengths)) > 1:
            raise InputDataError(f"dataset: expected arrays of the same length. Received the lengths {lengths}.")
        return lambda i: tuple(array[i] for array in dataset), lengths[0]
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not isinstance(dataset, (str, bytes, dict)):
        return dataset.__getitem__, len(dataset)
    if hasattr(dataset, "as_numpy_iterator"):
        dataset = dataset.as_numpy_iterator()
    if not hasattr(dataset, "__iter__") or isinstance(dataset, (str, bytes, dict)):
        raise TypeError(f"split_dataset: expected arrays or a data set. Received: {type(dataset).__name__}")
    samples = list(dataset)
    return samples.__getitem__, len(samples)


def _sizes(left_size, right_size, count):
    """The numbers of samples of both parts."""
    if left_size is None and right_size is None:
        raise InputDataError("split_dataset: left_size or right_size must be given.")
    left, right = _size("left_size", left_size, count), _size("right_size", right_size, count)
    fractions = isinstance(left_size, float) and isinstance(right_size, float)
    if fractions and left_size + right_size > 1:
        raise InputDataError(
            f"left_size and right_size must not sum to more than 1. Received: {left_size}, {right_size}"
        )
    left = count - right if left is None else left
    right = count - left if right is None or (fractions and left + right > count) else right
    if left + right > count:
        raise InputDataError(
            f"left_size and right_size must not sum to more than the {count} samples: {left} + {right}"
        )
    if not left or not right:
        raise InputDataError(f"Of {count} samples, {left} would be left and {right} right, but no part may be empty.")
    return left, right


def _size(name, size, count):
    if size is None:
        return None
    if isinstance(size, float) and 0 < size < 1:
        return round(size * count)
    if is_integer(size) and size < count:
        return int(size)
    message = f"{name}: expected a fraction between 0 and 1, or an integer below {count}. Received: {name}={size!r}"
    if isinstance(size, (int, float, np.number)):
        raise InputDataError(message)
    raise TypeError(message)
