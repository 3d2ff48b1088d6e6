"""Cross-entropies from logits: stable for logits of any size, one value for each example."""

import jax
import jax.numpy as jnp
from jax import Array


def softmax_cross_entropy(labels: Array, logits: Array, axis: int = -1) -> Array:
    """``-sum(labels * log_softmax(logits), axis)`` for label probabilities of the logits' shape."""
    return -jnp.sum(labels * jax.nn.log_softmax(logits, axis), axis)


def sparse_softmax_cross_entropy(labels: Array, logits: Array) -> Array:
    """``-log_softmax(logits)[..., label]`` for integer labels of shape ``logits.shape[:-1]``."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1, mode="clip")
    return -chosen[..., 0]


def sigmoid_cross_entropy(labels: Array, logits: Array) -> Array:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``, elementwise."""
    return jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))
