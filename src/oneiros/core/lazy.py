"""Modules that are loaded when they are first used."""

import importlib
import types


class LazyModule(types.ModuleType):
    """Stands for a module that is loaded when one of its names is first asked for.

    It is for modules that few programs need, where importing them would make each start slower.

    Args:
        name: the full name of the module.

    >>> LazyModule("json").dumps([1, 2])
    '[1, 2]'
    """

    def __getattr__(self, name):
        return getattr(importlib.import_module(self.__name__), name)
