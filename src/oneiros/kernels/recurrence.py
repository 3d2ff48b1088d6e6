"""Recurrent networks over whole sequences: SimpleRNN, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014).

``x`` is ``(N, T, I)``, or ``(T, N, I)`` if ``time_major``; ``mask`` ``(N, T)`` (or ``(T, N)``) is False where a step
holds the state and repeats the previous output (zeros before the first step that counts). ``reverse`` reads the
sequence from its end and returns the outputs in that order, as Keras' ``go_backwards`` does. Outputs are
``(N, T, U)`` (or ``(T, N, U)``) if ``return_sequences``, else the last output ``(N, U)``.
Activations are functions of an array. Elementwise ones run fast on CPUs (``sequence.py``), others in a plain scan.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

from . import cudnn, sequence
from .dispatch import fast
from .elementwise import is_elementwise


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

    def advance(z, state, axis):
        i, f, g, o = jnp.split(z, 4, axis)
        c = recurrent_activation(f) * state[1] + recurrent_activation(i) * activation(g)
        return recurrent_activation(o) * activation(c), c

    if _fast(x, activation, recurrent_activation):
        cell = sequence.Cell(lambda z, _, state: advance(z, state, 0), shared=4 * h0.shape[-1])
        weights = _transposed(kernel, recurrent_kernel, bias)
        return _run_fast(cell, weights, x, (h0, c0), mask, reverse, return_sequences, time_major)

    def step(state, projected):
        return advance(projected + state[0] @ recurrent_kernel, state, -1)

    return _run(step, x, (h0, c0), kernel, bias, mask, reverse, return_sequences, time_major)


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
    units = h0.shape[-1]
    if reset_after and bias is not None:
        bias, recurrent_bias = bias
    else:
        recurrent_bias = None

    if _fast(x, activation, recurrent_activation):
        return _gru_fast(
            *(x, h0, kernel, recurrent_kernel, bias, recurrent_bias, mask, reverse),
            *(activation, recurrent_activation, reset_after, return_sequences, time_major),
        )

    def step(state, projected):
        (h,) = state
        xz, xr, xh = jnp.split(projected, 3, axis=-1)
        if reset_after:
            hz, hr, hh = jnp.split(h @ recurrent_kernel + (0 if recurrent_bias is None else recurrent_bias), 3, axis=-1)
            z, r = recurrent_activation(xz + hz), recurrent_activation(xr + hr)
            candidate = activation(xh + r * hh)
        else:
            hz, hr = jnp.split(h @ recurrent_kernel[:, : 2 * units], 2, axis=-1)
            z, r = recurrent_activation(xz + hz), recurrent_activation(xr + hr)
            candidate = activation(xh + (r * h) @ recurrent_kernel[:, 2 * units :])
        return (z * h + (1 - z) * candidate,)

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

        def advance(z, hh, state):
            z, r, xh = jnp.split(z, 3)
            z, new = gate(z), act(xh + gate(r) * hh)
            return (z * state[0] + (1 - z) * new,)

        cell = sequence.Cell(advance, shared=2 * units)
    else:
        weights = _transposed(kernel, recurrent_kernel[:, : 2 * units], bias)
        weights = weights._replace(matrix2=recurrent_kernel[:, 2 * units :].T)

        def advance(z, hh, state):
            z, _, xh = jnp.split(z, 3)
            z = gate(z)
            return (z * state[0] + (1 - z) * act(xh + hh),)

        def inner(z, state):
            return gate(z[units : 2 * units]) * state[0]

        cell = sequence.Cell(advance, 2 * units, inner)
    return _run_fast(cell, weights, x, (h0,), mask, reverse, *layout)
