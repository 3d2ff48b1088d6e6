"""Embedding: indices of any type, masks, lengths, gradients."""

import numpy as np
import pytest

from oneiros import core, layers
from oneiros.core.errors import InputDataError

TABLE = np.random.RandomState(0).uniform(-1, 1, (6, 2)).astype("float32")
INDICES = np.array([[1, 5, 0], [0, 2, 1]])


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64", "float32", "bool"])
def test_indices_of_any_type(dtype):
    layer = layers.Embedding(6, 2, weights=[TABLE])
    np.testing.assert_array_equal(layer(INDICES.astype(dtype)), TABLE[INDICES.astype(dtype).astype(int)])


def test_16_bit_types_do_not_round_indices():
    layer = layers.Embedding(1000, 1, dtype="mixed_bfloat16")
    layer.build((None,))
    layer.set_weights([np.arange(1000.0)[:, None] % 7])
    output = layer(np.array([997.0, 999.0], "float32"))
    assert output.dtype == "bfloat16" and output[:, 0].tolist() == [997 % 7, 999 % 7]


def test_mask():
    layer = layers.Embedding(6, 2, mask_zero=True)
    assert (core.get_mask(layer(INDICES)) == (INDICES != 0)).all()
    assert core.get_mask(layers.Embedding(6, 2)(INDICES)) is None
    assert (layer.compute_mask(INDICES) == (INDICES != 0)).all()


def test_lengths():
    layer = layers.Embedding(6, 2, input_length=3)
    assert layer.batch_input_shape == (None, 3) and layer.input_dim == 6
    assert layer.get_config()["input_length"] == 3
    assert layers.Embedding.from_config(layer.get_config()).batch_input_shape == (None, 3)
    assert layer.compute_output_shape((None, 3)) == (None, 3, 2)
    with pytest.raises(InputDataError, match="input_length=3"):
        layer.compute_output_shape((None, 4))
    assert layers.Embedding(6, 2)(layers.Input((None, 4), dtype="int32")).shape == (None, None, 4, 2)
    with pytest.raises(InputDataError, match="input_dim"):
        layers.Embedding(0, 2)
    with pytest.raises(TypeError, match="lora_rank"):
        layers.Embedding(6, 2, lora_rank=4)


def test_first_layer_of_keras_2(monkeypatch):
    monkeypatch.setattr(core.behaviour, "embedding_is_an_input", True)
    assert layers.Embedding(6, 2).batch_input_shape == (None, None)


def test_gradient_counts_repeated_indices():
    layer = layers.Embedding(6, 2)
    layer.build((None, 3))
    scale = np.arange(12.0, dtype="float32").reshape(2, 3, 2)
    _, (gradient,) = core.value_and_grad(lambda: (layer(INDICES) * scale).sum(), layer.weights)()
    expected = np.zeros((6, 2))
    np.add.at(expected, INDICES, scale)
    np.testing.assert_allclose(gradient, expected)
