"""Nested structures as Keras 3's `keras.tree` handles them.

Lists, tuples, named tuples, deques and dictionaries are containers, everything else is a leaf, ``None`` included.
Leaves are ordered by position, and in a ``dict`` or ``defaultdict`` by sorted key, as in JAX; an ``OrderedDict`` keeps
its own order. Subclasses of ``dict`` and ``list`` are leaves.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

__all__ = [
    *("MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested"),
    *("lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse"),
]


class MAP_TO_NONE:
    """What the function of `traverse` returns for an entry that shall become ``None``.

    >>> traverse(lambda x: MAP_TO_NONE if x == 1 else None, [1, 2])
    [None, 2]
    """


def is_nested(structure: Any) -> bool:
    """Whether this is a container: a list, tuple, named tuple, deque or dictionary.

    >>> is_nested([1]), is_nested({}), is_nested("a")
    (True, True, False)
    """
    return type(structure) in _CONTAINERS or _is_named_tuple(structure)


def flatten(structure: Any) -> list:
    """The leaves of a structure, in order.

    >>> flatten({"b": [1, None], "a": 2})
    [2, 1, None]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """The leaves with their paths.

    Returns:
        Pairs of a path, which is a tuple of keys and positions, and a leaf.

    >>> flatten_with_path({"a": [1, 2]})
    [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, value in _entries(structure).items() for path, leaf in flatten_with_path(value)
    ]


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure of the same form with the results of a function for leaves.

    Args:
        func: function of one leaf of each structure.
        *structures: one or more structures of the same form.
        none_is_leaf: whether the function is called for ``None`` too, which otherwise stays ``None``.

    Raises:
        TypeError: `func` cannot be called.
        ValueError: no structure is given, or their forms differ.

    >>> map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
    {'x': [11, 22]}
    """
    _check(func, structures)

    def on_leaves(*leaves):
        if none_is_leaf or all(leaf is not None for leaf in leaves):
            return func(*leaves)
        if any(leaf is not None for leaf in leaves):
            raise ValueError(
                f"Structures don't have the same nested structure: None in one is a value in another: {leaves}."
            )
        return None

    return _map(on_leaves, structures, deep=True)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like `map_structure`, but no deeper than a given structure.

    Args:
        shallow_structure: its leaves are where the function is called.
        func: function of one part of each of the other structures.
        *structures: structures that begin with the form of the shallow one.

    Raises:
        TypeError: `func` cannot be called.
        ValueError: no structure is given, or one has not the form of the shallow one.

    >>> map_structure_up_to({"a": 0, "b": 0}, len, {"a": [1, 2], "b": (3,)})
    {'a': 2, 'b': 1}
    """
    _check(func, structures)
    return _map(lambda _, *parts: func(*parts), (shallow_structure, *structures), deep=False)


def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """A structure of the same form with other leaves.

    Args:
        structure: the form.
        flat_sequence: as many leaves as it has, in the order of `flatten`.

    Raises:
        TypeError: `flat_sequence` is not iterable.
        ValueError: there are too few or too many leaves.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    leaves, expected = list(flat_sequence), len(flatten(structure))
    if len(leaves) != expected:
        few = "few" if len(leaves) < expected else "many"
        raise ValueError(f"Too {few} leaves: the structure has {expected}, and {len(leaves)} were given.")
    leaves = iter(leaves)
    return _map(lambda _: next(leaves), (structure,), deep=True)


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """A structure whose parts, containers included, are replaced by what a function returns for them.

    Args:
        func: function of a part. ``None`` keeps the part, `MAP_TO_NONE` makes it ``None``.
        structure: the structure.
        top_down: whether a container comes before its entries. Then the entries of a replaced one are not visited.

    Raises:
        TypeError: `func` cannot be called.

    >>> traverse(lambda x: tuple(x) if isinstance(x, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """
    _check(func, (structure,))

    def visit(part):
        result = func(part)
        return part if result is None else None if _maps_to_none(result) else result

    def walk(part):
        if top_down and (result := func(part)) is not None:
            return None if _maps_to_none(result) else result
        if is_nested(part):
            part = _rebuilt(part, {key: walk(value) for key, value in _entries(part).items()})
        return part if top_down else visit(part)

    return walk(structure)


def lists_to_tuples(structure: Any) -> Any:
    """The same structure with tuples for its lists.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """Like `map_structure`, with shapes, which are lists or tuples of sizes and ``None``, for leaves.

    Raises:
        TypeError: `func` cannot be called.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,), (3, 4)]})
    {'a': 2, 'b': [1, 2]}
    """
    _check(func, (structure,))

    def walk(part):
        if isinstance(part, (list, tuple)) and all(size is None or isinstance(size, int) for size in part):
            return func(part)
        if not is_nested(part):
            raise ValueError(f"Expected a structure of shapes. Received: {part!r}.")
        return _rebuilt(part, {key: walk(value) for key, value in _entries(part).items()})

    return walk(structure)


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Checks that two structures have the same form.

    Args:
        a, b: the structures.
        check_types: has no meaning any more. Types of containers always count.

    Raises:
        ValueError: their forms differ.

    >>> assert_same_structure([1, (2, 3)], [4, (5, 6)])
    """
    _map(lambda *leaves: None, (a, b), deep=True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Checks that two structures have leaves at the same paths. The types of containers do not count.

    Raises:
        ValueError: their paths differ.

    >>> assert_same_paths([1, 2], (3, 4))
    """
    in_a, in_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if in_a != in_b:
        raise ValueError(
            "`a` and `b` don't have the same paths.\n"
            f"Paths in `a` missing in `b`:\n{in_a - in_b}\nPaths in `b` missing in `a`:\n{in_b - in_a}"
        )


_CONTAINERS = {list, tuple, dict, OrderedDict, defaultdict, deque}


def _is_named_tuple(structure):
    return isinstance(structure, tuple) and hasattr(structure, "_fields")


def _maps_to_none(result):
    return result is MAP_TO_NONE or isinstance(result, MAP_TO_NONE)


def _entries(container):
    """The entries by key or position, in the order of `flatten`."""
    if not isinstance(container, dict):
        return dict(enumerate(container))
    if isinstance(container, OrderedDict):
        return dict(container)
    try:
        return dict(sorted(container.items(), key=lambda entry: entry[0]))
    except TypeError:  # keys of several types: those of one type in a row, as JAX does
        return dict(sorted(container.items(), key=lambda entry: (type(entry[0]).__qualname__, entry[0])))


def _rebuilt(container, entries):
    """A container of the same type, with its keys in their order."""
    if isinstance(container, dict):
        pairs = ((key, entries[key]) for key in container)
        if isinstance(container, defaultdict):
            return defaultdict(container.default_factory, pairs)
        return type(container)(pairs)
    if _is_named_tuple(container):
        return type(container)(*entries.values())
    if isinstance(container, deque):
        return deque(entries.values(), container.maxlen)
    return type(container)(entries.values())


def _map(func, structures, deep):
    first, *others = structures
    if not is_nested(first):
        if deep and (container := next(filter(is_nested, others), None)) is not None:
            raise ValueError(f"Expected a leaf, got {container!r}.")
        return func(first, *others)
    for other in others:
        _check_same_form(first, other)
    entries = _entries(first)
    # Ordinary and ordered dictionaries match by key, whatever their order.
    parts = [_entries(other) for other in others]
    return _rebuilt(
        first, {key: _map(func, (entry, *(part[key] for part in parts)), deep) for key, entry in entries.items()}
    )


def _check_same_form(a, b):
    if isinstance(a, dict) and is_nested(b) and isinstance(b, dict):
        if a.keys() != b.keys():
            missing, extra = (sorted(map(repr, keys)) for keys in (a.keys() - b.keys(), b.keys() - a.keys()))
            raise ValueError(f"Expected the keys {list(a)}: missing {missing}, unexpected {extra}.")
    elif type(a) is not type(b):
        raise ValueError(f"Expected an instance of {type(a).__name__}, got {b!r}.")
    elif len(a) != len(b):
        raise ValueError(f"Expected {len(a)} entries in a {type(a).__name__}, got {len(b)}: {b!r}.")


def _check(func, structures):
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: {func!r}.")
    if not structures:
        raise ValueError("Must provide at least one structure.")
