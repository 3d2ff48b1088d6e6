"""Layers that only Keras 1 had, against NumPy."""

import json

import numpy as np
import pytest

import oneiros
from oneiros import backend as K  # noqa: N812
from oneiros import compat
from oneiros.compat import legacy_layers as legacy
from oneiros.core import safety
from oneiros.core.errors import UnsafeModelError
from oneiros.core.registry import CustomObjectScope

rng = np.random.default_rng(0)
A, B = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(3, 4)).astype("float32")


def _cosine(a, b):
    return (np.sum(a * b, 1) / np.sqrt(np.sum(a * a, 1) * np.sum(b * b, 1)))[:, None, None]


MERGES = {
    "sum": A + B,
    "mul": A * B,
    "ave": (A + B) / 2,
    "max": np.maximum(A, B),
    "concat": np.concatenate([A, B], -1),
    "dot": np.sum(A * B, 1, keepdims=True),
    "cos": _cosine(A, B),
}


@pytest.mark.parametrize("mode", MERGES)
def test_merge_modes(mode):
    np.testing.assert_allclose(legacy.Merge(mode=mode)([A, B]), MERGES[mode], rtol=1e-5)
    a, b = oneiros.Input((4,)), oneiros.Input((4,))
    model = oneiros.Model([a, b], legacy.merge([a, b], mode=mode))
    np.testing.assert_allclose(model.predict([A, B], verbose=0), MERGES[mode], rtol=1e-5)
    assert model.output_shape == (None, *MERGES[mode].shape[1:])


def test_every_mode_is_tested():
    assert set(MERGES) == set(legacy._MODES)


def test_merge_with_a_function():
    layer = legacy.Merge(mode=lambda x, factor: (x[0] - x[1]) * factor, arguments={"factor": 2})
    np.testing.assert_allclose(layer([A, B]), (A - B) * 2, rtol=1e-6)
    with pytest.raises(UnsafeModelError, match="Merge layer 'm' needs the function 'difference'"):
        legacy.Merge.from_config({"mode": "difference", "mode_type": "function", "name": "m"})


def test_merge_with_a_function_in_files():
    def difference(pair, factor=1):
        return (pair[0] - pair[1]) * factor

    layer = legacy.Merge(mode=difference, name="m", output_shape=lambda shapes: shapes[0], arguments={"factor": 2})
    config = json.loads(json.dumps(layer.get_config()))
    with pytest.raises(UnsafeModelError, match="Merge layer 'm' contains Python code.*--trust-files"):
        legacy.Merge.from_config(config)
    with safety.loading(safe_mode=False):
        np.testing.assert_allclose(legacy.Merge.from_config(config)([A, B]), (A - B) * 2, rtol=1e-6)
    for name in ("difference", "m"):
        with CustomObjectScope({name: difference}):
            np.testing.assert_allclose(legacy.Merge.from_config(config)([A, B]), (A - B) * 2, rtol=1e-6)


def test_merge_of_two_models_begins_a_sequential():
    left = oneiros.Sequential([oneiros.layers.Dense(4, input_shape=(4,), kernel_initializer="identity")])
    right = oneiros.Sequential([oneiros.layers.Dense(4, input_shape=(4,), kernel_initializer="identity")])
    model = oneiros.Sequential()
    model.add(legacy.Merge([left, right], mode="concat"))
    model.add(oneiros.layers.Dense(1))
    model.compile("sgd", "mse")
    assert model.output_shape == (None, 1) and len(model.inputs) == 2
    model.train_on_batch([A, B], np.ones((3, 1)))
    assert legacy.Merge([left, right], mode="sum").merged.shape == (None, 4)


def test_merge_masks():
    x = oneiros.layers.Embedding(5, 4, mask_zero=True)
    one, other = np.array([[1, 2, 0]]), np.array([[1, 0, 0]])
    layer = legacy.Merge(mode="sum")
    mask = layer.compute_mask([x(one), x(other)], [one != 0, other != 0])
    np.testing.assert_array_equal(mask, [[True, False, False]])
    mask = legacy.Merge(mode="concat", concat_axis=-1).compute_mask([x(one), x(other)], [one != 0, None])
    np.testing.assert_array_equal(mask, [[True, True, False]])


def test_maxout_dense():
    layer = legacy.MaxoutDense(2, nb_feature=3, input_dim=4)
    y = layer(A)
    w, b = layer.get_weights()
    assert w.shape == (3, 4, 2) and b.shape == (3, 2)
    np.testing.assert_allclose(y, np.max(np.einsum("bi,fio->bfo", A, w) + b, 1), rtol=1e-5, atol=1e-6)


def test_highway():
    layer = legacy.Highway(activation="tanh", init="glorot_normal")
    y = layer(A)
    w, carry, b, b_carry = layer.get_weights()
    np.testing.assert_array_equal(b_carry, 1)
    gate = 1 / (1 + np.exp(-(A @ carry + b_carry)))
    np.testing.assert_allclose(y, gate * np.tanh(A @ w + b) + (1 - gate) * A, rtol=1e-5, atol=1e-6)


def test_srelu_and_parametric_softplus():
    x = np.linspace(-3, 3, 12, dtype="float32").reshape(3, 4)
    layer = legacy.SReLU(t_left_init="ones", a_left_init="ones", t_right_init="ones")
    np.testing.assert_allclose(layer(x), x, atol=1e-6)  # all slopes are one
    layer = legacy.SReLU()
    layer.build((None, 4))
    layer.set_weights([np.full(4, -1), np.full(4, 0.5), np.full(4, 2), np.full(4, 0.25)])
    expected = np.where(x < -1, -1 + 0.5 * (x + 1), np.where(x > 1, 1 + 0.25 * (x - 1), x))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)
    softplus = legacy.ParametricSoftplus(alpha_init=0.3, beta_init=2.0)
    np.testing.assert_allclose(softplus(x), 0.3 * np.log1p(np.exp(2 * x)), rtol=1e-5)


def test_time_distributed_dense():
    layer = legacy.TimeDistributedDense(3, input_dim=4, input_length=5)
    assert layer.batch_input_shape == (None, 5, 4)
    x = rng.normal(size=(2, 5, 4)).astype("float32")
    y = layer(x)
    w, b = layer.get_weights()
    np.testing.assert_allclose(y, x @ w + b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(legacy.time_distributed_dense(x, w, b), x @ w + b, rtol=1e-5, atol=1e-6)


def test_atrous_convolution():
    layer = legacy.AtrousConvolution2D(2, 3, 3, atrous_rate=(2, 2), border_mode="valid")
    assert layer.dilation_rate == (2, 2) and layer(np.ones((1, 7, 7, 1))).shape == (1, 3, 3, 2)
    assert legacy.AtrousConvolution1D(2, 3, atrous_rate=2)(np.ones((1, 7, 1))).shape == (1, 3, 2)


class Decay(legacy.Recurrent):
    """h = rate * h + x W."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[-1], self.units), initializer="glorot_uniform", name="W")

    def step(self, x, states):
        h = 0.5 * states[0] + K.dot(x, self.W)
        return h, [h]


@pytest.mark.parametrize("backwards", [False, True])
def test_recurrent_base(backwards):
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    layer = Decay(2, return_sequences=True, go_backwards=backwards)
    y = np.asarray(layer(x))
    (w,) = layer.get_weights()
    h, expected = 0, []
    for t in range(4):
        h = 0.5 * h + x[:, 3 - t if backwards else t] @ w
        expected.append(h)
    np.testing.assert_allclose(y, np.stack(expected, 1), rtol=1e-5, atol=1e-6)


def test_recurrent_base_keeps_states():
    layer = Decay(2, stateful=True)
    x = np.ones((1, 1, 3), "float32")
    first, second = np.asarray(layer(x)), np.asarray(layer(x))
    np.testing.assert_allclose(second, 1.5 * first, rtol=1e-6)
    layer.reset_states()
    np.testing.assert_allclose(layer(x), first, rtol=1e-6)


def test_dropout_masks():
    ones = np.ones((2, 500), "float32")
    np.testing.assert_array_equal(legacy.generate_dropout_mask(ones, 0.5, training=False), ones)
    masks = legacy.generate_dropout_mask(ones, 0.5, training=True, count=2)
    assert all(set(np.unique(mask)) == {0, 2} and 0.4 < np.mean(mask == 0) < 0.6 for mask in masks)
    np.testing.assert_array_equal(legacy.generate_dropout_ones(ones, 3), np.ones((2, 3)))


def test_layers_written_for_keras_1():
    compat.install("1")
    try:
        from keras import initializations
        from keras.engine.topology import Layer

        class Scale(Layer):
            def __init__(self, init="one", **kwargs):
                self.init = initializations.get(init)
                super().__init__(**kwargs)

            def build(self, input_shape):
                self.W = self.init((input_shape[1],), name=f"{self.name}_W")
                self.trainable_weights = [self.W]

            def call(self, x, mask=None):
                return x * self.W * 3

            def get_output_shape_for(self, input_shape):
                return input_shape

        model = oneiros.Sequential([Scale(input_shape=(4,))])
        np.testing.assert_allclose(model.predict(A), 3 * A, rtol=1e-6)
        assert [w.shape for w in model.trainable_weights] == [(4,)]
        assert model.layers[0].get_output_shape_for((None, 4)) == (None, 4)
    finally:
        compat.uninstall()
