"""Recurrent networks over whole sequences: SimpleRNN, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014).

``x`` is ``(N, T, I)``, or ``(T, N, I)`` if ``time_major``; ``mask`` ``(N, T)`` (or ``(T, N)``) is False where a step
holds the state and repeats the previous output (zeros before the first step that counts). ``reverse`` reads the
sequence from its end and returns the outputs in that order, as Keras' ``go_backwards`` does. Outputs are
``(N, T, U)`` (or ``(T, N, U)``) if ``return_sequences``, else the last output ``(N, U)``.
Activations are names out of ``activation.KNOWN`` or any function of an array.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax


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

    def step(state, projected):
        h, c = state
        i, f, g, o = jnp.split(projected + h @ recurrent_kernel, 4, axis=-1)
        c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
        return recurrent_activation(o) * activation(c), c

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
        recurrent_bias = 0

    def step(state, projected):
        (h,) = state
        xz, xr, xh = jnp.split(projected, 3, axis=-1)
        if reset_after:
            hz, hr, hh = jnp.split(h @ recurrent_kernel + recurrent_bias, 3, axis=-1)
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
