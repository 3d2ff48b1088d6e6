"""Noise layers: how often, how strong, the same again with the same seed, another at each call."""

import numpy as np
import pytest

from oneiros import core, layers

X = np.random.RandomState(0).uniform(1, 2, (64, 32, 16)).astype("float32")


def test_dropout_keeps_the_mean_and_the_right_share():
    out = np.asarray(layers.Dropout(0.3, seed=1)(X, training=True))
    dropped = out == 0
    assert dropped.mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(out[~dropped], (X / 0.7)[~dropped], rtol=1e-5)
    assert out.mean() == pytest.approx(X.mean(), rel=0.02)


@pytest.mark.parametrize(
    "layer, constant",
    [
        (lambda: layers.Dropout(0.5, noise_shape=(None, 1, None)), 1),
        (lambda: layers.Dropout(0.5, noise_shape=(64, 32, 1)), 2),
        (lambda: layers.SpatialDropout1D(0.5), 1),
        (lambda: layers.AlphaDropout(0.5, noise_shape=(None, 1, None)), 1),
    ],
)
def test_noise_shape(layer, constant):
    out = np.asarray(layer()(np.ones_like(X), training=True))
    assert (np.ptp(out, axis=constant) == 0).all()
    assert len(np.unique(out)) == 2
    assert (out == out.min()).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("rank, axes", [(2, (1, 2)), (3, (1, 2, 3))])
def test_spatial_dropout_drops_whole_maps(rank, axes):
    x = np.ones((40, *(3,) * rank, 20), "float32")
    layer = getattr(layers, f"SpatialDropout{rank}D")
    out = np.asarray(layer(0.4)(x, training=True))
    assert (np.ptp(out, axis=axes) == 0).all()
    assert (out == 0).mean() == pytest.approx(0.4, abs=0.08)
    first = np.asarray(layer(0.4, data_format="channels_first")(np.moveaxis(x, -1, 1), training=True))
    assert (np.ptp(first, axis=tuple(a + 1 for a in axes)) == 0).all()


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.RandomState(0).normal(size=(400, 500)).astype("float32")
    out = np.asarray(layers.AlphaDropout(0.2, seed=3)(x, training=True))
    assert out.mean() == pytest.approx(0, abs=0.01)
    assert out.std() == pytest.approx(1, abs=0.01)


def test_gaussian_noise_and_dropout():
    noise = np.asarray(layers.GaussianNoise(0.5, seed=1)(X, training=True)) - X
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(0.5, abs=0.01)
    factor = np.asarray(layers.GaussianDropout(0.2, seed=1)(X, training=True)) / X
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert factor.std() == pytest.approx(0.5, abs=0.01)  # sqrt(0.2 / 0.8)


MAKE = {
    "Dropout": lambda seed: layers.Dropout(0.5, seed=seed),
    "SpatialDropout1D": lambda seed: layers.SpatialDropout1D(0.5, seed=seed),
    "AlphaDropout": lambda seed: layers.AlphaDropout(0.5, seed=seed),
    "GaussianDropout": lambda seed: layers.GaussianDropout(0.5, seed=seed),
    "GaussianNoise": lambda seed: layers.GaussianNoise(0.5, seed=seed),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_seeds(make):
    a, b = make(5), make(5)
    compiled = core.compiled(lambda x: b(x, training=True))
    first, second = np.asarray(a(X, training=True)), np.asarray(a(X, training=True))
    assert (first != second).any()
    np.testing.assert_allclose(compiled(X), first, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(compiled(X), second, rtol=1e-5, atol=1e-5)
    assert not a.weights  # the state of the seed is no weight
    assert a(X) is not None and np.array_equal(a(X, training=False), X)


def test_extremes():
    assert not np.asarray(layers.Dropout(1.0)(X, training=True)).any()
    assert np.array_equal(layers.Dropout(0)(X, training=True), X)
    weight = core.Variable(X)
    _, (gradient,) = core.value_and_grad(lambda: layers.Dropout(1.0)(weight.value, training=True).sum(), [weight])()
    assert not np.asarray(gradient).any()
    with pytest.raises(ValueError, match="rate"):
        layers.Dropout(2)
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=(0, 1))
    with pytest.raises(ValueError, match="another rank"):
        layers.Dropout(0.5, noise_shape=(1,))(X, training=True)
    with pytest.raises(ValueError, match="stddev"):
        layers.GaussianNoise(-1)
