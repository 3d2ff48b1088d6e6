"""Cross-entropies from logits: stable for logits of any size, one value for each example."""

import jax
import jax.numpy as jnp
from jax import Array


def softmax_cross_entropy(labels: Array, logits: Array, axis: int = -1) -> Array:
    """``-sum(labels * log_softmax(logits), axis)`` for label probabilities of the logits' shape."""
    return -jnp.sum(labels * jax.nn.log_softmax(logits, axis), axis)


def sparse_softmax_cross_entropy(labels: Array, logits: Array) -> Array:
    """``-log_softmax(logits)[..., label]`` for integer labels of shape ``logits.shape[:-1]``.

    The label's logit is picked by comparison: a gather's gradient would be a scatter, slow everywhere.
    """
    labels = jnp.asarray(labels)
    chosen = jnp.arange(logits.shape[-1], dtype=labels.dtype) == labels[..., None]
    return -jnp.sum(jnp.where(chosen, jax.nn.log_softmax(logits), 0), -1)


def sigmoid_cross_entropy(labels: Array, logits: Array) -> Array:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``, elementwise."""
    return _sigmoid_cross_entropy(jnp.asarray(labels, jnp.result_type(logits)), logits)


@jax.custom_jvp
def _sigmoid_cross_entropy(labels, logits):
    return jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))


@_sigmoid_cross_entropy.defjvp
def _sigmoid_cross_entropy_tangent(primals, tangents):
    # the parts have kinks at 0, where an output layer of zeros starts; their sum has none
    labels, logits = primals
    slope = jax.nn.sigmoid(logits) - labels
    return _sigmoid_cross_entropy(labels, logits), slope * tangents[1] - logits * tangents[0]
