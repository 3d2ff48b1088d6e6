"""Sums over leading axes, and the bias whose gradient they are, against NumPy and the plain variant."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels.dispatch import reference_kernels
from oneiros.kernels.reduction import add_bias, column_sums, scaled

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
@given(shape=shapes, own=st.integers(1, 2), wide=st.booleans())
def test_bias_and_scale(shape, own, wide):
    """Shapes of the last axes, and those with ones that broadcast."""
    rng = np.random.default_rng(0)
    own = min(own, len(shape) - 1)
    small = (1,) * (len(shape) - own) * wide + shape[len(shape) - own :]
    x, dy, a = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=small)
    leading = tuple(range(len(shape) - own))
    expected = {
        add_bias: (x + a, dy, dy.sum(leading).reshape(small)),
        scaled: (x * a, dy * a, (dy * x).sum(leading).reshape(small)),
    }

    def evaluate(function):
        y, pull = jax.vjp(function, *(v.astype("float32") for v in (x, a)))
        return y, *pull(dy.astype("float32"))

    for function, values in expected.items():
        for actual, value in zip(evaluate(function), values, strict=True):
            np.testing.assert_allclose(actual, value, atol=1e-4)
        with reference_kernels():
            for actual, value in zip(evaluate(function), values, strict=True):
                np.testing.assert_allclose(actual, value, atol=1e-4)


def test_gradient_of_column_sums():
    x, weights = np.ones((2, 3, 4), "float32"), np.arange(4.0, dtype="float32")
    gradient = jax.grad(lambda x: column_sums(x) @ weights)(x)
    np.testing.assert_array_equal(gradient, np.broadcast_to(weights, x.shape))
