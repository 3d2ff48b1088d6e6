"""Whatever holds data becomes batches ``(x, y, weights)`` here."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from ..core import floatx
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..core.interrupts import allowed
from ..core.random import get_random_state, set_random_state
from ..core.structure import leaves, map_structure
from ..utils.data import GeneratorWorkers, PyDataset, SequenceWorkers, numpy_seed
from .checks import on_disk


def is_batches(x: Any) -> bool:
    """Whether this yields batches itself: a generator, Sequence, tf.data.Dataset or DataLoader."""
    if isinstance(x, (np.ndarray, jax.Array, list, tuple, dict)) or hasattr(x, "iloc") or hasattr(x, "toarray"):
        return False
    if hasattr(x, "__next__") or hasattr(x, "as_numpy_iterator") or hasattr(x, "on_epoch_end"):
        return True
    if hasattr(x, "shape"):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


# What data sets of PyTorch, TensorFlow and Grain have, which come in the order that they say themselves.
_ORDERED = ("dataset", "as_numpy_iterator", "to_iter_dataset")


# --- arrays


class ArrayData:
    """Arrays of equal length, cut into batches.

    Args:
        x: the inputs, a structure of arrays.
        y: the targets, likewise, or ``None``.
        weights: the sample weights, likewise, or ``None``.
        batch_size: samples in a batch; 32 by default.
        what: the name of the data in messages.

    Raises:
        InputDataError: if the arrays have different lengths, or are empty.

    >>> data = ArrayData(np.zeros((10, 3)), np.zeros(10), batch_size=4)
    >>> data.steps, data.take(slice(8, 10))[0].shape
    (3, (2, 3))
    """

    def __init__(self, x: Any, y: Any = None, weights: Any = None, batch_size: int | None = None, what: str = "x"):
        self.arrays = (x, y, weights)
        lengths = {int(a.shape[0]) for a in leaves(self.arrays)}
        if len(lengths) > 1:
            raise InputDataError(
                "All arrays need the same number of samples. Received: x "
                f"{[a.shape[0] for a in leaves(x)]}, y {[a.shape[0] for a in leaves(y)]}"
                + (f", weights {[a.shape[0] for a in leaves(weights)]}." if leaves(weights) else ".")
            )
        if not lengths or 0 in lengths:
            raise InputDataError(f"{what}: the data is empty (no samples).")
        self.samples = lengths.pop()
        self.batch_size = 32 if batch_size is None else positive_int("batch_size", batch_size)
        self.steps = -(-self.samples // self.batch_size)
        self.check = None  # function of (batch, numbers of its rows) for data that are read from disk

    def peek(self) -> Any:
        """What shapes and types a batch has."""
        return self.arrays

    def first_batch(self) -> Any:
        """A batch of the full size."""
        return self.take(slice(0, self.batch_size))

    def close(self) -> None:
        """Arrays need no workers."""

    def take(self, rows: Any) -> Any:
        """One batch: the rows at these indices (a slice, or an array)."""
        batch = map_structure(lambda a: _rows(a, rows), self.arrays)
        if self.check is not None:
            self.check(batch, range(self.samples)[rows] if isinstance(rows, slice) else rows)
        return batch

    def slice(self, start: int, stop: int) -> "ArrayData":
        """The samples from start to stop as data of their own."""
        x, y, weights = self.take(slice(start, stop))
        return ArrayData(x, y, weights, self.batch_size)


def _rows(array, rows):
    if on_disk(array) and isinstance(rows, np.ndarray):
        order = np.argsort(rows, kind="stable")  # HDF5 wants rising indices
        out = np.asarray(array[rows[order]] if type(array).__name__ != "HDF5Matrix" else array[list(rows[order])])
        result = np.empty_like(out)
        result[order] = out
        array = result
    else:
        array = array[rows]
    if isinstance(array, np.ndarray) and array.dtype == np.float64 and floatx() != "float64":
        array = array.astype(floatx())
    return array


def worker_options(source: Any, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> tuple:
    """How many workers prepare batches, whether they are processes, and how many batches they prepare ahead.

    A single thread would gain nothing, for JAX computes meanwhile anyway; the main thread takes its place.

    Args:
        source: what yields batches. What is left at its default is taken from a `PyDataset`'s own constructor.
        workers: the number of workers. 0: the main thread makes the batches.
        use_multiprocessing: whether they are processes.
        max_queue_size: the number of batches.
    """
    given = (workers, use_multiprocessing, max_queue_size)
    if isinstance(source, PyDataset):
        own = (source.workers, source.use_multiprocessing, source.max_queue_size)
        given = tuple(o if g == default else g for g, o, default in zip(given, own, (1, False, 10)))
    workers, processes, ahead = given
    processes = bool(processes) and workers > 0
    return (workers if processes or workers > 1 else 0), processes, ahead


class BatchData:
    """What yields batches itself: a generator, a `PyDataset`, a loader of another library.

    Args:
        source: what yields batches.
        standardize: function from what is yielded to a batch ``(x, y, weights)``.
        steps: the number of batches in an epoch; by default as many as there are.
        shuffle: whether batches that are asked for by number are taken in random order.
        **options: of `worker_options`.

    >>> data = BatchData(iter([np.zeros((2, 3))]), lambda batch: (batch, None, None))
    >>> [x.shape for x, _, _ in data.epoch()]
    [(2, 3)]
    """

    def __init__(self, source: Any, standardize: Callable, steps: int | None = None, shuffle: Any = True, **options):
        if isinstance(source, PyDataset) and source.endless:
            if steps is None:
                raise InputDataError(
                    f"{type(source).__name__} has no end (num_batches is None): give the number of steps, such as "
                    "steps_per_epoch or validation_steps."
                )
            source = map(source.__getitem__, itertools.count())
        self.source, self.standardize, self.shuffle = source, standardize, shuffle
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.own_order = self.indexed and not any(map(partial(hasattr, source), _ORDERED))
        self.endless = hasattr(source, "__next__")
        self.threads, self.processes, self.ahead = worker_options(source, **options)
        self.given_steps = steps
        self.steps = steps or self._length()
        self._iterator = self._workers = None
        # The place in the data: what `get_state` tells.
        self._taken = 0  # batches of this pass through the source
        self._order = None  # of this pass through a source that is asked by number
        self._random = None  # the streams of random numbers when the pass began
        self._ends = []  # the same before each on_epoch_end, if it is the source's own
        self._seed = [0, 0]  # of the pass, for processes: from NumPy's generator, and the pass's number

    def _length(self):
        try:
            length = len(self.source)
        except Exception:  # also where a callback will set up the source: it is asked again before its first batch
            length = getattr(self.source, "cardinality", lambda: -1)()
            length = int(length.numpy() if hasattr(length, "numpy") else length)
        return length if length and length > 0 else None

    def peek(self) -> Any:
        """The first batch, which `epoch` will yield again."""
        if self.own_order:
            self._count()
            with self._indexed(min(1, self.threads)) as workers:
                return self._check(next(workers.map([0], 1)), 0)
        if self._iterator is None:
            self._iterator = self._pass()
        try:
            first = next(self._iterator)
        except StopIteration:
            raise InputDataError(f"{type(self.source).__name__} is empty: it yields no batch.") from None
        self._iterator = itertools.chain([first], self._iterator)
        return self._check(first, 0)

    first_batch = peek

    def epoch(self, done: int = 0) -> Iterator:
        """The batches of one epoch: `steps` of them, or as many as there are. done: how many were taken before."""
        batches = self._pass(done) if self.own_order else self._continued()
        left = None if self.steps is None else self.steps - done
        for number, batch in enumerate(itertools.islice(batches, left), done):
            yield self._check(batch, number)
        if self.own_order:
            self.close()
        if self.own_order and hasattr(self.source, "on_epoch_end"):
            if not hasattr(self.source, "get_state") and _is_own(self.source.on_epoch_end):
                self._ends.append(get_random_state())
            with allowed():
                self.source.on_epoch_end()

    def close(self) -> None:
        """Ends the workers."""
        if self._workers is not None:
            self._workers.close()

    def get_state(self) -> Any:
        """The place in the data: what was taken, and in which order; the source's own state, if it tells one."""
        own = self.source.get_state() if hasattr(self.source, "get_state") else None
        return {
            "source": own,
            "taken": self._taken,
            "order": self._order,
            "random": None if self.own_order or own is not None else self._random,
            "ends": self._ends,
            "seed": self._seed,
        }

    def set_state(self, state: Any, within_epoch: bool = True) -> None:
        """Goes to a place that `get_state` has told. A source without a state of its own is read up to there."""
        kind = type(self.source).__name__
        if self.own_order and within_epoch and len(state["order"]) != len(self.source):
            raise InputDataError(
                f"the backup was made in the middle of an epoch of {len(state['order'])} batches. {kind} has "
                f"{len(self.source)} now. Give the same data again."
            )
        if hasattr(self.source, "set_state") and state["source"] is not None:
            self.source.set_state(state["source"])
            self._iterator = None
        elif self.own_order:
            for random in state["ends"]:
                set_random_state(random)
                self.source.on_epoch_end()
        else:
            self._read_up_to(state["taken"], state["random"])
        self._taken, self._order, self._ends = state["taken"], state["order"], state["ends"]
        self._seed = state["seed"]

    def _read_up_to(self, taken, random):
        if not self.endless:
            self._iterator = None  # between two passes
            if taken:
                set_random_state(random)
                self._iterator = self._pass()
        elif self._iterator is None:
            self._iterator = self._pass()
        for number in range(taken):
            if next(self._iterator, self) is self:
                raise InputDataError(
                    f"{type(self.source).__name__} ended after {number} batches, but the backup was made after "
                    f"{taken}. Give the same data again."
                )

    def _pass(self, done=0):
        """A new pass through the source, or (asked by number, with some batches done) the rest of one."""
        self._taken = done
        self.close()
        if not self.own_order:
            self._random = get_random_state()
            return self._counted(self._unindexed())
        self._count()
        if not done:
            self._order = np.arange(len(self.source))
            self._seed = [numpy_seed(), self._seed[1] + 1]
            if self.shuffle:
                np.random.shuffle(self._order)
        self._workers = self._indexed(self.threads)
        rest = itertools.islice(itertools.cycle(self._order), done, self.steps)
        return self._counted(self._workers.map(map(int, rest), self.ahead))

    def _unindexed(self):
        if self.endless:
            self._workers = GeneratorWorkers(self.source, self.processes, workers=int(self.processes))
            return self._workers.batches(self.ahead)
        iterate = getattr(self.source, "as_numpy_iterator", None)
        self._workers = GeneratorWorkers(iterate() if iterate else self.source, workers=0)
        return self._workers.batches(1)

    def _counted(self, batches):
        for batch in batches:
            self._taken += 1
            yield batch

    def _count(self):
        """Counts the batches: on_epoch_end may have changed their number."""
        if not len(self.source):
            raise InputDataError(f"{type(self.source).__name__} is empty: len() is 0.")
        self.steps = self.given_steps or len(self.source)

    def _indexed(self, workers):
        return SequenceWorkers(self.source, workers, self.processes, seed=self._seed)

    def _continued(self):
        """Batches that go on where the last epoch stopped. With `steps`, a source that ends starts anew, if it can."""
        while True:
            is_new = self._iterator is None
            if is_new:
                self._iterator = self._pass()
            for batch in self._iterator:  # noqa: UP028 - `yield from` would close it at the end of an epoch
                yield batch
            is_empty = is_new and not self._taken
            self._iterator, self._taken = None, 0
            if self.endless or is_empty or self.steps is None:
                return

    def _check(self, batch, number):
        try:
            x, y, weights = self.standardize(batch)
        except InputDataError as error:
            raise InputDataError(f"Batch {number} of {type(self.source).__name__}: {error}") from None
        lengths = {int(a.shape[0]) for a in leaves((x, y, weights))}
        if len(lengths) != 1 or 0 in lengths:
            raise InputDataError(
                f"Batch {number} of {type(self.source).__name__}: all arrays of a batch need the same number of "
                f"samples, at least one. Received: {sorted(lengths)}."
            )
        # Copies: many generators fill the same array again and again, and JAX reads it after the call.
        return map_structure(lambda a: np.array(a) if isinstance(a, np.ndarray) else a, (x, y, weights))


def _is_own(method):
    """Whether a method is the user's, not the one of the library's base class, which does nothing."""
    return getattr(method, "__module__", "") != "oneiros.utils.data"


class closing:  # noqa: N801 - used as a function
    """Ends the workers of this data when the block ends, however it ends.

    Args:
        data: `ArrayData` or `BatchData`, or ``None``.

    >>> with closing(ArrayData(np.zeros((4, 1)))) as data:
    ...     data.samples
    4
    """

    def __init__(self, data: Any):
        self.data = data

    def __enter__(self):
        return self.data

    def __exit__(self, *exception):
        if self.data is not None:
            self.data.close()


def unpack(batch: Any) -> Any:
    """``(x, y, sample_weight)`` of what a generator yields."""
    if isinstance(batch, (tuple, list)) and (isinstance(batch, tuple) or len(batch) in (2, 3)):
        if not 1 <= len(batch) <= 3:
            raise InputDataError(
                f"expected a tuple (x, y) or (x, y, sample_weight). Received a tuple of {len(batch)} entries."
            )
        return (*batch, None, None)[:3]
    return batch, None, None


def split(data: Any, validation_split: float) -> tuple:
    """Training and validation data: the last part of the samples is for validation."""
    if not 0 < validation_split < 1:
        raise InputDataError(
            f"validation_split: expected a number from 0 to below 1. Received: validation_split={validation_split!r}"
        )
    at = int(data.samples * (1.0 - validation_split))
    if at in (0, data.samples):
        raise InputDataError(
            f"validation_split={validation_split} leaves {at} of {data.samples} samples for training and "
            f"{data.samples - at} for validation: both need at least one."
        )
    return data.slice(0, at), data.slice(at, data.samples)


def warn_exhausted(seen: int, wanted: int) -> None:
    """Warns that a source ended before all steps were done."""
    warnings.warn(
        f"The data ended after {seen} of {wanted} steps; training stops here. Make the generator yield at least "
        "`steps_per_epoch * epochs` batches, or endlessly."
    )
