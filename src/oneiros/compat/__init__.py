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

from . import adapting, generations, importing

_PACKAGE = __name__.split(".")[0]
# What is loaded with the package and has arguments that were once spelled otherwise.
_NAMESPACES = (
    *("layers", "optimizers", "constraints", "regularizers", "initializers", "activations", "losses", "metrics"),
    *("callbacks", "utils", "models", "saving"),
)
_METHODS = {
    "Model": "compile fit evaluate predict fit_generator evaluate_generator predict_generator summary save "
    "load_weights train_on_batch",
    "Sequential": "train_on_batch predict_classes predict_proba",
}
_applied = False


def apply():
    """Lets the library's classes and functions take the arguments of every generation. Called once, at import."""
    global _applied
    if _applied:
        return
    _applied = True
    from .. import models
    from . import legacy_layers

    package = sys.modules[_PACKAGE]
    for name in _NAMESPACES:
        adapting.adapt_namespace(getattr(package, name))
    adapting.adapt_namespace(legacy_layers)
    adapting.adapt_when_loaded(package)
    for name, methods in _METHODS.items():
        adapting.adapt_methods(getattr(models, name), methods.split())


def install(generation="2"):
    """Makes `import keras` (and `tensorflow.keras`, `tf_keras`, ...) this library, behaving as this generation.

    generation: '1' (Keras 1.2), '2' (Keras 2.1), 'tf' (tf.keras 2) or '3' (Keras 3, the native behaviour).
    """
    generations.select(generation)
    importlib.import_module(_PACKAGE)
    importing.install()


def uninstall():
    """Undoes `install`: Keras is again what is installed under that name, and the behaviour is the native one."""
    generations.select("3")
    importing.uninstall()
