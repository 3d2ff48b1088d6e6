"""Every public name of Keras 1.2.2 and 2.1.4 is here and takes its arguments, or is listed as left out.

The names and signatures are in api/*.json; what is left out, and why, in docs/compatibility.md.
"""

import ast
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
    """The names in the table of docs/compatibility.md."""
    rows = re.findall(r"^\| `([^|]*)` \|", DOCUMENT.read_text(), re.MULTILINE)
    return {name for row in rows for name in row.split("`, `")}


LEFT_OUT = left_out()


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
        accepted = rules.accepted()
        return [] if accepted is None else [n for n in wanted if n not in accepted]
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
        if callable(thing) and (unknown := refused(thing, signature)):
            problems.append(f"{module}.{name}: does not take {', '.join(unknown)}")
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
        if owner is None or not hasattr(owner, method):
            problems.append(f"keras.{name} is missing")
        elif signature != "property" and (unknown := refused(getattr(owner, method), signature)):
            problems.append(f"keras.{name}: does not take {', '.join(unknown)}")
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


def test_the_list_of_what_is_left_out_is_true():
    """No name is called missing that is there."""
    there = []
    for generation in APIS:
        compat.install(generation)
        for module, name, signature in names(generation):
            if f"{module}.{name}" in LEFT_OUT:
                thing = _find(module, name)
                if thing is not None and not refused(thing, signature) and not _refuses(thing):
                    there.append(f"{module}.{name}")
    assert not there, there


def _refuses(thing):
    return "Refuses" in (thing.__doc__ or "")


test_the_list_of_what_is_left_out_is_true = pytest.mark.parametrize("generation", ["2"])(
    lambda generation, check=test_the_list_of_what_is_left_out_is_true: check()
)
