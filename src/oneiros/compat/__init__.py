"""Other generations of Keras: their module paths, argument names, defaults and behaviour.

>>> from oneiros import compat
>>> compat.install("2")
>>> from keras.layers.convolutional import Convolution2D
>>> Convolution2D(8, 3, 3, border_mode="same").kernel_size
(3, 3)
>>> compat.uninstall()
"""

import importlib
import sys

from ..core.config import behaviour
from ..core.lazy import LazyModule
from ..core.registry import kind as kind_of
from . import adapting, attention_faces, faces, generations, importing, legacy_engine, legacy_layers, spelling

_PACKAGE = __name__.split(".")[0]
# What is loaded with the package and has arguments that were once spelled otherwise.
_NAMESPACES = (
    *("layers", "optimizers", "constraints", "regularizers", "initializers", "activations", "losses", "metrics"),
    *("callbacks", "utils", "models", "saving"),
)
_functions = LazyModule(f"{__name__}.legacy_functions")
_applied = False


def apply() -> None:
    """Lets the library's classes and functions take the arguments of every generation. Called once, at import."""
    global _applied
    if _applied:
        return
    _applied = True
    package = sys.modules[_PACKAGE]
    legacy_engine.add_methods()
    faces.add_faces()
    attention_faces.add_faces()
    spelling.install()
    for module in [*(getattr(package, name) for name in _NAMESPACES), legacy_layers]:
        _prepare(module)
    sys.meta_path.insert(0, importing.Watcher(_prepare))


def _prepare(module):
    adapting.adapt_namespace(module)
    importing.add_old_names(module)


def install(generation: str = "2") -> None:
    """Makes `import keras` (and `tensorflow.keras`, `tf_keras`, ...) this library, behaving as this generation.

    generation: '1' (Keras 1.2), '2' (Keras 2.1), 'tf' (tf.keras 2), '3' (Keras 3, the native behaviour), or a version
    such as '2.3'.
    """
    generations.select(generation)
    generation = behaviour.generation
    importlib.import_module(_PACKAGE)
    _register_names(generation)
    faces.show_arrays(generation != "3")
    faces.show_dimensions(behaviour.dimensions_have_values)
    importing.install()


def uninstall() -> None:
    """Undoes `install`: Keras is again what is installed under that name, and the behaviour is the native one."""
    generations.select("3")
    _register_names("3")
    faces.show_arrays(False)
    faces.show_dimensions(False)
    importing.uninstall()


_replaced = []


def _register_names(generation):
    """Makes the functions of Keras 1 known by name: ``metrics=["precision"]``, ``W_regularizer="l1l2"``."""
    while _replaced:
        kind, name, previous = _replaced.pop()
        if previous is None:
            del kind.objects[name]
        else:
            kind.objects[name] = previous
    if generation == "3":
        return
    names = _functions.KERAS1_NAMES if generation == "1" else _functions.OLD_NAMES
    for kind_name, functions in names.items():
        kind = kind_of(kind_name)
        for function in functions:
            name = function.__name__
            _replaced.append((kind, name, kind.objects.get(name)))
            kind.objects[name] = function
