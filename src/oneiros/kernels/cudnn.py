"""cuDNN's LSTM, through JAX: one launch for the whole sequence, where a scan launches several kernels a step."""

import jax
import jax.numpy as jnp
from jax import Array

from .dispatch import fast
from .elementwise import is_primitive


def fits(x: Array, mask: Array | None, activation, recurrent_activation) -> bool:
    """Whether cuDNN can run this LSTM here: float32, no mask, tanh and sigmoid; on NVIDIA's devices alone."""
    return (
        fast("cudnn")
        and mask is None
        and x.dtype == jnp.float32
        and is_primitive(activation, "tanh")
        and is_primitive(recurrent_activation, "logistic")
        and "cuda" in jax.devices()[0].client.platform_version.lower()
    )


def lstm(x: Array, h0: Array, c0: Array, kernel: Array, recurrent_kernel: Array, bias: Array | None):
    """The outputs ``(N, T, U)``, and the last states, of ``x`` ``(N, T, I)``; gates in the order i, f, c, o."""
    from jax.experimental import rnn

    (features, gates), units = kernel.shape, h0.shape[-1]
    bias = jnp.zeros(gates, kernel.dtype) if bias is None else bias
    # cuDNN's order: the inputs' matrix, the state's, and a bias for each; gates as rows
    weights = jnp.concatenate([kernel.T.ravel(), recurrent_kernel.T.ravel(), bias, jnp.zeros_like(bias)])
    lengths = jnp.full(x.shape[0], x.shape[1], jnp.int32)
    sizes = {"input_size": features, "hidden_size": units, "num_layers": 1, "dropout": 0.0, "bidirectional": False}
    outputs, h, c = rnn.lstm(x, h0[None], c0[None], weights, lengths, **sizes)
    return outputs, h[0], c[0]
