"""What common mistakes with layers are told: the parts that a user needs."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest

from oneiros import Model, Sequential, ops
from oneiros.core.errors import InputDataError
from oneiros.layers import (
    LSTM,
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Dot,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    MaxPooling2D,
)

X = np.ones((2, 4), "float32")


def told(function, *parts, error=InputDataError):
    """All parts stand in the message or its notes."""
    with pytest.raises(error) as info:
        function()
    text = "\n".join([str(info.value), *getattr(info.value, "__notes__", ())])
    for part in parts:
        assert part in text, text


class NoSuper(Layer):
    def __init__(self):
        self.dense = Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


class WeightFirst(Layer):
    def __init__(self):
        self.kernel = self.add_weight("kernel", (3,))
        super().__init__()


class NoSuperModel(Model):
    def __init__(self):
        self.dense = Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


class AttributesFirst(Layer):
    def __init__(self):
        self.size, self.dense = 3, Dense(3)
        super().__init__(name="late")

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (lambda: NoSuper()(X), "NoSuper"),
        (lambda: NoSuper()(Input((4,))), "NoSuper"),
        (lambda: Sequential([Input((4,)), NoSuper()]), "NoSuper"),
        (lambda: NoSuper().name, "NoSuper"),
        (WeightFirst, "WeightFirst"),
        (lambda: NoSuperModel().compile("sgd", "mse"), "NoSuperModel"),
        (lambda: NoSuperModel()(X), "NoSuperModel"),
    ],
)
def test_constructors_that_forget_super(use, name):
    told(use, f"{name}: __init__ did not call super().__init__()", "first line", error=RuntimeError)


def test_attributes_may_be_set_before_super():
    assert AttributesFirst()(X).shape == (2, 3)


class NoReturn(Layer):
    def call(self, inputs):
        inputs * 2


class NoReturnModel(Model):
    def call(self, inputs):
        inputs * 2


class ReturnsText(Layer):
    def call(self, inputs):
        return {"out": inputs, "note": "text"}


def test_calls_without_a_result():
    for layer in (NoReturn(name="mine"), NoReturnModel(name="mine")):
        kind = type(layer)
        place = f"{__file__}:{kind.call.__code__.co_firstlineno}"
        for inputs in (X, Input((4,))):
            told(
                lambda x=inputs, f=layer: f(x),
                f"Layer mine ({kind.__name__})",
                "call() returned None",
                "`return`",
                place,
            )
    told(lambda: ReturnsText(name="mine")(X), "Layer mine (ReturnsText)", "must return tensors", "'text' of type str")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("abc", ["expected numbers", "text: 'abc'", "Tokenizer"]),
        (["abc", "de"], ["expected numbers", "text: 'abc'", "Tokenizer"]),
        (np.array([["abc"]]), ["expected numbers", "<U3", "Tokenizer"]),
        (np.array([b"abc"]), ["expected numbers", "|S3", "Tokenizer"]),
        (np.array([[1], "a"], object), ["expected numbers", "dtype object", "pad_sequences"]),
        (None, ["expected a tensor", "None", "`return`"]),
        (object(), ["expected a tensor", "<object object", "of type object"]),
        (np.array(["2020-01-01"], "datetime64[D]"), ["expected numbers", "datetime64"]),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "layer", [Dense(3, name="mine"), Embedding(3, 2, name="mine"), Activation("relu", name="mine")]
)
def test_inputs_that_are_no_tensors(layer, value, parts):
    told(lambda: layer(value), f"Layer mine ({type(layer).__name__})", *parts)


def test_symbols_of_another_model():
    other = Dense(4, name="other")(Input((4,), name="elsewhere"))
    dense = Dense(2)
    for code in (
        lambda x: x + other,
        lambda x: ops.concatenate([x, other]),
        lambda x: dense(other),
        lambda x: jnp.concatenate([x, other]),
    ):

        class Captures(Layer):
            def call(self, inputs, code=code):
                return code(inputs)

        for inputs in (X, Input((4,))):
            layer = Captures(name="mine")
            told(
                lambda f=layer, x=inputs: f(x), "Layer mine (Captures)", "none of its inputs", "layer([inputs, other])"
            )


def left_and_right(left, right, layer=Dense):
    return [layer(3, name="left")(Input(left)), layer(5, name="right")(Input(right))]


def test_a_call_without_inputs():
    told(lambda: Dense(2, name="mine")(), "layer 'mine' (Dense) without inputs", "layer(x)", error=Exception)


def test_merging_different_shapes():
    sources = ["(None, 3) from layer 'left' (Dense)", "(None, 5) from layer 'right' (Dense)"]
    pair = left_and_right((4,), (4,))
    told(lambda: Add(name="sum")(pair), "Layer sum (Add)", "On axis 1 the sizes are 3 and 5", "Concatenate", *sources)
    told(lambda: Dot(1, name="dot")(pair), "Layer dot (Dot)", "has size 3", "the second 5", *sources)
    pair = left_and_right((6, 4), (7, 4))
    told(lambda: Concatenate(name="join")(pair), "Layer join (Concatenate)", "On axis 1 they differ", "layer 'right'")
    told(
        lambda: Dense(2, name="mine")(pair),
        "Layer mine (Dense) expects 1 input(s), received 2",
        "Concatenate()([a, b])",
    )


def test_channels_at_the_other_end():
    first = np.ones((2, 3, 8, 8), "float32")
    said = ["channels-first", "np.moveaxis(x, 1, -1)", 'data_format="channels_first"']
    model = Sequential([Input((8, 8, 3)), Conv2D(2, 3)])
    told(lambda: model.predict(first, verbose=0), *said)
    told(lambda: model(first), *said)
    told(lambda: Sequential([Input((8, 8, 3)), BatchNormalization()])(first), *said)
    told(lambda: Sequential([Input((3, 9, 9)), Conv2D(2, 3), MaxPooling2D()]), "MaxPooling2D", *said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Sequential([Input((3, 8, 8)), BatchNormalization(axis=1)])
    told(lambda: model.predict(np.ones((2, 8, 8, 3)), verbose=0), "channels-last", "np.moveaxis(x, -1, 1)")


def test_axes_that_a_layer_before_has_removed():
    told(
        lambda: Sequential([Input((5, 3)), LSTM(4, name="a"), LSTM(4, name="b")]),
        "layer b",
        "return_sequences=True",
        "Layer a",
    )
    for after in (LSTM(4, name="b"), Conv1D(4, 2, name="b")):
        told(
            lambda f=after: Sequential([Input((5, 3)), Flatten(name="a"), f]),
            "layer b",
            "Layer a (Flatten)",
            "leave it out",
        )


def test_a_sample_without_its_batch():
    for shape, layer in (((4,), Dense(2)), ((8, 8, 3), Conv2D(2, 3))):
        model = Sequential([Input(shape), layer])
        told(
            lambda m=model, s=shape: m.predict(np.ones(s), verbose=0),
            str((None, *shape)),
            "batch axis",
            "x[np.newaxis]",
        )
    told(lambda: Conv2D(2, 3, name="mine")(np.ones((8, 8, 3))), "mine", "batch axis", "x[np.newaxis]")


def test_errors_of_layers_without_a_name_show_the_cause():
    class Odd(Layer):
        def __init__(self):
            super().__init__()
            del self.name

        def call(self, inputs):
            raise KeyError("mine")

    told(lambda: Odd()(X), "mine", error=KeyError)
    told(lambda: Lambda(lambda x: x.nothing)({"a": X, "b": None}), "nothing", error=AttributeError)
