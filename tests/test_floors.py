"""The floors of the design: a module imports from its own floor or from those under it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "oneiros"
# From the ground up. A name is a module or folder of the package.
FLOORS = [
    {"core"},
    {"kernels"},
    {"ops"},
    {
        *("activations", "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"),
        *("preprocessing", "utils", "random", "config", "tree", "mixed_precision", "dtype_policies"),
    },
    {"layers"},
    {"distribution"},
    {"training", "callbacks"},
    {"saving"},
    {"models"},
    {"applications", "datasets", "wrappers", "export"},
    {"compat"},
    {"backend"},
    {"__init__", "cli", "verify", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))


def floor_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """The first name below the package of everything that a file imports from it."""
    package = ("oneiros", *path.relative_to(PACKAGE).with_suffix("").parts)[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            targets = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == "oneiros" and len(target) > 1 and target[1] in LEVEL:
                yield target[1]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    own = floor_of(path)
    assert own in LEVEL, f"{own} stands on no floor: add it to FLOORS"
    for target in imported(path):
        assert LEVEL[target] <= LEVEL[own], f"{path} imports {target} from a floor above its own"


def code_lines(path):
    """Lines that are neither blank, comment nor docstring."""
    text = path.read_text()
    prose = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            prose |= set(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and i not in prose for i, line in lines)


def test_the_package_stays_small():
    assert sum(map(code_lines, FILES)) < 24_820
    sizes = {path: len(path.read_text().splitlines()) for path in FILES}
    assert max(sizes.values()) < 1_000, max(sizes, key=sizes.get)
