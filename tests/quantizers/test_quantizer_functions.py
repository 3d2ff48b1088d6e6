"""Functions of `quantizers`, against NumPy and the numbers of Keras 3.15."""

import jax
import numpy as np
import pytest

from oneiros import quantizers
from oneiros.quantizers.gptq import gptq_quantize_matrix

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(4, 3)).astype("float32")


@pytest.mark.parametrize("axis", [0, -1, (0, 1), None])
@pytest.mark.parametrize("to_numpy", [False, True])
def test_abs_max(axis, to_numpy):
    values, scale = quantizers.abs_max_quantize(X, axis, to_numpy=to_numpy)
    expected = 127 / np.abs(X).max(axis, keepdims=True)
    np.testing.assert_allclose(scale, expected, rtol=1e-6)
    np.testing.assert_array_equal(values, np.round(X * expected))
    assert values.dtype == "int8" and isinstance(values, np.ndarray) == to_numpy


def test_zeros_do_no_harm():
    values, scale = quantizers.abs_max_quantize(np.zeros((2, 2)), 0)
    assert not np.any(values) and np.isfinite(scale).all()
    values, scale, zero = quantizers.abs_max_quantize_grouped_with_zero_point(np.zeros((2, 2)), 2)
    assert np.array_equal(values, zero.repeat(2, 0)) and np.isfinite(scale).all()


@pytest.mark.parametrize("rows", [6, 8])
def test_blocks_with_a_zero_point(rows):
    x = DRAW.normal(size=(rows, 5)).astype("float32")
    x[::4], x[1::4] = -1, 1  # a zero point can only stand for zero if a block has both signs
    values, scale, zero = quantizers.abs_max_quantize_grouped_with_zero_point(x, 4)
    assert scale.shape == zero.shape == (2, 5) and values.shape == x.shape
    groups = np.arange(rows) // 4
    back = quantizers.dequantize_with_sz_map(values.T, scale.T, zero.T, groups).T
    assert np.all(np.abs(back - x) <= np.asarray(scale)[groups] + 1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(("shape", "axis"), [((5, 8), 0), ((4, 7), 1), ((2, 5, 4, 6), 1), ((2, 3), -1)])
def test_two_integers_in_a_byte(dtype, shape, axis):
    low = -8 if dtype == "int8" else 0
    values = DRAW.integers(low, low + 16, shape).astype(dtype)
    packed, packed_shape, length = quantizers.pack_int4(values, axis, dtype)
    assert packed.dtype == dtype and packed.shape == packed_shape and packed.shape[axis] == (shape[axis] + 1) // 2
    np.testing.assert_array_equal(quantizers.unpack_int4(packed, length, axis, dtype), values)


def test_packing_is_that_of_keras():
    assert quantizers.pack_int4(np.array([[-8, 7], [1, -2], [3, 4]], "int8"))[0].tolist() == [[24, -25], [3, 4]]
    assert quantizers.pack_int4(np.array([[8, 7], [1, 15]], "uint8"), dtype="uint8")[0].tolist() == [[24, 247]]


def test_float8():
    assert float(quantizers.compute_float8_scale(0.0, 4.0, 448.0)) == 4
    assert float(quantizers.compute_float8_scale(np.inf, 4.0, 448.0)) == 4
    np.testing.assert_allclose(quantizers.compute_float8_scale(3.0, 4.0, 448.0, margin=1), 6 / 448, rtol=1e-6)
    history = quantizers.compute_float8_amax_history(X, np.arange(5.0))
    np.testing.assert_allclose(history, [np.abs(X).max(), 2, 3, 4, 0])
    rounded = quantizers.quantize_and_dequantize(X, 0.01, "float8_e4m3fn", "float32")
    np.testing.assert_allclose(rounded[0], [0.13, -0.13, 0.64], rtol=1e-5)


def test_integers_in_training():
    """With bounds -1 and 2 the step is 3 / 255; gradients pass inside, and go to the bounds outside."""
    x = np.array([[-1.5, 0.31, 2.7]], "float32")
    weight = np.array([1.0, 2.0, 3.0])
    step = 3 / 255
    rounded = quantizers.fake_quant_with_min_max_vars(x, -1.0, 2.0)
    np.testing.assert_allclose(rounded, [[-85 * step, 26 * step, 170 * step]], rtol=1e-5)

    def loss(x, low, high):
        return (quantizers.fake_quant_with_min_max_vars(x, low, high) * weight).sum()

    of_x, of_low, of_high = jax.grad(loss, (0, 1, 2))(x, np.float32(-1), np.float32(2))
    assert of_x.tolist() == [[0, 2, 0]] and (float(of_low), float(of_high)) == (1, 3)
    per_channel = quantizers.fake_quant_with_min_max_vars(x, [-1.0, 0.0, 0.0], [1.0, 1.0, 2.0], axis=1)
    np.testing.assert_allclose(per_channel, [[-1.0, 79 / 255, 2.0]], rtol=1e-2)


def test_parameters_of_rows():
    """Numbers of Keras 3.15."""
    x = np.array([[1.0, 2, -3, 4], [0.5, 0.6, 0.7, 0.8]], "float32")

    def found(**more):
        scale, zero, largest = quantizers.compute_quantization_parameters(x, bits=4, **more)
        assert float(largest) == 15
        return np.round(scale, 4).tolist(), zero.tolist()

    np.testing.assert_allclose(found(per_channel=True)[0], [[0.4667], [0.02]], atol=1e-4)
    assert found(per_channel=True)[1] == [[6], [0]] and found()[1] == [[6], [6]]
    np.testing.assert_allclose(
        found(per_channel=True, group_size=2)[0], [[0.0667, 0.4667], [0.0067, 0.0067]], atol=1e-4
    )
    np.testing.assert_allclose(found(per_channel=True, symmetric=True)[0], [[0.5333], [0.02]], atol=1e-4)
    assert found(symmetric=True)[1] == [[8], [8]]


def test_gptq_makes_up_for_errors():
    """The error of the outputs is less than without corrections, and the order of inputs is undone."""
    draw = np.random.default_rng(1)
    errors = np.zeros(4)
    for _ in range(5):
        inputs = draw.normal(size=(200, 32)) + 2 * draw.normal(size=(200, 1))  # correlated
        weights = draw.normal(size=(20, 32)).astype("float32")
        inverse = np.linalg.inv(2 / 200 * inputs.T @ inputs + 1e-3 * np.eye(32))
        for i, (matrix, more) in enumerate(
            [(np.eye(32), {}), (inverse, {}), (inverse, {"activation_order": True}), (inverse, {"blocksize": 4})]
        ):
            integers, scale, zero, groups = gptq_quantize_matrix(weights, matrix, **more)
            back = np.asarray(quantizers.dequantize_with_sz_map(integers, scale, zero, groups))
            errors[i] += np.square(inputs @ (back - weights).T).mean()
    plain, corrected, ordered, in_blocks = errors
    assert corrected < 0.5 * plain and ordered < 0.5 * plain
    np.testing.assert_allclose(in_blocks, corrected, rtol=0.02)


def test_configurations():
    assert quantizers.get("abs_max_quantizer", axis=1).axis == (1,) and quantizers.get(None) is None
    for config in (
        quantizers.AbsMaxQuantizer(axis=0, value_range=(-8, 7)),
        quantizers.Int8QuantizationConfig(quantizers.AbsMaxQuantizer(axis=0)),
        quantizers.Int4QuantizationConfig(block_size=None),
        quantizers.Float8QuantizationConfig(),
        quantizers.GPTQConfig(None, None, symmetric=True),
        quantizers.AWQConfig(None, None, group_size=-1),
    ):
        again = quantizers.deserialize(quantizers.serialize(config))
        assert type(again) is type(config) and again.get_config() == config.get_config()
    for make, message in (
        (lambda: quantizers.AbsMaxQuantizer(value_range=(-256, 256)), "value_range"),
        (lambda: quantizers.Int4QuantizationConfig(quantizers.AbsMaxQuantizer(axis=0)), "does not support"),
        (lambda: quantizers.Int4QuantizationConfig(block_size=0), "block_size must be"),
        (lambda: quantizers.GPTQConfig(None, None, weight_bits=5), "Unsupported weight_bits"),
        (lambda: quantizers.AWQConfig(None, None, weight_bits=8), "only supports 4-bit"),
        (lambda: quantizers.validate_and_resolve_config("int8", quantizers.Float8QuantizationConfig()), "Contradict"),
        (lambda: quantizers.get("typo"), "typo"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
