"""Nested lists, tuples and dictionaries of users, always in the user's own order.

JAX sorts dictionaries by key wherever it takes a structure apart. So values that belong together by place would be
mixed up between a structure that JAX has handled and one that it has not. Here the entries of dictionaries keep their
order, are matched by key and never by place, and come back in the types that they had. ``None`` is not a leaf: it stays
where it is.
"""

import difflib
from collections import defaultdict
from collections.abc import Mapping

import jax
import numpy as np

from .errors import InputDataError


def is_nested(x) -> bool:
    """Whether this is a list, a tuple or a dictionary."""
    return isinstance(x, (list, tuple, dict))


def keys_of(tree):
    """The keys of a dictionary, or the places in a list or tuple."""
    return list(tree) if isinstance(tree, dict) else range(len(tree))


def values_of(tree) -> list:
    """The values of a dictionary, or the entries of a list or tuple, as a list."""
    return list(tree.values()) if isinstance(tree, dict) else list(tree)


def rebuilt(tree, values):
    """A list, tuple or dictionary like `tree`, with other values.

    Args:
        tree: a list, tuple or dictionary of any type.
        values: as many values as it has, in its order.

    >>> rebuilt({"b": 1, "a": 2}, [3, 4])
    {'b': 3, 'a': 4}
    """
    return _make(_form(tree), values)


def _form(tree):
    """All but the values: hashable, so that JAX can compare it."""
    return (
        type(tree),
        tuple(tree) if isinstance(tree, dict) else None,
        getattr(tree, "default_factory", None) if isinstance(tree, defaultdict) else None,
    )


def _make(form, values):
    cls, keys, factory = form
    if keys is None:
        return cls(*values) if hasattr(cls, "_fields") else cls(values)
    return defaultdict(factory, zip(keys, values)) if factory else cls(zip(keys, values))


def leaves(tree) -> list:
    """Everything in a structure that is neither a container nor ``None``, in the user's order.

    >>> leaves({"b": [1, None], "a": (2,)})
    [1, 2]
    """
    if not is_nested(tree):
        return [] if tree is None else [tree]
    found = []
    _gather(tree, found)
    return found


def _gather(tree, found):
    for value in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(value, (list, tuple, dict)):
            _gather(value, found)
        elif value is not None:
            found.append(value)


def paths(tree) -> list[tuple]:
    """The path to each leaf: a tuple of keys and places.

    >>> paths({"b": [1, 2], "a": 3})
    [('b', 0), ('b', 1), ('a',)]
    """
    if not is_nested(tree):
        return [] if tree is None else [()]
    return [(key, *path) for key, value in zip(keys_of(tree), values_of(tree)) for path in paths(value)]


def map_structure(fn, tree, *others):
    """A structure like `tree` with ``fn(leaf, *leaves of the others)`` in the place of each leaf.

    Args:
        fn: function of one leaf of each structure.
        tree: the structure that decides on the order and the types.
        *others: structures with the same entries. Those of dictionaries are found by key.

    >>> map_structure(lambda a, b: a + b, {"b": "x", "a": "y"}, {"a": "1", "b": "2"})
    {'b': 'x2', 'a': 'y1'}
    """
    if isinstance(tree, (list, tuple, dict)):
        if isinstance(tree, dict):
            values = [map_structure(fn, value, *(o[key] for o in others)) for key, value in tree.items()]
        elif others:
            values = [map_structure(fn, *entries) for entries in zip(tree, *others, strict=True)]
        else:
            values = [map_structure(fn, value) for value in tree]
        cls = type(tree)
        return values if cls is list else tuple(values) if cls is tuple else _make(_form(tree), values)
    return None if tree is None else fn(tree, *others)


def pack(tree, flat):
    """A structure like `tree` with other leaves.

    Args:
        tree: the structure.
        flat: the new leaves, in its order.

    >>> pack({"b": None, "a": [0, 0]}, [1, 2])
    {'b': None, 'a': [1, 2]}
    """
    flat = iter(flat)
    return map_structure(lambda _: next(flat), tree)


# --- through JAX


class _Kept:
    """A container that JAX takes apart and puts together as it is."""

    def __init__(self, form, values):
        self.form, self.values = form, values


jax.tree_util.register_pytree_node(_Kept, lambda kept: (kept.values, kept.form), _Kept)


def keep(tree):
    """The same structure in a form that comes out of JAX's functions as it went in; `unkeep` gives it back."""
    if not isinstance(tree, (list, tuple, dict)):
        return tree
    values = [keep(value) for value in (tree.values() if isinstance(tree, dict) else tree)]
    cls = type(tree)
    return values if cls is list else tuple(values) if cls is tuple else _Kept(_form(tree), values)


def unkeep(tree):
    """What was given to `keep`, with the values that it has now."""
    if type(tree) is _Kept:
        return _make(tree.form, [unkeep(value) for value in tree.values])
    if type(tree) is list:
        return [unkeep(value) for value in tree]
    return tuple([unkeep(value) for value in tree]) if type(tree) is tuple else tree


def in_order_of(example, tree):
    """A structure that JAX has put together, in the order and the types of `example`, which has the same entries."""
    return map_structure(lambda _, value: value, example, tree)


def device_get(tree):
    """`jax.device_get`, all leaves at once, in the user's order."""
    return pack(tree, jax.device_get(leaves(tree)))


def is_shape(x) -> bool:
    """Whether this is a single shape, not a structure of shapes."""
    return isinstance(x, (list, tuple)) and all(d is None or isinstance(d, (int, np.integer)) for d in x)


def map_shapes(fn, shapes):
    """A structure like that of these shapes, with ``fn(shape)`` in the place of each."""
    return fn(shapes) if is_shape(shapes) else rebuilt(shapes, [map_shapes(fn, s) for s in values_of(shapes)])


# --- matching


class Places:
    """The places of a model's inputs or outputs, to which data, losses, metrics and weights belong.

    tree: the structure of inputs or outputs. layers: the names of the layers that they come from, flat. kind: what
    messages call a place.

    >>> places = Places({"zeta": 0, "alpha": 0}, ["dense", "dense_1"])
    >>> places.match({"alpha": 1, "zeta": 2}, "y"), places.match({"dense_1": 1, "dense": 2}, "y")
    ([2, 1], [2, 1])
    >>> places.match([2, 1], "y"), places.match({"alpha": 1}, "loss")
    ([2, 1], [None, 1])
    """

    def __init__(self, tree, layers=None, kind="output"):
        self.tree, self.kind = map_structure(lambda _: 0, tree), kind
        self.paths = paths(tree)
        self.layers = layers or [f"output_{i + 1}" if len(self.paths) > 1 else "output" for i in range(len(self.paths))]
        self.names = [self._name(path, layer) for path, layer in zip(self.paths, self.layers)]

    def __len__(self):
        return len(self.paths)

    @staticmethod
    def _name(path, layer):
        """Keys on the way, with the layer's name for a place in a list: `zeta`, `zeta/dense_1`, `0/alpha`."""
        last = path[-1] if path and isinstance(path[-1], str) else layer
        return "/".join([*map(str, path[:-1]), last])

    def match(self, given, what, partial=True, ignore_unknown=False, spread=True):
        """What `given` has for each place, flat.

        given: a structure like that of the places (dictionaries by key, lists by place), a dictionary by layer, or a
        flat list.
        partial: entries may be missing from dictionaries; ``None`` stands for them. ignore_unknown: keys that are none
        of the places' are left out. spread: what is no structure at all stands for every place.
        """
        if isinstance(given, dict):
            own = isinstance(self.tree, dict) and (set(given) & set(self.tree) or not set(given) & set(self.layers))
            tree = self.tree if own else dict.fromkeys(self.layers, 0)
            return self._match(tree, given, what, partial, ignore_unknown, spread)
        tree = self.tree
        if isinstance(given, (list, tuple)) and len(given) == 1 and not is_nested(tree):
            given = given[0]
        elif isinstance(given, (list, tuple)) and len(given) == len(self) > 1:
            flat = len(tree) != len(given) or not any(map(is_nested, given))
            tree = [0] * len(self) if flat else tree
        return self._match(tree, given, what, partial, ignore_unknown, spread)

    def _match(self, tree, given, what, *options):
        partial, ignore_unknown, spread = options
        if not is_nested(tree):
            return [] if tree is None else [given]
        if isinstance(given, dict) and isinstance(tree, dict):
            unknown = [key for key in given if key not in tree]
            missing = [key for key in tree if key not in given]
            if unknown and not ignore_unknown or missing and not partial:
                raise InputDataError(self._complaint(tree, what, unknown, missing, given))
            parts = [given.get(key) for key in tree]
        elif isinstance(given, (list, tuple)) and len(given) == len(tree):
            parts = given
        elif given is None or (spread and not is_nested(given)):
            parts = [given] * len(tree)
        else:
            entries = f" of {len(given)} entries" if is_nested(given) else ""
            shown = list(given) if isinstance(given, dict) else f"a {type(given).__name__}{entries}"
            raise InputDataError(
                f"{what}: expected {len(tree)} entries, one for each {self.kind}: {pack(self.tree, self.layers)}. "
                f"Received: {shown if is_nested(given) else type(given).__name__}."
            )
        return [entry for sub, part in zip(values_of(tree), parts) for entry in self._match(sub, part, what, *options)]

    def _complaint(self, tree, what, unknown, missing, given):
        expected = list(tree)
        text = (
            f"{what}: no {self.kind} is called {unknown}." if unknown else f"{what}: nothing was given for {missing}."
        )
        near = difflib.get_close_matches(str(unknown[0]), list(map(str, expected)), 1) if unknown else ()
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{text} Expected the names {expected}. Received: {list(given)}.{hint}"


def without(mapping: Mapping, *names: str) -> dict:
    """The entries of a mapping whose keys are none of these.

    >>> without({"a": 1, "b": 2}, "a")
    {'b': 2}
    """
    return {name: value for name, value in mapping.items() if name not in names}
