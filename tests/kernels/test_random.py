"""The counter-based generator: distribution, and independence of neighbouring elements, bits and keys."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from oneiros.kernels import random

COUNT = 2**18
SMALLEST = 1e-5  # the p-value below which a test fails; the draws are fixed, so it never does by chance


def key(*words):
    return jnp.array(words, jnp.uint32)


@pytest.fixture(scope="module")
def bits():
    draw = jax.jit(lambda k: random.uniform_bits(k, (COUNT,)))
    return lambda *words: np.asarray(draw(key(*words)))


def pairs_p(a, b, shift):
    """Whether six bits of ``a`` and of ``b`` are jointly uniform."""
    cells = ((a >> shift) & 63).astype(int) * 64 + ((b >> shift) & 63)
    return scipy.stats.chisquare(np.bincount(cells, minlength=4096)).pvalue


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_bytes_are_uniform(bits, shift):
    assert scipy.stats.chisquare(np.bincount((bits(3, 7) >> shift) & 255, minlength=256)).pvalue > SMALLEST


@pytest.mark.parametrize("lag", [1, 2, 3, 32, 512])
def test_neighbouring_elements_are_independent(bits, lag):
    b = bits(3, 7)
    assert min(pairs_p(b[:-lag], b[lag:], shift) for shift in (0, 13, 26)) > SMALLEST


@pytest.mark.parametrize("other", [(4, 7), (3, 8), (7, 3), (3 + 2**31, 7)])
def test_neighbouring_keys_are_independent(bits, other):
    a, b = bits(3, 7), bits(*other)
    assert min(pairs_p(a, b, shift) for shift in (0, 13, 26)) > SMALLEST
    for lag in (1, 2):
        assert min(pairs_p(a[:-lag], b[lag:], shift) for shift in (0, 26)) > SMALLEST


def test_values_repeat_as_often_as_chance_has_it(bits):
    repeats = sum(COUNT - len(np.unique(bits(seed, 0))) for seed in range(8))
    assert 1e-4 < scipy.stats.poisson.cdf(repeats, 8 * COUNT**2 / 2**33) < 1 - 1e-4


def test_spectrum_is_flat():
    power = np.abs(np.fft.rfft(np.asarray(random.uniform(key(1, 2), (COUNT,))) - 0.5))[1:-1] ** 2
    assert scipy.stats.kstest(power / power.mean(), "expon").pvalue > SMALLEST


def test_uniform_and_normal():
    u, z = random.uniform(key(0, 1), (COUNT,)), random.normal(key(0, 1), (2, COUNT // 2))
    assert u.min() >= 0 and u.max() < 1 and z.shape == (2, COUNT // 2)
    assert scipy.stats.kstest(u, "uniform").pvalue > SMALLEST
    assert scipy.stats.kstest(z.ravel(), "norm").pvalue > SMALLEST
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=0.01)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    u = random.uniform(key(0, 1), (4096,), dtype)
    assert u.dtype == dtype and u.max() < 1
    np.testing.assert_allclose(u.astype(jnp.float32).mean(), 0.5, atol=0.03)
    assert random.normal(key(0, 1), (3,), dtype).dtype == dtype


def test_dropout_mask():
    kept = int(random.dropout_mask(key(5, 5), 0.3, (COUNT,)).sum())
    assert scipy.stats.binomtest(kept, COUNT, 0.7).pvalue > SMALLEST
    assert random.dropout_mask(key(5, 5), 0.0, (100,)).all()
    traced = jax.jit(lambda rate: random.dropout_mask(key(5, 5), rate, (COUNT,)))(0.3)
    assert int(traced.sum()) == kept


def test_a_draw_depends_on_key_and_shape_alone():
    np.testing.assert_array_equal(random.uniform_bits(key(1, 2), (6,)), random.uniform_bits(key(1, 2), (2, 3)).ravel())
    assert random.uniform(key(1, 2), ()).shape == () and random.uniform(key(1, 2), (0, 3)).shape == (0, 3)


def test_draws_are_the_same_where_jax_computes_in_64_bits():
    expected = np.asarray(random.uniform_bits(key(1, 2), (6,)))
    with jax.enable_x64(True):
        bits = random.uniform_bits(key(1, 2), (6,))
        kept = random.dropout_mask(key(5, 5), 0.3, (COUNT,))
    assert bits.dtype == np.uint32
    np.testing.assert_array_equal(bits, expected)
    assert scipy.stats.binomtest(int(kept.sum()), COUNT, 0.7).pvalue > SMALLEST
