"""Weights in shards, in safetensors and in folders, with state that classes save in a way of their own."""

import io
import json
import os
import struct

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.models import load_model

X = np.random.RandomState(0).rand(4, 3).astype("float32")


def small(width=40):
    model = keras.Sequential([L.Input((3,)), L.Dense(width, name="first"), L.Dense(2, name="last")])
    model.compile("adam", "mse")
    model.train_on_batch(X, X[:, :2])
    return model


def assert_same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    for x, y in zip(a.optimizer.variables, b.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


@pytest.mark.parametrize("name", ["w.safetensors", "w.weights.json", "w.weights.h5"])
def test_weights_and_optimizer_come_back(tmp_path, name):
    model, fresh = small(), small()
    model.save_weights(tmp_path / name, max_shard_size=None if "safe" in name else 600 / 2**30)
    fresh.load_weights(tmp_path / name.replace(".h5", ".json"))
    assert_same(model, fresh)


def test_shards_are_those_of_keras(tmp_path):
    """The rule: an array that does not fit the current file begins a new one."""
    model = small()
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=600 / 2**30)
    index = json.loads((tmp_path / "w.weights.json").read_text())
    assert index["metadata"]["total_size"] == 4 * (3 * (120 + 40 + 80 + 2) + 2)
    assert index["weight_map"]["/layers/dense/vars"] == ["w_00000.weights.h5", "w_00001.weights.h5"]
    assert sorted(os.listdir(tmp_path))[0] == "w.weights.json"
    with h5py.File(tmp_path / "w_00001.weights.h5") as file:
        assert file["layers/dense/vars/1"].shape == (40,)
    with pytest.raises(ValueError, match="exceeds the maximum shard size"):
        model.save_weights(tmp_path / "w.weights.json", max_shard_size=100 / 2**30)
    with pytest.raises(InputDataError, match="max_shard_size"):
        model.save_weights(tmp_path / "w.weights.json")


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        (["../other.weights.h5"], UnsafeModelError, "not beside"),
        (["/etc/passwd"], UnsafeModelError, "not beside"),
        ([".."], UnsafeModelError, "not beside"),
        (["link.weights.h5"], UnsafeModelError, "not beside"),
        (["gone.weights.h5"], CorruptFileError, "not there"),
        ([3], CorruptFileError, "weight_map"),
        (None, CorruptFileError, "weight_map"),
        (["w_00000.weights.h5", "copy.weights.h5"], CorruptFileError, "several files hold"),
    ],
)
def test_hostile_indices(tmp_path, files, error, message):
    model = small()
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=1)
    (tmp_path / "copy.weights.h5").write_bytes((tmp_path / "w_00000.weights.h5").read_bytes())
    os.symlink(tmp_path / "w_00000.weights.h5", tmp_path / "link.weights.h5")
    weight_map = None if files is None else {"/layers/dense/vars": files}
    (tmp_path / "w.weights.json").write_text(json.dumps({"weight_map": weight_map}))
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.load_weights(tmp_path / "w.weights.json")
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def tensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


F = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        tensors({}, length=2**63),
        tensors({}, length=100),
        tensors(b" {}"),
        tensors(b'{"a":1,"a":2}'),
        tensors({"a": F | {"dtype": "Q4"}}, bytes(8)),
        tensors({"a": F}, bytes(9)),
        tensors({"a": F}, bytes(7)),
        tensors({"a": F, "b": F}, bytes(8)),
        tensors({"a": F, "b": F | {"data_offsets": [12, 20]}}, bytes(20)),
        tensors({"a": F | {"data_offsets": [8, 0]}}, bytes(8)),
        tensors({"a": F | {"shape": [-1, -2]}}, bytes(8)),
        tensors({"a": F | {"shape": [2**40, 2**40]}}, bytes(8)),
        tensors({"a": F | {"shape": [True, 2]}}, bytes(8)),
        tensors({"a": F | {"shape": "ab"}}, bytes(8)),
        tensors({"a": {}}, bytes(8)),
        tensors({"../a": F}, bytes(8)),
        tensors({"__metadata__": {"a": 3}}),
        tensors(b"{" * 3),
    ],
    ids=range(20),
)
def test_hostile_safetensors(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(CorruptFileError, match="w.safetensors"):
        small().load_weights(tmp_path / "w.safetensors")


def test_a_deep_header(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(tensors(b'{"a":' + b"[" * 500 + b"]" * 500 + b"}"))
    with pytest.raises(LimitExceededError, match="nesting"):
        small().load_weights(tmp_path / "w.safetensors")


def test_safetensors_keep_types(tmp_path):
    """The layout of the file, as its specification has it."""
    model = keras.Sequential([L.Input((3,)), L.Dense(2, dtype="bfloat16", name="d")])
    model.save_weights(tmp_path / "w.safetensors")
    data = (tmp_path / "w.safetensors").read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    assert header["layers/dense/vars/0"] == {"dtype": "BF16", "shape": [3, 2], "data_offsets": [0, 12]}
    assert header["__metadata__"]["layers/dense/vars"] == "d"
    assert length % 8 == 0
    words = np.frombuffer(data[8 + length :][:12], "<u2").astype("<u4") << 16  # bfloat16 is the upper half of float32
    np.testing.assert_array_equal(words.view("<f4").reshape(3, 2), np.asarray(model.layers[0].kernel, "float32"))
    other = keras.Sequential([L.Input((3,)), L.Dense(2, dtype="bfloat16")])
    other.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(np.asarray(other.layers[0].kernel), np.asarray(model.layers[0].kernel))


@keras.saving.register_keras_serializable("containers")
class Own(L.Layer):
    """Has state that is no weight, and a file of its own."""

    def build(self, input_shape):
        self.state, self.text = np.zeros(2), ""
        self.dense = L.Dense(2)
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x)

    def save_own_variables(self, store):
        store["state"] = self.state

    def load_own_variables(self, store):
        self.state = np.array(store["state"])

    def save_assets(self, inner_path):
        with open(os.path.join(inner_path, "text.txt"), "w") as file:
            file.write(self.text)

    def load_assets(self, inner_path):
        with open(os.path.join(inner_path, "text.txt")) as file:
            self.text = file.read()


def with_own_state():
    model = keras.Sequential([L.Input((3,)), Own()])
    model.layers[0].state, model.layers[0].text = np.array([1.0, 2.0]), "hello"
    return model


@pytest.mark.parametrize("kind", ["archive", "folder", "open file"])
def test_own_state_and_assets(tmp_path, kind):
    target = {"archive": tmp_path / "m.keras", "folder": tmp_path / "m", "open file": io.BytesIO()}[kind]
    model = with_own_state()
    for _ in range(2):  # a second time over the first
        if kind == "open file":
            target.seek(0)
        keras.saving.save_model(model, target, zipped=kind != "folder")
    if kind == "open file":
        target.seek(0)
    loaded = load_model(target)
    assert loaded.layers[0].text == "hello"
    assert loaded.layers[0].state.tolist() == [1, 2]
    np.testing.assert_array_equal(loaded(X), model(X))


def test_a_folder_with_links_is_refused(tmp_path):
    with_own_state().save(tmp_path / "m", zipped=False)
    os.rename(tmp_path / "m/model.weights.h5", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", tmp_path / "m/model.weights.h5")
    with pytest.raises(UnsafeModelError, match="symlink"):
        load_model(tmp_path / "m")
    with pytest.raises(InputDataError, match="should not end in"):
        with_own_state().save(tmp_path / "m.keras", zipped=False)


def test_objects_to_skip(tmp_path):
    model, fresh = small(), small()
    before = fresh.get_weights()
    keras.saving.save_weights(model, tmp_path / "w.weights.h5", objects_to_skip=[model.layers[0]])
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert "dense" not in file["layers"]
    fresh.load_weights(tmp_path / "w.weights.h5", objects_to_skip=[fresh.layers[0]])
    np.testing.assert_array_equal(fresh.get_weights()[0], before[0])
    np.testing.assert_array_equal(fresh.get_weights()[2], model.get_weights()[2])


def test_skip_mismatch_takes_what_fits(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    other = keras.Sequential([L.Input((3,)), L.Dense(40), L.Dense(5), L.Dense(1)])
    with pytest.warns(UserWarning, match="Skipping the weights"):
        other.load_weights(tmp_path / "m.keras", skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


@keras.saving.register_keras_serializable("containers")
class Compiles(keras.Sequential):
    def compile(self, *args, **kwargs):
        super().compile(*args, **kwargs)


@keras.saving.register_keras_serializable("containers")
class CompilesAgain(Compiles):
    def get_compile_config(self):
        return {"rate": 0.25}

    def compile_from_config(self, config):
        self.compile(keras.optimizers.SGD(config["rate"]), "mse")


def test_compile_of_their_own(tmp_path):
    model = Compiles([L.Input((3,)), L.Dense(2)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="was not called as part of model loading"):
        assert load_model(tmp_path / "m.keras").optimizer is None
    model = CompilesAgain([L.Input((3,)), L.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras", include_optimizer=True)
    assert float(load_model(tmp_path / "m.keras").optimizer.learning_rate) == 0.25


def test_arguments_that_a_whole_model_cannot_take(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    for option in ({"by_name": True}, {"objects_to_skip": []}):
        with pytest.raises(InputDataError, match="only supports"):
            model.load_weights(tmp_path / "m.keras", **option)
    fresh = small()
    keras.saving.load_weights(fresh, tmp_path / "m.keras")
    assert_same(model, fresh)


def test_layers_that_are_at_another_place(tmp_path):
    """Behind a property; and as Keras until 3.13 wrote lists in lists, whose layers it had under `layers` alone."""

    class Named(keras.Model):
        def __init__(self):
            super().__init__()
            self.a_dense = L.Dense(2)

        @property
        def dense(self):
            return self.a_dense

        @property
        def broken(self):
            raise KeyError

        def call(self, x):
            return self.a_dense(x)

    class Nested(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [(L.Dense(2),), (L.Dense(2),)]

        def call(self, x):
            return self.blocks[1][0](self.blocks[0][0](x))

    kernels = [np.full((3, 2), 0.5), np.full((2, 2), 2.0)]
    for model, places in ((Named(), ["dense"]), (Nested(), ["layers/dense", "layers/dense_1"])):
        model(X)
        with h5py.File(tmp_path / "w.weights.h5", "w") as file:
            file.create_group("vars")
            for place, kernel in zip(places, kernels):
                file[f"{place}/vars/0"], file[f"{place}/vars/1"] = kernel, np.zeros(2)
        model.load_weights(tmp_path / "w.weights.h5")
        for found, kernel in zip(model.get_weights()[::2], kernels):
            np.testing.assert_array_equal(found, kernel)
