"""What programs for Keras 1 and 2 do with tensors: losses and calls over the graph around them, shapes, results."""

import numpy as np
import pytest

from oneiros import Input, Model, backend, compat, core, layers

K = backend


@pytest.fixture(params=["1", "2"], autouse=True)
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


def test_tensors_in_calls_have_the_shapes_that_old_code_asks_for():
    seen = []

    def halve(t):
        seen.append((t.get_shape().as_list()[-1], t._keras_shape[-1], t.shape.as_list()[-1]))
        return t[:, : t.get_shape().as_list()[-1] // 2]

    x = Input((6,))
    model = Model(x, layers.Lambda(halve)(x))
    np.testing.assert_array_equal(model.predict(np.arange(12.0).reshape(2, 6)), [[0, 1, 2], [6, 7, 8]])
    assert set(seen) == {(6, 6, 6)}
    array = K.ones((2,)).value
    assert array.numpy().tolist() == [1, 1] and array.get_shape().as_list() == [2]
    compat.uninstall()
    assert not hasattr(array, "get_shape") and not hasattr(array, "numpy")


def test_losses_may_use_symbols_of_the_model():
    x = Input((3,))
    h = layers.Dense(2, kernel_initializer="ones", name="code")(x)
    unused = layers.Dense(1, kernel_initializer="ones")(h)  # nothing of the outputs needs it
    model = Model(x, layers.Dense(3, kernel_initializer="ones")(h))
    model.compile("sgd", lambda t, p: K.mean(K.square(t - p), -1) + 2 * K.sum(h, -1) - K.mean(unused, axis=-1))
    data = np.random.RandomState(0).rand(5, 3).astype("float32")
    code = data.sum(-1, keepdims=True)
    expected = np.mean((data - 2 * code) ** 2, -1) + 4 * code[:, 0] - 2 * code[:, 0]
    assert model.evaluate(data, data, verbose=0) == pytest.approx(expected.mean(), rel=1e-5)
    before = model.get_layer("code").get_weights()[0]
    assert model.train_on_batch(data, data) == pytest.approx(expected.mean(), rel=1e-5)
    # d/dkernel[i, j] of the mean: 2 * x_i for the loss on `h`, -x_i for `unused`, and the squares' own part.
    squares = ((2 * (2 * code - data)) / 3).sum(-1, keepdims=True) * data
    gradient = np.repeat((squares + data).mean(0)[:, None], 2, 1)
    np.testing.assert_allclose(model.get_layer("code").get_weights()[0], before - 0.01 * gradient, rtol=1e-4)


def test_a_layer_may_use_symbols_of_the_model_in_its_call():
    x = Input(batch_shape=(4, 3))
    h = layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")(x)

    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(K.mean(K.sum(inputs, -1) * K.sum(h, axis=-1)), inputs=inputs)
            return inputs * h[:, :1]

        def compute_output_shape(self, input_shape):
            return input_shape

    model = Model(x, Penalty()(x))
    model.compile("sgd", loss=None)
    data = np.random.RandomState(0).rand(4, 3).astype("float32")
    total = data.sum(-1)
    np.testing.assert_allclose(model.predict(data, batch_size=4), data * (total + 1)[:, None], rtol=1e-5)
    loss = model.evaluate(data, None, batch_size=4, verbose=0)
    assert loss == pytest.approx(np.mean(total * 2 * (total + 1)), rel=1e-5)


def test_a_model_may_begin_with_an_expression():
    base, image = K.variable(np.ones((1, 3))), K.placeholder((1, 3))
    joined = Input(tensor=K.concatenate([base, image], axis=0))
    model = Model(joined, layers.Dense(1, kernel_initializer="ones", name="d")(joined))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
    loss = K.sum(K.square(model.get_layer("d").output[1]))
    f = K.function([image], [loss, *K.gradients(loss, [image])])
    value, gradient = f([np.array([[1.0, 2.0, 3.0]])])
    assert value == 36 and gradient.tolist() == [[12, 12, 12]]


def test_results_may_be_changed_in_place():
    x = Input((2,))
    model = Model(x, [layers.Dense(3)(x), layers.Activation("tanh")(x)])
    model.compile("adam", "mse")
    data = np.ones((4, 2))
    results = [*model.predict(data), *model.predict(data, batch_size=2), *model.predict_on_batch(data)]
    results += [*K.function([x], model.outputs)([data]), K.get_value(K.variable(data)), *model.get_weights()]
    model.train_on_batch(data, [np.ones((4, 3)), data])
    results += [w for w in model.optimizer.get_weights() if w.ndim]
    for result in results:
        result[:] = 7
    assert not (model.predict(data)[0] == 7).any()
