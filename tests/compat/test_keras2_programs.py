"""What programs for Keras 1 and 2 do with tensors, optimizers, files and versions."""

import numpy as np
import pytest

from oneiros import backend as K  # noqa: N812
from oneiros import compat, core, layers, optimizers
from oneiros.compat import detection, generations
from oneiros.models import Model, Sequential


@pytest.fixture(params=["1", "2"])
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


# --- dimensions


def test_dimensions_have_values(generation):
    x = layers.Input((5, 7))
    assert (x.shape[1].value, x.get_shape()[-1].value, x.get_shape()[0].value) == (5, 7, None)
    assert x.shape[0] is None and x.get_shape()[0] == None and not x.get_shape()[0]  # noqa: E711
    assert [d.value for d in x.shape[1:]] == [5, 7] and x.get_shape().as_list() == [None, 5, 7]
    assert K.zeros((2, 3)).get_shape()[1].value == K.zeros((2, 3)).shape[1].value == 3
    flat = layers.Lambda(lambda a: K.reshape(a, (-1, a.shape[1].value * a.get_shape()[2].value)))(x)
    model = Model(x, layers.Dense(flat.shape[1], use_bias=False, kernel_initializer="identity")(flat))
    assert model.predict(np.ones((2, 5, 7))).tolist() == np.ones((2, 35)).tolist()
    assert Model.from_config(model.get_config()).layers[-1].units == 35 and '"units": 35' in model.to_json()
    assert repr(tuple(x.shape)) == "(None, 5, 7)" and repr(x.get_shape()[0]) == "?"


def test_dimensions_are_numbers_elsewhere():
    for generation in ("tf", "3", "1"):
        compat.install(generation)
        assert hasattr(layers.Input((5,)).shape[1], "value") == (generation == "1")
    compat.uninstall()
    assert type(layers.Input((5,)).shape[1]) is type(core.Variable([1.0]).shape[0]) is int


# --- losses that ask for the layer


def test_losses_and_metrics_find_the_layer_of_their_output(generation):
    x = layers.Input((3,))
    dense = layers.Dense(2, kernel_initializer="ones", name="scores")
    hidden = layers.Dense(3, kernel_initializer="identity", use_bias=False, name="hidden")(x)
    model = Model(x, layers.Activation("linear", name="last")(dense(hidden)))
    seen = []

    def penalty(y_true, y_pred):  # the sum of what the layer before got, found by way of the output
        layer, index, place = y_pred._keras_history
        seen.append((layer.name, index, place))
        before = layer._inbound_nodes[index].input_tensors[0]._keras_history[0]
        return K.sum(before._inbound_nodes[0].input_tensors[0]) + 0 * K.sum(y_pred)

    model.compile("sgd", penalty, metrics=[penalty])
    assert model.train_on_batch(np.ones((4, 3)), np.ones((4, 2))) == pytest.approx([12, 12])
    assert set(seen) == {("last", 0, 0)}
    with pytest.raises(AttributeError, match="_keras_history"):
        layers.Lambda(lambda a: a._keras_history)(layers.Input((2,)) * K.variable(1.0))


# --- optimizers of the program's own


class Momentum(optimizers.Optimizer):
    """As programs for Keras 2 write them, with the backend's functions."""

    def __init__(self, lr=0.1, make=K.zeros, **kwargs):
        super().__init__(**kwargs)
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.lr = K.variable(lr, name="lr")
        self.make, self.runs = make, 0

    def get_updates(self, loss, params):
        self.runs += 1
        gradients = self.get_gradients(loss, params)
        self.updates.append(K.update_add(self.iterations, 1))
        moments = [self.make(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, gradients, moments):
            v = 0.9 * m + g
            self.updates += [K.update(m, v), K.update(p, p - self.lr * v)]
        return self.updates


@pytest.mark.parametrize("make", [K.zeros, lambda shape: K.variable(np.zeros(shape))], ids=["zeros", "variable"])
def test_models_share_an_optimizer_of_the_programs_own(generation, make):
    shared, found = Momentum(make=make), []
    models = [Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")]) for _ in range(2)]
    for model in models:
        model.compile(shared, "mse")
    for model in [*models, *models]:
        model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
        found.append(model.get_weights()[0][0, 0])
    w, b, m = 1.0, 0.0, 0.0  # in NumPy: all three gradients are the same
    expected = []
    for _ in range(2):
        m = 0.9 * m + 2 * (2 * w + b - 1)
        w, b = w - 0.1 * m, b - 0.1 * m
        expected += [w, w]
    np.testing.assert_allclose(found, sorted(expected, reverse=True), rtol=1e-5)
    assert K.get_value(shared.iterations) == 4 and shared.runs == 2
    assert len(shared.updates) == 0


def test_a_frozen_model_inside_has_updates_of_its_own(generation):
    shared = Momentum()
    judge = Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
    judge.compile(shared, "mse")
    judge.trainable = False
    maker = Sequential([layers.Dense(2, input_shape=(3,), kernel_initializer="ones")])
    z = layers.Input((3,))
    both = Model(z, judge(maker(z)))
    both.compile(shared, "mse")
    start = judge.get_weights()[0], maker.get_weights()[0]
    both.train_on_batch(np.ones((4, 3)), np.ones((4, 1)))
    assert (judge.get_weights()[0] == start[0]).all() and (maker.get_weights()[0] != start[1]).all()


# --- versions of Keras 2


@pytest.mark.parametrize(
    ("version", "says", "names", "epsilon", "activation"),
    [
        ("2.0", "2.0.8", ["acc", "mean_squared_error"], 1e-8, "hard_sigmoid"),
        ("2.1.6", "2.1.4", ["acc", "mean_squared_error"], 1e-7, "hard_sigmoid"),
        ("2.2.4", "2.2.4", ["acc", "mean_squared_error"], 1e-7, "hard_sigmoid"),
        ("2.3.1", "2.3.1", ["accuracy", "mse"], 1e-7, "sigmoid"),
        ("2.4.0", "2.15.0", ["accuracy", "mse"], 1e-7, "sigmoid"),
    ],
)
def test_version(version, says, names, epsilon, activation):
    compat.install(version)
    try:
        import keras

        assert keras.__version__ == says
        model = Sequential([layers.Dense(1, input_shape=(2,))])
        model.compile("adam", "mse", metrics=["accuracy", "mse"])
        history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).history
        assert sorted(history) == sorted(["loss", *names])
        assert optimizers.Adam().epsilon == optimizers.Nadam().epsilon == pytest.approx(epsilon)
        assert layers.LSTM(3).get_config()["recurrent_activation"] == activation
        assert layers.ConvLSTM2D(3, 3).get_config()["recurrent_activation"] == "hard_sigmoid"
    finally:
        compat.uninstall()
    assert layers.LSTM(3).get_config()["recurrent_activation"] == "sigmoid"


def test_weighted_losses_of_version_2_3():
    model = Sequential([layers.Dense(1, input_shape=(1,), kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    data = np.ones((4, 1)), np.array([[1.0], [2.0], [3.0], [4.0]])
    for version, expected in (("2.2", (1 + 4) / 2), ("2.3", (1 + 4) / 4)):  # the mean over those that count, or all
        compat.install(version)
        model.compile("sgd", "mse")
        assert model.evaluate(*data, sample_weight=np.array([1, 1, 0, 0]), verbose=0) == pytest.approx(expected)
    compat.uninstall()


def test_defaults_of_a_version_are_those_of_its_generation_but_for_what_changed():
    of = generations.DEFAULTS_OF
    assert of["GRU"]["2.3"] == {"reset_after": False} and of["GRU"]["2.2"] == of["GRU"]["2"]
    assert of["Adam"]["2.0"] == {"epsilon": 1e-8} and of["Adam"].get("2.3", {}) == {}
    assert set(generations.POINTS["2.3"]) <= set(generations.BEHAVIOUR)


@pytest.mark.parametrize("version", ["4", "2.x", "tf2", "2.1.4.0", ""])
def test_versions_that_there_are_not_are_refused(version):
    with pytest.raises(ValueError, match="such as '2.3'"):
        compat.install(version)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plot(history.history['val_accuracy'])", "2.3"),
        ("if logs.get('accuracy') > 0.99: stop()", "2.3"),
        ("ModelCheckpoint('w.{epoch:02d}-{val_accuracy:.2f}.h5')", "2.3"),
        ("plot(history.history['acc'])", "2"),
        ("h = history.history; a = h['acc'] if old else history.history['accuracy']", "2.3"),
        ("a = log['acc'] if old else log['accuracy']", "2"),
        ("results['accuracy'] = 1", "2"),
        ("model.fit(x, y, nb_epoch=2); print(history.history['accuracy'])", "1"),
    ],
)
def test_the_names_of_logs_tell_the_version(line, expected):
    assert detection.detect_text("from keras.models import Sequential\n" + line)[0] == expected
    if expected != "1":
        assert detection.detect_text("from tensorflow.keras.models import Sequential\n" + line)[0] == "tf"


# --- states of recurrent layers


@pytest.mark.parametrize("wrapped", [False, True])
def test_states_of_layers_are_updates(generation, wrapped):
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    first = layers.LSTM(3, stateful=True, return_sequences=True, dropout=0.5)
    a = layers.Input(batch_shape=(2, 4, 3))
    b = (layers.Bidirectional(first) if wrapped else first)(a)
    model = Model(a, layers.Dense(1)(layers.GRU(2, stateful=True)(b)))
    assert len(model.state_updates) == (5 if wrapped else 3)
    assert len(model.layers[1].updates) == (4 if wrapped else 2) and len(model.updates) == len(model.state_updates)
    expected = [model.predict(x, batch_size=2) for _ in range(2)]
    assert not np.allclose(*expected)
    model.reset_states()
    without = K.function([model.input, K.learning_phase()], [model.output])
    found = [without([x, 0])[0] for _ in range(2)]
    np.testing.assert_allclose(found, [expected[0]] * 2, rtol=1e-5)  # nothing was updated
    updating = K.function([model.input, K.learning_phase()], [model.output], updates=model.state_updates)
    np.testing.assert_allclose([updating([x, 0])[0] for _ in range(2)], expected, rtol=1e-5)


def test_states_of_a_frozen_model_move(generation):
    model = Sequential([layers.LSTM(3, stateful=True, batch_input_shape=(2, 4, 3))])
    model.trainable = False
    a, b = (model.predict(np.ones((2, 4, 3)), batch_size=2) for _ in range(2))
    assert not np.allclose(a, b)
