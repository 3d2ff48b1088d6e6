"""Recurrent networks over whole sequences: SimpleRNN, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014).

``x`` is ``(N, T, I)``, or ``(T, N, I)`` if ``time_major``; ``mask`` ``(N, T)`` (or ``(T, N)``) is False where a step
holds the state and repeats the previous output (zeros before the first step that counts). ``reverse`` reads the
sequence from its end and returns the outputs in that order, as Keras' ``go_backwards`` does. Outputs are
``(N, T, U)`` (or ``(T, N, U)``) if ``return_sequences``, else the last output ``(N, U)``.
Activations are functions of an array. Elementwise ones run fast on CPUs (``sequence.py``), others in a plain scan.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from . import cudnn, sequence
from .dispatch import fast
from .elementwise import is_elementwise


def lstm_step(z: Array, c: Array, activation, recurrent_activation, axis: int = -1) -> tuple[Array, Array]:
    """One step of an LSTM: the new ``(h, c)``, from the gates' sums ``z = x @ W + h @ U + b`` in the order i, f, g, o.

    >>> h, c = lstm_step(jnp.zeros((1, 8)), jnp.ones((1, 2)), jnp.tanh, jax.nn.sigmoid)
    >>> c.tolist()
    [[0.5, 0.5]]
    """
    i, f, g, o = jnp.split(z, 4, axis)
    c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
    return recurrent_activation(o) * activation(c), c


def gru_step(gates: Array, x: Array, reset, h: Array, activation, recurrent_activation, axis: int = -1) -> Array:
    """One step of a GRU: the new ``h``.

    Args:
        gates: ``x @ W + h @ U + b`` for the update gate z and the reset gate r.
        x: ``x @ W + b`` for the candidate.
        reset: function of r that gives the candidate's part from the state (see `gru_products`).
        h: the state.
        activation: activation of the candidate.
        recurrent_activation: activation of the gates.
        axis: the axis of the units.

    >>> gru_step(jnp.zeros((1, 4)), jnp.zeros((1, 2)), lambda r: 0, jnp.ones((1, 2)), jnp.tanh, jax.nn.sigmoid).tolist()
    [[0.5, 0.5]]
    """
    z, r = jnp.split(gates, 2, axis)
    z = recurrent_activation(z)
    return z * h + (1 - z) * activation(x + reset(recurrent_activation(r)))


def gru_products(projected: Array, h: Array, recurrent_kernel: Array, recurrent_bias: Array | None, reset_after: bool):
    """What `gru_step` needs of the projected inputs ``(N, 3 * U)`` and the state ``(N, U)``: ``(gates, x, reset)``."""
    split = 2 * h.shape[-1]
    gates, x = projected[:, :split], projected[:, split:]
    if reset_after:
        products = h @ recurrent_kernel
        products = products if recurrent_bias is None else products + recurrent_bias
        return gates + products[:, :split], x, lambda r: r * products[:, split:]
    return gates + h @ recurrent_kernel[:, :split], x, lambda r: (r * h) @ recurrent_kernel[:, split:]


def simple_rnn(
    x: Array,
    h0: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    activation=jnp.tanh,
    return_sequences: bool = False,
    time_major: bool = False,
) -> tuple[Array, Array]:
    """``h = activation(x @ kernel + h @ recurrent_kernel + bias)``; returns ``(outputs, h)``."""

    if _fast(x, activation):
        cell = sequence.Cell(lambda z, _, state: (activation(z),), shared=h0.shape[-1])
        weights = _transposed(kernel, recurrent_kernel, bias)
        return _run_fast(cell, weights, x, (h0,), mask, reverse, return_sequences, time_major)

    def step(state, projected):
        (h,) = state
        return (activation(projected + h @ recurrent_kernel),)

    return _run(step, x, (h0,), kernel, bias, mask, reverse, return_sequences, time_major)


def lstm(
    x: Array,
    h0: Array,
    c0: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    activation=jnp.tanh,
    recurrent_activation=jax.nn.sigmoid,
    return_sequences: bool = False,
    time_major: bool = False,
) -> tuple[Array, Array, Array]:
    """LSTM with the gates in Keras' order i, f, c, o along ``4 * U``; returns ``(outputs, h, c)``."""
    if cudnn.fits(x, mask, activation, recurrent_activation):
        x = x.swapaxes(0, 1) if time_major else x
        outputs, h, c = cudnn.lstm(jnp.flip(x, 1) if reverse else x, h0, c0, kernel, recurrent_kernel, bias)
        outputs = outputs.swapaxes(0, 1) if time_major else outputs
        return outputs if return_sequences else h, h, c

    step = partial(lstm_step, activation=activation, recurrent_activation=recurrent_activation)

    if _fast(x, activation, recurrent_activation):
        cell = sequence.Cell(lambda z, _, state: step(z, state[1], axis=0), shared=4 * h0.shape[-1])
        weights = _transposed(kernel, recurrent_kernel, bias)
        return _run_fast(cell, weights, x, (h0, c0), mask, reverse, return_sequences, time_major)

    def advance(state, projected):
        h, c = state
        return step(projected + h @ recurrent_kernel, c)

    return _run(advance, x, (h0, c0), kernel, bias, mask, reverse, return_sequences, time_major)


def gru(
    x: Array,
    h0: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    mask: Array | None = None,
    reverse: bool = False,
    activation=jnp.tanh,
    recurrent_activation=jax.nn.sigmoid,
    reset_after: bool = True,
    return_sequences: bool = False,
    time_major: bool = False,
) -> tuple[Array, Array]:
    """GRU with the gates in Keras' order z, r, h along ``3 * U``; returns ``(outputs, h)``.

    With ``reset_after`` (cuDNN's form) the reset gate scales ``h @ recurrent_kernel`` and ``bias`` is ``(2, 3 * U)``;
    without it, it scales ``h`` and ``bias`` is ``(3 * U,)``.
    """
    bias, recurrent_bias = bias if reset_after and bias is not None else (bias, None)
    if _fast(x, activation, recurrent_activation):
        return _gru_fast(
            *(x, h0, kernel, recurrent_kernel, bias, recurrent_bias, mask, reverse),
            *(activation, recurrent_activation, reset_after, return_sequences, time_major),
        )

    def step(state, projected):
        (h,) = state
        products = gru_products(projected, h, recurrent_kernel, recurrent_bias, reset_after)
        return (gru_step(*products, h, activation, recurrent_activation),)

    return _run(step, x, (h0,), kernel, bias, mask, reverse, return_sequences, time_major)


def _run(step, x, state, kernel, bias, mask, reverse, return_sequences, time_major):
    """Scan ``step(state, projected inputs) -> state`` over time; the first state is the output."""
    projected = x @ kernel
    if bias is not None:
        projected = projected + bias
    if not time_major:
        projected = projected.swapaxes(0, 1)
        mask = mask if mask is None else mask.swapaxes(0, 1)

    def masked_step(state, step_input):
        projected, keep = step_input
        new = step(state, projected)
        if keep is not None:
            new = tuple(jnp.where(keep[:, None], a, b) for a, b in zip(new, state))
        return new, new[0] if return_sequences else None

    state, outputs = lax.scan(masked_step, state, (projected, mask), reverse=reverse)
    return (present(outputs, state[0], mask, reverse, return_sequences, time_major), *state)


def present(outputs, last, mask, reverse, return_sequences, time_major):
    """The outputs as Keras returns them, from the time-major states: zeros until a step has counted."""
    if not return_sequences:
        return last if mask is None else jnp.where(mask.any(0)[:, None], last, 0)
    if mask is not None:
        outputs = jnp.where(lax.cummax(mask.astype(jnp.int8), axis=0, reverse=reverse)[..., None] > 0, outputs, 0)
    if reverse:
        outputs = jnp.flip(outputs, 0)
    return outputs if time_major else outputs.swapaxes(0, 1)


def _fast(x, *activations):
    return fast("recurrence") and x.dtype in (jnp.float32, jnp.float64) and all(map(is_elementwise, activations))


def _run_fast(cell, weights, x, state, mask, reverse, return_sequences, time_major):
    if not time_major:
        x, mask = x.swapaxes(0, 1), mask if mask is None else mask.swapaxes(0, 1)
    outputs, state = sequence.run(cell, weights, x, state, mask, reverse, return_sequences)
    return (present(outputs, state[0], mask, reverse, return_sequences, time_major), *state)


def _transposed(kernel, recurrent_kernel, bias):
    bias = jnp.zeros(kernel.shape[1:], kernel.dtype) if bias is None else bias
    return sequence.Weights(jnp.concatenate([kernel, bias[None]]).T, recurrent_kernel.T)


def _gru_fast(x, h0, kernel, recurrent_kernel, bias, recurrent_bias, mask, reverse, act, gate, reset_after, *layout):
    """The update and reset gates' rows are shared; the candidate's part from the state is extra."""
    units = h0.shape[-1]
    if reset_after:
        bias, recurrent_bias = (jnp.zeros(3 * units, kernel.dtype) if b is None else b for b in (bias, recurrent_bias))
        bias = jnp.concatenate([bias[: 2 * units] + recurrent_bias[: 2 * units], bias[2 * units :]])
        weights = _transposed(kernel, recurrent_kernel, bias)._replace(extra_bias=recurrent_bias[2 * units :])

        def advance(z, products, state):
            h = state[0]
            return (gru_step(z[: 2 * units], z[2 * units :], lambda r: r * products, h, act, gate, axis=0),)

        cell = sequence.Cell(advance, shared=2 * units)
    else:
        weights = _transposed(kernel, recurrent_kernel[:, : 2 * units], bias)
        weights = weights._replace(matrix2=recurrent_kernel[:, 2 * units :].T)

        def advance(z, products, state):
            return (gru_step(z[: 2 * units], z[2 * units :], lambda _: products, state[0], act, gate, axis=0),)

        def inner(z, state):
            return gate(z[units : 2 * units]) * state[0]

        cell = sequence.Cell(advance, 2 * units, inner)
    return _run_fast(cell, weights, x, (h0,), mask, reverse, *layout)
