"""Threads or processes that compute items ahead of time and return them in order.

Processes are forked. The other start methods import the main program again and pickle the data: they would fail for
programs without an ``if __name__ == "__main__"`` guard, and for data with open files or lambdas. The dangers of forking
are avoided: the consuming thread forks all workers at once, while Ctrl-C is held back; a worker does not use JAX, whose
threads do not survive a fork, and does not collect garbage from before the fork; it ignores Ctrl-C, and ends when its
parent ends for whatever reason. ``__getitem__`` of such data must use NumPy, not JAX.

Each worker process has a thread that talks to it through a pipe. The futures are those of `concurrent.futures`, but
not the executors: with `ThreadPoolExecutor`, a thread that hangs keeps the program from ending, and
`ProcessPoolExecutor` does not say which item killed a worker, and waits forever for a worker that was killed while it
wrote its result.
"""

import collections
import contextlib
import faulthandler
import functools
import gc
import itertools
import multiprocessing
import os
import pickle
import queue
import signal
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from typing import Any

from ..core.config import data_timeout
from ..core.errors import DataWorkerError
from ..core.interrupts import allowed, held, time_limit

# Seconds. Ctrl-C does not end a wait if another thread receives the signal, or if it comes just before the wait begins.
_LONGEST_WAIT = 0.25


class Workers:
    """Computes ``function(item)`` for the items of a sequence, in order.

    Args:
        function: function that a worker calls with an item.
        source: the data; error messages name it.
        workers: number of threads or processes. With 0, each item is computed by the caller when it is requested.
        use_multiprocessing: whether to use processes instead of threads.
        timeout: seconds to wait for an item; by default the value of `oneiros.config.set_data_timeout`.

    >>> with Workers(lambda x: x * x, "squares", workers=2) as squares:
    ...     list(squares.map(range(4), ahead=3))
    [0, 1, 4, 9]
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        source: Any,
        workers: int = 1,
        use_multiprocessing: bool = False,
        timeout: float | None = None,
    ):
        self.function, self.source = function, source
        self.timeout = timeout or data_timeout()
        self.processes, self.executor = [], None
        functions = [function] * workers
        if use_multiprocessing:
            with held():
                try:
                    for _ in range(workers):
                        self.processes.append(_Process(function, self.processes))
                except BaseException:
                    self.close()
                    raise
            functions = self.processes
        if functions:
            self.executor = _DaemonThreads(functions)

    def map(self, items: Iterable, ahead: int) -> Iterator:
        """The results in the order of the items.

        Args:
            items: the items. There may be infinitely many.
            ahead: number of results that are computed in advance. The first ones start at once.

        Returns:
            An iterator over the results.

        Raises:
            DataWorkerError: from the iterator, if a worker dies or an item takes longer than `timeout`.
        """
        items = iter(items)
        if self.executor is None:
            return self._one_by_one(items)
        pending = collections.deque()

        def submit(count):
            for item in itertools.islice(items, count):
                pending.append((item, self.executor.submit(item)))

        def results():
            while pending:
                item, future = pending.popleft()
                result = self._result(item, future)
                del future  # so that only the consumer holds the batch
                submit(1)
                yield result

        submit(max(1, ahead))
        return results()

    def _result(self, item, future):
        end = time.monotonic() + self.timeout
        with allowed():
            while not future.done():
                left = end - time.monotonic()
                if left <= 0:
                    raise self._silent(item)
                wait([future], min(left, _LONGEST_WAIT))
        try:
            return future.result()
        except Exception as error:
            self._add_name(error, item)
            raise

    def _one_by_one(self, items):
        for item in items:
            with time_limit(self.timeout, functools.partial(self._silent, item)), allowed():
                try:
                    result = self.function(item)
                except Exception as error:
                    self._add_name(error, item)
                    raise
            yield result

    def _add_name(self, error, item):
        if not isinstance(error, DataWorkerError):  # its message names the item already
            error.add_note(f"This happened in batch {item} of {self.source!r}.")

    def _silent(self, item):
        return DataWorkerError(
            f"no batch for {self.timeout:g} seconds: batch {item} of {self.source!r} is not ready. If batches take "
            "that long, raise the limit: oneiros.config.set_data_timeout(seconds)."
            + (" A worker process that uses JAX hangs: use NumPy there, or threads." if self.processes else "")
        )

    def close(self) -> None:
        """Discards prepared results and ends the workers. Processes are killed; a thread that hangs is abandoned."""
        with held():
            if self.executor is not None:
                self.executor.shutdown()
            for process in self.processes:
                process.kill()
            self.executor, self.processes = None, []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class _DaemonThreads(Executor):
    """One thread for each function. A thread that hangs does not keep the program from ending."""

    def __init__(self, functions):
        self.tasks = queue.SimpleQueue()
        self.count = len(functions)
        for function in functions:
            threading.Thread(target=self._work, args=(function,), daemon=True).start()

    def _work(self, function):
        for future, item in iter(self.tasks.get, None):
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(item))
                except BaseException as error:
                    future.set_exception(error)
            del future  # and the batch with it

    def submit(self, item):
        future = Future()
        self.tasks.put((future, item))
        return future

    def shutdown(self):
        with contextlib.suppress(queue.Empty):
            while True:
                self.tasks.get_nowait()
        for _ in range(self.count):
            self.tasks.put(None)


class _Process:
    """A forked process that computes ``function(item)`` for the thread that calls this."""

    def __init__(self, function, siblings):
        if "fork" not in multiprocessing.get_all_start_methods():
            raise DataWorkerError("use_multiprocessing needs a system that can fork, such as Linux. Use threads here.")
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.joining = threading.Lock()  # of two threads that wait for its end, only one would see it
        self.crash = tempfile.TemporaryFile()  # noqa: SIM115 - where a worker that crashes leaves its traceback
        inherited = [self.connection, *(other.connection for other in siblings)]
        arguments = (function, theirs, inherited, self.crash, os.getpid())
        self.process = context.Process(target=_serve, args=arguments, daemon=True)
        with theirs, warnings.catch_warnings():  # our copy is closed: the end of the process is the end of the pipe
            warnings.simplefilter("ignore")  # JAX and Python warn of forks, see above
            self.process.start()

    def __call__(self, item):
        try:
            self.connection.send(item)
            reply = self.connection.recv_bytes()
        except (EOFError, OSError):
            raise self._died(item) from None
        result, error, trace = pickle.loads(reply)
        if error is not None:
            raise error from DataWorkerError(f"In the worker process:\n{trace}")
        return result

    def _died(self, item):
        self.join()
        code = self.process.exitcode
        how = f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
        self.crash.seek(0)
        trace = self.crash.read().decode(errors="replace")
        return DataWorkerError(
            f"the worker process that computed batch {item} died ({how}). If it ran out of memory, use fewer "
            "workers. With use_multiprocessing=False you see what happens."
            + (f"\nIn the worker process:\n{trace}" if trace else "")
        )

    def join(self):
        with self.joining:
            self.process.join(1)

    def kill(self):
        self.process.kill()
        self.join()
        self.crash.close()


def _serve(function, connection, inherited, crash, parent):
    """The loop of a worker process: it answers each item with ``(result, exception, traceback)``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes; the parent handles it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()
    for other in inherited:  # otherwise the pipes would outlive the parent
        other.close()
    faulthandler.enable(crash)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            item = connection.recv()
            try:
                reply = pickle.dumps((function(item), None, ""), pickle.HIGHEST_PROTOCOL)
            except BaseException as error:
                reply = _failure(error)
            connection.send_bytes(reply)


def _failure(error):
    trace = traceback.format_exc()
    try:
        reply = pickle.dumps((None, error, trace))
        pickle.loads(reply)
    except Exception:  # not all exceptions can be sent
        reply = pickle.dumps((None, DataWorkerError(f"{type(error).__name__}: {error}"), trace))
    return reply


def _end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
