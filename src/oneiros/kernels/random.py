"""Random numbers by hashing a counter: pure functions of a key, and fast enough on a CPU for dropout.

A draw is the sum of two keyed permutations of the element's index, Wellons' ``triple32`` (the least biased three-round
32-bit hash of his search, https://github.com/skeeto/hash-prospector). The sum of two permutations is a random function
(Lucks, EUROCRYPT 2000), so unlike one permutation it repeats values as often as chance does. The key goes through
Threefry (Salmon et al. 2011) first, so neighbouring keys give unrelated streams. Not for cryptography.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array, lax


def uniform_bits(key: Array, shape) -> Array:
    """uint32 of ``shape`` (at most 2**32 elements), all values equally likely; ``key`` is a uint32 array of two."""
    first, second = jax.random.bits(jax.random.wrap_key_data(key, impl="threefry2x32"), (2,), jnp.uint32)
    count = math.prod(shape)
    index = lax.iota(jnp.uint32, count).reshape(shape)
    return _permute(index ^ first) + _permute(index * jnp.uint32(0x9E3779B9) + second)


def _permute(x):
    x = (x ^ (x >> 17)) * jnp.uint32(0xED5AD4BB)
    x = (x ^ (x >> 11)) * jnp.uint32(0xAC4C1B51)
    x = (x ^ (x >> 15)) * jnp.uint32(0x31848BAB)
    return x ^ (x >> 14)


def dropout_mask(key: Array, rate, shape) -> Array:
    """True with probability ``1 - rate`` (a number or a scalar array)."""
    return uniform(key, shape) >= rate


def uniform(key: Array, shape, dtype=jnp.float32) -> Array:
    """Uniform in ``[0, 1)``, every multiple of ``2**-24`` equally likely (or of ``eps`` where that is coarser)."""
    digits = min(24, jnp.finfo(dtype).nmant + 1)
    return (uniform_bits(key, shape) >> (32 - digits)).astype(dtype) * jnp.asarray(2.0**-digits, dtype)


def normal(key: Array, shape, dtype=jnp.float32) -> Array:
    """Standard normal, by the inverse of its distribution function."""
    middle = (uniform_bits(key, shape) >> 8).astype(jnp.float32) * 2.0**-23 + (2.0**-24 - 1)
    return (math.sqrt(2) * lax.erf_inv(middle)).astype(dtype)
