"""Files that were made to do harm: endless reads, bombs, pipes, and texts that are not what was written."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.models import load_model, model_from_json, model_from_yaml
from oneiros.saving import inspection, safe_hdf5
from oneiros.utils import archives

HOSTILE = Path(__file__).parent / "hostile"  # files with one spot changed by hand


def small(units=2):
    model = keras.Sequential([L.Input((4,)), L.Dense(3, name="first"), L.Dense(units, name="last")])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.h5"
    small().save(path)
    return path


# --- reading in a process of its own


def test_reading_that_never_ends_is_stopped(monkeypatch):
    path = HOSTILE / "attribute-read-never-ends.weights.h5"
    monkeypatch.setattr(safe_hdf5, "INSPECTION_SECONDS", 1)
    model = small()
    before = model.get_weights()
    started = time.monotonic()
    with pytest.raises(LimitExceededError, match=r"never-ends.*does not end within 1 s"):
        model.load_weights(path)
    with pytest.raises(LimitExceededError, match="does not end"):
        load_model(path)
    assert time.monotonic() - started < 30
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "says, error, message",
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", CorruptFileError, "code -11"),
        ("print('too large: 5 TB')", LimitExceededError, "5 TB"),
        ("print('damaged: no sense')", CorruptFileError, "no sense"),
    ],
)
def test_what_happens_there_is_told_here(path, tmp_path, monkeypatch, says, error, message):
    script = tmp_path / "script.py"
    script.write_text(f"print('{inspection.READY}', flush=True)\n{says}\n")
    monkeypatch.setattr(inspection, "__file__", str(script))
    os.utime(path)  # no longer as this process wrote it
    with pytest.raises(error, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


def test_only_unknown_files_are_inspected(path, tmp_path, monkeypatch):
    started = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: started.append(args) or run(*args, **kwargs))
    load_model(path)
    assert not started  # this process wrote it
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    load_model(copy)
    small().load_weights(copy)
    assert len(started) == 1
    copy.write_bytes(path.read_bytes())
    load_model(copy)
    assert len(started) == 2


# --- sizes


def unstored(group, name, shape):
    group.create_dataset(name, shape, "f4", chunks=(1, *shape[1:]), compression="gzip")


def test_many_arrays_that_are_not_stored_are_a_bomb(tmp_path):
    """40 arrays of 100 MB in a small file: refused before any of the 4 GB is taken, by weights and by models."""
    path = tmp_path / "bomb.h5"
    config = {"name": "m", "layers": [{"class_name": "InputLayer", "config": {"batch_shape": [None, 5000]}}]}
    config["layers"] += [{"class_name": "Dense", "config": {"units": 5000, "name": f"d{i}"}} for i in range(40)]
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [f"d{i}" for i in range(40)]
        for i in range(40):
            group = weights.create_group(f"d{i}")
            group.attrs["weight_names"] = ["kernel", "bias"]
            unstored(group, "kernel", (5000, 5000))
            group["bias"] = np.zeros(5000, "f4")
    assert os.path.getsize(path) < 1_500_000
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LimitExceededError, match=r"bomb\.h5.*4\.0 GB together"):
        load_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_weights_that_are_not_stored_are_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 1 << 20)  # so that the model may be small
    model = keras.Sequential([L.Input((600,)), L.Dense(600, name="a"), L.Dense(600, name="b")])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "small.h5", "w") as file, h5py.File(tmp_path / "w.h5") as whole:
        file.attrs["layer_names"] = whole.attrs["layer_names"]
        for name in ("a", "b"):
            group = file.create_group(name)
            group.attrs["weight_names"] = ["kernel", "bias"]
            unstored(group, "kernel", (600, 600))
            group["bias"] = np.zeros(600, "f4")
    assert 100 * os.path.getsize(tmp_path / "small.h5") < 2 * 600 * 601 * 4
    with pytest.raises(LimitExceededError, match="together"):
        model.load_weights(tmp_path / "small.h5")


def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    for path in (tmp_path / "pipe.h5", "/dev/zero"):
        for load in (load_model, small().load_weights, lambda p: keras.utils.HDF5Matrix(p, "x"), keras.utils.load_img):
            with pytest.raises(OSError, match="ordinary file"):
                load(path)


# --- texts


def laughs(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text, error, message",
    [
        (laughs(9), LimitExceededError, "aliases"),
        ("a: &a [*a]", CorruptFileError, "contains itself"),
        ("class_name: Model\nclass_name: Sequential", CorruptFileError, "duplicate key 'class_name'"),
        ("{" * 2000, (CorruptFileError, LimitExceededError), "model_from_yaml"),
        ("[" * 300 + "]" * 300, LimitExceededError, "nesting"),
        ("? {a: 1}\n: 2", CorruptFileError, "model_from_yaml"),
        ("2020-99-99", CorruptFileError, "model_from_yaml"),
        ("a: [", CorruptFileError, "YAML"),
        ("", CorruptFileError, "model_from_yaml"),
    ],
)
def test_hostile_yaml(text, error, message):
    pytest.importorskip("yaml")
    started = time.monotonic()
    with pytest.raises(error, match=message):
        model_from_yaml(text)
    assert time.monotonic() - started < 5


def test_aliases_of_older_files_are_read():
    pytest.importorskip("yaml")
    text = small().to_yaml()
    shared = re.sub(r"(batch_\w*shape):\n\s*- null\n\s*- 4", r"\1: &id001 [null, 4]", text) + "\nother: *id001\n"
    assert "*id001" in shared and model_from_yaml(shared).input_shape == (None, 4)


@pytest.mark.parametrize(
    "text, error, message",
    [
        ("[" * 100_000, LimitExceededError, "nesting"),
        ('{"class_name": "Model", "config": {"n": 1, "n": 2}}', CorruptFileError, "duplicate key 'n'"),
        ('{"class_name": "Dense", "config": {"units": 1' + "0" * 5000 + "}}", LimitExceededError, "number"),
        ('{"class_name": "Dense", "config": {"units": 1e999}}', InputDataError, "units"),
        ('{"class_name": "Dense", "config": {"units": "\\ud800"}}', InputDataError, "units"),
        ('{"class_name": ["Dense"], "config": {}}', CorruptFileError, "class_name"),
        ('{"class_name": "Sequential", "config": {"layers": 5}}', CorruptFileError, "Sequential"),
        ('{"class_name": "Sequential", "config": {"layers": [5]}}', CorruptFileError, "Sequential"),
    ],
)
def test_hostile_json(text, error, message):
    with pytest.raises(error, match=message):
        model_from_json(text)


class Picky(L.Layer):
    def __init__(self, size=1, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        if size < 0:
            raise ZeroDivisionError("my own mistake")


def test_errors_of_constructors_name_the_layer_and_stay_visible(path):
    model = keras.Sequential([L.Input((4,)), Picky(3, name="mine"), L.Dense(2, name="d")])
    text = model.to_json()
    with pytest.raises(CorruptFileError, match=r"layer 'mine' \(Picky\).*my own mistake") as caught:
        model_from_json(text.replace('"size": 3', '"size": -3'), {"Picky": Picky})
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(CorruptFileError, match=r"layer 'd' \(Dense\).*unitz"):
        model_from_json(text.replace('"units"', '"unitz"'), {"Picky": Picky})


# --- checksums


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("model_config", '"linear"', '"swish" '),
        ("model_config", '"last"', '"lost"'),
        ("training_config", '"mean_squared_error"', '"mean_absolute_error"'),
        ("backend", "jax", "tensorflow"),
    ],
)
def test_changed_texts_are_noticed(path, name, old, new):
    with h5py.File(path, "r+") as file:
        text = file.attrs[name]
        old = old if old in text else '"mse"' if name == "training_config" else old
        assert old in text
        file.attrs[name] = text.replace(old, new if old != '"mse"' else '"mae"')
    with pytest.raises(CorruptFileError, match=f"checksum of '{name}' is wrong"):
        load_model(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["checksums"]  # what the message says
    load_model(path)


def test_attributes_of_others_are_left_alone(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["note"] = "first"
        small().save(file)
        file.attrs["note"] = "second"
        load_model(file)


def test_changed_names_in_weights_are_noticed(tmp_path):
    path = tmp_path / "w.h5"
    model = small()
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.attrs["backend"] = "theano"  # whose kernels are turned around
    before = model.get_weights()
    with pytest.raises(CorruptFileError, match="checksum of 'backend'"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_damaged_optimizer_state_is_noticed(tmp_path):
    path = tmp_path / "model.h5"
    model = small()
    model.compile("adam", "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0)
    model.save(path)
    with h5py.File(path, "r+") as file:
        group = file["optimizer_weights"]
        name = next(n for n in group.attrs["weight_names"] if group[n].shape == (4, 3))
        del group[name]
        group[name] = np.zeros((4, 4), "f4")
    with pytest.raises(CorruptFileError, match=r"optimizer_weights.*checksum"):
        load_model(path)
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"].attrs["crc32"]
    with pytest.warns(UserWarning, match="does not fit"):
        load_model(path)


def test_what_is_unsafe_is_said_first(path):
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"Dense"', '"Popen"')
    with pytest.raises(UnsafeModelError, match="Popen"):
        load_model(path)
