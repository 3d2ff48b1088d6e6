"""The rules of the house, as numbers that may fall and not rise. ``python tests/test_house.py`` prints today's."""

import ast
import functools
import inspect
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "oneiros"
TESTS = Path(__file__).parent
LACKING = Path(__file__).with_name("undocumented.txt")
TYPING = Path(__file__).with_name("typing")
UNUSED = Path(__file__).with_name("unused_names.txt")

# How many exceptions to each rule are left. A rule at 0 holds without exception.
LIMITS = {
    "classes over 300 lines": 0,
    "functions over 60 lines": 0,
    "files over 600 lines": 0,
    "private names of other modules": 0,
    "imports of the library inside functions": 0,
    "tests of the generation outside compat": 0,
    "public functions without types": 154,
}
# Lines of code of each room, without blanks, comments and docstrings.
BUDGETS = {
    "__init__": 80,
    "__main__": 10,
    "activations": 110,
    "applications": 1900,
    "backend": 10,
    "callbacks": 30,
    "cli": 240,
    "compat": 4900,
    "config": 40,
    "constraints": 70,
    "core": 2600,
    "datasets": 360,
    "distillation": 250,
    "distribution": 180,
    "dtype_policies": 110,
    "export": 40,
    "initializers": 240,
    "kernels": 900,
    "layers": 7750,
    "losses": 630,
    "metrics": 1000,
    "mixed_precision": 10,
    "models": 1650,
    "ops": 1790,
    "optimizers": 1270,
    "preprocessing": 1650,
    "quantizers": 700,
    "random": 20,
    "regularizers": 70,
    "saving": 2420,
    "training": 4000,
    "tree": 130,
    "utils": 1870,
    "verify": 110,
    "visualization": 270,
    "wrappers": 250,
}

# Names with an underscore that are nevertheless public.
PUBLIC_UNDERSCORES = {
    *("_replace", "_asdict", "_fields", "_make"),  # named tuples
    *("_getframe", "_exit", "_run_module_as_main"),  # sys, os, runpy
}


@functools.cache
def trees():
    return {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def name_of(path, node):
    return f"{path.relative_to(PACKAGE)}:{node.lineno}"


def docstring_lines(tree):
    """The numbers of the lines that docstrings take."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            found |= set(range(first.lineno, first.end_lineno + 1))
    return found


def code_lines(path, tree):
    """Lines that are neither blank, comment nor docstring."""
    prose = docstring_lines(tree)
    lines = enumerate(path.read_text().splitlines(), 1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and i not in prose for i, line in lines)


def code_by_room():
    found = Counter()
    for path, tree in trees().items():
        found[room_of(path)] += code_lines(path, tree)
    return dict(found)


def long_ones(kinds, limit):
    """Classes or functions with more lines than that, without those of docstrings."""
    return [
        f"{name_of(path, node)} {node.name}: {size}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, kinds) and (size := node.end_lineno - node.lineno + 1 - len(docstring_lines(node))) > limit
    ]


def long_files(limit):
    """Files with more lines than that, without those of docstrings."""
    sizes = {
        path.relative_to(PACKAGE): len(path.read_text().splitlines()) - len(docstring_lines(tree))
        for path, tree in trees().items()
    }
    return [f"{path}: {size}" for path, size in sizes.items() if size > limit]


def is_own_import(node):
    if isinstance(node, ast.ImportFrom):
        return bool(node.level) or (node.module or "").split(".")[0] == "oneiros"
    return isinstance(node, ast.Import) and any(a.name.split(".")[0] == "oneiros" for a in node.names)


def imports_inside_functions():
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {
        name_of(path, node)
        for path, tree in trees().items()
        for function in ast.walk(tree)
        if isinstance(function, functions)
        for node in ast.walk(function)
        if is_own_import(node)
    }
    return sorted(found)


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name != "_" and name not in PUBLIC_UNDERSCORES


def defined_names(tree):
    """What a module itself defines, sets or declares."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def is_self(node):
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_access():
    """``from .m import _name``, and ``x._name`` where the module does not define ``_name``."""
    found = []
    for path, tree in trees().items():
        own = set(defined_names(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and is_own_import(node):
                found += [f"{name_of(path, node)} import {a.name}" for a in node.names if is_private(a.name)]
            elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
                found += [] if is_self(node.value) else [f"{name_of(path, node)} .{node.attr}"]
    return found


def public_functions(tree):
    """Functions and methods that have no private name, in classes that have none, and constructors."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
            not node.name.startswith("_") or node.name == "__init__"
        ):
            yield node


def lacks_types(function):
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    bare = any(a.annotation is None and a.arg not in ("self", "cls") for a in arguments)
    return bare or (function.returns is None and function.name != "__init__")


def functions_without_types():
    return [
        f"{name_of(path, node)} {node.name}"
        for path, tree in trees().items()
        for node in public_functions(tree)
        if lacks_types(node)
    ]


def generation_tests():
    return [
        name_of(path, node)
        for path, tree in trees().items()
        if room_of(path) not in ("compat", "cli")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "generation" and isinstance(node.ctx, ast.Load)
    ]


RULES = {
    "classes over 300 lines": lambda: long_ones(ast.ClassDef, 300),
    "functions over 60 lines": lambda: long_ones((ast.FunctionDef, ast.AsyncFunctionDef), 60),
    "files over 600 lines": lambda: long_files(600),
    "private names of other modules": private_access,
    "imports of the library inside functions": imports_inside_functions,
    "tests of the generation outside compat": generation_tests,
    "public functions without types": functions_without_types,
}


@pytest.mark.parametrize("rule", RULES)
def test_exceptions_to_a_rule_do_not_grow(rule):
    found = RULES[rule]()
    assert len(found) <= LIMITS[rule], f"{rule}: {len(found)}, at most {LIMITS[rule]}:\n" + "\n".join(found)


def test_rooms_keep_to_their_budgets():
    sizes = code_by_room()
    assert not set(sizes) - set(BUDGETS), "give each room a budget"
    over = {
        room: f"{size} lines of code, at most {BUDGETS[room]}" for room, size in sizes.items() if size > BUDGETS[room]
    }
    assert not over, over


def test_imports_point_downwards():
    """The floors are in pyproject.toml; a room imports from the floors below its own."""
    from importlinter.cli import lint_imports

    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True) == 0


def test_no_code_is_dead():
    """A name that only its definition has is one that Keras has too, or is listed with a reason."""
    from vulture import Vulture

    words = Counter(word for path in trees() for word in re.findall(r"\w+", path.read_text()))
    lists = [*(ROOT / "tests/compat/api").iterdir(), UNUSED]
    known = {word for path in lists for word in re.findall(r"\w+", path.read_text())}
    vulture = Vulture(ignore_decorators=["@define"])
    vulture.scavenge([str(PACKAGE)])
    dead = [
        f"{thing.filename}:{thing.first_lineno} {thing.name}"
        for thing in vulture.get_unused_code(min_confidence=60)
        if words[thing.name] <= 1 and thing.name not in known and not thing.name.startswith("__")
    ]
    assert not dead, dead


# Libraries that take long to import. A test that needs one imports it inside, or has it as a `LazyModule`.
HEAVY = ("keras", "matplotlib", "scipy.stats", "sklearn", "tensorflow", "tf_keras", "torch")


def imported_at_the_top(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_collecting_the_tests_imports_nothing_heavy():
    found = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for name in imported_at_the_top(path)
        if any(name == heavy or name.startswith(heavy + ".") for heavy in HEAVY)
    ]
    assert not found, found


# --- types


def test_stubs_say_what_the_constructors_take():
    made = runpy.run_path(str(TYPING / "make_stubs.py"))
    for room, text in made["stubs"]().items():
        assert made["target"](room).read_text() == text, "run python tests/typing/make_stubs.py"


def test_types_of_a_users_program():
    """Pyright finds nothing in a program like those that users write."""
    command = [sys.executable, "-m", "basedpyright", "-p", TYPING, "--pythonpath", sys.executable]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


# --- documentation


def public_things():
    """Classes and functions that a user finds: the path under which they are imported, and the thing."""
    import oneiros

    rooms = (
        "layers losses metrics optimizers optimizers.schedules callbacks initializers regularizers constraints models"
    )
    rooms += (
        " activations utils saving preprocessing.image preprocessing.text preprocessing.sequence random ops datasets"
    )
    rooms += " config dtype_policies mixed_precision quantizers wrappers applications backend"
    seen = {}
    for room in ["", *rooms.split()]:
        module = functools.reduce(getattr, room.split(".") if room else [], oneiros)
        for name in dir(module):
            thing = getattr(module, name)
            if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            if (getattr(thing, "__module__", None) or "").startswith("oneiros"):
                seen.setdefault(id(thing), (f"{room}.{name}".lstrip("."), thing))
    return list(seen.values())


def arguments_of(thing):
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "self"]


def lacking():
    """What public classes and functions still lack, one string for each."""
    found = []
    for path, thing in public_things():
        text = inspect.cleandoc(thing.__doc__ or "")
        is_error = inspect.isclass(thing) and issubclass(thing, BaseException)
        if not text.splitlines() or text.splitlines()[0].rstrip()[-1:] not in (".", ":", "?", "!"):
            found.append(f"{path}: a summary of one line")
        if arguments_of(thing) and "Args:" not in text and not is_error:
            found.append(f"{path}: arguments")
        if inspect.isclass(thing) and ">>>" not in text and not is_error:
            found.append(f"{path}: an example")
        for field in getattr(thing, "__fields__", {}).values():
            if not field.doc:
                found.append(f"{path}: field {field.name}")
    return sorted(found)


def test_what_is_public_is_documented():
    new = set(lacking()) - set(LACKING.read_text().splitlines())
    assert not new, "write in the docstring:\n" + "\n".join(sorted(new))


if __name__ == "__main__":
    for rule, find in RULES.items():
        found = find()
        print(f"{len(found):5} {rule}", *found, sep="\n        ")
    print(*(f'    "{room}": {size},' for room, size in sorted(code_by_room().items())), sep="\n")
    print("total", sum(code_by_room().values()))
    if "--write" in sys.argv:  # the list of what is to be documented
        LACKING.write_text("".join(line + "\n" for line in lacking()))
