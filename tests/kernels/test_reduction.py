"""Sums over leading axes, and the bias whose gradient they are, against NumPy and the plain variant."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels.choice import reference_kernels
from oneiros.kernels.reduction import add_bias, column_sums, scale_shift

shapes = st.lists(st.integers(1, 7), min_size=2, max_size=5).map(tuple)


@settings(max_examples=20, deadline=None)
@given(shape=shapes, dtype=st.sampled_from(["float32", "bfloat16"]))
def test_column_sums(shape, dtype):
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), dtype)
    expected = np.asarray(x, "float64").sum(tuple(range(len(shape) - 1)))
    y = column_sums(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        np.asarray(y, "float64"), expected, **({"atol": 1e-4} if dtype == "float32" else {"atol": 0.3, "rtol": 0.1})
    )


@settings(max_examples=20, deadline=None)
@given(shape=shapes)
def test_add_bias(shape):
    rng = np.random.default_rng(0)
    x, bias, dy = (rng.normal(size=s).astype("float32") for s in (shape, shape[-1:], shape))

    def evaluate():
        y, pull = jax.vjp(add_bias, x, bias)
        return y, *pull(dy)

    y, dx, d_bias = evaluate()
    np.testing.assert_array_equal(y, x + bias)
    np.testing.assert_array_equal(dx, dy)
    np.testing.assert_allclose(d_bias, dy.sum(tuple(range(len(shape) - 1)), dtype="float64"), atol=1e-4)
    with reference_kernels():
        for a, b in zip(evaluate(), (y, dx, d_bias), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(shape=shapes)
def test_scale_shift(shape):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, *shape))
    scale, shift = rng.normal(size=(2, shape[-1]))
    y, pull = jax.vjp(scale_shift, *(a.astype("float32") for a in (x, scale, shift)))
    leading = tuple(range(len(shape) - 1))
    expected = x * scale + shift, dy * scale, (dy * x).sum(leading), dy.sum(leading)
    for a, b in zip((y, *pull(dy.astype("float32"))), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_gradient_of_column_sums():
    x, weights = np.ones((2, 3, 4), "float32"), np.arange(4.0, dtype="float32")
    gradient = jax.grad(lambda x: column_sums(x) @ weights)(x)
    np.testing.assert_array_equal(gradient, np.broadcast_to(weights, x.shape))
