"""Functions and objects of users in configurations: by the names under which they are registered."""

import inspect
from typing import Any

from ...core.errors import UnsafeModelError
from ...core.registry import find_custom_object, get_registered_name


def stored(thing: Any) -> Any:
    """A function, or an object with `get_config`, as Keras 3 writes it.

    >>> stored(len)["config"]
    'len'
    """
    if thing is None or isinstance(thing, str):
        return thing
    if hasattr(thing, "get_config"):
        cls = type(thing)
        name = get_registered_name(cls)
        return {"module": None, "class_name": cls.__name__, "config": thing.get_config(), "registered_name": name}
    if not hasattr(thing, "__name__"):
        raise ValueError(
            f"{thing!r} cannot be written to a configuration: expected a function, or an object of a class with "
            "get_config and from_config."
        )
    name = get_registered_name(thing)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def restored(entry: Any) -> Any:
    """The function or object that `stored` described. What is no such description is returned as it is.

    Args:
        entry: the description.

    Raises:
        UnsafeModelError: if nothing was registered, or given as a custom object, under its name.
    """
    if not isinstance(entry, dict) or "class_name" not in entry:
        return entry
    is_function = entry["class_name"] == "function"
    names = [entry.get("config")] if is_function else [entry.get("registered_name"), entry["class_name"]]
    found = next((thing for name in names if (thing := find_custom_object(name)) is not None), None)
    if found is None:
        raise UnsafeModelError(
            f"the configuration names {names[-1]!r}, which is not known. Register it with "
            "register_keras_serializable, or pass it in custom_objects."
        )
    return found.from_config(entry["config"]) if inspect.isclass(found) and not is_function else found
