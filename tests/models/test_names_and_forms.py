"""What logs call losses and metrics, in what order layers come, and in what form inputs and outputs: as Keras 3.15."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import metrics

X = np.arange(8.0, dtype="float32").reshape(4, 2)
Y = np.array([[1.0], [3.0], [0.0], [2.0]], "float32")


def logs_of(outputs=1, loss="mse", weights=None, **options):
    start = keras.Input((2,))
    heads = [keras.layers.Dense(1, name=name)(start) for name in ("b", "a")[:outputs]]
    model = keras.Model(start, heads if outputs > 1 else heads[0])
    model.set_weights([np.full(w.shape, 0.5, "float32") for w in model.get_weights()])
    model.compile("sgd", loss, **options)
    y = [Y, Y + 1][:outputs]
    return model.test_on_batch(X, y if outputs > 1 else Y, sample_weight=weights, return_dict=True)


@pytest.mark.parametrize(
    "outputs, options, names",
    [
        (1, {"metrics": ["mae"], "weighted_metrics": ["mae"]}, "mae weighted_mae"),
        (1, {"metrics": ["mae"] * 3, "weighted_metrics": ["mae"] * 2}, "mae mae_1 mae_2 weighted_mae weighted_mae_1"),
        (1, {"metrics": ["mse"], "weighted_metrics": [metrics.MeanSquaredError("mse")]}, "mse weighted_mse"),
        (1, {"weighted_metrics": ["mse"]}, "mse"),
        (2, {"metrics": [["mae"], ["mse"]], "weighted_metrics": [["mae"], None]}, "a_mse b_mae b_weighted_mae"),
        (2, {"metrics": {"a": [metrics.MeanAbsoluteError()]}}, "a_mean_absolute_error"),
        (2, {"metrics": [["AUC"], ["AUC"]]}, "a_AUC b_AUC"),
        (2, {"metrics": ["mae", "mse"]}, "a_mse b_mae"),
    ],
)
def test_names_of_metrics(outputs, options, names):
    losses = ["loss", "b_loss", "a_loss"] if outputs == 2 else ["loss"]
    assert list(logs_of(outputs, **options)) == [*losses, *names.split()]


def test_weighted_and_plain_numbers_stand_side_by_side():
    weights = np.array([1.0, 0.0, 0.0, 3.0], "float32")
    errors = np.abs(X.sum(1) * 0.5 + 0.5 - Y[:, 0])
    logs = logs_of(weights=weights, metrics=["mae"], weighted_metrics=["mae"])
    assert logs["mae"] == pytest.approx(errors.mean())
    assert logs["weighted_mae"] == pytest.approx((errors * weights).sum() / weights.sum())


def test_a_metric_object_for_all_outputs_is_counted_for_each():
    errors = np.abs(X.sum(1) * 0.5 + 0.5 - Y[:, 0])
    other = np.abs(X.sum(1) * 0.5 + 0.5 - Y[:, 0] - 1)
    logs = logs_of(2, metrics=[metrics.MeanAbsoluteError("m")])
    assert logs["b_m"] == pytest.approx(errors.mean())
    assert logs["a_m"] == pytest.approx(other.mean())


def test_what_a_batch_returns_is_of_this_batch():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([np.full((2, 1), 0.5), np.full(1, 0.5)])
    model.compile("sgd", "mse", metrics=[metrics.MeanAbsoluteError("m")])
    errors = X.sum(1) * 0.5 + 0.5 - Y[:, 0]
    for rows in (slice(0, 2), slice(2, 4)):
        loss, mean = model.test_on_batch(X[rows], Y[rows])
        assert (loss, mean) == pytest.approx(((errors[rows] ** 2).mean(), np.abs(errors[rows]).mean()))
    model.test_on_batch(X[2:], Y[2:])
    loss, mean = model.test_on_batch(X[:2], Y[:2], reset_metrics=False)
    assert mean == pytest.approx(np.abs(errors).mean())


def test_layers_of_outputs_in_a_dictionary_come_in_the_order_of_its_keys():
    """So the weights have Keras' order, in `get_weights` and in files."""
    one, two = keras.Input((2,), name="one"), keras.Input((2,), name="two")
    shared = keras.layers.Dense(2, name="s")
    u, v = keras.layers.Dense(2, name="u")(shared(one)), keras.layers.Dense(2, name="v")(shared(two))
    w = keras.layers.Dense(2, name="w")(keras.layers.Dense(2, name="w0")(one))
    total = keras.layers.Concatenate(name="c")([w, v, u])
    model = keras.Model({"x": one, "c": two}, {"q": total, "f": v, "g": u})
    assert [layer.name for layer in model.layers] == ["two", "one", "s", "w0", "v", "u", "w", "c"]
    copy = keras.Model.from_config(model.get_config())
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("form", [lambda i: i, lambda i: [i], lambda i: (i,), lambda i: {"b": i}, lambda i: {"q": i}])
def test_a_model_of_one_input_takes_an_array_however_the_input_was_given(form):
    start = keras.Input((2,), name="b")
    model = keras.Model(form(start), keras.layers.Rescaling(2.0)(start))
    for x in (X, [X]):
        np.testing.assert_allclose(model.predict(x, verbose=0), 2 * X)
    np.testing.assert_allclose(model(X), 2 * X)


@pytest.mark.parametrize("form", [lambda o: [o], lambda o: (o,)])
def test_the_output_of_a_list_of_one_is_an_array(form):
    start = keras.Input((2,))
    model = keras.Model([start], form(keras.layers.Rescaling(2.0)(start)))
    for y in (model(X), model.predict(X, verbose=0), model.predict_on_batch(X)):
        np.testing.assert_allclose(y, 2 * X)
