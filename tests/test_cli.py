"""The command line. Programs run in processes of their own, as users run them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import oneiros
from oneiros import cli

SOURCE = Path(oneiros.__file__).parents[1]


def run(*arguments, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "KERAS_HOME": str(cwd or ".")}
    return subprocess.run(
        [sys.executable, "-m", "oneiros", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=120,
    )


def test_a_program_for_keras_1_runs_unmodified(tmp_path):
    (tmp_path / "net.py").write_text(
        "from keras.models import Sequential\n"
        "from keras.layers import Dense, Activation\n"
        "def build():\n"
        "    model = Sequential()\n"
        "    model.add(Dense(output_dim=4, input_dim=3))\n"
        "    model.add(Activation('relu'))\n"
        "    model.add(Dense(output_dim=2))\n"
        "    model.add(Activation('softmax'))\n"
        "    model.compile(loss='categorical_crossentropy', optimizer='sgd', metrics=['accuracy'])\n"
        "    return model\n"
    )
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\n"
        "import tensorflow as tf\n"
        "import numpy as np\n"
        "from net import build\n"
        "from tensorflow.python.keras.models import Sequential\n"
        "model = build()\n"
        "assert isinstance(model, Sequential) and __name__ == '__main__'\n"
        "x, y = np.ones((8, 3)), np.eye(2)[np.zeros(8, int)]\n"
        "history = model.fit(x, y, nb_epoch=2, batch_size=4)\n"
        "print(sorted(history.history), sys.argv, __file__, sys.path[0])\n"
        "model.train_on_batch(x, y)\n"
        "print(model.predict_classes(x, batch_size=32, verbose=0).shape, model.predict_proba(x, verbose=0).shape)\n"
        "sys.exit(3)\n"
    )
    result = run("run", "--explain", script, "--flag", "x", cwd=tmp_path)
    assert result.returncode == 3, result.stderr
    assert f"['acc', 'loss'] ['{script}', '--flag', 'x'] {script} {tmp_path}" in result.stdout
    assert "(8,) (8, 2)" in result.stdout and "Epoch 2/2" in result.stdout
    assert "oneiros: running as Keras 1 (found: " in result.stderr
    assert f"{tmp_path / 'net.py'}:5: Dense: output_dim -> units" in result.stderr


def test_exceptions_end_a_program_as_python_ends_it(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("def f():\n    raise KeyError('k')\nf()\n")
    ours = run("run", "--keras", "2", script, cwd=tmp_path)
    pythons = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert ours.returncode == pythons.returncode == 1
    first, _, rest = ours.stderr.partition("\n")
    assert first == "oneiros: running as Keras 2 (found: --keras)"
    assert rest == pythons.stderr
    script.write_text("x = (\n")
    ours = run("run", script, cwd=tmp_path)
    pythons = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert ours.returncode == 1 and ours.stderr.partition("\n")[2] == pythons.stderr


def test_ctrl_c_ends_with_130(tmp_path):
    script = tmp_path / "sleeps.py"
    script.write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts in the background ignores it\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "oneiros", "run", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and b"KeyboardInterrupt" in errors and b"cli.py" not in errors


def test_modules_run_too(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from keras.layers import Convolution2D\n"
        "def test_it():\n    assert Convolution2D(3, 2, 2).kernel_size == (2, 2)\n"
    )
    result = run("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout and "Keras 1 (found: Convolution2D(3, 2, 2))" in result.stderr
    pytest.importorskip("xdist")
    result = run("run", "-m", "pytest", "-q", "-n1", "-p", "no:cacheprovider", "test_it.py", cwd=tmp_path)
    assert result.returncode == 0 and "1 passed" in result.stdout, result.stdout + result.stderr


def test_a_module_that_is_not_there(tmp_path):
    result = run("run", "-m", "no_such_module", cwd=tmp_path)
    assert result.returncode == 1 and "No module named no_such_module" in result.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "expected a script"),
        (["--keras", "4", "x.py"], "expected 1, 2, tf or 3"),
        (["--kears", "x.py"], "unknown option --kears"),
        (["-m"], "expected a module"),
    ],
)
def test_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["run", *arguments])
    assert exit_.value.code == 2 and message in capsys.readouterr().err


def test_a_script_that_is_not_there(capsys, tmp_path):
    assert cli.main(["run", str(tmp_path / "no.py")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.fixture
def model_file(tmp_path):
    model = oneiros.Sequential([oneiros.layers.Flatten(input_shape=(4, 4, 3)), oneiros.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def test_summary_convert_predict(model_file, capsys):
    folder = model_file.parent
    assert cli.main(["summary", str(model_file)]) == 0
    assert "Dense" in capsys.readouterr().out
    assert cli.main(["convert", str(model_file), str(folder / "copy.h5")]) == 0
    assert oneiros.models.load_model(folder / "copy.h5").count_params() == 98
    assert cli.main(["convert", str(model_file), str(folder / "model.json")]) == 0
    assert "Flatten" in (folder / "model.json").read_text()
    assert cli.main(["convert", str(model_file), str(folder / "copy.weights.h5")]) == 0
    fresh = oneiros.models.model_from_json((folder / "model.json").read_text())
    fresh.load_weights(folder / "copy.weights.h5")
    original = oneiros.models.load_model(model_file)
    assert all(np.array_equal(a, b) for a, b in zip(fresh.get_weights(), original.get_weights(), strict=True))
    pillow = pytest.importorskip("PIL.Image")
    pillow.new("RGB", (8, 8)).save(folder / "image.png")
    capsys.readouterr()
    assert cli.main(["predict", str(model_file), str(folder / "image.png")]) == 0
    assert "image.png" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.pb", "model.onnx", "model"])
def test_convert_offers_what_it_can_write(model_file, name, capsys):
    target = model_file.with_name(name)
    assert cli.main(["convert", str(model_file), str(target)]) == 1
    assert ".weights.h5, .h5, .hdf5, .keras, .json" in capsys.readouterr().err and not target.exists()


def test_help_of_convert(capsys):
    with pytest.raises(SystemExit):
        cli.main(["convert", "--help"])
    told = capsys.readouterr().out
    assert all(f"NAME{ending}" in told for ending in (".keras", ".h5", ".weights.h5", ".json"))


def test_what_is_not_read_is_said(model_file, capsys):
    source = model_file.with_suffix(".keras")
    source.write_bytes(b"")
    assert cli.main(["convert", str(source), str(model_file)]) == 1
    assert "not a .keras file, truncated or damaged" in capsys.readouterr().err
    weights = model_file.with_name("a.weights.h5")
    oneiros.models.load_model(model_file).save_weights(weights)
    assert cli.main(["convert", str(weights), str(model_file)]) == 1
    assert "weights only" in capsys.readouterr().err


def test_predict_wants_images(model_file, capsys):
    oneiros.Sequential([oneiros.layers.Input((3,)), oneiros.layers.Dense(2)]).save(model_file)
    assert cli.main(["predict", str(model_file), "image.png"]) == 1
    assert "takes one batch of images" in capsys.readouterr().err


def test_errors_of_commands_are_one_line(tmp_path, capsys):
    assert cli.main(["summary", str(tmp_path / "none.h5")]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("oneiros summary: ") and "Traceback" not in errors


def test_doctor(capsys):
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("oneiros", "jax", "devices", "floatx", "keras folder", "large buffers"))


RESUMABLE = """
import numpy as np, keras, os, signal
if {seeded}:
    keras.utils.set_random_seed(1)
x = np.random.rand(16, 3).astype("float32")
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[keras.callbacks.BackupAndRestore("backup")][: {backups}])
"""


@pytest.mark.parametrize(
    "seeded, backups, status, told",
    [
        (True, 1, 0, "the same to the last bit: 1 training(s), 1 kills"),
        (False, 0, 1, "kills: weight 0"),
    ],
)
def test_verify_resume_tells_what_differs(tmp_path, monkeypatch, capsys, seeded, backups, status, told):
    (tmp_path / "train.py").write_text(RESUMABLE.format(seeded=seeded, backups=backups))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["verify-resume", "--kills", "1", "train.py"]) == status
    found = capsys.readouterr().out
    assert told in found and ("no BackupAndRestore" in found) == (backups == 0)


def test_trust_in_files_is_said(tmp_path):
    script = tmp_path / "twice.py"
    script.write_text(
        "import numpy as np\n"
        "from keras.models import Sequential, load_model\n"
        "from keras.layers import Lambda\n"
        "Sequential([Lambda(lambda x: x * 2, input_shape=(3,))]).save('m.h5')\n"
        "print(load_model('m.h5').predict(np.ones((1, 3))).tolist())\n"
    )
    refused = run("run", "--keras", "2", script, cwd=tmp_path)
    assert refused.returncode == 1 and "--trust-files" in refused.stderr
    trusted = run("run", "--keras", "2", "--trust-files", script, cwd=tmp_path)
    assert trusted.returncode == 0, trusted.stderr
    assert "[[2.0, 2.0, 2.0]]" in trusted.stdout
    assert "code that model files hold is run in this program" in trusted.stderr
