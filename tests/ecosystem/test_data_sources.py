"""Batches from other packages give what the arrays give: losses, metrics and predictions."""

import numpy as np
import pytest

import oneiros as keras

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4)).astype("float32")
Y = (X @ np.arange(4.0)[:, None]).astype("float32")
pytestmark = pytest.mark.filterwarnings("ignore")  # those of the packages themselves


def _model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.fixture(scope="module")
def expected():
    model = _model()
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
    return history, model.evaluate(X, Y, batch_size=16, verbose=0), model.predict(X, batch_size=16, verbose=0)


def check(expected, make, inputs=None):
    """`make` and `inputs` make sources of batches of pairs and of inputs alone."""
    model = _model()
    history = model.fit(make(), epochs=2, verbose=0, validation_data=make()).history
    assert history.keys() == expected[0].keys()
    for name, values in history.items():
        np.testing.assert_allclose(values, expected[0][name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(model.evaluate(make(), verbose=0), expected[1], rtol=1e-5)
    np.testing.assert_allclose(model.predict((inputs or make)(), verbose=0), expected[2], rtol=1e-5, atol=1e-6)


# --- PyTorch


def test_loaders_of_pytorch(expected):
    torch = pytest.importorskip("torch")
    data = torch.utils.data

    class Pairs(data.Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, index):
            return X[index], Y[index]

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y))

    tensors = data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    for source in (tensors, Pairs(), Stream()):
        check(expected, lambda source=source: data.DataLoader(source, batch_size=16))
    check(expected, lambda: data.DataLoader(Pairs(), batch_size=16), lambda: data.DataLoader(X, batch_size=16))


# --- Grain


def test_grain(expected):
    grain = pytest.importorskip("grain")
    pairs = list(zip(X, Y))
    check(expected, lambda: grain.MapDataset.source(pairs).batch(16))
    check(expected, lambda: grain.MapDataset.source(pairs).to_iter_dataset().batch(16))
    history = _model().fit(grain.MapDataset.source(pairs).repeat().batch(10), steps_per_epoch=5, verbose=0).history
    arrays = _model().fit(X, Y, batch_size=10, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], arrays["loss"], rtol=1e-5)
    check(expected, lambda: grain.MapDataset.source(pairs).batch(16), lambda: grain.MapDataset.source(X).batch(16))


def test_the_loader_of_grain(expected):
    grain = pytest.importorskip("grain.python")

    def make():
        sampler = grain.IndexSampler(50, grain.NoSharding(), shuffle=False, num_epochs=1)
        return grain.DataLoader(data_source=list(zip(X, Y)), sampler=sampler, operations=[grain.Batch(16)])

    check(expected, make)


# --- Hugging Face


def _datasets():
    found = pytest.importorskip("datasets")
    if not hasattr(found, "Dataset"):  # a folder of tests is called so
        pytest.skip("datasets is not installed")
    return found


def test_hugging_face(expected):
    datasets = _datasets()
    source = datasets.Dataset.from_dict({"x": X, "y": Y}).with_format("numpy")
    model = _model()
    history = model.fit(source["x"][:], source["y"][:], batch_size=16, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected[0]["loss"], rtol=1e-5)

    def batches():
        while True:
            yield from ((batch["x"], batch["y"]) for batch in source.iter(batch_size=16))

    model = _model()
    history = model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected[0]["loss"], rtol=1e-5)


def test_hugging_face_through_a_loader(expected):
    datasets, torch = _datasets(), pytest.importorskip("torch")
    source = datasets.Dataset.from_dict({"x": X, "y": Y}).with_format("torch")

    def pairs(rows):
        return torch.stack([row["x"] for row in rows]), torch.stack([row["y"] for row in rows])

    check(expected, lambda: torch.utils.data.DataLoader(source, batch_size=16, collate_fn=pairs))


# --- TensorFlow


def test_tf_data(expected):
    tf = pytest.importorskip("tensorflow")
    pairs = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    inputs = tf.data.Dataset.from_tensor_slices(X).batch(16)
    check(expected, lambda: pairs.prefetch(2), lambda: inputs)
    check(expected, lambda: pairs.map(lambda x, y: (x, y)).cache())
    history = _model().fit(pairs.repeat(), steps_per_epoch=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected[0]["loss"], rtol=1e-5)
    weights = np.linspace(0, 1, 50).astype("float32")
    weighted = tf.data.Dataset.from_tensor_slices((X, Y, weights)).batch(16)
    wanted = _model().fit(X, Y, sample_weight=weights, batch_size=16, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(_model().fit(weighted, verbose=0).history["loss"], wanted, rtol=1e-5)
    layer = keras.layers.Normalization()
    layer.adapt(inputs)
    np.testing.assert_allclose(np.ravel(layer.mean), X.mean(0), rtol=1e-4, atol=1e-6)
    history = _model().fit(tf.constant(X), tf.constant(Y), batch_size=16, shuffle=False, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected[0]["loss"], rtol=1e-5)
