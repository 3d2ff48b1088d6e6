"""What programs for Keras 1 and 2 do with tensors, optimizers, files and versions."""

import itertools

import h5py
import numpy as np
import pytest

from oneiros import backend as K  # noqa: N812
from oneiros import compat, core, layers, metrics, models, optimizers
from oneiros.compat import detection, generations
from oneiros.models import Model, Sequential


@pytest.fixture(params=["1", "2"])
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


@pytest.fixture
def keras2():
    compat.install("2")
    core.names.reset_uids()
    yield
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


def test_a_loss_takes_gradients_of_its_output_by_symbols(generation):  # the penalty of Gulrajani et al. 2017
    from keras.layers.merge import _Merge

    class Between(_Merge):
        def _merge_function(self, inputs):
            return 0.25 * inputs[0] + 0.75 * inputs[1]

    a, b = layers.Input((2,)), layers.Input((2,))
    between = Between()([a, b])
    critic = Sequential([layers.Dense(1, input_shape=(2,), use_bias=False)])

    def penalty(y_true, y_pred):
        gradients = K.gradients(y_pred, between)[0]
        norms = K.sqrt(K.sum(K.square(gradients), axis=np.arange(1, len(gradients.shape))))
        return K.square(1 - norms)

    model = Model([a, b], critic(between))
    model.compile(optimizers.SGD(0.1), penalty)
    critic.set_weights([np.array([[3.0], [4.0]])])  # the gradient of the output by the inputs is (3, 4), of norm 5
    loss = model.train_on_batch([np.ones((4, 2)), np.zeros((4, 2))], np.zeros((4, 1)))
    assert loss == pytest.approx(16)
    # the derivative of (1 - |w|)^2 is 2 (|w| - 1) w / |w|
    np.testing.assert_allclose(critic.get_weights()[0], [[3 - 0.1 * 8 * 0.6], [4 - 0.1 * 8 * 0.8]], rtol=1e-5)
    with pytest.raises(ValueError, match="the loss must be a symbol"):
        model.compile("sgd", lambda y_true, y_pred: K.gradients(2 * y_pred, between)[0])
        model.train_on_batch([np.ones((4, 2)), np.zeros((4, 2))], np.zeros((4, 1)))


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


# --- what programs imported from inside of Keras


def test_layers_are_made_of_keras_own_bases(keras2):
    from keras.layers.convolutional import _Conv
    from keras.layers.pooling import _GlobalPooling1D, _GlobalPooling2D, _Pooling2D

    class Powers(_GlobalPooling2D):
        def call(self, x):
            return K.sqrt(K.mean(K.square(x), axis=[1, 2]))

    class Least(_Pooling2D):
        def _pooling_function(self, inputs, pool_size, strides, padding, data_format):
            return -K.pool2d(-inputs, pool_size, strides, padding, data_format, pool_mode="max")

    class Doubled(_Conv):
        def __init__(self, filters, kernel_size, **kwargs):
            super().__init__(rank=2, filters=filters, kernel_size=kernel_size, **kwargs)

        def call(self, x):
            y = K.conv2d(x, 2 * self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
            return self.activation(K.bias_add(y, self.bias, data_format=self.data_format))

        def get_config(self):
            config = super().get_config()
            config.pop("rank")
            return config

    convolution = Doubled(1, 1, kernel_initializer="ones", input_shape=(2, 4, 1))
    model = Sequential([convolution, Least((2, 2)), Powers()])
    x = np.arange(8.0).reshape(1, 2, 4, 1)
    np.testing.assert_allclose(model.predict(x), [[np.sqrt(np.mean([0**2, 4**2]))]], rtol=1e-6)
    assert model.output_shape == (None, 1) and isinstance(convolution, layers.Layer)
    classes = {"Doubled": Doubled, "Least": Least, "Powers": Powers}
    assert models.model_from_json(model.to_json(), classes).output_shape == (None, 1)
    assert _Conv(3, 4, 2).kernel_size == (2, 2, 2) and _GlobalPooling1D(name="pool").name == "pool"


def test_networks_are_told_the_modules_of_keras(keras2):
    import keras
    from keras.applications import keras_modules_injection
    from keras_applications import get_keras_submodule, imagenet_utils, mobilenet, set_keras_submodules

    told = {"backend": keras.backend, "layers": keras.layers, "models": keras.models, "utils": keras.utils}
    set_keras_submodules(**told)
    options = {"weights": None, "input_shape": (32, 32, 3), "alpha": 0.25, "classes": 2}
    assert mobilenet.MobileNet(**options, **told).output_shape == (None, 2)
    assert keras_modules_injection(lambda **kwargs: mobilenet.MobileNet(**kwargs))(**options).output_shape == (None, 2)
    np.testing.assert_allclose(imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="tf", **told), 1)
    assert get_keras_submodule("layers").Dense(3).units == 3
    with pytest.raises(ImportError, match="Can only retrieve"):
        get_keras_submodule("engine")
    with pytest.raises(TypeError, match="unknown argument 'engine'"):
        mobilenet.MobileNet(**options, engine=None)


def test_dictionaries_in_hdf5_files(keras2, tmp_path):
    from keras.utils.io_utils import H5Dict, h5dict

    values = {"layer": {"kernel": np.eye(2), "names": ["a", "ä"]}, "version": "2.2.4", "empty": np.zeros((0, 3))}
    for target in ({}, str(tmp_path / "d.h5")):
        with H5Dict(target) as d:
            d.update(values)
            d["layer"]["bias"] = [1, 2]
            assert sorted(d) == ["empty", "layer", "version"] and len(d) == 3 and sorted(d["layer"])[0] == "bias"
            assert d["version"] == "2.2.4" and d["layer"]["names"] == ["a", "ä"] and "kernel" not in d
            assert d["layer"]["kernel"].tolist() == [[1, 0], [0, 1]] and d["empty"].shape == (0, 3)
            assert d.get("none") is None and d.get("version") == "2.2.4"
    with h5dict(tmp_path / "d.h5", "r") as d:
        assert d["layer"]["bias"].tolist() == [1, 2]
        with pytest.raises(KeyError, match="there is no 'other'"):
            d["other"]
        with pytest.raises(ValueError, match="opened for reading"):
            d["layer"]["more"] = 1
    with h5py.File(tmp_path / "d.h5") as file:
        assert H5Dict(file)["version"] == "2.2.4"
        with pytest.raises(KeyError, match="set already"):
            H5Dict(file["layer"])["kernel"] = [1]
    with pytest.raises(TypeError, match="expected a path"):
        H5Dict(3)


def test_names_that_modules_of_keras_2_import_from_each_other(keras2):
    from keras.backend.common import normalize_data_format
    from keras.backend.tensorflow_backend import _to_tensor
    from keras.callbacks.callbacks import EarlyStopping
    from keras.callbacks.tensorboard_v1 import TensorBoard
    from keras.engine.saving import pickle_model, unpickle_model
    from keras.engine.training_generator import evaluate_generator, fit_generator, predict_generator
    from keras.losses import huber_loss
    from keras.metrics import clone_metrics
    from keras.utils.generic_utils import is_all_none, transpose_shape
    from keras.utils.losses_utils import Reduction

    assert issubclass(EarlyStopping, TensorBoard.__mro__[-2]) and Reduction.SUM
    model = Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    assert (unpickle_model(pickle_model(model)).predict(x) == 2).all()
    forever = itertools.repeat((x, np.full((4, 1), 2.0)))
    assert evaluate_generator(model, forever, 1) == 0 and predict_generator(model, forever, 1).shape == (4, 1)
    assert fit_generator(model, forever, steps_per_epoch=1, verbose=0).history["loss"] == [0]
    assert huber_loss(np.zeros((1, 2)), np.array([[0.5, 3.0]])).tolist() == [pytest.approx((0.125 + 2.5) / 2)]
    assert is_all_none({"a": None}) and not is_all_none([None, 1]) and is_all_none(None)
    assert transpose_shape([1, 2, 3], "channels_last", (1,)) == [1, 2, 3]
    with pytest.raises(ValueError, match="transpose_shape"):
        transpose_shape((1, 2), "other", (1,))
    one, two = clone_metrics([metrics.Precision(name="p"), metrics.binary_accuracy])
    assert one.name == "p" and two is metrics.binary_accuracy
    x = K.placeholder((None, 3))
    assert K.get_value(K.function([x], [K.size(x)])([np.ones((2, 3))])[0]) == 6 and K.is_tensor(x)
    assert K.symbolic(len) is K.eager(len) is len and not K.is_tensor(np.ones(2))
    assert normalize_data_format(None) == "channels_last"
    assert _to_tensor([1, 2], "float32").dtype == "float32"


def test_a_model_tells_placeholders_without_a_shape_theirs(generation):
    a, b = layers.Input((3,)), layers.Input((2,))
    model = Model([a, b], layers.Dense(1, kernel_initializer="ones")(layers.Concatenate()([a, b])))
    x, y = K.placeholder(dtype="float32"), K.placeholder()
    output = model([x, y])
    assert (x.shape, y.shape, output.shape) == ((None, 3), (None, 2), (None, 1))
    assert K.int_shape(layers.Concatenate()([x, y])) == (None, 5)
    assert K.function([x, y], [output])([np.ones((4, 3)), np.ones((4, 2))])[0].tolist() == [[5.0]] * 4
    assert K.placeholder(ndim=1).shape == (None,) and K.placeholder(()).shape == K.placeholder().shape == ()
