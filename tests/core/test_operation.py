"""Operations of a user's own, and functions cut out of a graph."""

import numpy as np
import pytest

import oneiros as keras

X = np.arange(6, dtype="float32").reshape(2, 3)


class Scaled(keras.Operation):
    def __init__(self, factor, *, shift=1.0, name=None):
        super().__init__(name=name)
        self.factor, self.shift = factor, shift

    def call(self, x):
        return x * self.factor + self.shift


class Halves(keras.Operation):
    def call(self, x):
        return keras.ops.split(x, 2, axis=-1)

    def compute_output_spec(self, x):
        half = (*x.shape[:-1], x.shape[-1] // 2)
        return [keras.KerasTensor(half, x.dtype), keras.KerasTensor(half, x.dtype)]


def test_an_operation_takes_arrays_and_symbols():
    scaled, x = Scaled(2.0, name="scaled"), keras.Input((3,))
    with pytest.raises(AttributeError, match="never been called"):
        scaled.input  # noqa: B018
    y = scaled(x)
    assert (scaled.input, scaled.output, y.shape) == (x, y, (None, 3))
    np.testing.assert_allclose(scaled(X), 2 * X + 1)
    np.testing.assert_allclose(keras.Model(x, y).predict(X, verbose=0), 2 * X + 1)
    assert Scaled.from_config(scaled.get_config()).get_config() == {"factor": 2.0, "shift": 1.0, "name": "scaled"}


def test_an_operation_may_say_its_shapes():
    left, right = Halves()(keras.Input((8,)))
    assert left.shape == right.shape == (None, 4)
    model = keras.Model(left.node.inputs[0], [right, left])
    found = model.predict(np.arange(8.0)[None], verbose=0)
    assert [part.tolist() for part in found] == [[[4, 5, 6, 7]], [[0, 1, 2, 3]]]


@pytest.mark.parametrize("name", ["a/b", 3])
def test_names_of_operations(name):
    with pytest.raises(ValueError, match="without '/'"):
        Scaled(1.0, name=name)


def test_an_operation_must_compute():
    with pytest.raises(NotImplementedError, match=r"needs a method call\(self, \.\.\.\)"):
        keras.Operation()(X)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_models_with_operations_are_saved(tmp_path, suffix):
    x, scaled = keras.Input((3,)), Scaled(2.0, shift=0.5)
    model = keras.Model(x, scaled(keras.layers.Dense(3)(scaled(x))))
    model.save(tmp_path / f"model.{suffix}")
    loaded = keras.models.load_model(tmp_path / f"model.{suffix}", custom_objects={"Scaled": Scaled}, compile=False)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    with pytest.raises(ValueError, match="Scaled"):
        keras.models.load_model(tmp_path / f"model.{suffix}")


def test_methods_of_symbols_are_saved(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, x.reshape((-1, 2, 2, 1)).squeeze(-1).astype("float32"))
    model.save(tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras").predict(np.arange(4.0)[None], verbose=0)
    assert found.tolist() == [[[0, 1], [2, 3]]]


def test_a_function_of_a_graph():
    x, y = keras.Input((3,)), keras.Input((3,))
    total = Scaled(3.0)(x + y)
    function = keras.Function({"x": x, "y": y}, {"total": total, "square": x**2}, name="f")
    found = function({"x": X, "y": 2 * X})
    np.testing.assert_allclose(found["total"], 9 * X + 1)
    np.testing.assert_allclose(found["square"], X**2)
    assert function.compute_output_shape({"x": (7, 3), "y": (7, 3)}) == {"total": (7, 3), "square": (7, 3)}
    other = function({"x": keras.KerasTensor((4, 3)), "y": keras.KerasTensor((4, 3))})
    assert other["total"].shape == (4, 3) and function.output[0].shape == (4, 3)
    scaled = total.node.inputs[0]
    np.testing.assert_allclose(keras.Function(scaled, total)(X), 3 * X + 1)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (X, "invalid input structure"),
        ([X], "invalid input structure"),
        ([X, X, X], "invalid input structure"),
        ([X[..., None], X], "incompatible inputs"),
        ([X[:, :2], X], "incompatible inputs"),
    ],
)
def test_what_a_function_refuses(inputs, message):
    x, y = keras.Input((3,)), keras.Input((3,))
    with pytest.raises(ValueError, match=message):
        keras.Function([x, y], x + y)(inputs)


def test_what_no_function_is_made_of():
    x = keras.Input((3,))
    for inputs, outputs, message in (
        (x, [], "outputs` argument cannot be empty"),
        ([], x, "inputs` argument cannot be empty"),
        (x, 3, "must be symbols"),
        (x, keras.Input((3,)) * 2, "disconnected"),
    ):
        with pytest.raises(ValueError, match=message):
            keras.Function(inputs, outputs)
