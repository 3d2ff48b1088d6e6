"""While `Finder` is in `sys.meta_path`, every module path that Keras ever had is this library."""

import contextlib
import difflib
import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from ..core import behaviour
from ..core.registry import get_custom_objects
from . import tensorflow
from .adapting import adapt_namespace
from .attempts import can_do_without
from .generations import versions
from .modules import ABSENT, LOOSE_ROOTS, PLACES, REMOVED, ROOMS, ROOTS
from .sources import SOURCES

_OURS = __name__.split(".")[0]
# Where setting a function registers it: `keras.losses.my_loss = my_loss` was how programs for Keras 1 and 2 did that.
_OPEN_KINDS = ("activations", "constraints", "initializers", "losses", "metrics", "objectives", "regularizers")


def relative_path(name: str) -> Any:
    """The path of a module below its root, as in `PLACES`; ``None`` if there is no such module.

    >>> relative_path("keras.engine.topology"), relative_path("keras.nothing")
    ('engine.topology', None)
    """
    root = max((r for r in ROOTS if name == r or name.startswith(r + ".")), key=len, default=None)
    if root is None:
        return None
    if any(r.startswith(name + ".") for r in ROOTS):
        return ROOTS[root]  # on the way to another root
    path = ".".join(filter(None, (ROOTS[root], name[len(root) + 1 :])))
    is_source = root == "keras.src" and behaviour.generation == "3"
    if is_source and path in SOURCES:
        return f"src.{path}"
    while not _exists(path):
        if root not in LOOSE_ROOTS or is_source or not path:
            return None
        path = path.rpartition(".")[0]
    return path


def _exists(path):
    if path == "backend.theano_backend" and not behaviour.theano_backend_is_k:
        return False
    return path in PLACES or isinstance(_walk(path), types.ModuleType)


def _walk(path):
    """The object at a dotted path in this library, ``None`` if there is none."""
    thing = importlib.import_module(_OURS)
    for part in filter(None, path.split(".")):
        name = f"{thing.__name__}.{part}" if isinstance(thing, types.ModuleType) else ""
        if not hasattr(thing, part) and name and _has_submodule(name):
            importlib.import_module(name)
        thing = getattr(thing, part, None)
    return thing


def _has_submodule(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class AliasModule(types.ModuleType):
    """A module under an old name: its names are looked up at the first use."""

    def __init__(self, name: str):
        super().__init__(name, f"{name}, spoken by {_OURS}.")
        self.__path__ = []

    def _places(self):
        path = relative_path(self.__name__) or ""
        names = SOURCES[path[4:]] if path.startswith("src.") else PLACES.get(path, [path])
        places = [place for place in (_walk("" if n == _OURS else n) for n in names) if place is not None]
        for place in places:
            adapt_namespace(place)
        return places

    def __getattr__(self, name):
        if name == "__all__":
            return [n for n in dir(self) if not n.startswith("_")]
        if name == "__version__":
            return versions()["keras"]
        if name == "__file__":
            return importlib.import_module(_OURS).__file__
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        places = self._places()
        for candidate in (name, name.lstrip("_")):  # Keras 2 began many helpers with an underscore
            for place in places:
                if _is_plain(place, candidate):
                    self.__dict__[name] = value = getattr(place, candidate)
                    return value
        if relative_path(f"{self.__name__}.{name}") is not None and not name.startswith("_"):
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(missing_name(self, name))

    def __setattr__(self, name, value):
        if isinstance(value, AliasModule) and any(callable(vars(place).get(name)) for place in self._places()):
            return  # keras.layers.merge is a module, but the attribute is the function
        super().__setattr__(name, value)
        if callable(value) and self.__name__.rpartition(".")[2] in _OPEN_KINDS:
            get_custom_objects()[name] = value

    def __dir__(self):
        names = {n for place in self._places() for n in vars(place) if _is_plain(place, n)}
        if not relative_path(self.__name__):
            names.update(name for name in ROOMS if _exists(name))
        return sorted({n for n in names if not n.startswith("_")} | set(self.__dict__))

    def __repr__(self):
        return f"<module '{self.__name__}' ({_OURS})>"


def _is_plain(place, name):
    value = getattr(place, name, None)
    is_hint = getattr(value, "__module__", None) in ("collections.abc", "typing")  # such as the other `Sequence`
    return value is not None and not isinstance(value, types.ModuleType) and not is_hint


def add_old_names(module: Any) -> None:
    """Lets a module of this library find the names that only older generations had."""
    path = module.__name__.partition(".")[2]
    others = [place for place in PLACES.get(path, ()) if place.startswith("compat.")]
    own = vars(module).get("__getattr__")
    if not others and own is None:
        return

    def find(name):
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                if not others:
                    raise
        if not name.startswith("__"):
            for place in map(_walk, others):
                if _is_plain(place, name):
                    return getattr(place, name)
        raise AttributeError(missing_name(module, name))

    module.__getattr__ = find


class Watcher:
    """Calls ``prepare(module)`` for each module of this library that is loaded from here on."""

    def __init__(self, prepare: Callable):
        self.prepare = prepare

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not name.startswith(_OURS + ".") or name.split(".")[1] in ("compat", "core", "kernels"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _PreparingLoader(spec.loader, self.prepare)
        return spec


class _PreparingLoader:
    def __init__(self, loader, prepare):
        self.loader, self.prepare = loader, prepare

    def __getattr__(self, name):  # get_code, for `python -m`, and what else loaders offer
        return getattr(self.loader, name)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.prepare(module)


def missing_name(module: Any, name: str) -> str:
    """The message for a name that a module does not have."""
    # Tools ask every module for `__wrapped__` and the like; they need no suggestion.
    near = [] if name.startswith("_") else difflib.get_close_matches(name, dir(module), 1, 0.75)
    hint = REMOVED.get(name) or (f"Did you mean {near[0]}?" if near else "")
    return f"{module.__name__} has no {name!r}. {hint or 'docs/compatibility.md lists what is left out.'}"


class Finder:
    """Finds modules of Keras under all their names, and a stand-in for TensorFlow if that is not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        root = name.partition(".")[0]
        if root in ABSENT and path is None and self._installed(name) is None:
            raise ModuleNotFoundError(ABSENT[root], name=name)
        if root == "tensorflow":
            return self._find_tensorflow(name)
        return self._find_keras(name) if root in {r.partition(".")[0] for r in ROOTS} else None

    def _find_keras(self, name):
        if relative_path(name) is None:
            parent, _, child = name.rpartition(".")
            # Not `name`: Python would put its own, shorter message in the place of this one.
            raise ModuleNotFoundError(missing_name(sys.modules[parent], child), name=parent)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def _find_tensorflow(self, name):
        if _is_keras(name):
            return self._find_keras(name)
        real = self._installed("tensorflow") if name == "tensorflow" else None
        if real is not None:
            real.loader = tensorflow.PatchingLoader(real.loader, paused)
            return real
        if name == "tensorflow" and behaviour.generation == "3" and can_do_without(sys._getframe()):
            return None
        if isinstance(sys.modules.get("tensorflow"), tensorflow.StandIn) or name == "tensorflow":
            return tensorflow.find_stand_in(name)
        return None

    def _installed(self, name):
        """The specification of a module that is really there."""
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, None)) is not None:
                return spec
        return None

    def create_module(self, spec: Any) -> Any:
        return AliasModule(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


def _is_keras(name):
    return any(name == root or name.startswith(root + ".") for root in ROOTS)


_finder = Finder()
_shadowed = {}


def _set_aside():
    for name in [n for n, m in sys.modules.items() if _is_keras(n) and not isinstance(m, AliasModule)]:
        _shadowed[name] = sys.modules.pop(name)


@contextlib.contextmanager
def paused() -> Iterator:
    """Inside, imports find what is really installed; what is loaded of Keras is set aside at the end."""
    sys.meta_path.remove(_finder)
    try:
        yield
    finally:
        sys.meta_path.insert(0, _finder)
        _set_aside()


def install() -> None:
    """Puts this library in the place of Keras. Modules of a Keras that is installed are set aside."""
    if _finder in sys.meta_path:
        return
    _set_aside()
    sys.meta_path.insert(0, _finder)
    if "tensorflow" in sys.modules:
        tensorflow.patch(sys.modules["tensorflow"])


def uninstall() -> None:
    """Undoes `install`. Names that a program has imported meanwhile stay this library's."""
    if _finder not in sys.meta_path:
        return
    sys.meta_path.remove(_finder)
    for name in [n for n, m in sys.modules.items() if isinstance(m, (AliasModule, tensorflow.StandIn))]:
        del sys.modules[name]
    tensorflow.unpatch()
    sys.modules.update(_shadowed)
    _shadowed.clear()
