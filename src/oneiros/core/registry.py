"""Registries of everything that has a name in a configuration: layers, losses, activations, ...

`get` makes an object of what a user writes: a string, a configuration, a class, a function or an object. `serialize`
and `deserialize` turn objects into configurations and back. Names are looked up, never imported, so nothing that a file
says is executed.
"""

import difflib
import inspect
import types
import typing

import numpy as np

from .config import behaviour
from .context import current, within
from .errors import UnsafeModelError
from .fields import declare, field, fields_of
from .names import to_snake_case

GLOBAL_CUSTOM_OBJECTS = _custom_objects = {}  # registered for good
GLOBAL_CUSTOM_NAMES = _registered_names = {}  # object -> "package>name"
_kinds = {}


def get_custom_objects() -> dict:
    """The global dictionary of custom objects, from names to classes and functions. Changes to it register them."""
    return _custom_objects


class CustomObjectScope:
    """Inside of the block, configurations may name these objects.

    Args:
        custom_objects: a dictionary from names to classes and functions.
        *more: further ones.

    >>> class Swish: ...
    >>> with CustomObjectScope({"MySwish": Swish}):
    ...     find_custom_object("MySwish").__name__
    'Swish'
    """

    def __init__(self, custom_objects=None, *more):
        self.custom_objects = (custom_objects, *more)

    def __enter__(self):
        objects = [dict(objects or {}) for objects in self.custom_objects]
        self.block = within(custom_objects=(*current().custom_objects, *objects))
        self.block.__enter__()
        self.before = dict(_custom_objects) if behaviour.scopes_change_registry and any(objects) else None
        if self.before is not None:
            for given in objects:
                _custom_objects.update(given)
        return self

    def __exit__(self, *exception):
        self.block.__exit__(*exception)
        if self.before is not None:
            _custom_objects.clear()
            _custom_objects.update(self.before)


def custom_object_scope(custom_objects: dict | None = None, *more: dict) -> CustomObjectScope:
    """A `CustomObjectScope` with these dictionaries.

    Args:
        custom_objects: a dictionary from names to classes and functions.
        *more: further ones.
    """
    return CustomObjectScope(custom_objects, *more)


def find_custom_object(name):
    """The custom object of this name in the innermost scope, or among those registered for good; `None` without one."""
    for scope in (*reversed(current().custom_objects), _custom_objects):
        if name in scope:
            return scope[name]
    return None


def register_keras_serializable(package: str = "Custom", name: str | None = None):
    """A decorator that makes a class or function known to configurations as ``package>name``.

    Args:
        package: the first part of the name.
        name: the second part, by default the name of the class or function.

    >>> @register_keras_serializable("Docs")
    ... def double(x):
    ...     return x * 2
    >>> get_registered_name(double)
    'Docs>double'
    """

    def decorate(thing):
        registered = f"{package}>{name or thing.__name__}"
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(f"Cannot register a class that does not have a get_config() method: {thing.__name__}.")
        _custom_objects[registered] = thing
        _registered_names[thing] = registered
        return thing

    return decorate


def get_registered_name(obj: typing.Any) -> str:
    """The name of a class or function in configurations.

    Args:
        obj: Class or function.

    Returns:
        The name under which it was registered, such as ``"my_package>MyLayer"``, else its own name.

    >>> get_registered_name(dict)
    'dict'
    """
    return _registered_names.get(obj, obj.__name__)


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The class or function of this name.

    Args:
        name: the name in configurations.
        custom_objects: a dictionary that is searched first.
        module_objects: a dictionary that is searched last, after the registered objects.

    Returns:
        The object, or `None`.
    """
    for objects in (custom_objects or {}, _custom_objects, module_objects or {}):
        if name in objects:
            return objects[name]
    return None


def factory(function: typing.Callable) -> typing.Callable:
    """Marks a function whose result its name stands for: ``"l1_l2"`` means what ``l1_l2()`` returns.

    Args:
        function: The function, which has no required arguments.
    """
    function.makes_object = True
    return function


class Kind:
    """The known objects of one kind, such as activations.

    Args:
        name: the name of the kind, as messages use it.

    >>> shapes = Kind("shape")
    >>> shapes.add(dict, "circle") is shapes.find("Circle")
    True
    """

    def __init__(self, name):
        self.name = name
        self.one = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"  # in messages
        self.objects = {}
        _kinds[name] = self

    def add(self, thing, *names):
        """Registers a class or function under its own name and others."""
        for name in names or (thing.__name__,):
            self.objects[name] = thing
        return thing

    def find(self, name, error=ValueError):
        """The class or function of this name. For classes, snake case and any letter case will do.

        Args:
            name: the name.
            error: the class of the exception for unknown names.
        """
        if (thing := find_custom_object(name)) is not None:
            return thing
        short = name.rsplit(">", 1)[-1]
        if short in self.objects:
            return self.objects[short]
        by_snake = {to_snake_case(key, digits_end_words=True): value for key, value in self.objects.items()}
        for key in (short, short.lower(), to_snake_case(short, digits_end_words=True)):
            if key in by_snake:
                return by_snake[key]
        folded = {key.lower(): value for key, value in self.objects.items()}
        if short.lower() in folded:
            return folded[short.lower()]
        near = difflib.get_close_matches(short, self.objects, 1, 0.5)
        hint = f", did you mean {near[0]}?" if near else "."
        raise error(
            f"Unknown {self.name}: {name!r}{hint} Your own objects need `custom_objects={{{short!r}: ...}}` or "
            "@register_keras_serializable()."
        )

    def get(self, identifier):
        """Makes an object of what a user writes.

        Args:
            identifier: a name, a configuration, a class, a function or an object.

        Returns:
            The object; `None` for `None`.

        Raises:
            ValueError: if there is no such object.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, str):
            thing = self.find(identifier)
            return thing() if inspect.isclass(thing) or hasattr(thing, "makes_object") else thing
        if inspect.isclass(identifier):
            return identifier()
        if callable(identifier):
            return identifier
        raise ValueError(
            f"Expected {self.one}: a name, a configuration, a function or an object. Received: {identifier!r}"
        )

    def serialize(self, thing):
        """The configuration of an object, with ``"class_name"`` and ``"config"``; for a function, its name."""
        return serialize_object(thing)

    def serializer(self) -> typing.Callable:
        """The function `serialize` for users, whose argument is called as the kind is."""
        name = self.name.replace(" ", "_")
        signature = inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)])

        def serialize(*args, **kwargs):
            return serialize_object(*signature.bind(*args, **kwargs).args)

        serialize.__signature__, serialize.__qualname__ = signature, "serialize"
        serialize.__doc__ = f"""The configuration of {self.one}, with ``"class_name"`` and ``"config"``.

        Args:
            {name}: the object, or a function, of which this is the name.
        """
        return serialize

    def deserialize(self, config, custom_objects=None):
        """Makes an object from its configuration.

        Args:
            config: what `serialize` returned, or what another version of Keras wrote.
            custom_objects: a dictionary from names to classes and functions.

        Raises:
            UnsafeModelError: if the class is not known.
        """
        with CustomObjectScope(custom_objects):
            if config is None:
                return None
            if isinstance(config, str):
                return self.get(config)
            if isinstance(config, dict) and "class_name" not in config:
                config = spelling.read(config)
            if not isinstance(config, dict) or "class_name" not in config:
                raise ValueError(f"Expected the configuration of {self.one}. Received: {str(config)[:200]}")
            config = read_entry(config, self)
            name, inner = config["class_name"], config.get("config")
            if not isinstance(name, str) or not (inner is None or isinstance(inner, (dict, list, str))):
                raise UnsafeModelError(f"class_name {str(name)[:80]!r} is not the name of {self.one}.")
            if name == "function" and isinstance(inner, str):  # how Keras 3 writes functions
                registered = config.get("registered_name")
                return self.find(inner if registered in (None, "function") else registered, UnsafeModelError)
            registered = config.get("registered_name")
            custom = find_custom_object(registered) if isinstance(registered, str) else None
            thing = custom or self.find(name, UnsafeModelError)
            if not inspect.isclass(thing):
                return thing
            try:
                if not hasattr(thing, "from_config"):
                    return thing(**(inner or {}))
                return thing.from_config({} if inner is None else dict(inner) if isinstance(inner, dict) else inner)
            except Exception as error:
                own = inner.get("name") if isinstance(inner, dict) else None
                error.add_note(f"while making the {self.name} {str(own or name)[:80]!r} ({name[:80]})")
                raise


def read_entry(entry, of_kind):
    """The configuration of an object of this kind; one from a file is checked, and brought into today's form."""
    reader = current().entry_reader
    return entry if reader is None else reader(entry, of_kind)


_PACKAGE = __name__.split(".")[0]
# How programs for Keras 1 and 2 write configurations, and what Keras 1 wrote: compat sets it.
spelling = types.SimpleNamespace(spelled=None, read=lambda config: config)


def serialize_object(thing: typing.Any) -> dict | str | None:
    """The configuration of an object, with ``"class_name"`` and ``"config"``; for a class or function, its name.

    >>> serialize_object(len)
    'len'
    """
    if thing is None:
        return None
    if hasattr(thing, "get_config") and not inspect.isclass(thing):
        entry = {"class_name": get_registered_name(type(thing)), "config": thing.get_config()}
        return spelling.spelled(thing, entry) if behaviour.old_configurations else entry
    return get_registered_name(thing)


def serialize_value(value: typing.Any) -> typing.Any:
    """A constructor argument as JSON can hold it."""
    if inspect.isclass(value) or hasattr(value, "get_config"):
        return serialize_object(value)
    if isinstance(value, np.ndarray) or type(value).__module__.startswith("jax") or hasattr(value, "__jax_array__"):
        return np.asarray(value).tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, (list, tuple)):
        return type(value)(serialize_value(v) for v in value) if type(value) in (list, tuple) else list(value)
    if isinstance(value, dict):
        return {k: serialize_value(v) for k, v in value.items()}
    if callable(value):
        return get_registered_name(value) if hasattr(value, "__name__") else type(value).__name__
    return value


@typing.dataclass_transform(field_specifiers=(field,))
class Configurable:
    """Base of everything that can be made from a configuration.

    The configuration is read from the object: the constructor's signature gives the names, the attributes of the same
    names (or with an underscore in front) give the values. `kind` names the registry of the library's own subclasses;
    ``class Base(Parent, abstract=True)`` is not registered.

    >>> class Scale(Configurable):
    ...     def __init__(self, factor):
    ...         self.factor = factor
    >>> Scale(3).get_config()
    {'factor': 3}
    """

    kind = None
    ignored_arguments = {}  # arguments of other versions of Keras, with the one value that changes nothing

    def __init_subclass__(cls, abstract=False, **kwargs):
        super().__init_subclass__(**kwargs)
        declare(cls)
        if cls.kind and not abstract and cls.__module__.split(".")[0] == "oneiros" and not cls.__name__.startswith("_"):
            kind(cls.kind).add(cls)

    def __post_init__(self):
        """Called when the declared fields are set: checks what concerns several, and derives attributes."""

    def get_config(self):
        """The constructor's arguments as JSON can hold them: for a user's get_config those of the library's class."""
        cls = type(self)
        ours = next(c for c in cls.__mro__ if c.__module__.split(".")[0] == _PACKAGE)
        inherits = cls.get_config is ours.get_config
        config = {} if inherits and not _takes_more(cls.__init__) else dict(constructor_values(self, ours))
        if inherits:
            config |= constructor_values(self)
        return {name: serialize_value(value) for name, value in config.items()}

    @classmethod
    def from_config(cls, config):
        """A new object from what `get_config` returned."""
        return cls(**config)


def _takes_more(function):
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    return bool(kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


def constructor_values(thing, cls=None):
    """The arguments that an object was made with, read from its attributes.

    Args:
        thing: the object.
        cls: the class whose constructor's arguments are meant: a base, or by default the object's own class.

    Yields:
        Pairs of a name and a value.

    Raises:
        NotImplementedError: if there is no attribute for an argument.
    """
    cls = cls or type(thing)
    declared = fields_of(cls)
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in declared:
            yield name, getattr(thing, declared[name].attribute)
            continue
        if not hasattr(thing, name) and not hasattr(thing, "_" + name):
            raise NotImplementedError(
                f"{type(thing).__name__} keeps its argument `{name}` under another name, so its configuration cannot "
                f"be read off. Set `self.{name} = {name}` in __init__, or write get_config()."
            )
        yield name, getattr(thing, name) if hasattr(thing, name) else getattr(thing, "_" + name)


def kind(name: str) -> Kind:
    """The registry of a kind, such as `"layer"`. It is made at the first request."""
    return _kinds.get(name) or Kind(name)


def all_kinds() -> list[Kind]:
    """The registries of all kinds."""
    return list(_kinds.values())
