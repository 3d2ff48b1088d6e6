"""Metrics that a model holds itself: reset at each epoch, and reported in the logs."""

import numpy as np
import pytest

import oneiros as keras

X = np.arange(8, dtype="float32").reshape(8, 1)


class Seeing(keras.Model):
    """Reports the mean of the inputs that a loss was computed for."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.seen.update_state(x[:, 0])
        return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)


class Overriding(keras.Model):
    """As old guides write it: `metrics` is a property that lists what `train_step` reports."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, x):
        return self.dense(x)

    @property
    def metrics(self):
        return [self.seen]

    def train_step(self, data):
        self.seen.update_state(data[0][:, 0])
        return {"seen": self.seen.result()}


@pytest.mark.parametrize("cls", [Seeing, Overriding])
def test_each_epoch_starts_anew(cls):
    model = cls()
    model.compile("sgd", "mse")
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    assert model.fit(X, X, epochs=2, **options).history["seen"] == [3.5, 3.5]
    assert model.fit(X + 10, X, **options).history["seen"] == [13.5]
    assert float(model.seen.result()) == 13.5


def test_evaluation_and_single_batches_report_them():
    model = Seeing()
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, X, batch_size=4, verbose=0)
    assert [metric.name for metric in model.metrics][-1] == "seen"
    logs = model.evaluate(X[:4], X[:4], verbose=0, return_dict=True)
    assert list(logs) == ["loss", "mae", "seen"] and logs["seen"] == 1.5
    for shift in (0, 1):
        assert model.train_on_batch(X[:2] + shift, X[:2], return_dict=True)["seen"] == 0.5 + shift
