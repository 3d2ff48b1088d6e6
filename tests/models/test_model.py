"""Graphs of layers: building, calling, cutting, copying, showing, configurations."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers, ops
from oneiros.core.errors import CorruptFileError, InputDataError

RNG = np.random.default_rng(1)
X = RNG.normal(size=(5, 4)).astype("float32")


def two_branches():
    """x -> a -> b -> sum with x -> c; an operation on symbols among the layers."""
    x = keras.Input((4,), name="x")
    a = layers.Dense(3, activation="tanh", name="a")(x)
    b = layers.Dense(2, name="b")(a)
    c = layers.Dense(2, use_bias=False, name="c")(x)
    return keras.Model(x, layers.Add(name="sum")([b, c * 2.0]), name="branches")


def in_numpy(model, x):
    (wa, ba), (wb, bb), (wc,) = (model.get_layer(n).get_weights() for n in "abc")
    return np.tanh(x @ wa + ba) @ wb + bb + 2 * (x @ wc)


def test_a_graph_computes_what_its_layers_say():
    model = two_branches()
    np.testing.assert_allclose(model.predict(X, verbose=0), in_numpy(model, X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model(X), in_numpy(model, X), rtol=1e-4, atol=1e-5)
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 2)
    assert model.count_params() == 15 + 8 + 8


def test_layers_come_deepest_first():
    model = two_branches()
    assert [layer.name for layer in model.layers] == ["x", "a", "c", "b", "sum"]
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    deep = layers.Dense(2, name="d1")(left)
    deep = layers.Dense(2, name="d2")(deep)
    joined = keras.Model([right, left], layers.Concatenate(name="join")([right, deep]))
    assert [layer.name for layer in joined.layers] == ["left", "d1", "right", "d2", "join"]


def test_configurations_go_round_with_shared_layers_and_operations():
    model = two_branches()
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(X, verbose=0), in_numpy(model, X), rtol=1e-4, atol=1e-5)

    a, b = keras.Input((4,)), keras.Input((4,))
    shared = layers.Dense(3, name="shared")
    out = ops.concatenate([shared(a), shared(b)], axis=-1)[:, 1:5]
    twins = keras.Model({"one": a, "two": b}, [out, shared.get_output_at(1)])
    again = keras.Model.from_config(twins.get_config())
    again.set_weights(twins.get_weights())
    for p, q in zip(twins.predict({"one": X, "two": -X}, verbose=0), again.predict({"one": X, "two": -X}, verbose=0)):
        np.testing.assert_allclose(p, q, rtol=1e-6)
    w, bias = shared.get_weights()
    np.testing.assert_allclose(p, -X @ w + bias, rtol=1e-4, atol=1e-5)


def test_sub_models_are_cut_out_and_used_as_layers():
    model = two_branches()
    features = keras.Model(model.input, model.get_layer("a").output)
    wa, ba = model.get_layer("a").get_weights()
    np.testing.assert_allclose(features.predict(X, verbose=0), np.tanh(X @ wa + ba), rtol=1e-4, atol=1e-5)
    y = keras.Input((4,))
    head = keras.Model(y, layers.Dense(1)(features(y)))
    assert [type(layer).__name__ for layer in head.layers] == ["InputLayer", "Model", "Dense"]
    assert len(head.trainable_weights) == 4
    tail = keras.Model(model.get_layer("a").output, model.get_layer("b").output)
    assert tail.predict(np.ones((2, 3), "float32"), verbose=0).shape == (2, 2)


def test_copies_have_weights_of_their_own():
    model = two_branches()
    copy = keras.models.clone_model(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not np.allclose(copy.predict(X, verbose=0), model.predict(X, verbose=0))
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    chain = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert keras.models.clone_model(chain).output_shape == (None, 2)


def test_nodes_and_what_is_asked_of_them():
    shared = layers.Dense(2, name="shared")
    a, b = keras.Input((4,)), keras.Input((4,))
    out_a, out_b = shared(a), shared(b)
    assert shared.get_output_at(0) is out_a
    assert shared.get_input_at(1) is b
    assert shared.get_output_shape_at(1) == (None, 2)
    assert shared.input_shape == (None, 4)
    with pytest.raises(AttributeError, match=r"ambiguous. Use get_output_at"):
        _ = shared.output
    with pytest.raises(ValueError, match="2 nodes"):
        shared.get_output_at(2)
    with pytest.raises(AttributeError, match="never been called"):
        _ = layers.Dense(2).output
    assert out_a._keras_history[0] is shared
    assert out_b._keras_history[1] == 1
    assert len(shared._inbound_nodes) == 2
    assert shared._inbound_nodes[0].inbound_layers[0] is a.node.operation


def test_errors_of_building():
    x, z = keras.Input((4,), name="x"), keras.Input((4,), name="z")
    with pytest.raises(ValueError, match="Graph disconnected.*z"):
        keras.Model(x, layers.Dense(1)(z))
    with pytest.raises(ValueError, match="must be symbols"):
        keras.Model(x, X)
    with pytest.raises(ValueError, match="used by 2 layers"):
        keras.Model(x, layers.Dense(1, name="d")(layers.Dense(2, name="d")(x)))
    with pytest.raises(ValueError, match="No such layer: q"):
        two_branches().get_layer("q")
    with pytest.raises(InputDataError, match="expects 1 input"):
        two_branches()([X, X])
    config = two_branches().get_config()
    cyclic = [entry for entry in config["layers"] if entry["name"] in ("a", "b")]
    cyclic[0]["inbound_nodes"] = [[["b", 0, 0, {}]]]
    with pytest.raises(CorruptFileError, match="cycle"):
        keras.Model.from_config(config)


def test_sequential_is_built_when_its_input_is_known():
    chain = keras.Sequential()
    chain.add(layers.Dense(3))
    chain.add(layers.Dense(2))
    assert not chain.built
    assert chain.predict(X, verbose=0).shape == (5, 2)
    assert chain.count_params() == 15 + 8
    assert [layer.name.split("_")[0] for layer in chain.layers] == ["dense", "dense"]
    built = keras.Sequential([layers.Dense(3)])
    built.build((None, 4))
    assert built.count_params() == 15
    keras.compat.install("2")
    try:
        with pytest.raises(ValueError, match="not built"):
            keras.Sequential([layers.Dense(3)]).summary()
    finally:
        keras.compat.uninstall()


def test_sequential_pop_and_nesting():
    chain = keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2), layers.Activation("softmax")])
    popped = chain.pop()
    assert isinstance(popped, layers.Activation)
    assert chain.output_shape == (None, 2)
    w1, b1, w2, b2 = chain.get_weights()
    np.testing.assert_allclose(chain.predict(X, verbose=0), (X @ w1 + b1) @ w2 + b2, rtol=1e-4, atol=1e-5)
    outer = keras.Sequential([chain, layers.Dense(1)])
    assert outer.input_shape == (None, 4)
    assert len(outer.weights) == 6
    with pytest.raises(ValueError, match="different names"):
        outer.add(layers.Dense(1, name=outer.layers[-1].name))


def test_predict_classes():
    chain = keras.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    assert chain.predict_classes(X).tolist() == chain.predict(X, verbose=0).argmax(1).tolist()
    single = keras.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(4,))])
    assert single.predict_classes(X).tolist() == (single.predict(X, verbose=0) > 0.5).astype(int).tolist()


def test_masks_travel_along_the_graph():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    x = keras.Input((3,), dtype="int32")
    embedded = layers.Embedding(5, 4, mask_zero=True)(x)
    model = keras.Model(x, layers.LSTM(2)(layers.Dropout(0.5)(embedded)))
    shorter = keras.Model(x, layers.LSTM(2)(embedded))
    shorter.layers[-1].set_weights(model.layers[-1].get_weights())
    np.testing.assert_allclose(model.predict(ids, verbose=0), shorter.predict(ids, verbose=0), rtol=1e-5)
    alone = model.predict(ids[:1, :3], verbose=0)
    padded = keras.Model(x, layers.LSTM(2, weights=model.layers[-1].get_weights())(embedded))
    np.testing.assert_allclose(padded.predict(np.array([[1, 2, 0]]), verbose=0), alone, rtol=1e-5)


def test_a_users_layer_needs_only_build_and_call():
    class Scale(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape):
            self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="ones", trainable=True)
            super().build(input_shape)

        def call(self, x, mask=None):
            return x * self.factor + self.shift

        def compute_output_shape(self, input_shape):
            return input_shape

    chain = keras.Sequential([Scale(3.0, input_shape=(4,)), layers.Dense(1)])
    assert len(chain.trainable_weights) == 3
    chain.compile("sgd", "mse")
    chain.fit(X, X[:, :1], verbose=0)
    config = chain.layers[0].get_config()
    assert config["factor"] == 3.0
    copy = keras.Sequential.from_config(chain.get_config(), custom_objects={"Scale": Scale})
    copy.set_weights(chain.get_weights())
    np.testing.assert_allclose(copy.predict(X, verbose=0), chain.predict(X, verbose=0), rtol=1e-6)


def test_a_layer_in_the_spelling_of_keras_1():
    class Old(layers.Layer):
        def __init__(self, output_dim, **kwargs):
            self.output_dim = output_dim  # before super().__init__, as many wrote it
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.W = self.add_weight((input_shape[1], self.output_dim), initializer="uniform", name="W")

        def call(self, x, mask=None):
            return keras.backend.dot(x, self.W)

        def get_output_shape_for(self, input_shape):
            return (input_shape[0], self.output_dim)

    chain = keras.Sequential([Old(6, input_shape=(4,))])
    assert chain.output_shape == (None, 6)
    np.testing.assert_allclose(chain.predict(X, verbose=0), X @ chain.get_weights()[0], rtol=1e-4, atol=1e-5)


def test_summary_of_each_generation(capsys):
    keras.backend.reset_uids()
    chain = keras.Sequential([layers.Dense(3, input_shape=(4,), name="one"), layers.Dense(2, name="two")])
    chain.summary()
    native = capsys.readouterr().out.splitlines()
    assert native[0] == 'Model: "sequential"'
    assert "│ one (Dense)                     │ (None, 3)              │            15 │" in native
    assert native[-3:] == [
        " Total params: 23 (92.00 B)",
        " Trainable params: 23 (92.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]
    lines = []
    keras.compat.install("2")
    try:
        chain.summary(print_fn=lines.append)
    finally:
        keras.compat.uninstall()
    assert lines == [
        "_" * 65,
        "Layer (type)                 Output Shape              Param #   ",
        "=" * 65,
        "one (Dense)                  (None, 3)                 15        ",
        "_" * 65,
        "two (Dense)                  (None, 2)                 8         ",
        "=" * 65,
        "Total params: 23",
        "Trainable params: 23",
        "Non-trainable params: 0",
        "_" * 65,
    ]


def _summary(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    (text,) = texts  # Keras 3 prints all at once
    return text.splitlines()


def test_summary_wraps_and_cuts(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    x = keras.Input((28, 28, 1), name="in")
    long = layers.Conv2D(8, 3, name="a_rather_long_name_of_a_layer_that_wraps_over_lines")(x)
    flat = layers.Flatten(name="flat")(long)
    model = keras.Model(x, layers.Add(name="sum")([layers.Dense(3, name=n)(flat) for n in ("left", "right")]), name="m")
    assert _summary(model)[:9] == [
        'Model: "m"',
        "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓",
        "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃",
        "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩",
        "│ in (InputLayer)     │ (None, 28, 28, 1) │          0 │ -                 │",
        "├─────────────────────┼───────────────────┼────────────┼───────────────────┤",
        "│ a_rather_long_name… │ (None, 26, 26, 8) │         80 │ in[0][0]          │",
        "│ (Conv2D)            │                   │            │                   │",
        "├─────────────────────┼───────────────────┼────────────┼───────────────────┤",
    ]
    assert {len(line) for line in _summary(model, line_length=60)[1:-3]} == {60}


def test_summary_of_what_is_not_built_or_called_on_arrays():
    rows = [line for line in _summary(keras.Sequential([layers.Dense(3, name="d")])) if "Dense" in line]
    assert rows[0].split("│")[2:4] == [" ?                      ", "   0 (unbuilt) "]

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(X)
    assert any("(5, 3)" in line for line in _summary(model))


def test_summary_counts_the_optimizer(capsys):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), keras.Sequential([layers.Dense(2, name="deep")])])
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    lines = _summary(model, expand_nested=True, show_trainable=True)
    assert any("   └ deep (Dense)" in line and "   Y   " in line for line in lines)
    assert lines[-4:] == [
        " Total params: 71 (284.00 B)",
        " Trainable params: 23 (92.00 B)",
        " Non-trainable params: 0 (0.00 B)",
        " Optimizer params: 48 (192.00 B)",
    ]


def test_number_types():
    for name, rtol in (("bfloat16", 0.05), ("float16", 0.01), ("mixed_bfloat16", 0.05)):
        x = keras.Input((4,))
        model = keras.Model(x, layers.Dense(3, dtype=name)(x))
        w, b = (np.asarray(v, "float32") for v in model.get_weights())
        np.testing.assert_allclose(np.asarray(model(X), "float32"), X @ w + b, rtol=rtol, atol=0.05)
        model.compile("sgd", "mse")
        assert np.isfinite(model.fit(X, X[:, :3], verbose=0).history["loss"][0])


def test_weights_are_checked_before_any_is_set():
    model = two_branches()
    before = model.get_weights()
    bad = [w + 1 for w in before]
    bad[-1] = np.zeros((7, 7))
    with pytest.raises(ValueError, match=r"b/bias has shape \(2,\).*\(7, 7\)"):
        model.set_weights(bad)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_sequential_that_grows_or_shrinks_predicts_as_it_is_then():
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    x, shapes = np.ones((1, 2)), []
    for change in (
        lambda: None,
        lambda: model.add(layers.Dense(3)),
        model.pop,
        lambda: model.add(layers.Dense(4)),
        model.pop,
    ):
        change()
        shapes.append(model.predict(x, verbose=0).shape)
    assert shapes == [(1, 1), (1, 3), (1, 1), (1, 4), (1, 1)]
    model.compile("sgd", "mse")
    assert model.evaluate(x, np.ones((1, 1)), verbose=0) == 1
    model.add(layers.Dense(1, kernel_initializer="zeros"))
    assert model.evaluate(x, np.full((1, 1), 2.0), verbose=0) == 4


def test_summary_of_layers_outside_of_graphs():
    class Heads(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.late = layers.Dense(3), layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model, lines = Heads(), []
    model(np.zeros((2, 4)))
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "(2, 3)" in text and "│ ? " in text
    assert keras.backend.standardize_dtype("string") == keras.backend.standardize_dtype(np.array("a").dtype) == "string"
