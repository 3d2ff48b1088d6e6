"""Lets classes and functions take the arguments of every generation of Keras.

`adapt` wraps a function once: the wrapper puts positional arguments into the generation's order, renames old keywords,
and fills in the generation's defaults. The tables are in orders.py, keras1.py and generations.py.
"""

import difflib
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ..core import registry
from ..core.config import behaviour
from ..core.traceback import guard_class, guarded, tidy
from . import keras1, notes
from .calls import record_calls
from .generations import DEFAULTS_OF, title
from .orders import ORDERS

_PACKAGE = __name__.split(".")[0]
_SIZES = ("nb_row", "nb_col", "kernel_dim1", "kernel_dim2", "kernel_dim3")
_INITIALIZERS = ("init", "inner_init", "beta_init", "gamma_init")


class Rules:
    """What is translated for one class or function.

    name: as messages say it. called: the names under which the tables may have it, the class's bases included;
    ordered: those of them whose order of arguments is its own.
    positional: the names of its positional arguments; known: the names of all that it is known to take;
    closed: whether it takes no others.
    """

    def __init__(self, name: str, called: Any, ordered: Any, positional: Any, known: Any, closed: Any):
        self.name = name
        self.positional = positional
        self.known = names = known
        self.closed = closed
        short = {n.removeprefix("backend.").partition(".")[0] for n in called}
        found = sorted(
            (rank, old, name)
            for name in names & keras1.OLD_NAMES.keys()
            for old, rank, where in keras1.OLD_NAMES[name]
            if old not in names and (where is None or short & where)
        )
        self.renames = {old: name for _, old, name in reversed(found)}
        self.joined = {
            old: target
            for target, groups in keras1.JOINED.items()
            if target in names
            for group in groups
            for old in group
        }
        self.values = {k: v for k, v in keras1.VALUES.items() if k in names or k in self.renames}
        self.prepare, self.taken = _first(keras1.PREPARE, called, (None, ()))
        self.orders = _first(ORDERS, ordered, {})
        self.defaults = {
            generation: {argument: value for argument, value in defaults.items() if argument in names}
            for generation, defaults in _first(DEFAULTS_OF, called, {}).items()
        }
        self.dropped = {k: v for k, v in keras1.DROPPED.items() if k not in names and self.renames.get(k) is None}
        if not self.is_recurrent:
            self.dropped.pop("implementation", None)
        self.old = {*self.renames, *self.joined}
        self.modern = set(positional) - set(self.orders.get("1", ()))  # keywords that Keras 1 did not have
        self.triggers = {*self.old, *self.dropped, *(self.values if self.values else ())}

    is_recurrent = property(lambda self: "recurrent_initializer" in self.positional or "LSTM" in self.name)

    def is_needed(self) -> bool:
        return bool(self.renames or self.joined or self.values or self.prepare or self.orders or self.defaults)

    def accepted(self) -> set:
        """The names of all arguments that may be given."""
        return {*self.known, *self.triggers, *self.taken}

    # --- the translation of one call

    def translate(self, args: tuple, kwargs: dict) -> tuple:
        args, kwargs = list(args), dict(kwargs)
        generation = behaviour.generation
        self._name_positional(args, kwargs, generation)
        if self.prepare is not None:
            self.prepare(kwargs, args)
        self._join(kwargs)
        for old in [k for k in kwargs if k in self.triggers]:
            self._rename(old, kwargs)
        self._fill(args, kwargs, behaviour.defaults)
        if self.closed:
            self.refuse(kwargs)
        return args, kwargs

    def _name_positional(self, args, kwargs, generation):
        """Names the positional arguments from where the orders part."""
        order = self._order(args, kwargs, generation)
        if order is None:
            return
        converted, shared = {*keras1.VALUES, *_INITIALIZERS, *self.taken}, 0
        for ours, theirs in zip(self.positional, order):
            if ours != theirs and (self.renames.get(theirs) != ours or theirs in converted):
                break
            shared += 1
        if len(args) <= shared or len(args) > len(order) or _called_from_inside():
            return
        for name, value in zip(order[shared:], args[shared:]):
            if name in kwargs:
                raise TypeError(f"{self.name}: got several values for the argument {name!r}.")
            kwargs[name] = value
        notes.note(f"{self.name}: positional arguments {', '.join(order[shared : len(args)])} named")
        del args[shared:]

    def _order(self, args, kwargs, generation):
        first = self.orders.get("1")
        if first is not None and self._is_keras1(first, args, kwargs, generation):
            return first
        if generation == "1":
            return self.orders.get("2") if first is not None else None
        return self.orders.get(generation)

    def _is_keras1(self, order, args, kwargs, generation):
        """Whether the call is one for Keras 1: by its keywords, else by the generation and its values."""
        keras1_keywords = [k for k in kwargs if k in self.old]
        if any(k in self.modern for k in kwargs):
            return False
        bound = dict(zip(order, args))
        sizes = [bound.get(name, kwargs.get(name)) for name in order if name in _SIZES]
        if not all(hasattr(size, "__index__") for size in sizes):
            return False
        if generation == "2" and len(args) == 1 + len(sizes) > 2:
            return True  # Keras 2 still took Conv2D(64, 3, 3) for this
        if generation == "2" and len(args) > 3 and order[3] == "output_shape" and isinstance(args[3], (tuple, list)):
            return True  # and Deconvolution2D(64, 3, 3, (None, 8, 8, 64))
        if generation != "1" and not keras1_keywords:
            return False
        return not _is_activation(bound.get("init"))

    def _join(self, kwargs):
        for target, groups in keras1.JOINED.items():
            for group in groups:
                if group[0] in kwargs and group[0] in self.joined:
                    missing = [name for name in group if name not in kwargs]
                    if missing:
                        raise TypeError(f"{self.name}: {group[0]} came without {', '.join(missing)}.")
                    kwargs[target] = tuple(kwargs.pop(name) for name in group)
                    notes.note(f"{self.name}: {', '.join(group)} -> {target}")

    def _rename(self, old, kwargs):
        value = kwargs[old]
        if old == "forget_bias_init" and behaviour.generation == "2" and value != "one":
            del kwargs[old]
            warnings.warn(f"{self.name}: forget_bias_init was ignored. Use unit_forget_bias.", stacklevel=5)
            return
        table = self.values.get(old, {})
        if isinstance(value, str) and value in table:
            value = kwargs[old] = table[value]
        elif old == "forget_bias_init":
            raise TypeError(f"{self.name}: forget_bias_init may be 'one' or 'zero'. Received: {value!r}")
        elif old in _INITIALIZERS:
            value = kwargs[old] = keras1.translate_initializer(value)
        if old in self.renames:
            new = self.renames[old]
            if new in kwargs:
                raise TypeError(f"{self.name}: got both {old!r} and {new!r}, which are the same argument.")
            kwargs[new] = kwargs.pop(old)
            notes.note(f"{self.name}: {old} -> {new}")
        elif old in self.dropped:
            del kwargs[old]
            notes.note(f"{self.name}: {old} dropped")
            if self.dropped[old]:
                warnings.warn(f"{self.name}: {self.dropped[old]}", stacklevel=4)

    def _fill(self, args, kwargs, generation):
        for name, value in self.defaults.get(generation, {}).items():
            if name not in kwargs and name not in self.positional[: len(args)]:
                kwargs[name] = value
                notes.note(f"{self.name}: {name}={value!r} (the default of {title(generation)})")

    def refuse(self, kwargs: dict, said: Any = None) -> None:
        """Raises if there is an argument that nobody knows (and that an error's message speaks of)."""
        for name in kwargs:
            if name not in self.known and (said is None or repr(name) in said or "missing" in said):
                near = difflib.get_close_matches(name, {*self.known, *self.renames}, 1, 0.6)
                hint = f" Did you mean {near[0]!r}?" if near else f" It takes: {', '.join(sorted(self.known))}."
                raise TypeError(f"{self.name}: unknown argument {name!r}.{hint}") from None


def _first(table, names, default):
    return next((table[name] for name in names if name in table), default)


def _called_from_inside():
    """Whether the library itself makes the call that is being translated: it knows its own order."""
    name = sys._getframe(4).f_globals.get("__name__", "")
    return name.split(".")[0] == _PACKAGE and not name.startswith(_PACKAGE + ".compat")


def _is_activation(value):
    return isinstance(value, str) and value in registry.kind("activation").objects


def rules_for(function: Callable, name: str, method: bool = False, base: Any = None) -> Any:
    """The rules for a function; `base`: the class whose constructor or method it is."""
    positional, keywords, closed = _arguments(function)
    positional = positional[1 if method else 0 :]
    known = {*positional, *keywords}
    suffix = name[len(base.__name__) :] if base is not None else ""  # of a method
    if not closed and base is not None and not suffix:
        known |= _passed_on(base)
    called = [name] if base is None else [c.__name__ + suffix for c in base.__mro__]
    ordered = called
    if base is not None and not suffix:  # the order of a base holds where its constructor's arguments do
        ordered = [c.__name__ for c in base.__mro__ if c is base or _arguments(c.__init__)[0][1:] == positional]
    return Rules(name, called, ordered, positional, known, closed)


def _passed_on(cls):
    """The names of the arguments that the constructors of a class's bases take."""
    constructors = [vars(c)["__init__"] for c in cls.__mro__[:-1] if "__init__" in vars(c)]
    return {name for f in constructors for names in _arguments(f)[:2] for name in names} - {"self"}


def _arguments(function):
    """The names of the positional arguments, of the keyword-only ones, and whether these are all.

    `inspect.signature` says the same in fifty times the time, and there are hundreds of functions.
    """
    while hasattr(function, "__wrapped__") and not hasattr(function, "__signature__"):
        function = function.__wrapped__
    if hasattr(function, "__signature__"):
        parameters = function.__signature__.parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        closed = not any(p.kind is p.VAR_KEYWORD for p in parameters)
        return names, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY], closed
    code = getattr(function, "__code__", None)
    if code is None:  # not Python's
        return [], (), False
    names, count = code.co_varnames, code.co_argcount
    closed = not code.co_flags & inspect.CO_VARKEYWORDS
    return list(names[:count]), names[count : count + code.co_kwonlyargcount], closed


def adapt(function: Callable, name: str, method: bool = False, base: Any = None) -> Callable:
    """`function`, taking old spellings too; itself if there is nothing to translate.

    name: as in the tables, and in messages. method: whether the first argument is `self`.
    """
    if hasattr(function, "adapted_rules"):
        return function
    rules = rules_for(function, name, method, base)
    if not rules.is_needed():
        return function
    triggers, orders, defaults, always = rules.triggers, rules.orders, rules.defaults, bool(rules.prepare)
    closed, known = rules.closed, rules.known

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        generation = behaviour.generation
        try:
            if (
                always
                or behaviour.defaults in defaults
                or generation in orders
                or not triggers.isdisjoint(kwargs)
                or (closed and not kwargs.keys() <= known)
            ):
                head, args = (args[:1], args[1:]) if method else ((), args)
                args, kwargs = rules.translate(args, kwargs)
                args = (*head, *args)
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if kwargs and not kwargs.keys() <= known:
                    rules.refuse(kwargs, str(error))
                raise
        except BaseException as error:
            tidy(error)
            raise

    wrapper.guarded = True
    wrapper.adapted_rules = rules
    return wrapper


def adapt_class(cls) -> None:
    """Lets a class's constructor take old spellings; one that is inherited may need rules of its own here."""
    own = vars(cls).get("__init__")
    if hasattr(own, "adapted_rules") or cls.__init__ is object.__init__:
        return
    constructor = cls.__init__
    if hasattr(constructor, "adapted_rules"):
        constructor = constructor.__wrapped__
    adapted = adapt(constructor, cls.__name__, method=True, base=cls)
    if adapted is not constructor and inspect.isfunction(constructor):
        cls.__init__ = adapted


def adapt_methods(cls, names: Iterable[str]) -> None:
    for name in names:
        function = getattr(cls, name)
        if hasattr(function, "adapted_rules"):
            if name in vars(cls):
                continue
            function = function.__wrapped__  # a base class's
        adapted = adapt(function, f"{cls.__name__}.{name}", method=True, base=cls)
        if adapted is not function:
            setattr(cls, name, adapted)


# Methods with arguments that were spelled otherwise.
METHODS = {
    "Model": "compile fit evaluate predict fit_generator evaluate_generator predict_generator summary save "
    "load_weights train_on_batch test_on_batch",
    "Sequential": "train_on_batch",
    "ImageDataGenerator": "flow",
}
_adapted_modules = set()
_adapted_functions = {}


def adapt_namespace(module: Any) -> None:
    """Adapts the library's own classes and functions that a module shows."""
    if module.__name__ in _adapted_modules:
        return
    _adapted_modules.add(module.__name__)
    prefix = "backend." if module.__name__.startswith(f"{_PACKAGE}.backend") else ""
    registered = {}  # from the id of an object to the places where it is registered
    for kind in registry.all_kinds():
        for key, value in kind.objects.items():
            registered.setdefault(id(value), []).append((kind.objects, key))
    for name, value in list(vars(module).items()):
        if name.startswith("_"):
            continue
        if not (getattr(value, "__module__", None) or "").startswith(_PACKAGE):
            continue
        if inspect.isclass(value):
            adapt_class(value)
            adapt_methods(value, METHODS.get(value.__name__, "").split())
            guard_class(value)
            record_calls(value)
        elif inspect.isfunction(value):
            adapted = _adapted_functions.setdefault(value, guarded(adapt(value, prefix + value.__name__)))
            if adapted is not value:
                setattr(module, name, adapted)
                home = sys.modules.get(value.__module__)
                if home is not None and getattr(home, value.__name__, None) is value:
                    setattr(home, value.__name__, adapted)  # pickle looks there
                for objects, key in registered.get(id(value), ()):
                    objects[key] = adapted
