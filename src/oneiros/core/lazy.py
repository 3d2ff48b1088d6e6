"""Modules that are loaded when they are first used."""

import importlib
import types
from typing import Any


class LazyModule(types.ModuleType):
    """Stands for a module that is loaded when one of its public names is first asked for.

    It is for modules that few programs need, where importing them would make each start slower.

    Args:
        name: the full name of the module.

    >>> LazyModule("json").dumps([1, 2])
    '[1, 2]'
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # tools ask every object for `__wrapped__` and the like
            raise AttributeError(f"the lazy module {self.__name__} has public names only. Received: {name!r}")
        return getattr(importlib.import_module(self.__name__), name)
