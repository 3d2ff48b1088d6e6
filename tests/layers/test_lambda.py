"""Lambda: calls, shapes, and that code in files is not run."""

import base64
import json
import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from oneiros import activations, compat, core, layers, models, ops
from oneiros import backend as K  # noqa: N812
from oneiros.core import safety
from oneiros.core.config import behaviour
from oneiros.core.errors import CorruptFileError, UnsafeModelError
from oneiros.layers.lambda_layer import keras2_parts
from oneiros.layers.stored_code import name_of_code

CODE = json.loads((Path(__file__).parent / "golden" / "code.json").read_text())
X = np.arange(6.0, dtype="float32").reshape(2, 3)


def offset(x, by=1):
    return x + by


def stored(layer):
    """The configuration as a file gives it back."""
    return json.loads(json.dumps(layer.get_config()))


@pytest.fixture(params=["3", "2"])
def generation(request, monkeypatch):
    monkeypatch.setattr(behaviour, "lambda_code_as_list", request.param == "2")
    return request.param


def test_calls():
    assert np.array_equal(layers.Lambda(offset, arguments={"by": 3})(X), X + 3)
    assert np.array_equal(layers.Lambda(lambda pair: pair[0] - pair[1])([X, 2 * X]), -X)
    trains = layers.Lambda(lambda x, training: x if training else -x)
    assert np.array_equal(trains(X), -X) and np.array_equal(trains(X, training=True), X)


def test_shapes():
    assert layers.Lambda(lambda x: x[:, :2])(layers.Input((3,))).shape == (None, 2)
    assert layers.Lambda(lambda x: x.astype(int))(layers.Input((3,))).dtype.startswith("int")
    assert layers.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 3)) == (None, 7)
    assert layers.Lambda(lambda x: x, output_shape=lambda s: s[:1]).compute_output_shape((None, 3)) == (None,)
    odd = layers.Lambda(lambda x: x.reshape(-1, 7, 11), output_shape=(7, 11))
    assert odd(layers.Input((None,))).shape == (None, 7, 11)  # 720 is no multiple of 77
    with pytest.raises(TypeError, match="reshape"):
        layers.Lambda(lambda x: x.reshape(-1, 7, 11))(layers.Input((None,)))


def test_masks():
    x = np.ones((1, 3, 2), "float32")
    x[0, 1] = 0
    masked = layers.Masking()(x)
    assert np.array_equal(layers.Lambda(lambda x, mask: x * mask[..., None])(masked), x)
    assert core.get_mask(layers.Lambda(lambda x: x)(masked)) is None
    assert core.get_mask(masked) is not None
    kept = layers.Lambda(lambda x: 2 * x, mask=lambda inputs, mask: mask)(masked)
    assert core.get_mask(kept).tolist() == [[True, False, True]]


def test_copy_in_the_process_needs_no_consent(generation):
    scale = np.float32(3)
    for function in (lambda x: x * scale, offset, np.square):
        layer = layers.Lambda(function, output_shape=(3,), mask=lambda x, mask: mask)
        twin = layers.Lambda.from_config(layer.get_config())
        assert twin.function is function and twin.mask is layer.mask
        assert np.array_equal(twin(X), layer(X))


def test_code_in_files_is_not_run(generation):
    config = stored(layers.Lambda(lambda x: x * 2, name="twice"))
    with pytest.raises(UnsafeModelError, match="Lambda.*twice"):
        layers.Lambda.from_config(config)
    with pytest.raises(UnsafeModelError, match="Lambda"):
        layers.deserialize({"class_name": "Lambda", "config": config})
    given = layers.Lambda.from_config(config, custom_objects={"twice": offset})
    assert given.function is offset
    assert np.array_equal(layers.Lambda.from_config(config, safe_mode=False)(X), X * 2)
    with safety.loading(safe_mode=False):
        assert np.array_equal(layers.Lambda.from_config(config)(X), X * 2)
    with pytest.raises(UnsafeModelError):
        layers.Lambda.from_config(config)


def test_a_function_is_given_by_its_own_name(generation):
    config = stored(layers.Lambda(offset, name="moved", arguments={"by": 4}))
    given = layers.Lambda.from_config(config, custom_objects={"offset": offset})
    assert given.function is offset
    assert np.array_equal(given(X), X + 4)
    calls_it = stored(layers.Lambda(lambda x: offset(x) * 2, name="calls"))  # whose code names `offset` too
    with pytest.raises(UnsafeModelError, match="calls"):
        layers.Lambda.from_config(calls_it, custom_objects={"offset": offset})


def test_the_functions_of_shape_and_mask_are_others(generation):
    layer = layers.Lambda(lambda x: x + 1, output_shape=lambda shape: shape, name="more")
    given = layers.Lambda.from_config(stored(layer), custom_objects={"more": offset})
    assert np.array_equal(given(X), X + 1)
    assert given.compute_output_shape((None, 3)) == (None, 3)
    masking = stored(layers.Lambda(lambda x: x, mask=lambda x, mask: mask, name="more"))
    with pytest.raises(UnsafeModelError, match="Lambda layer 'more' contains"):
        layers.Lambda.from_config(masking, custom_objects={"more": offset})


@pytest.mark.parametrize("version", CODE)
def test_names_in_the_code_of_every_python(version):
    assert name_of_code(base64.b64decode(CODE[version]["outer"])) == "outer"
    assert name_of_code(base64.b64decode(CODE[version]["lambda"])) is None


@hypothesis.given(st.sampled_from(sorted(CODE)), st.data())
def test_damaged_code_has_no_name_or_the_one_it_holds(version, data):
    code = bytearray(base64.b64decode(CODE[version]["outer"]))
    for _ in range(data.draw(st.integers(1, 4))):
        code[data.draw(st.integers(0, len(code) - 1))] = data.draw(st.integers(0, 255))
    name = name_of_code(bytes(code[: data.draw(st.integers(0, len(code)))]))
    assert name is None or name.encode() in code


def test_deep_code_ends():
    for opening in (b"(\x01\x00\x00\x00", b")\x01", b"c"):
        assert name_of_code(b"\xe3" + bytes(20) + opening * 10_000) is None


def test_consent_for_the_process(monkeypatch):
    monkeypatch.setattr(core.config.settings, "unsafe_deserialization", False)
    config = stored(layers.Lambda(lambda x: K.square(x) + np.float32(1)))  # noqa: F821 - Keras gives K to such code
    safety.enable_unsafe_deserialization()
    assert np.array_equal(layers.Lambda.from_config(config)(X), X**2 + 1)
    with safety.loading(safe_mode=True), pytest.raises(UnsafeModelError):
        layers.Lambda.from_config(config)


def test_defaults_and_closures_are_stored(generation):
    factor = 5
    config = stored(layers.Lambda(lambda x, plus=2: x * factor + plus))
    assert np.array_equal(layers.Lambda.from_config(config, safe_mode=False)(X), X * 5 + 2)


@pytest.mark.parametrize(
    "function",
    [
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        "os.system",
    ],
)
def test_functions_of_modules_are_not_imported(function):
    for safe_mode in (True, False):
        with pytest.raises(UnsafeModelError, match="system|eval"):
            layers.Lambda.from_config({"name": "bad", "function": function}, safe_mode=safe_mode)
    assert os.system is not layers.Lambda.from_config({"function": "relu"}).function


def test_damaged_code():
    config = stored(layers.Lambda(lambda x: x))
    config["function"]["config"]["code"] = "AAAA"
    with pytest.raises(CorruptFileError, match="another version of Python"):
        layers.Lambda.from_config(config, safe_mode=False)


def test_what_tf_keras_reads():
    """The keys and forms that tf_keras writes for the same layer."""
    parts = keras2_parts(layers.Lambda(lambda x: x, output_shape=(3,)))
    assert set(parts) == {
        *("function", "function_type", "module", "output_shape", "output_shape_type", "output_shape_module")
    }
    code, defaults, closure = parts["function"]
    assert isinstance(code, str) and defaults is None and closure is None
    assert parts["function_type"] == "lambda" and parts["output_shape_type"] == "raw"
    assert parts["output_shape"] == (3,)


@pytest.mark.parametrize("generation", ["1", "2", "tf", "3"])
def test_functions_of_the_library_are_stored_by_name_and_need_no_consent(generation, tmp_path):
    compat.install(generation)
    try:
        for function in (K.l2_normalize, K.sqrt, activations.softmax, ops.square):
            model = models.Sequential([layers.Lambda(function, input_shape=(2,))])
            model.save(tmp_path / "model.h5")
            again = models.load_model(tmp_path / "model.h5", compile=False)
            x = np.array([[1.0, 4.0]])
            np.testing.assert_allclose(again.predict(x, verbose=0), np.asarray(function(x)), rtol=1e-6)
    finally:
        compat.uninstall()


@pytest.mark.parametrize("name", ["_select", "elementwise.sqrt", "rot13", "eval", "function", "set_value"])
def test_other_functions_are_not_found_by_name(name):
    config = {"name": "f", "function": name, "function_type": "function", "module": "keras.backend"}
    with pytest.raises(UnsafeModelError, match="may name but not bring"):
        layers.Lambda.from_config(config)


def test_code_from_a_file_finds_the_callers_objects():
    compat.install("2")  # whose files do not say where a function was
    layer = layers.Lambda(lambda x: [helper_of_the_caller(v) for v in [x]][0])  # noqa: F821
    config = json.loads(json.dumps(layer.get_config()))
    compat.uninstall()
    del config["module"]
    with core.registry.CustomObjectScope({"helper_of_the_caller": lambda x: x + 1}):
        again = layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(again(X), X + 1)
