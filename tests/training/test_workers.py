"""Workers that prepare batches for fit, evaluate and predict: the same batches, whoever makes them."""

import os
import time

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.core.errors import DataWorkerError
from oneiros.training.reading import Reader
from oneiros.utils import PyDataset

WORKERS = pytest.mark.parametrize("workers", [(0, False), (1, False), (3, False), (1, True), (3, True)])


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def impatient():
    before = keras.config.data_timeout()
    keras.config.set_data_timeout(0.3)
    yield
    keras.config.set_data_timeout(before)


class Numbered(PyDataset):
    """Batch i of epoch e holds the number 100 e + i; an epoch has one batch more than the one before."""

    def __init__(self, epoch=0, **options):
        super().__init__(**options)
        self.epoch, self.ends = epoch, 0

    def __len__(self):
        return 3 + self.epoch

    def __getitem__(self, index):
        return np.full((2, 1), 100 * self.epoch + index, "float32"), np.full((2, 1), os.getpid(), "float32")

    def on_epoch_end(self):
        self.epoch += 1
        self.ends += 1


@pytest.fixture
def seen(model, monkeypatch):
    """What reaches the model: the number in each batch, and the process that made it."""
    seen = []
    standard = Reader.batch

    def record(self, x, y=None, *args, **kwargs):
        seen.append((int(x[0, 0]), None if y is None else int(y[0, 0])))
        return standard(self, x, y, *args, **kwargs)

    monkeypatch.setattr(Reader, "batch", record)
    return seen


@WORKERS
@pytest.mark.parametrize("shuffle", [False, True])
def test_order_epochs_and_lengths(model, seen, workers, shuffle):
    data = Numbered()
    np.random.seed(3)
    model.fit(data, epochs=3, shuffle=shuffle, verbose=0, workers=workers[0], use_multiprocessing=workers[1])
    np.random.seed(3)
    expected = []
    for epoch in range(3):
        order = np.arange(3 + epoch)
        if shuffle:
            np.random.shuffle(order)
        expected += [100 * epoch + int(i) for i in order]
    assert [number for number, _ in seen[1:]] == expected  # the first shows the shapes
    assert data.ends == 3


@WORKERS
def test_steps_beyond_and_below_the_length(model, seen, workers):
    options = {"verbose": 0, "workers": workers[0], "use_multiprocessing": workers[1]}
    model.evaluate(Numbered(), steps=5, **options)
    assert [number for number, _ in seen[1:]] == [0, 1, 2, 0, 1]
    seen.clear()
    model.evaluate(Numbered(), steps=2, **options)
    assert [number for number, _ in seen[1:]] == [0, 1]


@pytest.mark.parametrize("given", ["arguments", "constructor"])
@pytest.mark.parametrize(
    "method", ["fit", "fit_generator", "evaluate", "evaluate_generator", "predict", "predict_generator"]
)
def test_one_worker_process_never_is_the_main_process(model, monkeypatch, method, given):
    """Nor does any other method, old or new, forget its arguments."""
    pids = []

    class Told(Numbered):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return (y, x) if "predict" not in method else y

    standard = Reader.batch

    def record(self, x, *args, **kwargs):
        pids.append(int(x[0, 0]))
        return standard(self, x, *args, **kwargs)

    monkeypatch.setattr(Reader, "batch", record)
    options = {"workers": 1, "use_multiprocessing": True, "max_queue_size": 2}
    if given == "arguments":
        getattr(model, method)(Told(), verbose=0, **options)
    else:
        getattr(model, method)(Told(**options), verbose=0)
    assert len(pids) >= 3
    assert os.getpid() not in pids


def test_a_generator_runs_in_one_process(model, seen):
    def numbers():
        for i in range(100):
            yield np.full((2, 1), i, "float32"), np.full((2, 1), os.getpid(), "float32")

    model.fit(numbers(), steps_per_epoch=4, epochs=3, verbose=0, workers=3, use_multiprocessing=True)
    assert list(dict.fromkeys(number for number, _ in seen)) == list(range(12))
    (pid,) = {pid for _, pid in seen}
    assert pid != os.getpid()


def hanging_generator():
    yield np.zeros((2, 1)), np.zeros((2, 1))
    yield np.zeros((2, 1)), np.zeros((2, 1))
    time.sleep(30)


class Hanging(Numbered):
    def __getitem__(self, index):
        if index == 2:
            time.sleep(30)
        return super().__getitem__(index)


@WORKERS
@pytest.mark.parametrize("source", [hanging_generator, Hanging])
def test_what_hangs_is_told(model, impatient, workers, source):
    begin = time.monotonic()
    with pytest.raises(DataWorkerError, match="no batch for 0.3 seconds: batch 2 of"):
        model.fit(
            source(),
            steps_per_epoch=3,
            shuffle=False,
            verbose=0,
            workers=workers[0],
            use_multiprocessing=workers[1],
        )
    assert time.monotonic() - begin < 5


def test_slow_batches_are_no_hang(model, impatient):
    """The limit is for each batch, not for all."""

    class Slow(Numbered):
        def __getitem__(self, index):
            time.sleep(0.15)
            return super().__getitem__(index)

    model.fit(Slow(), verbose=0)


def test_the_limit_is_a_positive_number():
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            keras.config.set_data_timeout(wrong)


@WORKERS
def test_an_error_names_its_batch(model, workers):
    class Failing(Numbered):
        def __getitem__(self, index):
            return super().__getitem__(index if index < 2 else {}["missing"])

    with pytest.raises(KeyError, match="missing") as caught:
        model.fit(Failing(), shuffle=False, verbose=0, workers=workers[0], use_multiprocessing=workers[1])
    assert any("batch 2 of" in note for note in caught.value.__notes__)
