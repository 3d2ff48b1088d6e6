"""Oneiros: Keras, whole, on JAX.

>>> import oneiros as keras
>>> model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
>>> model.count_params()
4
"""

import importlib

from .core import runtime as _runtime

_runtime.keep_memory()  # before JAX takes its first buffer

from . import (  # noqa: E402
    activations,
    callbacks,
    compat,
    config,
    constraints,
    core,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from .core import Symbol as KerasTensor  # noqa: E402
from .core import Variable  # noqa: E402
from .core.policy import DTypePolicy  # noqa: E402
from .core.random import SeedGenerator  # noqa: E402
from .initializers import Initializer  # noqa: E402
from .layers import Input, InputSpec, Layer  # noqa: E402
from .losses import Loss  # noqa: E402
from .metrics import Metric  # noqa: E402
from .models import Functional, Model, Sequential  # noqa: E402
from .optimizers import Optimizer  # noqa: E402
from .regularizers import Regularizer  # noqa: E402

_runtime.keep_compiled()

__version__ = "0.1.0"

# Loaded at first use: a program rarely needs them all, and imports take time.
_LAZY = {
    "applications",
    "backend",
    "datasets",
    "dtype_policies",
    "mixed_precision",
    "ops",
    "preprocessing",
    "random",
    "wrappers",
}


def version():
    """The version of this library."""
    return __version__


def __getattr__(name):
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "Function":
        return importlib.import_module(f"{__name__}.backend").Function
    raise AttributeError(f"module 'oneiros' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY} - {"importlib", "annotations"})


compat.apply()
