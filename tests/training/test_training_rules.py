"""Rules of training that are a line each."""

import numpy as np
import pytest

import oneiros as keras
from oneiros.training.callbacks import event_file

X, Y = np.ones((6, 2), "float32"), np.zeros((6, 1), "float32")


class Recorder(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = dict(self.params)


def model(**options):
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse", **options)
    return made


def test_callbacks_are_told_which_metrics_keep_a_state():
    recorder = Recorder()
    model(metrics=[keras.metrics.MeanAbsoluteError(name="distance")]).fit(X, Y, verbose=0, callbacks=[recorder])
    assert recorder.seen["stateful_metrics"] == ["distance"]


def test_a_csv_logger_begins_anew_with_each_training(tmp_path):
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    trained = model()
    trained.fit(X, Y, verbose=0, callbacks=[logger])
    trained.fit(X, Y, verbose=0, callbacks=[logger], validation_data=(X, Y))
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss" and len(lines) == 2


def test_checksums_of_event_files_are_those_of_tensorflow():
    # The first record of every event file that TensorFlow writes begins so.
    assert event_file.record(b"x" * 24)[:12] == b"\x18" + bytes(7) + b'\xa3\x7fK"'


def test_sample_weight_modes_and_target_tensors_need_one_for_each_output():
    i = keras.Input((2,))
    two = keras.Model(i, [keras.layers.Dense(1, name="a")(i), keras.layers.Dense(1, name="b")(i)])
    with pytest.raises(ValueError, match="sample_weight_mode"):
        two.compile("sgd", "mse", sample_weight_mode=["temporal"])


def test_an_epoch_that_goes_on_is_begun_for_callbacks_without_a_state():
    class Noting(keras.callbacks.Callback):
        epoch = None

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    class Keeping(Noting):
        def get_state(self):
            return {"epoch": 1}

    noting, keeping = Noting(), Keeping()
    keras.callbacks.CallbackList([noting, keeping]).resume_epoch(3)
    assert (noting.epoch, keeping.epoch) == (3, None)


def test_a_target_tensor_is_for_one_output():
    i = keras.Input((2,))
    two = keras.Model(i, [keras.layers.Dense(1, name="a")(i), keras.layers.Dense(1, name="b")(i)])
    with pytest.raises(ValueError, match="target_tensors"):
        two.compile("sgd", "mse", target_tensors=keras.Input((1,)))
