"""Files in the format of Keras 3: what damaged and hostile ones give, and what the exchange with Keras cannot show."""

import io
import json
import os
import stat
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core.errors import CorruptFileError, LimitExceededError, UnsafeModelError
from oneiros.models import load_model

X = np.random.RandomState(0).rand(4, 3).astype("float32")


def small():
    model = keras.Sequential([L.Input((3,)), L.Dense(4, "relu", name="first"), L.Dense(2, name="last")])
    model.compile("adam", "mse")
    model.train_on_batch(X, X[:, :2])
    return model


@pytest.fixture
def path(tmp_path):
    small().save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, entries, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in entries:
                archive.writestr(name, content)


def test_a_file_is_replaced_by_a_complete_one_only(path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(h5py.Group, "create_dataset", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        small().save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.keras"]


def test_weights_alone(path):
    fresh = keras.Sequential([L.Input((3,)), L.Dense(4, "relu", name="first"), L.Dense(2, name="last")])
    fresh.load_weights(path)
    np.testing.assert_array_equal(fresh.get_weights()[0], load_model(path).get_weights()[0])


def test_weights_by_name(tmp_path):
    model = small()
    model.save_weights(tmp_path / "a.weights.h5")
    other = keras.Sequential([L.Input((4,)), L.Dense(2, name="last"), L.Dense(4, name="more")])
    before = other.get_weights()
    other.load_weights(tmp_path / "a.weights.h5", by_name=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[2])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda e: [*e, ("config.json", b"{}")], CorruptFileError, "'config.json' twice"),
        (lambda e: [*e, ("../evil", b"")], UnsafeModelError, "leads outside"),
        (lambda e: [*e, ("/etc/evil", b"")], UnsafeModelError, "leads outside"),
        (lambda e: [*e, ("a\\b", b"")], UnsafeModelError, "leads outside"),
        (lambda e: [x for x in e if x[0] != "config.json"], CorruptFileError, "has no config.json"),
        (lambda e: [x for x in e if x[0] != "model.weights.h5"], CorruptFileError, "has no model.weights.h5"),
        (lambda e: [(n, b"{" if n == "config.json" else c) for n, c in e], CorruptFileError, "JSON"),
        (lambda e: [(n, b"[" * 9999 if n == "config.json" else c) for n, c in e], LimitExceededError, "nesting"),
        (lambda e: [(n, c[: len(c) // 2] if n.endswith("h5") else c) for n, c in e], CorruptFileError, "model.weights"),
        (lambda e: [(n, b"text" if n.endswith("h5") else c) for n, c in e], CorruptFileError, "model.weights.h5"),
    ],
    ids=["twice", "up", "root", "backslash", "no config", "no weights", "bad JSON", "deep", "cut", "no HDF5"],
)
def test_other_archives(path, change, error, message):
    write(path, change(list(members(path).items())))
    for load in (load_model, small().load_weights):
        if "config" in message or error is UnsafeModelError or "weights" in message:
            with pytest.raises(error, match=f"model.keras.*{message}"):
                load(path)
    with pytest.raises(error, match=message):
        load_model(path)


def test_links_in_an_archive(path):
    entries = members(path)
    link = zipfile.ZipInfo("model.weights.h5")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries.pop("model.weights.h5")
    write(path, [*entries.items(), (link, "/etc/passwd")])
    with pytest.raises(UnsafeModelError, match="leads outside"):
        load_model(path)


def test_a_bomb(path):
    write(path, [*members(path).items(), ("assets/zeros", bytes(300 << 20))], zipfile.ZIP_DEFLATED)
    with pytest.raises(LimitExceededError, match="unpacks to"):
        load_model(path)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_truncated(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorruptFileError, match="truncated or damaged|not a .keras file"):
        load_model(path)


def test_flipped_bits_are_noticed(path):
    """In every part of the file: what is read has a checksum."""
    data, random = path.read_bytes(), np.random.RandomState(0)
    right = load_model(path).get_weights()
    for _ in range(60):
        damaged = bytearray(data)
        damaged[random.randint(len(data))] ^= 1 << random.randint(8)
        path.write_bytes(bytes(damaged))
        try:
            found = load_model(path).get_weights()
        except (CorruptFileError, UnsafeModelError, LimitExceededError):
            continue
        for a, b in zip(found, right):  # a bit that says nothing, such as the date
            np.testing.assert_array_equal(a, b)


def test_code_and_unknown_classes_are_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([L.Input((3,)), L.Lambda(lambda x: x * 2, name="twice")]).save(path)
    with pytest.raises(UnsafeModelError, match="Lambda layer 'twice'"):
        load_model(path)
    assert load_model(path, safe_mode=False)(X).tolist() == (X * 2).tolist()
    entries = members(path)
    config = json.loads(entries["config.json"])
    config["config"]["layers"][1] |= {"module": "os", "class_name": "system", "config": {"command": "true"}}
    write(path, [*(entries | {"config.json": json.dumps(config)}).items()])
    with pytest.raises(UnsafeModelError, match="system"):
        load_model(path, safe_mode=False)


def test_a_model_far_larger_than_its_file_is_not_made(path):
    entries = members(path)
    config = json.loads(entries["config.json"])
    config["config"]["layers"][1]["config"]["units"] = 10**9
    write(path, [*(entries | {"config.json": json.dumps(config)}).items()])
    with pytest.raises((LimitExceededError, CorruptFileError), match="far more than the file"):
        load_model(path)


def test_an_optimizer_that_does_not_fit_is_told(path):
    entries = members(path)
    config = json.loads(entries["config.json"])
    config["compile_config"]["optimizer"] |= {"class_name": "SGD", "config": {"learning_rate": 0.5}}
    write(path, [*(entries | {"config.json": json.dumps(config)}).items()])
    with pytest.warns(UserWarning, match="does not fit SGD"):
        model = load_model(path)
    assert float(model.optimizer.learning_rate) == 0.5


def test_a_loss_that_is_not_known_leaves_the_model_uncompiled(tmp_path):
    model = small()
    model.compile("sgd", lambda y, p: ((y - p) ** 2).mean())
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="loaded but not compiled"):
        loaded = load_model(tmp_path / "model.keras")
    assert loaded.optimizer is None
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_hdf5_under_that_name_and_the_other_way_round(tmp_path):
    small().save(tmp_path / "model.h5")
    os.rename(tmp_path / "model.h5", tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").count_params() == 26
    small().save(tmp_path / "other.keras")
    os.rename(tmp_path / "other.keras", tmp_path / "other.h5")
    assert load_model(tmp_path / "other.h5").count_params() == 26


def test_what_is_written(path):
    entries = members(path)
    assert list(entries) == ["metadata.json", "config.json", "model.weights.h5"]
    assert set(json.loads(entries["metadata.json"])) == {"keras_version", "date_saved"}
    config = json.loads(entries["config.json"])
    assert (config["module"], config["class_name"], config["registered_name"]) == ("keras", "Sequential", None)
    assert config["config"]["layers"][1]["module"] == "keras.layers"
    assert config["config"]["layers"][1]["config"]["kernel_initializer"]["module"] == "keras.initializers"
    assert config["compile_config"]["optimizer"]["module"] == "keras.optimizers"
    with h5py.File(io.BytesIO(entries["model.weights.h5"])) as file:
        assert file["layers/dense_1/vars/0"].shape == (4, 2)
        assert file["optimizer/vars/0"][()] == 1


def test_a_model_without_weights(path):
    unbuilt = keras.Sequential([L.Dense(2)])
    unbuilt.save(path)
    loaded = load_model(path)
    assert not loaded.built and not loaded.compiled
    assert loaded(X).shape == (4, 2)


def test_containers_that_hold_themselves(path):
    class Cyclic(keras.Model):
        def __init__(self):
            super().__init__()
            self.held = {"dense": L.Dense(2)}
            self.held["again"] = self.held

        def call(self, inputs):
            return self.held["dense"](inputs)

    model = Cyclic()
    expected = model(X)
    model.save_weights(path.with_name("a.weights.h5"))
    fresh = Cyclic()
    fresh(X)
    fresh.load_weights(path.with_name("a.weights.h5"))
    np.testing.assert_array_equal(fresh(X), expected)
