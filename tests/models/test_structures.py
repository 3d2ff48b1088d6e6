"""Structures of the user's keep their order, their types and their names on the way through graphs and layers."""

import pickle
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers, ops
from oneiros.core.structure import map_structure

A = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
B = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")
Pair = namedtuple("Pair", "zz aa")


class Parts(layers.Layer):
    """Returns what it is given, taken apart, under names that are not sorted."""

    def call(self, x):
        return {"zeta": x * 2, "middle": [x + 1, x + 2], "alpha": x * 3}


class Joined(layers.Layer):
    """Joins the entries of a dictionary in the order in which it comes."""

    def call(self, parts):
        return ops.concatenate(list(parts.values()), -1)


def same(found, wanted):
    assert type(found) is type(wanted)
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        found, wanted = list(found.values()), list(wanted.values())
    if isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted)
        for f, w in zip(found, wanted):
            same(f, w)
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


OUTPUTS = {
    "dictionary": lambda z, a: {"zeta": z, "alpha": a},
    "ordered": lambda z, a: OrderedDict(zeta=z, alpha=a),
    "default": lambda z, a: defaultdict(list, zeta=z, alpha=a),
    "list": lambda z, a: [z, a],
    "tuple": lambda z, a: (z, a),
    "named tuple": lambda z, a: Pair(z, a),
    "nested": lambda z, a: {"zeta": [z, (a, z)], "alpha": {"b": a, "a": z}},
    "in a list": lambda z, a: [{"zeta": z, "alpha": a}, Pair(a, z)],
}


@pytest.mark.parametrize("make", OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_come_back_as_the_user_wrote_them(make):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, make(layers.Rescaling(2)(inputs), layers.Rescaling(3)(inputs)))
    wanted = make(A * 2, A * 3)
    same(map_structure(np.asarray, model(A)), wanted)
    same(model.predict(A, batch_size=4, verbose=0), wanted)
    same(model.predict_on_batch(A), wanted)
    same(pickle.loads(pickle.dumps(model)).predict(A, verbose=0), wanted)
    same(keras.models.clone_model(model).predict(A, verbose=0), wanted)


@pytest.mark.parametrize("name", ["dictionary", "nested", "in a list"])
def test_outputs_survive_a_file(tmp_path, name):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, OUTPUTS[name](inputs * 2, inputs * 3))
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5", compile=False)

    def listed(tree):  # JSON knows lists alone
        if isinstance(tree, dict):
            return {k: listed(v) for k, v in tree.items()}
        return [listed(v) for v in tree] if isinstance(tree, (list, tuple)) else tree

    same(loaded.predict(A, verbose=0), listed(OUTPUTS[name](A * 2, A * 3)))


def test_the_dictionary_that_a_layer_returns_keeps_its_names_in_a_graph():
    inputs = keras.Input((3,))
    parts = Parts()(inputs)
    assert list(parts) == ["zeta", "middle", "alpha"]
    model = keras.Model(inputs, [parts["alpha"], parts["middle"][1], parts["zeta"], parts["middle"][0]])
    same(model.predict(A, verbose=0), [A * 3, A + 2, A * 2, A + 1])


def test_a_graph_with_dictionaries_inside_survives_a_file(tmp_path):
    inputs = keras.Input((3,))
    parts = Parts()(inputs)
    joined = Joined()({"zz": parts["alpha"], "aa": parts["zeta"]})
    model = keras.Model(inputs, joined)
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5", {"Parts": Parts, "Joined": Joined}, compile=False)
    same(loaded.predict(A, verbose=0), np.concatenate([A * 3, A * 2], -1))


def test_a_layer_sees_the_order_in_which_it_is_called():
    joined = Joined()
    same(np.asarray(joined({"zz": A, "aa": B})), np.concatenate([A, B], -1))
    z, a = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([z, a], joined({"zz": z, "aa": a}))
    same(model.predict([A, B], verbose=0), np.concatenate([A, B], -1))


class Subclassed(keras.Model):
    def call(self, x):
        return {"zeta": ops.concatenate(list(x.values()), -1), "alpha": x["aa"]}


def test_a_subclassed_model_sees_and_returns_the_users_order():
    wanted = {"zeta": np.concatenate([A, B], -1), "alpha": B}
    model = Subclassed()
    same(model.predict({"zz": A, "aa": B}, batch_size=4, verbose=0), wanted)
    same(model.predict_on_batch({"zz": A, "aa": B}), wanted)
    same(model.predict(iter([({"zz": A[:3], "aa": B[:3]},), ({"zz": A[3:], "aa": B[3:]},)]), verbose=0), wanted)


def inputs_of(structure):
    one, two = keras.Input((3,), name="one"), keras.Input((2,), name="two")
    return keras.Model(structure(one, two), layers.Concatenate()([one * 2, two]))


GIVEN = {
    "by key": (lambda a, b: {"zz": a, "aa": b}, {"aa": B, "zz": A}),
    "with more": (lambda a, b: {"zz": a, "aa": b}, {"more": A, "zz": A, "aa": B}),
    "by layer": (lambda a, b: {"zz": a, "aa": b}, {"two": B, "one": A}),
    "a list for a dictionary": (lambda a, b: {"zz": a, "aa": b}, [A, B]),
    "a dictionary for a list": (lambda a, b: [a, b], {"two": B, "one": A}),
    "a tuple": (lambda a, b: (a, b), (A, B)),
    "nested": (lambda a, b: [{"zz": a}, {"b": b}], [{"zz": A}, {"b": B}]),
    "a list for a nest": (lambda a, b: [{"zz": a}, {"b": b}], [A, B]),
    "names for a nest": (lambda a, b: {"q": [a, b]}, {"two": B, "one": A}),
    "a list in a dictionary": (lambda a, b: {"q": [a, b]}, {"q": [A, B]}),
}


@pytest.mark.parametrize("structure, given", GIVEN.values(), ids=GIVEN)
def test_inputs_find_their_places(structure, given):
    model = inputs_of(structure)
    wanted = np.concatenate([A * 2, B], 1)
    np.testing.assert_allclose(model(given), wanted, rtol=1e-6)
    np.testing.assert_allclose(model.predict(given, verbose=0), wanted, rtol=1e-6)


@pytest.mark.parametrize("given", [{"zz": A}, [A], {"zz": A, "bb": B}])
def test_a_missing_input_is_named(given):
    model = inputs_of(lambda a, b: {"zz": a, "aa": b})
    for call in (model, lambda x: model.predict(x, verbose=0)):
        with pytest.raises(ValueError, match="aa|two"):
            call(given)


def test_functions_of_the_backend_and_loops_keep_the_order():
    total, steps = ops.scan(
        lambda carry, x: ({"a": carry["a"] + x["b"], "z": carry["z"]}, {"zz": x["b"], "aa": x["a"]}),
        {"z": np.float32(5), "a": np.float32(1)},
        {"b": A[:, 0], "a": A[:, 1]},
    )
    assert list(total) == ["z", "a"] and list(steps) == ["zz", "aa"]
    np.testing.assert_allclose(total["a"], 1 + A[:, 0].sum(), rtol=1e-5)
    same(np.asarray(steps["zz"]), A[:, 0])


def test_a_time_distributed_layer_keeps_names():
    x = np.stack([A, A + 1], 1)
    found = layers.TimeDistributed(Parts())(x)
    assert list(found) == ["zeta", "middle", "alpha"]
    np.testing.assert_allclose(found["alpha"], x * 3, rtol=1e-6)
