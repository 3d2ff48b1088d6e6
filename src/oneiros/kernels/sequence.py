"""Recurrence on CPUs: the loop over time and its gradient, for any cell of matrix products and elementwise rest.

A cell sees ``zx = kernel @ [x; 1]``, to whose first rows ``recurrent @ h`` is added, and gives the next state. What
makes it fast:

- The batch lies on the *last* axis, so that gates are contiguous blocks of rows.
- For training, the inputs of all steps are projected by one large product, and the weights' gradients are large
  products too: in the loops over time there is one small product left.
- ``zx`` and the states are kept for the gradient, which is written in the place of ``zx``.
- A slice is taken one step ahead and carried: XLA would fuse it into the gates' loops, which then do not vectorize.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax


class Cell(NamedTuple):
    """``advance(zx, extra, state) -> state``, elementwise along the batch.

    ``shared`` rows of ``recurrent @ h`` are added to ``zx``; the others, if any, are ``extra``. With ``inner``, which
    is elementwise too, ``extra`` is ``matrix2 @ inner(zx, state)`` instead; else it is None.
    """

    advance: Callable
    shared: int
    inner: Callable | None = None


class Weights(NamedTuple):
    """``kernel`` ``(X, I + 1)`` with the bias as its last column, ``recurrent`` ``(H, U)``; ``extra_bias`` for its rows
    that are not shared, if any; ``matrix2`` ``(U, U)`` for a cell with ``inner``."""

    kernel: Array
    recurrent: Array
    extra_bias: Array | None = None
    matrix2: Array | None = None


def run(cell: Cell, weights: Weights, x, state, mask, reverse, sequences):
    """Run ``cell`` over ``x`` ``(T, N, I)`` from ``state``, a tuple of ``(N, U)`` with the output first.

    Returns the outputs ``(T, N, U)`` in the order of ``x`` (None unless ``sequences``) and the last state.
    """
    if reverse:
        x, mask = jnp.flip(x, 0), None if mask is None else jnp.flip(mask, 0)
    x = jnp.concatenate([x.transpose(2, 0, 1), jnp.ones((1, *x.shape[:2]), x.dtype)])
    mask = None if mask is None else mask[None]
    outputs, state = _loop(cell, sequences, weights, x, tuple(s.T for s in state), mask)
    if sequences:
        outputs = outputs.transpose(1, 2, 0)
        outputs = jnp.flip(outputs, 0) if reverse else outputs
    return outputs, tuple(s.T for s in state)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _loop(cell, sequences, weights, x, state, mask):
    """``x`` (its last row ones), ``mask`` and outputs are ``(features, T, N)``, states are ``(features, N)``."""
    kernel, recurrent = weights.kernel, weights.recurrent
    one_product = _is_one_product(cell, weights)
    fused = jnp.concatenate([recurrent, kernel], 1) if one_product else None

    def step(state, _, inputs):
        x, mask = inputs
        if one_product:
            zx, zh = fused @ jnp.concatenate([state[0], x]), None
        else:
            zx, zh = kernel @ x, recurrent @ state[0]
            zx, zh = _added(cell, zx, zh), zh[cell.shared :]
        state = _advance(cell, zx, _extra(cell, weights, zx, zh, state), state, mask)
        return state, None, state[:sequences]

    state, _, outputs = _steps(step, state, None, (x, mask), _room(state[:sequences], x))
    return outputs[0] if sequences else None, state


def _is_one_product(cell, weights):
    """Whether all rows are shared, so that one matrix takes ``[h; x; 1]`` to ``zx``."""
    return len(weights.kernel) == len(weights.recurrent) == cell.shared


def _added(cell, zx, zh):
    return jnp.concatenate([zx[: cell.shared] + zh[: cell.shared], zx[cell.shared :]])


def _extra(cell, weights, zx, zh, state):
    """``zh``: the rows of ``recurrent @ h`` that are not shared."""
    if cell.inner is not None:
        return weights.matrix2 @ cell.inner(zx, state)
    return None if weights.extra_bias is None else zh + weights.extra_bias[:, None]


def _advance(cell, zx, extra, state, mask):
    new = cell.advance(zx, extra, state)
    return new if mask is None else tuple(jnp.where(mask, a, b) for a, b in zip(new, state))


def _room(arrays, x):
    return tuple(jnp.zeros((len(a), *x.shape[1:]), x.dtype) for a in arrays)


def _steps(step, carry, replaced, inputs, room, reverse=False):
    """``step(carry, replaced, inputs) -> carry, replaced, outputs`` over axis 1: what is replaced is written in the
    place of what was read, outputs into ``room``."""
    length = jax.tree.leaves((replaced, inputs))[0].shape[1]

    def at(t):
        return length - 1 - t if reverse else t

    def take(arrays, t):
        return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, at(t), 1, keepdims=False), arrays)

    def body(t, loop):
        carry, current, *written = loop
        carry, *new = step(carry, *current)
        written = jax.tree.map(lambda a, b: lax.dynamic_update_index_in_dim(a, b, at(t), 1), written, new)
        return carry, take((written[0], inputs), t + 1), *written

    start = carry, take((replaced, inputs), 0), replaced, room
    carry, _, replaced, room = lax.fori_loop(0, length, body, start)
    return carry, replaced, room


def _loop_forward(cell, sequences, weights, x, state, mask):
    def step(state, zx, mask):
        zh = weights.recurrent @ state[0]
        zx = _added(cell, zx, zh)
        extra = _extra(cell, weights, zx, zh[cell.shared :], state)
        state = _advance(cell, zx, extra, state, mask)
        return state, zx, (() if extra is None else (extra,), state)

    has_extra = cell.inner is not None or weights.extra_bias is not None
    room = _room(state[:has_extra], x), _room(state, x)
    last, zx, (extra, history) = _steps(step, state, jnp.tensordot(weights.kernel, x, 1), mask, room)
    return (history[0] if sequences else None, last), (weights, x, state, mask, zx, extra, history)


def _loop_backward(cell, sequences, residuals, gradients):
    weights, x, first, mask, zx, extra, history = residuals
    d_outputs, d_state = gradients
    # transposed once: in the loop each product would do it again
    recurrent_t, matrix2_t = lax.optimization_barrier(jax.tree.map(jnp.transpose, (weights.recurrent, weights.matrix2)))
    states = tuple(jnp.concatenate([s[:, None], h[:, :-1]], 1) for s, h in zip(first, history))
    u = None if cell.inner is None else cell.inner(zx, states)

    def of_recurrent(dzx, d_extra):
        """The gradient of ``recurrent @ h``."""
        return dzx[: cell.shared] if cell.inner is not None else jnp.concatenate([dzx[: cell.shared], *d_extra])

    def step(d_state, products, inputs):
        (zx, extra), (state, mask, d_output) = products, inputs
        if d_output is not None:
            d_state = (d_state[0] + d_output, *d_state[1:])
        _, pull = jax.vjp(
            lambda zx, extra, state: _advance(cell, zx, *(extra or (None,)), state, mask), zx, extra, state
        )
        dzx, d_extra, d_state = pull(d_state)
        if cell.inner is not None:
            _, pull = jax.vjp(cell.inner, zx, state)
            more_dzx, more = pull(matrix2_t @ d_extra[0])
            dzx, d_state = dzx + more_dzx, tuple(a + b for a, b in zip(d_state, more))
        d_state = (d_state[0] + recurrent_t @ of_recurrent(dzx, d_extra), *d_state[1:])
        return d_state, (dzx, d_extra), ()

    d_state, (dzx, d_extra), _ = _steps(step, d_state, (zx, extra), (states, mask, d_outputs), (), reverse=True)
    if _is_one_product(cell, weights):
        both = _outer(dzx, jnp.concatenate([states[0], x]))
        d_recurrent, d_kernel = both[:, : len(first[0])], both[:, len(first[0]) :]
    else:
        d_recurrent, d_kernel = _outer(of_recurrent(dzx, d_extra), states[0]), _outer(dzx, x)
    d_weights = Weights(
        d_kernel,
        d_recurrent,
        None if weights.extra_bias is None else d_extra[0].sum((1, 2)),
        None if u is None else _outer(d_extra[0], u),
    )
    return d_weights, jnp.tensordot(weights.kernel.T, dzx, 1), d_state, None


def _outer(a, b):
    return a.reshape(len(a), -1) @ b.reshape(len(b), -1).T


_loop.defvjp(_loop_forward, _loop_backward)
