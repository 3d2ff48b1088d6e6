"""`steps_per_execution`: the batch hooks see so many steps as one. The numbers are tf.keras'."""

import numpy as np
import pytest

import oneiros as keras

X = np.arange(14, dtype="float32").reshape(7, 2)
HOOKS = {"fit": ("train", "loss"), "evaluate": ("test", "loss"), "predict": ("predict", "outputs")}


class Watch(keras.callbacks.Callback):
    """Writes down `<n` when a group begins with batch n, `n>` when it ends with it, and what the logs hold then."""

    def __init__(self, phase, name, stop_at=None):
        super().__init__()
        self.told, self.logs, self.name, self.stop_at = [], [], name, stop_at
        setattr(self, f"on_{phase}_batch_begin", lambda batch, logs=None: self.told.append(f"<{batch}"))
        setattr(self, f"on_{phase}_batch_end", self.end)

    def on_train_batch_begin(self, batch, logs=None): ...
    def on_train_batch_end(self, batch, logs=None): ...
    def on_test_batch_end(self, batch, logs=None): ...
    def on_predict_batch_end(self, batch, logs=None): ...

    def end(self, batch, logs=None):
        self.told.append(f"{batch}>")
        self.logs.append(logs[self.name])
        self.model.stop_training = batch == self.stop_at


def run(method, group, stop_at=None, data=(X, X), **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="identity")])
    model.compile(keras.optimizers.SGD(0.01), "mse", steps_per_execution=group)
    watch = Watch(*HOOKS[method], stop_at)
    data = data[:1] if method == "predict" else data
    options |= {"shuffle": False} if method == "fit" else {}
    getattr(model, method)(*data, callbacks=[watch], verbose=0, **options)
    return watch, int(model.optimizer.iterations)


@pytest.mark.parametrize("method", HOOKS)
@pytest.mark.parametrize(
    ("group", "told"),
    [(1, " ".join(f"<{n} {n}>" for n in range(7))), (3, "<0 2> <3 5> <6 8>"), (7, "<0 6>"), (10, "<0 9>")],
)
def test_the_hooks_of_a_group(method, group, told):
    watch, steps = run(method, group, batch_size=1)
    assert " ".join(watch.told) == told
    assert steps == 7 * (method == "fit")


def test_a_group_ends_with_its_epoch():
    watch, _ = run("fit", 2, batch_size=3, epochs=2)
    assert " ".join(watch.told) == "<0 1> <2 3> <0 1> <2 3>"


def test_a_group_ends_with_the_steps_of_a_generator():
    batches = ((X[i : i + 1], X[i : i + 1]) for i in range(7))
    watch, steps = run("fit", 3, data=(batches,), steps_per_epoch=5)
    assert " ".join(watch.told) == "<0 2> <3 5>"
    assert steps == 5


def test_logs_are_those_of_the_last_step_and_outputs_those_of_all():
    single, grouped = (run("fit", group, batch_size=1, epochs=1)[0].logs for group in (1, 3))
    assert grouped == [single[2], single[5], single[6]]
    outputs = run("predict", 3, batch_size=2)[0].logs
    np.testing.assert_allclose(outputs[0], X[:6])
    np.testing.assert_allclose(outputs[1], X[6:])


def test_training_stops_between_groups():
    watch, steps = run("fit", 2, stop_at=3, batch_size=1)
    assert " ".join(watch.told) == "<0 1> <2 3>"
    assert steps == 4
