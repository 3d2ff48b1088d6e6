"""What models take as inputs: types, shapes, optional ones, structures; and copies of models."""

import numpy as np
import pytest

import oneiros
from oneiros import layers, ops
from oneiros.core.errors import InputDataError

ONES = np.ones((2, 3), "float32")


class Shift(layers.Layer):
    """The sum of its input and an offset that may be missing."""

    def call(self, x, offset=None):
        return x if offset is None else x + offset


def shifted():
    x, offset = layers.Input((3,), name="x"), layers.Input((3,), name="offset", optional=True)
    return oneiros.Model({"x": x, "offset": offset}, Shift()(x, offset))


def test_data_get_the_type_of_the_input():
    x = layers.Input((2,), dtype="int32")
    model = oneiros.Model(x, x + 2)
    np.testing.assert_array_equal(model(np.full((2, 2), 1.7)), np.full((2, 2), 3))
    assert str(model(np.ones((2, 2))).dtype) == "int32"


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4), (3,)])
def test_models_take_the_shapes_that_they_were_made_for(shape):
    x = layers.Input((3,), name="x")
    model = oneiros.Model(x, ops.abs(x))
    with pytest.raises(InputDataError, match=r"input x: expected an array of shape \(None, 3\)"):
        model(np.ones(shape))


def test_an_input_spec_of_the_user_is_checked():
    x = layers.Input((None, 3))
    model = oneiros.Model(x, layers.Dense(2)(x))
    model.input_spec = layers.InputSpec(shape=(None, 4, 3))
    with pytest.raises(InputDataError, match=r"expected shape \(None, 4, 3\)"):
        model(np.zeros((2, 3, 3)))
    assert model(np.zeros((2, 4, 3))).shape == (2, 4, 2)


@pytest.mark.filterwarnings("ignore:.*no trainable weights")
@pytest.mark.parametrize("offset", [None, 2 * ONES])
def test_optional_inputs(offset):
    model, data = shifted(), {"x": ONES, "offset": offset}
    expected = ONES if offset is None else ONES + offset
    np.testing.assert_array_equal(model(data), expected)
    np.testing.assert_array_equal(model.predict(data, verbose=0), expected)
    model.compile("sgd", "mse")
    assert model.fit(data, expected + 1, verbose=0).history["loss"] == pytest.approx([1.0])
    assert model.evaluate(data, expected + 2, verbose=0) == pytest.approx(4.0)
    batches = [(data, expected + 3)] * 3
    assert model.fit((batch for batch in batches), verbose=0).history["loss"] == pytest.approx([9.0])


def test_optional_inputs_are_kept_in_configurations():
    model = oneiros.Model.from_config(shifted().get_config(), {"Shift": Shift})
    np.testing.assert_array_equal(model({"x": ONES, "offset": None}), ONES)


def test_other_inputs_are_not_optional():
    x, y = layers.Input((3,), name="x"), layers.Input((3,), name="y")
    model = oneiros.Model([x, y], layers.add([x, y]))
    with pytest.raises(InputDataError, match="the input 'y' of model .* is not optional, but None was given"):
        model([ONES, None])


class Swap(layers.Layer):
    """Two arrays in the other order."""

    def call(self, pair):
        return [pair[1], pair[0]]


class Difference(layers.Layer):
    """The first of two arrays minus the second."""

    def call(self, pair):
        return pair[0] - pair[1]


def test_a_chain_of_layers_that_take_several():
    model = oneiros.Sequential([Swap(), Difference()])
    np.testing.assert_array_equal(model([ONES, 3 * ONES]), 2 * ONES)
    np.testing.assert_array_equal(model.predict([ONES, 3 * ONES], verbose=0), 2 * ONES)
    swapped = oneiros.Sequential([Swap()])([ONES, 3 * ONES])
    assert isinstance(swapped, list) and float(swapped[0][0, 0]) == 3.0


def test_a_chain_is_not_built_for_another_shape():
    model = oneiros.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.build((None, 3))
    with pytest.raises(InputDataError, match=r"is built, its input: expected an array of shape \(None, 3\)"):
        model.build((None, 4))


def test_shapes_are_not_known_before_the_model_is_built():
    assert not hasattr(oneiros.Sequential([layers.Dense(2)]), "output_shape")


# --- copies


def perceptron():
    x = layers.Input((3,))
    return oneiros.Model(x, layers.Dense(2)(layers.Dense(4)(x)))


def nested():
    x = layers.Input((5,))
    return oneiros.Model(x, layers.Dense(2)(perceptron()(layers.Dense(3)(x))))


def test_calls_of_a_copy_may_be_changed():
    def twice(layer, *args, **kwargs):
        out = layer(*args, **kwargs)
        return 2 * out if isinstance(layer, layers.Dense) else out

    model = perceptron()
    copy = oneiros.models.clone_model(model, clone_function=lambda layer: layer, call_function=twice)
    np.testing.assert_allclose(copy(ONES), 4 * model(ONES) - 0 * ONES[:, :2], rtol=1e-5)  # all biases are zero


@pytest.mark.parametrize("recursive", [False, True])
def test_functions_reach_models_inside_if_asked_to(recursive):
    seen = []

    def same(layer):
        seen.append(type(layer).__name__)
        return layer

    model = nested()
    copy = oneiros.models.clone_model(model, clone_function=same, recursive=recursive)
    np.testing.assert_allclose(copy(np.ones((2, 5))), model(np.ones((2, 5))), rtol=1e-6)
    assert sorted(seen) == (["Dense"] * 4 if recursive else ["Dense", "Dense", "Model"])


def test_functions_reach_chains_that_are_not_built():
    seen = []
    model = oneiros.Sequential([layers.Dense(2), oneiros.Sequential([layers.Dense(2), layers.Dense(2)])])
    oneiros.models.clone_model(model, clone_function=lambda layer: seen.append(layer) or layer, recursive=True)
    assert len(seen) == 3


def test_a_copy_is_compiled_as_the_model():
    model = oneiros.Sequential([layers.Input((3,)), layers.Dense(1)])
    assert not oneiros.models.clone_model(model).compiled
    model.compile(oneiros.optimizers.Adam(0.25), "mae")
    copy = oneiros.models.clone_model(model)
    assert copy.loss == "mae" and float(copy.optimizer.learning_rate) == 0.25
    assert copy.optimizer is not model.optimizer


class Own(oneiros.Model):
    """A model that computes in Python."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dense = units, layers.Dense(units)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"units": self.units}


def test_a_model_of_ones_own_is_copied_by_its_configuration():
    copy = oneiros.models.clone_model(Own(4))
    assert copy(ONES).shape == (2, 4)
    with pytest.raises(ValueError, match="copied only as a whole"):
        oneiros.models.clone_model(Own(4), clone_function=lambda layer: layer)


def test_input_tensors_have_the_structure_of_the_inputs():
    x, y = layers.Input((3,), name="x"), layers.Input((3,), name="y")
    model = oneiros.Model({"x": x, "y": y}, x - y)
    a, b = layers.Input((3,)), layers.Input((3,))
    copy = oneiros.models.clone_model(model, input_tensors={"y": b, "x": a})
    np.testing.assert_array_equal(copy({"x": 3 * ONES, "y": ONES}), 2 * ONES)
    assert copy.input["y"] is b
    with pytest.raises(ValueError, match="input_tensors must have the structure of model.input"):
        oneiros.models.clone_model(model, input_tensors=(a, b))
