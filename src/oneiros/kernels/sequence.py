"""Recurrence on CPUs: the loop over time and its gradient, for any cell that is a matrix product and elementwise rest.

A cell sees ``z = matrix @ [h; x; 1]`` and its state, and gives the next state. What makes it fast:

- The batch lies on the *last* axis, so that gates are contiguous blocks of rows.
- One matrix product a step, with inputs and bias fused in.
- Only states are kept for the gradient, in chunks of some ten steps: ``z`` is computed again and the weights' gradient
  gathered by one large product a chunk, which stays in the cache.
- A slice is taken one step ahead and carried: XLA would fuse it into the gates' loops, which then do not vectorize.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

CHUNK_ELEMENTS = 2**18  # of z in a chunk: 1 MB in float32


class Cell(NamedTuple):
    """``advance(z, state, z2) -> state``, elementwise along the batch; ``z2 = matrix2 @ inner(z, state)`` if given."""

    advance: Callable
    inner: Callable | None = None


def run(cell: Cell, matrix, matrix2, x, state, mask, reverse, sequences):
    """Run ``cell`` over ``x`` ``(T, N, I)`` from ``state``, a tuple of ``(N, U)`` with the output first.

    ``matrix`` is ``(G, U + I + 1)``, ``matrix2`` ``(U, U)`` or None. Returns the outputs ``(T, N, U)`` in the order of
    ``x`` (None unless ``sequences``) and the last state.
    """
    steps, batch, _ = x.shape
    if reverse:
        x, mask = jnp.flip(x, 0), None if mask is None else jnp.flip(mask, 0)
    size = _chunk_size(steps, matrix.shape[0] * batch)
    extra = -steps % size
    if extra:
        mask = jnp.ones((steps, batch), bool) if mask is None else mask
        x, mask = jnp.pad(x, ((0, extra), (0, 0), (0, 0))), jnp.pad(mask, ((0, extra), (0, 0)))
    x = x.reshape(-1, size, batch, x.shape[-1]).transpose(0, 3, 1, 2)
    mask = None if mask is None else mask.reshape(-1, 1, size, batch)
    outputs, state = _loop(cell, sequences, matrix, matrix2, x, tuple(s.T for s in state), mask)
    if sequences:
        outputs = outputs.transpose(0, 2, 3, 1).reshape(steps + extra, batch, -1)[:steps]
        outputs = jnp.flip(outputs, 0) if reverse else outputs
    return outputs, tuple(s.T for s in state)


def _chunk_size(steps, width):
    """Steps a chunk: what fits the cache, and needs the least padding."""
    largest = max(1, min(steps, 16, CHUNK_ELEMENTS // width))
    return min(range((largest + 1) // 2, largest + 1), key=lambda size: (-steps % size, -size))


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _loop(cell, sequences, matrix, matrix2, x, state, mask):
    """``x``, ``mask`` and outputs are ``(chunks, features, steps, N)``, states are ``(features, N)``."""
    history, state = _forward(cell, 1 if sequences else 0, matrix, matrix2, x, state, mask)
    return history[0] if sequences else None, state


def _forward(cell, kept, matrix, matrix2, x, state, mask):
    """The loop; returns the sequences of the first ``kept`` states, and the last ones."""
    steps, batch = x.shape[2:]
    ones = jnp.ones((1, batch), x.dtype)

    def step(state, inputs):
        x, mask = inputs
        z = matrix @ jnp.concatenate([state[0], x, ones])
        z2 = None if cell.inner is None else matrix2 @ cell.inner(z, state)
        state = _advance(cell, z, state, z2, mask)
        return state, state[:kept]

    def chunk(state, inputs):
        history = tuple(jnp.zeros((s.shape[0], steps, batch), s.dtype) for s in state[:kept])
        return _steps(step, state, inputs, history)

    state, history = lax.scan(chunk, state, (x, mask))
    return history, state


def _advance(cell, z, state, z2, mask):
    new = cell.advance(z, state, z2)
    return new if mask is None else tuple(jnp.where(mask, a, b) for a, b in zip(new, state))


def _steps(step, carry, inputs, outputs, reverse=False):
    """``step(carry, inputs) -> carry, outputs`` over axis 1, written into ``outputs``, with inputs taken ahead."""
    length = jax.tree.leaves(inputs)[0].shape[1]

    def take(t):
        t = length - 1 - t if reverse else t
        return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, t, 1, keepdims=False), inputs)

    def body(t, loop):
        carry, current, outputs = loop
        carry, new = step(carry, current)
        index = length - 1 - t if reverse else t
        outputs = tuple(lax.dynamic_update_index_in_dim(a, b, index, 1) for a, b in zip(outputs, new))
        return carry, take(t + 1), outputs

    carry, _, outputs = lax.fori_loop(0, length, body, (carry, take(0), outputs))
    return carry, outputs


def _loop_forward(cell, sequences, matrix, matrix2, x, state, mask):
    history, last = _forward(cell, len(state), matrix, matrix2, x, state, mask)
    return (history[0] if sequences else None, last), (matrix, matrix2, x, state, mask, history)


def _loop_backward(cell, sequences, residuals, gradients):
    matrix, matrix2, x, first, mask, history = residuals
    d_outputs, d_state = gradients
    units, features = first[0].shape[0], x.shape[1]
    recurrent, kernel = matrix[:, :units], matrix[:, units : units + features]
    # the state before each chunk; inside a chunk the history shifted by one step gives the others
    before = tuple(jnp.concatenate([s[None], h[:-1, :, -1]]) for s, h in zip(first, history))

    def product(a, b):
        return jnp.tensordot(a, b, 1)

    def step(d_state, inputs):
        z, z2, state, mask, d_output = inputs
        if d_output is not None:
            d_state = (d_state[0] + d_output, *d_state[1:])
        _, pull = jax.vjp(lambda z, state, z2: _advance(cell, z, state, z2, mask), z, state, z2)
        dz, d_state, dz2 = pull(d_state)
        if cell.inner is not None:
            _, pull = jax.vjp(cell.inner, z, state)
            more_dz, more = pull(matrix2.T @ dz2)
            dz, d_state = dz + more_dz, tuple(a + b for a, b in zip(d_state, more))
        d_state = (d_state[0] + recurrent.T @ dz, *d_state[1:])
        return d_state, (dz,) if dz2 is None else (dz, dz2)

    def chunk(carry, inputs):
        d_state, d_matrix, d_matrix2 = carry
        x, mask, history, before, d_outputs = inputs
        state = tuple(jnp.concatenate([b[:, None], h[:, :-1]], 1) for b, h in zip(before, history))
        fused = jnp.concatenate([state[0], x, jnp.ones((1, *x.shape[1:]), x.dtype)])
        z, u, z2 = product(matrix, fused), None, None
        if cell.inner is not None:
            u = cell.inner(z, state)
            z2 = product(matrix2, u)
        room = (jnp.zeros_like(z),) if z2 is None else (jnp.zeros_like(z), jnp.zeros_like(z2))
        d_state, (dz, *dz2) = _steps(step, d_state, (z, z2, state, mask, d_outputs), room, reverse=True)
        d_matrix = d_matrix + _outer(dz, fused)
        if cell.inner is not None:
            d_matrix2 = d_matrix2 + _outer(dz2[0], u)
        return (d_state, d_matrix, d_matrix2), product(kernel.T, dz)

    zeros = jnp.zeros_like(matrix), None if matrix2 is None else jnp.zeros_like(matrix2)
    (d_state, d_matrix, d_matrix2), dx = lax.scan(
        chunk, (d_state, *zeros), (x, mask, history, before, d_outputs), reverse=True
    )
    return d_matrix, d_matrix2, dx, d_state, None


def _outer(a, b):
    return a.reshape(a.shape[0], -1) @ b.reshape(b.shape[0], -1).T


_loop.defvjp(_loop_forward, _loop_backward)
