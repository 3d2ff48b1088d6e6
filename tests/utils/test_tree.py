"""The expected values are those that Keras 3.15 gives."""

import collections

import pytest

from oneiros import tree

Point = collections.namedtuple("Point", "y x")


class Special(dict):
    pass


STRUCTURE = {"b": [1, None], "a": (2, Point(3, 4)), "c": collections.OrderedDict([("z", 5), ("y", 6)])}


def test_leaves_come_sorted_by_key_but_those_of_ordered_dictionaries():
    assert tree.flatten(STRUCTURE) == [2, 3, 4, 1, None, 5, 6]
    paths = [("a", 0), ("a", 1, 0), ("a", 1, 1), ("b", 0), ("b", 1), ("c", "z"), ("c", "y")]
    assert [path for path, _ in tree.flatten_with_path(STRUCTURE)] == paths
    assert tree.flatten({1: 1, "a": 2}) == [1, 2]
    assert tree.flatten(None) == [None]
    assert tree.flatten(collections.deque([1])) == [1]


def test_subclasses_are_leaves():
    special = Special(b=1)
    assert tree.flatten(special) == [special]
    assert tree.is_nested(Point(1, 2)) and tree.is_nested(collections.defaultdict(list))
    assert not tree.is_nested(special) and not tree.is_nested("a")


def test_map_structure_keeps_types_and_the_order_of_keys():
    result = tree.map_structure(lambda x: (x,), STRUCTURE)
    assert list(result) == ["b", "a", "c"] and result["a"] == ((2,), Point((3,), (4,)))
    assert type(result["c"]) is collections.OrderedDict and list(result["c"]) == ["z", "y"]
    assert tree.map_structure(lambda *x: x, {"b": 1, "a": 2}, {"a": 3, "b": 4}) == {"b": (1, 4), "a": (2, 3)}
    ordered = collections.OrderedDict(a=1)
    assert tree.map_structure(lambda *x: x, {"a": 0}, ordered) == {"a": (0, 1)}


def test_none_is_a_leaf_unless_it_is_said_not_to_be():
    assert tree.map_structure(lambda *x: x, [1, None], [1, 2]) == [(1, 1), (None, 2)]
    assert tree.map_structure(lambda x: x + 1, [1, None], none_is_leaf=False) == [2, None]
    with pytest.raises(ValueError, match="None"):
        tree.map_structure(lambda *x: x, [1, None], [None, None], none_is_leaf=False)


@pytest.mark.parametrize(
    "b, message",
    [
        ([1], "2 entries"),
        ((1, [2]), "instance of list"),
        ([1, 2], "instance of list"),
        ([[1], [2]], "a leaf"),
    ],
)
def test_forms_that_differ(b, message):
    with pytest.raises(ValueError, match=message):
        tree.assert_same_structure([1, [2]], b)
    with pytest.raises(ValueError, match=message):
        tree.map_structure(lambda *x: x, [1, [2]], b)


def test_keys_that_differ():
    with pytest.raises(ValueError, match="missing"):
        tree.assert_same_structure({"a": 1}, {"b": 1})
    tree.assert_same_structure({"a": 1}, collections.OrderedDict(a=1))


def test_paths_count_without_types():
    tree.assert_same_paths([1, 2], (1, 2))
    tree.assert_same_paths([[], 1], ((), 1))
    for other in ({"a": 1}, [1, [2]], [1]):
        with pytest.raises(ValueError, match="same paths"):
            tree.assert_same_paths([1, 2], other)


def test_traverse():
    seen = []
    tree.traverse(seen.append, [1, (2, 3)], top_down=False)
    assert seen == [1, 2, 3, (2, 3), [1, (2, 3)]]
    seen.clear()
    tree.traverse(seen.append, [1, (2, 3)])
    assert seen == [[1, (2, 3)], 1, (2, 3), 2, 3]

    def change(part):
        return tree.MAP_TO_NONE if part == 1 else 99 if isinstance(part, tuple) else None

    assert tree.traverse(change, {"b": [1, 5], "a": (2, 3)}) == {"b": [None, 5], "a": 99}
    assert tree.traverse(change, (1, (2,)), top_down=False) == 99


def test_pack_and_map_up_to():
    assert tree.pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3]) == {"b": 3, "a": [1, 2]}
    assert tree.pack_sequence_as(0, [1]) == 1
    for wrong in ([1], [1, 2, 3]):
        with pytest.raises(ValueError, match="leaves"):
            tree.pack_sequence_as([0, 0], wrong)
    with pytest.raises(TypeError):
        tree.pack_sequence_as([0], 5)
    up_to = tree.map_structure_up_to({"a": 0, "b": 0}, lambda *x: x, {"a": [1, 2], "b": 3}, {"a": 4, "b": (5,)})
    assert up_to == {"a": ([1, 2], 4), "b": (3, (5,))}
    with pytest.raises(ValueError, match="instance of list"):
        tree.map_structure_up_to([0, 0], lambda x: x, 1)


def test_shapes_are_leaves():
    shapes = {"a": (1, None), "b": [(2, 3), [4, 5]]}
    assert tree.map_shape_structure(lambda shape: shape, shapes) == shapes
    assert tree.lists_to_tuples({"a": [1, [2]], "b": (1, [2])}) == {"a": (1, (2,)), "b": (1, (2,))}


@pytest.mark.parametrize("function", [tree.map_structure, tree.traverse, tree.map_shape_structure])
def test_what_cannot_be_called(function):
    with pytest.raises(TypeError, match="callable"):
        function(3, [1])
