"""Data in batches: sequences and generators, and workers that prepare their batches ahead of time."""

import itertools
import random
import zlib
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np

from ..core.errors import InputDataError
from .workers import Workers


class PyDataset:
    """Base class for data sets whose batches are accessed by index.

    A subclass defines ``__getitem__(index)``, which returns a batch (``x``, ``(x, y)`` or ``(x, y, sample_weight)``),
    and ``__len__()``, the number of batches. ``on_epoch_end()`` may change or shuffle the data. Instead of
    ``__len__()`` it may define a property `num_batches`, which is ``None`` for data without an end.

    Args:
        workers: number of threads or processes that prepare batches.
        use_multiprocessing: whether to use processes instead of threads.
        max_queue_size: largest number of batches that are prepared in advance.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return np.arange(3) ** index
    >>> [batch.tolist() for batch in Squares()]
    [[1, 1, 1], [0, 1, 2]]
    """

    # Class attributes, so that a subclass need not call super().__init__().
    workers, use_multiprocessing, max_queue_size = 1, False, 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index), which returns a batch.")

    def __len__(self):
        count = self.num_batches if type(self).num_batches is not PyDataset.num_batches else None
        if count is None:
            raise NotImplementedError(f"{type(self).__name__} must define __len__(), the number of batches.")
        return count

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    @property
    def num_batches(self) -> int | None:
        """The number of batches; ``None`` if the data set has no end."""
        return len(self)

    @property
    def endless(self) -> bool:
        """Whether a `num_batches` of the subclass's own says that the data set has no end."""
        return type(self).num_batches is not PyDataset.num_batches and self.num_batches is None

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset


_shared = {}  # the sequences that worker processes use, by key
_keys = itertools.count()


def get_index(uid: Hashable, i: int) -> Any:
    """A batch of a sequence that worker processes share.

    Args:
        uid: key of the sequence.
        i: index of the batch.

    Returns:
        The batch.
    """
    return _shared[uid][i]


def numpy_seed() -> int:
    """A seed that depends on the state of NumPy's global generator, and does not change that state.

    Returns:
        An integer of 32 bits.
    """
    return zlib.crc32(np.random.get_state()[1].tobytes())


class SequenceWorkers(Workers):
    """Workers that compute the batches of a sequence.

    In processes, each batch has its own seed, which depends neither on the worker nor on the order of events.

    Args:
        sequence: an object with ``__getitem__``.
        workers: number of threads or processes.
        use_multiprocessing: whether to use processes instead of threads.
        seed: integers that make up the seed of this pass over the data.
        **options: arguments of `Workers`.
    """

    def __init__(
        self,
        sequence: Any,
        workers: int = 1,
        use_multiprocessing: bool = False,
        seed: Iterable[int] = (),
        **options: Any,
    ):
        self.key = key = next(_keys)
        _shared[key] = sequence

        def seeded(index):
            np.random.seed([*seed, index])
            random.seed(f"{seed} {index}")
            return get_index(key, index)

        function = seeded if use_multiprocessing else sequence.__getitem__
        super().__init__(function, sequence, workers, use_multiprocessing, **options)

    def close(self) -> None:
        """Ends the workers, and releases the sequence."""
        _shared.pop(self.key, None)
        super().close()


class _End:
    """Marks the end of a generator."""


class GeneratorWorkers(Workers):
    """One thread or process that runs a generator ahead of its consumer.

    Copies of a generator in several processes would yield each batch several times. So with `use_multiprocessing`, a
    single process runs it, whatever the number of workers. The generator of the caller then does not advance.

    Args:
        generator: the generator, or another iterable.
        use_multiprocessing: whether to use a process instead of a thread.
        workers: 0 to compute each batch only when it is requested; otherwise one worker is used.
        seed: seed of Python's and NumPy's global generators in the process.
        **options: arguments of `Workers`.
    """

    def __init__(
        self,
        generator: Iterable,
        use_multiprocessing: bool = False,
        workers: int = 1,
        seed: int | None = None,
        **options: Any,
    ):
        iterator, unseeded = iter(generator), [seed] if use_multiprocessing and seed is not None else []

        def following(_):
            if unseeded:
                np.random.seed(unseeded[0])
                random.seed(unseeded.pop())
            return next(iterator, _End)

        super().__init__(following, generator, min(workers, 1), use_multiprocessing, **options)

    def batches(self, ahead: int) -> Iterator:
        """The batches of the generator.

        Args:
            ahead: largest number of batches that are computed in advance.

        Returns:
            An iterator that ends with the generator.
        """
        return itertools.takewhile(lambda batch: batch is not _End, self.map(itertools.count(), ahead))


class SequenceEnqueuer:
    """Base class of objects that prepare batches in the background.

    Call ``start(workers, max_queue_size)``, take batches from the generator ``get()``, then call ``stop()``. If a
    worker dies, or if no batch is ready within ``timeout`` seconds, `DataWorkerError` is raised. Exceptions in the
    user's code are raised to the consumer, with a note that names the batch and, for processes, with the traceback.

    A subclass defines `start` and `get`:

    >>> class Now(SequenceEnqueuer):
    ...     def __init__(self, batches):
    ...         self.batches = batches
    ...     def start(self, workers=1, max_queue_size=10):
    ...         pass
    ...     def get(self):
    ...         return iter(self.batches)
    >>> with Now([1, 2]) as enqueuer:
    ...     enqueuer.start()
    ...     list(enqueuer.get())
    [1, 2]
    """

    timeout = None  # in seconds; None for that of oneiros.config.set_data_timeout
    _workers = None

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Starts to prepare batches.

        Args:
            workers: number of threads or processes.
            max_queue_size: largest number of batches that are prepared in advance.
        """
        raise NotImplementedError

    def stop(self, timeout: float | None = None) -> None:
        """Discards prepared batches and ends the workers, including those that hang.

        Args:
            timeout: has no effect.
        """
        if self._workers is not None:
            self._workers.close()
        self._workers = None

    def get(self) -> Iterator:
        """A generator of the batches; ``stop()`` ends it."""
        raise NotImplementedError

    def is_running(self) -> bool:
        """Whether batches are being prepared."""
        return self._workers is not None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class OrderedEnqueuer(SequenceEnqueuer):
    """Prepares the batches of a `Sequence`, epoch after epoch, in order.

    ``on_epoch_end`` is called when the last batch of an epoch has been taken. New processes are forked for each epoch,
    because the old ones hold the sequence as it was before ``on_epoch_end``.

    Args:
        sequence: the sequence.
        use_multiprocessing: whether to use processes instead of threads.
        shuffle: whether to shuffle the order of the batches before each epoch.

    >>> class Squares(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> with OrderedEnqueuer(Squares()) as enqueuer:
    ...     enqueuer.start()
    ...     batches = enqueuer.get()
    ...     [next(batches) for _ in range(3)]
    [0, 1, 0]
    """

    def __init__(self, sequence: PyDataset, use_multiprocessing: bool = False, shuffle: bool = False):
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.shuffle = shuffle

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        self._options = {"workers": max(1, workers), "use_multiprocessing": self.use_multiprocessing}
        self._ahead, self._epoch = max_queue_size, 0
        self._begin_epoch()

    def get(self) -> Iterator:
        """An endless generator of batches; ``stop()`` ends it."""
        while self.is_running():
            try:
                batch = self._next()
            except BaseException:
                self.stop()
                raise
            yield batch

    def _next(self):
        batch = next(self._batches)
        self._left -= 1
        if not self._left:
            self.stop()
            self.sequence.on_epoch_end()
            self._epoch += 1
            self._begin_epoch()
        return batch

    def _begin_epoch(self):
        order = list(range(len(self.sequence)))
        if not order:
            raise InputDataError(f"{self.sequence!r} is empty: len() is 0.")
        if self.shuffle:
            random.shuffle(order)
        seed = [numpy_seed(), self._epoch]
        self._workers = SequenceWorkers(self.sequence, seed=seed, timeout=self.timeout, **self._options)
        self._left, self._batches = len(order), self._workers.map(order, self._ahead)


class GeneratorEnqueuer(SequenceEnqueuer):
    """Runs a generator ahead of its consumer, in order: in one thread, or in one process.

    Args:
        generator: the generator, or another iterable.
        use_multiprocessing: whether to use a process instead of a thread.
        wait_time: has no effect; the consumer is woken when a batch is ready.
        seed: seed of Python's and NumPy's global generators in the process.
        random_seed: older name of `seed`.

    >>> with GeneratorEnqueuer(iter("ab")) as enqueuer:
    ...     enqueuer.start()
    ...     list(enqueuer.get())
    ['a', 'b']
    """

    def __init__(
        self,
        generator: Iterable,
        use_multiprocessing: bool = False,
        wait_time: float = 0.05,
        seed: int | None = None,
        random_seed: int | None = None,
    ):
        self._generator = generator
        self.use_multiprocessing = use_multiprocessing
        self.wait_time = wait_time
        self.seed = self.random_seed = random_seed if seed is None else seed

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        self._workers = GeneratorWorkers(
            self._generator, self.use_multiprocessing, seed=self.seed, timeout=self.timeout
        )
        self._batches = self._workers.batches(max_queue_size)

    def get(self) -> Iterator:
        """A generator of the batches; it ends with the user's generator."""
        while self.is_running():
            try:
                batch = next(self._batches, _End)
            except BaseException:
                self.stop()
                raise
            if batch is _End:
                self.stop()
                return
            yield batch
