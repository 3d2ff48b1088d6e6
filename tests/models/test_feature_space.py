"""FeatureSpace, against the numbers of Keras 3.15 on TensorFlow 2.21."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.utils import FeatureSpace, PyDataset

DATA = {
    "raw": [1.0, 2.0, 3.0, 4.0],
    "normal": [1.0, 2.0, 3.0, 4.0],
    "bins": [1.0, 2.0, 3.0, 4.0],
    "number": [1, 2, 2, 5],
    "hashed": list("xyzx"),
    "scaled": [1.0, 2.0, 3.0, 4.0],
    "word": list("aabc"),
    "big": [1, 2, 3, 400],
}
ARRAYS = {name: np.asarray(values)[:, None] for name, values in DATA.items()}
# Keras' outputs: numbers, or the sizes of vectors and where the one is.
OUTPUTS = {
    "raw": [1.0, 2.0, 3.0, 4.0],
    "normal": [-1.3416407, -0.4472136, 0.4472136, 1.3416407],
    "bins": (3, [0, 1, 2, 2]),
    "number": (4, [3, 1, 1, 2]),
    "hashed": (32, [2, 17, 25, 2]),
    "scaled": [3.0, 5.0, 7.0, 9.0],
    "word": (4, [1, 1, 3, 2]),
    "big": (32, [1, 7, 9, 17]),
    "bins_X_number": (32, [4, 9, 20, 27]),
    "number_X_hashed": (32, [19, 18, 17, 27]),
}
EXPECTED = {
    name: np.eye(found[0], dtype="float32")[found[1]] if isinstance(found, tuple) else np.float32(found)[:, None]
    for name, found in OUTPUTS.items()
}
VECTORS = np.concatenate(list(EXPECTED.values()), 1)


def space(adapted=True, **options):
    features = {
        "raw": "float",
        "normal": "float_normalized",
        "bins": FeatureSpace.float_discretized(num_bins=3),
        "number": "integer_categorical",
        "hashed": "string_hashed",
        "scaled": FeatureSpace.float_rescaled(scale=2.0, offset=1.0),
        "word": "string_categorical",
        "big": "integer_hashed",
    }
    made = FeatureSpace(features, crosses=[("bins", "number"), ("number", "hashed")], **options)
    if adapted:
        made.adapt(DATA)
    return made


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_vectors_are_those_of_keras():
    made = space()
    close(made(DATA), VECTORS)
    close(made(ARRAYS | {"unknown": 1}), VECTORS)
    close(made({name: values[2] for name, values in DATA.items()}), VECTORS[2])
    assert made.get_encoded_features().shape == (None, 142)
    found = space(output_mode="dict")(DATA)
    assert list(found) == list(EXPECTED)
    for name, values in found.items():
        close(values, EXPECTED[name])


class Tables(PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return {name: values[2 * i : 2 * i + 2] for name, values in ARRAYS.items()}, np.zeros(2)


def rows():
    return ({name: values[i] for name, values in DATA.items()} for i in range(4))


@pytest.mark.parametrize("data", [Tables, rows, lambda: iter([ARRAYS]), lambda: DATA])
def test_what_it_adapts_to(data):
    made = space(adapted=False)
    made.adapt(data())
    close(made(DATA), VECTORS)
    made.adapt(DATA | {"word": list("zzzz")})
    assert made.preprocessors["word"].get_vocabulary() == ["[UNK]", "z"] and made(DATA).shape == (4, 140)


def test_integers_and_layers_of_ones_own():
    cls = FeatureSpace
    made = cls(
        {
            "c": cls.float_discretized(num_bins=3, output_mode="int"),
            "d": cls.integer_categorical(output_mode="int"),
            "s": cls.string_categorical(),
            "t": cls.feature("string", layers.TextVectorization(output_sequence_length=3), "int"),
        },
        crosses=[cls.cross(("c", "d"), 8, output_mode="int"), ("s", "d")],
        output_mode="dict",
    )
    data = {"c": [1.0, 2.0, 3.0, 4.0], "d": [1, 2, 2, 5], "s": list("aabb"), "t": ["a b", "b c", "x y z", "z"]}
    made.adapt(data)
    found = made(data)
    assert found["c"].tolist() == [[0], [1], [2], [2]] and found["d"].tolist() == [[3], [1], [1], [2]]
    assert found["t"].tolist() == [[7, 3, 0], [3, 6, 0], [5, 4, 2], [2, 0, 0]]
    assert found["c_X_d"].tolist() == [[4], [1], [4], [3]]
    assert np.argmax(found["s_X_d"], 1).tolist() == [24, 20, 9, 13]
    assert {str(found[name].dtype) for name in ("c", "d", "t", "c_X_d")} == {"int32"}
    assert {name: s.shape[1] for name, s in made.get_encoded_features().items()}["t"] == 3


def test_bins_of_little_data():
    made = FeatureSpace({"a": "float_discretized"}, num_discretization_bins=6)
    made.adapt({"a": [1.0, 2.0, 3.0]})
    assert made({"a": [5.0]}).tolist() == [[0, 0, 1, 0, 0, 0]]  # as wide as was asked for


def test_what_is_given_is_not_learnt():
    cls = FeatureSpace
    made = cls(
        {
            "a": cls.feature("float32", layers.Normalization(mean=12.0, variance=4.0), "float"),
            "b": cls.feature("string", layers.StringLookup(vocabulary=["x", "y"]), "one_hot"),
            "c": cls.float_discretized(num_bins=None, bin_boundaries=[0.0]),
        }
    )
    data = {"a": [14.0, 8.0], "b": ["y", "z"], "c": [-1.0, 1.0]}
    wanted = [[1, 0, 0, 1, 1, 0], [-2, 1, 0, 0, 0, 1]]
    close(made(data), wanted)
    made.adapt({"a": [1.0], "b": ["q"], "c": [7.0]})
    close(made(data), wanted)


def test_models(tmp_path):
    made = space()
    head = layers.Dense(2)
    whole = keras.Model(made.get_inputs(), head(made.get_encoded_features()))
    trained = keras.Model(made.get_encoded_features(), head(made.get_encoded_features()))
    trained.compile("sgd", "mse")
    trained.fit(made(ARRAYS), np.zeros((4, 2)), verbose=0)
    found = whole.predict(ARRAYS, verbose=0)
    close(found, trained.predict(made(ARRAYS), verbose=0))
    inputs = {name: keras.Input((1,), dtype=s.dtype, name=name) for name, s in made.get_inputs().items()}
    nested = keras.Model(inputs, head(made(inputs)))
    close(nested.predict(ARRAYS, verbose=0), found)
    for model in (whole, nested):
        model.save(tmp_path / "model.keras")
        close(keras.models.load_model(tmp_path / "model.keras").predict(ARRAYS, verbose=0), found)


def test_integers_in_compiled_models():
    made = FeatureSpace({"a": "integer_categorical", "b": "integer_hashed"}, crosses=[("a", "b")])
    data = {"a": np.array([[1], [2], [2]]), "b": np.array([[7], [8], [-9]])}
    made.adapt(data)
    model = keras.Model(made.get_inputs(), layers.Dense(1)(made.get_encoded_features()))
    model.compile("sgd", "mse")
    model.fit(data, np.zeros((3, 1)), verbose=0)
    close(model.predict(data, verbose=0), model(data))


def test_files(tmp_path):
    space().save(tmp_path / "space.keras")
    again = keras.models.load_model(tmp_path / "space.keras")
    close(again(DATA), VECTORS)
    again.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    close(again(DATA), VECTORS)
    again.adapt({**DATA, "word": list("zzzz")})
    assert again.preprocessors["word"].get_vocabulary() == ["[UNK]", "z"]
    close(FeatureSpace.from_config(FeatureSpace({"raw": "float"}).get_config())({"raw": [3.0]}), [[3.0]])


def test_mistakes():
    with pytest.raises(ValueError, match="cannot be None or empty"):
        FeatureSpace({})
    with pytest.raises(ValueError, match="`crossing_dim`"):
        FeatureSpace({"a": "float"}, crosses=[("a", "a")], crossing_dim=None)
    with pytest.raises(ValueError, match="should be present in"):
        FeatureSpace({"a": "float"}, crosses=[("a", "b")])
    with pytest.raises(ValueError, match="output_mode"):
        FeatureSpace({"a": "float"}, output_mode="unknown")
    with pytest.raises(ValueError, match="invalid type of feature"):
        FeatureSpace({"a": "nothing"})
    unlearnt = FeatureSpace({"a": "integer_categorical"})
    for use in (lambda: unlearnt({"a": [1]}), unlearnt.get_encoded_features):
        with pytest.raises(ValueError, match=r"You need to call `.adapt"):
            use()
    for data, message in [([1, 2], "a dictionary of columns"), (iter([1]), "needs dictionaries"), (iter([]), "empty")]:
        with pytest.raises(ValueError, match=message):
            unlearnt.adapt(data)
    raw = FeatureSpace({"a": "float"})
    with pytest.raises(ValueError, match="called with a dict"):
        raw([1.0])
    with pytest.raises(ValueError, match="'a' is missing"):
        raw({"b": [1.0]})
    hashed = FeatureSpace({"a": FeatureSpace.string_hashed(4, output_mode="int")})
    with pytest.raises(ValueError, match="cannot concatenate"):
        hashed({"a": ["x"]})
    unknown = FeatureSpace({"a": FeatureSpace.feature("int32", layers.Identity(), "one_hot")})
    with pytest.raises(ValueError, match="not known"):
        unknown({"a": [1]})
