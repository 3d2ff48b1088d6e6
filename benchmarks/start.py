"""How long old programs take to their first training step, here and under tf_keras.

``python benchmarks/start.py`` runs each program of tests/programs/scripts/old twice per library, and prints the seconds
from the start of the process to the end of the first step, of the second run: with warm caches. ``--fresh`` also prints
those of the first, with an empty cache of compiled programs. Programs that a library cannot run, or that train nothing,
have a dash.
"""

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "tests" / "programs" / "scripts" / "old"
MARK = "FIRST STEP AFTER"


def measure(command, environment):
    """The seconds to the first step of a program; `None` if it has none."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        environment = os.environ | environment | {"STARTED": str(started)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    found = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    return float(found[0].removeprefix(MARK)) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tf-keras", help="a Python that has tf_keras")
    parser.add_argument("--fresh", action="store_true", help="show the first runs, too")
    parser.add_argument("programs", nargs="*", help="parts of names")
    options = parser.parse_args()
    peers = ["oneiros", *(["tf_keras"] if options.tf_keras else [])]
    print(f"| program | {' | '.join(peers)} |\n| --- |{' --- |' * len(peers)}")
    for script in sorted(SCRIPTS.glob("*/*.py")):
        name = f"{script.parent.name}/{script.stem}"
        if options.programs and not any(part in name for part in options.programs):
            continue
        row = []
        with tempfile.TemporaryDirectory() as cache:
            ours = {"PYTHONPATH": str(ROOT / "src"), "JAX_COMPILATION_CACHE_DIR": cache}
            generation = script.parent.name.removeprefix("keras")
            commands = [([sys.executable, "-m", "oneiros", "run", "--keras", generation, __file__, "--run"], ours)]
            if options.tf_keras:
                commands.append(([options.tf_keras, __file__, "--run-tf"], {"TF_CPP_MIN_LOG_LEVEL": "3"}))
            for command, environment in commands:
                times = [measure([*command, str(script)], environment) for _ in range(2)]
                shown = ["–" if t is None else f"{t:.1f}" for t in times]
                row.append(" / ".join(shown if options.fresh else shown[1:]))
        print(f"| {name} | {' | '.join(row)} |", flush=True)


# --- in the process of the program


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the modules of tf_keras under the name keras."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name.split(".")[0] == "keras" else None

    def create_module(self, spec):
        return importlib.import_module(f"tf_{spec.name}")

    def exec_module(self, module):
        pass


def stop():
    print(MARK, time.time() - float(os.environ["STARTED"]), flush=True)
    os._exit(0)


def run(script):
    """Runs a program until its first step has ended."""
    keras = importlib.import_module("keras")

    class Stop(keras.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            stop()

    def with_stop(fit):
        def run(self, *args, callbacks=None, **kwargs):
            return fit(self, *args, callbacks=[*(callbacks or ()), Stop()], **kwargs)

        return run

    def until_end(step):
        def run(self, *args, **kwargs):
            step(self, *args, **kwargs)
            stop()

        return run

    for cls in (keras.models.Model, keras.models.Sequential):
        for name, change in (("fit", with_stop), ("fit_generator", with_stop), ("train_on_batch", until_end)):
            if name in vars(cls) or cls is keras.models.Model:
                setattr(cls, name, change(getattr(cls, name)))
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run-tf"]:
        sys.meta_path.insert(0, _Alias())
        run(sys.argv[2])
    elif sys.argv[1:2] == ["--run"]:
        run(sys.argv[2])
    else:
        main()
