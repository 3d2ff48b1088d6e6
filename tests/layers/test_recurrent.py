"""Recurrent layers against loops in NumPy: states, masks, directions, cells of anyone, dropout. See also the table."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oneiros import core, layers
from oneiros.core.errors import InputDataError
from oneiros.kernels.loop import rnn
from oneiros.layers.cudnn_recurrent import cudnn_to_plain, plain_to_cudnn

RANDOM = np.random.RandomState(0)
X = RANDOM.uniform(-1, 1, (2, 4, 3)).astype("float32")
MASK = np.array([[True, True, False, True], [False, True, False, False]])
LAYERS = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}
GOLDEN = pathlib.Path(__file__).parent / "golden"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_rnn(x, h, w, u, b):
    h = np.tanh(x @ w + h[0] @ u + b)
    return h, [h]


def lstm(x, states, w, u, b):
    i, f, g, o = np.split(x @ w + states[0] @ u + b, 4, -1)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def gru(x, states, w, u, b):
    (xz, xr, xg), (hz, hr, hg) = np.split(x @ w + b[0], 3, -1), np.split(states[0] @ u + b[1], 3, -1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    h = z * states[0] + (1 - z) * np.tanh(xg + r * hg)
    return h, [h]


STEPS = {"SimpleRNN": (simple_rnn, 1), "LSTM": (lstm, 2), "GRU": (gru, 1)}


def loop(name, weights, x, states=None, mask=None, backwards=False):
    """Outputs ``(N, T, U)``, in the order of the walk, and the last states."""
    step, count = STEPS[name]
    units = weights[1].shape[0]
    states = states or [np.zeros((len(x), units))] * count
    outputs, last = [], np.zeros((len(x), units))
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        output, new = step(x[:, t], states, *weights)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        last = np.where(keep, output, last)
        states = [np.where(keep, a, b) for a, b in zip(new, states)]
        outputs.append(last)
    return np.stack(outputs, 1), states


def made(name, units=2, shape=X.shape, **config):
    layer = LAYERS[name](units, **config)
    layer.build(shape)
    layer.set_weights([RANDOM.uniform(-1, 1, w.shape) for w in layer.weights])
    return layer


def near(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual, np.float32), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("unroll", [False, True])
def test_states_and_masks_in_both_directions(name, unroll):
    for backwards in (False, True):
        layer = made(name, return_sequences=True, return_state=True, go_backwards=backwards, unroll=unroll)
        weights = layer.get_weights()
        start = [RANDOM.uniform(-1, 1, (2, 2)).astype("float32") for _ in range(STEPS[name][1])]
        outputs, *states = layer(X, initial_state=start, mask=MASK)
        expected, last = loop(name, weights, X, start, MASK, backwards)
        near(outputs, expected)
        for state, value in zip(states, last, strict=True):
            near(state, value)
        layer.return_sequences = False
        near(layer([X, *start], mask=MASK)[0], expected[:, -1])


@pytest.mark.parametrize("name", LAYERS)
def test_general_loop_equals_kernels_with_gradients(name):
    """The loop for any cell gives what the fused kernels give; the cell alone, too."""
    fused = made(name, return_sequences=True, dropout=0.3)

    class Cell(type(fused.cell)):
        def call(self, inputs, states, training=False):
            return super().call(inputs, states, training)

    general = layers.RNN(Cell(2, dropout=0.3), return_sequences=True)
    general.build(X.shape)
    general.set_weights(fused.get_weights())
    x = core.Variable(X)
    results = []
    for layer in (fused, general):
        loss = core.value_and_grad(lambda: (layer(x.value, mask=MASK) ** 2).sum(), [x, *layer.weights])  # noqa: B023
        results.append(core.compiled(loss)())
    (value, gradients), (expected, expected_gradients) = results
    near(value, expected)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        near(gradient, other, 1e-4)
    size = fused.state_size
    states = [jnp.zeros((2, n)) for n in (size if isinstance(size, list) else [size])]
    output, _ = fused.cell(X[:, 0], states)
    near(output, loop(name, fused.get_weights(), X[:, :1])[0][:, 0])


@pytest.mark.parametrize("name", LAYERS)
def test_stateful(name):
    layer = made(name, stateful=True, batch_input_shape=(2, None, 3))
    weights = layer.get_weights()
    assert len(weights) == 3  # states are no weights
    whole = loop(name, weights, np.concatenate([X, X], 1))
    run = core.compiled(layer)
    run(X)
    near(run(X), whole[0][:, -1])
    near(layer.states[0].value, whole[1][0])
    layer.reset_states()
    near(run(X), loop(name, weights, X)[0][:, -1])
    given = [np.full((2, 2), 0.5, "float32")] * len(layer.states)
    layer.reset_states(given)
    near(run(X), loop(name, weights, X, given)[0][:, -1])
    with pytest.raises(ValueError, match="expects .* states, but it received"):
        layer.reset_states([*given, given[0]])
    with pytest.raises(ValueError, match=r"expected shape=\(2, 2\), found"):
        layer.reset_states([given[0]] * (len(given) - 1) + [np.zeros((3, 2))])
    with pytest.raises(InputDataError, match="batches of one size"):
        layer(X[:1])
    with pytest.raises(ValueError, match="batch size"):
        LAYERS[name](2, stateful=True).build((None, 4, 3))
    with pytest.raises(AttributeError, match="stateful=True"):
        LAYERS[name](2).reset_states()


def test_initial_states_as_symbols():
    """An encoder whose states start a decoder, both ways of passing them on."""
    encoder, decoder = made("LSTM", return_state=True), made("LSTM", return_sequences=True)
    source, target = layers.Input((None, 3)), layers.Input((None, 3))
    _, *states = encoder(source)
    both = [decoder(target, initial_state=states), decoder([target, *states])]
    assert all(s.shape == (None, None, 2) for s in both)
    start = loop("LSTM", encoder.get_weights(), X)[1]
    expected = loop("LSTM", decoder.get_weights(), X[:, :3], start)[0]
    for output in core.Graph([source, target], both)(X, X[:, :3]):
        near(output, expected)
    start = encoder.get_initial_state(source)
    assert [s.shape for s in start] == [(None, 2)] * 2
    with pytest.raises(ValueError, match="expected 2 states, received 1"):
        decoder(target, initial_state=states[0])
    with pytest.raises(InputDataError, match="a state has shape"):
        decoder(X, initial_state=[np.zeros((2, 3)), np.zeros((2, 3))])


class MinimalCell(layers.Layer):
    """As programs for Keras 2 write their cells; `constants` is added to the output."""

    def __init__(self, units, **kwargs):
        self.units = self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )
        self.built = True

    def call(self, inputs, states, constants=None):
        output = inputs @ self.kernel + states[0] @ self.recurrent_kernel
        output = output if constants is None else output + constants[0]
        return output, [output]


def linear(weights, x, constant=0):
    h, outputs = np.zeros((2, weights[1].shape[0])), []
    for t in range(x.shape[1]):
        h = x[:, t] @ weights[0] + h @ weights[1] + constant
        outputs.append(h)
    return np.stack(outputs, 1)


def test_cells_of_users():
    layer = layers.RNN(MinimalCell(4), return_sequences=True)
    near(layer(X), linear(layer.get_weights(), X))
    with core.registry.CustomObjectScope({"MinimalCell": MinimalCell}):
        twin = layers.RNN.from_config(layer.get_config())
    assert isinstance(twin.cell, MinimalCell) and twin.cell.units == 4
    stacked = layers.RNN([MinimalCell(4), MinimalCell(2)], return_sequences=True)
    x = layers.Input((None, 3))
    assert stacked(x).shape == (None, None, 2)
    weights = stacked.get_weights()
    near(stacked(X), linear(weights[2:], linear(weights[:2], X)))
    with pytest.raises(ValueError, match="without `state_size`"):
        layers.RNN(layers.Dense(2))


def test_constants():
    layer = layers.RNN(MinimalCell(4), return_sequences=True)
    constant = RANDOM.uniform(-1, 1, (2, 4)).astype("float32")
    near(layer(X, constants=constant), linear(layer.get_weights(), X, constant))
    assert layer.get_config()["num_constants"] == 1
    near(layer([X, np.zeros((2, 4), "float32"), constant]), linear(layer.get_weights(), X, constant))


class PlainCell:
    """Not even a layer; its output is wider than its state, and its inputs are a pair."""

    state_size, output_size = 3, 6

    def call(self, inputs, states):
        a, b = inputs
        h = jnp.tanh(a + 2 * b + states[0])
        return jnp.concatenate([h, -h], -1), [h]


def test_cells_that_are_no_layers_and_nested_inputs():
    layer = layers.RNN(PlainCell(), return_sequences=True, return_state=True)
    output, state = layer((X, X))
    h = np.zeros((2, 3))
    for t in range(4):
        h = np.tanh(3 * X[:, t] + h)
    near(output[:, -1], np.concatenate([h, -h], -1))
    near(state, h)
    x = layers.Input((None, 3))
    assert [s.shape for s in layer((x, x))] == [(None, None, 6), (None, 3)]


@pytest.mark.parametrize("flat", [False, True])
def test_states_of_stacked_cells(flat, monkeypatch):
    """Today a list for each cell; in Keras 2 flat, the last cell's first."""
    monkeypatch.setattr(core.behaviour, "flat_stacked_states", flat)
    layer = layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], return_state=True)
    output, *states = layer(X)
    weights = layer.get_weights()
    first, lower = loop("LSTM", weights[:3], X)
    last, upper = loop("GRU", weights[3:], first)
    near(output, last[:, -1])
    if flat:
        assert layer.state_size == (3, 2, 2)
        expected = [*upper, *lower]
    else:
        assert layer.state_size == [[2, 2], 3]
        expected = [*lower, *upper]
    for state, value in zip(jax.tree.leaves(states), expected, strict=True):
        near(state, value)
    near(layer(X, initial_state=jax.tree.leaves(layer.get_initial_state(X)))[0], last[:, -1])


@pytest.mark.parametrize("name", LAYERS)
def test_dropout_is_the_same_at_all_steps(name):
    """With weights that only pass the input on, each unit is dropped at all steps or at none."""
    x = np.ones((8, 5, 6), "float32")
    for rates in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.5, "recurrent_dropout": 0.5}):
        layer = LAYERS[name](6, return_sequences=True, seed=1, **rates)
        plain = layer(x)
        run = core.compiled(lambda: layer(x, training=True))  # noqa: B023
        first, second = run(), run()
        assert not np.allclose(first, second), "each call must draw anew"
        assert not np.allclose(first, plain)
        near(layer(x, training=False), plain)
    layer = layers.SimpleRNN(6, activation="linear", kernel_initializer="identity", recurrent_initializer="zeros",
                             return_sequences=True, dropout=0.5, unroll=True)  # fmt: skip
    for dropped in (layer(x, training=True), layers.RNN(layer.cell, return_sequences=True)(x, training=True)):
        assert set(np.unique(dropped)) == {0.0, 2.0}
        assert (np.asarray(dropped) == np.asarray(dropped)[:, :1]).all()


def test_masks_are_passed_on():
    x = jnp.asarray(X)
    core.set_mask(x, jnp.asarray(MASK))
    layer = made("GRU", return_sequences=True)
    output = layer(x)
    near(output, loop("GRU", layer.get_weights(), X, mask=MASK)[0])
    assert (core.get_mask(output) == MASK).all()
    layer.return_sequences = False
    assert core.get_mask(layer(x)) is None


def test_time_major():
    layer = made("LSTM", return_sequences=True, time_major=True, shape=(4, 2, 3))
    near(layer(X.swapaxes(0, 1), mask=MASK.T).swapaxes(0, 1), loop("LSTM", layer.get_weights(), X, mask=MASK)[0])
    assert layer.get_config()["time_major"] and layers.LSTM.from_config(layer.get_config()).time_major


def test_faces_of_the_layer():
    layer = made("LSTM", kernel_regularizer="l2", unit_forget_bias=True)
    assert layer.units == layer.cell.units == layer.output_size == 2 and layer.state_size == [2, 2]
    assert layer.kernel is layer.cell.kernel and layer.bias.shape == (8,)
    assert [spec.shape for spec in layer.state_spec] == [(None, 2)] * 2 and layer.states == [None, None]
    near(layer.losses[0], 0.01 * (layer.kernel.numpy() ** 2).sum())
    assert [w.path for w in layer.weights] == [f"{layer.name}/{layer.cell.name}/{n}" for n in
                                               ("kernel", "recurrent_kernel", "bias")]  # fmt: skip
    layer.trainable = False
    assert not layer.trainable_weights and len(layer.weights) == 3
    fresh = layers.LSTM(2, input_dim=3, input_length=4)
    assert fresh.batch_input_shape == (None, 4, 3)
    fresh.build((None, 4, 3))
    near(fresh.bias.numpy(), [0, 0, 1, 1, 0, 0, 0, 0])
    with pytest.raises(InputDataError, match="units"):
        layers.GRU(0)
    with pytest.raises(TypeError, match="unit_forget"):
        layers.GRU(2, unit_forget_bias=True)
    with pytest.raises(InputDataError, match="expected 3 dimensions"):
        layers.GRU(2)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="unroll"):
        layers.GRU(2, unroll=True)(layers.Input((None, 3)))


def test_types():
    for dtype, compute in (("bfloat16", "bfloat16"), ("mixed_bfloat16", "bfloat16"), ("float64", "float64")):
        if dtype == "float64" and not jax.config.jax_enable_x64:
            continue
        for layer in (layers.LSTM(2, dtype=dtype), layers.RNN(layers.GRUCell(2, dtype=dtype), dtype=dtype)):
            assert layer(X).dtype == compute
            assert all(w.dtype == layer.variable_dtype for w in layer.weights)


@pytest.mark.parametrize(("name", "cls", "gates"), [("lstm", layers.CuDNNLSTM, 4), ("gru", layers.CuDNNGRU, 3)])
def test_cudnn_layers(name, cls, gates):
    """The conversion is that of tf_keras' file loader; the layer computes what the plain one does with the result."""
    golden = np.load(GOLDEN / "cudnn.npz")
    old, plain = ([golden[f"{name}/{kind}{i}"] for i in range(3)] for kind in ("cudnn", "plain"))
    for ours, theirs in zip(cudnn_to_plain(old, gates), plain, strict=True):
        near(ours, theirs)
    for ours, theirs in zip(cudnn_to_plain(plain_to_cudnn(plain, gates), gates), plain, strict=True):
        near(ours, theirs)
    layer = cls(3, return_sequences=True)
    x = RANDOM.uniform(-1, 1, (2, 4, 5)).astype("float32")
    layer.build(x.shape)
    layer.set_weights(old)
    near(layer(x), loop(name.upper(), plain, x)[0])
    twin = layers.deserialize(layers.serialize(layer))
    assert type(twin) is cls and twin.return_sequences


def test_conv_lstm():
    """States, masks, the statefulness and channels_first; the table has the plain values."""
    x = RANDOM.uniform(-1, 1, (2, 3, 5, 4, 2)).astype("float32")
    config = {"filters": 2, "kernel_size": 2, "return_sequences": True, "return_state": True}
    layer = layers.ConvLSTM2D(**config)
    mask = np.array([[True, False, True], [False, True, True]])
    outputs, h, c = layer(x, mask=mask)
    for i in range(2):  # skipping a step is what a mask means
        output, *states = layer(x[i : i + 1, mask[i]])
        near(outputs[i, -1], output[0, -1])
        near(h[i], states[0][0])
        near(c[i], states[1][0])
    first = layers.ConvLSTM2D(**config, data_format="channels_first")
    first.build((2, 3, 2, 5, 4))
    first.set_weights(layer.get_weights())
    result = first(np.moveaxis(x, -1, 2), mask=mask)
    near(np.moveaxis(result[0], 2, -1), outputs)
    near(np.moveaxis(result[2], 1, -1), c)
    assert [tuple(s) for s in first.compute_output_shape((None, 3, 2, 5, 4))] == [
        (None, 3, 2, 4, 3), (None, 2, 4, 3), (None, 2, 4, 3)]  # fmt: skip
    kept = layers.ConvLSTM2D(2, 2, stateful=True, recurrent_dropout=0.5)
    kept.build(x.shape)
    kept.set_weights(layer.get_weights())
    kept(x)
    near(kept(x), layer(np.concatenate([x, x], 1))[0][:, -1])
    with pytest.raises(InputDataError, match="exclude each other"):
        layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)


def test_rnn_function():
    """`kernels.loop.rnn`: constants, the output of the last step, complaints."""
    x = jnp.arange(6.0).reshape(1, 6, 1)

    def step(x, states):
        total, factor = states
        total = total + factor * x
        return total, [total]

    last, outputs, (state,) = rnn(step, x, [jnp.zeros((1, 1))], constants=[2.0])
    assert outputs[0, :, 0].tolist() == (2 * np.cumsum(np.arange(6))).tolist() and last[0, 0] == state[0, 0] == 30
    assert rnn(step, x, [jnp.zeros((1, 1))], constants=[2.0], return_all_outputs=False)[1].shape == (1, 1, 1)
    with pytest.raises(ValueError, match="states of the shapes"):
        rnn(lambda x, states: (x, [jnp.zeros((1, 3))]), x, [jnp.zeros((1, 1))])
