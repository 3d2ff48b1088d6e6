"""`keras.random`: random numbers.

seed: an integer gives the same numbers at every call; a `SeedGenerator` (or ``None``: the global one) new ones.
"""

import jax
import jax.numpy as jnp
import numpy as np

from ..core import SeedGenerator, config, op
from ..core.random import global_seed_generator
from ..kernels import random as kernels
from .table import dims, operand, tensor, to_dtype


def key_of(seed):
    """Two unsigned integers for an integer, a pair of them, a `SeedGenerator` or ``None``."""
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)):
        return jnp.array([int(seed) & 0xFFFFFFFF, (int(seed) >> 32) & 0xFFFFFFFF], jnp.uint32)
    if hasattr(seed, "shape") and tuple(seed.shape) == (2,):
        return tensor(seed).astype(jnp.uint32)
    raise ValueError(f"seed must be an integer, a SeedGenerator or None. Received: {seed!r} of type {type(seed)}")


def _jax_key(seed):
    return jax.random.wrap_key_data(key_of(seed), impl="threefry2x32")


@op
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers."""
    dtype = to_dtype(dtype)
    return (operand(mean) + operand(stddev) * kernels.normal(key_of(seed), dims(shape), dtype)).astype(dtype)


@op
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers of equal probability from `minval` up to, not including, `maxval`; integers for an integer type."""
    dtype = to_dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.floating):
        return randint(shape, minval, maxval, dtype, seed)
    minval, maxval = operand(minval), operand(maxval)
    return (minval + (maxval - minval) * kernels.uniform(key_of(seed), dims(shape), dtype)).astype(dtype)


@op
def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers of equal probability from `minval` up to, not including, `maxval`."""
    dtype = to_dtype(dtype)
    if jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"randint: expected an integer dtype. Received: {dtype}. Use `uniform` for floats.")
    return jax.random.randint(_jax_key(seed), dims(shape), operand(minval), operand(maxval), dtype)


@op
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers, those beyond two standard deviations drawn again."""
    dtype = to_dtype(dtype)
    draws = jax.random.truncated_normal(_jax_key(seed), -2.0, 2.0, dims(shape), jnp.promote_types(dtype, "float32"))
    return (operand(mean) + operand(stddev) * draws).astype(dtype)


@op
def dropout(inputs, rate, noise_shape=None, seed=None):
    """`inputs`, each element 0 with probability `rate`, the others divided by ``1 - rate``.

    noise_shape: the shape of the choice, which is broadcast; ``None`` in it stands for the inputs' dimension.
    """
    inputs = tensor(inputs)
    if isinstance(rate, (int, float)):
        if not 0 <= rate <= 1:
            raise ValueError(f"dropout: rate must be from 0 to 1. Received: {rate}")
        if rate in (0, 1):
            return inputs if rate == 0 else jnp.zeros_like(inputs)
    shape = inputs.shape
    if noise_shape is not None:
        shape = dims(n if d is None else d for d, n in zip(noise_shape, inputs.shape))
    keep = kernels.dropout_mask(key_of(seed), rate, shape)
    return jnp.where(keep, inputs / jnp.asarray(1 - rate, inputs.dtype), 0)


@op
def shuffle(x, axis=0, seed=None):
    """`x` with its elements along an axis in random order."""
    return jax.random.permutation(_jax_key(seed), tensor(x), axis)


@op
def categorical(logits, num_samples, dtype="int32", seed=None):
    """Classes drawn with the probabilities ``softmax(logits)``: ``(N, classes)`` to ``(N, num_samples)``."""
    logits = tensor(logits)
    draws = jax.random.categorical(_jax_key(seed), logits, shape=(num_samples, *logits.shape[:-1]))
    return jnp.moveaxis(draws, 0, -1).astype(to_dtype(dtype))


@op
def gamma(shape, alpha, dtype=None, seed=None):
    """Gamma distributed numbers of shape parameter `alpha` and scale 1."""
    return jax.random.gamma(_jax_key(seed), operand(alpha), dims(shape), to_dtype(dtype))


@op
def beta(shape, alpha, beta, dtype=None, seed=None):
    """Beta distributed numbers."""
    return jax.random.beta(_jax_key(seed), operand(alpha), operand(beta), dims(shape), to_dtype(dtype))


@op
def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, each with the given probability."""
    dtype = to_dtype(dtype)
    draws = jax.random.binomial(
        _jax_key(seed), tensor(counts).astype(config.floatx()), operand(probabilities), dims(shape)
    )
    return draws.astype(dtype)
