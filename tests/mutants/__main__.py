"""Changes one line of the library at a time, and sees whether a test fails: ``make mutants N=300``.

``record`` notes once which tests run which line. ``run`` draws changes; for each, a fork of a warm process imports the
library with the changed line and runs the tests of that line, the fastest first. What no test notices is printed.
"""

import argparse
import functools
import importlib
import importlib.machinery
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from mutations import draw  # noqa: E402

PACKAGE = ROOT / "src" / "oneiros"
ROOMS = ["core", "training", "layers", "saving", "compat/backend"]
TESTS = [
    *(f"src/oneiros/{room}" for room in ROOMS),
    *("tests/core", "tests/layers", "tests/training", "tests/saving", "tests/models", "tests/compat"),
    *("tests/losses", "tests/metrics", "tests/optimizers", "tests/utils"),
]
EQUIVALENT = HERE / "equivalent.json"
MEMORY = 8 << 30  # bytes
PATIENCE = 120  # seconds of processor time; a change that takes longer has been noticed


class Recorder:
    """A plugin of pytest: the lines that each test runs, and how long it takes."""

    def __init__(self):
        import coverage

        self.coverage = coverage.Coverage(data_file=None, include=[f"{PACKAGE}/*"], config_file=False)
        self.tests, self.seconds, self.lines, self.useless = [], [], {}, set()

    def pytest_runtest_logstart(self, nodeid):
        self.coverage.switch_context(str(len(self.tests)))
        self.tests.append(nodeid)
        self.started = time.perf_counter()

    def pytest_runtest_logfinish(self, nodeid):
        self.seconds.append(round(time.perf_counter() - self.started, 3))
        self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report):
        if report.outcome != "passed":
            self.useless.add(len(self.tests) - 1)

    def result(self):
        data = self.coverage.get_data()
        for file in data.measured_files():
            lines = {
                line: sorted({int(c) for c in contexts if c} - self.useless)
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            self.lines[Path(file).relative_to(PACKAGE).as_posix()] = {k: v for k, v in lines.items() if v}
        return {"tests": self.tests, "seconds": self.seconds, "lines": self.lines}


def record(arguments):
    """Adds what the tests of some files run to the map."""
    import pytest

    for file in arguments.tests:
        target = arguments.map / (file.replace("/", "_") + ".json")
        if target.exists():
            continue
        if (child := os.fork()) == 0:
            recorder = Recorder()
            recorder.coverage.start()
            pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", file], plugins=[recorder])
            recorder.coverage.stop()
            arguments.map.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(recorder.result()))
            os._exit(0)
        os.waitpid(child, 0)


@functools.lru_cache(1)
def tests_by_line(folder, files):
    """From a file and a line to pairs of seconds and test."""
    found = {}
    for file in files:
        known = json.loads((folder / file).read_text())
        for path, lines in known["lines"].items():
            for line, tests in lines.items():
                pairs = [(known["seconds"][t], known["tests"][t]) for t in tests]
                found.setdefault((path, int(line)), []).extend(pairs)
    return found


def chosen(pairs, limit):
    """The fastest tests of a line, as far as the time allows."""
    taken, total = [], 0
    for seconds, test in sorted(pairs):
        total += seconds
        if taken and total > limit:
            break
        taken.append(test)
    return taken


def change_source(mutation):
    """From here on, the file is imported with the changed line."""
    path = str(PACKAGE / mutation.path)
    text = mutation.apply(Path(path).read_text())
    loader = importlib.machinery.SourceFileLoader
    unchanged = loader.get_code

    def get_code(self, name):
        return compile(text, path, "exec") if self.path == path else unchanged(self, name)

    loader.get_code = get_code


class Killer:
    """A plugin of pytest: tells which test failed."""

    def __init__(self, pipe):
        self.pipe = pipe

    def pytest_runtest_logreport(self, report):
        if report.failed:
            os.write(self.pipe, report.nodeid.encode())


def run_tests(tests, mutation=None):
    """Whether the tests pass, in a fork with one line changed; and the test that failed."""
    import pytest

    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        if mutation is not None:
            change_source(mutation)
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))  # an endless loop has been noticed too
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))  # some changes ask for all there is
        signal.alarm(10 * PATIENCE)
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--assert=plain"]
        os._exit(int(pytest.main([*options, *tests], plugins=[Killer(writing)])))
    os.close(writing)
    with open(reading) as pipe:
        killer = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0, killer


@functools.cache
def is_sound(tests):
    """Whether these tests pass alone when nothing is changed."""
    return run_tests(tests)[0]


def outcome(mutation, tests):
    """``killed``, ``survived`` or ``uncovered``."""
    while tests:
        passed, killer = run_tests(tests, mutation)
        if passed:
            return "survived"
        if is_sound((killer,) if killer else tuple(tests)):
            return "killed"
        tests = [test for test in tests if killer and test != killer]
    return "uncovered"


def results_in(log):
    """What an earlier run found: what was killed then is not tried again."""
    if not log or not Path(log).exists():
        return {}
    return {tuple(key): result for result, *key in map(json.loads, Path(log).read_text().splitlines())}


WARM = ["h5py", "jax.numpy", "jax.experimental.rnn", "pandas", "pytest", "scipy.stats", "sklearn.base"]


def run(arguments):
    for module in WARM:
        importlib.import_module(module)
    rooms = arguments.rooms or ROOMS
    equivalent = {tuple(e["change"]): e["reason"] for e in json.loads(EQUIVALENT.read_text())}
    table = {room: Counter() for room in rooms}
    found = results_in(arguments.log)
    for mutation in draw(PACKAGE, rooms, arguments.count, arguments.seed):
        text = (PACKAGE / mutation.path).read_text()
        room = next(room for room in rooms if mutation.path.startswith(room))
        if found.get(mutation.key(text)) == "killed":
            table[room]["killed"] += 1
            continue
        known = tests_by_line(arguments.map, tuple(sorted(os.listdir(arguments.map))))
        if mutation.key(text) in equivalent:
            result = "equivalent"
        else:
            result = outcome(mutation, chosen(known.get((mutation.path, mutation.line), []), arguments.seconds))
        table[room][result] += 1
        if result in ("survived", "uncovered"):
            print(f"{result}: {mutation.diff(text)}", flush=True)
        if arguments.log:
            with open(arguments.log, "a") as log:
                log.write(json.dumps([result, *mutation.key(text)]) + "\n")
    total = sum(table.values(), Counter())
    print(f"{'room':<16}{'mutants':>8}{'killed':>8}{'survived':>9}{'uncovered':>10}{'equivalent':>11}")
    for room, row in (table | {"all": total}).items():
        print(
            f"{room:<16}{row.total():>8}", *(f"{row[k]:>9}" for k in ("killed", "survived", "uncovered", "equivalent"))
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", type=Path, default=ROOT / "build" / "mutants", help="folder of the recorded lines")
    commands = parser.add_subparsers(required=True)
    recording = commands.add_parser("record", help="note which tests run which lines")
    recording.add_argument("tests", nargs="*", default=TESTS)
    recording.set_defaults(function=record)
    running = commands.add_parser("run", help="draw changes and run the tests of their lines")
    running.add_argument("count", type=int)
    running.add_argument("--rooms", nargs="*")
    running.add_argument("--seed", type=int, default=0)
    running.add_argument("--seconds", type=float, default=20, help="a change survives after so many seconds of tests")
    running.add_argument("--log", help="a file to which each result is added; what it says was killed is not run again")
    running.set_defaults(function=run)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    arguments.function(arguments)


if __name__ == "__main__":
    main()
