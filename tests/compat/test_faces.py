"""What programs and packages of Keras 1 and 2 read in layers, models, symbols and nodes besides the public methods."""

import itertools
import pickle

import numpy as np
import pytest

from oneiros import Input, Model, Sequential, backend, compat, core, layers, losses, models, optimizers, saving
from oneiros.compat import legacy_engine, legacy_layers, tensorflow

K = backend


@pytest.fixture(params=["1", "2"], autouse=True)
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


# --- symbols and nodes


def test_symbols_have_no_length():
    x = Input((3,))
    assert not hasattr(x, "__len__")
    first, second = K.ones((2, 3)), K.placeholder((2, 3))
    assert len(list(first.value)) == 2 and [row.shape for row in second] == [(3,), (3,)]


def test_the_shape_the_history_and_the_phase_of_a_symbol():
    x = Input((3,))
    dense, dropout = layers.Dense(2), layers.Dropout(0.5)
    hidden = dense(x)
    y = dropout(hidden)
    assert x._keras_shape == (None, 3) and hidden._keras_shape == (None, 2)
    assert hidden._keras_history == (dense, 0, 0) and dense(x)._keras_history == (dense, 1, 0)
    assert not hidden._uses_learning_phase and y._uses_learning_phase
    hidden._keras_shape = (None, 7)
    assert K.int_shape(hidden) == (None, 7)


def test_a_call_that_is_told_whether_it_trains_does_not_depend_on_the_phase():
    x = Input((3,))
    y = layers.Dropout(0.5)(x, training=True)
    assert not y._uses_learning_phase and not Model(x, y).uses_learning_phase
    assert Model(x, layers.Dropout(0.5)(x)).uses_learning_phase
    y._uses_learning_phase = True
    assert layers.Dense(1)(y)._uses_learning_phase


def test_what_comes_out_of_an_input_went_in():
    x = Input((3,), name="x")
    layer, index, _ = x._keras_history
    node = layer.inbound_nodes[index]
    assert node.input_tensors == node.output_tensors == [x] and node.input_shapes == [(None, 3)]
    assert node.inbound_layers == [] and layer.input is x and layer.output is x
    model = Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    f = K.function([model.layers[0].input], [model.layers[0].output])
    assert f([np.ones((4, 3))])[0].shape == (4, 2)


def test_the_configuration_of_a_node():
    x, dense = Input((3,), name="x"), layers.Dense(2, name="dense")
    dense(x)
    assert dense.inbound_nodes[0].get_config() == {
        "outbound_layer": "dense",
        "inbound_layers": ["x"],
        "node_indices": [0],
        "tensor_indices": [0],
    }


# --- masks of symbols


def test_symbols_know_their_masks():
    x = Input((4,), dtype="int32")
    embedded = layers.Embedding(5, 3, mask_zero=True)(x)
    assert x._keras_mask is None and embedded._keras_mask.shape == (None, 4)
    lstm = layers.LSTM(2, return_sequences=True)
    y = lstm(embedded)
    assert lstm.input_mask is embedded._keras_mask and lstm.output_mask.shape == (None, 4)
    assert layers.LSTM(2)(y)._keras_mask is None
    masks = K.function([x], [embedded._keras_mask, y._keras_mask])([[[1, 0, 2, 0]]])
    assert [mask.tolist() for mask in masks] == [[[True, False, True, False]]] * 2


def test_masks_reach_calls_while_shapes_are_inferred():
    seen = []

    class MaskedMean(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            seen.append(mask is not None)
            weights = K.cast(mask, K.floatx())
            return K.sum(x * K.expand_dims(weights), 1) / K.sum(weights, 1, keepdims=True)

        def compute_mask(self, inputs, mask=None):
            return None

    x = Input((None, 2))
    y = MaskedMean()(layers.Masking()(x))
    assert all(seen) and y.shape == (None, 2) and y._keras_mask is None
    data = np.array([[[1.0, 2.0], [0.0, 0.0], [3.0, 6.0]]])
    np.testing.assert_allclose(Model(x, y).predict(data), [[2.0, 4.0]])


def test_masks_go_through_models_and_layers_with_several_inputs():
    x = Input((4,), dtype="int32")
    inner = Model(x, layers.Embedding(5, 3, mask_zero=True)(x))
    a, b = Input((4,), dtype="int32"), Input((4,), dtype="int32")
    merged = layers.Add()([inner(a), inner(b)])
    assert inner(a)._keras_mask.shape == (None, 4) and merged._keras_mask.shape == (None, 4)
    mask = K.function([a, b], [merged._keras_mask])([[[1, 1, 0, 0]], [[1, 0, 1, 0]]])[0]
    assert mask.tolist() == [[True, False, False, False]]
    both = Model([a, b], [inner(a), layers.Flatten()(layers.Lambda(lambda t: t * 1)(inner(b)))])
    masks = both.compute_mask([a, b], [None, None])
    assert masks[0].shape == (None, 4) and masks[1] is None


def test_a_mask_that_is_not_supported_is_refused_when_the_graph_is_built():
    with pytest.raises(TypeError, match="conv1d.*does not support masking"):
        layers.Conv1D(2, 2, name="conv1d")(layers.Masking()(Input((4, 3))))


# --- weights of layers


def test_lists_of_weights_that_are_changed_change_the_layer():
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.factor = K.variable(np.ones(3), name="factor")
            self.count = K.variable(np.zeros(3), name="count")
            self._trainable_weights.append(self.factor)
            self._non_trainable_weights += [self.count]
            super().build(input_shape)

        def call(self, x):
            return x * self.factor

    layer = Scale()
    layer(Input((3,)))
    assert layer.trainable_weights == [layer.factor] and layer.non_trainable_weights == [layer.count]
    assert layer._trainable_weights == [layer.factor]
    layer._trainable_weights = []
    assert layer.trainable_weights == []


# --- the graph of a model


def _shared():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    embedding = layers.Dense(3, name="embedding")
    deep = layers.Dense(2, name="deep")(layers.Dense(2, name="deeper")(embedding(b)))
    return Model([a, b], layers.concatenate([embedding(a), deep], name="joined"))


def test_layers_and_nodes_by_depth():
    model = _shared()
    depths = {layer.name: depth for depth, layers_ in model.layers_by_depth.items() for layer in layers_}
    assert depths == {"joined": 0, "deep": 1, "deeper": 2, "embedding": 3, "a": 4, "b": 4}
    assert sum(map(len, model.nodes_by_depth.values())) == len(model.container_nodes) == 7
    assert {"embedding_ib-0", "embedding_ib-1"} <= model.container_nodes
    assert model.input_layers_node_indices == [0, 0] and model.output_layers_tensor_indices == [0]
    assert [layer.name for layer in model._input_layers] == ["a", "b"]
    assert model._output_coordinates[0][0].name == "joined" and model._is_graph_network


def test_a_sequential_is_its_own_inner_model():
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    assert model.model is model

    class Own(Sequential):
        def __init__(self):
            self.model = "mine"
            super().__init__()

    assert Own().model == "mine"


# --- what is fed, and the loss


def test_what_is_fed_to_a_compiled_model():
    x, fixed = Input((3,), name="x"), Input(tensor=K.variable(np.ones((2, 3))), name="fixed")
    hidden = layers.Dense(2, name="hidden", kernel_regularizer="l2")(x)
    model = Model([x, fixed], [hidden, layers.Dense(1, name="out")(layers.add([hidden, layers.Dense(2)(fixed)]))])
    assert not model._is_compiled and not hasattr(model, "total_loss")
    model.compile("sgd", {"out": "mse"})
    assert model._is_compiled and model._feed_input_names == ["x"] and model._feed_inputs == [x]
    assert model._feed_output_names == ["out"] and model._feed_output_shapes == [(2, 1)]
    assert [t.shape for t in model._feed_targets] == [(None, 1)] and model.targets[0] is None
    assert [w.shape for w in model._feed_sample_weights] == [(None,)]


def test_the_gradients_of_the_total_loss():
    model = Sequential([layers.Dense(1, input_shape=(3,), use_bias=False, kernel_regularizer="l2")])
    model.compile("sgd", "mse")
    inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights + [K.learning_phase()]
    kernel = model.trainable_weights[0]
    f = K.function(inputs, [model.total_loss, *K.gradients(model.total_loss, model.trainable_weights)])
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 1)), np.array([1.0, 0.0, 2.0, 1.0, 1.0])
    loss, gradient = f([x, y, w, 0])
    k = kernel.numpy()
    error = x @ k - y
    np.testing.assert_allclose(loss, (w * error[:, 0] ** 2).sum() / 4 + 0.01 * (k**2).sum(), rtol=1e-5)
    np.testing.assert_allclose(gradient, 2 * x.T @ (w[:, None] * error) / 4 + 0.02 * k, rtol=1e-4, atol=1e-6)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(copied.predict(x), x @ k, rtol=1e-5)


# --- updates and losses


def test_updates_are_those_of_the_calls(generation):
    x = Input((3,))
    norm = layers.BatchNormalization(momentum=0.5)
    model = Model(x, norm(x))
    assert len(norm.updates) == len(model.updates) == 2 and len(norm.get_updates_for(x)) == 2
    assert norm.get_updates_for(None) == []
    z = Input((3,))
    outer = Model(z, model(z))
    assert len(outer.updates) == 2 and len(model.updates) == 2
    data = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    K.function([z], [], updates=outer.updates)([data])
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.5 * data.mean(0))
    model.trainable = False
    assert len(model.updates) == (2 if generation == "1" else 0)
    assert len(norm(x, training=False).node.operation.updates) == 2 and Sequential([layers.Dropout(0.5)]).updates == []


def test_updates_and_losses_that_were_added_for_inputs():
    x = Input((3,))
    layer = layers.Dense(2)
    layer.add_update([(1, 2)], inputs=x)
    layer.add_update("always")
    layer.add_loss(3.0, inputs=x)
    layer.add_loss([4.0])
    assert layer.get_updates_for(x) == [(1, 2)] and layer.get_updates_for(None) == ["always"]
    assert layer.get_losses_for(x) == [3.0] and layer.get_losses_for(None) == [4.0]
    assert layer.get_losses_for(Input((3,))) == []


def test_losses_are_symbols_while_a_graph_is_built():
    x = Input((2,))
    dense = layers.Dense(2, use_bias=False, kernel_initializer="ones", activity_regularizer=K.sum)
    dense.kernel_regularizer = lambda w: 0.5 * K.sum(w)
    inner = Model(x, dense(x))
    z = Input((2,))
    outer = Model(z, inner(z))
    assert len(inner.losses) == len(outer.losses) == 2 and len(outer.get_losses_for(z)) == 1
    total = sum(outer.losses)
    values = K.function([z], [total, *K.gradients(total, outer.trainable_weights)])([[[1.0, 2.0]]])
    np.testing.assert_allclose(values[0], 3 * 2 + 0.5 * 4)
    np.testing.assert_allclose(values[1], np.array([[1.0, 1.0], [2.0, 2.0]]) + 0.5)


def test_updates_that_were_added_to_a_model_happen_after_each_batch():
    x = Input((2,))
    count = K.variable(0.0)
    model = Model(x, layers.Dense(1)(x))
    model.add_update(K.update(count, count + K.sum(x)))
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    assert K.get_value(count) == 12
    model.predict(np.ones((3, 2)))
    assert K.get_value(count) == 12


# --- inputs with values of their own


def test_models_on_variables_need_no_data():
    a, b = K.variable(np.arange(8.0).reshape(4, 2)), np.ones((4, 3))
    x, y = Input(tensor=a), Input((3,), name="y")
    model = Model([x, y], layers.concatenate([x, y]))
    assert [type(layer).__name__ for layer in model.layers[:2]] == ["InputLayer"] * 2
    np.testing.assert_allclose(model.predict(b), np.hstack([a.numpy(), b]))
    np.testing.assert_allclose(model.predict({"y": b}), np.hstack([a.numpy(), b]))
    alone = Model(x, layers.Dense(1, kernel_initializer="ones")(x))
    alone.compile("sgd", "mse")
    for nothing in (None, [], {}):
        target = a.numpy().sum(1, keepdims=True)
        assert alone.test_on_batch(nothing, target) == 0
    assert alone.fit(None, target, batch_size=4, epochs=1, verbose=0).history["loss"] == [0]
    np.testing.assert_allclose(alone.predict(None, steps=2), np.vstack([target, target]))
    with pytest.raises(ValueError, match="give the number of steps"):
        alone.predict(None, batch_size=2)


def test_a_clone_on_variables():
    model = Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    clone = models.clone_model(model, input_tensors=K.variable(np.ones((4, 3))))
    clone.compile("sgd", "mse")
    assert clone.train_on_batch(None, np.ones((4, 1))) >= 0 and clone.count_params() == 11


# --- targets that compile was given


def test_target_tensors():
    x, y = np.ones((4, 3)), np.arange(4.0)[:, None]
    for form in (lambda t: [t], lambda t: {"out": t}):
        model = Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="ones", name="out")])
        model.compile("sgd", "mse", metrics=["mae"], target_tensors=form(K.variable(y)))
        np.testing.assert_allclose(model.test_on_batch(x, None), [np.mean((3 - y) ** 2), np.mean(3 - y)], rtol=1e-6)
        with pytest.raises(ValueError, match="target_tensors"):
            model.train_on_batch(x, y)
    model.compile("sgd", "mse", target_tensors=[K.placeholder((None, 1))])
    np.testing.assert_allclose(model.test_on_batch(x, y), np.mean((3 - y) ** 2), rtol=1e-6)
    with pytest.raises(TypeError, match="target_tensors"):
        model.compile("sgd", "mse", target_tensors=set())
    for wrong in ([K.variable(y)] * 2, {"other": None}):
        with pytest.raises(ValueError, match="target_tensors"):
            model.compile("sgd", "mse", target_tensors=wrong)


def test_weights_of_target_tensors():
    x = Input((2,))
    outputs = [layers.Dense(1, name=name, kernel_initializer="ones")(x) for name in "ab"]
    model = Model(x, outputs)
    y = np.arange(3.0)[:, None]
    model.compile("sgd", "mse", target_tensors=[K.variable(y), K.variable(y)])
    total, a, b = model.test_on_batch(np.ones((3, 2)), None, sample_weight={"a": np.array([1.0, 0.0, 0.0])})
    np.testing.assert_allclose([total, a, b], [4 + 5 / 3, 4, 5 / 3], rtol=1e-6)


# --- calls as Keras 1 and 2 had them


def test_modes_of_sample_weights_belong_to_outputs():
    x = Input((3, 2))
    steps = layers.Dense(1, name="steps")(x)
    model = Model(x, [steps, layers.Flatten(name="flat")(steps)])
    for wrong in ({"other": "temporal"}, ["temporal"], {"steps": "temporal"}):
        with pytest.raises(ValueError, match="sample_weight_mode"):
            model.compile("sgd", "mse", sample_weight_mode=wrong)
    data = np.ones((4, 3, 2)), [np.ones((4, 3, 1)), np.ones((4, 3))]
    model.compile("sgd", "mse", sample_weight_mode=["temporal", None])
    model.train_on_batch(*data, sample_weight=[np.ones((4, 3)), np.ones(4)])
    model.compile("sgd", "mse", sample_weight_mode={"steps": None, "flat": "temporal"})
    with pytest.raises(ValueError, match=r"'temporal' needs targets of shape \(samples, steps"):
        model.train_on_batch(*data, sample_weight=[None, np.ones(4)])


def test_orders_of_get_updates():
    param = K.variable(2.0)
    loss, params = K.square(param), [param]
    for arguments, names in (
        ((params, {}, loss), {}),
        ((params, {}), {"loss": loss}),
        ((params, loss), {}),
        ((loss, params), {}),
        ((loss,), {"params": params}),
        ((), {"loss": loss, "params": params}),
    ):
        K.set_value(param, 2.0)
        K.function([], [], updates=optimizers.SGD(0.25).get_updates(*arguments, **names))([])
        assert K.get_value(param) == 1.0


def test_a_generator_in_several_processes_gives_a_warning():
    model = Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    batches = itertools.repeat((np.ones((4, 2)), np.ones((4, 1))))
    options = {"use_multiprocessing": True, "workers": 2, "epochs": 1, "verbose": 0}
    with pytest.warns(UserWarning, match="Sequence"):
        model.fit_generator(batches, steps_per_epoch=1, **options)


def test_old_convolutions(generation):
    transposed = layers.Deconvolution2D(5, 3, 3, (None, 7, 7, 5))
    assert transposed.kernel_size == (3, 3) and transposed.strides == (1, 1) and transposed.padding == "valid"
    atrous = legacy_layers.AtrousConvolution1D(5, 3, subsample_length=2, atrous_rate=2)
    assert atrous.strides == atrous.dilation_rate == (2,)
    weights = [np.full((3, 3, 3, 2), i, "float32") for i in range(4)]
    layer = layers.ConvLSTM2D(2, (3, 3), data_format="channels_first")
    layer(Input((2, 3, 6, 6)))
    given = [part for w in weights for part in (w, w[:, :, :2], np.zeros(2, "float32"))]
    kernel = saving.preprocess_weights_for_loading(layer, given, original_keras_version="1")[0]
    assert kernel.shape == (3, 3, 3, 8) and kernel[0, 0, 0].tolist() == [0, 0, 2, 2, 1, 1, 3, 3]


def test_forget_bias_init(generation):
    if generation == "1":
        assert layers.LSTM(2, forget_bias_init="zero").unit_forget_bias is False
    else:
        with pytest.warns(UserWarning, match="forget_bias_init was ignored"):
            assert layers.LSTM(2, forget_bias_init="zero").unit_forget_bias is True
    assert layers.LSTM(2, forget_bias_init="one").unit_forget_bias is True


def test_a_layer_merged_with_itself(tmp_path):
    left = Sequential([layers.Dense(2, input_shape=(3,))])
    model = Sequential([legacy_layers.Merge([left, left], mode="sum"), layers.Dense(1)])
    x = np.ones((4, 3))
    np.testing.assert_allclose(model.predict(x), model.layers[1](2 * left.predict(x)), rtol=1e-5)
    copy = Sequential.from_config(model.get_config())
    assert copy.count_params() == model.count_params() == 11 and len(copy.inputs) == 1
    model.save_weights(str(tmp_path / "w.h5"))
    copy.load_weights(str(tmp_path / "w.h5"))
    np.testing.assert_allclose(copy.predict(x), model.predict(x), rtol=1e-6)


def test_the_mask_of_a_merge_is_a_function_of_masks():
    a, b = (layers.Masking()(Input((3, 2))) for _ in range(2))
    both = legacy_layers.merge([a, b], mode=lambda t: K.concatenate(t, 1), output_mask=lambda m: K.concatenate(m, 1))
    assert both._keras_mask.shape == (None, 6)


def test_arrays_among_the_arguments_of_a_lambda():
    layer = layers.Lambda(lambda x, mean: x - mean, arguments={"mean": np.ones((2, 3)), "more": 1})
    config = layer.get_config()
    assert config["arguments"] == {"mean": {"type": "ndarray", "value": [[1.0] * 3] * 2}, "more": 1}


def test_helpers_of_the_training_module():
    a, b = np.ones((4, 3)), np.ones((3, 3))
    legacy_engine.check_array_lengths(a, a, a)
    legacy_engine.check_array_lengths([None], None, None)
    for wrong in ((a, None, None), ([a], [b], None), ([a], None, [b])):
        with pytest.raises(ValueError, match="same number of samples"):
            legacy_engine.check_array_lengths(*wrong)
    assert legacy_engine.slice_arrays([None, [1, 2, 3]], 1) == [None, [2, 3]]
    crossentropy = losses.categorical_crossentropy
    for y, shape, text in ((a[:, :1], (4, 1), "You are passing a target array"), (a, (4, 2), "have the same shape")):
        with pytest.raises(ValueError, match=text):
            legacy_engine.check_loss_and_target_compatibility([y], [crossentropy], [shape])


def test_placeholders_and_variables_of_the_stand_in_for_tensorflow():
    x = tensorflow.VALUES["placeholder"]("float32", shape=(None, 2))
    v = tensorflow.VALUES["Variable"](np.ones((3, 2)), dtype="float32")
    assert x.shape == (None, 2) and Input(tensor=v).shape == (3, 2)


@pytest.mark.parametrize(
    "make",
    [lambda: layers.Dense(3), lambda: layers.LSTM(3), lambda: layers.Dropout(0.5)],
    ids=["dense", "lstm", "dropout"],
)
def test_call_takes_symbols(make):
    layer, shape = make(), (None, 4, 2)
    layer.build(shape)
    x = Input(shape[1:])
    y = layer.call(x)
    data = np.random.default_rng(0).normal(size=(5, 4, 2)).astype("float32")
    np.testing.assert_allclose(K.function([x], [y])([data])[0], layer(data), rtol=1e-5)
    assert y._uses_learning_phase == layer.uses_learning_phase and layer.inbound_nodes == []


def test_functions_of_lists():
    model = Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.train_function is model.test_function is model.predict_function is None
    x, y = np.ones((3, 2)), np.zeros((3, 1))
    model._make_predict_function()
    model._make_test_function()
    model._make_train_function()
    assert model.predict_function([x])[0].tolist() == [[2.0]] * 3
    given = [*model._standardize_user_data(x, y[:, 0])[0], *model._standardize_user_data(x, y)[1], np.ones(3), 1.0]
    np.testing.assert_allclose(model.test_function(given), [4, 2])
    np.testing.assert_allclose(model.train_function(given), [4, 2])
    assert model.test_function(given)[0] < 4
    assert [a.shape for part in model._standardize_user_data(x, y[:, 0]) for a in part] == [(3, 2), (3, 1), (3,)]


def test_updates_of_the_total_loss():
    model = Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones", use_bias=False)])
    optimizer = optimizers.SGD(0.5)
    model.compile(optimizer, "mse")
    updates = optimizer.get_updates(params=model.trainable_weights, loss=model.total_loss)
    assert optimizer.updates == updates
    inputs = [*model.inputs, *model.targets, *model.sample_weights]
    K.function(inputs, [model.total_loss], updates=updates)([np.ones((3, 2)), np.zeros((3, 1)), np.ones(3)])
    np.testing.assert_allclose(model.get_weights()[0], [[-1.0]] * 2)


def test_attributes_of_nodes_by_number():
    dense, x = layers.Dense(3), Input((2,))
    with pytest.raises(RuntimeError, match="never been called"):
        dense._get_node_attribute_at_index(0, "input_shapes", "input shape")
    dense(x)
    assert dense._get_node_attribute_at_index(0, "input_tensors", "input") is x
    assert dense._get_node_attribute_at_index(0, "output_shapes", "output shape") == (None, 3)
    with pytest.raises(ValueError, match="node 1"):
        dense._get_node_attribute_at_index(1, "input_shapes", "input shape")


# --- losses and metrics that refer to the graph


def _encoder():
    x = Input((3,))
    hidden = layers.Dense(2, kernel_initializer="ones")(x)
    return x, hidden, layers.Dense(3, kernel_initializer="ones")(hidden)


def test_losses_and_metrics_may_refer_to_tensors_of_the_graph():
    x, hidden, y = _encoder()

    def penalized(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1) + 0.5 * K.sum(K.square(hidden), axis=-1)

    def size(y_true, y_pred):
        return K.mean(hidden)

    model = Model(x, y)
    model.compile(optimizers.SGD(0.0), penalized, metrics=[size])
    data = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    inner = data.sum(1)
    loss = np.mean((2 * inner[:, None] - data) ** 2, 1) + 0.5 * 2 * inner**2
    expected = [loss.mean(), inner.mean()]
    np.testing.assert_allclose(model.test_on_batch(data, data), expected, rtol=1e-6)
    np.testing.assert_allclose(model.train_on_batch(data, data), expected, rtol=1e-6)
    np.testing.assert_allclose(model.fit(data, data, epochs=1, verbose=0).history["size"], expected[1:], rtol=1e-6)
    kernel = model.layers[1].kernel
    model.compile(optimizers.SGD(0.1), lambda y_true, y_pred: K.sum(hidden, axis=-1))
    model.train_on_batch(data, data)
    np.testing.assert_allclose(kernel.numpy(), 1 - 0.1 * np.repeat(data.mean(0)[:, None], 2, 1), rtol=1e-6)


def test_statistics_are_updated_once_where_a_loss_refers_to_the_graph():
    x = Input((2,))
    hidden = layers.BatchNormalization(momentum=0.5)(x)
    model = Model(x, hidden)
    model.compile(optimizers.SGD(0.0), lambda y_true, y_pred: K.mean(K.square(hidden - y_pred), axis=-1))
    assert model.train_on_batch(np.array([[0.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2))) == 0
    np.testing.assert_allclose(model.layers[1].moving_mean.numpy(), [0.5, 1.5])


def test_metrics_that_are_appended_to_the_lists():
    x, hidden, y = _encoder()
    model = Model(x, y)
    model.compile("sgd", "mse")
    model.metrics_names.append("size")
    model.metrics_tensors.append(K.mean(hidden))
    assert model.metrics_names == ["loss", "size"] and len(model.metrics_tensors) == 1
    data = np.ones((4, 3))
    np.testing.assert_allclose(model.test_on_batch(data, data), [25, 3], rtol=1e-6)
    assert list(model.fit(data, data, epochs=1, verbose=0).history) == ["loss", "size"]
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss"]


# --- layers and models that programs change


def test_layers_that_are_taken_off():
    model = Sequential([layers.Dense(3, input_shape=(2,)), layers.Dense(1)])
    model.layers.pop()
    model.outputs = [model.layers[-1].output]
    model.layers[-1].outbound_nodes = []
    model.add(layers.Dense(5))
    assert model.output_shape == (None, 5) and len(model.layers) == 2
    x = Input((2,))
    model = Model(x, layers.Dense(1)(layers.Dense(3)(x)))
    model.layers.pop()
    assert Model(model.input, layers.Dense(4)(model.layers[-1].output)).count_params() == 9 + 16


def test_updates_that_a_layer_sets_or_adds_in_the_plural():
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.built_in, self.called = K.variable(0.0), K.variable(0.0)
            self.updates = [(self.built_in, self.built_in + 1.0)]

        def call(self, x, mask=None):
            self.add_updates([(self.called, self.called + K.sum(x))], x)
            return x

    model = Sequential([Counting(input_shape=(2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for _ in range(2):
        model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    model.predict(np.ones((3, 2)))
    assert [K.get_value(v) for v in (model.layers[0].built_in, model.layers[0].called)] == [2, 12]


def test_weights_under_the_names_of_keras1(generation):
    dense, norm = layers.Dense(2), layers.BatchNormalization()
    norm(dense(Input((3,))))
    if generation == "1":
        assert dense.W is dense.kernel and dense.b is dense.bias and norm.running_mean is norm.moving_mean
    else:
        assert not hasattr(dense, "W") and not hasattr(norm, "running_std")
    assert not hasattr(norm, "W")
