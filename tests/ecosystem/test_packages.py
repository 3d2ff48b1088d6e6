"""Packages that need Keras 3: a small program for each, under `oneiros run`. Skipped where a package is missing."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted(Path(__file__).with_name("packages").glob("*.py"))
NEEDED = {"keras_tuner_search": "keras_tuner", "keras_hub_text": "keras_hub", "keras_hub_images": "keras_hub"}
NEEDED |= {"keras_rs_layers": "keras_rs"}


def _package(program):
    return NEEDED.get(program.stem, program.stem.partition("_")[0])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_program(program, tmp_path):
    if importlib.util.find_spec(_package(program)) is None:
        pytest.skip(f"{_package(program)} is not installed")
    command = [sys.executable, "-m", "oneiros", "run", "--keras", "3", str(program)]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
