"""Attention: masks, heads, axes; values against Keras 3's and NumPy."""

import pathlib

import numpy as np
import pytest
from make_golden import fill

from oneiros import core, layers
from oneiros.core.errors import InputDataError

GOLDEN = pathlib.Path(__file__).parent / "golden"
X, Y = (np.random.RandomState(seed).uniform(-1, 1, (2, n, 6)).astype("float32") for seed, n in ((0, 4), (1, 5)))
MASK = np.arange(5)[None] < np.array([[3], [5]])


def near(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance, atol=tolerance)


def ready(layer):
    layer(X, Y)
    layer.set_weights([fill(w.name, w.shape, seed) for seed, w in enumerate(layer.weights)])
    return layer


@pytest.mark.parametrize(
    ("name", "make", "arguments"),
    [
        ("plain", lambda: layers.MultiHeadAttention(2, 3), {}),
        ("masked", lambda: layers.MultiHeadAttention(2, 3, output_shape=4), {"value_mask": MASK}),
        ("causal", lambda: layers.MultiHeadAttention(3, 2, use_bias=False), {"use_causal_mask": True}),
        ("grouped", lambda: layers.GroupQueryAttention(3, 4, 2), {"value_mask": MASK}),
    ],
)
def test_heads(name, make, arguments):
    golden = np.load(GOLDEN / "attention.npz")
    layer = ready(make())
    output, weights = layer(X, Y, return_attention_scores=True, **arguments)
    near(weights, golden[f"{name}/weights"])
    near(output, golden[f"{name}/output"])
    twin = type(layer).from_config(layer.get_config())
    twin(X, Y)
    twin.set_weights(layer.get_weights())
    near(twin(X, Y, **arguments), output)
    symbol = layer(layers.Input((None, 6)), layers.Input((5, 6)))
    assert symbol.shape == (None, None, output.shape[-1])


def test_masks_that_travel():
    layer = ready(layers.MultiHeadAttention(2, 3))
    y = np.asarray(Y)
    traveller = core.variable.to_array(y)
    core.set_mask(traveller, core.variable.to_array(MASK))
    expected = layer(X, Y, attention_mask=np.repeat(MASK[:, None], 4, 1))
    near(layer(X, traveller), expected)
    assert (core.get_mask(layer(traveller, X)) == MASK).all()
    near(layer(X, Y, Y, key_mask=MASK), expected)


@pytest.mark.parametrize(
    ("cls", "sizes"), [(layers.MultiHeadAttention, (2, 3)), (layers.GroupQueryAttention, (3, 4, 2))]
)
def test_gate(cls, sizes):
    """What the heads attend to is multiplied by the sigmoid of a projection of the query."""
    gated, plain = ready(cls(*sizes, use_gate=True)), cls(*sizes)
    plain(X, Y)
    query, query_bias, key, key_bias, gate, gate_bias, value, value_bias, kernel, bias = gated.get_weights()
    plain.set_weights([query, query_bias, key, key_bias, value, value_bias, kernel, bias])
    weights = np.asarray(plain(X, Y, return_attention_scores=True)[1])
    values = np.einsum("nsv,vhw->nshw", Y, value) + value_bias
    attended = np.einsum("nhts,nshw->nthw", weights, np.repeat(values, len(kernel) // values.shape[2], 2))
    opened = 1 / (1 + np.exp(-(np.einsum("ntd,dhw->nthw", X, gate) + gate_bias)))
    near(gated(X, Y), np.einsum("nthw,hwd->ntd", attended * opened, kernel) + bias)
    near(plain(X, Y), np.einsum("nthw,hwd->ntd", attended, kernel) + bias)
    assert type(gated).from_config(gated.get_config()).use_gate and "flash_attention" not in gated.get_config()


def test_sliding_window():
    layer = ready(layers.MultiHeadAttention(2, 3, sliding_window=2, flash_attention=False))
    plain = layers.MultiHeadAttention(2, 3)
    plain(X, Y)
    plain.set_weights(layer.get_weights())
    distance = np.arange(4)[:, None] - np.arange(5)
    for causal, seen in ((False, abs(distance) < 2), (True, (distance == 0) | (distance == 1))):
        expected, weights = plain(X, Y, attention_mask=seen[None], return_attention_scores=True)
        assert (np.asarray(weights)[0, 0] > 0).tolist() == seen.tolist()
        near(layer(X, Y, use_causal_mask=causal), expected)
    grouped = ready(layers.GroupQueryAttention(3, 4, 2, sliding_window=1))
    scores = np.asarray(grouped(X, Y, return_attention_scores=True)[1])
    near(scores[1, 2], np.eye(4, 5))
    with pytest.raises(InputDataError, match="sliding_window: expected"):
        layers.MultiHeadAttention(2, 3, sliding_window=0)


def test_attention_axes():
    """Attention over one of two axes is attention for each index of the other."""
    x = np.random.RandomState(2).uniform(-1, 1, (2, 3, 4, 6)).astype("float32")
    layer = layers.MultiHeadAttention(2, 3, attention_axes=2)
    output = layer(x, x)
    plain = layers.MultiHeadAttention(2, 3)
    plain(x[:, 0], x[:, 0])
    plain.set_weights(layer.get_weights())
    for i in range(3):
        near(output[:, i], plain(x[:, i], x[:, i]))
    both = layers.MultiHeadAttention(2, 3)
    both(x, x)
    both.set_weights(layer.get_weights())
    near(both(x, x), np.asarray(plain(x.reshape(2, 12, 6), x.reshape(2, 12, 6))).reshape(2, 3, 4, 6))


@pytest.mark.parametrize("cls", [layers.Attention, layers.AdditiveAttention])
def test_masks_of_attention(cls):
    layer = cls()
    query_mask = np.array([[True, True, False, True], [True, False, True, True]])
    output, weights = layer([X, Y], mask=[query_mask, MASK], return_attention_scores=True, use_causal_mask=True)
    weights = np.asarray(weights)
    assert (weights[0, :, 3:] == 0).all() and (np.triu(weights[1], 1) == 0).all()
    near(weights.sum(-1), np.ones((2, 4)))
    near(output, (weights @ Y) * query_mask[..., None])
    dropped = np.asarray(cls(dropout=0.5)([X, Y], training=True))
    assert not np.allclose(dropped, layer([X, Y]))
    with pytest.raises(InputDataError, match="called on a list"):
        cls()(X)


def test_arguments():
    with pytest.raises(InputDataError, match="multiple"):
        layers.GroupQueryAttention(3, 4, 3)
    with pytest.raises(InputDataError, match="score_mode"):
        layers.Attention(score_mode="cosine")
