"""Copies and pickles of models: the same outputs, weights of their own, training that goes on."""

import copy
import pickle

import numpy as np
import pytest

import oneiros as keras
from oneiros import backend as K
from oneiros import layers, ops

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


FORMULAS = {
    "x * 2 + 1": (lambda x: x * 2 + 1, lambda x: x * 2 + 1),
    "1 / x": (lambda x: 1 / x, lambda x: 1 / x),
    "-x[:, 1:]": (lambda x: -x[:, 1:], lambda x: -x[:, 1:]),
    "ops": (lambda x: ops.where(x > 1, ops.exp(x), x), lambda x: np.where(x > 1, np.exp(x), x)),
    "K": (lambda x: K.sum(K.square(x), axis=1, keepdims=True), lambda x: np.sum(x * x, 1, keepdims=True)),
}


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_copies_of_models_with_formulas(formula, copied):
    """Pickle finds functions by their names, where the ops are that take symbols too."""
    symbolic, numbers = FORMULAS[formula]
    x = keras.Input((3,))
    model = copied(keras.Model(x, symbolic(x)))
    values = np.array([[0.5, 1.0, 2.0], [1.5, 3.0, 0.25]], "float32")
    np.testing.assert_allclose(model.predict(values, verbose=0), numbers(values), rtol=1e-5)
    assert (model.output + 1).shape == model.output.shape  # the copy's graph can go on
