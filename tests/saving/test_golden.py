"""Files that other implementations of Keras wrote (see make_golden.py)."""

from pathlib import Path

import numpy as np
import pytest

import oneiros as keras

GOLDEN = Path(__file__).parent / "golden"
WRITERS = ["tf_keras", "keras"]
MODELS = ["mlp", "graph", "recurrent"]


def arrays(path, prefix):
    with np.load(path.with_suffix(".npz")) as stored:
        found = [stored[f"{prefix}{i}"] for i in range(len(stored.files)) if f"{prefix}{i}" in stored.files]
    return found if len(found) > 1 else found[0]


def assert_close(actual, expected, tolerance):
    for a, b in zip(
        actual if isinstance(actual, list) else [actual], expected if isinstance(expected, list) else [expected]
    ):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", MODELS)
def test_files_of_others_predict_the_same_and_train_on(writer, name):
    path = GOLDEN / f"{writer}_{name}.h5"
    model = keras.models.load_model(path)
    x, y = arrays(path, "x"), arrays(path, "y")
    assert_close(model.predict(x, verbose=0), arrays(path, "out"), 1e-5)
    size = len(x[0]) if isinstance(x, list) else len(x)
    model.fit(x, y, epochs=1, batch_size=size, shuffle=False, verbose=0)
    # One step with the loaded optimizer state and compile arguments ends where the other one's did.
    assert_close(model.predict(x, verbose=0), arrays(path, "trained"), 1e-4)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["graph", "recurrent"])
def test_weights_in_the_newer_layout(writer, name):
    model = keras.models.load_model(GOLDEN / f"{writer}_{name}.h5", compile=False)
    expected = model.get_weights()
    model.set_weights([0 * w for w in expected])
    model.load_weights(GOLDEN / f"{writer}_{name}.weights.h5")
    for a, b in zip(model.get_weights(), expected):
        np.testing.assert_array_equal(a, b)
    other = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"shape|another model|holds nothing"):
        other.load_weights(GOLDEN / f"{writer}_{name}.weights.h5")
    for a, b in zip(other.get_weights(), before):
        np.testing.assert_array_equal(a, b)
