"""Limits and checksums of files: each check is met on each way to it."""

import h5py
import pytest

import oneiros as keras
from oneiros.core.errors import CorruptFileError, LimitExceededError
from oneiros.saving import safe_hdf5


@pytest.fixture
def saved(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="only")])
    model.compile("sgd", "mse")
    path = str(tmp_path / "model.h5")
    model.save(path)
    return model, path


def test_one_long_text_is_not_read(saved):
    _, path = saved
    with h5py.File(path, "r+") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(safe_hdf5, "TEXT_LIMIT", 4)
        for read in (safe_hdf5.text, safe_hdf5.names):
            with pytest.raises(LimitExceededError, match="the attribute 'backend' has .* bytes; at most 4 are read"):
                read(file, "backend")


@pytest.mark.parametrize("attribute", ["training_config", "backend"])
def test_a_changed_text_of_a_model_is_found(saved, attribute):
    _, path = saved
    with h5py.File(path, "r+") as file:
        value = file.attrs[attribute]
        value = value.decode() if isinstance(value, bytes) else value
        file.attrs[attribute] = value.replace("mse", "mae") if "mse" in value else value + " "
    with pytest.raises(CorruptFileError, match=f"the checksum of '{attribute}' is wrong"):
        keras.models.load_model(path)


def test_weights_that_declare_too_much_are_not_read(saved, monkeypatch):
    model, path = saved
    monkeypatch.setattr(safe_hdf5, "unpacked_limit", lambda size: 10)
    with pytest.raises(LimitExceededError, match="It is not read"):
        model.load_weights(path)
