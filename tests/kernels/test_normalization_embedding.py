"""Batch normalization and embedding look-up against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oneiros.kernels import embedding, normalization


@pytest.mark.parametrize("axes", [(0,), (0, 1), (0, 2)])
def test_batch_norm(axes):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(6, 5, 4)) * 3 + 100).astype("float32")
    mean, variance = normalization.batch_norm_train(x, axes)
    np.testing.assert_allclose(mean, x.astype("float64").mean(axes), rtol=1e-6)
    np.testing.assert_allclose(variance, x.astype("float64").var(axes), rtol=1e-4)
    scale, offset = rng.normal(size=(2, *mean.shape)).astype("float32")
    y = normalization.normalize(x, axes, mean, variance, scale, offset, epsilon=0.01)
    wide = x.astype("float64")
    expected = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 0.01)
    expected = expected * np.expand_dims(scale, axes) + np.expand_dims(offset, axes)
    np.testing.assert_allclose(y, expected, atol=2e-4)
    plain = normalization.normalize(x, axes, mean, variance, epsilon=0.01)
    np.testing.assert_allclose(plain.mean(axes), 0, atol=1e-4)


def test_batch_norm_gradient():
    """Ioffe & Szegedy's closed form."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 8, 3)).astype("float32")

    def standardize(x):
        return normalization.normalize(x, (0,), *normalization.batch_norm_train(x, (0,)), epsilon=0.0)

    y, pull = jax.vjp(standardize, x)
    closed = (dy - dy.mean(0) - y * (dy * y).mean(0)) / x.std(0)
    np.testing.assert_allclose(pull(dy)[0], closed, atol=1e-4)
    assert normalization.batch_norm_train(jnp.ones((4, 2), jnp.bfloat16), (0,))[0].dtype == jnp.bfloat16


def test_take_rows():
    table, indices = np.arange(12.0, dtype="float32").reshape(4, 3), np.array([[0, 3, 3], [1, 3, 0]])
    rows, pull = jax.vjp(lambda t: embedding.take_rows(t, indices), table)
    np.testing.assert_array_equal(rows, table[indices])
    np.testing.assert_array_equal(pull(jnp.ones_like(rows))[0][:, 0], [2, 1, 0, 3])
