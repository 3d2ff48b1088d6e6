"""Every kind of data that fit takes, and what is said about data that it cannot take."""

import threading

import h5py
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy

import oneiros as keras
from oneiros import layers
from oneiros.core.errors import InputDataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = RNG.normal(size=(12, 1)).astype("float32")


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((3,), name="features"), layers.Dense(1, name="answer")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@pytest.fixture(scope="module")
def start(model):
    return model.get_weights()


@pytest.fixture(scope="module")
def trained(model, start):
    """The weights after an epoch on plain arrays."""
    model.set_weights(start)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    return model.get_weights()


class Batches(keras.utils.Sequence):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


class Loader:
    """What a PyTorch DataLoader looks like from outside: tensors with numpy(), a data set, a length."""

    dataset = range(12)

    class Tensor:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.array, dtype)

    def __len__(self):
        return 3

    def __iter__(self):
        for i in range(3):
            yield [self.Tensor(X[4 * i : 4 * i + 4]), self.Tensor(Y[4 * i : 4 * i + 4])]


class Dataset:
    """What a tf.data.Dataset looks like from outside."""

    def cardinality(self):
        return np.int64(3)

    def as_numpy_iterator(self):
        return ((X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]) for i in range(3))

    def __iter__(self):
        raise AssertionError("as_numpy_iterator is the way")


def endless():
    while True:
        for i in range(3):
            yield X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


ARRAYS = {
    "numpy float64": (X.astype("float64"), Y.astype("float64")),
    "jax": (jnp.asarray(X), jnp.asarray(Y)),
    "lists": (X.tolist(), Y.tolist()),
    "list of one array": ([X], [Y]),
    "dictionaries": ({"features": X}, {"answer": Y}),
    "pandas": (pd.DataFrame(X), pd.Series(Y[:, 0])),
    "scipy sparse": (scipy.sparse.csr_matrix(X), Y),
    "targets without the last axis": (X, Y[:, 0]),
}
BATCHES = {
    "generator": lambda: endless(),
    "sequence": lambda: Batches(),
    "data loader": lambda: Loader(),
    "tf.data": lambda: Dataset(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_array_likes(model, start, trained, kind):
    model.set_weights(start)
    x, y = ARRAYS[kind]
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), trained):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert model.predict(x, verbose=0).shape == (12, 1)
    assert model.evaluate(x, y, verbose=0) > 0


@pytest.mark.parametrize("kind", BATCHES)
def test_what_yields_batches(model, start, trained, kind):
    model.set_weights(start)
    model.fit(BATCHES[kind](), steps_per_epoch=3, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), trained):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    plain = model.evaluate(X, Y, verbose=0)
    assert model.evaluate_generator(BATCHES[kind](), steps=3) == pytest.approx(plain, rel=1e-5)
    outputs = model.predict_generator(BATCHES[kind](), steps=3)
    np.testing.assert_allclose(outputs, model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_hdf5_data_sets_are_read_batch_by_batch(model, start, trained, tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = X, Y
    with h5py.File(path) as file:
        model.set_weights(start)
        model.fit(file["x"], file["y"], batch_size=4, shuffle=False, verbose=0)
        for a, b in zip(model.get_weights(), trained):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        model.fit(file["x"], file["y"], batch_size=4, shuffle="batch", verbose=0)
        model.fit(file["x"], file["y"], batch_size=4, shuffle=True, verbose=0)
    matrix = keras.utils.HDF5Matrix(str(path), "x", 0, 12)
    assert model.predict(matrix, verbose=0).shape == (12, 1)


def test_a_generator_goes_on_in_the_next_epoch_and_may_end(model):
    seen = []

    def source():
        for i in range(5):
            seen.append(i)
            yield X[:4], Y[:4]

    with pytest.warns(UserWarning, match="ended after 1 of 2 steps"):
        history = model.fit(source(), steps_per_epoch=2, epochs=4, verbose=0)
    assert seen == [0, 1, 2, 3, 4]
    assert len(history.epoch) == 3


def test_int_images_are_converted_on_the_way(model):
    images = RNG.integers(0, 255, (8, 4, 4, 1), dtype=np.uint8)
    net = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)])
    net.compile("sgd", "mse")
    w, b = net.get_weights()
    np.testing.assert_allclose(net.predict(images, verbose=0), images.reshape(8, -1) @ w + b, rtol=1e-3, atol=1e-2)


WRONG = {
    "shape": (lambda: (X[:, :2], Y), r"features: expected an array of shape \(None, 3\).*\(12, 2\)"),
    "rank": (lambda: (X[0], Y[0]), "features: expected"),
    "strings": (lambda: (np.array([["a"] * 3] * 12), Y), "dtype <U1"),
    "objects": (lambda: (np.array([[1], [1, 2]] * 6, dtype=object), Y), "object"),
    "complex": (lambda: (X.astype("complex64"), Y), "complex64"),
    "empty": (lambda: (X[:0], Y[:0]), "empty"),
    "lengths": (lambda: (X, Y[:10]), r"same number of samples.*12.*10"),
    "broadcasting targets": (lambda: (X, np.zeros((12, 2), "float32")), r"1.*2|2.*1"),
    "broadcasting targets (n, n)": (lambda: (X, np.zeros((12, 12), "float32")), "12"),
    "too many inputs": (lambda: ([X, X], Y), r"expects 1 input"),
    "unknown input": (lambda: ({"feature": X}, Y), "features"),
    "nothing": (lambda: (None, Y), "no data"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_data_that_does_not_fit_is_told_and_costs_nothing(model, kind):
    make, message = WRONG[kind]
    x, y = make()
    before = model.get_weights()
    with pytest.raises(InputDataError, match=message):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(model.predict(X, verbose=0)).all()


ARGUMENTS = {
    "batch_size=0": ({"batch_size": 0}, "batch_size"),
    "batch_size=-1": ({"batch_size": -1}, "batch_size"),
    "epochs=-1": ({"epochs": -1}, "epochs"),
    "validation_split=-0.1": ({"validation_split": -0.1}, "validation_split"),
    "validation_split=1": ({"validation_split": 1.0}, "validation_split"),
    "short weights": ({"sample_weight": np.ones(11)}, r"sample_weight.*\(11,\)"),
    "flat weights": ({"sample_weight": np.ones((12, 2))}, "sample_weight"),
    "negative weights": ({"sample_weight": -np.ones(12)}, "negative"),
    "named classes": ({"class_weight": {"a": 1.0}}, "integers"),
}


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_out_of_range(model, kind):
    arguments, message = ARGUMENTS[kind]
    with pytest.raises(InputDataError, match=message):
        model.fit(X, Y, verbose=0, **arguments)


def test_labels_and_indices_out_of_range():
    model = keras.Sequential([layers.Embedding(10, 4, input_length=2), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = RNG.integers(0, 10, (6, 2)), np.arange(6) % 3
    model.fit(x, y, verbose=0)
    for bad, message in ((3, r"label 3 not in \[0, 3\)"), (-1, r"label -1 not in \[0, 3\)"), (0.7, "not an integer")):
        labels = y.astype("float32")
        labels[4] = bad
        with pytest.raises(InputDataError, match=message):
            model.fit(x, labels, verbose=0)
    for bad in (10, -1):
        indices = x.copy()
        indices[3, 1] = bad
        with pytest.raises(InputDataError, match=rf"index {bad} in row 3.*\[0, 10\)"):
            model.predict(indices, verbose=0)
    fractions = x.astype("float32")
    model.predict(fractions, verbose=0)
    fractions[3, 1] = 0.5
    with pytest.raises(InputDataError, match="index 0.5 in row 3 of the input is not a whole number"):
        model.predict(fractions, verbose=0)
    with pytest.raises(InputDataError, match="index 0.5 of the input is not a whole number"):
        model.layers[0](fractions)
    with pytest.raises(InputDataError, match=r"no weight for the classes \[2\]"):
        model.fit(x, y, verbose=0, class_weight={0: 1.0, 1: 1.0})


def test_a_broken_batch_is_named(model):
    def mismatched():
        yield X[:4], Y[:4]
        yield X[:4], Y[:3]

    with pytest.raises(InputDataError, match="Batch 1 of generator"):
        model.fit(mismatched(), steps_per_epoch=2, verbose=0)
    with pytest.raises(InputDataError, match="empty"):
        model.fit(iter([]), verbose=0)


def test_an_exception_in_a_generator_or_callback_leaves_the_last_good_weights(model):
    class Fails(keras.callbacks.Callback):
        ended = None

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyError("callback")

        def on_exception(self, error):
            self.ended = error

    failing = Fails()
    with pytest.raises(KeyError, match="callback"):
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[failing])
    assert isinstance(failing.ended, KeyError)

    def source():
        yield X[:4], Y[:4]
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        model.fit(source(), steps_per_epoch=3, verbose=0)
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_two_models_train_in_two_threads():
    models = [keras.Sequential([keras.Input((3,)), layers.Dense(1)]) for _ in range(2)]
    alone = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    for m in (*models, alone):
        m.compile(keras.optimizers.SGD(0.1), "mse")
        m.set_weights(models[0].get_weights())
    alone.fit(X, Y, epochs=5, shuffle=False, verbose=0)
    fit = {"epochs": 5, "shuffle": False, "verbose": 0}
    threads = [threading.Thread(target=m.fit, args=(X, Y), kwargs=fit) for m in models]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for m in models:
        np.testing.assert_allclose(m.get_weights()[0], alone.get_weights()[0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Model .* has no trainable weights")
@pytest.mark.parametrize("callbacks", [[], [keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: None)]])
def test_a_generator_may_fill_the_same_arrays_again(callbacks):
    """The arrays are large and aligned, so that JAX would read them in place, after the generator went on."""
    rows, width = 64, 4096
    raw = np.zeros(rows * width + 16, "float32")
    start = -raw.ctypes.data // 4 % 16
    x, y = raw[start : start + rows * width].reshape(rows, width), np.zeros((rows, 1), "float32")

    def batches():
        for value in range(1, 41):
            x[:] = value
            yield x, y

    model = keras.Sequential([keras.Input((width,)), layers.Dense(1, kernel_initializer="ones", trainable=False)])
    model.compile(keras.optimizers.SGD(0.0), "mae")
    for _ in range(2):
        history = model.fit(batches(), steps_per_epoch=40, verbose=0, callbacks=callbacks)
        np.testing.assert_allclose(history.history["loss"], [20.5 * width], rtol=1e-4)
    np.testing.assert_allclose(model.evaluate(batches(), verbose=0), 20.5 * width, rtol=1e-4)
    predictions = model.predict((x for x, _ in batches()), verbose=0)
    np.testing.assert_allclose(predictions.reshape(40, rows)[:, 0], width * np.arange(1, 41), rtol=1e-4)


def test_short_steps_of_a_generator_go_together_and_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr("oneiros.training.pace._SAVED", 1.0)  # the loop pays at once
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(403, 3)).astype("float32"), rng.normal(size=(403, 1)).astype("float32")

    class Batches(keras.utils.Sequence):
        def __len__(self):
            return 101

        def __getitem__(self, i):
            return x[4 * i : 4 * i + 4], y[4 * i : 4 * i + 4]

    def train(data, **arguments):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.01), "mse")
        history = model.fit(*data, epochs=4, shuffle=False, verbose=0, **arguments)
        return model, [*model.get_weights(), history.history["loss"], model.evaluate(*data, verbose=0)]

    model, from_batches = train((Batches(),))
    assert "many" in model.training_state.steps.train.made
    _, from_arrays = train((x, y), batch_size=4)
    for a, b in zip(from_batches, from_arrays):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_generator_that_fails_leaves_the_last_step_to_the_callbacks():
    def batches():
        yield X, Y
        yield X, Y
        raise OSError("the disk is gone")

    seen = []
    watching = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(batches(), steps_per_epoch=5, verbose=0, callbacks=[watching])
    assert seen == [0, 1]


class Thrice:
    """Yields its three batches whenever it is asked, and says how many there are."""

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([(np.ones((2, 1)), np.ones((2, 1)))] * 3)


def test_what_can_be_read_again_is_read_in_each_epoch():
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(Thrice(), epochs=3, verbose=0).epoch) == 3
    assert model.optimizer.iterations.numpy() == 9
