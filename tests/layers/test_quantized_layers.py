"""Quantized layers and LoRA: numbers, gradients and files of Keras 3.15, and what users may ask for."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

import oneiros
from oneiros import Input, Sequential, layers, models, quantizers

GOLDEN = np.load(Path(__file__).with_name("golden") / "quantized.npz")
MADE = runpy.run_path(str(Path(__file__).with_name("make_golden_quantized.py")))


@pytest.mark.parametrize(("layer", "mode"), MADE["cases"]())
def test_numbers_of_keras(layer, mode):
    found = MADE["measured"](oneiros, layer, mode)
    prefix = f"{layer}/{mode}/"
    expected = {key.removeprefix(prefix): value for key, value in GOLDEN.items() if key.startswith(prefix)}
    assert set(found) == set(expected)
    for key, value in expected.items():
        assert found[key].dtype == value.dtype and found[key].shape == value.shape, key
        np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-5 * np.abs(value).max(), err_msg=key)


def dense(**config):
    layer = layers.Dense(6, **config)
    layer.build((None, 16))
    return layer


X = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
@pytest.mark.parametrize("lora", [False, True])
def test_files(mode, lora, tmp_path):
    if mode == "float8" and lora:
        pytest.skip("LoRA freezes the kernel, float8 is for training it")
    model = Sequential([Input((16,)), layers.Dense(6)])
    if lora:
        model.layers[0].enable_lora(2)
    model.quantize(mode)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    again = models.load_model(tmp_path / "model.keras")
    assert again.layers[0].dtype_policy == model.layers[0].dtype_policy
    assert again.layers[0].lora_enabled == lora
    np.testing.assert_allclose(again(X), model(X), rtol=1e-5, atol=1e-5)
    plain = Sequential([Input((16,)), layers.Dense(6)])
    plain.quantize(mode)
    plain.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(plain(X), model(X), rtol=1e-5, atol=1e-5)


def test_layers_that_were_built_one_by_one_are_in_files(tmp_path):
    layer = dense()
    layer.quantize("int8")
    model = Sequential([layer])
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(X), layer(X), rtol=1e-5, atol=1e-6)


def test_lora_trains_two_matrices_and_files_hold_their_product(tmp_path):
    model = Sequential([Input((16,)), layers.Dense(6)])
    layer, plain = model.layers[0], Sequential([Input((16,)), layers.Dense(6)])
    layer.enable_lora(2, lora_alpha=4.0)
    before = np.array(layer.main_weight)
    model.compile("sgd", "mse")
    model.fit(X, np.ones((8, 6)), epochs=3, verbose=0)
    a, b = np.array(layer.lora_kernel_a), np.array(layer.lora_kernel_b)
    assert np.abs(b).max() > 0 and np.array_equal(before, layer.main_weight)
    np.testing.assert_allclose(layer.kernel, before + 2 * a @ b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(X), X @ np.array(layer.kernel) + np.array(layer.bias), rtol=1e-4, atol=1e-5)
    model.save_weights(tmp_path / "model.weights.h5")
    plain.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(plain(X), model(X), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    assert again.layers[0].lora_rank == 2 and again.layers[0].lora_alpha == 4.0
    np.testing.assert_allclose(again(X), model(X), rtol=1e-5, atol=1e-6)


def test_lora_in_the_constructor():
    layer = dense(lora_rank=3, kernel_regularizer="l2")
    assert [v.name for v in layer.variables] == ["kernel", "bias", "lora_kernel_a", "lora_kernel_b"]
    assert len(layer.losses) == 2 and layer.get_config()["lora_alpha"] == 3
    with pytest.raises(ValueError, match="already enabled"):
        layer.enable_lora(2)
    with pytest.raises(ValueError, match="incompatible with kernel constraints"):
        dense(kernel_constraint="max_norm").enable_lora(2)
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(3).enable_lora(2)


def test_float8_scales_follow_the_numbers():
    """A step writes the largest values of inputs, kernel and gradients into the histories, and no optimizer slots."""
    model = Sequential([Input((16,)), layers.Dense(6)])
    model.quantize("float8")
    layer = model.layers[0]
    kernel = np.array(layer.kernel)
    model.compile("adam", "mse")
    model.fit(X, np.ones((8, 6)), batch_size=8, verbose=0)
    assert float(layer.inputs_amax_history[0]) == np.abs(X).max()
    assert float(layer.kernel_amax_history[0]) == np.abs(kernel).max()
    assert float(layer.outputs_grad_amax_history[0]) > 0
    assert float(layer.inputs_scale) == 1
    model.fit(X, np.ones((8, 6)), batch_size=8, verbose=0)
    np.testing.assert_allclose(float(layer.inputs_scale), np.abs(X).max() / 448, rtol=1e-6)
    assert len(model.optimizer.variables) == 2 + 2 * 2


@pytest.mark.parametrize("dtype", ["int8_from_float32", "int4_from_mixed_bfloat16", "float8_from_float32"])
def test_policies_in_constructors(dtype):
    layer = dense(dtype=dtype)
    again = layers.Dense.from_config(layer.get_config())
    assert again.dtype_policy == layer.dtype_policy and again.dtype_policy.name == dtype
    assert layer(X).dtype == layer.compute_dtype
    with pytest.raises(ValueError, match="already quantized"):
        layer.quantize("int8")


def test_a_policy_that_is_set_quantizes():
    layer = dense()
    expected = np.array(layer(X))
    layer.dtype_policy = "int8_from_float32"
    np.testing.assert_allclose(layer(X), expected, atol=0.1)
    with pytest.raises(ValueError, match="needs data"):
        dense().dtype_policy = "gptq/4/8_from_float32"


def test_mistakes():
    class Mine(layers.Dense):
        pass

    layer = Mine(3)
    layer.build((None, 4))
    with pytest.raises(NotImplementedError, match="Mine does not have a `quantize` method"):
        layer.quantize("int8")
    layer.quantize("int8", type_check=False)
    with pytest.raises(NotImplementedError, match="ReLU does not have"):
        layers.ReLU().quantize("int8")
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(3).quantize("int8")
    with pytest.raises(ValueError, match="Invalid quantization mode"):
        dense().quantize("int7")
    with pytest.raises(NotImplementedError, match="Invalid quantization mode"):
        embedding = layers.Embedding(4, 2)
        embedding.build((None,))
        embedding.quantize("float8")


def test_all_layers_of_a_model():
    def made():
        return Sequential([Input((5,), dtype="int32"), layers.Embedding(9, 8), layers.Dense(4), layers.Dense(2)])

    model = made()
    tokens = np.arange(10).reshape(2, 5) % 9
    expected = np.array(model.predict(tokens, verbose=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.quantize("int8")
    assert [layer.quantization_mode for layer in model.layers] == ["int8"] * 3
    np.testing.assert_allclose(model.predict(tokens, verbose=0), expected, atol=0.02)
    model = made()
    model.quantize(config=quantizers.Int4QuantizationConfig(block_size=4), filters=["embedding"])
    assert [layer.quantization_mode for layer in model.layers] == ["int4", None, None]
    for mode, more, message in (
        ("int7", {}, "Invalid quantization mode"),
        ("int8", {"unknown": 1}, "Unrecognized keyword arguments"),
        ("gptq", {}, "must pass a `GPTQConfig`"),
    ):
        with pytest.raises(ValueError, match=message):
            made().quantize(mode, **more)
    with pytest.raises(ValueError, match="isn't yet built"):
        Sequential([layers.Dense(2)]).quantize("int8")


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.wide, self.narrow = layers.Dense(32, activation="relu"), layers.EinsumDense("btd,de->bte", (None, 16))

    def call(self, inputs):
        return inputs + self.narrow(self.wide(inputs))


@pytest.mark.parametrize("config", [quantizers.GPTQConfig, quantizers.AWQConfig])
def test_calibration(config, tmp_path):
    """Weights that saw data err less in the outputs than those that were rounded to the nearest."""
    oneiros.utils.set_random_seed(0)
    model = Sequential([Input((12,), dtype="int32"), layers.Embedding(50, 16), Block(), Block()])
    model.layers[0].embeddings.assign(
        np.random.default_rng(1).normal(size=(50, 16)) @ np.random.default_rng(2).normal(size=(16, 16))
    )
    tokens = np.random.default_rng(3).integers(0, 50, (32, 12))
    expected = np.array(model(tokens))
    structure = {"pre_block_layers": model.layers[:1], "sequential_blocks": model.layers[1:]}
    given = config(
        [tokens], None, num_samples=32, sequence_length=12, group_size=8, quantization_layer_structure=structure
    )
    plain = models.clone_model(model, clone_function=lambda layer: type(layer).from_config(layer.get_config()))
    plain.set_weights(model.get_weights())
    plain.quantize(config=quantizers.Int4QuantizationConfig(block_size=8), filters="dense")
    model.quantize(config=given)
    layer = model.layers[1].wide
    assert layer.quantization_mode == given.mode and layer.is_calibrated and len(layer.weights) == len(layer._stored())
    error, nearest = (np.square(np.array(m(tokens)) - expected).mean() for m in (model, plain))
    assert error < nearest
    store = {}
    layer.save_own_variables(store)
    again = layers.Dense.from_config(layer.get_config())
    again.build((None, 12, 16))
    again.load_own_variables(store)
    x = np.random.default_rng(4).normal(size=(3, 12, 16)).astype("float32")
    np.testing.assert_allclose(again(x), layer(x), rtol=1e-5, atol=1e-5)
