"""The callbacks, driven by a loop that plays logs prepared by hand."""

import csv
import http.server
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from oneiros import callbacks as C
from oneiros.compat import generations
from oneiros.core import Variable
from oneiros.utils.state_file import write_state


class FakeModel:
    """What callbacks touch of a model: weights, an optimizer, files."""

    weights = ()

    def __init__(self, rate=0.1):
        self.variables = self.trainable_variables = [Variable(np.zeros(2), name="w")]
        self.optimizer = SimpleNamespace(learning_rate=Variable(rate), variables=[Variable(0, dtype="int32")])
        self.stop_training = False
        self.saved = []
        self.layers = []

    def get_weights(self):
        return [np.array(v.value) for v in self.variables]

    def set_weights(self, weights):
        for variable, value in zip(self.variables, weights):
            variable.assign(value)

    def save(self, path, overwrite=True):
        self.saved.append(("model", path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(("weights", path))


def play(callbacks, epochs, model=None, batches=(), **params):
    """Trains: in epoch n the weights become n + 1 and the logs are ``epochs[n]``. Returns the model."""
    model = model or FakeModel()
    names = list(dict.fromkeys(name for logs in epochs for name in logs))
    params = {"epochs": len(epochs), "verbose": 0, "metrics": names} | params
    hooks = C.CallbackList(callbacks, add_history=True, model=model, **params)
    hooks.on_train_begin()
    for epoch, logs in enumerate(epochs):
        hooks.on_epoch_begin(epoch)
        for batch, batch_logs in enumerate(batches):
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, dict(batch_logs))
            if model.stop_training:
                break
        model.set_weights([np.full(2, epoch + 1.0)])
        hooks.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    hooks.on_train_end()
    return model


def series(name, *values):
    return [{name: value} for value in values]


@pytest.fixture
def generation():
    yield generations.select
    generations.select("3")


# --- the list


class Recorder(C.Callback):
    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_") and name != "on_exception":
            return lambda *args: self.calls.append((name, *args))
        return super().__getattribute__(name)


def test_hooks_are_called_with_index_and_logs():
    recorder = Recorder()
    hooks = C.CallbackList([recorder])
    hooks.on_epoch_begin(2)
    hooks.on_batch_end(3, {"loss": 1})
    hooks.on_test_begin()
    hooks.on_predict_batch_end(4, {"outputs": 5})
    assert recorder.calls == [
        ("on_epoch_begin", 2, {}),
        ("on_train_batch_end", 3, {"loss": 1}),
        ("on_test_begin", {}),
        ("on_predict_batch_end", 4, {"outputs": 5}),
    ]


def test_batch_hooks_of_either_name_run_once_a_batch():
    class Old(C.Callback):
        seen = 0

        def on_batch_end(self, batch, logs=None):
            self.seen += 1

    class New(C.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1

    old, new = Old(), New()
    play([old, new], series("loss", 1), batches=[{}] * 3)
    assert (old.seen, new.seen) == (3, 3)


@pytest.mark.parametrize(
    "callbacks, train, test, predict",
    [
        ([C.History(), C.ProgbarLogger(), C.EarlyStopping(), C.ModelCheckpoint("x.h5"), C.Callback()], 0, 0, 0),
        ([C.LambdaCallback(on_epoch_end=print)], 0, 0, 0),
        ([C.LambdaCallback(on_batch_end=print)], 1, 0, 0),
        ([C.LambdaCallback(on_test_batch_end=print)], 0, 1, 0),
        ([C.LambdaCallback(on_predict_batch_begin=print)], 0, 0, 1),
        ([C.TerminateOnNaN()], 1, 0, 0),
        ([C.ModelCheckpoint("x.h5", save_freq=5)], 1, 0, 0),
        ([C.TensorBoard()], 0, 0, 0),
        ([C.TensorBoard(update_freq="batch")], 1, 0, 0),
        ([SimpleNamespace(set_params=print)], 1, 1, 1),
    ],
)
def test_the_list_knows_who_needs_every_batch(callbacks, train, test, predict):
    needs = C.CallbackList(callbacks).overrides_batch_hooks
    assert needs == {"train": bool(train), "test": bool(test), "predict": bool(predict)}


def test_all_callbacks_hear_of_an_exception(tmp_path):
    heard = []

    class Hears(C.Callback):
        def on_exception(self, error):
            heard.append(error)

    class Fails(C.Callback):
        def on_exception(self, error):
            raise RuntimeError("again")

    logger = C.CSVLogger(tmp_path / "log.csv")
    hooks = C.CallbackList([Fails(), logger, Hears()], model=FakeModel(), epochs=1)
    error = KeyError("first")
    with pytest.warns(UserWarning, match="again"), pytest.raises(KeyError), hooks.cleaning_up():
        hooks.on_train_begin()
        hooks.on_epoch_begin(0)
        opened = logger.csv_file
        raise error
    assert heard == [error]
    assert opened.closed


def test_history_is_the_models():
    history = C.History()
    model = play([history], [{"loss": 2.0}, {"loss": 1.0, "val_loss": 3.0}])
    assert history.history == {"loss": [2.0, 1.0], "val_loss": [3.0]}
    assert history.epoch == [0, 1]
    assert model.history is history


# --- stopping


def test_early_stopping_waits_for_patience_and_restores_the_best():
    stop = C.EarlyStopping("v", patience=2, restore_best_weights=True)
    model = play([stop], series("v", 5, 3, 4, 3, 1, 0))
    assert stop.stopped_epoch == 3
    assert model.get_weights()[0].tolist() == [2, 2]


@pytest.mark.parametrize(
    "arguments, values, stopped",
    [
        ({}, [3, 2, 2], 2),
        ({}, [3, 2, 1], 0),
        ({"monitor": "val_acc", "patience": 1}, [0.1, 0.2, 0.2, 0.3], 2),
        ({"monitor": "val_acc", "mode": "min"}, [0.1, 0.2, 0.2], 1),
        ({"min_delta": 0.5}, [3, 2.6], 1),
        ({"min_delta": 0.3}, [3, 2.6], 0),
        ({"baseline": 1, "patience": 2}, [3, 2, 1.5, 0], 1),
        ({"baseline": 3.5, "patience": 2}, [3, 2, 1.5, 0], 0),
        ({"start_from_epoch": 2, "patience": 1}, [1, 2, 3, 4, 5], 3),
        ({"patience": 1}, [float("nan")] * 3, 1),
    ],
)
def test_early_stopping(arguments, values, stopped):
    stop = C.EarlyStopping(**arguments)
    play([stop], series(stop.monitor, *values))
    assert stop.stopped_epoch == stopped


def test_a_missing_monitor_warns_and_names_what_there_is():
    with pytest.warns(UserWarning, match="metric `val_loss` which is not available. Available metrics are: loss,mae"):
        model = play([C.EarlyStopping()], [{"loss": 1, "mae": 2}])
    assert not model.stop_training


@pytest.mark.parametrize("monitored, logged", [("val_acc", "val_accuracy"), ("val_accuracy", "val_acc")])
def test_acc_and_accuracy_are_one_name(monitored, logged):
    stop = C.EarlyStopping(monitored, patience=1)
    play([stop], series(logged, 0.5, 0.6, 0.6))
    assert stop.best == 0.6 and stop.stopped_epoch == 2


def test_terminate_on_nan(capsys):
    batches = [{"loss": 1.0}, {"loss": float("inf")}, {"loss": 2.0}]
    model = play([C.TerminateOnNaN()], series("loss", 1), batches=batches)
    assert model.stop_training
    assert "Batch 1: Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 1"):
        play([C.TerminateOnNaN(raise_error=True)], series("loss", 1), batches=batches)


# --- learning rate


def rates_of(callback, values=(1, 1, 1), name="val_loss"):
    history = C.History()
    play([callback, history], series(name, *values), FakeModel(0.5))
    return history.history["learning_rate"]


@pytest.mark.parametrize(
    "schedule", [lambda epoch: 2.0 / (epoch + 1), lambda epoch, rate: (2.0, 1.0, 2 / 3)[epoch], np.vectorize(float)]
)
def test_scheduler_sets_the_rate(schedule):
    expected = [0, 1, 2] if isinstance(schedule, np.vectorize) else [2, 1, 2 / 3]
    if isinstance(schedule, np.vectorize):
        with pytest.raises(ValueError, match="should be a float"):
            rates_of(C.LearningRateScheduler(lambda epoch: np.arange(2.0)))
        return
    np.testing.assert_allclose(rates_of(C.LearningRateScheduler(schedule)), expected, rtol=1e-6)


def test_scheduler_is_given_the_rate_and_must_return_a_float():
    np.testing.assert_allclose(rates_of(C.LearningRateScheduler(lambda e, lr: lr / 2)), [0.25, 0.125, 0.0625])
    with pytest.raises(ValueError, match="should be a float. Got: 'fast'"):
        rates_of(C.LearningRateScheduler(lambda e: "fast"))


def test_older_generations_call_it_lr(generation):
    generation("2")
    history = C.History()
    play([C.LearningRateScheduler(lambda e: 0.5), history], series("loss", 1))
    assert history.history["lr"] == [0.5]


def test_reduce_on_plateau():
    # The same numbers as two black-box peers gave for eight equal values.
    rates = rates_of(C.ReduceLROnPlateau(factor=0.5, patience=2), [3] * 8)
    np.testing.assert_allclose(rates, np.array([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]) * 0.5)


def test_reduce_on_plateau_rests_and_has_a_floor():
    rates = rates_of(C.ReduceLROnPlateau(factor=0.1, patience=1, cooldown=2, min_lr=0.01), [3] * 9)
    np.testing.assert_allclose(rates, [0.5, 0.5, 0.05, 0.05, 0.01, 0.01, 0.01, 0.01, 0.01], rtol=1e-5)
    assert C.ReduceLROnPlateau(epsilon=0.25).min_delta == -0.25
    with pytest.raises(ValueError, match="factor >= 1.0"):
        C.ReduceLROnPlateau(factor=1.5)


# --- files


def test_checkpoints_are_named_by_the_logs():
    model = play([C.ModelCheckpoint("w.{epoch:02d}-{v:.2f}.h5", "v")], series("v", 1, 0.5))
    assert model.saved == [("model", "w.01-1.00.h5"), ("model", "w.02-0.50.h5")]
    model = play([C.ModelCheckpoint("w-{val_acc:.1f}.h5")], series("val_accuracy", 0.25))
    assert model.saved == [("model", "w-0.2.h5")]
    with pytest.raises(KeyError, match="nope"):
        play([C.ModelCheckpoint("w-{nope}.h5")], series("v", 1))


def test_only_the_best_is_saved_and_nan_is_never_best():
    best = C.ModelCheckpoint("{epoch}.h5", "v", save_best_only=True, save_weights_only=True)
    with pytest.warns(UserWarning, match="v is nan, so nothing is saved"):
        model = play([best], series("v", float("nan"), 2, 3, 1, float("nan"), 1))
    assert model.saved == [("weights", "2.h5"), ("weights", "4.h5")]
    threshold = C.ModelCheckpoint("{epoch}.h5", "v", save_best_only=True, initial_value_threshold=1.5)
    assert play([threshold], series("v", 2, 1)).saved == [("model", "2.h5")]


def test_a_failed_save_does_not_count_as_best():
    model = FakeModel()
    model.save = lambda *args, **kwargs: (_ for _ in ()).throw(OSError("disk full"))
    best = C.ModelCheckpoint("x.h5", "v", save_best_only=True)
    with pytest.raises(OSError, match="disk full"):
        play([best], series("v", 1), model)
    assert best.best == np.inf


def test_checkpoint_periods(generation):
    assert [p for _, p in play([C.ModelCheckpoint("{epoch}", period=2)], series("v", *range(5))).saved] == ["2", "4"]
    saved = play([C.ModelCheckpoint("{epoch}-{batch}", save_freq=2)], series("v", 1, 1), batches=[{}] * 3).saved
    assert [p for _, p in saved] == ["1-2", "2-1", "2-3"]
    generation("1")
    assert [p for _, p in play([C.ModelCheckpoint("{epoch}")], series("v", 1, 2)).saved] == ["0", "1"]


def test_checkpoint_makes_its_folder(tmp_path):
    play([C.ModelCheckpoint(tmp_path / "a" / "b" / "x.h5")], series("v", 1))
    assert (tmp_path / "a" / "b").is_dir()


def test_csv(tmp_path, generation):
    path = tmp_path / "log.csv"
    play([C.CSVLogger(path)], [{"b": 1, "a": 0.5}, {"b": 2, "a": 0.25, "val_a": 3.0, "val_b": 4.0}])
    assert path.read_text() == "epoch,a,b,val_a,val_b\n0,0.5,1,NA,NA\n1,0.25,2,3.0,4.0\n"
    generation("2")
    play([C.CSVLogger(path, separator=";")], [{"b": 1, "a": [1, 2]}])
    play([C.CSVLogger(path, separator=";", append=True)], [{"b": 3, "a": 4}])
    with open(path) as file:
        assert list(csv.reader(file, delimiter=";")) == [["epoch", "a", "b"], ["0", "[1, 2]", "1"], ["0", "4", "3"]]


def test_backup_and_restore_goes_on(tmp_path):
    def train(until_failure, model):
        backup = C.BackupAndRestore(tmp_path / "backup")
        rates = C.ReduceLROnPlateau("v", factor=0.5, patience=1)

        class Power(C.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if until_failure and epoch == 2:
                    raise KeyboardInterrupt

        return play([backup, rates, Power()], series("v", 1, 1, 1), model)

    model = FakeModel()
    model.optimizer.variables.append(model.optimizer.learning_rate)
    np.random.seed(3)
    with pytest.raises(KeyboardInterrupt):
        train(True, model)
    expected = np.random.rand()
    again = FakeModel()
    again.optimizer.variables.append(again.optimizer.learning_rate)
    rates = C.ReduceLROnPlateau("v", factor=0.5, patience=1)
    hooks = C.CallbackList([C.BackupAndRestore(tmp_path / "backup"), rates], add_history=True, model=again)
    hooks.on_train_begin()
    assert hooks.progress.epoch == 2 and again.history.history["v"] == [1, 1]
    assert (rates.wait, rates.best) == (0, 1)
    assert again.get_weights()[0].tolist() == [2, 2]
    assert float(again.optimizer.learning_rate) == pytest.approx(0.05)  # lowered after the epoch, before the backup
    assert np.random.rand() == expected
    hooks.on_train_end()
    assert not (tmp_path / "backup").exists()


def test_a_foreign_or_broken_backup_is_refused(tmp_path):
    def begun(model):
        hooks = C.CallbackList([C.BackupAndRestore(tmp_path)], model=model)
        hooks.on_train_begin()
        return hooks

    begun(FakeModel()).on_epoch_end(0)
    other = FakeModel()
    other.variables = [Variable(np.zeros(3), name="w")]
    with pytest.raises(ValueError, match=r"holds w of shape \(2,\).*w of shape \(3,\).*Delete the file.*backup.npz"):
        begun(other)
    more = FakeModel()
    more.optimizer.variables.append(Variable(0.0, name="more"))
    with pytest.raises(ValueError, match="holds 2 variables, there are 3 now. Only the training now has: more"):
        begun(more)
    whole = (tmp_path / "backup.npz").read_bytes()
    for damaged in (b"PK\x03\x04 rubbish", whole[:-30], whole[:200] + b"\xff" + whole[201:], b""):
        (tmp_path / "backup.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"not a readable state.*Delete the file to start anew: .*backup\.npz"):
            begun(FakeModel())
    write_state(tmp_path / "backup.npz", {"format": 1})
    with pytest.raises(ValueError, match="another version"):
        begun(FakeModel())


# --- reports


def test_base_logger_means_are_weighted_by_size():
    history = C.History()
    logger = C.BaseLogger(stateful_metrics=["s"])
    batches = [{"a": 1.0, "s": 1.0, "size": 3}, {"a": 5.0, "s": 2.0, "size": 1}]
    play([logger, history], [{"a": 0, "s": 0}], batches=batches)
    assert history.history == {"a": [2.0], "s": [2.0]}


def progress(capsys, **params):
    batches = [{"batch": i, "size": 5, "loss": 0.5} for i in range(2)]
    play([C.ProgbarLogger()], [{"loss": 0.5, "val_loss": 0.25}] * 2, batches=batches, steps=2, **params)
    return capsys.readouterr().out


def test_progress_in_each_look(capsys, generation):
    out = progress(capsys, verbose=1)
    assert "Epoch 1/2" in out and "2/2 ━" in out and "- loss: 0.5000 - val_loss: 0.2500" in out
    assert progress(capsys, verbose=0) == ""
    generation("2")
    out = progress(capsys, verbose=1, samples=10, validation_samples=4)
    assert out.startswith("Train on 10 samples, validate on 4 samples\nEpoch 1/2\n")
    assert "10/10 [==============================] - 0s" in out
    assert "loss: 0.5000 - val_loss: 0.2500\nEpoch 2/2\n" in out
    out = progress(capsys, verbose=2, samples=10)
    assert out.startswith("Epoch 1/2\n - 0s - loss: 0.5000 - val_loss: 0.2500\n")


def test_progress_of_evaluate_and_of_unknown_length(capsys):
    hooks = C.CallbackList([], add_progbar=True, model=FakeModel(), verbose=1, steps=None, epochs=1)
    hooks.on_test_begin()
    for batch in range(3):
        hooks.on_test_batch_end(batch, {"loss": 0.5})
    hooks.on_test_end({"loss": 0.125})
    out = capsys.readouterr().out
    assert "3/3" in out and "loss: 0.1250" in out


def test_lambda_callback_takes_any_hook():
    seen = []
    callback = C.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(("epoch", epoch, logs["loss"])),
        on_batch_begin=lambda batch, logs: seen.append(("batch", batch)),
        on_train_end=lambda logs: seen.append("end"),
    )
    play([callback], series("loss", 7), batches=[{}])
    assert seen == [("batch", 0), ("epoch", 0, 7), "end"]


def test_remote_monitor_posts_json():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], self.headers["X-Key"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        root = f"http://127.0.0.1:{server.server_port}"
        play([C.RemoteMonitor(root, headers={"X-Key": "k"}, send_as_json=True)], series("loss", np.float32(0.5)))
        play([C.RemoteMonitor(root)], series("loss", 0.5))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert received[0][:3] == ("/publish/epoch/end/", "application/json", "k")
    assert json.loads(received[0][3]) == {"epoch": 0, "loss": 0.5}
    assert received[1][1] == "application/x-www-form-urlencoded" and received[1][3].startswith("data=%7B%22epoch%22")
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"):
        play([C.RemoteMonitor(root)], series("loss", 0.5))


def test_ema_weights_are_swapped_for_evaluation():
    model = FakeModel()
    average = Variable(np.full(2, 9.0))
    model.optimizer.averages = [(model.trainable_variables[0], average)]
    swap = C.SwapEMAWeights()
    hooks = C.CallbackList([swap], model=model)
    hooks.on_test_begin()
    assert model.get_weights()[0].tolist() == [9, 9]
    hooks.on_exception(KeyError())
    assert model.get_weights()[0].tolist() == [0, 0] and average.value.tolist() == [9, 9]
    hooks.on_train_end()
    assert model.get_weights()[0].tolist() == [9, 9]
    with pytest.raises(ValueError, match="use_ema=True"):
        C.CallbackList([C.SwapEMAWeights()], model=FakeModel()).on_test_begin()
