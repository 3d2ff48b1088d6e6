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
