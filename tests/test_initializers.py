"""Initializers: moments, bounds and fans against their definitions; get() of everything that programs hand over."""

import numpy as np
import pytest
import scipy

from oneiros import core, initializers
from oneiros.core.config import behaviour

SHAPE = (3, 3, 20, 30)
FANS = {"fan_in": 180, "fan_out": 270, "fan_avg": 225}
SCALED = {
    "glorot_uniform": (1, "fan_avg"),
    "glorot_normal": (1, "fan_avg"),
    "he_uniform": (2, "fan_in"),
    "he_normal": (2, "fan_in"),
    "lecun_uniform": (1, "fan_in"),
    "lecun_normal": (1, "fan_in"),
}


def values(initializer, shape=SHAPE, **kwargs):
    return np.asarray(initializers.get(initializer)(shape, **kwargs))


@pytest.mark.parametrize("name", SCALED)
def test_variance_scaling(name):
    scale, mode = SCALED[name]
    x = values(name)
    assert x.std() == pytest.approx(np.sqrt(scale / FANS[mode]), rel=0.05)
    assert abs(x.mean()) < 4 * x.std() / np.sqrt(x.size)
    bound = np.sqrt(3) if name.endswith("uniform") else 2 / 0.87962566103423978
    assert np.abs(x).max() <= bound * np.sqrt(scale / FANS[mode]) * (1 + 1e-6)
    assert np.abs(x).max() > 0.95 * bound * np.sqrt(scale / FANS[mode])


@pytest.mark.parametrize(
    ("axes", "fan_in", "fan_out"),
    [((None, None), 600, 1000), (((0,), (1, 2)), 20, 1500), (((1,), (2,)), 600, 1000), (((0, 1), (2,)), 600, 50)],
)
def test_fans(axes, fan_in, fan_out):
    assert initializers.compute_fans((20, 30, 50), *axes) == (fan_in, fan_out)


def test_fans_of_small_shapes():
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans((5,)) == (5, 5)
    assert initializers.compute_fans((4, 6)) == (4, 6)


def test_distributions():
    normal = values(initializers.RandomNormal(1.0, 2.0, seed=3), (20000,))
    assert scipy.stats.kstest(normal, "norm", (1, 2)).pvalue > 1e-3
    uniform = values(initializers.RandomUniform(-1.0, 3.0, seed=3), (20000,))
    assert scipy.stats.kstest(uniform, "uniform", (-1, 4)).pvalue > 1e-3
    cut = values(initializers.TruncatedNormal(1.0, 2.0, seed=3), (20000,))
    assert scipy.stats.kstest(cut, "truncnorm", (-2, 2, 1, 2)).pvalue > 1e-3
    old = values(initializers.VarianceScaling(1.0, "fan_in", "normal", seed=3), (100, 300))
    assert old.std() == pytest.approx(0.1 * 0.8796, rel=0.02)  # cut off, not corrected
    plain = values(initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed=3), (100, 300))
    assert scipy.stats.kstest(plain.ravel(), "norm", (0, 0.1)).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 5)])
def test_orthogonal(shape):
    x = values(initializers.Orthogonal(2.0), shape).reshape(-1, shape[-1])
    product = x.T @ x if x.shape[0] >= x.shape[1] else x @ x.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_constants():
    assert values("zeros", (2, 3)).tolist() == np.zeros((2, 3)).tolist()
    assert values("one", (2,), dtype="int32").dtype == "int32"
    assert values(initializers.Constant([1.0, 2.0]), (3, 2)).tolist() == [[1, 2]] * 3
    assert values(np.array([1.0, 2.0]), (2,)).tolist() == [1, 2]
    assert values(initializers.Identity(2.0), (2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    with pytest.raises(ValueError, match="matrix"):
        values("identity", (2, 2, 2))


def test_stft_is_a_windowed_fourier_transform():
    frame, frequencies = 8, 5
    x = np.random.RandomState(0).randn(frame)
    window = scipy.signal.get_window("hann", frame, fftbins=False)
    real, imaginary = (
        values(initializers.STFT(side, "hann", "density"), (frame, 1, frequencies))[:, 0] for side in ("real", "imag")
    )
    expected = np.fft.rfft(x * window) / np.sqrt((window**2).sum())
    np.testing.assert_allclose(x @ real + 1j * (x @ imaginary), expected, atol=1e-5)


def test_seeds(monkeypatch):
    a, b = initializers.GlorotUniform(seed=1), initializers.GlorotUniform(seed=1)
    assert (values(a) == values(b)).all()
    assert (values(a) == values(a)).all()
    free = initializers.RandomNormal()
    assert (values(free) == values(free)).all()  # as Keras 3 documents it
    assert (values(free) != values(initializers.RandomNormal())).any()
    monkeypatch.setattr(behaviour, "unseeded_values_repeat", False)
    assert (values(free) != values(free)).any()
    np.random.seed(5)
    first = values("he_normal")
    np.random.seed(5)
    assert (values("he_normal") == first).all()
    generator = core.SeedGenerator(3)
    stream = initializers.RandomUniform(seed=generator)
    assert (values(stream) != values(stream)).any()


def test_functions_as_initializers():
    def old(shape, name=None):
        return core.Variable(np.full(shape, 2.0), name=name)

    def new(shape, dtype=None):
        return np.full(shape, 3.0, dtype)

    assert core.Variable(initializers.get(old), (2,)).numpy().tolist() == [2, 2]
    assert initializers.serialize(initializers.get(old)) == "old"
    assert initializers.get(new) is new
    assert core.Variable(initializers.get(lambda shape: np.ones(shape)), (2,)).numpy().tolist() == [1, 1]


def test_wrong_arguments():
    for wrong in ({"scale": 0}, {"mode": "fan"}, {"distribution": "gamma"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            initializers.VarianceScaling(**wrong)
    with pytest.raises(ValueError, match="two dimensions"):
        values("orthogonal", (3,))
