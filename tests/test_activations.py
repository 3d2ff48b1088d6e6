"""Activations against formulas written in NumPy and SciPy, and their gradients against finite differences."""

import jax
import numpy as np
import pytest
import scipy

from oneiros import activations, core
from oneiros.core.config import behaviour

X = np.array([[-8.0, -3.5, -2.0, -0.7, -0.3, 0.2, 0.45, 0.7], [1.1, 2.5, 3.5, 6.5, 9.0, -1.2, 0.6, -5.0]], "float32")


def sigmoid(x):
    return scipy.special.expit(x)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def sparsemax(x):
    def one(row):
        # The threshold at which the positive parts sum to one, by bisection.
        low, high = row.max() - 1, row.max()
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
        return np.maximum(row - low, 0)

    return np.stack([one(row.astype("float64")) for row in x])


ORACLES = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "exponential": np.exp,
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softmax": lambda x: scipy.special.softmax(x, -1),
    "log_softmax": lambda x: scipy.special.log_softmax(x, -1),
    "log_sigmoid": scipy.special.log_expit,
    "elu": elu,
    "celu": elu,
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "glu": lambda x: x[:, :4] * sigmoid(x[:, 4:]),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
}
OTHER_ARGUMENTS = [
    ("relu", (0.1, 6.0, 1.0), lambda x: np.where(x >= 6, 6, np.where(x >= 1, x, 0.1 * (x - 1)))),
    ("relu", (0.0, None, 0.5), lambda x: np.where(x >= 0.5, x, 0)),
    ("gelu", (True,), lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    ("elu", (0.5,), lambda x: elu(x, 0.5)),
    ("threshold", (0.5, -7.0), lambda x: np.where(x > 0.5, x, -7)),
    ("softmax", (0,), lambda x: scipy.special.softmax(x, 0)),
    ("softmax", ((0, 1),), lambda x: scipy.special.softmax(x)),
]


def test_every_function_has_a_row():
    functions = {f.__name__ for f in core.kind("activation").objects.values()}
    assert functions == {*ORACLES, "threshold", "clipped_hard_sigmoid"}  # the last is for old files


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    np.testing.assert_allclose(activations.get(name)(X), ORACLES[name](X), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "arguments", "oracle"), OTHER_ARGUMENTS)
def test_other_arguments(name, arguments, oracle):
    np.testing.assert_allclose(activations.get(name)(X, *arguments), oracle(X), rtol=2e-5, atol=2e-6)


def test_gradients():
    weights = np.random.RandomState(0).randn(*X.shape)
    for name, oracle in ORACLES.items():
        shape = oracle(X).shape
        w = weights[:, : shape[1]]
        gradient = jax.grad(lambda x, name=name, w=w: (activations.get(name)(x) * w).sum())(X)
        for index in ((0, 3), (1, 0), (1, 5), (0, 6)):
            step = np.zeros(X.shape)
            step[index] = 1e-5
            wide = X.astype("float64")
            expected = ((oracle(wide + step) - oracle(wide - step)) * w).sum() / 2e-5
            np.testing.assert_allclose(gradient[index], expected, rtol=2e-3, atol=2e-4, err_msg=name)


def test_keras_2_names_and_hard_sigmoid(monkeypatch):
    np.testing.assert_allclose(activations.relu(X, alpha=0.3), np.where(X > 0, X, 0.3 * X), rtol=1e-6)
    monkeypatch.setattr(behaviour, "relu6_hard_sigmoid", False)
    np.testing.assert_allclose(activations.hard_sigmoid(X), np.clip(0.2 * X + 0.5, 0, 1), rtol=1e-6)


def test_get_and_serialize():
    assert activations.get(None) is activations.linear
    assert activations.serialize(activations.linear) == "linear"
    assert activations.serialize(activations.get("swish")) == "silu"
    assert activations.get(np.tanh) is np.tanh
    assert activations.get({"class_name": "function", "config": "relu"}) is activations.relu
    assert activations.relu(np.array([1, -1])).dtype.kind == "i"
