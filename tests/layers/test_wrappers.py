"""TimeDistributed and Bidirectional: masks, states, merging, configuration."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from oneiros import core, layers
from oneiros.core.errors import InputDataError

RANDOM = np.random.RandomState(0)
X = RANDOM.uniform(-1, 1, (2, 4, 3)).astype("float32")
MASK = np.array([[True, True, False, True], [False, True, True, False]])


def near(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance, atol=tolerance)


def masked(x, mask):
    x = jnp.asarray(x)
    core.set_mask(x, jnp.asarray(mask))
    return x


def test_time_distributed_is_the_layer_at_each_step():
    images = RANDOM.uniform(-1, 1, (2, 3, 5, 5, 2)).astype("float32")
    layer = layers.TimeDistributed(layers.Conv2D(2, 3))
    output = layer(images)
    for t in range(3):
        near(output[:, t], layer.layer(images[:, t]))
    x = layers.Input((None, 5, 5, 2))
    assert layer(x).shape == (None, None, 3, 3, 2)
    assert layer.compute_output_shape((None, 7, 5, 5, 2)) == (None, 7, 3, 3, 2)
    assert [w.shape for w in layer.weights] == [(3, 3, 2, 2), (2,)]
    with pytest.raises(InputDataError, match="at least 3 dimensions"):
        layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3)))
    with pytest.raises(ValueError, match="expected a layer"):
        layers.TimeDistributed(layers.Dense)


def test_time_distributed_masks():
    layer = layers.TimeDistributed(layers.Dense(2))
    assert (core.get_mask(layer(masked(X, MASK))) == MASK).all()
    # a mask that the inner layer makes, and one that it uses
    indices = np.array([[[1, 0, 2], [0, 0, 0]], [[3, 1, 0], [2, 2, 2]]])
    words = layers.TimeDistributed(layers.Embedding(5, 3, mask_zero=True))
    vectors = words(indices)
    assert (core.get_mask(vectors) == (indices != 0)).all()
    sentences = layers.TimeDistributed(layers.GRU(2))
    result = sentences(vectors)
    near(result[0, 0], sentences.layer(np.asarray(vectors)[0, :1, [0, 2]].swapaxes(0, 1))[0])
    near(result[0, 1], np.zeros(2))
    assert np.asarray(core.get_mask(result)).tolist() == [[True, False], [True, True]]


def test_time_distributed_statistics_are_those_of_all_steps():
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5, epsilon=1e-6))
    output = np.asarray(layer(X, training=True))
    near(output.mean((0, 1)), np.zeros(3), 1e-5)
    near(layer.layer.moving_mean.value, 0.5 * X.mean((0, 1)))


def rnn_pair(layer):
    """The two directions of a Bidirectional, apart."""
    return layer.forward_layer, layer.backward_layer


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_merging(mode):
    layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode=mode)
    output = layer(X)
    forward, backward = rnn_pair(layer)
    a, b = np.asarray(forward(X)), np.asarray(backward(X))[:, ::-1]
    near(backward(X), forward_with(forward, backward)(X[:, ::-1]))
    expected = {
        "concat": np.concatenate([a, b], -1), "sum": a + b, "mul": a * b, "ave": (a + b) / 2, None: np.stack([a, b]),
    }[mode]  # fmt: skip
    near(output if mode else jnp.stack(output), expected)
    symbol = layer(layers.Input((None, 3)))
    shapes = [s.shape for s in (symbol if mode is None else [symbol])]
    assert shapes == [(None, None, 4 if mode == "concat" else 2)] * len(shapes)
    assert len(layer.trainable_weights) == 6


def forward_with(forward, backward):
    """The forward layer with the weights of the backward one."""
    twin = type(forward).from_config(forward.get_config())
    twin.build((None, None, 3))
    twin.set_weights(backward.get_weights())
    return twin


def test_states():
    layer = layers.Bidirectional(layers.LSTM(2, return_state=True))
    start = [RANDOM.uniform(-1, 1, (2, 2)).astype("float32") for _ in range(4)]
    output, *states = layer(X, initial_state=start)
    forward, backward = rnn_pair(layer)
    expected = [*forward(X, initial_state=start[:2])[1:], *backward(X, initial_state=start[2:])[1:]]
    for state, value in zip(states, expected, strict=True):
        near(state, value)
    near(output, np.concatenate([expected[0], expected[2]], -1))
    near(layer([X, *start])[0], output)
    x = layers.Input((None, 3))
    first = layer(x)
    assert [s.shape for s in first] == [(None, 4)] + [(None, 2)] * 4
    second = layers.Bidirectional(layers.LSTM(2))
    near(core.Graph([x], second(x, initial_state=first[1:]))(X), second(X, initial_state=list(layer(X)[1:])))
    with pytest.raises(ValueError, match="as many initial states"):
        layer(X, initial_state=start[:3])


def test_stateful_and_masks():
    layer = layers.Bidirectional(layers.GRU(2, stateful=True, return_sequences=True))
    first = np.asarray(layer(X))
    assert layer.stateful and not np.allclose(layer(X), first)
    layer.reset_states()
    near(layer(X), first)
    layer.reset_states()
    output = layer(masked(X, MASK))
    assert (core.get_mask(output) == MASK).all()
    near(np.asarray(output)[~MASK], np.zeros((3, 4)))  # unlike a GRU's alone


def test_masked_steps_repeat_in_keras_2(monkeypatch):
    monkeypatch.setattr(core.behaviour, "bidirectional_zero_masked", False)
    layer = layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True))
    output = np.asarray(layer(X, mask=MASK))
    near(output[0, 2, :2], output[0, 1, :2])
    near(output[0, 2, 2:], output[0, 3, 2:])


def test_configuration_and_weights():
    square = jnp.square
    layer = layers.Bidirectional(layers.SimpleRNN(2, activation=square, name="inner"), input_shape=(None, 3))
    assert layer.forward_layer.activation is layer.backward_layer.activation is square
    assert [layer.forward_layer.name, layer.backward_layer.name] == ["forward_inner", "backward_inner"]
    layer = layers.Bidirectional(layers.GRU(2, dropout=0.1), "sum", backward_layer=layers.GRU(2, go_backwards=True))
    twin = layers.Bidirectional.from_config(json.loads(json.dumps(layer.get_config())))
    assert twin.merge_mode == "sum" and twin.backward_layer.go_backwards and twin.forward_layer.dropout == 0.1
    layer.build((None, None, 3))
    near(layers.Bidirectional(layers.GRU(2), "sum", weights=layer.get_weights())(X), layer(X))
    first = layer.forward_layer.weights[0]
    assert first.path.startswith(f"{layer.name}/{layer.forward_layer.name}/gru_cell")
    with pytest.raises(ValueError, match="different `go_backwards`"):
        layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2))
    with pytest.raises(InputDataError, match="merge_mode"):
        layers.Bidirectional(layers.GRU(2), merge_mode="concatenate")


def test_cells_of_users_in_both_directions():
    class Cell(layers.SimpleRNNCell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training)
            return output + 1, states

    layer = layers.Bidirectional(layers.RNN([Cell(2), layers.GRUCell(3)], return_sequences=True))
    output = layer(X)
    near(output[..., 3:], np.asarray(layer.backward_layer(X))[:, ::-1])
    assert type(layer.backward_layer.cell.cells[0]) is Cell and len(layer.weights) == 12
