"""Callbacks start before the first batch is asked for, and see each batch as it is computed."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers

X = np.arange(12, dtype="float32").reshape(6, 2)
Y = X.sum(1, keepdims=True)


class Source(keras.utils.Sequence):
    """Two batches of three rows, which are there once `open` was called."""

    def open(self):
        self.x, self.y = X, Y

    def __len__(self):
        return len(self.x) // 3

    def __getitem__(self, i):
        rows = slice(3 * i, 3 * i + 3)
        return self.x[rows], self.y[rows]


class Lazy:
    """A generator, which has its batches once `open` was called."""

    batches = None

    def open(self):
        self.batches = iter([(X[:3], Y[:3]), (X[3:], Y[3:])] * 3)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.batches)


class Opens(keras.callbacks.Callback):
    def __init__(self, source, hook):
        super().__init__()
        setattr(self, hook, lambda *args: source.open())


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)


def sequential():
    return keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="ones")])


@pytest.mark.parametrize("make", [sequential, Subclassed])
@pytest.mark.parametrize("source", [Source, Lazy])
@pytest.mark.parametrize(
    "method, hook", [("fit", "on_train_begin"), ("fit", "on_epoch_begin"), ("evaluate", "on_test_begin")]
)
def test_a_source_may_be_set_up_by_a_callback(make, source, method, hook):
    model, data = make(), source()
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    steps = {"steps_per_epoch" if method == "fit" else "steps": 2}
    result = getattr(model, method)(data, verbose=0, callbacks=[Opens(data, hook)], **steps)
    loss = result.history["loss"][0] if method == "fit" else result[0]
    assert loss == pytest.approx(0, abs=1e-5)  # the sum of a row is what the model says


@pytest.mark.parametrize("source", [Source, Lazy])
def test_so_may_that_of_a_prediction(source):
    data = source()
    found = sequential().predict(data, steps=2, verbose=0, callbacks=[Opens(data, "on_predict_begin")])
    np.testing.assert_allclose(found, Y, rtol=1e-6)


def test_a_prediction_is_told_batch_by_batch():
    said = []

    class Spy(keras.callbacks.Callback):
        def on_predict_begin(self, logs=None):
            said.append("begin")

        def on_predict_batch_begin(self, batch, logs=None):
            said.append(batch)

        def on_predict_batch_end(self, batch, logs=None):
            said.append(logs["outputs"])

        def on_predict_end(self, logs=None):
            said.append("end")

    def batches():
        for start in (0, 4):
            said.append(f"asked for {start}")
            yield (X[start : start + 4],)

    sequential().predict(X, batch_size=4, verbose=0, callbacks=[Spy()])
    assert [s if np.ndim(s) == 0 else s.shape for s in said] == ["begin", 0, (4, 1), 1, (2, 1), "end"]
    np.testing.assert_allclose(np.concatenate([said[2], said[4]]), Y, rtol=1e-6)
    said.clear()
    sequential().predict(batches(), verbose=0, callbacks=[Spy()])
    order = [s if np.ndim(s) == 0 else s.shape for s in said]
    assert order == ["begin", "asked for 0", 0, (4, 1), "asked for 4", 1, (2, 1), "end"]


def test_bad_arrays_are_told_before_callbacks_start():
    class Never(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise AssertionError("training began")

    model = sequential()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="shape"):
        model.fit(X[:, :1], Y, callbacks=[Never()], verbose=0)


def test_names_of_metrics_asked_for_early_do_not_decide_what_accuracy_means():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.metrics_names == ["loss", "accuracy"]
    labels = np.array([[0], [1], [2], [0], [1], [2]])
    wanted = (model.predict(X, verbose=0).argmax(-1) == labels[:, 0]).mean()
    assert model.evaluate(X, labels, verbose=0)[1] == pytest.approx(wanted)
