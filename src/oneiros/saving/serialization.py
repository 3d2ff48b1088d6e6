"""Configurations as JSON, and any object with a configuration as a dictionary and back.

What a file says is checked at the point where it is used: `ConfigReader` sees each configuration just before
`Kind.deserialize` makes the object.
"""

import collections
import functools
import inspect
import json
import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import is_symbol, kind, safety
from ..core.context import within
from ..core.errors import CorruptFileError, LimitExceededError, UnsafeModelError
from ..core.registry import (
    CustomObjectScope,
    find_custom_object,
    get_custom_objects,
    get_registered_name,
    serialize_value,
)
from ..layers.lambda_layer import load_function
from ..utils.generic_utils import func_dump
from .keras3 import origin, with_modules

FORMAT_VERSION = "2.15.0"  # the version of Keras whose formats are written
NESTING_LIMIT = 200
_OWN_PACKAGES = ("keras", "tf_keras", "oneiros", "builtins", "tensorflow")
# Arguments in files that have no effect here: they say how something is computed, not what.
_WITHOUT_EFFECT = {
    *("implementation", "time_major", "zero_output_for_mask", "use_cudnn", "jit_compile", "autocast", "fn"),
    *("ragged", "optional", "synchronized", "fused"),
    *("virtual_batch_size", "is_legacy_optimizer", "lora_rank", "lora_alpha", "build_config"),
    "gptq_unpacked_column_size",
}
# Part of a module's name in Keras 3 -> the kind of the objects in it.
_KINDS = {
    "activations": "activation",
    "constraints": "constraint",
    "dtype_policies": "dtype policy",
    "initializers": "initializer",
    "layers": "layer",
    "losses": "loss",
    "metrics": "metric",
    "models": "layer",
    "optimizers": "optimizer",
    "quantizers": "quantizer",
    "regularizers": "regularizer",
    "schedules": "learning rate schedule",
}


# --- JSON


def parse(text: str, source: str) -> dict:
    """The dictionary in a JSON text.

    Args:
        text: The text.
        source: The name of the file, for messages.

    Raises:
        CorruptFileError: If the text is not JSON, or has the same key twice.
        LimitExceededError: If it is nested too deeply, or has a number that is too large.

    >>> parse('{"units": 3}', "model.json")
    {'units': 3}
    """
    _check_nesting(text, source)

    def unique(pairs):
        check_keys([key for key, _ in pairs], source)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        if isinstance(error, CorruptFileError):
            raise
        if not isinstance(error, json.JSONDecodeError):  # a whole number of thousands of digits
            raise LimitExceededError(f"{source}: the configuration has a number that is too large ({error}).") from None
        raise CorruptFileError(f"{source}: the configuration is not valid JSON ({error}).") from None


def check_keys(keys: Sequence[str], source: str) -> None:
    """Raises `CorruptFileError` if a key occurs twice."""
    if len(set(keys)) < len(keys):
        twice = next(key for key, count in collections.Counter(keys).items() if count > 1)
        raise CorruptFileError(f"{source}: the configuration has the duplicate key {_short(twice)}.")


def _check_nesting(text, source):
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text):
        character = match[0]
        if character in "[{":
            depth += 1
            if depth > NESTING_LIMIT:
                raise LimitExceededError(f"{source}: the configuration's nesting is deeper than {NESTING_LIMIT}.")
        elif character in "]}":
            depth -= 1


def dumps(config: Any, **kwargs) -> str:
    """A configuration as JSON text.

    Args:
        config: Plain data. Arrays, functions and objects with `get_config` are converted to plain data.
        **kwargs: Arguments of `json.dumps`.

    Raises:
        TypeError: If the configuration holds something else.
    """

    def plain(value):
        found = serialize_value(value)
        if found is not value and not (callable(value) and not hasattr(value, "__name__") and isinstance(found, str)):
            return found
        raise TypeError(
            f"The configuration holds {value!r} of type {type(value).__name__}, which JSON cannot. Let get_config() "
            "return numbers, strings, lists and dictionaries."
        )

    return json.dumps(config, default=plain, **kwargs)


# --- configurations from files


class ConfigReader:
    """Checks one configuration from a file and brings it into today's form, just before the object is made.

    Classes must be known, names must be valid, and nothing is taken from other packages. It is used as
    ``within(entry_reader=ConfigReader(...))``. Configurations inside the configuration are read when their own objects
    are made.

    Args:
        source: The name of the file, for messages.
        activations: A dictionary from names of activations in the file to today's names, if they differ.

    Raises:
        UnsafeModelError: If a class or function is neither this library's nor the caller's, or a name is not valid.
    """

    def __init__(self, source: str, activations: dict[str, str] | None = None):
        self.source = source
        self.activations = activations or {}

    def __call__(self, entry, of_kind):
        """A changed copy of the entry ``{"class_name", "config", ...}`` for an object of this kind."""
        config = entry.get("config")
        self._check_origin(entry)
        self._check_name(entry.get("name"))
        if isinstance(config, dict):
            self._check_name(config.get("name"))
        cls = self._class(entry, of_kind)
        if not isinstance(config, dict):
            return entry
        if inspect.isclass(cls) and cls.__module__.split(".")[0] == "oneiros":
            config = _without_unknown(config, cls)
        return entry | {"config": {key: self._with_new_name(key, value) for key, value in config.items()}}

    def _check_name(self, name):
        if name is None:
            return
        bad = not isinstance(name, str) or "\0" in name or "\\" in name or name.startswith("/")
        if bad or ".." in name.split("/"):
            raise UnsafeModelError(f"{self.source}: {_short(name)} is not an allowed name for a layer.")

    def _check_origin(self, entry):
        """Checks the module that Keras 3 names for a class or function. Those of other packages are refused."""
        module = entry.get("module")
        if module is None:
            return
        named = entry.get("config") if entry["class_name"] == "function" else entry["class_name"]
        known = any(
            isinstance(name, str) and find_custom_object(name) is not None
            for name in (entry.get("registered_name"), named)
        )
        if str(module).split(".")[0] not in _OWN_PACKAGES and not known:
            raise UnsafeModelError(
                f"{self.source}: '{_plain(module)}.{_plain(named)}' is not a layer or op of this library. If it is "
                f"your own, pass custom_objects={{{_plain(named)!r}: ...}}."
            )

    def _class(self, entry, of_kind):
        """The class of the entry, `None` if it is not known. Layers must be known."""
        registered = entry.get("registered_name")
        if isinstance(registered, str) and (own := find_custom_object(registered)) is not None:
            return own
        if of_kind.name == "operation" or entry["class_name"] == "function":
            return None
        try:
            return of_kind.find(entry["class_name"], UnsafeModelError)
        except UnsafeModelError as error:
            if of_kind.name != "layer":
                return None  # it may be the name of a function; who makes it complains
            raise UnsafeModelError(
                f"{self.source}: {_plain(entry['class_name'])!r} is not a layer or op of this library. {error}"
            ) from None

    def _with_new_name(self, key, value):
        is_name = isinstance(value, str) and key.endswith("activation")
        return self.activations.get(value, value) if is_name else value


def _plain(value):
    return str(value)[:80]


def _short(value):
    return repr(value)[:80]


def _without_unknown(config, cls):
    """The configuration without arguments that the class does not know and that have no effect."""
    known = _parameters(cls)
    config = {
        key: value
        for key, value in config.items()
        if key in known or (value is not None and key not in _WITHOUT_EFFECT)
    }
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return config


@functools.cache
def _parameters(cls):
    """The names of a constructor's arguments, including those of the base classes to which it passes arguments on."""
    names = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = inspect.signature(base.__init__).parameters
        names |= set(parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    return frozenset(names)


# --- any object


def serialize_keras_object(obj: Any) -> Any:
    """A layer, loss, function or other object as a dictionary that JSON can represent.

    Args:
        obj: An object with `get_config`, a function, an array or plain data, also nested in lists and dictionaries.

    Returns:
        ``{"module", "class_name", "config", "registered_name"}`` for objects. Plain data is returned as it is.

    Raises:
        TypeError: If an object has no `get_config`.

    >>> serialize_keras_object((1, slice(2)))
    (1, {'class_name': '__slice__', 'config': {'start': None, 'stop': 2, 'step': None}})
    """
    if isinstance(obj, (str, int, float, bool, type(None))):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, (list, tuple)):
        return type(obj)(serialize_keras_object(v) for v in obj) if type(obj) in (list, tuple) else list(obj)
    if isinstance(obj, dict):
        return {key: serialize_keras_object(v) for key, v in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {name: serialize_keras_object(getattr(obj, name)) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, (np.ndarray, jax.Array)):
        array = np.asarray(obj)
        if isinstance(obj, np.ndarray) and not obj.ndim:
            return obj.item()
        name = "__numpy__" if isinstance(obj, np.ndarray) else "__tensor__"
        return {"class_name": name, "config": {"value": array.tolist(), "dtype": array.dtype.name}}
    if is_symbol(obj):
        owner = getattr(getattr(obj.node, "operation", None), "name", None)
        history = None if owner is None else [owner, obj.node.node_index, obj.index]
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": list(obj.shape), "dtype": obj.dtype, "keras_history": history},
        }
    if getattr(obj, "__name__", None) == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": func_dump(obj)}}
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        config = with_modules({key: _with_objects(value) for key, value in obj.get_config().items()})
        return {"class_name": type(obj).__name__, "config": config, **origin(type(obj))}
    if callable(obj) and hasattr(obj, "__name__"):
        name = get_registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    raise TypeError(f"Cannot serialize {obj!r}: it has no get_config().")


def _with_objects(value):
    """A part of a configuration, in which a user may have left objects."""
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(_with_objects, value))
    if isinstance(value, dict) and type(value) is dict:
        return {key: _with_objects(item) for key, item in value.items()}
    return serialize_keras_object(value) if hasattr(value, "get_config") or inspect.isfunction(value) else value


def deserialize_keras_object(
    config: Any, custom_objects: dict | None = None, safe_mode: bool | None = True, **kwargs
) -> Any:
    """Makes an object from the dictionary that `serialize_keras_object` returned.

    Classes are looked up by name, never imported.

    Args:
        config: What `serialize_keras_object` returned.
        custom_objects: A dictionary from names to your own classes and functions.
        safe_mode: Whether to refuse Lambda layers, which hold Python code, unless you called
            `enable_unsafe_deserialization`.
        **kwargs: `module_objects`, a dictionary like `custom_objects`, by which `config` may also be the name of a
            class, to be made without arguments, or of a function. Others are accepted; they have no effect.

    Raises:
        UnsafeModelError: If a class is neither this library's nor in `custom_objects`.

    >>> import oneiros as keras
    >>> deserialize_keras_object(serialize_keras_object(keras.layers.Dense(3))).units
    3
    """
    known = kwargs.get("module_objects") or {}
    if isinstance(config, str) and config in (custom_objects or {}):
        return custom_objects[config]
    if isinstance(config, str) and config in known:
        return known[config]() if isinstance(known[config], type) else known[config]
    reader = ConfigReader("deserialize_keras_object")
    with (
        CustomObjectScope({**known, **(custom_objects or {})}),
        safety.loading(False if safe_mode is False else None),
        within(entry_reader=reader),
    ):
        return _made(config)


def _check_parts(name, inner, registered):
    expected = "a non-null str" if name == "function" else "a dict"
    if not isinstance(inner, str if name == "function" else (dict, type(None))):
        raise TypeError(f"deserialize_keras_object: {name[:80]}: Expected 'config' to be {expected}: {_short(inner)}")
    own = inner if name == "function" else name
    known = registered in (None, "", "function", own) or not isinstance(registered, str)
    if known or find_custom_object(registered) is not None or find_custom_object(own) is not None:
        return
    if any(own in kind(of_kind).objects for of_kind in _KINDS.values()):
        raise UnsafeModelError(
            f"deserialize_keras_object: {_short(registered)} is not registered, and {own[:80]!r} resolved to a Keras "
            "built-in. Pass custom_objects, or leave registered_name out."
        )


def _by_short_name(name):
    """The registered function ``package>name``, where a file of Keras 3.6 or older says only the name."""
    if find_custom_object(name) is not None or any(name in kind(k).objects for k in _KINDS.values()):
        return None
    found = [value for key, value in get_custom_objects().items() if key.rpartition(">")[2] == name]
    return found[0] if len(found) == 1 else None


def _made(config):
    if isinstance(config, (list, tuple)):
        return type(config)(map(_made, config))
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str):
        return {key: _made(v) for key, v in config.items()}
    if name == "__tuple__":
        return tuple(_made(v) for v in inner)
    if name in ("__numpy__", "__tensor__"):
        array = np.array(inner["value"], inner["dtype"])
        return array if name == "__numpy__" else jnp.asarray(array)
    if name == "__bytes__":
        return inner["value"].encode()
    if name == "__slice__":
        return slice(*(_made(inner[part]) for part in ("start", "stop", "step")))
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__lambda__":
        parts = dict(zip(("code", "defaults", "closure"), inner["value"])) if "value" in inner else inner
        return load_function({"class_name": name, "config": parts}, "lambda", "function")
    if "config" not in config:  # a dictionary of the user's
        return {key: _made(v) for key, v in config.items()}
    _check_parts(name, inner, config.get("registered_name"))
    if name == "function" and (found := _by_short_name(inner)) is not None:
        return found
    wanted = inner if name == "function" else name
    hinted = [k for part, k in _KINDS.items() if part in str(config.get("module")).split(".")]
    for of_kind in [*hinted, *dict.fromkeys(_KINDS.values())]:
        if wanted in kind(of_kind).objects or any(map(find_custom_object, (config.get("registered_name"), wanted))):
            return kind(of_kind).deserialize(config)
    raise UnsafeModelError(
        f"deserialize_keras_object: {str(wanted)[:80]!r} is not known. If it is your own, pass "
        f"custom_objects={{{str(wanted)[:80]!r}: ...}}."
    )
