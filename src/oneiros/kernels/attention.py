"""Attention by scalar products (Vaswani et al. 2017): ``softmax(query @ key^T) @ value``."""

import jax
import jax.numpy as jnp
from jax import Array

from .dispatch import fast


def attend(query: Array, key: Array, value: Array, mask: Array | None = None) -> Array:
    """``(..., T, v)`` from a query ``(..., T, d)``, scaled by the caller, keys ``(..., S, d)``, values ``(..., S, v)``.

    mask: True where a query may look, broadcasts to ``(..., T, S)``.
    """
    if fast("attention") and query.dtype in (jnp.float32, jnp.float64):
        return _attend(query, key, value, mask)
    return softmax(query @ jnp.swapaxes(key, -1, -2), mask) @ value


def softmax(scores: Array, mask: Array | None = None) -> Array:
    """Over the last axis, of the entries where ``mask`` is True."""
    return jax.nn.softmax(_masked(scores, mask), -1)


def _masked(scores, mask):
    return scores if mask is None else jnp.where(mask, scores, jnp.finfo(scores.dtype).min)


@jax.custom_vjp
def _attend(query, key, value, mask):
    return _forward(query, key, value, mask)[0]


def _forward(query, key, value, mask):
    scores = _masked(query @ jnp.swapaxes(key, -1, -2), mask)
    weights = jnp.exp(scores - scores.max(-1, keepdims=True))
    # Dividing the result is less work than dividing the weights.
    factor = 1 / weights.sum(-1, keepdims=True)
    result = weights @ value * factor
    return result, (query, key, value, mask, weights, factor, result)


def _backward(residuals, d):
    query, key, value, mask, weights, factor, result = residuals
    d = d * factor
    # The sum over keys in softmax's gradient, taken where it is small (Dao et al. 2022, equation 4).
    inner = (d * result).sum(-1, keepdims=True)
    d_scores = weights * (d @ jnp.swapaxes(value, -1, -2) - inner)
    d_scores = d_scores if mask is None else jnp.where(mask, d_scores, 0)
    return d_scores @ key, _transposed_product(d_scores, query), _transposed_product(weights, d), None


def _transposed_product(x, y):
    """``x^T @ y`` as ``(y^T @ x)^T``, which takes half the time.

    Without the factors (exact, and free where they are fused) XLA would turn it back.
    """
    return jnp.swapaxes(2 * jnp.einsum("...td,...ts->...ds", y / 2, x), -1, -2)


_attend.defvjp(_forward, _backward)
