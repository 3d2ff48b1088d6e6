"""`import tensorflow as tf` where TensorFlow is not installed: a stand-in with `tf.keras` and what does no harm.

Where TensorFlow is installed it is left as it is, but for `tf.keras`.
"""

import contextlib
import importlib
import importlib.machinery
import logging
import sys
import types
from typing import Any

from .. import optimizers
from ..core.lazy import LazyModule
from ..core.random import set_backend_seed
from . import generations
from .modules import ROOTS

backend = LazyModule(f"{__package__}.backend")


class _Anything:
    """An object for settings: takes every attribute and every argument, does nothing."""

    def __init__(self, *args, **kwargs):
        self.__dict__.update(kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__dict__.setdefault(name, _Anything())

    def __call__(self, *args, **kwargs):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None


class Session(_Anything):
    """What `K.set_session` and `with tf.Session():` get; there is nothing to run in it."""

    def run(self, fetches: Any = None, feed_dict: dict | None = None, **kwargs) -> None:
        if isinstance(fetches, _Anything) or fetches is None:
            return
        raise NotImplementedError(
            "There are no TensorFlow sessions here. Use K.eval(x), K.get_value(x) or K.function(inputs, outputs)."
        )

    def close(self) -> None:
        pass


def _devices(device_type=None):
    import jax

    kinds = {"gpu": "GPU", "cuda": "GPU", "rocm": "GPU", "tpu": "TPU", "cpu": "CPU"}
    found = [(kinds.get(d.platform, d.platform.upper()), d.id) for d in jax.devices()]
    if all(kind != "CPU" for kind, _ in found):
        found.insert(0, ("CPU", 0))
    return [
        types.SimpleNamespace(name=f"/physical_device:{kind}:{number}", device_type=kind)
        for kind, number in found
        if device_type in (None, kind)
    ]


def _is_gpu_available(*args, **kwargs):
    return bool(_devices("GPU"))


def _adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, **kwargs):
    return optimizers.Adam(learning_rate=learning_rate, beta_1=beta1, beta_2=beta2, epsilon=epsilon)


def _rmsprop(learning_rate, decay=0.9, momentum=0.0, epsilon=1e-10, **kwargs):
    return optimizers.RMSprop(learning_rate=learning_rate, rho=decay, momentum=momentum, epsilon=epsilon)


def _sgd(learning_rate, **kwargs):
    return optimizers.SGD(learning_rate=learning_rate)


def _adagrad(learning_rate, initial_accumulator_value=0.1, **kwargs):
    return optimizers.Adagrad(learning_rate=learning_rate, initial_accumulator_value=initial_accumulator_value)


def _placeholder(dtype="float32", shape=None, name=None):
    return backend.placeholder(shape, dtype=dtype, name=name)


def _variable(initial_value, trainable=True, name=None, dtype=None, **kwargs):
    return backend.variable(initial_value, dtype=dtype, name=name)


def _function(func=None, **kwargs):
    """`@tf.function`: compilation is ours, so the function stays as it is."""
    return func if func is not None else lambda f: f


_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50}
_TYPES = "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string"
_IGNORED = (
    "logging.set_verbosity enable_eager_execution disable_eager_execution disable_v2_behavior enable_v2_behavior "
    "reset_default_graph autograph.set_verbosity config.experimental.set_memory_growth "
    "config.set_soft_device_placement config.experimental.set_virtual_device_configuration "
    "config.set_visible_devices config.experimental.set_visible_devices config.run_functions_eagerly "
    "config.optimizer.set_jit config.experimental.enable_op_determinism "
    "config.threading.set_intra_op_parallelism_threads config.threading.set_inter_op_parallelism_threads"
)
_SETTINGS = (
    "ConfigProto GPUOptions OptimizerOptions RunOptions get_default_graph Graph global_variables_initializer "
    "initialize_all_variables local_variables_initializer"
)
_SEEDS = "set_random_seed random.set_seed random.set_random_seed"
_DEVICE_LISTS = (
    "config.list_physical_devices config.list_logical_devices config.experimental.list_physical_devices "
    "config.get_visible_devices"
)

# What stands in for TensorFlow's names.
_VALUES = {
    **{name: name for name in _TYPES.split()},
    **{f"logging.{name}": level for name, level in _LEVELS.items()},
    **dict.fromkeys(_SEEDS.split(), set_backend_seed),
    **dict.fromkeys(_DEVICE_LISTS.split(), _devices),
    **dict.fromkeys(_IGNORED.split(), lambda *args, **kwargs: None),
    **dict.fromkeys(_SETTINGS.split(), _Anything),
    **dict.fromkeys(("Session", "InteractiveSession", "get_default_session"), Session),
    "executing_eagerly": lambda: True,
    "placeholder": _placeholder,
    "Variable": _variable,
    "test.is_gpu_available": _is_gpu_available,
    "test.is_built_with_cuda": _is_gpu_available,
    "test.is_built_with_gpu_support": _is_gpu_available,
    "test.gpu_device_name": lambda: "/device:GPU:0" if _devices("GPU") else "",
    "get_logger": lambda: logging.getLogger("tensorflow"),
    "device": lambda *args, **kwargs: contextlib.nullcontext(),
    "function": _function,
    "train.AdamOptimizer": _adam,
    "train.RMSPropOptimizer": _rmsprop,
    "train.GradientDescentOptimizer": _sgd,
    "train.AdagradOptimizer": _adagrad,
}
VALUES = {prefix + name: value for name, value in _VALUES.items() for prefix in ("", "compat.v1.", "compat.v2.")}

# Modules of the stand-in: those that lead to a value, and to a root of Keras.
_PACKAGES = {"tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2"}
for _path in [f"tensorflow.{name}" for name in VALUES] + [r for r in ROOTS if r.startswith("tensorflow.")]:
    while "." in _path:
        _path = _path.rpartition(".")[0]
        _PACKAGES.add(_path)


class StandIn(types.ModuleType):
    """A module in the place of one of TensorFlow."""

    def __init__(self, name: str):
        super().__init__(name, "A stand-in for TensorFlow, which is not installed: tf.keras and little else.")
        self.__path__ = []

    def __getattr__(self, name):
        full = f"{self.__name__}.{name}"
        path = full.removeprefix("tensorflow.")
        if path in VALUES:
            return VALUES[path]
        if path.rpartition(".")[2] in ("__version__", "VERSION"):
            return generations.versions()["tensorflow"]
        if full in _PACKAGES or full in ROOTS:
            return importlib.import_module(full)
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise AttributeError(
            f"tf.{path}: TensorFlow is not installed, and this stand-in for it has tf.keras only. {_advice(name)}"
        )


def _advice(name):
    for candidate in (name, name.removeprefix("reduce_")):
        if hasattr(backend, candidate):
            return f"Use keras.backend.{candidate} (K.{candidate}), or install TensorFlow."
    return "Write it with keras.backend (K) or keras.ops, or install TensorFlow."


class _Loader:
    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


def find_stand_in(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.machinery.ModuleSpec(name, _Loader(), is_package=True)
    parent, _, child = name.rpartition(".")
    try:
        getattr(sys.modules[parent], child)  # raises what there is to say
    except AttributeError as error:
        raise ModuleNotFoundError(str(error), name=parent) from None
    return None


class PatchingLoader:
    """Loads the real TensorFlow, then gives it this library as `tf.keras`.

    Args:
        loader: what loads the real one.
        paused: a context manager in which Keras is again what is installed under that name: TensorFlow's own parts
            need it while they are loaded.
    """

    def __init__(self, loader: Any, paused: Any):
        self.loader, self.paused = loader, paused

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        with self.paused():
            self.loader.exec_module(module)
        patch(sys.modules["tensorflow"])


_replaced = {}


def patch(module: Any) -> None:
    """Makes `keras` of a TensorFlow module this library."""
    if isinstance(module, StandIn) or "keras" in _replaced:
        return
    _replaced["keras"] = vars(module).get("keras")
    module.keras = importlib.import_module("tensorflow.keras")


def unpatch() -> None:
    module = sys.modules.get("tensorflow")
    if "keras" in _replaced and module is not None:
        original = _replaced["keras"]
        if original is None:
            vars(module).pop("keras", None)
        else:
            module.keras = original
    _replaced.clear()
