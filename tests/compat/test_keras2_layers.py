"""Layers, activations and losses as programs for Keras 1 and 2 used them."""

import marshal

import numpy as np
import pytest

import oneiros
from oneiros import activations, compat, core, layers, optimizers
from oneiros import backend as K  # noqa: N812
from oneiros.compat import generations
from oneiros.utils.generic_utils import func_load


@pytest.fixture(params=generations.GENERATIONS)
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


def refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unlimited_arguments(generation):
    """Keras 1 and 2 take what later versions refuse: rates count as the nearest allowed one, 1 drops nothing."""
    x = np.arange(1.0, 25.0, dtype="float32").reshape(2, 4, 3)
    dropping = [layers.Dropout, layers.GaussianDropout, layers.SpatialDropout1D, layers.AlphaDropout]
    made = {
        r"(?i)dropout\w*: rate: expected a number": [lambda cls=cls, p=p: cls(p) for cls in dropping for p in (3, -1)],
        "dropout: expected a number": [
            lambda: layers.LSTM(2, dropout=3),
            lambda: layers.GRUCell(2, recurrent_dropout=2),
        ],
        "theta cannot be None or negative": [lambda: layers.ThresholdedReLU(-1.0)],
        "stddev must be at least 0": [lambda: layers.GaussianNoise(-1.0)],
        "not supported in conjunction": [lambda: layers.Conv2D(1, 2, strides=2, dilation_rate=2)],
        "smaller than the corresponding spatial": [lambda: layers.Cropping1D((2, 3))(x)],
    }
    for message, makers in made.items():
        for make in makers:
            make() if generation in "12" else refuses(make, message)
    if generation in "12":
        for layer in [cls(3) for cls in dropping] + [layers.Dropout(-1)]:
            np.testing.assert_array_equal(layer(x, training=True), x)
        assert layers.Cropping1D((2, 3))(x).shape == (2, 0, 3)
        assert layers.Cropping2D(2).compute_output_shape((None, 3, 9, 1)) == (None, 0, 5, 1)
        lstm = layers.LSTM(2, dropout=3)
        assert lstm.dropout == 1
        np.testing.assert_array_equal(lstm(x, training=True), lstm(x))


def test_negative_leaks(generation):
    if generation == "3":
        refuses(lambda: layers.LeakyReLU(-1.0), "cannot be None or negative")
    else:
        assert layers.LeakyReLU(-1.0)(np.array([[-2.0, 2.0]])).tolist() == [[2.0, 2.0]]
    refuses(lambda: layers.LeakyReLU(None), "cannot be None or negative")


def test_strided_dilation_computes_what_it_says(keras2):
    x = np.arange(7.0, dtype="float32").reshape(1, 7, 1)
    layer = layers.Conv1D(1, 2, strides=2, dilation_rate=3, kernel_initializer="ones")
    assert np.ravel(layer(x)).tolist() == [0.0 + 3, 2.0 + 5]


def test_softmax_needs_batch(generation):
    if generation == "3":
        assert activations.softmax([0.0, 0.0]).tolist() == [0.5, 0.5]
    else:
        refuses(lambda: activations.softmax([0.0, 0.0]), "at least two axes")
    assert activations.softmax([[0.0, 0.0]]).tolist() == [[0.5, 0.5]]


def test_linear_gives_back_what_it_gets():
    x = core.Symbol((None, 2))
    assert [activations.linear(value) for value in (None, True, 5, x)] == [None, True, 5, x]


def test_layer_as_activation_warns(generation, recwarn):
    layer = layers.LeakyReLU()
    assert activations.get(layer) is layer
    assert [str(w.message)[:15] for w in recwarn] == (["activations.get"] if generation == "2" else [])


def test_merges_need_two(generation):
    x = np.ones((1, 2))
    for layer in (layers.Add(), layers.Concatenate()):
        if generation in "12":
            refuses(lambda layer=layer: layer([x]), "at least 2 inputs")
        else:
            assert layer([x]).tolist() == [[1.0, 1.0]]
    refuses(lambda: layers.Add()([]), "at least")


@pytest.mark.parametrize("cls", [layers.Add, layers.Subtract, layers.Concatenate])
def test_merges_want_a_mask_for_each_input(cls):
    x, mask = layers.Input((3, 2)), np.array([[True, False, True]])
    layer = cls()
    assert layer.compute_mask([x, x], [None, None]) is None and layer.compute_mask([x, x]) is None
    refuses(lambda: layer.compute_mask([x, x], mask), "`mask` should be a list")
    refuses(lambda: layer.compute_mask(x, [None, None]), "`inputs` should be a list")
    refuses(lambda: layer.compute_mask([x, x], [mask]), "2 inputs and 1 masks")
    assert np.array_equal(layer.compute_mask([x, x], [mask, mask]), mask)


@pytest.mark.parametrize("cls", [optimizers.Adam, optimizers.SGD])
def test_deserialize_puts_the_name_of_an_optimizer_into_lower_case(cls):
    config = optimizers.serialize(cls())
    again = optimizers.serialize(optimizers.deserialize(config))
    assert again["class_name"] == cls.__name__ and config == again | {"class_name": cls.__name__.lower()}


def test_deserialize_leaves_the_names_of_others_alone():
    class MySGD(oneiros.optimizers.SGD):
        pass

    config = optimizers.serialize(MySGD())
    assert type(optimizers.deserialize(config, {"MySGD": MySGD})) is MySGD and config["class_name"] == "MySGD"


@pytest.mark.parametrize(
    "x, y, axes, product",
    [
        ((4, 3), (4, 3), 1, "bi,bi->b"),
        ((4, 3), (4, 3), 0, "bi,bi->i"),
        ((4, 3), (3, 4), None, "bi,ib->b"),
        ((4, 3), (3, 4), (0, 1), "bi,ib->i"),
        ((4, 3, 5), (4, 5, 6), None, "bij,bjk->bik"),
        ((4, 3, 5), (4, 3, 6), (1, 1), "bij,bik->bjk"),
        ((4, 5), (4, 6, 5), (1, 2), "bi,bki->bk"),
        ((4, 3, 5), (4, 5), (2, 1), "bij,bj->bi"),
        ((4, 2, 3, 5), (4, 2, 5, 6), None, "bhij,bhjk->bhik"),
        ((4, 2, 3, 5), (4, 2, 6, 5), (3, 3), "bhij,bhkj->bhik"),
    ],
)
def test_batch_dot_of_matrices(keras2, x, y, axes, product):
    random = np.random.default_rng(0)
    x, y = random.random(x, "float32"), random.random(y, "float32")
    expected = np.einsum(product, x, y)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(K.eval(K.batch_dot(K.variable(x), K.variable(y), axes)), expected, rtol=1e-5)


def test_arange_of_64_bits():
    assert [K.dtype(K.arange(3, dtype=dtype)) for dtype in ("int32", "int64", "float32")] == [
        "int32",
        "int64",
        "float32",
    ]
    assert K.arange(5, 0, -2, "int64").tolist() == [5, 3, 1]


def test_function_looks_the_values_of_feed_dict_up_at_each_call(keras2):
    x, y = K.placeholder(shape=()), K.placeholder(shape=())
    values = {y: 3.0}
    f = K.function([x], [x + y], feed_dict=values)
    assert f([10.0]) == [13.0]
    values[y] = 4.0
    assert f([10.0]) == [14.0]


def test_theano_backend_is_k(generation):
    if generation == "1":
        from keras.backend import theano_backend

        assert theano_backend.dot is K.dot
    else:
        with pytest.raises(ImportError):
            from keras.backend import theano_backend  # noqa: F811
        with pytest.raises(ImportError, match="Theano is not used here"):
            import keras.backend.theano_backend  # noqa: F401
    with pytest.raises(ImportError, match="CNTK is not used here"):
        import keras.backend.cntk_backend  # noqa: F401


def test_private_helpers_of_keras_2(keras2, tmp_path):
    from keras.backend.tensorflow_backend import _get_available_gpus, _normalize_device_name
    from keras.preprocessing.sequence import _remove_long_seq
    from keras.utils.data_utils import _hash_file

    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert _hash_file(str(path), algorithm="md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert _hash_file(str(path)).startswith("ba7816bf8f01cfea414140de5dae2223")
    assert _remove_long_seq(2, [[1], [1, 2]], [0, 1]) == ([[1]], [0])
    assert _normalize_device_name("/device:GPU:1") == _normalize_device_name("/GPU:1") == "/gpu:1"
    assert isinstance(_get_available_gpus(), list)

    import keras.backend

    assert keras.backend._BACKEND == "tensorflow"


@pytest.mark.parametrize("cls", [optimizers.SGD, optimizers.Adam, optimizers.Nadam])
def test_optimizers_are_shared(generation, cls):
    """Each of two models gets the update that it would get from an optimizer of its own, but for the step's number."""
    models = [oneiros.Sequential([layers.Dense(1, input_shape=(2,))]) for _ in range(2)]
    shared = cls(0.01)
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    for model in models:
        model.compile(shared, "mse")
    models[0].train_on_batch(x, y)
    if generation == "3":
        refuses(lambda: models[1].train_on_batch(x, y), "was built for others")
        return
    before = models[1].get_weights()
    models[1].train_on_batch(x, y)
    assert int(shared.iterations.numpy()) == 2
    assert all(not np.array_equal(a, b) for a, b in zip(before, models[1].get_weights()))
    for model in models:
        model.train_on_batch(x, y)
    if cls is optimizers.SGD:
        value = before[0].sum()  # the gradient of the mean of (w1 + w2 + b)**2 is 2 * (w1 + w2 + b) for each
        for _ in range(2):
            value -= 0.01 * 2 * 3 * value
        np.testing.assert_allclose(sum(w.sum() for w in models[1].get_weights()), value, rtol=1e-5)


def test_tfoptimizer_wraps_an_optimizer(keras2):
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    found = []
    for wrap in (lambda optimizer: optimizer, optimizers.TFOptimizer):
        model = oneiros.Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
        model.compile(wrap(optimizers.Adam(0.1)), "mse")
        for _ in range(3):
            model.train_on_batch(x, y)
        found.append(model.get_weights())
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    wrapped = optimizers.TFOptimizer(optimizers.Adam())
    for read in (lambda: wrapped.weights, wrapped.get_config, lambda: wrapped.from_config({})):
        with pytest.raises(NotImplementedError):
            read()


@pytest.mark.parametrize("inner", [lambda: layers.LSTM(4, return_sequences=True), lambda: layers.Dense(4)])
def test_call_takes_symbols_and_adds_no_node(inner):
    inputs, layer = layers.Input((3, 5)), inner()
    called = layer.call(inputs) if layer.built else (layer(inputs), layer.call(inputs))[1]
    again = K.function([inputs], [layer.output, called])
    x = np.random.default_rng(0).random((2, 3, 5), "float32")
    outputs = again([x])
    np.testing.assert_array_equal(*outputs)
    np.testing.assert_array_equal(outputs[0], layer(x))
    assert called.shape == (None, 3, 4) and len(layer.inbound_nodes) == 1


def test_call_takes_its_arguments_by_place(keras2):
    inputs, mask = layers.Input((3, 5)), layers.Input((3,), dtype="bool")
    layer = layers.SimpleRNN(2)
    layer.build((None, 3, 5))
    f = K.function([inputs, mask], [layer.call(inputs, mask=mask)])
    x = np.random.default_rng(0).random((2, 3, 5), "float32")
    kept = np.array([[True, True, False]] * 2)
    np.testing.assert_allclose(f([x, kept])[0], layer(x[:, :2]), rtol=1e-6)


def test_layers_called_on_variables_are_recorded(keras2):
    """As any expression of variables: the value is that of the variable when the graph runs."""
    x = K.variable(np.ones((1, 2)))
    layer = layers.Dense(1, kernel_initializer="ones", activity_regularizer="l2")
    y = layer(x)
    assert isinstance(y, core.Symbol) and K.int_shape(y) == (1, 1) and K.eval(y) == 2
    K.set_value(x, np.full((1, 2), 3.0))
    assert K.eval(y) == 6
    assert len(layer.get_losses_for(x)) == 1
    np.testing.assert_allclose(K.eval(layer.get_losses_for(x)[0]), 0.01 * 36, rtol=1e-6)


def test_layers_called_on_variables_compute_natively():
    assert layers.Dense(1, kernel_initializer="ones")(core.Variable([[1.0, 2.0]])).tolist() == [[3.0]]


@pytest.mark.parametrize(
    "make, uses",
    [
        (lambda: layers.LSTM(2), False),
        (lambda: layers.LSTM(2, dropout=0.1), True),
        (lambda: layers.GRU(2, recurrent_dropout=0.1), True),
        (lambda: layers.Bidirectional(layers.LSTM(2)), False),
        (lambda: layers.Bidirectional(layers.LSTM(2, dropout=0.1)), True),
        (lambda: layers.RNN([layers.GRUCell(2), layers.LSTMCell(2, dropout=0.1)]), True),
        (lambda: layers.TimeDistributed(layers.Dropout(0.1)), True),
        (lambda: layers.TimeDistributed(layers.Dense(1)), False),
    ],
    ids=range(8),
)
def test_outputs_of_layers_with_dropout_inside_use_the_learning_phase(make, uses):
    inputs = layers.Input((3, 5))
    assert make()(inputs)._uses_learning_phase is uses
    assert not make()(inputs, training=True)._uses_learning_phase
    assert oneiros.Model(inputs, make()(inputs)).uses_learning_phase is uses


def test_a_layer_may_say_itself_that_it_uses_the_learning_phase():
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.uses_learning_phase = True

    assert Own()(layers.Input((1,)))._uses_learning_phase


def test_stacked_cells_of_which_one_takes_constants(keras2):
    class Adding(layers.Layer):
        state_size = 2

        def build(self, input_shape):
            assert [tuple(shape) for shape in input_shape] == [(None, 3), (None, 2)]
            super().build(input_shape)

        def call(self, inputs, states, constants):
            return states[0] + constants[0], [states[0] + constants[0]]

    layer = layers.RNN([layers.SimpleRNNCell(3), Adding()])
    assert layer.cell.state_size == (2, 3)
    x, constant = layers.Input((4, 5)), layers.Input((2,))
    model = oneiros.Model([x, constant], layer(x, constants=constant))
    values = np.array([[1.0, 2.0]], "float32")
    assert model.predict([np.ones((1, 4, 5)), values]).tolist() == [[4.0, 8.0]]


def test_networks_of_applications_on_an_expression(keras2):
    images = K.concatenate([K.variable(np.zeros((1, 32, 32, 3))), core.Symbol((1, 32, 32, 3))], axis=0)
    model = oneiros.applications.VGG16(input_tensor=images, weights=None, include_top=False)
    assert type(model.layers[0]) is layers.InputLayer and len(model.layers) == 19
    assert model.layers[0].output_shape == (2, 32, 32, 3)


def test_names_and_faces_of_wrappers_and_merges(keras2):
    from keras.engine import merge
    from keras.engine.topology import _object_list_uid
    from keras.engine.topology import merge as same

    assert merge is same
    inputs = layers.Input((3, 2))
    layer = layers.TimeDistributed(layers.Dense(1))
    layer(inputs)
    assert [K.int_shape(steps) for steps in layer._input_map.values()] == [(None, 2)]
    assert list(layer._input_map) == [_object_list_uid([inputs])]


def test_states_may_be_variables(keras2):
    inputs, state = layers.Input((4, 5)), K.variable(np.full((2, 3), 0.5))
    layer = layers.SimpleRNN(3, kernel_initializer="zeros", recurrent_initializer="identity", activation=None)
    model = oneiros.Model(inputs, layer(inputs, initial_state=state))
    assert model.predict(np.ones((2, 4, 5)), verbose=0).tolist() == [[0.5] * 3] * 2


def test_func_load_reads_code_from_before_keras_2_1(monkeypatch):
    monkeypatch.setattr(core.config.settings, "unsafe_deserialization", True)
    code = marshal.dumps((lambda x: x + 1).__code__).decode("raw_unicode_escape")
    assert func_load(code)(2) == 3
