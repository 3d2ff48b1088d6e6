"""Recurrent kernels against loops in NumPy, and the fast variant against the plain one, gradients included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels import recurrence
from oneiros.kernels.dispatch import reference_kernels
from oneiros.kernels.elementwise import is_elementwise


def keras2_hard_sigmoid(x):
    return jnp.clip(0.2 * x + 0.5, 0, 1)


ACTIVATIONS = [jnp.tanh, jax.nn.sigmoid, jax.nn.hard_sigmoid, keras2_hard_sigmoid, jax.nn.relu, jax.nn.softmax]
KINDS = {"simple_rnn": 1, "lstm": 4, "gru_after": 3, "gru_before": 3}


def call(kind, x, state, weights, mask, gate, **options):
    if kind == "simple_rnn":
        return recurrence.simple_rnn(x, state[0], *weights, mask, **options)
    if kind == "lstm":
        return recurrence.lstm(x, *state, *weights, mask, recurrent_activation=gate, **options)
    options["reset_after"] = kind == "gru_after"
    return recurrence.gru(x, state[0], *weights, mask, recurrent_activation=gate, **options)


def arrays(kind, batch, steps, features, units, masked, seed, bias=True):
    rng = np.random.default_rng(seed)
    width = KINDS[kind] * units
    x = rng.normal(size=(batch, steps, features)).astype("float32")
    state = tuple(rng.normal(size=(2, batch, units)).astype("float32"))
    biases = rng.normal(size=(2, width) if kind == "gru_after" else width).astype("float32") if bias else None
    kernel = rng.normal(size=(features, width)).astype("float32")
    recurrent_kernel = 0.5 * rng.normal(size=(units, width)).astype("float32")
    return x, state, (kernel, recurrent_kernel, biases), rng.random((batch, steps)) < 0.6 if masked else None


def numpy_oracle(kind, x, state, weights, mask, reverse):
    """The published equations, one example and one step at a time, in float64."""
    kernel, recurrent, bias = (np.asarray(w, "float64") for w in weights)
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    units = state[0].shape[1]
    outputs, finals = np.zeros((*x.shape[:2], units)), [np.zeros(s.shape) for s in state]
    for n in range(x.shape[0]):
        h, c = (s[n].astype("float64") for s in state)
        output = np.zeros(units)
        times = range(x.shape[1])[::-1] if reverse else range(x.shape[1])
        for position, t in enumerate(times):
            if mask is None or mask[n, t]:
                a = x[n, t] @ kernel
                if kind == "simple_rnn":
                    h = np.tanh(a + h @ recurrent + bias)
                elif kind == "lstm":
                    i, f, g, o = np.split(a + h @ recurrent + bias, 4)
                    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                    h = sigmoid(o) * np.tanh(c)
                else:
                    after = kind == "gru_after"
                    az, ar, ah = np.split(a + (bias[0] if after else bias), 3)
                    rz, rr, rh = np.split(recurrent, 3, axis=1)
                    bz, br, bh = np.split(bias[1], 3) if after else (0, 0, 0)
                    z, r = sigmoid(az + h @ rz + bz), sigmoid(ar + h @ rr + br)
                    g = np.tanh(ah + (r * (h @ rh + bh) if after else (r * h) @ rh))
                    h = z * h + (1 - z) * g
                output = h
            outputs[n, position] = output
        finals[0][n], finals[1][n] = h, c
    return outputs, finals[: 2 if kind == "lstm" else 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked,reverse", [(False, False), (True, True)])
@pytest.mark.parametrize("plain", [True, False])
def test_against_numpy(kind, masked, reverse, plain):
    x, state, weights, mask = arrays(kind, 3, 19, 2, 4, masked, seed=1)
    if plain:
        with reference_kernels():
            got = call(kind, x, state, weights, mask, jax.nn.sigmoid, reverse=reverse, return_sequences=True)
    else:
        got = call(kind, x, state, weights, mask, jax.nn.sigmoid, reverse=reverse, return_sequences=True)
    outputs, finals = numpy_oracle(kind, x, state, weights, mask, reverse)
    for a, b in zip(got, (outputs, *finals), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@settings(max_examples=6, deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    sizes=st.tuples(*[st.integers(1, 5)] * 3),
    steps=st.integers(1, 40),
    masked=st.booleans(),
    reverse=st.booleans(),
    sequences=st.booleans(),
    time_major=st.booleans(),
    activation=st.sampled_from(ACTIVATIONS),
    gate=st.sampled_from(ACTIVATIONS[1:4]),
    seed=st.integers(0, 99),
)
def test_fast_equals_reference(
    kind, sizes, steps, masked, reverse, sequences, time_major, activation, gate, seed
):  # fmt: skip
    batch, features, units = sizes
    x, state, weights, mask = arrays(kind, batch, steps, features, units, masked, seed, bias=seed % 3 > 0)
    options = {"reverse": reverse, "return_sequences": sequences, "time_major": time_major, "activation": activation}
    if time_major:
        x, mask = x.swapaxes(0, 1), mask if mask is None else mask.T

    def loss(x, state, weights):
        results = call(kind, x, state, weights, mask, gate, **options)
        return sum(jnp.sum(jnp.cos(a + i)) for i, a in enumerate(results)), results

    def evaluate():
        (_, results), gradients = jax.jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(x, state, weights)
        return results, gradients

    with reference_kernels():
        expected = evaluate()
    for a, b in zip(jax.tree.leaves(evaluate()), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=1e-3)


def test_gradient_against_differences():
    x, state, weights, mask = arrays("lstm", 2, 21, 2, 3, True, seed=5)

    @jax.jit
    def loss(kernel):
        outputs, h, c = call("lstm", x, state, (kernel, *weights[1:]), mask, jax.nn.sigmoid, return_sequences=True)
        return (outputs**2).sum() + h.sum() + c.sum()

    gradient = jax.grad(loss)(weights[0])
    direction = np.random.default_rng(0).normal(size=weights[0].shape).astype("float32")
    difference = float(loss(weights[0] + 1e-2 * direction) - loss(weights[0] - 1e-2 * direction)) / 2e-2
    np.testing.assert_allclose(np.sum(gradient * direction), difference, rtol=5e-3)


def test_dtypes_and_loops():
    x, state, weights, _ = arrays("lstm", 2, 5, 3, 4, False, seed=0)
    half = jax.tree.map(lambda a: jnp.asarray(a, jnp.bfloat16), (x, state, weights))
    assert call("lstm", *half, None, jax.nn.sigmoid)[0].dtype == jnp.bfloat16
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (x, state, weights))
        outputs = call("lstm", *wide, None, jax.nn.sigmoid, return_sequences=True)[0]
        assert outputs.dtype == jnp.float64
        np.testing.assert_allclose(outputs, numpy_oracle("lstm", *wide, None, False)[0], atol=1e-12)
    once = call("lstm", x, state, weights, None, jax.nn.sigmoid)

    def twice(carry, _):
        return jax.value_and_grad(lambda s: call("lstm", x, s, weights, None, jax.nn.sigmoid)[1].sum())(carry)[::-1]

    _, sums = jax.lax.scan(twice, state, None, length=2)
    np.testing.assert_allclose(sums[0], once[1].sum(), rtol=1e-5)


@pytest.mark.parametrize(
    "function,expected",
    [(jnp.tanh, True), (jax.nn.elu, True), (jax.nn.gelu, True), (jax.nn.softmax, False), (jnp.sort, False)]
    + [(lambda x: x * jnp.arange(3.0), False), (lambda x: x[:1], False), (lambda x: jnp.cumsum(x, 1), False)],
)
def test_is_elementwise(function, expected):
    assert is_elementwise(function) is expected
