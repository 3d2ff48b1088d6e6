"""Nothing piles up: not over thousands of calls, not over models that come and go."""

import gc
import sys
import weakref
from pathlib import Path

import jax
import numpy as np
import pytest

import oneiros as keras

X = np.random.default_rng(0).random((64, 10), "float32")


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def trained():
    layers = keras.layers
    model = keras.Sequential([layers.Dense(16, "relu", input_shape=(10,)), layers.Dropout(0.1), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    return model


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_ten_thousand_predictions():
    model = trained()
    for _ in range(500):
        model.predict(X[:1], verbose=0)
    gc.collect()
    before, arrays = resident_bytes(), len(jax.live_arrays())
    for _ in range(10_000):
        model.predict(X[:1], verbose=0)
    gc.collect()
    assert resident_bytes() - before < 8 << 20
    assert len(jax.live_arrays()) <= arrays


def test_models_that_are_dropped_go():
    trained()
    gc.collect()
    arrays = len(jax.live_arrays())
    models = []
    for _ in range(12):
        model = trained()
        model.predict(X, verbose=0)
        models.append(weakref.ref(model))
    del model
    gc.collect()
    assert not [m for m in models if m() is not None]
    assert len(jax.live_arrays()) <= arrays
