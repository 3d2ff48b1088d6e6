"""The modules of Keras 2's utils: sizes of convolutions, conversions of kernels, functions and objects as data."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oneiros as keras
from oneiros import compat, layers
from oneiros.core.errors import UnsafeModelError
from oneiros.core.safety import loading
from oneiros.utils import conv_utils, generic_utils, io_utils, layer_utils


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("np_utils", "normalize to_categorical"),
        ("data_utils", "get_file validate_file Sequence OrderedEnqueuer GeneratorEnqueuer SequenceEnqueuer get_index"),
        ("io_utils", "HDF5Matrix ask_to_proceed_with_overwrite"),
        ("vis_utils", "plot_model model_to_dot"),
        ("generic_utils", "Progbar CustomObjectScope custom_object_scope get_custom_objects"),
    ],
)
def test_modules_hold_their_names(module, names):
    compat.install("2")
    try:
        module = importlib.import_module(f"keras.utils.{module}")
        assert all(callable(getattr(module, name)) for name in names.split())
    finally:
        compat.uninstall()


@given(
    st.integers(1, 30),
    st.integers(1, 5),
    st.sampled_from(["valid", "same", "causal", "full"]),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_output_lengths_count_windows(length, size, padding, stride, dilation):
    reach = (size - 1) * dilation + 1
    added = {"valid": 0, "same": reach - 1, "causal": reach - 1, "full": 2 * (reach - 1)}[padding]
    starts = range(0, length + added - reach + 1, stride)
    if len(starts):
        assert conv_utils.conv_output_length(length, size, padding, stride, dilation) == len(starts)


@given(st.integers(1, 10), st.integers(1, 5), st.integers(1, 4))
def test_input_and_transposed_lengths_undo_valid_ones(count, size, stride):
    length = conv_utils.conv_input_length(count, size, "valid", stride)
    assert conv_utils.conv_output_length(length, size, "valid", stride) == count
    longest = conv_utils.deconv_length(count, stride, size, "valid")
    assert conv_utils.conv_output_length(longest, size, "valid", stride) == count
    assert conv_utils.deconv_length(count, stride, size, "same") == count * stride
    assert conv_utils.conv_input_length(None, size, "valid", stride) is None


def test_normalized_arguments():
    assert conv_utils.normalize_padding("SAME") == "same"
    assert conv_utils.normalize_data_format(None) == "channels_last"
    for function, arguments in [
        (conv_utils.normalize_tuple, ((1, 2), 3, "kernel_size")),
        (conv_utils.normalize_padding, ("none",)),
        (conv_utils.normalize_data_format, ("channels_middle",)),
        (conv_utils.convert_kernel, (np.ones((2, 2)),)),
    ]:
        with pytest.raises(ValueError):
            function(*arguments)


def test_kernels_of_a_model_turn_around():
    inner = keras.Sequential([layers.Conv1D(2, 3, input_shape=(6, 1))])
    model = keras.Sequential([layers.Conv1D(1, 3, padding="same", input_shape=(6, 2)), inner])
    before = model.get_weights()
    layer_utils.convert_all_kernels_in_model(model)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(new, old[::-1] if old.ndim == 3 else old)


def test_count_params_and_summary(capsys):
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    assert layer_utils.count_params(model.weights + model.weights) == 8
    layer_utils.print_summary(model)
    assert "dense" in capsys.readouterr().out


def test_functions_as_data_need_consent():
    offset = 3

    def add(x, more=2):
        return x + more + offset

    stored = generic_utils.func_dump(add)
    with pytest.raises(UnsafeModelError, match="enable_unsafe_deserialization"):
        generic_utils.func_load(*stored)
    with loading(safe_mode=False):
        assert generic_utils.func_load(*stored)(1) == 6
        assert generic_utils.func_load(list(stored))(1, more=0) == 4


def test_has_arg():
    def function(a, *args, b, **kwargs):
        return a, args, b, kwargs

    assert generic_utils.has_arg(function, "a")
    assert generic_utils.has_arg(function, "b")
    assert not generic_utils.has_arg(function, "args")
    assert not generic_utils.has_arg(function, "c")
    assert generic_utils.has_arg(function, "c", accept_all=True)


def test_objects_and_their_configurations():
    class Thing:
        def __init__(self, size):
            self.size = size

        def get_config(self):
            return {"size": self.size}

    config = generic_utils.serialize_keras_object(Thing(3))
    assert config == {"class_name": "Thing", "config": {"size": 3}}
    load = generic_utils.deserialize_keras_object
    assert load(config, {"Thing": Thing}).size == 3
    assert load(config, custom_objects={"Thing": Thing}).size == 3
    assert load("len", {"len": len}) is len
    assert generic_utils.serialize_keras_object(None) is None
    for wrong in ("nothing", {"class_name": "Nothing", "config": {}}, {"name": "x"}, 3):
        with pytest.raises(ValueError):
            load(wrong, {"Thing": Thing}, printable_module_name="thing")
    with pytest.raises(ValueError):
        generic_utils.serialize_keras_object(3)


def test_asking_before_overwriting(monkeypatch):
    answers = iter(["what?", "Y", "n"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert io_utils.ask_to_proceed_with_overwrite("model.h5")
    assert not io_utils.ask_to_proceed_with_overwrite("model.h5")


def test_batches_as_tuples():
    from oneiros.utils import is_keras_tensor, pack_x_y_sample_weight, unpack_x_y_sample_weight

    for batch in [(1,), (1, 2), (1, 2, 3), (1, None, 3)]:
        assert unpack_x_y_sample_weight(pack_x_y_sample_weight(*batch)) == (*batch, None, None)[:3]
    with pytest.raises(ValueError, match="4 entries"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
    assert is_keras_tensor(keras.Input((2,)))
    assert not is_keras_tensor(np.ones(2))
