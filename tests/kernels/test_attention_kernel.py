"""Attention and its gradients against NumPy, and the fast variant against the plain one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels.attention import attend
from oneiros.kernels.dispatch import reference_kernels


def numpy_attention(query, key, value, mask, d):
    """The result and the gradients for query, key and value, in float64."""
    scores = query @ key.swapaxes(-1, -2)
    scores = np.where(mask, scores, np.finfo("float32").min)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    d_weights = d @ value.swapaxes(-1, -2)
    d_scores = weights * (d_weights - (weights * d_weights).sum(-1, keepdims=True)) * mask
    return weights @ value, d_scores @ key, d_scores.swapaxes(-1, -2) @ query, weights.swapaxes(-1, -2) @ d


def evaluate(query, key, value, mask, d):
    result, pull = jax.vjp(lambda q, k, v: attend(q, k, v, mask), query, key, value)
    return result, *pull(d)


sizes = st.integers(1, 6)


@settings(max_examples=12, deadline=None)
@given(
    batch=st.lists(sizes, max_size=2).map(tuple),
    queries=sizes,
    keys=sizes,
    width=sizes,
    value_width=sizes,
    masked=st.sampled_from(["no", "some", "whole rows"]),
    seed=st.integers(0, 99),
)
def test_fast_equals_reference_and_numpy(batch, queries, keys, width, value_width, masked, seed):
    rng = np.random.default_rng(seed)
    shapes = [(queries, width), (keys, width), (keys, value_width), (queries, value_width)]
    query, key, value, d = (rng.normal(size=(*batch, *shape)) for shape in shapes)
    mask = rng.random((queries, keys)) < {"no": 2, "some": 0.6, "whole rows": 0}[masked]
    expected = numpy_attention(query, key, value, mask, d)
    arrays = [jnp.asarray(a, "float32") for a in (query, key, value)]
    arguments = (*arrays, None if masked == "no" else jnp.asarray(mask), jnp.asarray(d, "float32"))
    fast = jax.jit(evaluate)(*arguments)
    with reference_kernels():
        reference = jax.jit(lambda *a: evaluate(*a))(*arguments)
    for actual, plain, value in zip(fast, reference, expected, strict=True):
        np.testing.assert_allclose(actual, value, atol=2e-5)
        np.testing.assert_allclose(plain, value, atol=2e-5)


@pytest.mark.parametrize("scale", [1e3, 1e-3])
def test_large_and_small_scores(scale):
    rng = np.random.default_rng(0)
    query, key, value, d = (rng.normal(size=(2, 5, 3)).astype("float32") for _ in range(4))
    query *= scale
    expected = numpy_attention(*(a.astype("float64") for a in (query, key, value)), np.ones((5, 5)), d)
    actual = evaluate(*map(jnp.asarray, (query, key, value)), None, d)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-3, atol=1e-4 * max(1, scale))


def test_half_precision():
    rng = np.random.default_rng(0)
    arrays = [jnp.asarray(rng.normal(size=(2, 4, 3)), "bfloat16") for _ in range(3)]
    result = attend(*arrays)
    expected = numpy_attention(*(np.asarray(a, "float64") for a in arrays), np.ones((4, 4)), np.zeros((2, 4, 3)))[0]
    assert result.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(result, "float64"), expected, atol=0.05)
