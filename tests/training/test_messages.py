"""What the training loop and callbacks say, and when they are silent."""

import struct

import numpy as np
import pytest

import oneiros as keras
from oneiros.core.errors import InputDataError
from oneiros.training.callbacks import event_file

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")


def still(callback, epochs=3):
    """A model that does not learn, so that nothing improves."""
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(keras.optimizers.SGD(1e-30), "mse")
    model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[callback])
    return model


@pytest.mark.parametrize("verbose", [0, 1])
def test_callbacks_speak_only_when_asked(capsys, verbose):
    still(keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, verbose=verbose, min_lr=0))
    printed = capsys.readouterr().out
    assert ("Epoch 2: ReduceLROnPlateau reducing learning rate to" in printed) == bool(verbose)
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, verbose=verbose, restore_best_weights=True)
    still(stop)
    printed = capsys.readouterr().out
    assert ("Epoch 2: early stopping" in printed) == bool(verbose)
    assert ("best epoch: 1" in printed) == bool(verbose)
    assert stop.stopped_epoch == 1


def test_a_model_that_did_not_train_was_not_stopped():
    assert keras.Sequential([keras.layers.Dense(1)]).stop_training is False


@pytest.mark.parametrize("argument", ["loss", "metrics", "weighted_metrics"])
def test_compile_names_the_argument_that_is_wrong(argument):
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(InputDataError, match=f"^(Model .*: )?{argument}: expected"):
        model.compile(**{argument: [3]})


def doubles(message):
    """The first five fields of a histogram: least, greatest, number, sum and sum of squares."""
    found = {}
    for start in range(len(message) - 9):
        number = message[start] >> 3
        if message[start] & 7 == 1 and number == len(found) + 1 and number <= 5:
            found[number] = struct.unpack("<d", message[start + 1 : start + 9])[0]
    return list(found.values())


def test_histograms_sum_up_their_finite_values():
    assert doubles(event_file.histogram([1.0, np.nan, -2.0, np.inf])) == [-2, 1, 2, -1, 5]
    assert doubles(event_file.histogram([np.nan])) == [0, 0, 1, 0, 0]


def test_a_restored_csv_log_goes_on_after_its_last_row(tmp_path):
    path = tmp_path / "log.csv"
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    log = keras.callbacks.CSVLogger(path)
    log.set_model(model)
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 1.0, "val_loss": 0.5})
    state = log.get_state()
    log.on_epoch_end(1, {"loss": 2.0, "val_loss": 0.5})  # not in the state
    log.on_train_end()
    again = keras.callbacks.CSVLogger(path, append=True)
    again.set_model(model)
    again.on_train_begin()
    again.set_state(state)
    again.on_epoch_end(1, {"loss": 3.0, "val_loss": 0.5})
    again.on_train_end()
    assert path.read_text().splitlines() == ["epoch,loss,val_loss", "0,1.0,0.5", "1,3.0,0.5"]


def test_training_that_begins_at_its_last_epoch_does_nothing():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert model.fit(X, Y, initial_epoch=2, epochs=2, verbose=0).history == {}
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    with pytest.warns(UserWarning, match="initial_epoch=3 lies behind epochs=2"):
        model.fit(X, Y, initial_epoch=3, epochs=2, verbose=0)


@pytest.mark.parametrize("verbose", [0, 1])
def test_checkpoints_say_what_they_save_only_when_asked(tmp_path, capsys, verbose):
    path = tmp_path / "best.weights.h5"
    still(
        keras.callbacks.ModelCheckpoint(
            path, monitor="loss", save_best_only=True, save_weights_only=True, verbose=verbose
        )
    )
    printed = capsys.readouterr().out
    assert ("Epoch 1: loss improved" in printed) == bool(verbose)
    assert ("Epoch 2: loss did not improve" in printed) == bool(verbose)


def test_fields_of_events_are_written_as_protocol_buffers():
    assert event_file.field(1, 127) == b"\x08\x7f"
    assert event_file.field(1, 128) == b"\x08\x80\x01"
    assert event_file.field(2, b"ab") == b"\x12\x02ab"
