"""Copies and pickles of models: the same outputs, weights of their own, training that goes on."""

import copy
import pickle

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers

X = np.random.RandomState(0).standard_normal((8, 4)).astype("float32")


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, x):
        return self.dense(x)


def shared():
    x = keras.Input((4,))
    dense = layers.Dense(4, activation="relu")
    inner = keras.Sequential([layers.Dense(4, input_shape=(4,))])
    return keras.Model(x, layers.Add()([dense(x), inner(dense(x))]))


def trained(make):
    model = make()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(X, X, verbose=0)
    return model


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("make", [lambda: keras.Sequential([layers.Dense(4)]), shared, Own])
def test_copies_compute_and_train_on_their_own(make, copied):
    model = trained(make)
    before = model.predict(X, verbose=0)
    other = copied(model)
    np.testing.assert_array_equal(other.predict(X, verbose=0), before)
    continued = other.fit(X, X, verbose=0).history["loss"]
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    np.testing.assert_allclose(model.fit(X, X, verbose=0).history["loss"], continued, rtol=1e-6)


def test_the_graph_of_a_copy_is_its_own():
    model = shared()
    other = copy.deepcopy(model)
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    part = keras.Model(other.input, other.layers[1].get_output_at(0))
    assert part.layers[1] is other.layers[1]
    assert not {id(layer) for layer in other.layers} & {id(layer) for layer in model.layers}


def test_deep_models():
    x = keras.Input((1,))
    y = x
    for _ in range(400):
        y = layers.Activation("relu")(y)
    other = pickle.loads(pickle.dumps(keras.Model(x, y)))
    assert len(other.layers) == 401
    assert other.layers[200].input is other.layers[199].output
