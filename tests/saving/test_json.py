"""`to_json` in the form of Keras 3, and in that of Keras 2 in programs for it."""

import json

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros import ops
from oneiros.core.errors import UnsafeModelError
from oneiros.models import model_from_json

X = np.random.RandomState(0).rand(4, 3).astype("float32")


@keras.saving.register_keras_serializable("json")
class Built(L.Layer):
    """Is built by numbers of its own."""

    def build(self, input_shape, width=2):
        self.width = width
        self.w = self.add_weight(shape=(input_shape[-1], width), name="w")

    def call(self, x):
        return ops.matmul(x, self.w)

    def get_build_config(self):
        return {"shape": [None, 3], "width": self.width}

    def build_from_config(self, config):
        self.build(tuple(config["shape"]), config["width"])


@keras.saving.register_keras_serializable("json")
def halved(x):
    return x / 2


def graph():
    layer = Built(name="built")
    layer.build((None, 3), 4)
    x = keras.Input((3,), name="x")
    y = layer(x)[:, 1:3] + 1.0
    y = L.Dense(2, halved, dtype="mixed_bfloat16", name="d")(2.0 - y)
    return keras.Model({"x": x}, {"y": ops.where(y > 0, y, 0.5)})


def test_the_form_of_keras_3():
    """The form is the one that Keras 3.15 writes for the same model."""
    text = graph().to_json(indent=1)
    assert text.startswith("{\n ")
    model = json.loads(text)
    assert (model["module"], model["class_name"]) == ("keras.src.models.functional", "Functional")
    layers = {layer["name"]: layer for layer in model["config"]["layers"]}
    assert layers["built"]["registered_name"] == "json>Built"
    assert layers["built"]["build_config"] == {"shape": [None, 3], "width": 4}
    assert [layer["class_name"] for layer in model["config"]["layers"]][2:5] == ["GetItem", "Add", "Subtract"]
    assert layers["d"]["config"]["dtype"] == {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_bfloat16"},
        "registered_name": None,
    }
    assert model["config"]["input_layers"] == {"x": ["x", 0, 0]}


def test_models_come_back_compiled():
    model = graph()
    model.compile(keras.optimizers.SGD(0.25), "mse", metrics=["mae"])
    again = model_from_json(model.to_json())
    assert float(again.optimizer.learning_rate) == 0.25
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again({"x": X})["y"], model({"x": X})["y"])
    assert model.get_compile_config()["optimizer"]["class_name"] == "SGD"
    again.compile_from_config(model.get_compile_config())
    assert float(again.optimizer.learning_rate) == 0.25


def test_unknown_classes_and_code_are_refused():
    config = json.loads(graph().to_json())
    config["config"]["layers"][1] |= {"module": "os", "class_name": "system", "registered_name": None}
    with pytest.raises(UnsafeModelError, match="system"):
        model_from_json(json.dumps(config))
    code = keras.Sequential([L.Input((3,)), L.Lambda(lambda x: x * 2)]).to_json()
    with pytest.raises(UnsafeModelError, match="Lambda"):
        model_from_json(code)
