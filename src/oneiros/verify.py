"""Proves that a program's trainings go on exactly after a kill.

The program is run in a copy of the working folder without a kill, and in another copy with kills (SIGKILL) at random
instants, each followed by a new run, until it ends. The weights, the optimizer and the History of every `fit`, and all
CSV files, must be the same to the last bit.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .training.progress import Progress

RECORD = "ONEIROS_RECORD_TRAININGS"  # the environment variable that names the file for `record_trainings`
_MOST_BYTES = 2 << 30  # of a working folder that is copied


def record_trainings(path):
    """From here on, each `fit` that ends well adds a line to a file: digests of all that it leaves."""

    def write(model, progress):
        arrays = {"weight": model.variables, "optimizer variable": getattr(model.optimizer, "variables", ())}
        line = {
            f"{kind} {number} ({variable.path})": hashlib.sha256(np.asarray(variable.raw).tobytes()).hexdigest()
            for kind, variables in arrays.items()
            for number, variable in enumerate(variables)
        }
        line |= {"History": repr((model.history.epoch, model.history.history)), "exact": progress.callbacks.exact}
        with open(path, "a") as file:
            print(json.dumps(line), file=file)

    Progress.watchers = (*Progress.watchers, write)


def verify(script, arguments=(), kills=3, seed=0, keras=None):
    """Kills a program `kills` times and compares it with a run that was left alone.

    Args:
        script: the program.
        arguments: its command line.
        kills: how many kills there are.
        seed: chooses the instants.
        keras: the generation of Keras, as in ``oneiros run --keras``.

    Returns:
        The exit status: 0 if all is the same.
    """
    if not os.path.isfile(script):
        return _say(f"there is no file {script!r}.", 2)
    size = sum(file.stat().st_size for file in Path().rglob("*") if file.is_file())
    if size > _MOST_BYTES:
        return _say(f"the working folder, which is copied, has {size / 1e9:.1f} GB. Run this in a smaller one.", 2)
    script = os.path.relpath(script) if Path(script).resolve().is_relative_to(Path.cwd()) else os.path.abspath(script)
    command = [sys.executable, "-m", "oneiros", "run", *(["--keras", keras] if keras else []), script, *arguments]
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="oneiros-verify-") as folder:
        whole = _Copy(Path(folder, "whole"), command)
        started = time.monotonic()
        if not whole.run():
            return _say(f"the program fails without a kill:\n{whole.errors()}", 1)
        seconds = time.monotonic() - started
        if not whole.trainings():
            return _say("the program ends without a fit: there is nothing to compare.", 1)
        unsafe = sum(not training["exact"] for training in whole.trainings())
        if unsafe:
            _say(f"warning: {unsafe} of {len(whole.trainings())} trainings have no BackupAndRestore.", 0)
        done = chains = 0
        while done < kills:
            killed = _Copy(Path(folder, f"killed-{chains}"), command)
            chains += 1
            ended = None
            while ended is None:
                ended = killed.run(draw.uniform(0, seconds) if done < kills else None)
                done += ended is None
            if not ended:
                return _say(f"after {done} kills the program fails when it is run again:\n{killed.errors()}", 1)
            difference = _difference(whole, killed)
            if difference:
                return _say(f"DIFFERENT after {done} kills: {difference}", 1)
        count = len(whole.trainings())
        return _say(f"the same to the last bit: {count} training(s), {done} kills, {chains} runs to the end.", 0)


def _say(text, status):
    print(f"oneiros verify-resume: {text}", flush=True)
    return status


class _Copy:
    """A copy of the working folder, and the program in it."""

    def __init__(self, folder, command):
        self.folder, self.command = folder, command
        self.record, self.log = folder.with_suffix(".jsonl"), folder.with_suffix(".log")
        shutil.copytree(".", folder, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__", ".venv"))

    def run(self, kill_after=None):
        """Runs the program: whether it ended well, or ``None`` if it was killed before."""
        self.record.unlink(missing_ok=True)  # each run tells of all trainings
        with open(self.log, "w") as log:
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=os.environ | {RECORD: str(self.record)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                return process.wait(kill_after) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return None

    def errors(self):
        return self.log.read_text(errors="replace")[-2000:]

    def trainings(self):
        return [json.loads(line) for line in self.record.read_text().splitlines()] if self.record.exists() else []

    def tables(self):
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in sorted(self.folder.rglob("*.csv"))}


def _difference(whole, killed):
    """The first thing that differs, in words."""
    expected, found = whole.trainings(), killed.trainings()
    if len(expected) != len(found):
        return f"{len(expected)} trainings without a kill, {len(found)} in the last run."
    for number, (a, b) in enumerate(zip(expected, found), 1):
        for name in a | b:
            if a.get(name) != b.get(name):
                shown = f": {a.get(name)}\nand {b.get(name)}" if name == "History" else "."
                return f"{name} after training {number} of {len(expected)}{shown}"
    a, b = whole.tables(), killed.tables()
    return next((f"the file {name}." for name in a | b if a.get(name) != b.get(name)), None)
