"""Products of tensors as Keras had them before 2.3."""

import jax.numpy as jnp
from jax import Array


def matrix_products(x: Array, y: Array, axes: tuple[int, int]) -> Array:
    """The product of the last two axes of `x` and `y`, for each place along the axes before them.

    A matrix is transposed where the axis to sum over is not the inner one. A tensor with fewer axes gets axes of length
    1 behind its own, which the result does not have. Two matrices are multiplied element by element and summed over
    their axes, which may be the first.

    Args:
        x: Tensor of at least two axes.
        y: Tensor of at least two axes.
        axes: The axis of `x` and that of `y` to sum over.

    Returns:
        A tensor of at least two axes.

    >>> matrix_products(jnp.ones((4, 5, 2, 3)), jnp.ones((4, 5, 3, 7)), (3, 2)).shape
    (4, 5, 2, 7)
    """
    a, b = axes
    if x.ndim == y.ndim == 2:
        return jnp.sum(x * y if a == b else x.T * y, b)[:, None]
    missing = x.ndim - y.ndim
    x = x.reshape(*x.shape, *(1,) * -missing)
    y = y.reshape(*y.shape, *(1,) * missing)
    x = x if a == x.ndim - 1 else jnp.swapaxes(x, -1, -2)
    y = jnp.swapaxes(y, -1, -2) if b == y.ndim - 1 else y
    result = x @ y
    if missing:
        first = result.ndim - 1 if missing > 0 else result.ndim - 2
        result = jnp.squeeze(result, tuple(range(first, first - abs(missing), -1)))
    return result[:, None] if result.ndim == 1 else result
