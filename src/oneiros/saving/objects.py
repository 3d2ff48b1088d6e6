"""Any object with a configuration, as a dictionary and back."""

import inspect

import numpy as np

from ..core import kind, safety
from ..core.errors import UnsafeModelError
from ..core.registry import CustomObjectScope, find_custom_object, get_registered_name
from .serialization import _KINDS, checked_part

_PLAIN = (str, int, float, bool, type(None))


def serialize_keras_object(obj):
    """A layer, loss, ... as ``{"module", "class_name", "config", "registered_name"}``; plain values as they are.

    >>> serialize_keras_object((1, "a"))
    {'class_name': '__tuple__', 'config': [1, 'a']}
    """
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, list):
        return [serialize_keras_object(v) for v in obj]
    if isinstance(obj, tuple):
        return {"class_name": "__tuple__", "config": [serialize_keras_object(v) for v in obj]}
    if isinstance(obj, dict):
        return {key: serialize_keras_object(v) for key, v in obj.items()}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        cls = type(obj)
        config = obj.get_config()
        return {**_origin(cls), "class_name": cls.__name__, "config": config, "registered_name": _registered(cls)}
    if callable(obj) and hasattr(obj, "__name__"):
        return {**_origin(obj), "class_name": "function", "config": obj.__name__, "registered_name": _registered(obj)}
    raise TypeError(f"Cannot serialize {obj!r}: it has no get_config().")


def _origin(thing):
    module = thing.__module__
    return {"module": "builtins" if module.split(".")[0] == "oneiros" and inspect.isfunction(thing) else module}


def _registered(thing):
    name = get_registered_name(thing)
    return name if ">" in name else None


def deserialize_keras_object(config, custom_objects=None, safe_mode=None, **kwargs):
    """The object of what `serialize_keras_object` returned. Classes are looked up among those known, never imported.

    Raises `UnsafeModelError` for classes that are neither this library's nor in custom_objects.
    """
    with CustomObjectScope(custom_objects), safety.loading(safe_mode):
        return _made(config)


def _made(config):
    if isinstance(config, list):
        return [_made(v) for v in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str):
        return {key: _made(v) for key, v in config.items()}
    if name == "__tuple__":
        return tuple(_made(v) for v in inner)
    if name == "__numpy__":
        return np.array(inner["value"], inner["dtype"])
    wanted = inner if name == "function" else name
    hinted = [k for part, k in _KINDS.items() if part in str(config.get("module")).split(".")]
    for of_kind in [*hinted, *dict.fromkeys(_KINDS.values())]:
        if wanted in kind(of_kind).objects or find_custom_object(config.get("registered_name") or wanted):
            return kind(of_kind).deserialize(checked_part(config, "deserialize_keras_object", of_kind))
    checked_part(config, "deserialize_keras_object", None)
    raise UnsafeModelError(
        f"deserialize_keras_object: {str(wanted)[:80]!r} is not known. If it is your own, pass "
        f"custom_objects={{{str(wanted)[:80]!r}: ...}}."
    )
