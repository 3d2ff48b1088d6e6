"""Structures of the user's keep their order, their types and their names on the way through graphs and layers."""

import numpy as np

import oneiros as keras
from oneiros import layers, ops

A = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
B = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")


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


def test_the_dictionary_that_a_layer_returns_keeps_its_names_in_a_graph():
    inputs = keras.Input((3,))
    parts = Parts()(inputs)
    assert list(parts) == ["zeta", "middle", "alpha"]
    model = keras.Model(inputs, [parts["alpha"], parts["middle"][1], parts["zeta"], parts["middle"][0]])
    same(model.predict(A, verbose=0), [A * 3, A + 2, A * 2, A + 1])


def test_a_layer_sees_the_order_in_which_it_is_called():
    joined = Joined()
    same(np.asarray(joined({"zz": A, "aa": B})), np.concatenate([A, B], -1))
    z, a = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([z, a], joined({"zz": z, "aa": a}))
    same(model.predict([A, B], verbose=0), np.concatenate([A, B], -1))


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
