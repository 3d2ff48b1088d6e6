"""Sequences: padding, word pairs for skip-grams, windows over time series."""

import json
import random
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from oneiros.core.errors import InputDataError
from oneiros.utils.data import PyDataset


def pad_sequences(
    sequences: Sequence[Sequence],
    maxlen: int | None = None,
    dtype: npt.DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> np.ndarray:
    """Pads and truncates sequences to one length.

    Args:
        sequences: List of sequences. The steps of all sequences have the same shape.
        maxlen: Length of each row; by default that of the longest sequence.
        dtype: Data type of the array.
        padding: Whether to pad shorter sequences at the start ('pre') or at the end ('post').
        truncating: Whether to truncate longer sequences at the start ('pre') or at the end ('post').
        value: Padding value.

    Returns:
        An array ``(len(sequences), maxlen, ...)``.

    Raises:
        InputDataError: If `sequences` is not a list of sequences, or the shapes of their steps differ.

    >>> pad_sequences([[1, 2, 3], [4]], maxlen=2)
    array([[2, 3],
           [0, 4]], dtype=int32)
    """
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise InputDataError(f"pad_sequences: {name} must be 'pre' or 'post'. Received: {choice!r}")
    if not hasattr(sequences, "__len__"):
        raise InputDataError(f"pad_sequences: expected a list of sequences. Received: {type(sequences).__name__}")
    for row, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise InputDataError(f"pad_sequences: expected a list of sequences; row {row} is {sequence!r}")
    dtype = np.dtype(dtype)
    textual = dtype.kind in "USO"
    if isinstance(value, str) and not textual:
        raise InputDataError(f"pad_sequences: value {value!r} needs dtype object or str. Received: dtype={dtype}")

    lengths = np.fromiter(map(len, sequences), int, len(sequences))
    if maxlen is None:
        maxlen = lengths.max(initial=0)
    if lengths.size and lengths.max() > maxlen:
        # not sequence[-maxlen:], which would be the whole sequence for maxlen=0
        cut = (lambda s: s[max(0, len(s) - maxlen) :]) if truncating == "pre" else (lambda s: s[:maxlen])
        kept = [cut(sequence) for sequence in sequences]
        kept_lengths = np.minimum(lengths, maxlen)
    else:
        kept, kept_lengths = sequences, lengths
    first = next((sequence for sequence in sequences if len(sequence)), ())
    step_shape = np.shape(first[0]) if len(first) else ()
    padded = np.full((len(sequences), maxlen, *step_shape), value, dtype)
    positions = np.arange(maxlen)
    if padding == "pre":
        filled = positions >= maxlen - kept_lengths[:, None]
    else:
        filled = positions < kept_lengths[:, None]
    try:
        padded[filled] = _steps(kept, kept_lengths.sum(), dtype, step_shape)
    except (TypeError, ValueError) as error:
        raise InputDataError(
            f"pad_sequences: every step must be a {dtype} of shape {step_shape}, like the first one: {error}"
        ) from error
    return padded


def _steps(sequences, count, dtype, step_shape):
    """All steps of all sequences one after the other, shape ``(count, *step_shape)``."""
    if not count:
        return np.empty((0, *step_shape), dtype)
    if all(isinstance(sequence, np.ndarray) for sequence in sequences):
        return np.concatenate([s for s in sequences if len(s)]).astype(dtype)
    steps = chain.from_iterable(sequences)
    if step_shape == () and dtype.kind not in "USO":
        return np.fromiter(steps, dtype, count)
    flat = np.empty((count, *step_shape), dtype)
    for i, step in enumerate(steps):
        if np.shape(step) != step_shape:
            raise ValueError(f"found a step of shape {np.shape(step)}")
        flat[i] = step
    return flat


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability of keeping each word in `skipgrams`: rare words are kept more often (Mikolov et al. 2013).

    It is ``min(1, sqrt(sampling_factor / frequency))``, with frequencies by Zipf's law:
    ``1 / frequency(rank) = rank * (log(rank) + gamma) + 1/2 - 1 / (12 * rank)``.

    Args:
        size: Number of words.
        sampling_factor: Threshold of the frequency: the larger it is, the more words are kept.

    Returns:
        Probabilities ``(size,)``, indexed by the frequency rank of the word.

    >>> make_sampling_table(3).round(5)
    array([0.00315, 0.00315, 0.00548])
    """
    rank = np.arange(size, dtype="float64")
    rank[:1] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Sequence[float] | None = None,
    seed: int | None = None,
) -> tuple[list, list]:
    """Pairs of neighbouring words (label 1) and random pairs (label 0), as in Mikolov et al. 2013.

    Args:
        sequence: Word indices. 0 does not count as a word.
        vocabulary_size: Largest word index plus one.
        window_size: Largest distance of the words of a pair.
        negative_samples: Number of random pairs for each real pair.
        shuffle: Whether to shuffle the pairs.
        categorical: Whether labels are ``[0, 1]`` and ``[1, 0]`` instead of 1 and 0.
        sampling_table: Probability of using each word, by index; see `make_sampling_table`.
        seed: Seed of the shuffling; random by default.

    Returns:
        ``(couples, labels)``: a list of pairs of word indices, and a list of labels.

    >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    couples = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels = [yes] * len(couples)
    if negative_samples > 0 and couples:
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        count = int(len(couples) * negative_samples)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [no] * count
    if shuffle:
        if seed is None:
            seed = random.randint(0, 10_000_000)
        for values in (couples, labels):
            random.seed(seed)
            random.shuffle(values)
    return couples, labels


class TimeseriesGenerator(PyDataset):
    """Batches of windows over a time series, each with the target of the step that follows it.

    Args:
        data: Steps in order, shape ``(time, ...)``.
        targets: Targets, one for each step of the data.
        length: Number of steps from the start of a window to its target.
        sampling_rate: Distance between successive steps that are taken from a window.
        stride: Distance between successive windows.
        start_index: First step to use.
        end_index: Last step to use (inclusive); by default that of the data.
        shuffle: Whether to take windows at random positions.
        reverse: Whether the latest step comes first.
        batch_size: Number of windows in a batch. The last batch may be smaller.

    Raises:
        InputDataError: If the numbers of data and targets differ, or if no window fits.

    >>> x, y = TimeseriesGenerator(np.arange(6), np.arange(6), length=2, batch_size=2)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2]], [2, 3])
    """

    def __init__(
        self,
        data: npt.ArrayLike,
        targets: npt.ArrayLike,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ):
        super().__init__()
        if len(data) != len(targets):
            raise InputDataError(f"TimeseriesGenerator: {len(data)} steps of data but {len(targets)} targets")
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise InputDataError(
                f"TimeseriesGenerator: no window of {length} steps fits in the steps {start_index} to {self.end_index}"
            )

    def __len__(self):
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index):
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            ends = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        windows = np.array([self.data[end - self.length : end : self.sampling_rate] for end in ends])
        targets = np.array([self.targets[end] for end in ends])
        return (windows[:, ::-1, ...] if self.reverse else windows), targets

    def get_config(self) -> dict[str, Any]:
        """The arguments; data and targets are JSON text."""
        data, targets = (json.dumps(np.asarray(values).tolist()) for values in (self.data, self.targets))
        names = ["length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size"]
        return {"data": data, "targets": targets, **{name: getattr(self, name) for name in names}}

    def to_json(self, **kwargs: Any) -> str:
        """The class name and the configuration as JSON text.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


class _Windows(PyDataset):
    def __init__(self, data, targets, starts, steps, batch_size, shuffle, seed):
        super().__init__()
        self.data, self.targets, self.starts, self.steps = data, targets, starts, steps
        self.batch_size, self.random = batch_size, np.random.RandomState(seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index):
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        windows = self.data[starts[:, None] + self.steps]
        return windows if self.targets is None else (windows, self.targets[starts])

    def on_epoch_end(self):
        if self.random is not None:
            self.random.shuffle(self.starts)


def timeseries_dataset_from_array(
    data: npt.ArrayLike,
    targets: npt.ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> PyDataset:
    """Batches of windows over a time series.

    Args:
        data: Array ``(time, ...)``.
        targets: Array whose row `i` is the target of the window that starts at step `i`; ``None`` for no targets.
        sequence_length: Number of steps in a window.
        sequence_stride: Distance between the starts of successive windows.
        sampling_rate: Distance between successive steps in a window.
        batch_size: Number of windows in a batch; ``None`` for single windows without a batch axis.
        shuffle: Whether to shuffle the windows before each epoch.
        seed: Seed of the order.
        start_index: First step to use.
        end_index: End of the steps to use, exclusive.
        format: Not used; batches are NumPy arrays.

    Returns:
        A `PyDataset`.

    Raises:
        InputDataError: If a number is not positive, or the steps are not in the data.

    >>> [x.tolist() for x in timeseries_dataset_from_array(np.arange(5), None, 3)]
    [[[0, 1, 2], [1, 2, 3], [2, 3, 4]]]
    """
    data = np.asarray(data)
    targets = None if targets is None else np.asarray(targets)
    first, end = start_index or 0, len(data) if end_index is None else end_index
    for name, number in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("batch_size", 1 if batch_size is None else batch_size),
    ):
        if number < 1:
            raise InputDataError(f"timeseries_dataset_from_array: {name} must be positive. Received: {number}")
    if not 0 <= first < end <= len(data):
        raise InputDataError(
            f"timeseries_dataset_from_array: start_index {start_index} and end_index {end_index} must lie in the "
            f"{len(data)} steps of data, in this order"
        )
    count = end - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets) - first)
    starts = first + np.arange(0, max(count, 0), sequence_stride)
    steps = np.arange(sequence_length) * sampling_rate
    dataset = _Windows(data, targets, starts, steps, batch_size or 1, shuffle, seed)
    return dataset if batch_size else _Singles(dataset)


class _Singles(PyDataset):
    """The samples of a data set with batches of one, without their batch axis."""

    def __init__(self, dataset):
        super().__init__()
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        batch = self.dataset[index]
        return tuple(part[0] for part in batch) if isinstance(batch, tuple) else batch[0]

    def on_epoch_end(self):
        self.dataset.on_epoch_end()
