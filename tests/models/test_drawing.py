"""Drawings: the boxes and arrows of the graph, read back from pydot."""

import shutil
import sys

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.models.drawing import model_to_dot, plot_model

pytest.importorskip("pydot")


def branched():
    x = keras.Input((4,), name="x")
    shared = layers.Dense(3, activation="relu", name="shared")
    left = shared(x)
    right = shared(layers.Dense(4, name="before")(x))
    return keras.Model(x, layers.Add(name="sum")([left, right]), name="branched")


def edges(graph):
    return {(e.get_source().strip('"'), e.get_destination().strip('"')) for e in graph.get_edges()}


def labels(graph):
    return {n.get_name().strip('"'): n.get("label") for n in graph.get_nodes() if n.get_name() != "node"}


def test_arrows_follow_the_graph():
    graph = model_to_dot(branched())
    assert edges(graph) == {("x", "shared"), ("x", "before"), ("before", "shared"), ("shared", "sum")}
    assert graph.get_rankdir() == "TB"
    assert graph.get_dpi() == "200"
    assert model_to_dot(branched(), rankdir="LR", dpi=50).get_rankdir() == "LR"


def test_boxes_tell_what_is_asked_for():
    plain = labels(model_to_dot(branched(), show_layer_names=False))
    assert "Dense" in plain["shared"]
    assert "shared" not in plain["shared"]
    full = labels(
        model_to_dot(branched(), show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True)
    )
    for fact in ("before (Dense)", "(None, 4)", "float32", "activation: linear", "trainable: True"):
        assert fact in full["before"]
    assert "activation: relu" in full["shared"]


def test_nested_models_are_expanded_on_request():
    inner = keras.Sequential([layers.Dense(3, name="a", input_shape=(4,)), layers.Dense(2, name="b")], name="inner")
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(1, name="end")(inner(x)))
    assert edges(model_to_dot(model)) == {("x", "inner"), ("inner", "end")}
    graph = model_to_dot(model, expand_nested=True)
    (cluster,) = graph.get_subgraphs()
    assert set(labels(cluster)) >= {"inner/a", "inner/b"}
    assert {("inner/a", "inner/b")} <= edges(cluster)
    assert ("inner/b", "end") in edges(graph)
    assert any(source == "x" and target.startswith("inner/") for source, target in edges(graph))


def test_operations_have_boxes():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(1, name="end")(keras.ops.tanh(x * 2)))
    graph = model_to_dot(model)
    assert len(edges(graph)) == 3
    assert len(labels(graph)) == 4


def test_a_part_of_the_layers():
    model = keras.Sequential([layers.Dense(2, name=n) for n in "abcd"])
    model.build((None, 2))
    assert edges(model_to_dot(model, layer_range=["b", "c"])) == {("b", "c")}
    with pytest.raises(ValueError, match="layer_range"):
        model_to_dot(model, layer_range=["b", "z"])


def test_subgraphs_and_subclassed_models():
    assert type(model_to_dot(branched(), subgraph=True)).__name__ == "Cluster"

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name="inside")

        def call(self, x):
            return self.dense(x)

    model = Own()
    with pytest.raises(ValueError, match="not built"):
        model_to_dot(model)
    model(np.ones((1, 2), "float32"))
    assert set(labels(model_to_dot(model))) == {"inside"}


def test_files(tmp_path):
    plot_model(branched(), tmp_path / "model.dot")
    assert "digraph" in (tmp_path / "model.dot").read_text()
    if shutil.which("dot"):
        plot_model(branched(), str(tmp_path / "model.png"))
        assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")
    else:
        with pytest.raises(ImportError, match="Graphviz"):
            plot_model(branched(), str(tmp_path / "model.png"))
    assert {p.name for p in tmp_path.iterdir()} <= {"model.dot", "model.png"}


def test_missing_pydot_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        model_to_dot(branched())


def test_wrong_direction():
    with pytest.raises(ValueError, match="rankdir"):
        model_to_dot(branched(), rankdir="down")
