"""What programs for Keras 3 read of layers, and layers that compute inner values again."""

import jax
import numpy as np
import pytest

import oneiros
from oneiros import layers, ops


class Outer(layers.Layer):
    """A layer with two others and a metric inside."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(2, name="inner")
        self.chain = oneiros.Sequential([layers.Dense(3, name="last")], name="chain")
        self.seen = oneiros.metrics.Mean(name="seen")

    def call(self, x):
        x = self.inner(x)
        self.add_loss(ops.mean(x**2))
        return self.chain(x)


def test_paths_say_where_a_layer_belongs():
    outer = Outer(name="outer")
    assert outer.path is None
    outer(np.ones((1, 2)))
    assert [layer.path for layer in (outer, *outer.sublayers())] == [
        *("outer", "outer/inner", "outer/chain", "outer/chain/last")
    ]
    assert [v.path for v in outer.weights][::2] == ["outer/inner/kernel", "outer/chain/last/kernel"]
    with oneiros.name_scope("block"):
        layer = layers.Dense(1, name="top")
        layer.build((None, 2))
    assert layer.path == "block/top"


def test_metrics_of_layers_are_found_at_any_depth():
    model = oneiros.Sequential([Outer()])
    layer = model.layers[0]
    assert layer.metrics == [layer.seen]
    assert layer.metrics_variables == layer.seen.variables

    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.metrics = ["mine"]

    assert Own().metrics == ["mine"]


def test_types_and_names_of_operations():
    assert layers.Dense(1, dtype="mixed_bfloat16").input_dtype == "bfloat16"
    x = layers.Input((2,), name="x")
    assert layers.Dense(3).symbolic_call(x).shape == (None, 3)
    model = oneiros.Model(x, layers.Dense(1)(ops.abs(x)))
    assert [type(model.operations[i]) for i in (0, 2)] == [layers.InputLayer, layers.Dense]
    assert len(model.operations) == 3 and len(model.layers) == 2
    layer = layers.Layer()
    assert layer.add_variable((2,), "ones", name="v") is layer.weights[0]


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers", None])
def test_layers_in_a_remat_scope_compute_the_same(mode):
    x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")

    def trained(scope):
        oneiros.utils.set_random_seed(1)
        with scope:
            inner = [layers.Dense(8, "relu", name="wide"), layers.BatchNormalization(), Outer(), layers.Dense(1)]
        model = oneiros.Sequential([layers.Input((2,)), *inner])
        model.compile(oneiros.optimizers.SGD(0.1), "mse")
        losses = model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"]
        return [*losses, *(w.sum() for w in model.get_weights())]

    scope = oneiros.RematScope(mode, output_size_threshold=4, layer_names=["wide"])
    np.testing.assert_allclose(trained(scope), trained(oneiros.RematScope(None)), rtol=1e-5)


@pytest.mark.parametrize("mode, again", [("full", True), (None, False)])
def test_a_remat_scope_is_seen_in_the_program(mode, again):
    with oneiros.RematScope(mode):
        layer = layers.Dense(3, "tanh")
    layer.build((None, 2))
    program = jax.make_jaxpr(lambda x: layer(x).sum())(np.ones((4, 2), "float32"))
    assert ("remat" in str(program) or "checkpoint" in str(program)) == again


def test_unknown_modes_are_refused():
    with pytest.raises(ValueError, match="RematScope: expected the mode 'full'.*mode='half'"):
        oneiros.RematScope("half")


def test_masks_of_batches_may_have_the_axis_that_is_normalized():
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    mask = np.tile([True, False], (5, 1))
    layer = layers.BatchNormalization(axis=1, momentum=0.0)
    layer(x, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean, [x[:, 0].mean(), 0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(layer.moving_variance, [x[:, 0].var(), 0], rtol=1e-5)
    wide = layers.BatchNormalization(momentum=0.0)
    wide(x, training=True, mask=np.ones((1, 2), bool))
    np.testing.assert_allclose(wide.moving_mean, x.mean((0, 1)), rtol=1e-5, atol=1e-7)


def test_a_loss_in_a_list_under_the_name_of_the_only_output():
    x = layers.Input((3,))
    model = oneiros.Model(x, layers.Dense(1, name="out")(x))
    model.compile("sgd", {"out": ["mse"]})
    assert list(model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history) == ["loss"]


def test_scores_of_a_quantized_embedding():
    layer = layers.ReversibleEmbedding(10, 4)
    vectors = layer(np.array([[1, 2]]))
    exact = np.asarray(layer(vectors, reverse=True))
    layer.quantize("int8")
    np.testing.assert_allclose(layer(vectors, reverse=True), exact, atol=0.02 * np.abs(exact).max())


@pytest.mark.parametrize("cls, options", [(layers.LayerNormalization, {}), (layers.GroupNormalization, {"groups": 2})])
def test_inputs_beyond_16_bits_are_normalized(cls, options):
    x = np.full((2, 4, 8), 70000.0, "float32")
    x[..., 0] += 1000
    layer = cls(dtype="mixed_float16", **options)
    np.testing.assert_allclose(layer(x), cls(**options)(x), atol=2e-3)


class Masked(layers.Layer):
    """Zero where the mask is False."""

    supports_masking = True

    def call(self, x, mask=None):
        return x if mask is None else x * mask[:, None]


def test_steps_of_a_wrapped_layer_get_their_masks():
    x = np.ones((3, 2, 4), "float32")
    mask = np.array([[False, True], [True, False], [True, True]])
    outputs = layers.TimeDistributed(Masked())(x, mask=mask)
    np.testing.assert_array_equal(outputs, x * mask[..., None])
    with pytest.raises(ValueError, match=r"a mask of shape \(2, 2\) does not fit 3 examples of 2 steps"):
        layers.TimeDistributed(Masked())(x, mask=mask[:2])
