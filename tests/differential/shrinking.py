"""Makes a program that shows a finding as short as it gets, by trying what can be left out."""

import ast
import copy

from .comparing import examine
from .programs import PRELUDE


def shrink(pair, source, finding, attempts=150):
    """The shortest program found that still shows the finding, and the finding that it shows."""
    state = _State(pair, finding, attempts)
    tree = ast.parse(source)
    while True:
        tree = _without_aliases(tree)
        before = ast.unparse(tree)
        tree = _fewer_statements(tree, state)
        tree = _smaller_expressions(tree, state)
        if ast.unparse(tree) == before or state.attempts <= 0:
            return before if state.attempts > 0 else ast.unparse(tree), state.finding


class _State:
    def __init__(self, pair, finding, attempts):
        self.pair, self.finding, self.attempts, self.tried = pair, finding, attempts, set()
        self.key = _loose(finding)

    def still(self, tree):
        """Whether this program shows the same finding."""
        try:
            source = ast.unparse(ast.fix_missing_locations(tree))
            ast.parse(source)
        except Exception:
            return False
        if source in self.tried or self.attempts <= 0:
            return False
        self.tried.add(source)
        self.attempts -= 1
        finding = examine(self.pair, PRELUDE + source)
        if finding is None or finding.reason or _loose(finding) != self.key:
            return False
        self.finding = finding
        return True


def _loose(finding):
    return finding.kind if finding.kind in ("values", "structure") else finding.key


def _fewer_statements(tree, state):
    """Leaves out runs of statements, long ones first."""
    size = max(1, len(tree.body) // 2)
    while size:
        start = len(tree.body) - size
        while start > -size:
            low = max(0, start)
            candidate = copy.deepcopy(tree)
            del candidate.body[low : start + size]
            if candidate.body and state.still(candidate):
                tree = candidate
            start -= size
        size //= 2
    return tree


def _without_aliases(tree):
    """`b = a`, which is left of `b = layer(a)`, is put in for every `b`."""
    for statement in list(tree.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)):
                stores = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
                if sum(node.id == name for node in stores) == 1 and sum(node.id == other for node in stores) == 1:
                    tree.body.remove(statement)
                    for node in ast.walk(tree):
                        if isinstance(node, ast.Name) and node.id == name:
                            node.id = other
    return tree


def _smaller_expressions(tree, state):
    """Leaves out arguments, parts of lists and dictionaries, layers, and statements inside functions, one by one."""
    index = 0
    while True:
        candidate = copy.deepcopy(tree)
        edits = list(_edits(candidate))
        if index >= len(edits) or state.attempts <= 0:
            return tree
        edits[index]()
        if state.still(candidate):
            tree = candidate
        else:
            index += 1


def _edits(tree):
    """Each way to make the tree a little smaller, as a function that does it in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("shuffle", "verbose"):
                    continue  # random order differs between libraries
                yield lambda node=node, keyword=keyword: node.keywords.remove(keyword)
        if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) > 1:
            for part in node.elts:
                yield lambda node=node, part=part: node.elts.remove(part)
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            for place in range(len(node.keys)):
                yield lambda node=node, place=place: (node.keys.pop(place), node.values.pop(place))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and len(node.body) > 1:
            for part in node.body:
                yield lambda node=node, part=part: node.body.remove(part)
        for field, value in ast.iter_fields(node):
            for smaller in _smaller(value):
                yield lambda node=node, field=field, smaller=smaller: setattr(node, field, smaller)


def _smaller(value):
    if isinstance(value, ast.Call):
        if isinstance(value.func, ast.Call) and len(value.args) == 1:  # Layer(...)(x): x, or the first of [x, y]
            (argument,) = value.args
            yield argument.elts[0] if isinstance(argument, (ast.List, ast.Tuple)) and argument.elts else argument
        elif len(value.args) == 1 and isinstance(value.args[0], ast.Call):  # Bidirectional(LSTM(4)): LSTM(4)
            yield value.args[0]
    if isinstance(value, ast.BinOp):
        yield value.left
        yield value.right
    if isinstance(value, (ast.List, ast.Tuple)) and len(value.elts) == 1:
        yield value.elts[0]
