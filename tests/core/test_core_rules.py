"""Rules of the core that are a line each."""

import jax
import numpy as np
import pytest

import oneiros
from oneiros import core, layers
from oneiros.core.fields import field, fields_of
from oneiros.core.registry import Configurable
from oneiros.core.structure import Places


def test_outputs_are_numbered_from_two_on():
    assert Places([0, 0]).names == ["output_1", "output_2"]
    assert Places([0]).names == ["output"]


def test_fields_that_are_declared_again_move_if_they_say_so():
    class Base(Configurable):
        a: int = field(default=1, doc="A.")
        b: int = field(default=2, doc="B.")

    class First(Base):
        b: int = field(default=3, first=True, doc="B.")

    class After(Base):
        a: int = field(default=3, after="b", doc="A.")

    class Same(Base):
        a: int = field(default=3, doc="A.")

    assert [list(fields_of(c)) for c in (First, After, Same)] == [["b", "a"], ["b", "a"], ["a", "b"]]


@pytest.mark.parametrize("seed, same", [(2**32 + 1, 1), (-1, 2**32 - 1)])
def test_seeds_of_any_size_are_taken_modulo_2_to_the_32(seed, same):
    draws = []
    for s in (seed, same):
        core.random.set_backend_seed(s)
        draws.append(
            core.settings.seeds.randint(1 << 30)
            if hasattr(core, "settings")
            else core.config.settings.seeds.randint(1 << 30)
        )
    core.random.set_backend_seed(None)
    assert draws[0] == draws[1]


def test_masks_that_outputs_have_stay():
    class Own(layers.Layer):
        supports_masking = True

        def call(self, inputs):
            outputs = inputs + 1
            core.set_mask(outputs, jax.numpy.array([[True, False]]))
            return outputs

        def compute_mask(self, inputs, mask=None):
            return jax.numpy.array([[False, True]])

    assert core.get_mask(Own()(np.ones((1, 2, 3)))).tolist() == [[True, False]]


def test_shapes_of_input_specs_are_compared_axis_by_axis():
    layer = layers.Dense(2)
    layer.build((None, 3))
    layer.input_spec = oneiros.layers.InputSpec(shape=(None, 3))
    with pytest.raises(ValueError, match=r"expected shape \(None, 3\), received size 4 on axis 1"):
        layer(np.ones((2, 4)))


def test_recurrent_shapes_with_time_first():
    shape = layers.SimpleRNN(4, time_major=True, return_sequences=True, return_state=True).compute_output_shape(
        (5, 2, 3)
    )
    assert [tuple(s) for s in shape] == [(5, 2, 4), (2, 4)]


def test_hints_about_formats_of_images():
    layer = layers.Conv2D(2, 3)
    layer.build((None, 8, 9, 3))
    with pytest.raises(ValueError, match="Is this channels-first"):
        layer(np.ones((1, 3, 8, 9)))
    first = layers.Conv2D(2, 3, data_format="channels_first")
    first.build((None, 3, 8, 9))
    with pytest.raises(ValueError, match="Is this channels-last"):
        first(np.ones((1, 8, 9, 3)))


def test_functions_of_k_keep_their_names():
    assert oneiros.backend.prod.__name__ == "prod" and oneiros.backend.concatenate.__name__ == "concatenate"


def test_messages_about_kinds_are_english():
    with pytest.raises(ValueError, match="Expected an activation: a name"):
        oneiros.activations.get(3)
    with pytest.raises(ValueError, match="Expected a loss: a name"):
        oneiros.losses.get(3)


def test_configurations_of_classes_are_no_functions():
    config = {"class_name": "MeanSquaredError", "config": "mean_absolute_error"}
    with pytest.raises((ValueError, TypeError)):
        oneiros.losses.deserialize(config)
    function = oneiros.losses.deserialize({"class_name": "function", "config": "mean_absolute_error"})
    assert function is oneiros.losses.mean_absolute_error


@pytest.mark.parametrize("formats, kept", [("channels_last", False), ("channels_first", True)])
def test_portable_configurations_leave_out_what_keras_2_lacks(formats, kept):
    from oneiros.saving.architecture import portable

    config = portable(layers.serialize(layers.ZeroPadding1D(2, data_format=formats)))
    assert ("data_format" in config["config"]) is kept


def test_operators_of_one_side_have_no_mirror():
    one_sided = [
        name for name in ("neg", "abs", "invert", "lt", "le", "gt", "ge") if hasattr(core.Symbol, f"__r{name}__")
    ]
    assert not one_sided
    assert all(hasattr(core.Symbol, f"__r{name}__") for name in ("add", "sub", "truediv", "pow", "matmul"))


def test_memory_is_given_back_if_asked(monkeypatch):
    monkeypatch.setenv("ONEIROS_MALLOC", "0")
    assert core.runtime.keep_memory() is False


def test_hints_about_formats_need_a_known_number_of_channels():
    with pytest.raises(ValueError, match="channel dimension"):
        layers.Conv2D(2, 3)(oneiros.Input((3, 8, None)))


@pytest.mark.parametrize(
    "entry", [{"class_name": "Operation", "config": {}}, {"class_name": "Add", "config": None}, {}]
)
def test_entries_that_are_no_operations_stay(entry):
    from oneiros.saving.keras3 import read_operation

    assert read_operation(entry) is entry
