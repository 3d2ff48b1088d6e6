"""Callbacks in real trainings."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import callbacks as C  # noqa: N812
from oneiros.models import load_model

X = np.random.RandomState(0).rand(32, 4).astype("float32")
Y = (X.sum(1, keepdims=True) > 2).astype("float32")


def model(**arguments):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid", name="d")])
    made.compile(**({"optimizer": keras.optimizers.Adam(0.1), "loss": "binary_crossentropy"} | arguments))
    return made


def test_checkpoints_hold_the_model_of_their_epoch(tmp_path):
    trained = model(metrics=["accuracy"])
    checkpoint = C.ModelCheckpoint(tmp_path / "{epoch}-{val_acc:.1f}.h5")
    weights = []
    record = C.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(trained.get_weights()))
    trained.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[checkpoint, record])
    for epoch in (1, 2):
        (path,) = tmp_path.glob(f"{epoch}-*.h5")
        for stored, expected in zip(load_model(path).get_weights(), weights[epoch - 1]):
            np.testing.assert_array_equal(stored, expected)


def test_early_stopping_restores():
    trained = model(optimizer=keras.optimizers.SGD(1e6))  # jumps far away at the first step
    stop = C.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    history = trained.fit(X, Y, epochs=20, verbose=0, validation_split=0.25, callbacks=[stop])
    assert len(history.epoch) < 20
    best = min(history.history["val_loss"])
    assert trained.evaluate(X[24:], Y[24:], verbose=0) == pytest.approx(best, rel=1e-5)


def test_terminate_on_nan_stops_within_the_epoch():
    seen = []
    count = C.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    trained = model(loss=lambda y, p: keras.ops.log(p - p))
    trained.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[C.TerminateOnNaN(), count])
    assert seen == [0]


def test_schedules_and_logs(tmp_path):
    board = C.TensorBoard(tmp_path / "logs", histogram_freq=1)
    schedule = C.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model().fit(X, Y, epochs=3, verbose=0, callbacks=[schedule, C.CSVLogger(tmp_path / "log.csv"), board])
    np.testing.assert_allclose(history.history["learning_rate"], [0.05, 0.025, 0.0125])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert list((tmp_path / "logs" / "train").glob("events*"))


@pytest.mark.parametrize("save_freq, interrupted_at", [("epoch", (2, 0)), (3, (2, 1))])
def test_an_interrupted_training_goes_on(tmp_path, save_freq, interrupted_at):
    steps = []

    def training(callbacks=()):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
        trained = keras.Sequential(layers)
        trained.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
        backup = C.BackupAndRestore(tmp_path / "backup", save_freq)
        count = C.LambdaCallback(on_train_batch_begin=lambda batch, logs: steps.append(batch))
        trained.fit(X, Y, epochs=4, batch_size=8, verbose=0, callbacks=[backup, count, *callbacks])
        return trained

    class PowerCut(C.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_begin(self, batch, logs=None):
            if (self.epoch, batch) == interrupted_at:
                raise KeyboardInterrupt

    expected = training()
    assert len(steps) == 16 and not (tmp_path / "backup").exists()
    with pytest.raises(KeyboardInterrupt):
        training([PowerCut()])
    np.random.seed(99)  # another process
    steps.clear()
    resumed = training()
    assert len(steps) == (8 if save_freq == "epoch" else 7)  # from the last backup to the end, no step twice
    for a, b in zip(resumed.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_averages_are_evaluated():
    trained = model(optimizer=keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5))
    trained.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=[C.SwapEMAWeights()])
    # After training the model has the averages.
    for weight, average in zip(trained.trainable_variables, trained.optimizer._model_variables_moving_average):
        np.testing.assert_array_equal(weight.numpy(), average.numpy())
