"""Regularizers against their formulas, and gradients against closed forms."""

import jax
import numpy as np
import pytest

from oneiros import core, regularizers

X = np.array([[-1.0, 0.5, 1.0], [2.0, 3.0, -4.0]], "float32")


def cosines(x):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return [abs(unit[i] @ unit[j]) for i in range(len(x)) for j in range(i)]


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.1), 0.1 * np.abs(X).sum()),
        (regularizers.L2(0.1), 0.1 * (X**2).sum()),
        (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(X).sum() + 0.2 * (X**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.l2(l=0.3), 0.3 * (X**2).sum()),
        (regularizers.OrthogonalRegularizer(0.3, "rows"), 0.3 * np.mean(cosines(X))),
        (regularizers.OrthogonalRegularizer(0.3, "columns"), 0.3 * np.mean(cosines(X.T))),
    ],
)
def test_values(regularizer, expected):
    result = regularizer(X)
    assert result.shape == ()
    assert float(result) == pytest.approx(expected, rel=1e-5)
    assert float(regularizer(core.Variable(X))) == pytest.approx(expected, rel=1e-5)
    assert regularizer(core.Symbol(X.shape)).shape == ()


def test_gradient():
    gradient = jax.grad(lambda x: regularizers.L1L2(0.1, 0.2)(x))(X)
    np.testing.assert_allclose(gradient, 0.1 * np.sign(X) + 0.4 * X, rtol=1e-5)


def test_attributes_and_names():
    assert (regularizers.L2(0.1).l1, regularizers.L2(0.1).l2) == (0.0, 0.1)
    assert regularizers.get("l1").get_config() == {"l1": 0.01}
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.0, "l2": 0.0}
    assert regularizers.get(None) is None
    assert regularizers.get({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}).l2 == 0.5


@pytest.mark.parametrize("wrong", [-0.1, "a", float("nan"), True])
def test_wrong_factors(wrong):
    with pytest.raises(ValueError, match="l1"):
        regularizers.L1(wrong)
