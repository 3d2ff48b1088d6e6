"""Ctrl-C in the middle of fit: KeyboardInterrupt, and a model that still predicts."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.training.reading import Reader
from oneiros.utils import PyDataset

PROGRAM = """
import os, signal, threading, time
import numpy as np
import oneiros as keras
from oneiros import layers

signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts in the background ignores it
x, y = np.random.rand(4000, 20).astype("float32"), np.random.rand(4000, 1).astype("float32")
model = keras.Sequential([keras.Input((20,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=1, verbose=0)

def interrupt(delay, done):
    # Again and again: Python drops an interrupt that meets it in a destructor or a weak reference's callback.
    time.sleep(delay)
    while not done.is_set():
        os.kill(os.getpid(), signal.SIGINT)
        done.wait(0.5)


usable = 0
for attempt in range(8):
    done = threading.Event()
    thread = threading.Thread(target=interrupt, args=(0.02 + 0.037 * attempt, done))
    try:
        try:
            thread.start()
            model.fit(x, y, epochs=10_000, verbose=0)
        finally:
            done.set()
            thread.join()
    except KeyboardInterrupt:
        usable += bool(np.isfinite(model.predict(x[:5], verbose=0)).all())
print("USABLE", usable)
"""


def test_ctrl_c_costs_no_weight():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert "USABLE 8" in done.stdout, done.stderr[-2000:]


class Counting(layers.Layer):
    """Two weights that both count the steps, if the loss is minus the mean and the rate is 1."""

    def build(self, shape):
        self.a = self.add_weight(shape=(3,), initializer="zeros", name="a")
        self.b = self.add_weight(shape=(5,), initializer="zeros", name="b")

    def call(self, inputs):
        return 0 * inputs + self.a.value.sum() + self.b.value.sum()


X = np.zeros((12, 1), "float32")


class Batches(PyDataset):
    deed = staticmethod(lambda: None)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == 2:
            self.deed()
        return X[:4], X[:4]


class Watcher(keras.callbacks.Callback):
    """Does something in one of its hooks, and counts how often it is told of the end."""

    def __init__(self, place=None, deed=None):
        super().__init__()
        self.errors = []
        if place:
            setattr(self, place, lambda *args, **kwargs: deed())

    def on_exception(self, error):
        self.errors.append(error)


class Last:
    def __del__(self):
        press()


def press():
    signal.raise_signal(signal.SIGINT)


def press_twice():
    press()
    press()


def in_destructor():
    Last()


@pytest.fixture
def model():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    model = keras.Sequential([keras.Input((1,)), Counting()])
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: -p.mean())
    model.fit(X, X, batch_size=4, verbose=0)
    yield model
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def steps_seen(model):
    """The step that all weights are of."""
    values = {float(v) for v in np.concatenate([w.ravel() for w in model.get_weights()])}
    assert len(values) == 1
    assert values == {float(model.optimizer.iterations.value)}
    assert np.isfinite(model.predict(X, verbose=0)).all()
    return values.pop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("deed", [press, press_twice, in_destructor])
@pytest.mark.parametrize(
    ("place", "steps"),
    [
        *(("on_train_begin", 3), ("on_epoch_begin", 3), ("on_train_batch_begin", 3), ("on_train_batch_end", 4)),
        *(("on_test_begin", 6), ("on_test_batch_end", 6), ("on_test_end", 6), ("on_epoch_end", 6)),
        ("on_train_end", 9),
    ],
)
def test_ctrl_c_in_a_callback(model, place, steps, deed):
    callbacks = [Watcher(), Watcher(place, deed), Watcher()]
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X, batch_size=4, epochs=2, validation_data=(X, X), verbose=0, callbacks=callbacks)
    assert [len(c.errors) for c in callbacks] == [1, 1, 1]
    assert steps_seen(model) == steps


def test_ctrl_c_while_callbacks_are_told_of_one(model):
    class Again(Watcher):
        def on_exception(self, error):
            super().on_exception(error)
            press()

    callbacks = [Again("on_epoch_end", press), Again()]
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X, batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
    assert [len(c.errors) for c in callbacks] == [1, 1]


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}])
def test_ctrl_c_while_data_is_made(model, method, options):
    """Wherever the batch is made; no process is left."""
    main = os.getpid()

    class Slow(Batches):
        def deed(self):
            os.kill(main, signal.SIGINT)
            time.sleep(30)

    watcher = Watcher()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(Slow(), verbose=0, callbacks=[watcher], **options)
    assert time.monotonic() - begin < 15  # most of it is the compiler's
    assert len(watcher.errors) == 1
    assert multiprocessing.active_children() == []
    steps_seen(model)


def test_ctrl_c_that_another_thread_receives(model):
    """It does not wake the main thread, which waits for a batch."""

    class Slow(Batches):
        def deed(self):
            time.sleep(0.1)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            time.sleep(30)

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.predict(Slow(), verbose=0, workers=2)
    assert time.monotonic() - begin < 15


def test_ctrl_c_while_processes_are_forked(model):
    """A hook of os.fork presses: Python drops what it raises."""
    presses = []
    os.register_at_fork(before=lambda: presses.pop()() if presses else None)

    class Forking(Batches):
        def on_epoch_end(self):
            presses.append(press)

    watcher = Watcher()
    with pytest.raises(KeyboardInterrupt):
        model.fit(Forking(), epochs=9, workers=2, use_multiprocessing=True, verbose=0, callbacks=[watcher])
    assert len(watcher.errors) == 1
    assert multiprocessing.active_children() == []
    assert steps_seen(model) == 6


def test_ctrl_c_while_a_step_is_traced(model):
    """It waits for the end of the trace: JAX is not left in the middle of one."""
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: (press(), -p.mean())[1])
    before = float(model.get_weights()[0][0])
    watcher = Watcher()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X, batch_size=4, epochs=9, verbose=0, callbacks=[watcher])
    assert len({float(v) for w in model.get_weights() for v in w}) == 1
    assert float(model.get_weights()[0][0]) - before <= 1
    assert len(watcher.errors) <= 1


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_ctrl_c_while_a_checkpoint_is_saved(model, tmp_path, monkeypatch, moment):
    """The file is the old one or the new one."""
    path = tmp_path / "a.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True)
    model.fit(X, X, batch_size=4, verbose=0, callbacks=[checkpoint])
    done = getattr(os, moment)
    monkeypatch.setattr(os, moment, lambda *args, **kwargs: (press(), done(*args, **kwargs))[1])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X, batch_size=4, epochs=2, verbose=0, callbacks=[checkpoint])
    monkeypatch.undo()
    assert steps_seen(model) == 9
    model.load_weights(str(path))
    assert {float(v) for w in model.get_weights() for v in w} in ({6.0}, {9.0})
    assert os.listdir(tmp_path) == ["a.weights.h5"]


def test_ctrl_c_in_train_on_batch(model, monkeypatch):
    read = Reader.batch
    monkeypatch.setattr(Reader, "batch", lambda *args: (press(), read(*args))[1])
    with pytest.raises(KeyboardInterrupt):
        model.train_on_batch(X[:4], X[:4])
    monkeypatch.undo()
    assert steps_seen(model) == 4
