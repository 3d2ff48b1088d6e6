"""Files that Keras 3.15 wrote, read here, and the other way round: the same results, weights and next training step."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEER = ROOT / ".venv-peer" / "keras" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PEER.exists(), reason="needs Keras 3 in .venv-peer/keras: make test installs it")


def run(library, task, folder):
    """What the program prints, by the names of the models."""
    command = [str(PEER) if library == "keras" else sys.executable, str(Path(__file__).with_name("exchange.py"))]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    environment["PYTHONPATH"] = "" if library == "keras" else str(ROOT / "src")
    done = subprocess.run(
        [*command, library, task, str(folder)], capture_output=True, text=True, env=environment, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)


@pytest.mark.parametrize(("writer", "reader"), [("keras", "oneiros"), ("oneiros", "keras")])
def test_files_are_exchanged(tmp_path, writer, reader):
    assert run(writer, "save", tmp_path) == {}
    found = run(reader, "compare", tmp_path)
    assert len(found) > 60
    assert {name: what for name, what in found.items() if what != "equal"} == {}
