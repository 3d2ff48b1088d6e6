"""Embedding: indices of any type, masks, lengths, gradients."""

import numpy as np
import pytest

from oneiros import core, layers
from oneiros.core.errors import InputDataError
from oneiros.models import Model

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
    with pytest.raises(TypeError, match="sparse"):
        layers.Embedding(6, 2, sparse=True)


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


def test_reverse_gives_scores():
    table = np.array([[0.0, 0.0], [2.0, 2.0], [3.0, 3.0]], "float32")
    layer = layers.ReversibleEmbedding(3, 2, mask_zero=True, weights=[table])
    assert layer(np.array([2, 1, 0])).tolist() == table[[2, 1, 0]].tolist()
    assert layer(np.array([[1.0, 1.0]]), reverse=True).tolist() == [[0.0, 4.0, 6.0]]
    assert core.get_mask(layer(np.array([[0, 2]]))).tolist() == [[False, True]]
    assert core.get_mask(layer(layer(np.array([[0, 2]])), reverse=True)) is None
    capped = layers.ReversibleEmbedding(3, 2, logit_soft_cap=5, weights=[table])
    np.testing.assert_allclose(capped(np.ones((1, 2)), reverse=True), 5 * np.tanh([[0, 4 / 5, 6 / 5]]), rtol=1e-5)
    own = layers.ReversibleEmbedding(3, 2, tie_weights=False, weights=[table, np.arange(6.0).reshape(2, 3)])
    assert own(np.ones((1, 2)), reverse=True).tolist() == [[3.0, 5.0, 7.0]]
    assert [w.name for w in own.trainable_weights] == ["embeddings", "reverse_embeddings"]


def test_reverse_in_a_model():
    layer = layers.ReversibleEmbedding(5, 2, mask_zero=True)
    vectors, indices = layers.Input((2,)), layers.Input((3,), dtype="int32")
    model = Model([vectors, indices], [layer(vectors, reverse=True), layer(layer(indices), reverse=True)])
    assert [tuple(o.shape) for o in model.outputs] == [(None, 5), (None, 3, 5)]
    one, many = model.predict([np.full((1, 2), 9.5), np.array([[1, 0, 4]])], verbose=0)  # 9.5 is no index
    table = np.asarray(layer.embeddings)
    np.testing.assert_allclose(one, np.full((1, 2), 9.5) @ table.T, rtol=1e-5)
    np.testing.assert_allclose(many, table[[[1, 0, 4]]] @ table.T, rtol=1e-5, atol=1e-7)
    mixed = layers.ReversibleEmbedding(5, 2, dtype="mixed_bfloat16", reverse_dtype="float32")
    assert mixed(layers.Input((2,)), reverse=True).dtype == mixed(np.ones((1, 2)), reverse=True).dtype == "float32"
    assert mixed(np.array([1])).dtype == "bfloat16"
