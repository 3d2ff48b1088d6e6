"""Serialization of functions and objects, and names that Keras has here as well."""

import base64
import inspect
import marshal
import types
from collections.abc import Callable
from typing import Any

from oneiros.core import safety
from oneiros.core.errors import UnsafeModelError
from oneiros.core.registry import (
    CustomObjectScope,
    find_custom_object,
    serialize_object,
)

__all__ = [
    *("CustomObjectScope", "Progbar", "custom_object_scope", "deserialize_keras_object", "func_dump", "func_load"),
    *("get_custom_objects", "has_arg", "serialize_keras_object"),
]


def has_arg(fn: Callable, name: str, accept_all: bool = False) -> bool:
    """Whether a function takes a keyword argument.

    Args:
        fn: the function.
        name: the name of the argument.
        accept_all: whether a function with ``**kwargs`` counts as one that takes it.

    >>> has_arg(lambda x, units=3: x, "units")
    True
    """
    parameters = inspect.signature(fn).parameters
    if name in parameters:
        return parameters[name].kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def func_dump(func: types.FunctionType) -> tuple[str, tuple | None, tuple | None]:
    """Serializes a function. Its bytecode can be loaded by this version of Python only.

    Args:
        func: the function.

    Returns:
        ``(code, defaults, closure)``: the bytecode in base64, the default values of its last arguments, and the values
        of the variables that it takes from the enclosing function.

    >>> code, defaults, closure = func_dump(lambda x, y=2: x + y)
    >>> defaults, closure
    ((2,), None)
    """
    code = base64.b64encode(marshal.dumps(func.__code__)).decode("ascii")
    closure = tuple(cell.cell_contents for cell in func.__closure__) if func.__closure__ else None
    return code, func.__defaults__, closure


def func_load(
    code: str | tuple | list, defaults: tuple | None = None, closure: tuple | None = None, globs: dict | None = None
) -> types.FunctionType:
    """Restores a function from what `func_dump` returned.

    The code can do anything. It is loaded only after you have called `enable_unsafe_deserialization()`.

    Args:
        code: the bytecode, or the whole tuple.
        defaults: default values of the last arguments.
        closure: values of the variables that it takes from the enclosing function.
        globs: its global variables; by default those of this module.

    Returns:
        The function.

    Raises:
        UnsafeModelError: unsafe deserialization is not enabled.
    """
    if safety.in_safe_mode():
        raise UnsafeModelError(
            "func_load: loading a function's code can run anything. If you trust where it comes from, consent by "
            f"{safety.CONSENT}."
        )
    if isinstance(code, (list, tuple)):
        code, defaults, closure = code
    cells = tuple(value if isinstance(value, types.CellType) else types.CellType(value) for value in closure or ())
    code = marshal.loads(_code_bytes(code))
    defaults = tuple(defaults) if defaults else None
    return types.FunctionType(code, globals() if globs is None else globs, code.co_name, defaults, cells or None)


def _code_bytes(code):
    """What `func_dump` wrote: base64 since Keras 2.1, and a character for each byte before."""
    try:
        return base64.b64decode(code)
    except ValueError:
        return code.encode("raw_unicode_escape")


def serialize_keras_object(instance: Any) -> dict[str, Any] | str | None:
    """The configuration of an object, or the name of a function.

    Args:
        instance: an object with `get_config`, a class, a function, or ``None``.

    Returns:
        ``{"class_name": ..., "config": ...}``, a name, or ``None``.

    Raises:
        ValueError: it is none of these.

    >>> serialize_keras_object(len)
    'len'
    """
    if instance is None or hasattr(instance, "get_config") or hasattr(instance, "__name__"):
        return serialize_object(instance)
    raise ValueError(f"serialize_keras_object: expected an object with get_config(), or a function: {instance!r}")


def deserialize_keras_object(
    identifier: dict[str, Any] | str,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Makes an object from its configuration, or finds a function by its name.

    Args:
        identifier: ``{"class_name": ..., "config": ...}``, or a name.
        module_objects: classes and functions by name.
        custom_objects: your own classes and functions by name, which take precedence.
        printable_module_name: name of such objects in error messages.

    Returns:
        The object or the function. For the name of a class, a new object of it.

    Raises:
        ValueError: the name is unknown, or `identifier` is neither a configuration nor a name.

    >>> deserialize_keras_object("double", {"double": lambda x: 2 * x})(3)
    6
    """
    is_config = isinstance(identifier, dict)
    if not is_config and not isinstance(identifier, str):
        raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}")
    if is_config and not isinstance(identifier.get("class_name"), str):
        raise ValueError(f"Improper config format: {identifier}")
    name = identifier["class_name"] if is_config else identifier
    thing = (custom_objects or {}).get(name) or find_custom_object(name) or (module_objects or {}).get(name)
    if thing is None:
        raise ValueError(f"Unknown {printable_module_name}: {name}. Your own objects go into custom_objects.")
    if not is_config:
        return thing() if inspect.isclass(thing) else thing
    config = identifier.get("config") or {}
    with CustomObjectScope(custom_objects):
        return thing.from_config(dict(config)) if hasattr(thing, "from_config") else thing(**config)
