"""`keras.ops`: functions of tensors, for users. Each takes arrays, lists, variables and symbols alike.

Most are rows of tables over `jax.numpy`, `jax.nn` and `jax.lax`. Symbols are recorded; everything else is computed.
"""

from . import core, image, linalg, math, nn, numpy, random
from .table import publish as _publish

_publish(globals(), core, linalg, math, numpy, nn)
