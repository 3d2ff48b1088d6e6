"""The programs that people try first, run whole by the runner, unmodified and with `import oneiros as keras`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parent / "scripts"
DATA = Path(os.environ.get("ONEIROS_MIRROR") or Path(__file__).parents[2] / ".." / "shared" / "data")
needs_data = pytest.mark.skipif(not (DATA / "imdb.npz").exists(), reason="needs the data sets: set ONEIROS_MIRROR")

# What two independent implementations predict from these very files.
ELEPHANTS = {
    "squeeze_test.png": {"Indian_elephant": 0.64146572, "African_elephant": 0.22863702, "tusker": 0.12899022},
    "squeeze_test.jpg": {"Indian_elephant": 0.61158961, "African_elephant": 0.26439852, "tusker": 0.12313227},
    "cat.jpeg": {"tabby": 0.82145798, "Egyptian_cat": 0.12170728, "tiger_cat": 0.05680593},
}


def run(script, *arguments, keras=None):
    """Runs a script and returns what it prints, and what the runner says."""
    command = [sys.executable, "-m", "oneiros", "run", *(["--keras", keras] if keras else []), str(script)]
    environment = {**os.environ, "ONEIROS_MIRROR": str(DATA)}
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, done.stderr


def native(script, folder):
    """The same program with `import oneiros as keras` instead of an installed Keras."""
    text = (SCRIPTS / script).read_text()
    text = re.sub(r"from (tensorflow\.python\.)?keras", "from oneiros", text)
    text = re.sub(r"import tensorflow.*\n", "", text)
    moved = {
        "oneiros.layers.embeddings": "oneiros.layers",
        "oneiros.engine.topology": "oneiros.utils",
        "_obtain_input_shape": "obtain_input_shape as _obtain_input_shape",
        "oneiros.applications.imagenet_utils": "oneiros.utils.imagenet",
    }
    for old, new in moved.items():
        text = text.replace(old, new, 1)
    path = folder / script
    path.write_text(text)
    return path


def values(output, word):
    line = next(line for line in output.splitlines() if line.startswith(word))
    return [float(v) for v in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line[len(word) :])]


@pytest.mark.parametrize("face", ["old imports", "native"])
def test_sequential_in_keras_1_spelling(face, tmp_path):
    script = SCRIPTS / "sequential.py" if face == "old imports" else native("sequential.py", tmp_path)
    if face == "native":
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        output = done.stdout
    else:
        output, told = run(script)
        assert told.startswith("oneiros: running as Keras 1")
        assert "640/640 [==============================]" in output
        assert " - acc: " in output
    first, last = values(output, "LOSSES")
    assert last < 0.9 * first
    loss, accuracy = values(output, "BATCH")
    assert 0 < loss < first
    assert 0 <= accuracy <= 1
    assert "CLASSES (64,) True True" in output


@needs_data
def test_imdb_lstm_learns_and_repeats_itself():
    """On a part of the data; the whole program is `make imdb`."""
    outputs = [run(SCRIPTS / "imdb_lstm.py", "3000", "1000", "4")[0] for _ in range(2)]
    assert re.search(r"embedding_1 \(Embedding\) +\(None, 100, 32\) +160000", outputs[0])
    assert re.search(r"lstm_1 \(LSTM\) +\(None, 100\) +53200", outputs[0])
    assert "Total params: 213,301" in outputs[0]
    assert "\nNone\n" in outputs[0], "print(model.summary()) prints None after the table"
    assert "Train on 3000 samples, validate on 1000 samples" in outputs[0]
    accuracies = [float(re.search(r"Accuracy: (\d+\.\d\d)%", o)[1]) for o in outputs]
    assert accuracies[0] > 70
    assert accuracies[0] == accuracies[1], "the same seed gives the same numbers"
    losses = [re.findall(r"loss: (\d\.\d+)", o)[-1] for o in outputs]
    assert losses[0] == losses[1]


@needs_data
def test_functional_cnn_and_its_kin():
    output, _ = run(SCRIPTS / "functional_cnn.py", "4000", "1")
    assert values(output, "ACCURACY")[0] > 0.85
    assert "PAIR ['loss', 'same_loss', 'which_loss']" in output
    assert "FEATURES (3, 24, 24, 64)" in output


@needs_data
def test_squeezenet_written_by_the_user_names_an_elephant():
    output, told = run(SCRIPTS / "squeezenet.py", *(str(DATA / name) for name in ELEPHANTS))
    assert told.startswith("oneiros: running as Keras 2")
    assert "PARAMETERS 1235496" in output
    found = re.findall(r"^(\w+) (\d\.\d{8})$", output, re.M)
    wanted = [pair for classes in ELEPHANTS.values() for pair in classes.items()]
    assert [name for name, _ in found] == [name for name, _ in wanted]
    np.testing.assert_allclose([float(p) for _, p in found], [p for _, p in wanted], atol=1e-4)
    np.testing.assert_allclose([float(p) for _, p in found[:3]], [0.6415, 0.2286, 0.1290], atol=1e-4)


@needs_data
def test_squeezenet_of_the_library_names_an_elephant(monkeypatch):
    monkeypatch.setenv("ONEIROS_MIRROR", str(DATA))
    from oneiros.applications.squeezenet import SqueezeNet, decode_predictions, preprocess_input
    from oneiros.preprocessing import image

    model = SqueezeNet(weights="imagenet")
    assert model.count_params() == 1_235_496
    for name, classes in ELEPHANTS.items():
        x = image.img_to_array(image.load_img(DATA / name, target_size=(227, 227)))
        top = decode_predictions(model.predict(preprocess_input(x[None]), verbose=0), top=3)[0]
        assert [label for _, label, _ in top] == list(classes)
        np.testing.assert_allclose([p for *_, p in top], list(classes.values()), atol=1e-4)
