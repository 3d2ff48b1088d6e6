"""Damaged files: each loads with the right numbers or ends in an error that the documentation names.

Files of all Kerases are changed at random and loaded, in processes of their own with limits of time and memory. As a
program, ``python tests/saving/test_mutations.py 3000`` tries that many and prints what came of them.
"""

import collections
import contextlib
import json
import os
import random
import select
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
SECONDS = 60  # for one file, on a busy machine
MEMORY = 3 << 30  # that a process may take beyond what it has after its imports
FILES_PER_PROCESS = 300
ALLOWED = {"right", "other numbers"}  # the latter only where the file has no checksums
DOCUMENTED = ("UnsafeModelError", "CorruptFileError", "LimitExceededError", "InputDataError")


# --- what is changed


def own_files(folder):
    """A model and weights as this library writes them, with checksums."""
    import oneiros as keras
    from oneiros import layers as L  # noqa: N812

    x = L.Input((6,), name="x")
    hidden = L.BatchNormalization(name="norm")(L.Dense(4, activation="relu", name="first")(x))
    model = keras.Model(x, L.Add(name="sum")([L.Dense(2, name="last")(hidden), L.Dense(2, name="side")(x)]))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 6)), np.ones((4, 2)), verbose=0)
    model.save(folder / "own.h5")
    model.save_weights(folder / "own_weights.h5")


def sources(folder):
    """Pairs of a file's name and its bytes."""
    paths = [*GOLDEN.glob("*.h5"), *GOLDEN.glob("*.json"), *folder.glob("own*.h5")]
    return [(path.name, path.read_bytes()) for path in sorted(paths, key=lambda path: path.name)]


def mutated(data, chance):
    """The bytes with one to eight small changes, most often one."""
    data = bytearray(data)
    texts = [i for i in range(len(data) - 1) if data[i : i + 2] == b'{"']
    for _ in range(chance.choice((1, 1, 1, 1, 2, 8))):
        place = chance.randrange(len(data))
        kind = chance.choice(("bit", "bit", "text", "text", "byte", "number", "header", "cut", "block", "copy"))
        if kind == "text" and texts:
            place = min(texts[0] + chance.randrange(texts[-1] - texts[0] + 200), len(data) - 1)
        if kind == "header":
            place = chance.randrange(min(len(data), 2048))
        if kind in ("bit", "text", "header"):
            data[place] ^= 1 << chance.randrange(8)
        elif kind == "byte":
            data[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == "number":
            value = chance.choice((0, 1, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1, len(data)))
            data[place : place + 8] = value.to_bytes(8, "little")[: len(data) - place]
        elif kind == "block":
            data[place : place + 64] = bytes(len(data[place : place + 64]))
        elif kind == "copy":
            data[place : place + 32] = data[chance.randrange(len(data)) :][:32]
        elif kind == "cut" and place > 8:
            del data[place:]
    return bytes(data)


# --- in the process that loads


class Loader:
    """Loads changed files and says what came of each: 'right', 'other numbers', or the name of an error."""

    def __init__(self, folder):
        self.folder, self.originals = folder, {}
        for name, _ in sources(folder):
            self.originals[name] = self.original(name)

    def path(self, name):
        return next(path for path in (self.folder / name, GOLDEN / name) if path.exists())

    def original(self, name):
        import oneiros as keras

        path = self.path(name)
        keras.backend.clear_session()
        if "weights" not in name:
            return self.facts(keras.models.load_model(path))
        if name.endswith(".json"):
            return keras.models.model_from_json(path.read_text()).to_json()
        model = self.model_for(name)
        model.load_weights(path)
        return model, [w.tobytes() for w in model.get_weights()]

    def model_for(self, name):
        import oneiros as keras

        if name == "keras1_weights.h5":
            return keras.models.model_from_json((GOLDEN / "keras1_weights.json").read_text())
        whole = name.replace("_weights.h5", ".h5").replace(".weights.h5", ".h5")
        return keras.models.load_model(self.path(whole), compile=False)

    def facts(self, model):
        """All that a loaded model should have: names, weights, compile arguments and the optimizer's state."""
        state = [getattr(v, "raw", v) for v in model.optimizer.variables] if model.optimizer else []
        return (
            model.to_json(),
            json.dumps(model.get_compile_config()),
            [w.tobytes() for w in [*model.get_weights(), *map(np.asarray, state)]],
        )

    def load(self, name, data):
        import oneiros as keras

        keras.backend.clear_session()  # names that are counted begin anew
        path = self.folder / f"changed-{name}"
        path.write_bytes(data)
        if name.endswith(".json"):
            made = keras.models.model_from_json(data.decode("utf-8", "surrogateescape")).to_json()
            return made == self.originals[name]
        if "weights" not in name:
            return self.facts(keras.models.load_model(path)) == self.originals[name]
        model, expected = self.originals[name]
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        try:
            model.load_weights(path)
        except BaseException:
            assert not any(w.any() for w in model.get_weights()), "a failed load changed the model"
            raise
        return [w.tobytes() for w in model.get_weights()] == expected

    def outcome(self, name, data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return "right" if self.load(name, data) else "other numbers", ""
            except Exception as error:
                return type(error).__name__, "".join(traceback.format_exception(error)[-3:])[-1500:]


def child(folder, seed, first, last):
    """Loads the files ``first`` to ``last`` and prints a line for each when it begins and when it ends."""
    import resource

    loader = Loader(folder)
    with open("/proc/self/statm") as file:
        limit = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for i in range(first, last):
        name, data = case(folder, seed, i)
        started = time.monotonic()
        outcome, details = loader.outcome(name, data)
        print(json.dumps([i, name, outcome, details, time.monotonic() - started]), flush=True)


def case(folder, seed, i):
    """The i-th changed file of a seed."""
    all_sources = sources(folder)
    name, data = all_sources[i % len(all_sources)]
    return name, mutated(data, random.Random(f"{seed}/{i}"))


# --- the process that watches


def run(folder, seed, count):
    """``[i, name, outcome, details, seconds]`` for each changed file; 'crash' and 'hang' are outcomes, too."""
    results, first = [], 0
    while first < count:
        last = min(first + FILES_PER_PROCESS, count)
        command = [sys.executable, __file__, "--child", str(folder), str(seed), str(first), str(last)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        try:
            while first < last:
                ready = select.select([process.stdout], [], [], SECONDS)[0]
                line = process.stdout.readline() if ready else b""
                if not line.endswith(b"\n"):
                    name = case(folder, seed, first)[0]
                    results.append([first, name, "crash" if ready else "hang", "", 0.0])
                    first += 1
                    break
                if line.startswith(b"["):
                    results.append(json.loads(line))
                    first += 1
        finally:
            process.kill()
            process.communicate()
    return results


def faults(results):
    """Those that should not be: errors without a place in the documentation, and wrong numbers despite checksums."""
    for result in results:
        name, outcome = result[1:3]
        if outcome in DOCUMENTED or (outcome in ALLOWED and not (outcome != "right" and name.startswith("own"))):
            continue
        yield result


def test_damaged_files_are_told(tmp_path):
    own_files(tmp_path)
    results = run(tmp_path, 7, 56)
    assert len(results) == 56
    assert not list(faults(results))
    outcomes = collections.Counter(result[2] for result in results)
    assert outcomes["right"] and outcomes["CorruptFileError"]


def main():
    count, seed = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "0"
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        own_files(Path(folder))
        started = time.monotonic()
        results = run(Path(folder), seed, count)
    table = collections.defaultdict(collections.Counter)
    for _, name, outcome, _, _ in results:
        table[name][outcome] += 1
        table["all"][outcome] += 1
    for name, outcomes in table.items():
        print(f"{name:34}", ", ".join(f"{outcome} {n}" for outcome, n in outcomes.most_common()))
    print(f"{count} files in {time.monotonic() - started:.0f} s; the slowest took {max(r[4] for r in results):.1f} s")
    for i, name, outcome, details, _ in faults(results):
        print(f"--- {i} {name}: {outcome}\n{details}")
    sys.exit(any(True for _ in faults(results)))


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        with contextlib.suppress(BrokenPipeError):
            child(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
