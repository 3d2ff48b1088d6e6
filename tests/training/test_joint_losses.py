"""Losses of several outputs together, against their formulas."""

from collections import namedtuple

import numpy as np
import pytest

import oneiros
from oneiros import layers, ops
from oneiros.core.errors import InputDataError

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 3)).astype("float32")
Y = [rng.normal(size=(8, 1)).astype("float32") for _ in range(3)]
P = [X.sum(1, keepdims=True) * (k + 1) for k in range(3)]  # what the model predicts
MSE = [float(np.mean((y - p) ** 2)) for y, p in zip(Y, P)]
MAE = [float(np.mean(np.abs(y - p))) for y, p in zip(Y, P)]
Pair = namedtuple("Pair", ["one", "two"])


def together(y_true, y_pred):
    """The mean absolute error of all entries of a structure, summed; fails on anything but that structure."""
    values = y_true.values() if isinstance(y_true, dict) else y_true
    predicted = y_pred.values() if isinstance(y_pred, dict) else y_pred
    return sum(ops.mean(ops.abs(a - b), -1) for a, b in zip(values, predicted))


def trained(outputs, loss, y, loss_weights=None, sample_weight=None):
    inputs = oneiros.Input((3,))
    made = [layers.Dense(1, kernel_initializer="ones", name=f"y{k}")(inputs * (k + 1.0)) for k in range(3)]
    model = oneiros.Model(inputs, outputs(made))
    model.compile("sgd", loss, loss_weights=loss_weights)
    history = model.fit(X, y, batch_size=8, sample_weight=sample_weight, verbose=0).history
    return {name: values[0] for name, values in history.items()}


def pair(made):
    return [made[0], made[1]]


def nested(made):
    return {"a": (made[0], made[1]), "d": made[2]}


NESTED = {"a": (Y[0], Y[1]), "d": Y[2]}


def test_a_list_inside_holds_several_losses_of_the_outputs():
    logs = trained(pair, (together, ["mse", "mae"]), Y[:2])
    expected = {"y0_y1_loss": MAE[0] + MAE[1], "y0_loss": MSE[0], "y1_loss": MAE[1]}
    expected["loss"] = sum(expected.values())
    assert logs == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weights", [(0.5, [2.0, 3.0]), [0.5, 2.0, 3.0]])
def test_weights_follow_the_structure_or_the_order(weights):
    logs = trained(pair, (together, ["mse", "mae"]), Y[:2], weights)
    assert logs["loss"] == pytest.approx(0.5 * (MAE[0] + MAE[1]) + 2 * MSE[0] + 3 * MAE[1], rel=1e-5)
    assert logs["y0_y1_loss"] == pytest.approx(MAE[0] + MAE[1], rel=1e-5)  # shown without its weight


def test_weights_are_counted():
    with pytest.raises(InputDataError, match="loss_weights: expected one for each of the 3 losses"):
        trained(pair, (together, ["mse", "mae"]), Y[:2], [1.0, 2.0])


def test_a_loss_in_the_place_of_several_outputs_sees_them_together():
    logs = trained(nested, {"a": together, "d": "mse"}, NESTED)
    assert logs == pytest.approx(
        {"loss": MAE[0] + MAE[1] + MSE[2], "a_loss": MAE[0] + MAE[1], "d_loss": MSE[2]}, rel=1e-5
    )


def test_a_loss_of_arrays_sees_their_mean():
    logs = trained(nested, {"a": "mse", "d": "mse"}, NESTED)
    assert logs["a_loss"] == pytest.approx((MSE[0] + MSE[1]) / 2, rel=1e-5)
    weight = np.linspace(0, 1, 8).astype("float32")
    logs = trained(nested, {"a": "mse", "d": "mse"}, NESTED, None, {"a": (weight, 2 * weight), "d": weight})
    parts = [np.mean((Y[k] - P[k])[:, 0] ** 2 * weight * (k + 1)) for k in range(2)]
    assert logs["a_loss"] == pytest.approx(np.mean(parts), rel=1e-5)


def test_sample_weights_of_several_outputs_are_averaged():
    weight = np.linspace(0, 1, 8).astype("float32")
    logs = trained(pair, (together, ["mse", "mae"]), Y[:2], None, [weight, 2 * weight])
    errors = sum(np.abs(Y[k] - P[k])[:, 0] for k in range(2))
    assert logs["y0_y1_loss"] == pytest.approx(np.mean(errors * 1.5 * weight), rel=1e-5)


def test_names_follow_the_path():
    logs = trained(nested, {"a": [together, (None, "mse")], "d": "mae"}, NESTED, {"a": [2.0, (None, 3.0)], "d": 4.0})
    assert set(logs) == {"loss", "a_loss", "a/y1_loss", "d_loss"}
    assert logs["loss"] == pytest.approx(2 * (MAE[0] + MAE[1]) + 3 * MSE[1] + 4 * MAE[2], rel=1e-5)


def test_dictionaries_and_named_tuples():
    outputs = lambda made: {"a": made[0], "b": made[1]}  # noqa: E731
    logs = trained(outputs, [together, {"b": "mse"}], {"a": Y[0], "b": Y[1]})
    assert logs == pytest.approx(
        {"loss": MAE[0] + MAE[1] + MSE[1], "a_b_loss": MAE[0] + MAE[1], "b_loss": MSE[1]}, rel=1e-5
    )
    logs = trained(lambda made: Pair(made[0], made[1]), [together, Pair("mse", "mae")], Pair(*Y[:2]))
    assert set(logs) == {"loss", "y0_loss", "y1_loss", "y0_y1_loss"}


def test_one_loss_in_a_list_is_that_loss():
    logs = trained(lambda made: {"a": made[0], "b": made[1]}, {"a": ["mse"], "b": ["mae"]}, {"a": Y[0], "b": Y[1]})
    assert logs == pytest.approx({"loss": MSE[0] + MAE[1], "a_loss": MSE[0], "b_loss": MAE[1]}, rel=1e-5)
    logs = trained(lambda made: {"a": made[0], "b": made[1]}, {"a": ["mse", "mae"], "b": "mae"}, {"a": Y[0], "b": Y[1]})
    assert logs["loss"] == pytest.approx(MSE[0] + MAE[0] + MAE[1], rel=1e-5)


def test_a_last_batch_that_is_not_full_counts_as_it_should():
    inputs = oneiros.Input((3,))
    made = [layers.Dense(1, kernel_initializer="ones", name=f"y{k}")(inputs * (k + 1.0)) for k in range(2)]
    model = oneiros.Model(inputs, made)
    model.compile("sgd", (together, ["mse", "mae"]))
    logs = model.evaluate(X[:7], [y[:7] for y in Y[:2]], batch_size=3, verbose=0, return_dict=True)
    errors = [float(np.mean(np.abs(y - p)[:7])) for y, p in zip(Y, P)]
    assert logs["y0_y1_loss"] == pytest.approx(errors[0] + errors[1], rel=1e-5)


def test_outputs_of_different_shapes_need_a_loss_each():
    inputs = oneiros.Input((3,))
    model = oneiros.Model(
        inputs, {"a": (layers.Dense(1)(inputs), layers.Dense(2)(inputs)), "d": layers.Dense(1)(inputs)}
    )
    model.compile("sgd", {"a": "mse"})
    with pytest.raises(InputDataError, match=r"loss: the outputs of 'a' have the shapes .*one loss for each"):
        model.fit(X, {"a": (Y[0], np.ones((8, 2))), "d": Y[2]}, verbose=0)
