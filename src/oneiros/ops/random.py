"""`keras.random`: random numbers.

Every function takes a `seed`. An integer gives the same numbers at every call. A `SeedGenerator` gives new numbers at
every call, and so does ``None``, which stands for the global generator (see `keras.utils.set_random_seed`).
"""

from collections.abc import Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import SeedGenerator, config, op
from ..core.random import global_seed_generator
from ..kernels import random as kernels
from .table import DType, Shape, Tensor, dims, operand, tensor, to_dtype

Seed: TypeAlias = int | SeedGenerator | None


def key_of(seed: int | Tensor | SeedGenerator | None) -> Array:
    """The key for a seed, as JAX's generators take it.

    Args:
        seed: Integer, pair of unsigned integers, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        Two unsigned integers.

    Raises:
        ValueError: If the seed is none of these.

    >>> key_of(7).tolist()
    [7, 0]
    """
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
def normal(shape: Shape, mean: Tensor = 0.0, stddev: Tensor = 1.0, dtype: DType = None, seed: Seed = None) -> Array:
    """Normally distributed numbers.

    Args:
        shape: Shape of the result.
        mean: Mean of the distribution.
        stddev: Standard deviation of the distribution.
        dtype: Floating-point data type; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    dtype = to_dtype(dtype)
    return (operand(mean) + operand(stddev) * kernels.normal(key_of(seed), dims(shape), dtype)).astype(dtype)


@op
def uniform(shape: Shape, minval: Tensor = 0.0, maxval: Tensor = 1.0, dtype: DType = None, seed: Seed = None) -> Array:
    """Uniformly distributed numbers.

    Args:
        shape: Shape of the result.
        minval: Smallest number.
        maxval: End of the range, exclusive.
        dtype: Floating-point or integer data type; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    >>> x = uniform((100,), 2.0, 3.0, seed=1)
    >>> bool(((2 <= x) & (x < 3)).all())
    True
    """
    dtype = to_dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.floating):
        return randint(shape, minval, maxval, dtype, seed)
    minval, maxval = operand(minval), operand(maxval)
    return (minval + (maxval - minval) * kernels.uniform(key_of(seed), dims(shape), dtype)).astype(dtype)


@op
def randint(shape: Shape, minval: Tensor, maxval: Tensor, dtype: DType = "int32", seed: Seed = None) -> Array:
    """Uniformly distributed integers.

    Args:
        shape: Shape of the result.
        minval: Smallest integer.
        maxval: End of the range, exclusive.
        dtype: Integer data type.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    Raises:
        ValueError: If the data type is not an integer type.

    >>> sorted(set(randint((100,), 0, 3, seed=1).tolist()))
    [0, 1, 2]
    """
    dtype = to_dtype(dtype)
    if jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"randint: expected an integer dtype. Received: {dtype}. Use `uniform` for floats.")
    return jax.random.randint(_jax_key(seed), dims(shape), operand(minval), operand(maxval), dtype)


@op
def truncated_normal(
    shape: Shape, mean: Tensor = 0.0, stddev: Tensor = 1.0, dtype: DType = None, seed: Seed = None
) -> Array:
    """Numbers of a normal distribution that is truncated at two standard deviations.

    Args:
        shape: Shape of the result.
        mean: Mean of the distribution.
        stddev: Standard deviation of the distribution before the truncation.
        dtype: Floating-point data type; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    >>> bool(abs(truncated_normal((100,), seed=1)).max() <= 2)
    True
    """
    dtype = to_dtype(dtype)
    draws = jax.random.truncated_normal(_jax_key(seed), -2.0, 2.0, dims(shape), jnp.promote_types(dtype, "float32"))
    return (operand(mean) + operand(stddev) * draws).astype(dtype)


@op
def dropout(inputs: Tensor, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Array:
    """Sets elements to 0 at random, and scales up the others (Srivastava et al. 2014).

    Args:
        inputs: Tensor of floats.
        rate: Probability of each element to become 0, from 0 to 1. The others are divided by ``1 - rate``.
        noise_shape: Shape of the random mask, which is broadcast to the inputs. ``None`` in it stands for the dimension
            of the inputs. By default, each element is drawn independently.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: If the rate is not in ``[0, 1]``.

    >>> sorted(set(dropout([1.0] * 100, 0.5, seed=1).tolist()))
    [0.0, 2.0]
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
def shuffle(x: Tensor, axis: int = 0, seed: Seed = None) -> Array:
    """Shuffles a tensor along an axis.

    Args:
        x: Tensor.
        axis: Axis whose slices are put in random order.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape of `x`.

    >>> sorted(shuffle([1, 2, 3], seed=1).tolist())
    [1, 2, 3]
    """
    return jax.random.permutation(_jax_key(seed), tensor(x), axis)


@op
def categorical(logits: Tensor, num_samples: int, dtype: DType = "int32", seed: Seed = None) -> Array:
    """Draws classes with the probabilities ``softmax(logits)``.

    Args:
        logits: Logarithms of the probabilities, up to a constant, ``(n, classes)``.
        num_samples: Number of classes to draw for each row.
        dtype: Integer data type.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        Integers ``(n, num_samples)``.

    >>> categorical([[0.0, 100.0]], 3, seed=1).tolist()
    [[1, 1, 1]]
    """
    logits = tensor(logits)
    draws = jax.random.categorical(_jax_key(seed), logits, shape=(num_samples, *logits.shape[:-1]))  # (samples, n)
    return jnp.moveaxis(draws, 0, -1).astype(to_dtype(dtype))


@op
def gamma(shape: Shape, alpha: Tensor, dtype: DType = None, seed: Seed = None) -> Array:
    """Numbers of a gamma distribution with scale 1 (Marsaglia & Tsang 2000).

    Args:
        shape: Shape of the result.
        alpha: Shape parameter of the distribution.
        dtype: Floating-point data type; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    >>> bool((gamma((4,), 2.0, seed=1) > 0).all())
    True
    """
    return jax.random.gamma(_jax_key(seed), operand(alpha), dims(shape), to_dtype(dtype))


@op
def beta(shape: Shape, alpha: Tensor, beta: Tensor, dtype: DType = None, seed: Seed = None) -> Array:
    """Numbers of a beta distribution.

    Args:
        shape: Shape of the result.
        alpha: First shape parameter of the distribution.
        beta: Second shape parameter of the distribution.
        dtype: Floating-point data type; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape, with numbers from 0 to 1.

    >>> beta((4,), 2.0, 2.0, seed=1).shape
    (4,)
    """
    return jax.random.beta(_jax_key(seed), operand(alpha), operand(beta), dims(shape), to_dtype(dtype))


@op
def binomial(shape: Shape, counts: Tensor, probabilities: Tensor, dtype: DType = None, seed: Seed = None) -> Array:
    """Numbers of a binomial distribution: how many of a number of trials succeed.

    Args:
        shape: Shape of the result.
        counts: Number of trials.
        probabilities: Probability that a trial succeeds.
        dtype: Data type of the result; `floatx()` by default.
        seed: Integer, `SeedGenerator`, or ``None`` for the global generator.

    Returns:
        A tensor of the shape.

    >>> binomial((2,), 5, 1.0, seed=1).tolist()
    [5.0, 5.0]
    """
    dtype = to_dtype(dtype)
    draws = jax.random.binomial(
        _jax_key(seed), tensor(counts).astype(config.floatx()), operand(probabilities), dims(shape)
    )
    return draws.astype(dtype)
