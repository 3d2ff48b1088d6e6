"""Matrix products over the last axes."""

import math

from jax import Array


def project(x: Array, kernel: Array, axes: int = 1) -> Array:
    """``tensordot(x, kernel, axes)``, as a product of two matrices.

    With more axes in the product, XLA copies the outputs' gradient into another order to get that of the kernel.
    """
    kept, summed = x.shape[: x.ndim - axes], kernel.shape[:axes]
    product = x.reshape(math.prod(kept), math.prod(summed)) @ kernel.reshape(math.prod(summed), -1)
    return product.reshape(*kept, *kernel.shape[axes:])
