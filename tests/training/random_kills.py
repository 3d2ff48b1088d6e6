"""Kills trainings at random instants and compares what they end with: ``python tests/training/random_kills.py 100``.

Each case draws a model, an optimizer, a kind of data, callbacks and how often a backup is made. It is trained once
without a kill, then killed (SIGKILL) and run again until it ends; weights, optimizer, History, files and random streams
must be the same to the last bit.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import oneiros as keras
from oneiros import callbacks as C
from oneiros.compat import generations
from oneiros.core import behaviour

L = keras.layers
X = np.random.RandomState(0).rand(90, 6).astype("float32")
Y = (X.sum(1, keepdims=True) > 3).astype("float32")

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "ema": lambda: keras.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=5),
    "accumulating": lambda: keras.optimizers.RMSprop(0.01, gradient_accumulation_steps=3),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adagrad(0.05), dynamic_growth_steps=7),
    "nadam": lambda: keras.optimizers.Nadam(0.01, clipnorm=1.0),
    "ftrl": lambda: keras.optimizers.Ftrl(0.05),
}


def dense():
    return keras.Sequential([L.Input((6,)), L.Dense(16, "relu"), L.BatchNormalization(), L.Dropout(0.3), L.Dense(1)])


def convolutional():
    layers = [L.Reshape((6, 1)), L.Conv1D(8, 3, activation="relu"), L.GaussianNoise(0.1), L.Flatten(), L.Dense(1)]
    return keras.Sequential([L.Input((6,)), *layers])


def recurrent():
    layers = [L.Reshape((6, 1)), L.LSTM(5, dropout=0.2, recurrent_dropout=0.2), L.LayerNormalization(), L.Dense(1)]
    return keras.Sequential([L.Input((6,)), *layers])


def several():
    inputs = L.Input((6,))
    hidden = L.SpatialDropout1D(0.2)(L.Reshape((3, 2))(inputs))
    hidden = L.Flatten()(hidden)
    return keras.Model(inputs, [L.Dense(1, name="a")(hidden), L.Dense(1, name="b")(hidden)])


MODELS = {"dense": dense, "convolutional": convolutional, "recurrent": recurrent, "several": several}


class Numbered(keras.utils.Sequence):
    def __init__(self, targets):
        super().__init__()
        self.targets, self.rows = targets, np.arange(len(X))

    def __len__(self):
        return 12

    def __getitem__(self, index):
        time.sleep(0.002)
        rows = self.rows[index * 8 : index * 8 + 8]
        return X[rows] + np.random.rand(len(rows), 1) * 0.1 + random.random() * 0.01, self.targets(Y[rows])

    def on_epoch_end(self):
        np.random.shuffle(self.rows)


def generator(targets):
    while True:
        rows = np.random.permutation(len(X))
        for start in range(0, 80, 8):
            time.sleep(0.002)
            yield X[rows[start : start + 8]] * (1 + 0.1 * random.random()), targets(Y[rows[start : start + 8]])


class Slow(C.Callback):
    state_names = ()

    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.004)

    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.01)


class Own(C.Callback):
    """Lowers the rate by what it has counted itself."""

    state_names = ("seen",)

    def __init__(self, draws):
        self.seen, self.draws = 0, draws

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen % 9 == 0:
            rate = self.model.optimizer.learning_rate
            rate.assign(float(rate) * (0.9 + (0.01 * np.random.rand() if self.draws else 0)))


def train(seed, begun):
    """One case, in the folder where it runs; everything that is left of it."""
    draw = random.Random(seed)
    generation = draw.choice(["3", "3", "3", "2"])
    if generation == "2":
        for name in ("epochs_shuffle_on", "running_batch_logs"):
            setattr(behaviour, name, generations.BEHAVIOUR[name][1])
    kind, name = draw.choice(list(MODELS)), draw.choice(list(OPTIMIZERS))
    source, save_freq = draw.choice(["arrays", "batch", "numbered", "generator"]), draw.choice(["epoch", 1, 3, 10])
    keras.utils.set_random_seed(seed)
    model = MODELS[kind]()

    def targets(y):
        return (y, 1 - y) if kind == "several" else y

    model.compile(OPTIMIZERS[name](), "mse", metrics=None if kind == "several" else ["mae"])
    options = {"validation_data": (X[:20], targets(Y[:20]))}
    if source in ("arrays", "batch"):
        options |= {"x": X, "y": targets(Y), "batch_size": 8, "shuffle": draw.choice([True, "batch"])}
    elif source == "numbered":
        options |= {"x": Numbered(targets)}
    else:
        options |= {"x": generator(targets), "steps_per_epoch": 9}
    given = [
        C.CSVLogger("log.csv"),
        C.EarlyStopping("val_loss", patience=draw.choice([1, 3]), restore_best_weights=True),
        C.ReduceLROnPlateau("loss", factor=0.7, patience=1, cooldown=1),
        C.ModelCheckpoint("best.weights.h5", "val_loss", save_best_only=True, save_weights_only=True),
        C.LearningRateScheduler(lambda epoch, rate: rate * 0.97),
        C.TensorBoard("logs", update_freq=4),
        Own(draws=source != "generator"),  # a generator without a state needs the global streams for itself
    ]
    given = [c for c in given if draw.random() < 0.6]
    given.insert(draw.randint(0, len(given)), C.BackupAndRestore("backup", save_freq))
    draw.shuffle(given)
    begun()
    history = model.fit(**options, epochs=8, verbose=0, callbacks=[*given, Slow()])
    checkpoint = Path("best.weights.h5")
    if checkpoint.exists():
        model_of_best = MODELS[kind]()
        model_of_best.load_weights(checkpoint)
        best = digest(model_of_best.get_weights())
    return f"{kind}, {name}, {source}, save_freq={save_freq}, Keras {generation}", {
        "weights": digest([v.raw for v in model.variables]),
        "optimizer": digest([v.raw for v in model.optimizer.variables]),
        "history": repr((history.epoch, history.history)),
        "csv": Path("log.csv").read_text() if Path("log.csv").exists() else None,
        "checkpoint": best if checkpoint.exists() else None,
        "callbacks": [repr(c.get_state()) for c in given if not isinstance(c, (C.CSVLogger, C.TensorBoard))],
        "random": repr((np.random.rand(), random.random(), float(keras.random.uniform(())))),
        "backup": os.path.exists("backup"),
    }


def digest(arrays):
    return [np.asarray(a).tobytes().hex() for a in arrays]


def run(folder, seed, kill_after=None):
    """Runs a case in a process of its own. Returns whether it ended, its result, and how long `fit` took."""
    begun, ended = folder.parent / f"{folder.name}.begun", folder.parent / f"{folder.name}.json"
    begun.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            warnings.simplefilter("ignore")
            ended.write_text(json.dumps(train(seed, begun.touch)))
            os._exit(0)
        except BaseException as error:
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            os._exit(1)
    started = time.monotonic()
    while not begun.exists():
        time.sleep(0.002)
        started = time.monotonic()
        if os.waitpid(child, os.WNOHANG)[0]:
            raise SystemExit(f"seed {seed}: the training could not begin")
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and status:
        return "failed", None, 0
    return ("killed", None, 0) if killed else ("ended", json.loads(ended.read_text()), time.monotonic() - started)


def main(wanted, seed=0):
    found, kills = Counter(), 0
    while kills < wanted:
        seed += 1
        folder = Path(tempfile.mkdtemp())
        (folder / "whole").mkdir()
        (folder / "killed").mkdir()
        _, (what, expected), seconds = run(folder / "whole", seed)
        draw, lives, outcome = random.Random(seed), 0, "killed"
        while outcome == "killed":
            moment = draw.uniform(0, 0.6 * seconds) if lives < 15 else None
            outcome, result, _ = run(folder / "killed", seed, moment)
            lives += 1
            kills += outcome == "killed"
        differing = [key for key in expected if result is None or result[1][key] != expected[key]]
        found["differing" if differing else "equal"] += 1
        print(f"seed {seed}: {what}: {lives - 1} kills, {differing or 'equal'}", flush=True)
        shutil.rmtree(folder)
    print(f"{kills} kills in {sum(found.values())} trainings: {dict(found)}", flush=True)
    return int(found["differing"] > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
