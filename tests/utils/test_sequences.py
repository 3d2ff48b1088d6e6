"""Sequences and the workers that prepare their batches."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from oneiros.core.errors import DataWorkerError, InputDataError
from oneiros.utils.data import GeneratorEnqueuer, OrderedEnqueuer, PyDataset, Sequence, SequenceEnqueuer

BOTH = pytest.mark.parametrize("processes", [False, True])


class Numbers(PyDataset):
    """Five batches: the epoch's number, the batch's number, a random number."""

    epoch = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return self.epoch, index, np.random.randint(10**9)

    def on_epoch_end(self):
        self.epoch += 1


class Bad(Numbers):
    """Batch 2 does what it should not."""

    def __init__(self, deed):
        super().__init__()
        self.deed = deed

    def __getitem__(self, index):
        if index == 2:
            self.deed()
        return super().__getitem__(index)


def fail():
    raise KeyError("batch 2")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    time.sleep(60)
    raise TimeoutError  # a thread that is left behind must not draw random numbers while other tests run


def take(enqueuer, count, **start):
    """The first batches; ends the workers, whatever happens."""
    with enqueuer:
        enqueuer.start(**start)
        return list(itertools.islice(enqueuer.get(), count))


def test_dataset():
    data = Numbers(workers=3, use_multiprocessing=True, max_queue_size=4)
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (3, True, 4)
    assert [index for _, index, _ in data] == [0, 1, 2, 3, 4]
    assert data.num_batches == 5
    assert Sequence is PyDataset

    class WithoutInit(PyDataset):
        def __init__(self):
            pass

    assert WithoutInit().workers == 1
    for use in (len, lambda data: data[0]):
        with pytest.raises(NotImplementedError, match="WithoutInit must define"):
            use(WithoutInit())
    with pytest.raises(NotImplementedError):
        SequenceEnqueuer().start()


@BOTH
@pytest.mark.parametrize("ahead", [1, 3, 20])
def test_ordered(processes, ahead):
    """In order, epoch after epoch, and workers see what on_epoch_end changed."""
    batches = take(OrderedEnqueuer(Numbers(), processes), 12, workers=3, max_queue_size=ahead)
    assert [batch[:2] for batch in batches] == [(epoch, i) for epoch in range(3) for i in range(5)][:12]


@BOTH
def test_shuffled(processes):
    batches = take(OrderedEnqueuer(Numbers(), processes, shuffle=True), 10, workers=2)
    assert sorted(batch[:2] for batch in batches) == [(epoch, i) for epoch in range(2) for i in range(5)]


def test_processes_have_random_numbers_of_their_own():
    values = [batch[2] for batch in take(OrderedEnqueuer(Numbers(), True), 10, workers=3)]
    assert len(set(values)) == 10


def test_the_end_of_an_epoch_comes_with_its_last_batch():
    data = Numbers()
    enqueuer = OrderedEnqueuer(data)
    enqueuer.start(workers=2)
    assert enqueuer.is_running()
    batches = enqueuer.get()
    epochs = [(next(batches), data.epoch)[1] for _ in range(6)]
    assert epochs == [0, 0, 0, 0, 1, 1]
    enqueuer.stop()
    assert not enqueuer.is_running()
    assert list(batches) == []


@BOTH
def test_exception_in_a_sequence(processes):
    enqueuer = OrderedEnqueuer(Bad(fail), processes)
    with pytest.raises(KeyError, match="batch 2"):
        take(enqueuer, 5, workers=2)
    assert not enqueuer.is_running()


def test_timeout_error_of_the_user_is_not_ours():
    def slow_network():
        raise TimeoutError("the user's own")

    with pytest.raises(TimeoutError, match="own"):
        take(OrderedEnqueuer(Bad(slow_network)), 5)


def gone(pid):
    """Whether this process has ended, within a few seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


class Unsendable(Numbers):
    """Its third batch kills the process while it is pickled; the first part has been written by then, or not."""

    def __getitem__(self, index):
        return Deadly() if index == 2 else super().__getitem__(index)


class Deadly:
    def __reduce__(self):
        die()


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (die, "SIGKILL"),
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_worker_that_dies(deed, told, workers):
    """At once, whichever way, with the batch's number; and the place where it crashed, if it could still tell."""

    class Dying(Bad):
        def __getitem__(self, index):
            if index == 2:
                crash_in(deed)
            return index

    def crash_in(deed):
        deed()

    begin = time.monotonic()
    with pytest.raises(DataWorkerError, match="batch 2 died") as caught:
        take(OrderedEnqueuer(Dying(deed), True), 5, workers=workers)
    assert time.monotonic() - begin < 5
    assert told in str(caught.value)
    assert ("in crash_in" in str(caught.value)) == (told == "SIGSEGV")


def test_worker_that_dies_while_its_batch_is_pickled():
    with pytest.raises(DataWorkerError, match="batch 2 died"):
        take(OrderedEnqueuer(Unsendable(), True), 5, workers=2)


def test_worker_that_dies_while_its_batch_is_sent():
    """Half of a message is in the pipe, and another worker is alive: this must not be waited for."""

    class Cut(Numbers):
        def __getitem__(self, index):
            if index == 2:
                threading.Timer(0.2, die).start()
                return np.zeros(50_000_000, "int8")  # more than a pipe holds
            return index

    enqueuer = OrderedEnqueuer(Cut(), True)
    with enqueuer:
        enqueuer.start(workers=2)
        for process in enqueuer._workers.processes:  # reads come late, so that the writer is still at it
            connection = process.connection
            read = connection.recv_bytes
            process.connection = SimpleNamespace(
                send=connection.send, recv_bytes=lambda read=read: (time.sleep(0.5), read())[1]
            )
        with pytest.raises(DataWorkerError, match="batch 2 died"):
            list(itertools.islice(enqueuer.get(), 5))


@pytest.mark.parametrize("when", ["before the first batch", "while it has nothing to do"])
def test_idle_worker_that_dies(when):
    enqueuer = OrderedEnqueuer(Numbers(), True)
    with enqueuer:
        enqueuer.start(workers=1, max_queue_size=1)
        batches = enqueuer.get()
        if when != "before the first batch":
            next(batches)
            time.sleep(0.2)
        os.kill(enqueuer._workers.processes[0].process.pid, signal.SIGKILL)
        with pytest.raises(DataWorkerError, match="batch . died .killed by SIGKILL"):
            list(itertools.islice(batches, 5))
    assert not enqueuer.is_running()


def test_memory_error_in_a_worker():
    def deed():
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room") as caught:
        take(OrderedEnqueuer(Bad(deed), True), 5, workers=2)
    assert any("batch 2 of" in note for note in caught.value.__notes__)


@BOTH
def test_an_error_keeps_its_traceback_and_names_the_batch(processes):
    with pytest.raises(KeyError) as caught:
        take(OrderedEnqueuer(Bad(fail), processes), 5, workers=2)
    text = "".join(traceback.format_exception(caught.value))
    assert "in fail" in text
    assert "batch 2 of" in text
    assert ("In the worker process" in text) == processes


def test_an_error_that_cannot_be_pickled():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__("odd")

    def deed():
        raise Odd(1, 2)

    with pytest.raises(DataWorkerError, match="Odd: odd") as caught:
        take(OrderedEnqueuer(Bad(deed), True), 5)
    assert "in deed" in "".join(traceback.format_exception(caught.value))


def test_one_worker_process_is_not_the_main_process():
    class Who(Numbers):
        def __getitem__(self, index):
            return os.getpid()

    pids = take(OrderedEnqueuer(Who(), True), 5, workers=1)
    assert len(set(pids)) == 1
    assert os.getpid() not in pids
    assert gone(pids[0])


def test_no_more_batches_than_asked_for_are_prepared():
    made = []

    class Counted(Numbers):
        def __len__(self):
            return 100

        def __getitem__(self, index):
            made.append(index)
            return index

    with OrderedEnqueuer(Counted()) as enqueuer:
        enqueuer.start(workers=3, max_queue_size=4)
        batches = enqueuer.get()
        for taken in range(1, 10):
            next(batches)
            time.sleep(0.02)
            assert len(made) <= taken + 4


def test_workers_end_with_their_parent():
    """However it dies: by SIGTERM, whose default stays, or without any chance to clean up."""
    program = """
import os, sys, time
from oneiros.utils.data import OrderedEnqueuer, Sequence

class Slow(Sequence):
    def __len__(self):
        return 100
    def __getitem__(self, index):
        time.sleep(0.05 if index else 0)
        return os.getpid()

enqueuer = OrderedEnqueuer(Slow(), use_multiprocessing=True)
enqueuer.start(workers=3)
batches = enqueuer.get()
print(*{next(batches) for _ in range(12)}, flush=True)
time.sleep(60)
"""
    for number in (signal.SIGTERM, signal.SIGKILL):
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) >= 2
        parent.send_signal(number)
        assert parent.wait(10) == -number
        parent.stdout.close()
        assert all(gone(pid) for pid in pids)


@BOTH
def test_silent_worker(processes):
    enqueuer = OrderedEnqueuer(Bad(hang), processes)
    enqueuer.timeout = 0.5
    with pytest.raises(DataWorkerError, match="no batch for 0.5 seconds"):
        take(enqueuer, 5, workers=2)


def test_empty_sequence():
    class Empty(Numbers):
        def __len__(self):
            return 0

    with pytest.raises(InputDataError, match="empty"):
        take(OrderedEnqueuer(Empty()), 1)


# --- generators ---


def count_to(n, deed=None):
    for i in range(n):
        if i == 3 and deed:
            deed()
        yield i


@BOTH
def test_generator(processes):
    assert take(GeneratorEnqueuer(count_to(7), processes), 100, workers=1, max_queue_size=2) == list(range(7))


@BOTH
def test_many_workers_yield_no_batch_of_a_generator_twice(processes):
    assert take(GeneratorEnqueuer(count_to(20), processes), 100, workers=3) == list(range(20))


def test_seed_of_a_process():
    def numbers():
        while True:
            yield np.random.randint(10**9)

    for name in ("seed", "random_seed"):
        values = take(GeneratorEnqueuer(numbers(), True, **{name: 5}), 4)
        assert values == np.random.RandomState(5).randint(10**9, size=4).tolist()


@BOTH
def test_exception_in_a_generator(processes):
    with pytest.raises(KeyError, match="batch 2"):
        take(GeneratorEnqueuer(count_to(7, fail), processes), 100)


def test_killed_generator():
    with pytest.raises(DataWorkerError, match="batch 3 died .killed by SIGKILL"):
        take(GeneratorEnqueuer(count_to(7, die), True), 100, workers=2)


@BOTH
def test_silent_generator(processes):
    enqueuer = GeneratorEnqueuer(count_to(7, hang), processes)
    enqueuer.timeout = 0.5
    with pytest.raises(DataWorkerError, match="no batch for 0.5 seconds"):
        take(enqueuer, 100)
    assert not enqueuer.is_running()


def test_a_generator_is_not_run_far_ahead():
    made = []

    def generator():
        for i in itertools.count():
            made.append(i)
            yield i

    with GeneratorEnqueuer(generator()) as enqueuer:
        enqueuer.start(max_queue_size=3)
        assert next(enqueuer.get()) == 0
        time.sleep(0.1)
        assert len(made) <= 6
