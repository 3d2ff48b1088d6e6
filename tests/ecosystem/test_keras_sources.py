"""What packages import of Keras 3 beside its public names: the real thing, or an error."""

import ast
import importlib
import subprocess
import sys

import numpy as np
import pytest

import oneiros
from oneiros import compat, layers
from oneiros.compat import attempts, importing, source_names
from oneiros.compat.sources import SOURCES


@pytest.fixture(autouse=True)
def keras_3():
    compat.install("3")
    yield
    compat.uninstall()


def test_version_is_that_of_keras():
    import keras

    assert oneiros.version() == keras.version() == keras.__version__ == "3.15.1"
    assert importlib.import_module("keras.src.version").version() == "3.15.1"
    compat.install("tf")
    assert oneiros.version().startswith("2.")


@pytest.mark.parametrize("path", sorted(SOURCES))
def test_every_module_can_be_imported(path):
    assert importlib.import_module(f"keras.src.{path}".rstrip(".")).__name__.startswith("keras.src")


def test_the_places_of_the_table_are_modules_where_they_are_here():
    for places in SOURCES.values():
        for place in places:
            if place.startswith(("compat.", "core", "utils", "saving", "config")):
                assert importing._walk(place) is not None, place


@pytest.mark.parametrize(
    "module, name, ours",
    [
        ("layers", "Layer", "layers.Layer"),
        ("layers.core.dense", "Dense", "layers.Dense"),
        ("ops.operation", "Operation", "Operation"),
        ("ops.node", "Node", "core.Node"),
        ("backend", "KerasTensor", "core.Symbol"),
        ("backend.common.keras_tensor", "KerasTensor", "core.Symbol"),
        ("backend.config", "floatx", "config.floatx"),
        ("losses.losses", "LossFunctionWrapper", "losses.classes.LossFunctionWrapper"),
        ("callbacks.history", "History", "callbacks.History"),
        ("saving.saving_lib", "load_model", "saving.load_model"),
        ("saving.serialization_lib", "in_safe_mode", "core.safety.in_safe_mode"),
        ("utils.image_utils", "smart_resize", "preprocessing.image.smart_resize"),
        ("random.seed_generator", "draw_seed", "core.draw_seed"),
    ],
)
def test_names_are_the_real_ones(module, name, ours):
    assert getattr(importlib.import_module(f"keras.src.{module}"), name) is importing._walk(ours)


@pytest.mark.parametrize("name", ["engine2", "layers.nothing", "utils.tracking.Tracker", "backend.jax.core"])
def test_there_are_no_invented_modules(name):
    parent, _, child = f"keras.src.{name}".rpartition(".")
    with pytest.raises(ImportError):
        exec(f"from {parent} import {child}")
    with pytest.raises(ImportError):
        importlib.import_module(f"keras.src.{name}")


def test_star_import_brings_modules():
    namespace = {}
    exec("from keras import *", namespace)
    assert namespace["layers"].Dense is layers.Dense and namespace["ops"].add(1, 2) == 3


# --- functions


def test_masks():
    x, symbol = np.ones((2, 3), "float32"), layers.Input((3,))
    source_names.set_keras_mask(x, np.zeros((2, 3), bool))
    assert not source_names.get_keras_mask(x).any() and source_names.get_keras_mask(symbol) is None
    embedded = layers.Embedding(4, 2, mask_zero=True)(layers.Input((3,), dtype="int32"))
    assert source_names.get_keras_mask(embedded).shape == (None, 3)


def test_sizes():
    assert source_names.standardize_tuple([1, 2], 2, "strides") == (1, 2)
    assert source_names.standardize_tuple(0, 2, "strides", allow_zero=True) == (0, 0)
    for wrong in (0, -1, (1, 2, 3), "a"):
        with pytest.raises(ValueError, match="strides"):
            source_names.standardize_tuple(wrong, 2, "strides")
    with pytest.raises(ValueError, match="axis"):
        source_names.canonicalize_axis(3, 2)


def test_scopes():
    assert not source_names.in_stateless_scope()
    with oneiros.StatelessScope() as scope:
        assert source_names.get_stateless_scope() is scope


def test_what_is_set_without_tracking_is_not_the_layers():
    class Holder(layers.Layer):
        @source_names.no_automatic_dependency_tracking
        def hold(self):
            self.other = layers.Dense(2)
            self.other.build((None, 3))

    layer = Holder()
    layer.hold()
    assert layer.weights == [] and layer.other.kernel.shape == (3, 2)
    layer.mine = layers.Dense(1)
    layer.mine.build((None, 1))
    assert len(layer.weights) == 2


def test_class_weights():
    weights = source_names.class_weight_to_sample_weights(np.eye(3), {0: 2.0, 1: 3.0})
    assert weights.tolist() == [2.0, 3.0, 1.0] and weights.dtype == "float32"


def test_store(tmp_path):
    store = source_names.H5IOStore(tmp_path / "a.h5", mode="w")
    store.make("layers/dense", {"rank": 4})["a"] = np.arange(3)
    store.close()
    store = source_names.H5IOStore(tmp_path / "a.h5")
    assert store.get("layers/dense")["a"].tolist() == [0, 1, 2] and len(store.get("nothing")) == 0
    assert store.has_path("layers/dense") and store.keys() == ["layers"]
    store.close()
    with pytest.raises(ValueError, match="mode"):
        source_names.H5IOStore(tmp_path / "a.h5", mode="x")


def test_lazy_modules():
    from keras.src.utils.module_utils import LazyModule, jax

    assert jax.available and jax.numpy.ones(2).sum() == 2
    missing = LazyModule("no_such_module", pip_name="no-such-package")
    with pytest.raises(ImportError, match="pip install no-such-package"):
        missing.anything  # noqa: B018


# --- attention that is subclassed


def test_attention_faces():
    class Cached(layers.MultiHeadAttention):
        def call(self, query, value, key=None):
            q, k, v = self._query_dense(query), self._key_dense(value), self._value_dense(value)
            attended, _ = self._compute_attention(q, k, v)
            return self._output_dense(attended)

    x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    layer, plain = Cached(2, 3), layers.MultiHeadAttention(2, 3)
    output = layer(x, x)
    plain.build(x.shape, x.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(output, plain(x, x), rtol=1e-5, atol=1e-6)
    assert (layer._num_heads, layer._key_dim, layer._inverse_sqrt_key_dim) == (2, 3, 3**-0.5)
    layer._build_attention(4)
    q, k, v = layer.query_dense(x), layer.key_dense(x), layer.value_dense(x)
    scores = np.einsum(layer._dot_product_equation, k, q * layer._inverse_sqrt_key_dim)
    attended = np.einsum(layer._combine_equation, layer._masked_softmax(scores), v)
    np.testing.assert_allclose(layer.output_dense(attended), output, rtol=1e-4, atol=1e-5)
    layer._output_dense = replaced = layers.Dense(1)
    assert layer.output_dense is replaced


def test_masks_of_several_ranks():
    layer = layers.MultiHeadAttention(2, 3)
    x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    mask = np.tril(np.ones((5, 5), bool))
    expected = layer(x, x, use_causal_mask=True)
    for given in (mask, np.stack([mask] * 2), np.stack([np.stack([mask] * 2)] * 2)):
        np.testing.assert_allclose(layer(x, x, attention_mask=given), expected, rtol=1e-5, atol=1e-6)


# --- order, and shapes


def test_layers_in_attributes_come_first():
    class Network(oneiros.Model):
        def __init__(self):
            self.last, self.first = layers.Dense(3, name="last"), layers.Dense(2, name="first")
            x = layers.Input((4,))
            super().__init__(x, self.last(layers.Dense(3, name="middle")(self.first(x))))

    network = Network()
    assert [w.path.partition("/")[0] for w in network.weights[::2]] == ["last", "first", "middle"]
    assert [layer.name for layer in network.layers[1:]] == ["first", "middle", "last"]
    assert network._flatten_layers(include_self=False, recursive=False)[0] is network.last


def test_inputs_by_keyword_are_walked_by_name():
    class Sum(layers.Layer):
        def call(self, x, z=None, a=None):
            return x + z + a

    x, z, a = (layers.Input((2,), name=name) for name in "xza")
    model = oneiros.Model([x, z, a], Sum()(x, z=z, a=a))
    assert [layer.name for layer in model.layers[:3]] == ["x", "a", "z"]


def test_layers_inside_one_with_a_declared_shape_are_built():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(3)

        def call(self, x):
            return self.inner(x)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 3)

    layer = Outer()
    assert layer(layers.Input((4,))).shape == (None, 3) and len(layer.weights) == 2


def test_shapes_of_what_takes_short_sequences_only():
    class Positions(layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight(shape=(8, input_shape[-1]), name="table")

        def call(self, x):
            return x + oneiros.ops.slice(self.table, (0, 0), (x.shape[1], x.shape[2]))

    assert Positions()(layers.Input((None, 4))).shape == (None, None, 4)


def test_names_among_module_objects():
    class Sampler:
        pass

    known = {"mine": Sampler, "double": lambda x: 2 * x}
    make = oneiros.saving.deserialize_keras_object
    assert isinstance(make("mine", module_objects=known), Sampler)
    assert make("double", module_objects=known)(2) == 4
    assert make("mine", custom_objects=known) is Sampler and make("other", module_objects=known) == "other"


# --- TensorFlow


def test_attempts():
    text = "try:\n    import a\nexcept {}:\n    a = None\n"
    for caught in ("ImportError", "(ValueError, ModuleNotFoundError)", "Exception"):
        assert attempts.is_attempt(text.format(caught), 2)
    assert not attempts.is_attempt(text.format("ValueError"), 2)
    assert not attempts.is_attempt("import a\n", 1) and not attempts.is_attempt("import (", 1)
    ast.parse(text.format("OSError"))


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is not None, reason="TensorFlow is installed")
def test_tensorflow_that_is_not_there(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import importlib.util\n"
        "from oneiros import compat\n"
        "compat.install('3')\n"
        "assert importlib.util.find_spec('tensorflow') is None\n"
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\n"
        "assert tf is None\n"
        "import tensorflow as tf\n"
        "assert tf.__version__ == '2.21.0+oneiros'\n"
    )
    subprocess.run([sys.executable, program], check=True, timeout=120)
