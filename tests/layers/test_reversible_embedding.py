"""ReversibleEmbedding: both ways, tied or not, against NumPy; masks, types, gradients, files."""

import numpy as np
import pytest

from oneiros import Input, Model, core, layers, models

TABLE = np.random.RandomState(0).uniform(-1, 1, (6, 2)).astype("float32")
OTHER = np.random.RandomState(1).uniform(-1, 1, (2, 6)).astype("float32")
INDICES = np.array([[1, 5, 0], [0, 2, 1]])


@pytest.mark.parametrize("tied", [True, False])
def test_both_ways(tied):
    layer = layers.ReversibleEmbedding(6, 2, tie_weights=tied)
    layer.build()
    assert [w.name for w in layer.weights] == (["embeddings"] if tied else ["embeddings", "reverse_embeddings"])
    layer.set_weights([TABLE] if tied else [TABLE, OTHER])
    vectors = layer(INDICES)
    np.testing.assert_array_equal(vectors, TABLE[INDICES])
    np.testing.assert_allclose(
        layer(vectors, reverse=True), TABLE[INDICES] @ (TABLE.T if tied else OTHER), rtol=1e-5, atol=1e-6
    )


def test_the_cap_and_the_type_of_logits():
    layer = layers.ReversibleEmbedding(6, 2, logit_soft_cap=0.5, reverse_dtype="float32", dtype="mixed_bfloat16")
    layer.build((None, 3))
    layer.set_weights([TABLE])
    x = np.ones((4, 2), "float32")
    logits = layer(x, reverse=True)
    assert logits.dtype == "float32" and layer(INDICES).dtype == "bfloat16"
    np.testing.assert_allclose(logits, np.tanh(x @ TABLE.T / 0.5) * 0.5, rtol=1e-5)
    with pytest.raises(ValueError, match="logit_soft_cap: expected a positive number"):
        layers.ReversibleEmbedding(6, 2, logit_soft_cap=-1)


def test_gradient_of_tied_weights():
    layer = layers.ReversibleEmbedding(6, 2)
    layer.build()
    layer.set_weights([TABLE])
    _, (gradient,) = core.value_and_grad(lambda: layer(layer(INDICES), reverse=True).sum(), layer.weights)()
    counts = np.bincount(INDICES.ravel(), minlength=6)[:, None]
    expected = counts * TABLE.sum(0) + (counts * TABLE).sum(0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


def test_in_a_graph(tmp_path):
    layer = layers.ReversibleEmbedding(6, 2, mask_zero=True, tie_weights=False)
    x = Input((None,), dtype="int32")
    vectors = layer(x)
    logits = layer(vectors, reverse=True)
    assert (vectors.shape, logits.shape) == ((None, None, 2), (None, None, 6))
    assert layer.compute_output_shape((2, 3, 2), reverse=True) == (2, 3, 6)
    model = Model(x, logits)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(INDICES, verbose=0), model.predict(INDICES, verbose=0))
    assert (core.get_mask(layer(INDICES)) == (INDICES != 0)).all()
    assert again.layers[1].get_config()["tie_weights"] is False


def test_vectors_are_no_indices():
    layer = layers.ReversibleEmbedding(6, 2)
    layer(INDICES)
    x = Input((3, 2))
    assert Model(x, layer(x, reverse=True)).predict(np.full((1, 3, 2), 9.5), verbose=0).shape == (1, 3, 6)
