"""Names in the modules `keras.src.*` of Keras 3 that packages import, and that have no public name."""

import functools
import importlib
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import h5py as _h5py
import numpy as np

from ..core import Symbol, Variable, get_mask, has_symbol, set_mask
from ..core.checks import int_tuple
from ..core.context import current
from ..core.names import unique_name
from ..core.scopes import StatelessScope
from ..core.structure import map_structure
from ..core.symbol import infer
from ..utils.conv_utils import normalize_data_format
from .importing import Finder

KerasTensor = Symbol
BackendVariable = Variable


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Whether there is a symbol among the arguments of a call.

    Args:
        args: The positional ones.
        kwargs: The ones with names.

    >>> any_symbolic_tensors((KerasTensor((None, 3)),)), any_symbolic_tensors(([1, 2],))
    (True, False)
    """
    return has_symbol((args or (), kwargs or {}))


def get_keras_mask(x: Any) -> Any:
    """The mask that an array or a symbol carries, or `None`.

    Args:
        x: The array or the symbol.
    """
    return getattr(x, "_keras_mask", None) if isinstance(x, Symbol) else get_mask(x)


def set_keras_mask(x: Any, mask: Any) -> None:
    """Lets an array or a symbol carry a mask.

    Args:
        x: The array or the symbol.
        mask: The mask; `None` takes it away.

    >>> x = np.ones((2, 3))
    >>> set_keras_mask(x, np.zeros((2, 3), bool))
    >>> get_keras_mask(x).tolist()[0]
    [False, False, False]
    """
    if isinstance(x, Symbol):
        x._keras_mask = mask
    else:
        set_mask(x, mask)


def in_stateless_scope() -> bool:
    """Whether this runs inside of a `StatelessScope`."""
    return get_stateless_scope() is not None


def get_stateless_scope() -> StatelessScope | None:
    """The innermost `StatelessScope` that this runs inside of."""
    scope = current().scope
    return scope if isinstance(scope, StatelessScope) else None


def in_tf_graph() -> bool:
    """Whether a graph of TensorFlow is being made: never, as everything runs on JAX."""
    return False


def in_grain_data_pipeline() -> bool:
    """Whether a step of a pipeline of Grain runs: layers need not know, as they run on the host there by themselves."""
    return False


def standardize_data_format(data_format: str | None) -> str:
    """The layout of images: the one that is set where none is given.

    Args:
        data_format: "channels_last", "channels_first" or `None`.
    """
    return normalize_data_format(data_format)


def standardize_tuple(value: Any, n: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """One positive integer for each of `n` axes.

    Args:
        value: An integer for all, or as many as there are axes.
        n: The number of axes.
        name: What the argument is called, for the message.
        allow_zero: Whether 0 is one of them.

    Raises:
        ValueError: If these are not `n` integers, or if there is one that is too small.

    >>> standardize_tuple(3, 2, "kernel_size")
    (3, 3)
    """
    return int_tuple(name, value, n, 0 if allow_zero else 1)


def canonicalize_axis(axis: int, num_dims: int) -> int:
    """The number of an axis, counted from the front.

    Args:
        axis: Its number; a negative one counts from the end.
        num_dims: The number of axes.

    Raises:
        ValueError: If there is no such axis.

    >>> canonicalize_axis(-1, 3)
    2
    """
    if not -num_dims <= axis < num_dims:
        raise ValueError(f"axis: expected a number from {-num_dims} to {num_dims - 1}. Received: {axis}")
    return axis % num_dims


def no_automatic_dependency_tracking(fn: Callable) -> Callable:
    """A method of a layer, made so that the layers and weights that it sets as attributes are not the layer's.

    Args:
        fn: The method.
    """

    @functools.wraps(fn)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        result = fn(self, *args, **kwargs)
        changed = {name for name, value in vars(self).items() if before.get(name) is not value}
        self.untracked_attributes = frozenset(getattr(self, "untracked_attributes", ())) | changed
        return result

    return wrapper


def auto_name(prefix: str) -> str:
    """A name that begins with this prefix and was not used before.

    Args:
        prefix: The beginning.
    """
    return unique_name(prefix)


def class_weight_to_sample_weights(y: Any, class_weight: dict) -> np.ndarray:
    """The weight of each sample, by its class; 1 for the classes that have none.

    Args:
        y: Classes of shape (samples,) or (samples, 1), or one-hot rows of shape (samples, classes).
        class_weight: The weights of classes.

    >>> class_weight_to_sample_weights(np.array([0, 1, 2]), {0: 2.0, 1: 3.0}).tolist()
    [2.0, 3.0, 1.0]
    """
    y = np.asarray(y)
    classes = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(-1)
    return np.array([class_weight.get(int(c), 1.0) for c in classes], "float32")


class H5IOStore:
    """A file of HDF5 with the arrays of many objects, each under a path, as files of Keras 3 have them.

    Args:
        path_or_io: The file, or a name of one.
        archive: Accepted.
        mode: "r" to read or "w" to write.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> store = H5IOStore(buffer, mode="w")
    >>> store.make("dense")["kernel"] = np.ones(2)
    >>> store.close()
    >>> H5IOStore(buffer).get("dense")["kernel"].tolist()
    [1.0, 1.0]
    """

    def __init__(self, path_or_io: Any, archive: Any = None, mode: str = "r"):
        if mode not in ("r", "w"):
            raise ValueError(f"mode: expected 'r' or 'w'. Received: {mode!r}")
        self.file = _h5py.File(path_or_io, mode)

    def make(self, path: str, metadata: dict | None = None) -> "_Arrays":
        """Where the arrays of one object are written: ``store.make(path)[name] = array``.

        Args:
            path: The path of the object.
            metadata: Attributes of the group.
        """
        group = self.file.require_group(f"{path}/vars" if path else "vars")
        for name, value in (metadata or {}).items():
            group.attrs[name] = value
        return _Arrays(group)

    def get(self, path: str) -> "_Arrays":
        """What is there of one object: ``store.get(path)[name]``. It is empty if there is no such path.

        Args:
            path: The path of the object.
        """
        return _Arrays(self.file.get(f"{path}/vars" if path else "vars", {}))

    def has_path(self, path: str) -> bool:
        """Whether there is something under a path.

        Args:
            path: The path.
        """
        return path in self.file

    def keys(self) -> list[str]:
        """The first parts of the paths."""
        return list(self.file)

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


class _Arrays(MutableMapping):
    def __init__(self, group):
        self.group = group

    def __getitem__(self, name):
        return np.asarray(self.group[name])

    def __setitem__(self, name, value):
        if name in self.group:
            del self.group[name]
        self.group.create_dataset(name, data=np.asarray(value))

    def __delitem__(self, name):
        del self.group[name]

    def __iter__(self):
        return iter(self.group)

    def __len__(self):
        return len(self.group)


class LazyModule:
    """A module that is loaded when it is first used, or told of then if it is not installed.

    Args:
        name: Its full name.
        pip_name: What its package is called, if otherwise.
        import_error_msg: What to say if it is missing.

    >>> LazyModule("json").available, LazyModule("no_such_module").available
    (True, False)
    >>> LazyModule("json").dumps([1, 2])
    '[1, 2]'
    """

    def __init__(self, name: str, pip_name: str | None = None, import_error_msg: str | None = None):
        self.name = name
        package = pip_name or name
        self.message = import_error_msg or f"This needs {name}, which is not installed: pip install {package}."

    @property
    def available(self) -> bool:
        """Whether it is installed."""
        root = self.name.partition(".")[0]
        finders = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
        return any(finder.find_spec(root, None) is not None for finder in finders if hasattr(finder, "find_spec"))

    def initialize(self) -> Any:
        """Loads it, and returns it."""
        if not self.available:
            raise ImportError(self.message)
        return importlib.import_module(self.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # tools ask every object for `__wrapped__` and the like
            raise AttributeError(f"the lazy module {self.name} has public names only. Received: {name!r}")
        return getattr(self.initialize(), name)

    def __repr__(self):
        return f"LazyModule({self.name})"


gfile = LazyModule("tensorflow.io.gfile", pip_name="tensorflow")
grain = LazyModule("grain")
h5py = LazyModule("h5py")
jax = LazyModule("jax")
optree = LazyModule("optree")
scipy = LazyModule("scipy")
tensorflow = LazyModule("tensorflow")
_attributes = {}


def get_global_attribute(name: str, default: Any = None, set_to_default: bool = False) -> Any:
    """What `set_global_attribute` kept under a name.

    Args:
        name: The name.
        default: What to return if nothing is kept.
        set_to_default: Whether to keep that from now on.
    """
    if name not in _attributes and set_to_default:
        _attributes[name] = default
    return _attributes.get(name, default)


def set_global_attribute(name: str, value: Any) -> None:
    """Keeps something for the whole program.

    Args:
        name: Its name.
        value: What is kept.
    """
    _attributes[name] = value


def compute_output_spec(fn: Callable, *args, **kwargs) -> Any:
    """Symbols of the shapes and types of what a function or a layer returns for symbols.

    Args:
        fn: The function or the layer.
        *args: The arguments; symbols, or structures that hold some.
        **kwargs: Arguments by name.

    >>> compute_output_spec(lambda x: x.sum(-1), KerasTensor((None, 3))).shape
    (None,)
    """
    specs = infer(fn, args, kwargs)
    return map_structure(lambda spec: Symbol(tuple(spec.shape), spec.dtype), specs)
