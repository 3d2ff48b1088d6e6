"""Rows of a table by index."""

import jax.numpy as jnp
from jax import Array


def take_rows(table: Array, indices: Array) -> Array:
    """``table[indices]``, shape ``(*indices.shape, *table.shape[1:])``. Indices beyond the table meet its last row."""
    return jnp.take(table, indices, axis=0, mode="clip")
