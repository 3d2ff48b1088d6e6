"""Every layer against the table: values and gradients of a peer, shapes, masks, types, configuration, training.

A layer without a row fails. Golden values are made by make_golden.py.
"""

import inspect
import json
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import table
import table_keras3
import table_recurrent
from make_golden import build, call_arguments, fill, inputs_of, load, plain, projection

from oneiros import core, layers
from oneiros.core.symbol import Symbol
from oneiros.models import Model, load_model

ROWS = [*table.ROWS, *table_recurrent.ROWS, *table_keras3.ROWS]
FIRST = [next(r for r in ROWS if r.layer == name) for name in dict.fromkeys(r.layer for r in ROWS)]
VALUES, FACTS = {}, {}
for _name in ("layers", "recurrent", "keras3"):
    _values, _facts = load(_name)
    VALUES |= _values
    FACTS |= _facts
FUNCTIONS = {"double": lambda x: 2 * x}
WITHOUT_PEER = {
    "Lambda": lambda row, x: FUNCTIONS[row.config["function"]](x),
    "LayerScale": lambda row, x: x * fill("gamma", (row.config["projection_dim"],), 0),
    "StochasticDepth": lambda row, x: x,
}
BASES = {"Layer", "InputLayer", "Elementwise", "Spatial"}  # what others are made of, and the source of graphs
# What configurations hold that Keras' do not, and the reverse.
OURS = {"activity_regularizer", "batch_input_shape", "trainable", "seed", "input_length"}
THEIRS = {"quantization_config", "rms_scaling"}
RESOLVED_BY_BUILD = {("LayerNormalization", "axis"), ("RMSNormalization", "axis"), ("GroupNormalization", "groups")}

by_id = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
by_layer = pytest.mark.parametrize("row", FIRST, ids=lambda row: row.layer)


def make(row, **more):
    if row.layer == "Lambda":
        return layers.Lambda(FUNCTIONS[row.config["function"]], **more)
    return build(layers, row, **more)


def one_or_all(items):
    return items[0] if len(items) == 1 else list(items)


def ready(row, **more):
    """The layer with the weights that the peer had, and its inputs."""
    layer = make(row, **more)
    xs = inputs_of(row)
    shapes = [x.shape for x in xs]
    layer.build(one_or_all(shapes))
    layer.set_weights([fill(w.name, w.shape, seed) for seed, w in enumerate(layer.weights)])
    return layer, xs


def assert_near(actual, expected, tolerance=2e-5):
    np.testing.assert_allclose(np.asarray(actual, np.float32), expected, rtol=tolerance, atol=tolerance)


def golden_output(row, xs):
    return VALUES[f"{row.id}/out"] if row.peer else WITHOUT_PEER[row.layer](row, xs[0])


def test_every_layer_has_a_row():
    known = {row.layer for row in ROWS} | BASES | table_recurrent.ELSEWHERE
    rooms = {cls.__name__: cls.__module__ for cls in core.kind("layer").objects.values()}
    ours = {name for name, room in rooms.items() if room.startswith("oneiros.layers")}
    # test_images.py, test_feature_preprocessing.py, test_foreign.py
    elsewhere = {name for name in ours if "preprocessing." in rooms[name] or ".foreign." in rooms[name]}
    missing = ours - elsewhere - known
    assert not missing, f"layers without a row in table.py: {sorted(missing)}"


@by_id
def test_values_and_gradients(row):
    layer, xs = ready(row)
    arguments = call_arguments(row, xs)
    inputs = [core.Variable(x) for x in xs]
    expected = {k.partition("/")[2]: v for k, v in VALUES.items() if k.partition("/")[0] == row.id}
    differentiable = row.dtype == "float32" and row.gradients and row.peer is not None
    weights = list(layer.trainable_weights)

    def run():
        return layer(one_or_all([x.value for x in inputs]), **arguments)

    def loss():
        out = run()
        return (out * projection(out.shape)).sum(), out

    def step():
        if not differentiable:
            return run(), []
        (_, out), gradients = core.value_and_grad(loss, [*weights, *inputs], has_aux=True)()
        return out, gradients

    out, gradients = core.compiled(step)()
    assert_near(out, golden_output(row, xs))
    if differentiable:
        names = [f"gw{i}" for i in range(len(weights))] + [f"gx{i}" for i in range(len(inputs))]
        assert len(names) == sum(key.startswith("g") for key in expected)
        for name, gradient in zip(names, gradients, strict=True):
            assert_near(gradient, expected[name], 2e-4)
    after = [value for key, value in expected.items() if key.startswith("after")]
    states = [w for w in layer.non_trainable_weights if "seed" not in w.name]
    for variable, value in zip(states, after):
        assert_near(variable.value, value)


@by_id
def test_shapes_are_inferred(row):
    """Shapes with unknown lengths are those of the values, with ``None`` only where a length is unknown."""
    layer, xs = ready(row)
    arguments = call_arguments(row, xs) if not row.mask else {}
    with core.Scope():
        real = jax.eval_shape(lambda xs: layer(one_or_all(xs), **arguments), xs)
    exact = layer.compute_output_shape(one_or_all([x.shape for x in xs]))
    assert tuple(exact) == real.shape
    symbols = [Symbol([None if i in row.unknown else n for i, n in enumerate(x.shape)], x.dtype) for x in xs]
    inferred = make(row)(one_or_all(symbols))
    assert len(inferred.shape) == len(real.shape)
    assert all(n in (None, m) for n, m in zip(inferred.shape, real.shape)), (inferred.shape, real.shape)
    assert inferred.shape[0] is None
    assert inferred.dtype == str(real.dtype)
    declared = make(row)
    declared.build(one_or_all([tuple(s.shape) for s in symbols]))
    assert tuple(declared.compute_output_shape(one_or_all([tuple(s.shape) for s in symbols]))) == inferred.shape


@by_id
def test_configuration(row):
    layer, xs = ready(row)
    config = layer.get_config()
    if row.peer is not None:
        theirs = FACTS[row.id]["config"]
        assert set(theirs) - set(config) <= THEIRS
        assert set(config) - set(theirs) - {"name", "dtype", "layer"} <= OURS
        for key, value in theirs.items():
            if key not in THEIRS and (row.layer, key) not in RESOLVED_BY_BUILD:
                ours = plain(config[key])
                same = ours == pytest.approx(value) if isinstance(value, float) else ours == value
                assert same, (key, ours, value)
        assert FACTS[row.id]["supports_masking"] == layer.supports_masking
        assert FACTS[row.id]["weights"] == [list(w.shape) for w in layer.weights]
    if row.layer != "Lambda":  # its functions do not pass through JSON
        config = json.loads(json.dumps(config))
    twin = type(layer).from_config(config)
    assert twin.name == layer.name
    assert twin.get_config() == layer.get_config()
    if row in FIRST:
        twin.build(one_or_all([x.shape for x in xs]))
        twin.set_weights(layer.get_weights())
        assert_near(twin(one_or_all(xs), **call_arguments(row, xs)), golden_output(row, xs), 1e-4)


@by_layer
def test_eager_calls_give_the_same(row):
    """The golden values are those of the compiled layer; not compiled it gives them too."""
    layer, xs = ready(row)
    assert_near(layer(one_or_all(xs), **call_arguments(row, xs)), golden_output(row, xs), 1e-4)


@by_layer
def test_bfloat16(row):
    if any(isinstance(value, tuple) and value[:1] == ("layer",) for value in row.config.values()):
        pytest.skip("the layer inside has a type of its own")
    for dtype in ("bfloat16", "mixed_bfloat16"):
        layer, xs = ready(row, dtype=dtype)
        assert {w.dtype for w in layer.weights if w.dtype != "uint32"} <= {layer.variable_dtype}
        arguments = call_arguments(row, xs)
        out = core.compiled(lambda xs, layer=layer, arguments=arguments: layer(one_or_all(xs), **arguments))(xs)
        if row.dtype == "float32":
            assert out.dtype == jnp.bfloat16
        near = np.isclose(np.asarray(out, np.float32), golden_output(row, xs), rtol=0.1, atol=0.1)
        assert near.mean() > 0.97, (dtype, near.mean())


@by_layer
def test_masks(row):
    if row.masking is None:
        pytest.skip("masks of this layer are tested by themselves")
    layer, xs = ready(row)
    x = jnp.asarray(xs[0])
    mask = jnp.asarray(np.arange(x.shape[1])[None] < np.array([2] + [1] * (len(x) - 1))[:, None])
    core.set_mask(x, mask)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        passed = core.get_mask(layer(x))
    if row.masking == "keep":
        assert passed is mask and not caught
    else:
        assert passed is None
        assert "does not support masking" in str(caught[0].message)


@by_id
def test_channels_first(row):
    if not row.twin or row.config.get("data_format"):
        pytest.skip("has no data format")
    if "data_format" not in inspect.signature(getattr(layers, row.layer)).parameters:
        pytest.skip("has no data format")
    layer, xs = ready(row)
    twin = make(row, data_format="channels_first")
    x = np.moveaxis(xs[0], -1, 1)
    twin.build(x.shape)
    twin.set_weights(layer.get_weights())
    expected = golden_output(row, xs)
    expected = np.moveaxis(expected, -1, 1) if expected.ndim > 2 else expected
    assert_near(core.compiled(twin)(x), expected)
    assert tuple(twin.compute_output_shape((None, *x.shape[1:]))) == (None, *expected.shape[1:])


@by_layer
def test_saved_models_come_back(row, tmp_path):
    """A model of this one layer, written to a file and read again, computes the same."""
    if row.layer == "Lambda":
        pytest.skip("code in files needs consent: tests/layers/test_lambda.py")
    layer, xs = ready(row)
    symbols = [layers.Input(batch_shape=(None, *x.shape[1:]), dtype=str(x.dtype)) for x in xs]
    if layer.stateful:
        symbols = [layers.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in xs]
    arguments = call_arguments(row, symbols)
    inputs = [*symbols, *(s for s in core.symbols_in(arguments) if s not in symbols)]
    if len(inputs) != len(symbols):
        pytest.skip("called with more than its inputs")
    model = Model(one_or_all(inputs), layer(one_or_all(symbols), **arguments))
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", compile=False)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert type(again.layers[-1]) is type(layer)
    assert plain(again.layers[-1].get_config()) == plain(layer.get_config())
