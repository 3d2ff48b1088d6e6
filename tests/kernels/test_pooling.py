"""Pooling against loops in NumPy, and the fast variant against the plain one, gradients included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels import pooling
from oneiros.kernels.convolution import pad_widths
from oneiros.kernels.dispatch import reference_kernels


def numpy_pool(reducer, x, size, strides, pads):
    x = np.pad(x.astype("float64"), ((0, 0), *pads, (0, 0)), constant_values=np.nan)
    out = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], size, strides)]
    y = np.zeros((x.shape[0], *out, x.shape[-1]))
    for position in np.ndindex(*out):
        window = tuple(slice(p * s, p * s + k) for p, s, k in zip(position, strides, size))
        y[(slice(None), *position)] = reducer(x[(slice(None), *window)], axis=tuple(range(1, x.ndim - 1)))
    return y


@settings(max_examples=8, deadline=None)
@given(data=st.data(), rank=st.integers(1, 3), kind=st.sampled_from(["max", "avg"]), seed=st.integers(0, 99))
def test_fast_equals_reference_and_numpy(data, rank, kind, seed):
    per_axis = lambda low, high: tuple(data.draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    size, strides, spatial, padding = per_axis(1, 3), per_axis(1, 3), per_axis(3, 7), data.draw(PADDINGS)
    # whole numbers, so that windows have equal elements
    x = np.random.default_rng(seed).integers(-2, 3, size=(2, *spatial, 2)).astype("float32")
    pool = getattr(pooling, f"{kind}_pool")

    def loss(x):
        y = pool(x, size, strides, padding)
        return jnp.sum(jnp.sin(y) * jnp.arange(y.size).reshape(y.shape)), y

    def evaluate():
        (_, y), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(x)
        return y, gradient

    with reference_kernels():
        plain = evaluate()
    for a, b in zip(evaluate(), plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=1e-5)
    pads = pad_widths(spatial, size, strides, padding, (1,) * rank)
    reducer = {"max": np.nanmax, "avg": np.nanmean}[kind]
    np.testing.assert_allclose(plain[0], numpy_pool(reducer, x, size, strides, pads), atol=1e-5)


PADDINGS = st.sampled_from(["valid", "same"])


@pytest.mark.parametrize("dtype", ["int32", "bfloat16", "float16"])
def test_dtypes(dtype):
    x = jnp.arange(16).astype(dtype).reshape(1, 4, 4, 1)
    assert pooling.max_pool(x, 2).dtype == dtype
    np.testing.assert_array_equal(pooling.max_pool(x, 2).ravel().astype(int), [5, 7, 13, 15])


def test_large_windows_and_loops():
    x = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("float32")
    np.testing.assert_allclose(pooling.max_pool(x, 40)[:, 0], x.max(1))
    np.testing.assert_allclose(pooling.avg_pool(x, 40)[:, 0], x.mean(1), atol=1e-6)
    _, sums = jax.lax.scan(lambda c, x: (c, jax.grad(lambda x: pooling.max_pool(x, 2).sum())(x).sum()), 0, x[:, None])
    np.testing.assert_allclose(sums, 60.0)
