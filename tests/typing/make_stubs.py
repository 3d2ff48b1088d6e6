"""Writes what type checkers see of the rooms whose classes declare their arguments.

Checkers know the order of declared fields by inheritance alone: the base's come first. Keras' order is another, and
the constructors' signatures have it. So each room gets a stub, ``__init__.pyi``, with these signatures. A test
compares them with the code; ``python tests/typing/make_stubs.py`` writes them anew.
"""

import ast
import importlib
import inspect
from pathlib import Path

import oneiros

PACKAGE = Path(oneiros.__file__).parent
ROOMS = ["", "layers", "losses", "metrics", "models", "optimizers"]
FUNCTIONS = ["ops", "compat.backend"]  # rooms that `publish` the functions of their modules
PLAIN = (bool, int, float, str)
BASES = ("Layer", "Loss", "Metric", "Optimizer")  # their subclasses stay theirs
HEAD = "# Written by tests/typing/make_stubs.py.\n# ruff: noqa\nfrom typing import Any\n"


def hints_of(cls):
    """The annotations of a class and its bases."""
    found = {}
    for base in reversed(cls.__mro__):
        found |= vars(base).get("__annotations__", {})
    return found


def argument(parameter, hint):
    """An argument, with its type as far as that is one of Python's plain types."""
    hint = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint  # Annotated[int, ...] is an int
    kind = hint.__name__ if hint in PLAIN else "Any"
    if kind != "Any" and parameter.default is None:
        kind += " | None"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return f"{parameter}: Any"
    return f"{parameter.name}: {kind}" + ("" if parameter.default is parameter.empty else " = ...")


def constructor(cls):
    hints, fields = hints_of(cls), cls.__fields__
    parts, before = ["self"], None
    for p in inspect.signature(cls).parameters.values():
        if p.kind is p.KEYWORD_ONLY and before not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL):
            parts.append("*")
        before = p.kind
        parts.append(argument(p, hints.get(fields[p.name].attribute if p.name in fields else p.name)))
    return f"    def __init__({', '.join(parts)}) -> None: ..."


def imports(node, module, with_constructors):
    """The lines for what a room imports from within the library: names, and classes with declared fields."""
    origin = "." * node.level + (node.module or "")
    for alias in node.names:
        name = alias.asname or alias.name
        thing = getattr(module, name)
        if name.startswith("_"):
            continue
        if with_constructors and inspect.isclass(thing) and getattr(thing, "__fields__", None) and name not in BASES:
            yield f"from {origin} import {alias.name} as _{name}", f"class {name}(_{name}):\n{constructor(thing)}"
        else:
            yield f"from {origin} import {alias.name} as {name}", ""


def stub(room):
    """The text of a room's stub."""
    module, path = oneiros, PACKAGE
    for part in filter(None, room.split(".")):
        module, path = getattr(module, part), path / part
    lines = []
    for node in ast.walk(ast.parse((path / "__init__.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            lines += imports(node, module, with_constructors=bool(room))
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            lines.append(("", f"def {node.name}(*args: Any, **kwargs: Any) -> Any: ..."))
    lines += [(f"from . import {name} as {name}", "") for name in sorted(getattr(module, "_LAZY", ()))]
    head, classes = ("\n".join(filter(None, part)) for part in zip(*lines))
    return f"{HEAD}{head}\n\n{classes}\n"


def stub_of_functions(room):
    """The text of the stub of a room of functions: their names, and the room's modules."""
    module = importlib.import_module(f"oneiros.{room}")
    public = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
    modules = [name for name, thing in public.items() if inspect.ismodule(thing)]
    lines = [f"from . import {name} as {name}" for name in sorted(modules)]
    lines += [f"{name}: Any" for name in sorted(public.keys() - set(modules))]
    return HEAD + "\n".join(lines) + "\n"


def stubs():
    """The text of each stub, by room."""
    return {room: stub(room) for room in ROOMS} | {room: stub_of_functions(room) for room in FUNCTIONS}


def target(room):
    return PACKAGE.joinpath(*filter(None, room.split(".")), "__init__.pyi")


if __name__ == "__main__":
    for room, text in stubs().items():
        target(room).write_text(text)
