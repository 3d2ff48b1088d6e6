"""Sequences and the workers that prepare their batches."""

import itertools
import os
import signal
import time

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


def test_killed_worker():
    with pytest.raises(DataWorkerError, match="died"):
        take(OrderedEnqueuer(Bad(die), True), 5, workers=2)


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


def test_threads_share_a_generator_and_processes_have_copies():
    assert take(GeneratorEnqueuer(count_to(20)), 100, workers=3) == list(range(20))
    assert sorted(take(GeneratorEnqueuer(count_to(4), True), 100, workers=2)) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_seeds_of_processes():
    def numbers():
        while True:
            yield np.random.randint(10**9)

    values = take(GeneratorEnqueuer(numbers(), True, seed=5), 4, workers=2)
    expected = {int(v) for seed in (5, 6) for v in np.random.RandomState(seed).randint(10**9, size=4)}
    assert len(set(values)) == 4
    assert set(values) <= expected


@BOTH
def test_exception_in_a_generator(processes):
    with pytest.raises(KeyError, match="batch 2"):
        take(GeneratorEnqueuer(count_to(7, fail), processes), 100)


def test_killed_generator():
    with pytest.raises(DataWorkerError, match="exit code -9"):
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
