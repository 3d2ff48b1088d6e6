"""Data that comes batch by batch: sequences, and workers that prepare their batches ahead of time.

Worker processes are forked, so that programs without an ``if __name__ == "__main__"`` guard work, as in Keras.
They must not use JAX.
"""

import collections
import contextlib
import itertools
import multiprocessing
import os
import queue
import random
import threading
import traceback
import warnings
import zlib
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection

import numpy as np

from oneiros.core.errors import DataWorkerError, InputDataError

# Seconds without a batch after which the workers count as dead.
BATCH_TIMEOUT = float(os.environ.get("ONEIROS_BATCH_TIMEOUT", 600))


class PyDataset:
    """Base class for a data set that is asked for its batches by number.

    A subclass has ``__getitem__(index)``, which gives a batch (``x``, ``(x, y)`` or ``(x, y, sample_weight)``), and
    ``__len__()``, the number of batches; ``on_epoch_end()`` may change or shuffle the data.

    Args:
        workers: how many threads or processes prepare batches ahead.
        use_multiprocessing: processes instead of threads.
        max_queue_size: how many batches are prepared ahead at most.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return np.arange(3) ** index
    >>> [batch.tolist() for batch in Squares()]
    [[1, 1, 1], [0, 1, 2]]
    """

    # On the class, so that a subclass need not call super().__init__().
    workers, use_multiprocessing, max_queue_size = 1, False, 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index), which returns a batch.")

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} must define __len__(), the number of batches.")

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    @property
    def num_batches(self):
        """The number of batches, ``None`` if the data set has no end."""
        return len(self)

    def on_epoch_begin(self):
        """Called before each epoch."""

    def on_epoch_end(self):
        """Called after each epoch."""


Sequence = PyDataset


class SequenceEnqueuer:
    """Base class: prepares batches in the background.

    ``start(workers, max_queue_size)``, then ``next(enqueuer.get())`` for each batch, then ``stop()``. A worker that is
    killed, or no batch within ``timeout`` seconds, raises ``DataWorkerError``; an exception in the user's code passes
    through unchanged.
    """

    timeout = BATCH_TIMEOUT

    def start(self, workers=1, max_queue_size=10):
        raise NotImplementedError

    def stop(self, timeout=None):
        raise NotImplementedError

    def get(self):
        raise NotImplementedError

    def is_running(self):
        raise NotImplementedError

    def _silent(self):
        return DataWorkerError(
            f"no batch for {self.timeout:g} seconds from {self._source!r}. If batches do take that long, set the "
            "environment variable ONEIROS_BATCH_TIMEOUT (in seconds)."
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class OrderedEnqueuer(SequenceEnqueuer):
    """Prepares the batches of a ``Sequence``, epoch after epoch, in order.

    ``on_epoch_end`` is called when the last batch of an epoch has been taken. ``shuffle`` draws a new order of the
    batches for every epoch.
    """

    def __init__(self, sequence, use_multiprocessing=False, shuffle=False):
        self._source = self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.shuffle = shuffle
        self._pool = None
        self._pending = collections.deque()
        self._indices = iter(())

    def start(self, workers=1, max_queue_size=10):
        self._workers = max(1, workers)
        self._ahead = max(1, max_queue_size)
        self._begin_epoch()

    def is_running(self):
        return self._pool is not None

    def stop(self, timeout=None):
        """Drops what is prepared and ends the workers, also those that hang."""
        if self._pool is not None:
            self._pool.close()
        self._pool = None
        self._pending.clear()

    def get(self):
        """A generator of batches without end; ``stop()`` ends it."""
        while self.is_running():
            try:
                batch = self._next()
            except BaseException:
                self.stop()
                raise
            yield batch

    def _next(self):
        future = self._pending.popleft()
        if not wait([future], self.timeout).done:
            raise self._silent()
        try:
            batch = future.result()
        except BrokenProcessPool:
            raise DataWorkerError(
                f"a worker process for {self.sequence!r} died (killed, or out of memory?). Use fewer workers, or "
                "use_multiprocessing=False to see what happens."
            ) from None
        self._fill(1)
        if not self._pending:
            self.sequence.on_epoch_end()
            self._begin_epoch()
        return batch

    def _begin_epoch(self):
        if self.use_multiprocessing or self._pool is None:
            # New processes, because the old ones hold the sequence as it was before on_epoch_end.
            if self._pool is not None:
                self._pool.close()
            self._pool = (_Processes if self.use_multiprocessing else _Threads)(self._workers, self.sequence)
        order = list(range(len(self.sequence)))
        if not order:
            self.stop()
            raise InputDataError(f"{self.sequence!r} is empty: len() is 0.")
        if self.shuffle:
            random.shuffle(order)
        self._indices = iter(order)
        self._fill(self._ahead)

    def _fill(self, count):
        for index in itertools.islice(self._indices, count):
            self._pending.append(self._pool.submit(index))


class _Threads:
    """Daemon threads: one that hangs must not keep the program from ending."""

    def __init__(self, workers, sequence):
        self.sequence = sequence
        self.tasks = queue.SimpleQueue()
        self.workers = workers
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        for future, index in iter(self.tasks.get, None):
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self.sequence[index])
                except BaseException as error:
                    future.set_exception(error)

    def submit(self, index):
        future = Future()
        self.tasks.put((future, index))
        return future

    def close(self):
        with contextlib.suppress(queue.Empty):
            while True:
                self.tasks.get_nowait()
        for _ in range(self.workers):
            self.tasks.put(None)


def _fork_context():
    if "fork" not in multiprocessing.get_all_start_methods():
        raise DataWorkerError("use_multiprocessing needs a system that can fork, such as Linux. Use threads here.")
    return multiprocessing.get_context("fork")


_shared = {}  # what forked workers find: key -> sequence
_keys = itertools.count()


class _Processes:
    def __init__(self, workers, sequence):
        self.key = next(_keys)
        _shared[self.key] = sequence
        # Every batch has its own seed, which depends neither on the worker that makes it nor on the order of events.
        self.seed = zlib.crc32(np.random.get_state()[1].tobytes())
        self.executor = ProcessPoolExecutor(workers, _fork_context())

    def submit(self, index):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # JAX and Python warn of forks; the workers use neither JAX nor our locks
            return self.executor.submit(_forked_item, self.key, index, self.seed)

    def close(self):
        processes = list((self.executor._processes or {}).values())
        self.executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # shutdown would wait for one that hangs
            process.terminate()
        _shared.pop(self.key, None)


def _forked_item(key, index, seed):
    np.random.seed([seed, key, index])
    random.seed(f"{seed} {key} {index}")
    return get_index(key, index)


def get_index(uid, i):
    """Batch ``i`` of the sequence that was shared with the worker processes as ``uid``."""
    return _shared[uid][i]


class GeneratorEnqueuer(SequenceEnqueuer):
    """Runs a generator ahead of its consumer.

    With threads the batches come in order (a Python generator runs in one thread at a time, whatever ``workers`` is).
    With ``use_multiprocessing`` each worker process runs its own copy of the generator, NumPy's random numbers seeded
    with ``seed`` plus the worker's number, and batches come as they are ready.
    """

    def __init__(self, generator, use_multiprocessing=False, wait_time=0.05, seed=None):
        self._source = self._generator = generator
        self.use_multiprocessing = use_multiprocessing
        self.wait_time = wait_time
        self.seed = seed
        self.queue = None

    def start(self, workers=1, max_queue_size=10):
        self.queue = queue.Queue(max(1, max_queue_size))
        self._stopped = threading.Event()
        source = self._generator
        if self.use_multiprocessing:
            source = _forked_batches(source, max(1, workers), self.seed)
        threading.Thread(target=self._produce, args=(source, self.queue, self._stopped), daemon=True).start()

    def is_running(self):
        return self.queue is not None and not self._stopped.is_set()

    def stop(self, timeout=None):
        if self.queue is not None:
            self._stopped.set()

    def get(self):
        """A generator of the batches; it ends with the user's generator."""
        while self.is_running():
            try:
                kind, batch = self.queue.get(timeout=self.timeout)
            except queue.Empty:
                self.stop()
                raise self._silent() from None
            if kind == "batch":
                yield batch
                continue
            self.stop()
            if kind == "error":
                raise batch
            return

    def _produce(self, source, destination, stopped):
        def put(message):
            while not stopped.is_set():
                with contextlib.suppress(queue.Full):
                    destination.put(message, timeout=self.wait_time)
                    break

        try:
            for batch in source:
                put(("batch", batch))
                if stopped.is_set():
                    break
            put(("end", None))
        except BaseException as error:
            put(("error", error))
        finally:
            if self.use_multiprocessing:
                source.close()


def _forked_batches(generator, workers, seed):
    """The batches of ``workers`` processes that run a copy of the generator each."""
    context = _fork_context()
    processes = {}  # connection -> process
    try:
        for number in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            worker_seed = None if seed is None else seed + number
            process = context.Process(target=_run_generator, args=(generator, sender, worker_seed), daemon=True)
            processes[receiver] = process
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of forks, see _Processes
                process.start()
            sender.close()  # so that the end of the process is the end of the stream
        running = dict(processes)
        while running:
            for receiver in connection.wait(list(running)):
                try:
                    kind, batch = receiver.recv()
                except EOFError:
                    running[receiver].join()
                    raise DataWorkerError(
                        f"a worker process for {generator!r} died with exit code {running[receiver].exitcode} "
                        "(killed, or out of memory?)."
                    ) from None
                if kind == "error":
                    raise batch
                if kind == "end":
                    del running[receiver]
                else:
                    yield batch
    finally:
        for process in processes.values():
            process.terminate()


def _run_generator(generator, sender, seed):
    if seed is not None:
        np.random.seed(seed)
        random.seed(seed)
    try:
        for batch in generator:
            sender.send(("batch", batch))
        sender.send(("end", None))
    except Exception as error:
        error.add_note("in a worker process:\n" + traceback.format_exc())
        sender.send(("error", error))
