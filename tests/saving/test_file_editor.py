"""`KerasFileEditor`: what files hold, how it differs from a model, and changes."""

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core.errors import CorruptFileError, UnsafeModelError
from oneiros.saving import KerasFileEditor


def stack(*widths):
    return keras.Sequential([L.Input((2,)), *(L.Dense(width) for width in widths)])


@pytest.fixture(params=["m.keras", "m.weights.h5", "m.safetensors"])
def editor(request, tmp_path):
    path = tmp_path / request.param
    model = stack(3, 4)
    model.save(path) if request.param == "m.keras" else model.save_weights(path)
    return KerasFileEditor(path)


def test_what_is_there(editor, capsys):
    assert editor.weights_dict["layers"]["dense"]["0"].shape == (2, 3)
    editor.summary()
    lines = capsys.readouterr().out.splitlines()
    assert "dense_1" in lines[5] and "0: shape=(3, 4), dtype=float32" in lines[6]
    assert len(lines) == 8
    assert editor.compare(stack(3, 4)) == {"status": "success", "error_count": 0, "match_count": 4}
    assert editor.compare(stack(5, 4)) == {"status": "error", "error_count": 3, "match_count": 1}
    assert editor.compare(stack(3, 4, 1)) == {"status": "error", "error_count": 1, "match_count": 4}
    assert editor.compare(stack(3)) == {"status": "error", "error_count": 1, "match_count": 2}


@pytest.mark.parametrize("name", ["out.weights.h5", "out.safetensors"])
def test_a_layer_is_put_in_between(editor, tmp_path, name):
    target, old = stack(3, 3, 4), editor.weights_dict["layers"]["dense_1"]["0"]
    editor.rename_object("dense_1", "dense_2")
    editor.add_object("layers/dense_1", {"0": np.eye(3, dtype="float32")})
    assert editor.compare(target)["error_count"] == 1
    editor.add_weights("dense_1", {"1": np.zeros(3, "float32")})
    editor.add_object("layers/other", {"0": np.zeros(3)})
    assert editor.compare(target)["error_count"] == 1
    editor.delete_object("other")
    assert editor.compare(target)["status"] == "success"
    editor.save(tmp_path / name)
    target.load_weights(tmp_path / name)
    np.testing.assert_array_equal(target.layers[1].kernel, np.eye(3))
    np.testing.assert_array_equal(target.layers[2].kernel, old)
    editor.delete_weight("layers/dense_2", "1")
    assert editor.compare(target)["error_count"] == 1


def test_mistakes(editor, tmp_path):
    mistakes = [
        (lambda: editor.rename_object("nothing", "a"), "does not name one"),
        (lambda: editor.rename_object("dense", "a/b"), "not a path"),
        (lambda: editor.rename_object("dense", "dense_1"), "already holds"),
        (lambda: editor.delete_object("nothing"), "does not name one"),
        (lambda: editor.delete_weight("dense", "7"), "has no weight '7'"),
        (lambda: editor.add_object("layers/dense", {}), "is there already"),
        (lambda: editor.add_object("nowhere/dense", {}), "does not name one"),
        (lambda: editor.add_weights("dense", [1]), "expected a dictionary"),
        (lambda: editor.save(tmp_path / "a.keras"), "ends in .weights.h5"),
        (lambda: KerasFileEditor("a.txt"), "of no kind"),
    ]
    before = str(editor.weights_dict)
    for mistake, message in mistakes:
        with pytest.raises(ValueError, match=message):
            mistake()
    assert str(editor.weights_dict) == before


def test_links_and_groups_in_two_places(tmp_path):
    path = tmp_path / "a.weights.h5"
    for make, error in [
        (lambda f: f.__setitem__("layers", h5py.ExternalLink("b.h5", "/layers")), UnsafeModelError),
        (lambda f: f.__setitem__("layers", h5py.SoftLink("/other")), UnsafeModelError),
        (lambda f: f.create_group("layers/a").__setitem__("b", f["layers"]), CorruptFileError),
    ]:
        with h5py.File(path, "w") as file:
            make(file)
        with pytest.raises(error):
            KerasFileEditor(path)
