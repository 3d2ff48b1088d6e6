"""Cross-entropies of probabilities that a softmax or sigmoid just made are computed from its logits."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
CASES = {
    "categorical_crossentropy": ("softmax", 3, np.eye(3)[np.arange(6) % 3]),
    "sparse_categorical_crossentropy": ("softmax", 3, np.arange(6) % 3),
    "binary_crossentropy": ("sigmoid", 2, RNG.integers(0, 2, (6, 2))),
}


def by_hand(loss, z, y):
    """In float64, stable: log-sum-exp for classes, log(1 + exp) for each bit."""
    z = z.astype("float64")
    if loss == "binary_crossentropy":
        return (np.logaddexp(0, z) - z * y).mean()
    one_hot = np.eye(3)[y] if y.ndim == 1 else y
    return (np.logaddexp.reduce(z, -1) - (z * one_hot).sum(-1)).mean()


@pytest.mark.parametrize("loss", CASES)
@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_the_loss_stays_exact_where_probabilities_saturate(loss, scale):
    activation, units, y = CASES[loss]
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units), layers.Activation(activation)])
    model.layers[0].set_weights([scale * RNG.normal(size=(4, units)), np.zeros(units)])
    model.compile(keras.optimizers.SGD(0.1), loss)
    w, b = model.layers[0].get_weights()
    z = X @ w + b
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), by_hand(loss, z, y), rtol=1e-4)
    model.fit(X, y, batch_size=6, verbose=0)
    one_hot = np.eye(3)[y] if y.ndim == 1 else y
    if activation == "softmax":
        p = np.exp(z - np.logaddexp.reduce(z.astype("float64"), -1)[:, None])
        gradient = X.T @ (p - one_hot) / 6
    else:
        gradient = X.T @ (1 / (1 + np.exp(-z.astype("float64"))) - one_hot) / 12
    np.testing.assert_allclose(model.layers[0].get_weights()[0], w - 0.1 * gradient, rtol=1e-3, atol=1e-4)
