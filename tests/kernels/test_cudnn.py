"""cuDNN's LSTM as far as it goes without a GPU: JAX's own reference of cuDNN's formula stands in for the launch."""

import itertools
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn

from oneiros.kernels import cudnn, recurrence


def reference(x, h, c, weights, lengths, **sizes):
    shape = {name: sizes[name] for name in ("input_size", "hidden_size", "num_layers", "bidirectional")}
    return rnn.lstm_ref(x, h, c, *rnn.unpack_lstm_weights(weights, **shape), lengths, **sizes)


@pytest.mark.parametrize("reverse,sequences,time_major,bias", list(itertools.product([False, True], repeat=4)))
def test_equals_the_plain_lstm(reverse, sequences, time_major, bias):
    rng = np.random.default_rng(0)
    n, steps, features, units = 3, 5, 4, 6
    shapes = (n, steps, features), (n, units), (n, units), (features, 4 * units), (units, 4 * units), (4 * units,)
    x, *rest = (rng.normal(size=shape).astype("float32") for shape in shapes)
    arguments = (x.swapaxes(0, 1) if time_major else x, *rest)
    arguments = arguments if bias else arguments[:-1]

    def loss(*arguments):
        results = recurrence.lstm(*arguments, reverse=reverse, return_sequences=sequences, time_major=time_major)
        return sum(jnp.sum(jnp.sin(r)) for r in results), results

    evaluate = jax.value_and_grad(loss, tuple(range(len(arguments))), has_aux=True)
    expected = evaluate(*arguments)
    with mock.patch.object(cudnn, "fits", lambda *_: True), mock.patch.object(rnn, "lstm", reference):
        actual = evaluate(*arguments)
    for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize(
    "changed,fits",
    [
        ({}, True),
        ({"mask": np.ones((2, 3), bool)}, False),
        ({"x": np.ones((2, 3, 4), "float16")}, False),
        ({"activation": jax.nn.relu}, False),
        ({"recurrent_activation": jax.nn.hard_sigmoid}, False),
    ],
)
def test_what_fits(changed, fits):
    usual = {"x": np.ones((2, 3, 4), "float32"), "mask": None}
    usual |= {"activation": jnp.tanh, "recurrent_activation": jax.nn.sigmoid}
    device = mock.Mock()
    device.client.platform_version = "PJRT CUDA 12"
    assert not cudnn.fits(**usual)  # no GPU here
    with mock.patch.object(cudnn, "fast", lambda kind: kind == "cudnn"), mock.patch("jax.devices", lambda: [device]):
        assert cudnn.fits(**{**usual, **changed}) == fits
