"""What common mistakes in losses, metrics and targets are told: the parts that a user needs."""

import numpy as np
import pytest

from oneiros import Model, Sequential, losses, metrics, ops
from oneiros.core.errors import InputDataError
from oneiros.layers import LSTM, Conv2D, Dense, Input

X, Y = np.ones((6, 4), "float32"), np.ones((6, 1), "float32")
CLASSES = np.arange(6) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def told(function, *parts, error=InputDataError):
    with pytest.raises(error) as info:
        function()
    for part in parts:
        assert part in str(info.value)


def train(loss, y=Y, x=X, *between, units=1, **options):
    model = Sequential([Input(x.shape[1:]), *between, Dense(units, activation="softmax" if units > 1 else None)])
    model.compile("sgd", loss, **options)
    model.fit(x, y, verbose=0)


def no_return(y_true, y_pred):
    ops.mean(y_true - y_pred)


class NoReturn(losses.Loss):
    def call(self, y_true, y_pred):
        ops.mean(y_true - y_pred)


class NoResult(metrics.Metric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        pass

    def result(self):
        pass


class ForgottenLoss(Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        super().compute_loss(x, y, y_pred, sample_weight)


def place(function):
    return f"{__file__}:{function.__code__.co_firstlineno}"


@pytest.mark.parametrize(
    ("run", "parts"),
    [
        (lambda: train(no_return), ["loss no_return returned None", "`return`", place(no_return)]),
        (lambda: train(NoReturn()), ["loss NoReturn.call returned None", "`return`", place(NoReturn.call)]),
        (lambda: train(lambda t, p: "hello"), ["loss <lambda> returned 'hello' of type str", "tensor"]),
        (lambda: train(lambda t, p: object()), ["of type object", "tensor"]),
        (lambda: train("mse", metrics=[no_return]), ["metric no_return returned None", place(no_return)]),
        (lambda: train("mse", metrics=[NoResult()]), ["metric NoResult.result returned None", place(NoResult.result)]),
    ],
)
def test_losses_and_metrics_without_a_result(run, parts):
    told(run, *parts)


def test_compute_loss_without_a_result():
    x = Input((4,))
    model = ForgottenLoss(x, Dense(1)(x))
    model.compile("sgd", "mse")
    told(lambda: model.fit(X, Y, verbose=0), "ForgottenLoss.compute_loss returned None", "`return`")


class ForgottenLogs(Model):
    def train_step(self, data):
        super().train_step(data)


def test_steps_without_logs_change_nothing():
    x = Input((4,))
    model = ForgottenLogs(x, Dense(1)(x), name="mine")
    model.compile("sgd", "mse")
    before = model.get_weights()
    told(lambda: model.fit(X, Y, verbose=0), "Model mine: ForgottenLogs.train_step()", "dictionary of logs", "`return`")
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_results_that_are_numbers_are_taken():
    for value in (1, 2.0, np.float32(3), np.ones(6), ops.ones(6)):
        train(lambda t, p, value=value: value + 0 * ops.mean(p))
        train("mse", metrics=[lambda t, p, value=value: value])


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"])
def test_one_hot_targets_for_a_sparse_loss(name):
    loss = getattr(losses, name)() if name[0] == "S" else name
    parts = ["(None, 3)", "one-hot", "loss='categorical_crossentropy'", "np.argmax(y, -1)"]
    told(lambda: train(loss, ONE_HOT, units=3), *parts)


@pytest.mark.parametrize(
    "name", ["categorical_crossentropy", "CategoricalCrossentropy", "categorical_focal_crossentropy"]
)
@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_class_numbers_for_a_dense_loss(name, shape):
    loss = getattr(losses, name)() if name[0] == "C" else name
    parts = ["(None, 3)", "class numbers", "loss='sparse_categorical_crossentropy'", "to_categorical(y, 3)"]
    told(lambda: train(loss, CLASSES.reshape(shape), units=3), *parts)


def test_functions_of_losses_say_so_too():
    told(lambda: ops.categorical_crossentropy(CLASSES, ONE_HOT), "to_categorical(y, 3)", error=ValueError)
    told(lambda: ops.sparse_categorical_crossentropy(ONE_HOT, ONE_HOT), "np.argmax(y, -1)", error=ValueError)


IMAGES, SERIES = np.ones((6, 5, 5, 2), "float32"), np.ones((6, 5, 2), "float32")


@pytest.mark.parametrize(
    ("loss", "y", "units"),
    [("mse", Y, 1), ("sparse_categorical_crossentropy", CLASSES, 3), ("categorical_crossentropy", ONE_HOT, 3)],
)
def test_outputs_that_still_have_the_axes_of_data(loss, y, units):
    parts = ["still an image", "Flatten()", "global pooling"]
    told(lambda: train(loss, y, IMAGES, Conv2D(2, 2), units=units), *parts)
    parts = ["still a sequence", "Flatten()", "return_sequences=True"]
    told(lambda: train(loss, y, SERIES, LSTM(2, return_sequences=True), units=units), *parts)
