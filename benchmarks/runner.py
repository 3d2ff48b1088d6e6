"""Runs one row: every peer in a process of its own, in turns, so that a busy machine is busy for all of them."""

import json
import os
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from .environments import OURS, PEERS, ROOT, python_of, variables_of
from .rows import CONVOLUTIONAL, Program

HOPELESS = 5  # times slower than the fastest in the first round: such a peer sits out the others
_LIMIT = 900.0  # seconds for one answer


class PeerError(Exception):
    """A peer could not do what it was told to."""


class Worker:
    """Measures a row in one peer, in a process that stays and answers in lines of JSON."""

    def __init__(self, command, variables, log):
        self.log, self.usage, self.started = log, None, time.perf_counter()
        with open(log, "ab") as errors:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
            self.process = subprocess.Popen(command, env=variables, cwd=ROOT, text=True, **pipes)

    def read(self):
        line = self._limited(self.process.stdout.readline)
        if not line:
            raise PeerError(f"The process ended without an answer; see {self.log}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def ask(self, **command):
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # `read` finds out why
        return self.read()

    def close(self):
        """Waits for the end; returns the seconds from start to end, those of the CPU, and the peak memory in bytes."""
        if self.usage is None:
            self.process.stdout.close()
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
            _, status, usage = self._limited(lambda: os.wait4(self.process.pid, 0))
            self.process.returncode = os.waitstatus_to_exitcode(status)
            wall, cpu = time.perf_counter() - self.started, usage.ru_utime + usage.ru_stime
            self.usage = {"wall": wall, "cpu": cpu, "peak": usage.ru_maxrss * 1024}
        return self.usage

    def _limited(self, wait):
        timer = threading.Timer(_LIMIT, self.process.kill)
        timer.start()
        try:
            return wait()
        finally:
            timer.cancel()


class Starter:
    """Measures a program in one peer: each measurement is a process from its start to its end."""

    def __init__(self, command, variables, log, row):
        self.start, self.row = (command, variables, log), row
        self.usage = {"peak": 0}

    def ask(self, do, **_):
        command, variables, log = self.start
        with tempfile.TemporaryDirectory() as folder:
            fresh = {"ONEIROS_CACHE": folder} if self.row.cache == "fresh" else {}
            worker = Worker(command, variables | fresh, log)
            try:
                answer = worker.read() if self.row.row else {"figures": []}
            finally:
                usage = worker.close()
        if worker.process.returncode:
            raise PeerError(f"The process ended with status {worker.process.returncode}; see {log}")
        self.usage = {"peak": max(self.usage["peak"], usage["peak"])}
        return answer if do == "check" else usage

    def close(self):
        return self.usage


def runs(row, peer):
    """Whether a peer has this row: raw PyTorch has no scripts, and not all models."""
    if peer.variant is None:
        return True
    twin = getattr(row, "twin", None)
    return twin is not None and (peer.variant != "channels_last" or twin in CONVOLUTIONAL)


def starters(row, names, output, pythons, smoke=False):
    """By name of the peer, the function that starts it. pythons: interpreters by environment, where not our own."""
    output.joinpath("logs").mkdir(parents=True, exist_ok=True)

    def start(name):
        peer, log, flags = PEERS[name], output / "logs" / f"{row.name}-{name}.txt", ["--smoke"] if smoke else []
        log.unlink(missing_ok=True)
        python = pythons.get(peer.environment) or python_of(peer.environment)
        variables = variables_of(peer, ONEIROS_CACHE=str(output / "cache"))
        if not isinstance(row, Program):
            return Worker([python, "-m", "benchmarks.worker", row.name, name, *flags], variables, log)
        script = ["-m", "benchmarks.worker", "--program", row.row, name, *flags]
        return Starter([python, *(script if row.row else ["-c", f"import {peer.module}"])], variables, log, row)

    return {name: (lambda name=name: start(name)) for name in names if runs(row, PEERS[name])}


def difference(ours, theirs, spread=False):
    """The largest difference, relative to the size of our numbers or, of predictions, to their spread.

    The predictions of an untrained model are all nearly the same: only their spread tells models apart.
    Infinite where one is not a number, or where there are not as many.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return float("inf")
    size = abs(ours).max(initial=0)
    scale = max(np.ptp(ours), 1e-3 * size) if spread else size  # no spread is so small that rounding shows
    return float(abs(ours - theirs).max(initial=0) / max(scale, 1e-30))


def side_by_side(row, start, rounds, seconds, warm_up=2):
    """Measures a row in all peers, A B A B.

    start: from `starters`, ours first. Returns by peer: walls and cpus (seconds a step, one for each round), peak
    (bytes), difference (of its results from ours) and equal; or error.
    """
    results, workers, expected = {}, {}, None
    with ExitStack() as stack:
        weights = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "weights.npz")

        def ask(name, **command):
            try:
                if name not in workers:
                    workers[name] = start[name]()
                    stack.callback(workers[name].close)
                return workers[name].ask(**command)
            except (PeerError, OSError) as error:
                workers.pop(name, None)
                results[name]["error"] = str(error)
                return None

        for name in start:
            results[name] = {"walls": [], "cpus": []}
            answer = ask(name, do="check", weights=weights, save=name == OURS, warm_up=warm_up)
            if answer is not None:
                expected = answer["figures"] if name == OURS else expected
                allowed = row.tolerance if PEERS[name].variant is None else row.twin_tolerance
                far = difference(expected, answer["figures"], row.predicts)
                results[name] |= {"difference": far, "equal": far <= allowed}
            elif name == OURS:
                return results
        for turn in range(rounds):
            for name in list(workers):
                answer = ask(name, do="measure", seconds=seconds)
                if answer is not None:
                    results[name]["walls"].append(answer["wall"])
                    results[name]["cpus"].append(answer["cpu"])
            first = {name: results[name]["walls"][0] for name in workers}
            fastest = min((wall for name, wall in first.items() if results[name]["equal"]), default=0)
            for name, wall in first.items() if turn == 0 else ():
                if name != OURS and wall > HOPELESS * fastest:
                    results[name]["peak"] = workers.pop(name).close()["peak"]
        for name, worker in workers.items():
            results[name]["peak"] = worker.close()["peak"]
    return results
