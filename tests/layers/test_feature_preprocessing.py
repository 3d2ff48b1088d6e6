"""Normalization, bins and categories, against NumPy and numbers of tf_keras."""

import jax
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers

X = np.random.RandomState(0).normal(3, 2, (40, 3)).astype("float32")


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 10 : index * 10 + 10]


@pytest.mark.parametrize(
    "data",
    [lambda: X, lambda: X.tolist(), lambda: iter([X[:7], X[7:]]), Batches],
    ids=["array", "list", "iterator", "set"],
)
def test_statistics_of_any_data(data):
    layer = layers.Normalization()
    layer.adapt(data())
    np.testing.assert_allclose(layer.mean, X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.variance, X.var(0), rtol=1e-5)
    np.testing.assert_allclose(layer(X), (X - X.mean(0)) / X.std(0), atol=1e-5)
    np.testing.assert_allclose(jax.jit(layer)(X), layer(X), atol=1e-6)


@pytest.mark.parametrize("axis, over", [(0, (1, 2)), ((1, -1), (0,)), (None, (0, 1, 2)), (-2, (0, 2))])
def test_axes_that_keep_statistics(axis, over):
    x = X[:36].reshape(3, 4, 9)
    layer = layers.Normalization(axis=axis)
    layer.adapt(x)
    np.testing.assert_allclose(layer(x), (x - x.mean(over, keepdims=True)) / x.std(over, keepdims=True), atol=1e-4)


def test_normalization_again_inverted_and_known():
    layer = layers.Normalization()
    layer.adapt(X + 5)
    layer.adapt(X)
    inverse = layers.Normalization(mean=np.asarray(layer.mean), variance=np.asarray(layer.variance), invert=True)
    np.testing.assert_allclose(inverse(layer(X)), X, rtol=1e-4)
    assert not inverse.weights
    copy = layers.Normalization.from_config(inverse.get_config())
    np.testing.assert_allclose(copy(X), inverse(X), rtol=1e-6)
    assert layers.Normalization(mean=0.0, variance=0.0)(np.ones((1, 1))).tolist() == [[1e7]]
    with pytest.raises(ValueError, match="both mean and variance"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="cannot adapt"):
        inverse.adapt(X)
    with pytest.raises(ValueError, match="axis: expected numbers from -2 to 1"):
        layers.Normalization(axis=2).build((None, 3))
    with pytest.raises(ValueError, match="expected batches of inputs alone"):
        layers.Normalization().adapt(iter([{"a": X}]))
    with pytest.raises(ValueError, match="no batches"):
        layers.Normalization().adapt(iter([]))
    with pytest.raises(ValueError, match="normalization"):
        layer(np.ones((2, 4)))


def test_batches_with_targets_and_lists_of_batches():
    whole, target = layers.Normalization(), np.zeros(2)
    whole.adapt(X)
    for data in (
        iter([(X[:2], target), (X[2:], target)]),
        [X[:2], X[2:]],
        [(X[:2], target), (X[2:], target)],
    ):
        layer = layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer(X), whole(X), rtol=1e-5)


def test_shapes_of_bins():
    layer = layers.Discretization([0.0, 1.0], output_mode="one_hot")
    assert layer.compute_output_shape(()) == (1, 3) == layer(np.float32(0.5)).shape
    assert layer.compute_output_spec(keras.Input((3, 4))).shape == (None, 3, 4, 3)


def test_statistics_survive_training_and_files(tmp_path):
    layer = layers.Normalization()
    layer.adapt(X)
    model = keras.Sequential([keras.Input((3,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    np.testing.assert_allclose(layer.mean, X.mean(0), rtol=1e-5)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)


def test_bins():
    x = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    layer = layers.Discretization(bin_boundaries=[2.0, 0.0, 1.0])
    assert layer(x).tolist() == np.digitize(x, [0, 1, 2]).tolist() and layer(x).dtype == "int32"
    assert layers.Discretization([0.0, 1.0], output_mode="count")(x).tolist() == [[1, 1, 2], [0, 2, 2]]
    assert layers.Discretization([0.0, 1.0], output_mode="one_hot")(x[:, :1]).tolist() == [[1, 0, 0], [0, 1, 0]]
    model = keras.Sequential([keras.Input((4,)), layers.Discretization([0.0, 1.0], output_mode="multi_hot")])
    assert model.predict(x, verbose=0).tolist() == [[1, 1, 1], [0, 1, 1]] and model.output_shape == (None, 3)


@pytest.mark.parametrize(
    "data, bins, expected",  # what tf_keras chooses
    [
        (np.arange(100.0), 4, [24, 49, 74]),
        (np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]]), 4, [0, 0.5, 1.3]),
        (np.arange(11.0), 2, [4.5]),
        (np.array([1.0, 1, 1, 2]), 3, [1, 1]),
        (np.arange(3.0), 6, [0, 1]),
    ],
)
def test_bins_of_data(data, bins, expected):
    layer = layers.Discretization(num_bins=bins)
    with pytest.raises(ValueError, match="no boundaries yet"):
        layer(data)
    layer.adapt(data)
    np.testing.assert_allclose(layer.bin_boundaries, expected, rtol=1e-5)
    assert layers.Discretization.from_config(layer.get_config()).bin_boundaries == layer.bin_boundaries
    layer.reset_state()
    assert layer.bin_boundaries is None


def test_categories():
    ids = np.array([[3, 2, 0, 1, 1], [1, 1, 2, 0, 0]])
    one_hot = np.eye(4)[ids]
    make = lambda mode: layers.CategoryEncoding(num_tokens=4, output_mode=mode)  # noqa: E731
    assert make("one_hot")(ids).tolist() == one_hot.tolist()
    assert make("multi_hot")(ids).tolist() == one_hot.max(1).tolist()
    assert make("count")(ids).tolist() == one_hot.sum(1).tolist()
    weights = np.arange(10.0).reshape(2, 5)
    assert make("count")(ids, count_weights=weights).tolist() == (one_hot * weights[..., None]).sum(1).tolist()
    for mode in ("one_hot", "multi_hot", "count"):
        for given in (ids, ids[:, :1], ids[:, 0]):
            shape = make(mode)(given).shape
            assert make(mode).compute_output_shape(given.shape) == shape
        assert jax.jit(make(mode))(ids).tolist() == make(mode)(ids).tolist()
    with pytest.raises(ValueError, match="expected numbers from 0 to num_tokens - 1 = 3"):
        make("count")(ids + 1)
    with pytest.raises(ValueError, match="count_weights needs output_mode='count'"):
        make("one_hot")(ids, count_weights=weights)
