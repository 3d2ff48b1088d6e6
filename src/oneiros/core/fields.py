"""Declared fields: each constructor argument of a layer, loss, metric, optimizer, ... is written once.

A class lists its arguments as annotated class attributes. The constructor with its signature, the attributes, the
checks with their messages, the configuration and the `Args:` section of the documentation all come from that list:

>>> from oneiros.core.checks import positive_int
>>> from oneiros.core.registry import Configurable
>>> class Window(Configurable):
...     '''A sliding window.'''
...     size: int = field(positive_int, doc="Number of steps.")
...     padding: str = "valid"
>>> Window(3, padding="same").get_config()
{'size': 3, 'padding': 'same'}
>>> Window(0)
Traceback (most recent call last):
oneiros.core.errors.InputDataError: Window: size: expected a positive integer. Received: size=0

The rules, which follow those of `dataclasses`:

- An annotated attribute with a value is a field. A bare annotation, a `ClassVar`, and everything in a class with an
  `__init__` of its own is not.
- Subclasses inherit fields and add their own behind them, unless `field` says `first`, `after` or `last`. A field that
  is declared again keeps its place. A plain value (``use_bias = False``) fixes a field: it is no argument any more.
- A type may bring what its fields share: ``Annotated[int, Argument(check=positive_int)]`` has a check, and with
  ``Annotated[Callable, Argument(resolve=get)]`` a value is resolved whenever it is assigned, so that after
  ``layer.activation = "tanh"`` the attribute holds the function.
- `positional_last` names arguments that are no fields, but may follow the fields by position.
- The first base with an `__init__` of its own gets the arguments that are not fields. If it takes positional arguments,
  they are all its own, and the fields below it are given by keyword.
- `__post_init__` runs when all fields are set. It checks what concerns several fields and derives attributes.
"""

import inspect
import sys
import textwrap
import typing

from .errors import InputDataError

REQUIRED = inspect.Parameter.empty


class _Anything:
    """Equals every value."""

    def __eq__(self, other):
        return True

    __hash__ = None


ANY = _Anything()  # in `ignored_arguments` tables: an argument that is ignored, whatever its value


class Argument:
    """What fields of one type have in common. It stands in the type's ``Annotated``.

    Args:
        check: as in `field`.
        resolve: function from what users write (a name, a configuration, an object) to the object that is stored.
        doc: the documentation of these fields. ``{part}`` stands for the field's name without its last word.
        parts: what ``{part}`` is replaced by, where that is not a good name: a dictionary.

    >>> Argument(doc="Initializer of the {part}.").doc_of("kernel_initializer")
    'Initializer of the kernel.'
    """

    def __init__(self, check=None, resolve=None, doc="", parts=()):
        self.check, self.resolve, self.doc, self.parts = check, resolve, doc, dict(parts)

    def doc_of(self, name: str) -> str:
        """The documentation of the field with this name."""
        part = name.rpartition("_")[0]
        return self.doc.format(part=self.parts.get(part, part))


class Field:
    """One declared argument. It is made by `field`, or by an annotated attribute with a plain default.

    The arguments are those of `field`, which documents them.

    >>> Field(3, doc="A number.").of("count").name
    'count'
    """

    __slots__ = ("name", "default", "check", "resolve", "doc", "first", "after", "last", "kw_only", "attribute")

    def __init__(self, default, check=None, doc="", first=False, after=None, last=False, kw_only=False, alias=None):
        self.default, self.check, self.doc, self.name = default, check, doc, alias
        self.first, self.after, self.last, self.kw_only = first, after, last, kw_only
        self.attribute = self.resolve = None

    def of(self, attribute):
        """This field as the declaration of an attribute."""
        self.name, self.attribute = self.name or attribute, attribute
        return self

    def checked(self, owner, value):
        """The value as it is stored, or an error that names the class."""
        if self.check is None:
            return value
        try:
            return self.check(self.name, value, owner) if _wants_owner(self.check) else self.check(self.name, value)
        except InputDataError as error:
            raise InputDataError(f"{type(owner).__name__}: {error}") from None


def field(
    check=None, *, default=REQUIRED, doc="", first=False, after=None, last=False, kw_only=False, alias=None
) -> typing.Any:
    """Declares a constructor argument, where a plain default does not say enough.

    Args:
        check: function of (name, value) that returns the value to store, or raises `InputDataError`. A check marked
            with `of_owner` gets the object as a third argument. Defaults are checked too.
        default: the default value. Without one the argument is required.
        doc: one sentence for the documentation.
        first: whether the argument comes before those that are inherited.
        after: the name of the argument that it follows.
        last: whether the argument, and those behind it, stay behind the arguments of subclasses.
        kw_only: whether the argument can be given by its keyword only.
        alias: the name of the argument, where it is not the attribute's.
    """
    return Field(default, check, doc, first, after, last, kw_only, alias)


def of_owner(check):
    """Marks a check that needs to see the object whose argument it checks: ``check(name, value, owner)``."""
    check.wants_owner = True
    return check


def optional(check):
    """A check that lets `None` pass."""

    def checked(name, value, owner):
        if value is None:
            return None
        return check(name, value, owner) if _wants_owner(check) else check(name, value)

    return of_owner(checked)


def _wants_owner(check):
    return getattr(check, "wants_owner", False)


class _Resolving:
    """What stands in the class for a field that resolves its values. Reading an instance never comes here."""

    def __init__(self, field):
        self.field = field

    def __set__(self, instance, value):
        instance.__dict__[self.field.attribute] = self.field.resolve(value)


def fields_of(cls):
    """The declared fields of a class, by name and in the order of the constructor's arguments."""
    return getattr(cls, "__fields__", {})


def inherited_fields(cls: type) -> dict:
    """The declared fields of the nearest class that has some: a class with a constructor of its own has none."""
    return next((fields for c in cls.__mro__ if (fields := vars(c).get("__fields__"))), {})


def declare(cls):
    """Reads a new class's fields and writes its constructor. For `__init_subclass__` of a base."""
    if "__init__" in vars(cls):
        cls.__fields__ = {}
        return
    own = _own_fields(cls)
    inherited, hand_written = _inherited_fields(cls)
    fixed = [name for name, f in inherited.items() if f.attribute in vars(cls) and name not in own]
    if not own and not fixed:  # the inherited constructor is the class's own
        if vars(cls).get("__doc__"):
            cls.__doc__ = Documentation(vars(cls)["__doc__"], fields_of(cls), hand_written)
        return
    for name in fixed:
        _fix(cls, inherited.pop(name))
    cls.__fields__ = _in_order(inherited, own)
    for name in own.keys() & inherited.keys():
        _complete(cls, own[name], inherited[name])
    for f in own.values():
        _place_attribute(cls, f)
    cls.__init__ = _constructor(cls, list(cls.__fields__.values()), hand_written.__init__)
    cls.__doc__ = Documentation(vars(cls).get("__doc__") or "", cls.__fields__, hand_written)


def _inherited_fields(cls):
    """The fields of the bases, and the first base whose constructor is not made from fields."""
    fields, merged = {}, []
    for base in cls.__mro__[1:]:
        if "__init__" in vars(base) and not fields_of(base):
            return fields, base
        if not any(issubclass(done, base) for done in merged):
            merged.append(base)
            fields |= {name: f for name, f in fields_of(base).items() if name not in fields}
    return fields, object


def _complete(cls, new, old):
    """A field that is declared again keeps what it does not say anew."""
    new.check, new.doc, new.last = new.check or old.check, new.doc or old.doc, new.last or old.last
    if new.attribute == new.name != old.attribute:  # declared by the argument's name
        delattr(cls, new.attribute)
        setattr(cls, old.attribute, new.default)
        new.attribute = old.attribute


def _own_fields(cls):
    own = {}
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if name not in vars(cls) or _is_static(annotation):
            continue
        value = vars(cls)[name]
        f = (value if isinstance(value, Field) else Field(value)).of(name)
        shared = _argument(cls, annotation)
        if shared is not None:
            f.resolve = shared.resolve
            f.check = f.check or shared.check
            f.doc = f.doc or shared.doc_of(name)
        own[f.name] = f
    return own


def _is_static(annotation):
    if isinstance(annotation, str):
        return annotation.removeprefix("typing.").startswith("ClassVar")
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


def _argument(cls, annotation):
    """What the type says of its fields, or `None`."""
    if isinstance(annotation, str):  # from __future__ import annotations
        annotation = vars(sys.modules[cls.__module__]).get(annotation)
    return next((m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Argument)), None)


def _in_order(inherited, own):
    order, firsts = list(inherited), 0
    for f in own.values():
        if f.name in inherited and not (f.first or f.after):
            continue
        if f.name in order:
            order.remove(f.name)
        if f.first:
            place, firsts = firsts, firsts + 1
        elif f.after:
            place = order.index(f.after) + 1
        elif f.last:
            place = len(order)
        else:
            place = next((i for i, name in enumerate(order) if (own.get(name) or inherited[name]).last), len(order))
        order.insert(place, f.name)
    return {name: own.get(name) or inherited[name] for name in order}


def _place_attribute(cls, f):
    if f.resolve is not None:
        setattr(cls, f.attribute, _Resolving(f))
    elif f.default is REQUIRED:
        delattr(cls, f.attribute)
    else:
        setattr(cls, f.attribute, f.default)


def _fix(cls, f):
    value = vars(cls)[f.attribute]
    if f.resolve is not None and not hasattr(value, "__get__"):
        value = f.resolve(value)
        setattr(cls, f.attribute, staticmethod(value) if inspect.isfunction(value) else value)


def _constructor(cls, fields, base_init):
    """The ``__init__`` of a class with these fields."""
    takes_more = base_init is not object.__init__

    def configure(self, values, args, kwargs):
        if takes_more:
            base_init(self, *args, **kwargs)
        elif unknown := active(cls, kwargs):
            known = ", ".join(f.name for f in fields)
            raise TypeError(f"{cls.__name__}: unknown argument {next(iter(unknown))!r}. It takes: {known}.")
        for f, value in zip(fields, values):
            setattr(self, f.attribute, f.checked(self, value))
        self.__post_init__()

    passes_positional = takes_more and _takes_positional(base_init)
    return constructor(cls, fields, configure, takes_more or bool(cls.ignored_arguments), passes_positional)


def constructor(cls, fields, configure, takes_more=True, passes_positional=False):
    """An ``__init__`` with a signature made from fields.

    Args:
        cls: the class that it is for, to name in errors.
        fields: the declared fields, in order.
        configure: function of (self, values, args, kwargs): the fields' values, and the arguments that are no fields.
        takes_more: whether there may be keyword arguments that are no fields.
        passes_positional: whether positional arguments are none of the fields'.
    """
    last = () if passes_positional else getattr(cls, "positional_last", ())
    positional = [] if passes_positional else [*(f.name for f in fields if not f.kw_only), *last]

    def __init__(self, *args, **kwargs):
        if args and not passes_positional:
            if len(args) > len(positional):
                raise TypeError(
                    f"{cls.__name__} takes at most {len(positional)} positional arguments ({', '.join(positional)}). "
                    f"Received {len(args)}."
                )
            for name, value in zip(positional, args):
                if name in kwargs:
                    raise TypeError(f"{cls.__name__}: got several values for the argument {name!r}.")
                kwargs[name] = value
            args = ()
        values = [kwargs.pop(f.name, f.default) for f in fields]
        for f, value in zip(fields, values):
            if value is REQUIRED:
                raise TypeError(f"{cls.__name__}: missing a required argument: {f.name!r}.")
        configure(self, values, args, kwargs)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    __init__.__module__ = cls.__module__
    __init__.__signature__ = _signature(fields, takes_more, passes_positional, last)
    return __init__


def active(cls, kwargs):
    """The keyword arguments without those that other versions of Keras know and that change nothing here."""
    return {name: value for name, value in kwargs.items() if cls.ignored_arguments.get(name, ...) != value}


def _takes_positional(base_init):
    code = getattr(inspect.unwrap(base_init), "__code__", None)
    return code is not None and (code.co_argcount > 1 or bool(code.co_flags & inspect.CO_VARARGS))


def _signature(fields, takes_more, passes_on, last):
    make = inspect.Parameter
    by_place = [f for f in fields if not (f.kw_only or passes_on)]
    by_keyword = [f for f in fields if f.kw_only or passes_on]
    parameters = [make("self", make.POSITIONAL_OR_KEYWORD)]
    parameters += [make(f.name, make.POSITIONAL_OR_KEYWORD, default=f.default) for f in by_place]
    parameters += [make(name, make.POSITIONAL_OR_KEYWORD, default=None) for name in last]
    parameters += [make("args", make.VAR_POSITIONAL)] if passes_on else []
    parameters += [make(f.name, make.KEYWORD_ONLY, default=f.default) for f in by_keyword]
    parameters += [make("kwargs", make.VAR_KEYWORD)] if takes_more else []
    # Not validated: families put required arguments behind optional ones only where Keras does.
    return inspect.Signature(parameters, __validate_parameters__=False)


class Documentation:
    r"""A class's docstring with the section of its arguments, which is put together when somebody asks for it.

    Args:
        text: the docstring without that section.
        fields: the declared fields, by name.
        base: the base whose constructor takes the arguments that are not fields.

    >>> class Window:
    ...     __doc__ = Documentation("A window.", {"size": Field(2, doc="Number of steps.").of("size")})
    >>> Window.__doc__
    'A window.\n\nArgs:\n    size: Number of steps. Defaults to `2`.\n'
    """

    def __init__(self, text, fields, base=object):
        self.text = text.text if isinstance(text, Documentation) else inspect.cleandoc(text)
        self.fields = fields
        self.base = base

    def __get__(self, instance, cls):
        arguments = [f"{f.name}: {_sentence(f)}" for f in self.fields.values()]
        if self.base.__init__ is not object.__init__:
            arguments.append(f"**kwargs: Arguments of `{self.base.__name__}`.")
        if not arguments or "\nArgs:" in self.text:
            return self.text
        indent = {"initial_indent": " " * 4, "subsequent_indent": " " * 8}
        section = "\n".join(textwrap.fill(line, 100, **indent) for line in arguments)
        prose, example, code = self.text.partition("\n>>> ")
        return f"{prose.rstrip()}\n\nArgs:\n{section}\n{example and chr(10)}{example.lstrip(chr(10))}{code}"


def _sentence(f):
    told = f.default is REQUIRED or "efaults to" in f.doc or (f.default is None and "`None`" in f.doc)
    return f.doc if told else f"{f.doc} Defaults to `{f.default!r}`.".strip()
