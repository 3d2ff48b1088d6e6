"""Rules that stand in one line each, where nothing else would notice if the line were wrong."""

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.compat.generations import select
from oneiros.training.steps import steps_of
from oneiros.utils.progress import RunningMeans


@pytest.fixture(params=["2", "3"])
def generation(request):
    select(request.param)
    yield request.param
    select("3")


def by_hand(x, y, order, rate, batch):
    """Least squares in one weight by plain NumPy: the weight after one epoch of SGD over the rows in this order."""
    w = 0.0
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        w -= rate * np.mean(2 * (w * x[rows] - y[rows]) * x[rows])
    return w


@pytest.mark.parametrize("on_disk", ["x", "y", "both"])
@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffled_rows_of_a_file_stay_with_their_labels(tmp_path, on_disk, shuffle):
    x = np.linspace(-1, 1, 40, dtype="float32")
    y = x**3 + 0.3
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = x[:, None], y[:, None]
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    with h5py.File(tmp_path / "data.h5") as file:
        given_x = file["x"] if on_disk != "y" else x[:, None]
        given_y = file["y"] if on_disk != "x" else y[:, None]
        np.random.seed(3)
        model.fit(given_x, given_y, batch_size=4, shuffle=shuffle, verbose=0)
    order = np.arange(40)
    np.random.seed(3)
    if shuffle == "batch":
        order = order.reshape(10, 4)
    np.random.shuffle(order)
    np.testing.assert_allclose(model.get_weights()[0].item(), by_hand(x, y, order.ravel(), 0.5, 4), rtol=1e-5)


@pytest.mark.parametrize("how", ["fit", "fit in lockstep", "train_on_batch"])
def test_a_step_whose_result_cannot_be_read_is_undone(monkeypatch, how):
    """A device may fail after the call has returned: the weights are then those of the last step that was read."""
    x, y = np.ones((6, 1), "float32"), np.ones((6, 1), "float32")
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "mse")
    steps = steps_of(model)
    read, seen = steps.logs, []

    def fails_at_the_third(result):
        seen.append(result)
        if len(seen) == 3:
            raise OSError("device lost")
        return read(result)

    monkeypatch.setattr(steps, "logs", fails_at_the_third)
    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]
    with pytest.raises(OSError, match="device lost"):
        if how == "train_on_batch":
            for _ in range(3):
                model.train_on_batch(x[:2], y[:2])
        else:
            lockstep = callbacks if "lockstep" in how else None
            model.fit(x, y, batch_size=2, verbose=0, callbacks=lockstep)
    # Two steps of SGD with momentum from 0: the gradients are -2 and -1, the velocities 0.5 and 0.25 + 0.25.
    np.testing.assert_allclose(model.get_weights()[0].item(), 1.0)
    assert int(model.optimizer.iterations) == 2
    model.train_on_batch(x[:2], y[:2])  # all is usable: the gradient is 0, the velocity 0.25
    np.testing.assert_allclose(model.get_weights()[0].item(), 1.25)


SQUARES = np.array([1.0, 4.0, 9.0, 16.0])  # the squared errors of `constant`


def distance(y_true, y_pred):
    return abs(y_true - y_pred).mean(-1)


def constant(**arguments):
    """A model that always says 0 and never learns, with a loss and metrics of the squared error."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse", **arguments)
    return model


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_weighted_means_by_sum_or_by_count(generation, method):
    weights = np.array([1.0, 0.0, 3.0, 2.0])
    model = constant(metrics=["mse"], weighted_metrics=[distance, keras.metrics.MeanSquaredError(name="object")])
    x, y = np.ones((4, 1)), np.sqrt(SQUARES)[:, None]
    if method == "fit":
        logs = model.fit(x, y, sample_weight=weights, batch_size=2, shuffle=False, verbose=0).history
        logs = {k: v[0] for k, v in logs.items()}
    else:
        logs = model.evaluate(x, y, sample_weight=weights, batch_size=2, verbose=0, return_dict=True)
    loss, plain, far, by_object = list(logs.values())
    weighed = weights * SQUARES
    if generation == "3":
        assert loss == pytest.approx(weighed.sum() / 4)
        assert far == pytest.approx((weights * np.sqrt(SQUARES)).sum() / weights.sum())
    else:  # each batch is divided by the number of its weights that are not zero, then counts by its rows
        assert loss == pytest.approx((weighed[:2].sum() / 1 + weighed[2:].sum() / 2) / 2)
        roots = weights * np.sqrt(SQUARES)
        assert far == pytest.approx((roots[:2].sum() / 1 + roots[2:].sum() / 2) / 2)
    assert plain == pytest.approx(SQUARES.mean())
    assert by_object == pytest.approx(weighed.sum() / weights.sum())


def test_batches_of_no_weight(generation):
    """They are no NaN, and a metric of weights forgets them."""
    model = constant(weighted_metrics=[distance, keras.metrics.MeanSquaredError(), keras.metrics.AUC()])
    x, y = np.ones((4, 1)), np.sqrt(SQUARES)
    nothing = model.evaluate(x, np.ones(4), sample_weight=np.zeros(4), batch_size=2, verbose=0)
    assert nothing == [0, 0, 0, 0]
    half = np.array([0.0, 0.0, 1.0, 1.0])
    _, far, squares, _ = model.evaluate(x, y, sample_weight=half, batch_size=2, verbose=0)
    assert far == pytest.approx(3.5 if generation == "3" else 1.75)
    assert squares == pytest.approx(12.5)


def test_logs_that_are_no_means_keep_their_last_value():
    means = RunningMeans()
    for loss, auc, size in ((1.0, 0.5, 2), (4.0, 0.9, 1)):
        means.add("loss", loss, size)
        means.add("auc", auc, size, stateful=True)
    means.add("matrix", np.array([1.0, 2.0]), 1, stateful=True)
    result = means.result()
    assert result["loss"] == pytest.approx(2.0)
    assert result["auc"] == pytest.approx(0.9)
    np.testing.assert_allclose(result["matrix"], [1.0, 2.0])
