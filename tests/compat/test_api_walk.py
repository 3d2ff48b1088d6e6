"""Every public name of Keras 1.2.2 and 2.1.4 is here and takes its arguments, or is listed as left out.

The names and signatures are in api/*.json; what is left out, and why, in docs/compatibility.md.
"""

import ast
import fnmatch
import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

from oneiros import compat

HERE = Path(__file__).parent
APIS = {g: json.loads((HERE / "api" / f"keras_{v}.json").read_text()) for g, v in (("1", "1.2.2"), ("2", "2.1.4"))}
DOCUMENT = HERE.parents[1] / "docs" / "compatibility.md"
# where the names of a section of the files live
HOMES = {
    ("1", "initializers"): "keras.initializations",
    ("1", "losses"): "keras.objectives",
    ("2", "distribution"): "keras.utils",
}
NOT_NAMES = ("modules", "string_ids", "model_methods", "base_class_methods")
CLASS_HOMES = ("models", "layers", "callbacks", "constraints", "initializers", "regularizers", "optimizers", "utils",
               "preprocessing.image", "preprocessing.text", "wrappers.scikit_learn", "engine.topology")  # fmt: skip


def left_out():
    """The names in the last table of docs/compatibility.md."""
    table = DOCUMENT.read_text().partition("## Names of Keras 1.2.2 and 2.1.4")[2]
    rows = re.findall(r"^\| `([^|]*)` \|", table, re.MULTILINE)
    return {name for row in rows for name in row.split("`, `")}


class _Patterns(set):
    def __contains__(self, name):
        return super().__contains__(name) or any(fnmatch.fnmatch(name, p) for p in self if "*" in p)


LEFT_OUT = _Patterns(left_out())
# Users write these, and the library calls them by position: what their arguments are called is the user's choice.
CALLED_BY_POSITION = ("call", "compute_mask", "step", "get_constants", "preprocess_input")
INSTANCE_ATTRIBUTES = ("built", "states")


@pytest.fixture(autouse=True)
def installed(request):
    compat.install(request.getfixturevalue("generation"))
    yield
    compat.uninstall()


def names(generation):
    for section, entries in APIS[generation].items():
        if section not in NOT_NAMES:
            home = HOMES.get((generation, section), f"keras.{section}")
            for name, signature in entries.items():
                module, _, short = name.rpartition(".")
                yield ".".join(filter(None, (home, module))), short, signature


def argument_names(signature):
    try:
        arguments = ast.parse(f"def f{re.sub('<[^>]*>', 'None', signature)}: pass").body[0].args
    except SyntaxError:
        return []
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def refused(thing, signature):
    """The arguments of an old signature that a class or function does not take."""
    function = thing.__init__ if inspect.isclass(thing) else thing
    rules = getattr(function, "adapted_rules", None)
    wanted = argument_names(signature)
    if rules is not None:
        return [n for n in wanted if n not in rules.accepted()]
    try:
        parameters = inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return []
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    return [n for n in wanted if n not in parameters]


@pytest.mark.parametrize("generation", APIS)
def test_module_paths(generation):
    missing = []
    for path in APIS[generation]["modules"]:
        if path in LEFT_OUT:
            continue
        try:
            importlib.import_module(path)
        except ImportError as error:
            missing.append(f"{path}: {error}")
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("generation", APIS)
def test_names(generation):
    problems = []
    for module, name, signature in names(generation):
        if f"{module}.{name}" in LEFT_OUT:
            continue
        try:
            thing = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            problems.append(f"{module}.{name}: {error}")
            continue
        if callable(thing):
            unknown = [n for n in refused(thing, signature) if f"{module}.{name}({n})" not in LEFT_OUT]
            problems += [f"{module}.{name}({n}): not taken" for n in unknown]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("generation", APIS)
@pytest.mark.parametrize("section", ["model_methods", "base_class_methods"])
def test_methods(generation, section):
    problems = []
    for name, signature in APIS[generation][section].items():
        if f"keras.{name}" in LEFT_OUT:
            continue
        cls, _, method = name.partition(".")
        owner = next(filter(None, (_find(f"keras.{home}", cls) for home in CLASS_HOMES)), None)
        if owner is None or not (hasattr(owner, method) or method in INSTANCE_ATTRIBUTES):
            problems.append(f"keras.{name} is missing")
        elif signature != "property" and method not in CALLED_BY_POSITION:
            unknown = [n for n in refused(getattr(owner, method), signature) if f"keras.{name}({n})" not in LEFT_OUT]
            problems += [f"keras.{name}({n}): not taken" for n in unknown]
    assert not problems, "\n".join(problems)


def _find(module, name):
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


@pytest.mark.parametrize("generation", APIS)
def test_string_identifiers(generation):
    problems = []
    for identifier in APIS[generation]["string_ids"]:
        kind, name = identifier.split(":")
        if f"{kind}:{name}" in LEFT_OUT:
            continue
        module = importlib.import_module(f"keras.{kind}")
        try:
            module.get(name)
        except Exception as error:
            problems.append(f"{identifier}: {error}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("generation", APIS)
def test_the_list_of_what_is_left_out_is_true(generation):
    """No name is called missing that is there."""
    there = [
        f"{module}.{name}"
        for module, name, signature in names(generation)
        if f"{module}.{name}" in LEFT_OUT
        and (thing := _find(module, name)) is not None
        and not refused(thing, signature)
    ]
    assert not there, there
