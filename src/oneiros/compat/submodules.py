"""What keras_applications and Keras 2.2 used to tell each other which Keras a network is made of: here there is one."""

import functools
from collections.abc import Callable
from typing import Any

from ..core.lazy import LazyModule

_PACKAGE = __name__.split(".")[0]
_MODULES = {name: LazyModule(f"{_PACKAGE}.{name}") for name in ("backend", "layers", "models", "utils")}


def set_keras_submodules(**kwargs) -> None:
    """Does nothing: the networks are made of this library.

    Args:
        **kwargs: Accepted.
    """


def get_keras_submodule(name: str) -> Any:
    """One of the modules `backend`, `layers`, `models` and `utils`.

    Args:
        name: Its name.

    >>> get_keras_submodule("layers").Dense(3).units
    3
    """
    if name not in _MODULES:
        raise ImportError(f"Can only retrieve one of {', '.join(_MODULES)}. Requested: {name}")
    return _MODULES[name]


def get_submodules_from_kwargs(kwargs: dict) -> tuple:
    """The modules `backend`, `layers`, `models` and `utils`.

    Args:
        kwargs: A dictionary that may have other modules under these names.
    """
    return tuple(kwargs.get(name) or module for name, module in _MODULES.items())


def keras_modules_injection(base_fun: Callable) -> Callable:
    """A function that is called with the modules `backend`, `layers`, `models` and `utils` as further arguments.

    Args:
        base_fun: The function.

    >>> keras_modules_injection(lambda units, layers, **others: layers.Dense(units))(3).units
    3
    """

    @functools.wraps(base_fun)
    def wrapper(*args, **kwargs):
        return base_fun(*args, **(_MODULES | kwargs))

    return wrapper
