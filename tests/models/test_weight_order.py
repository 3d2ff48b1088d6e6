"""The order of weights follows from the model alone: nothing that training does or keeps changes it."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.zeros((8, 2), "float32")
NAMES = ["d/kernel", "d/bias", *(f"b1/{n}" for n in ("gamma", "beta", "moving_mean", "moving_variance"))]
NAMES += [f"b2/{n}" for n in ("gamma", "beta", "moving_mean", "moving_variance")]  # as Keras 3 lists them


def chain():
    return [
        layers.Dense(2, name="d"),
        layers.BatchNormalization(name="b1"),
        layers.ReLU(),
        layers.BatchNormalization(name="b2"),
    ]


def sequential():
    return keras.Sequential([keras.Input((3,)), *chain()])


def functional():
    x = inputs = keras.Input((3,))
    for layer in chain():
        x = layer(x)
    return keras.Model(inputs, x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.tracker = keras.metrics.Mean(name="tracker")
        self.own_optimizers = [keras.optimizers.Adam()]
        self.parts = chain()

    def call(self, x):
        for layer in self.parts:
            x = layer(x)
        return x


def subclassed():
    model = Subclassed()
    model(X)
    return model


def names(model):
    return ["/".join(v.path.split("/")[-2:]) for v in model.weights]


class Spy(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        assert names(self.model) == NAMES


@pytest.mark.parametrize("make", [sequential, functional, subclassed])
def test_training_leaves_the_order_alone(make):
    model = make()
    assert names(model) == NAMES
    before = [np.arange(w.size, dtype="float32").reshape(w.shape) + 10 * i for i, w in enumerate(model.get_weights())]
    model.set_weights(before)
    penalty = keras.Variable(2.0)
    model.compile("adam", loss=["mse"], metrics=[keras.metrics.MeanSquaredError()], loss_weights=[penalty])
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)
    model.fit(X, Y, verbose=0, callbacks=[Spy(), keras.callbacks.ReduceLROnPlateau(monitor="loss")])
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert names(model) == NAMES
    fresh = make()
    fresh.set_weights(model.get_weights())
    np.testing.assert_allclose(fresh.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_a_layer_that_compile_gets_is_no_part_of_the_model():
    features = layers.Dense(4, name="features")
    features.build((None, 2))

    def perceptual(t, p):
        return ((features(t) - features(p)) ** 2).mean(-1)

    perceptual.layers = [features]
    model = functional()
    model.compile("sgd", loss=perceptual, loss_weights=[keras.Variable(1.0)], metrics=[features])
    assert names(model) == NAMES and features not in model.sublayers()


def test_a_compiled_model_inside_another():
    inner = functional()
    inner.compile("adam", "mse")
    inner.fit(X, Y, verbose=0)
    inputs = keras.Input((3,))
    outer = keras.Model(inputs, layers.Dense(1, name="head")(inner(inputs)))
    outer.compile("adam", "mse")
    assert names(outer) == [*NAMES, "head/kernel", "head/bias"]


def test_the_order_outlives_trainable():
    model = functional()
    model.compile("adam", "mse")
    model.layers[1].trainable = False
    assert names(model) == NAMES
    frozen = ["/".join(v.path.split("/")[-2:]) for v in model.non_trainable_weights]
    assert frozen == NAMES[:2] + NAMES[4:6] + NAMES[8:]  # as Keras 3 lists them


@pytest.mark.parametrize("written, read", [(False, True), (True, False), (True, True)])
def test_a_weights_file_fits_before_and_after_compile(tmp_path, written, read):
    model, other = functional(), functional()
    if written:
        model.compile("adam", "mse")
        model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "of.weights.h5")
    if read:
        other.compile("adam", "mse")
    other.load_weights(tmp_path / "of.weights.h5")
    for a, b in zip(other.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)


class Mixed(layers.Layer):
    def __init__(self):
        super().__init__()
        self.v = keras.Variable(1.0, name="v")
        self.sub = layers.Dense(1, name="sub")
        self.fixed = keras.Variable(1.0, name="fixed", trainable=False)

    def build(self, input_shape):
        self.a = self.add_weight(name="a", shape=(1,), trainable=False)
        self.add_weight(name="b", shape=(1,))
        self.some = [keras.Variable(2.0, name="l")]
        self.sub.build(input_shape)

    def call(self, x):
        return self.sub(x) * self.v


def test_a_layers_own_weights_keep_the_order_in_which_they_were_made():
    layer = Mixed()
    layer(X)
    wanted = ["v", "b", "l", "fixed", "a", "kernel", "bias"]  # as Keras 3 lists them, also with v frozen
    assert [v.name for v in layer.weights] == wanted
    layer.v.trainable = False
    assert [v.name for v in layer.weights] == wanted
    assert [v.name for v in layer.non_trainable_weights] == ["v", "fixed", "a"]
