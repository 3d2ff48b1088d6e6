"""`serialize_keras_object` and back for all kinds of objects. What is expected is what Keras 3.15 gives."""

import json

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core import safety
from oneiros.core.errors import UnsafeModelError
from oneiros.saving import deserialize_keras_object as read
from oneiros.saving import serialize_keras_object as write


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (b"x", {"class_name": "__bytes__", "config": {"value": "x"}}),
        (np.float32(1.5), 1.5),
        (np.zeros((), "float16"), 0.0),
        (np.array([1, 2]), {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "int64"}}),
        (..., {"class_name": "__ellipsis__", "config": {}}),
        ([1, (2,)], [1, [2]]),
        (
            keras.DTypePolicy("mixed_float16"),
            {
                "module": "keras",
                "class_name": "DTypePolicy",
                "config": {"name": "mixed_float16"},
                "registered_name": None,
            },
        ),
    ],
    ids=["bytes", "number", "scalar", "array", "dots", "tuple", "policy"],
)
def test_written_forms(thing, expected):
    stored = json.loads(json.dumps(write(thing)))
    assert stored == expected
    assert json.loads(json.dumps(write(read(stored)))) == expected


def test_symbols_tell_where_they_come_from():
    x = keras.Input((3,), name="x")
    y = L.Dense(2, name="d")(x)
    expected = {"shape": [None, 2], "dtype": "float32", "keras_history": ["d", 0, 0]}
    assert write(y) == {"class_name": "__keras_tensor__", "config": expected}


def test_lambdas_need_consent():
    stored = json.loads(json.dumps(write({"a": lambda x, y=2: x**y})))
    with pytest.raises(UnsafeModelError, match="Python code"):
        read(stored)
    with safety.loading(False):
        assert read(stored)["a"](3) == 9
    assert read(stored, safe_mode=False)["a"](3) == 9


def test_functions_that_keras_36_wrote_without_their_package():
    @keras.saving.register_keras_serializable("objects")
    def of_this_test(x):
        return x

    entry = {"module": "builtins", "class_name": "function", "config": "of_this_test", "registered_name": "function"}
    assert read(entry) is of_this_test
    assert read(entry | {"config": "objects>of_this_test"}) is of_this_test
    assert keras.saving.GLOBAL_CUSTOM_NAMES[of_this_test] == "objects>of_this_test"


@pytest.mark.parametrize("name", ["builtins.eval", "not.a.name", "my>Dense"])
def test_a_registered_name_that_is_not(name):
    entry = {"class_name": "Dense", "module": "keras.layers", "registered_name": name, "config": {"units": 1}}
    with pytest.raises(UnsafeModelError, match="resolved to a Keras built-in"):
        read(entry)
    for harmless in ("", "Dense", None):
        assert read(entry | {"registered_name": harmless}).units == 1


@pytest.mark.parametrize("entry", [{"class_name": "Dense", "config": [1]}, {"class_name": "function", "config": [1]}])
def test_parts_of_wrong_types(entry):
    with pytest.raises(TypeError, match="Expected 'config' to be"):
        read(entry)
    assert read({"class_name": "Dense"}) == {"class_name": "Dense"}


def test_a_missing_file_is_also_a_wrong_value():
    for error in (ValueError, FileNotFoundError):
        with pytest.raises(error, match="File not found"):
            keras.saving.load_model("nowhere.keras")
