"""Oneiros: Keras, whole, on JAX.

>>> import oneiros as keras
>>> model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
>>> model.count_params()
4
"""

import gc
import importlib

_collecting = gc.isenabled()
gc.disable()  # importing makes little garbage, and much that would be looked through time and again
try:
    from .core import runtime as _runtime

    _runtime.keep_memory()  # before JAX takes its first buffer

    from . import (
        activations,
        callbacks,
        compat,
        config,
        constraints,
        core,
        distillation,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        quantizers,
        regularizers,
        saving,
        utils,
    )
    from .core import (
        Function,
        Operation,
        RematScope,
        StatelessScope,
        SymbolicScope,
        Variable,
        device,
        name_scope,
        remat,
    )
    from .core import Symbol as KerasTensor
    from .core.policy import DTypePolicy, FloatDTypePolicy
    from .core.random import SeedGenerator
    from .initializers import Initializer
    from .layers import Input, InputSpec, Layer
    from .losses import Loss
    from .metrics import Metric
    from .models import Functional, Model, Sequential
    from .optimizers import Optimizer
    from .quantizers import Quantizer
    from .regularizers import Regularizer
finally:
    if _collecting:
        if not gc.get_freeze_count():
            gc.freeze()  # and back: what was imported counts as old, without a look at all of it
            gc.unfreeze()
        gc.enable()

_runtime.keep_compiled()

__version__ = "0.1.0"

# Loaded at first use: a program rarely needs them all, and imports take time.
_LAZY = {
    "applications",
    "backend",
    "datasets",
    "distribution",
    "mixed_precision",
    "ops",
    "preprocessing",
    "random",
    "tree",
    "visualization",
    "wrappers",
}


def version():
    """The version of Keras that this library stands in for. Its own version is `__version__`."""
    return core.behaviour.version


def __getattr__(name):
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'oneiros' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY} - {"importlib", "annotations"})


compat.apply()
