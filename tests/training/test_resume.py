"""A training that was killed goes on exactly: the oracle is the same training, not killed, to the last bit."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest

import oneiros as keras
from oneiros import callbacks as C
from oneiros.compat import generations
from oneiros.core import behaviour
from oneiros.utils import atomic

L = keras.layers
X = np.random.RandomState(0).rand(22, 4).astype("float32")
Y = (X.sum(1, keepdims=True) > 2).astype("float32")


class Killed(BaseException):
    pass


class Kill(C.Callback):
    """Ends the process, so to speak, when a hook is called for the n-th time."""

    state_names = ()

    def __init__(self, hook, count):
        self.left = count
        setattr(self, hook, self._hook)

    def _hook(self, *args):
        self.left -= 1
        if self.left == 0:
            raise Killed


def dropout_model():
    layers = [L.Input((4,)), L.Dense(6, activation="relu"), L.BatchNormalization(), L.Dropout(0.4), L.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def all_callbacks(folder):
    return [
        C.CSVLogger(folder / "log.csv"),
        C.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        C.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, cooldown=1),
        C.ModelCheckpoint(folder / "best.weights.h5", "val_mae", save_best_only=True, save_weights_only=True),
        C.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        C.TerminateOnNaN(),
    ]


def train(
    folder,
    kills=(),
    model=dropout_model,
    data=lambda: {"x": X, "y": Y, "batch_size": 4},
    callbacks=all_callbacks,
    epochs=5,
    save_freq="epoch",
    **options,
):
    """Everything that is left of a training: what the program would see after `fit`."""
    keras.utils.set_random_seed(7)
    made = model()
    given = callbacks(folder)
    backup = C.BackupAndRestore(folder / "backup", save_freq)
    options = {"validation_data": (X[:7], Y[:7])} | options | data()
    try:
        history = made.fit(epochs=epochs, verbose=0, callbacks=[*kills[:1], backup, *given, *kills[1:]], **options)
    except Killed:
        np.random.seed(99)  # another process
        random.seed(99)
        return None
    left = {
        "weights": [np.asarray(v.raw).tobytes() for v in made.variables],
        "optimizer": [np.asarray(v.raw).tobytes() for v in made.optimizer.variables],
        "history": (history.epoch, history.history),
        "callbacks": [repr(vars(c).get(name)) for c in given for name in c.state_names or ()],
        "random": (np.random.rand(), random.random(), float(keras.random.uniform(()))),
        "files": {file.name: file.read_bytes() for file in sorted(folder.glob("*.csv"))},
    }
    assert not (folder / "backup").exists()
    return left


def assert_goes_on(tmp_path, *kills, **config):
    """Trains without and with these kills (functions that make the callbacks), one after the other."""
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = train(tmp_path / "whole", **config)
    for kill in kills:
        assert train(tmp_path / "killed", kill(), **config) is None, "was not killed"
    found = train(tmp_path / "killed", **config)
    for key, value in expected.items():
        assert found[key] == value, f"{key} differs"
    return found


@pytest.mark.parametrize("save_freq", ["epoch", 1, 4])
def test_every_callback_goes_on(tmp_path, save_freq):
    left = assert_goes_on(
        tmp_path,
        lambda: [Kill("on_train_batch_end", 9)],
        lambda: [Kill("on_epoch_end", 1)],  # before the other callbacks
        lambda: [C.TerminateOnNaN(), Kill("on_epoch_end", 1)],  # after them, before the backup
        lambda: [Kill("on_test_begin", 2)],
        save_freq=save_freq,
    )
    assert len(left["files"]["log.csv"].splitlines()) == 1 + len(left["history"][0])


def test_a_kill_after_the_last_epoch_repeats_only_the_end(tmp_path):
    assert_goes_on(tmp_path, lambda: [Kill("on_train_end", 1)], lambda: [C.TerminateOnNaN(), Kill("on_train_end", 1)])


def test_a_backup_is_replaced_by_a_whole_one_only(tmp_path, monkeypatch):
    class Torn(C.Callback):
        state_names = ()

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                monkeypatch.setattr(atomic.os, "fsync", self.fail)

        def fail(self, file):
            monkeypatch.undo()
            raise Killed

    # CSVLogger's own fsync is the first: none here.
    assert_goes_on(tmp_path, lambda: [Torn()], callbacks=lambda folder: [C.EarlyStopping("loss", patience=3)])


class Rows(keras.utils.Sequence):
    """Shuffles its rows at the end of an epoch and adds noise to each batch."""

    def __init__(self):
        super().__init__()
        self.rows = np.arange(len(X))

    def __len__(self):
        return 6

    def __getitem__(self, index):
        rows = self.rows[index * 4 : index * 4 + 4]
        return X[rows] + np.random.rand(len(rows), 4) * 0.1 + random.random() * 0.01, Y[rows]

    def on_epoch_end(self):
        np.random.shuffle(self.rows)


class Telling(Rows):
    def __getitem__(self, index):  # without noise: two workers would draw in any order
        rows = self.rows[index * 4 : index * 4 + 4]
        return X[rows], Y[rows]

    def get_state(self):
        return {"rows": self.rows}

    def set_state(self, state):
        self.rows = state["rows"]

    def on_epoch_end(self):
        self.rows = np.roll(self.rows, 3)


def batches():
    while True:
        rows = np.random.permutation(len(X))
        for start in range(0, 20, 4):
            yield X[rows[start : start + 4]] + np.random.rand(), Y[rows[start : start + 4]]


class Reusable:
    def __iter__(self):
        for index in np.random.permutation(6):
            yield X[index * 4 : index * 4 + 4], Y[index * 4 : index * 4 + 4]


def images():
    generator = keras.preprocessing.image.ImageDataGenerator(horizontal_flip=True, width_shift_range=0.5)
    return generator.flow(X.reshape(22, 2, 2, 1), Y, batch_size=4)


def image_model():
    model = keras.Sequential([L.Input((2, 2, 1)), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_images_go_on(tmp_path):
    config = {"data": lambda: {"x": images()}, "model": image_model, "callbacks": lambda folder: [], "epochs": 3}
    assert_goes_on(tmp_path, lambda: [Kill("on_train_batch_end", 9)], save_freq=4, validation_data=None, **config)


class Place:
    """Yields batches endlessly and tells its place."""

    def __init__(self):
        self.place = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.place += 1
        rows = np.arange(self.place, self.place + 4) % len(X)
        return X[rows], Y[rows]

    def get_state(self):
        return self.place

    def set_state(self, state):
        self.place = state


@pytest.mark.parametrize("save_freq", ["epoch", 4])
@pytest.mark.parametrize(
    "data",
    [
        lambda: {"x": X, "y": Y, "batch_size": 4, "shuffle": "batch"},
        lambda: {"x": Rows()},
        lambda: {"x": Telling(), "workers": 2},
        lambda: {"x": batches(), "steps_per_epoch": 7},
        lambda: {"x": Reusable()},
        lambda: {"x": Place(), "steps_per_epoch": 6, "validation_data": Place(), "validation_steps": 2},
    ],
    ids=["arrays", "by number", "by number, telling", "generator", "iterable", "iterator, telling"],
)
def test_the_place_in_the_data_is_found_again(tmp_path, data, save_freq):
    assert_goes_on(
        tmp_path,
        lambda: [Kill("on_train_batch_end", 10)],
        lambda: [Kill("on_train_batch_end", 8)],
        data=data,
        epochs=4,
        callbacks=lambda folder: [],
        save_freq=save_freq,
        validation_data=None,
    )


@pytest.mark.parametrize("generation", ["1", "2"])
def test_older_generations_shuffle_on(tmp_path, generation, monkeypatch):
    for name, values in generations.BEHAVIOUR.items():
        if name in ("epochs_shuffle_on", "running_batch_logs"):
            monkeypatch.setattr(behaviour, name, values[generations.GENERATIONS.index(generation)])
    for freq in ("epoch", 4):
        (tmp_path / str(freq)).mkdir()
        assert_goes_on(tmp_path / str(freq), lambda: [Kill("on_train_batch_end", 16)], save_freq=freq)


def own_step():
    seeds = keras.random.SeedGenerator(3)
    moved = keras.Variable(np.zeros((), "float32"), trainable=False)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(1)
            self.tracked = keras.metrics.Mean(name="loss")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            moved.assign_add(1.0)  # nobody but the step knows of it
            x = x + keras.random.normal((4,), seed=seeds) * moved
            logs = super().train_step((x, y))
            self.tracked.update_state(logs["loss"])
            return {"loss": self.tracked.result()}

    model = Own()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


def averaged():
    model = dropout_model()
    model.compile(keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=3), "mse")
    return model


def half():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inputs = L.Input((4,))
        hidden = L.Dense(6, activation="relu")(inputs)
        model = keras.Model(inputs, L.Dense(1, dtype="float32")(hidden))
        schedule = keras.optimizers.schedules.CosineDecay(0.05, 20)
        model.compile(keras.optimizers.RMSprop(schedule), "mse")
        return model
    finally:
        keras.config.set_dtype_policy("float32")


def remembering():
    model = keras.Sequential([L.Input(batch_shape=(4, 4)), L.Reshape((4, 1)), L.GRU(3, stateful=True), L.Dense(1)])
    model.compile(keras.optimizers.Nadam(0.01), "mse")
    return model


@pytest.mark.parametrize("model", [own_step, averaged, half, remembering], ids=lambda f: f.__name__)
def test_all_that_training_moves_is_kept(tmp_path, model):
    config = {
        "model": model,
        "data": lambda: {"x": X[:20], "y": Y[:20], "batch_size": 4},
        "callbacks": lambda folder: [C.SwapEMAWeights(swap_on_epoch=True)] if model is averaged else [],
        "validation_data": None if model is remembering else (X, Y),
        "epochs": 3,
    }
    for freq in ("epoch", 2):
        (tmp_path / str(freq)).mkdir()
        assert_goes_on(tmp_path / str(freq), lambda: [Kill("on_train_batch_end", 9)], save_freq=freq, **config)


def test_several_trainings_in_one_folder(tmp_path):
    finished = sys.modules[C.BackupAndRestore.__module__]._finished

    def program(folder, kill=()):
        keras.utils.set_random_seed(1)
        model = dropout_model()
        for number in (1, 2):
            kills = kill if number == 2 else []
            model.fit(X, Y, epochs=2, verbose=0, callbacks=[C.BackupAndRestore(folder), *kills])
        return model.get_weights()

    expected = program(tmp_path / "a")
    with pytest.raises(Killed):
        program(tmp_path / "b", [Kill("on_epoch_begin", 2)])
    finished.clear()
    found = program(tmp_path / "b")
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


class Counter(C.Callback):
    def __init__(self):
        self.count = 0


def test_callbacks_that_forget_are_named_once(tmp_path):
    class Telling(Counter):
        state_names = ("count",)

    class Bare(C.Callback):
        pass

    for callbacks, names in (
        ([Telling(), Bare(), C.LambdaCallback(on_epoch_end=print)], None),
        ([Counter()], "Counter"),
    ):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            train(tmp_path, callbacks=lambda folder, given=callbacks: given, epochs=1)
        told = [str(w.message) for w in heard if "BackupAndRestore" in str(w.message)]
        assert len(told) == (names is not None) and all("no state is known of " + names in text for text in told)


def test_what_does_not_fit_is_named(tmp_path):
    def begun(save_freq="epoch", callbacks=(), **data):
        model = dropout_model()
        arguments = {"x": X, "y": Y, "batch_size": 4, "epochs": 3, "verbose": 0} | data
        model.fit(**arguments, callbacks=[C.BackupAndRestore(tmp_path, save_freq), *callbacks])
        return model

    with pytest.raises(Killed):
        begun(2, [Kill("on_train_batch_end", 4)])
    with pytest.raises(
        ValueError, match=r"middle of an epoch of 22 samples in batches of 4. Received: 20 .*backup.npz"
    ):
        begun(2, x=X[:20], y=Y[:20])
    with pytest.raises(ValueError, match="data of another kind"):
        begun(2, x=Rows(), y=None)
    with pytest.warns(UserWarning, match="callbacks that are not there now: CSVLogger"), pytest.raises(Killed):
        (tmp_path / "backup.npz").unlink()
        with contextlib.suppress(Killed):
            begun(2, [C.CSVLogger(tmp_path / "log.csv"), Kill("on_train_batch_end", 4)])
        begun(2, [Kill("on_train_batch_end", 1)])

    class Sets(C.Callback):
        def get_state(self):
            return {"seen": {1, 2}}

    (tmp_path / "backup.npz").unlink()

    with pytest.raises(ValueError, match=r"'seen'.*Received: set"):
        begun(2, [Sets()])


PROGRAM = """
import os, signal, sys
import numpy as np
import oneiros as keras
keras.utils.set_random_seed(1)
x = np.random.rand(64, 3).astype("float32")
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dropout(0.3), keras.layers.Dense(1)])
model.compile("adam", "mse")
step = int(sys.argv[1])
def kill(batch, logs):
    if model.optimizer.iterations.numpy() == step:
        os.kill(os.getpid(), signal.SIGKILL)
callbacks = [keras.callbacks.BackupAndRestore("backup", 3), keras.callbacks.CSVLogger("log.csv")]
if step:
    callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=kill))
history = model.fit(x, x[:, :1], batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
print([w.tobytes().hex() for w in model.get_weights()], history.history, open("log.csv").read())
"""


def test_a_process_that_was_killed(tmp_path):
    def run(folder, step):
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(step)], cwd=folder, capture_output=True, text=True, env=os.environ
        )

    expected = run(tmp_path / "a", 0)
    assert expected.returncode == 0, expected.stderr
    assert run(tmp_path / "b", 13).returncode == -signal.SIGKILL
    assert (tmp_path / "b" / "backup" / "backup.npz").exists()
    assert run(tmp_path / "b", 0).stdout == expected.stdout
