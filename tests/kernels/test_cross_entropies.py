"""Cross-entropies against SciPy and closed-form gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from oneiros.kernels import losses

LOGITS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32") * 5
LABELS = np.random.default_rng(1).dirichlet(np.ones(4), size=(3, 5)).astype("float32")


@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax(axis):
    expected = -(LABELS * scipy.special.log_softmax(LOGITS.astype("float64"), axis)).sum(axis)
    np.testing.assert_allclose(losses.softmax_cross_entropy(LABELS, LOGITS, axis), expected, rtol=1e-5)
    gradient = jax.grad(lambda z: losses.softmax_cross_entropy(LABELS, z, axis).sum())(LOGITS)
    closed = scipy.special.softmax(LOGITS, axis) * LABELS.sum(axis, keepdims=True) - LABELS
    np.testing.assert_allclose(gradient, closed, atol=1e-5)


def test_sparse_softmax():
    labels = np.random.default_rng(2).integers(0, 4, (3, 5))
    hot = np.eye(4, dtype="float32")[labels]
    sparse = jax.value_and_grad(lambda z: losses.sparse_softmax_cross_entropy(labels, z).sum())(LOGITS)
    np.testing.assert_allclose(sparse[0], -(hot * scipy.special.log_softmax(LOGITS, -1)).sum(), rtol=1e-5)
    np.testing.assert_allclose(sparse[1], scipy.special.softmax(LOGITS, -1) - hot, atol=1e-5)


def test_sigmoid():
    z = LOGITS.astype("float64")
    expected = -(LABELS * scipy.special.log_expit(z) + (1 - LABELS) * scipy.special.log_expit(-z))
    np.testing.assert_allclose(losses.sigmoid_cross_entropy(LABELS, LOGITS), expected, rtol=1e-5, atol=1e-6)
    gradient = jax.grad(lambda z: losses.sigmoid_cross_entropy(LABELS, z).sum())(LOGITS)
    np.testing.assert_allclose(gradient, scipy.special.expit(LOGITS) - LABELS, atol=1e-6)


def test_extreme_logits():
    z = jnp.array([[1e4, -1e4, 0.0]])
    np.testing.assert_allclose(losses.sparse_softmax_cross_entropy(jnp.array([1]), z), [2e4])
    np.testing.assert_allclose(losses.sigmoid_cross_entropy(jnp.array([[0.0, 1, 0]]), z), [[1e4, 1e4, np.log(2)]])
    gradient = jax.grad(lambda z: losses.sigmoid_cross_entropy(jnp.array([[0.0, 1, 0]]), z).sum())(z)
    np.testing.assert_allclose(gradient, [[1, -1, 0.5]])
    masked = jnp.array([[0.0, -jnp.inf]])
    np.testing.assert_allclose(losses.sparse_softmax_cross_entropy(jnp.array([0]), masked), [0])
