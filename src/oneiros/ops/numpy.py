"""`keras.ops.numpy`: NumPy's functions, for symbols too. Most are `jax.numpy`'s, with Keras' arguments."""

from . import creation, elementwise, reductions, shapes
from .math import divide_no_nan  # noqa: F401 - a name of keras.ops.numpy
from .table import publish

publish(globals(), creation, elementwise, reductions, shapes)
