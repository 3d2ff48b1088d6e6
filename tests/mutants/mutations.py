"""Draws changes of one line: each is a place in a file, the text there, and the text in its stead."""

import ast
import dataclasses
import functools
import itertools
import random
from pathlib import Path

COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
OPERATORS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.MatMult: "*",
}
# What an error says, how an object prints, and types, are no behaviour that numbers can show.
SKIPPED = (ast.Raise, ast.AnnAssign, ast.Assert)
SKIPPED_FUNCTIONS = {"__repr__", "__str__", "__dir__"}


@dataclasses.dataclass(frozen=True)
class Mutation:
    path: str
    line: int
    start: int
    end: int
    new: str

    def apply(self, text):
        """The text of the file after the change. Offsets count bytes, as those of `ast`."""
        lines = text.splitlines(keepends=True)
        raw = lines[self.line - 1].encode()
        lines[self.line - 1] = (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()
        return "".join(lines)

    def key(self, text):
        """What stays the same when lines are added above."""
        old, new = (t.splitlines()[self.line - 1].strip() for t in (text, self.apply(text)))
        return self.path, old, new

    def diff(self, text):
        _, old, new = self.key(text)
        return f"{self.path}:{self.line}\n  - {old}\n  + {new}"


@functools.lru_cache(4)
def _lines(text):
    return [line.encode() for line in text.splitlines()]


def _segment(node, text):
    """The source of a node on one line. `ast.get_source_segment` splits the whole text at each call."""
    return _lines(text)[node.lineno - 1][node.col_offset : node.end_col_offset].decode()


def _changes(node, text):
    """Pairs of a node and the source that replaces it."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        left, right = _segment(node.left, text), _segment(node.comparators[0], text)
        yield node, f"{left} {COMPARISONS[type(node.ops[0])]} {right}"
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield node, f"{_segment(node.left, text)} {OPERATORS[type(node.op)]} {_segment(node.right, text)}"
    elif isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        yield node, "(" + word.join(_segment(value, text) for value in node.values) + ")"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, f"({_segment(node.operand, text)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield node, f"{node.value + 1!r}"
    elif isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        first, second = node.args[:2]
        if first.end_lineno == second.lineno:
            parts = [_segment(node.func, text), "(", _segment(second, text), ", ", _segment(first, text)]
            whole, start = _segment(node, text), node.col_offset
            yield node, "".join(parts) + whole.encode()[second.end_col_offset - start :].decode()
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield node.test, f"not ({_segment(node.test, text)})"
    elif _is_effect(node):
        yield node, "pass"


def _is_effect(node):
    """Whether a statement can go without a name becoming undefined."""
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    return isinstance(node, ast.AugAssign) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def mutations(root, path):
    """All changes of the functions of a file."""
    text = (Path(root) / path).read_text()

    def visit(node, inside):
        if isinstance(node, SKIPPED) or getattr(node, "name", None) in SKIPPED_FUNCTIONS:
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "typing.TYPE_CHECKING":
            return
        one_line = inside and getattr(node, "lineno", 0) == getattr(node, "end_lineno", 1)
        if one_line or isinstance(node, (ast.If, ast.While)):
            for target, new in _changes(node, text):
                if target.lineno == target.end_lineno:
                    yield Mutation(path, target.lineno, target.col_offset, target.end_col_offset, new)
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for field, value in ast.iter_fields(node):
            if field in ("decorator_list", "args", "returns") and function:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from visit(child, inside or function)

    return list(visit(ast.parse(text), False))


def is_python(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def draw(root, rooms, count, seed=0):
    """As many changes as asked for, spread over the rooms as their code is."""
    paths = [p.relative_to(root).as_posix() for room in rooms for p in sorted((Path(root) / room).rglob("*.py"))]
    found = [mutation for path in paths for mutation in mutations(root, path)]
    random.Random(seed).shuffle(found)
    valid = (mutation for mutation in found if is_python(mutation.apply((Path(root) / mutation.path).read_text())))
    return list(itertools.islice(valid, count))
