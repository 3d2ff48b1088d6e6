"""The harness of the benchmarks, on measurements that are made up."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from benchmarks import environments, report, runner
from benchmarks.__main__ import arguments
from benchmarks.rows import ROWS, Row
from benchmarks.worker import check_data, groups, measure, serve

ROW = Row("toy_fit", None, None, "fit", 4, twin="mlp", twin_tolerance=0.05)


class Fake:
    """A peer that answers what it was made with; `log` notes who was asked for what."""

    def __init__(self, name, figures, walls, log):
        self.name, self.figures, self.walls, self.log = name, figures, iter(walls), log

    def ask(self, do, **_):
        self.log.append((self.name, do))
        if do == "check":
            return {"figures": self.figures}
        try:
            wall = next(self.walls)
        except StopIteration:
            raise runner.PeerError("broke down") from None
        return {"wall": wall, "cpu": 2 * wall}

    def close(self):
        return {"peak": 5_000_000}


def run(peers, rounds=3, row=ROW):
    log = []
    start = {name: (lambda name=name, given=given: Fake(name, *given, log)) for name, given in peers.items()}
    return runner.side_by_side(row, start, rounds, 0.0), log


def test_peers_take_turns_and_the_ratio_is_of_one_round():
    results, log = run({"oneiros": ([0.5], [1, 2, 1]), "jax": ([0.5], [2, 2, 3]), "tf": ([0.5], [3, 9, 3])})
    assert log == [(name, do) for do in ("check", *["measure"] * 3) for name in ("oneiros", "jax", "tf")]
    summary = report.summary(ROW, results)
    assert summary["best"] == "jax"
    assert summary["ratio"] == {"min": 1.0, "median": 2.0, "max": 3.0}
    assert summary["cpu_ratio"] == 2.0
    assert not summary["unequal"] and not summary["failed"]


def test_a_far_slower_peer_sits_out_but_is_told():
    results, log = run({"oneiros": ([0.5], [1, 1, 1]), "jax": ([0.5], [2, 2, 2]), "torch": ([0.5], [5.1, 5, 5])})
    assert log.count(("torch", "measure")) == 1
    summary = report.summary(ROW, results)
    assert summary["best"] == "jax"
    assert "5.1e+03 ms*, 5" in report.table([summary])


def test_where_all_peers_sit_out_the_first_round_counts():
    results, _ = run({"oneiros": ([0.5], [1, 1, 1]), "jax": ([0.5], [8, 8, 8]), "tf": ([0.5], [6, 6, 6])})
    summary = report.summary(ROW, results)
    assert summary["best"] == "tf"
    assert summary["ratio"] == {"min": 6.0, "median": 6.0, "max": 6.0}


def test_a_peer_with_other_results_is_never_the_best():
    results, _ = run({"oneiros": ([0.5, 0.4], [1] * 3), "jax": ([0.5, 0.4006], [0.5] * 3), "tf": ([0.5, 0.4], [2] * 3)})
    summary = report.summary(ROW, results)
    assert summary["best"] == "tf"
    assert summary["unequal"] == {"jax": pytest.approx(0.0012)}
    assert "differ: jax (0.001)" in report.table([summary])


def test_raw_pytorch_has_a_tolerance_of_its_own():
    results, _ = run({"oneiros": ([1.0], [1] * 3), "pytorch-eager": ([1.04], [1] * 3), "torch": ([1.04], [1] * 3)})
    assert results["pytorch-eager"]["equal"] and not results["torch"]["equal"]


def test_a_peer_that_fails_is_left_out():
    results, _ = run({"oneiros": ([0.5], [1] * 3), "jax": ([0.5], [1.5]), "tf": ([0.5], [2] * 3)})
    summary = report.summary(ROW, results)
    assert summary["best"] == "tf" and summary["failed"] == {"jax": "broke down"}
    assert "- toy_fit, jax: broke down" in report.table([summary])


def test_without_us_there_is_no_ratio():
    def missing():
        raise runner.PeerError("AttributeError: no ResNet50")

    log = []
    results = runner.side_by_side(ROW, {"oneiros": missing, "jax": lambda: Fake("jax", [1], [1], log)}, 1, 0.0)
    assert log == [] and set(results) == {"oneiros"}
    table = report.table([report.summary(ROW, results)])
    assert "skipped" in table and "no ResNet50" in table


def test_difference():
    assert runner.difference([2.0, 4.0], [2.0, 4.01]) == pytest.approx(0.0025)
    # Predictions near 0.5 that have nothing to do with one another: near in size, far in their spread.
    assert runner.difference([0.5, 0.501], [0.501, 0.5]) < 3e-3
    assert runner.difference([0.5, 0.501], [0.501, 0.5], spread=True) == pytest.approx(1.0)
    assert runner.difference([1.0], [float("nan")]) == float("inf")
    assert runner.difference([1.0], [1.0, 2.0]) == float("inf")
    assert runner.difference([], []) == 0.0


def test_the_files_keep_the_rows_of_earlier_runs(tmp_path):
    results, _ = run({"oneiros": ([0.5], [1] * 3), "jax": ([0.5], [2] * 3)})
    summary = report.summary(ROW, results)
    report.write(tmp_path, [summary | {"row": "toy_predict_one"}])
    report.write(tmp_path, [summary])
    saved = json.loads((tmp_path / "results.json").read_text())
    assert [row["row"] for row in saved["rows"]] == ["toy_fit", "toy_predict_one"]  # in the order of the rows
    assert saved["rows"][0]["ratio"]["median"] == 2.0
    text = (tmp_path / "results.md").read_text()
    assert "| toy_fit | 1e+03 ms | jax | 2e+03 ms | 2.00 | **2.00** | 2.00 | 2.00 | 5 / 5 | equal |" in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results.json", "results.md"]


def test_a_worker_is_a_process_that_answers_lines(tmp_path):
    code = "import sys, json\nfor line in sys.stdin:\n  print(json.dumps({'figures': [len(line)]}), flush=True)"
    worker = runner.Worker([sys.executable, "-c", code], dict(os.environ), tmp_path / "log.txt")
    assert worker.ask(do="x") == {"figures": [len('{"do": "x"}\n')]}
    usage = worker.close()
    assert usage["peak"] > 1_000_000 and 0 < usage["wall"] < 60
    assert worker.close() is usage


@pytest.mark.parametrize(
    ("code", "message"),
    [('print(\'{"error": "ValueError: no"}\')', "ValueError: no"), ("raise SystemExit(3)", "without an answer.*log")],
)
def test_a_worker_that_fails_says_why(tmp_path, code, message):
    worker = runner.Worker([sys.executable, "-c", code], dict(os.environ), tmp_path / "log.txt")
    with pytest.raises(runner.PeerError, match=message):
        worker.read()
    worker.close()


def test_a_program_is_measured_as_a_whole(tmp_path):
    code = "import json, os; print(json.dumps({'figures': [len(os.environ['ONEIROS_CACHE'])]}))"
    variables = os.environ | {"ONEIROS_CACHE": ""}
    for name, fresh in ("script_second_run", False), ("script_first_run", True):
        starter = runner.Starter([sys.executable, "-c", code], variables, tmp_path / "log.txt", ROWS[name])
        assert (starter.ask("check")["figures"][0] > 0) == fresh
        assert starter.ask("measure", seconds=0)["wall"] > 0
        assert starter.close()["peak"] > 1_000_000
    command = [sys.executable, "-c", "import nothing_of_the_kind"]
    failing = runner.Starter(command, variables, tmp_path / "log.txt", ROWS["import"])
    with pytest.raises(runner.PeerError, match="status 1"):
        failing.ask("check")


def test_serving():
    class Session:
        steps = 2

        def check(self, weights, save):
            return [np.float32(0.5)] if save else []

        def prepare(self):
            calls.append("prepare")
            return lambda: calls.append("act")

    calls, answers = [], []
    commands = [{"do": "check", "weights": "w", "save": True, "warm_up": 2}, {"do": "measure", "seconds": 0.0}]
    serve(Session(), map(json.dumps, commands), answers.append)
    assert calls == ["prepare", "act", "act", "act"]
    assert answers[0] == {"figures": [0.5]}
    assert set(answers[1]) == {"wall", "cpu", "repetitions"} and answers[1]["repetitions"] == 1


def test_time_is_that_of_one_step(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr("benchmarks.worker.time.perf_counter", lambda: float(next(ticks)))
    measured = measure(lambda: None, steps=4, seconds=2.5)
    assert measured["repetitions"] == 3 and measured["wall"] == 0.25


def test_weights_travel_by_the_name_of_their_layer(tmp_path):
    np.savez(tmp_path / "w.npz", **{"hidden/0": np.ones((2, 3)), "hidden/1": np.zeros(3), "fire2/left/0": np.ones(1)})
    loaded = groups(tmp_path / "w.npz")
    assert {name: [a.shape for a in arrays] for name, arrays in loaded.items()} == {
        "hidden": [(2, 3), (3,)],
        "fire2/left": [(1,)],
    }


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if isinstance(row, Row)])
def test_data_of_the_rows(name):
    row = ROWS[name].small(2)
    x, y = row.data(np.random.default_rng(0), 4)
    again, _ = row.data(np.random.default_rng(0), 4)
    np.testing.assert_array_equal(x, again)  # every process makes the same
    assert len(x) == len(y) == 4 and x.dtype in ("float32", "int32") and y.dtype == "float32"
    samples = len(check_data(row)[0])
    assert samples == (16 if row.predicts else 4)


def test_choosing_rows_and_peers(tmp_path, capsys):
    options = arguments(["toy_fit", "--peers", "pytorch,jax", "--rounds", "2"])
    assert [row.name for row in options.rows] == ["toy_fit"]
    assert options.names == ["oneiros", "jax", "pytorch-eager", "pytorch-channels_last", "pytorch-compile"]
    assert len(arguments([]).rows) == len(ROWS)
    for wrong, message in (["no_such_row"], "no_such_row"), (["--peers", "theano"], "theano"), (["--rounds", "0"], "1"):
        with pytest.raises(SystemExit):
            arguments(wrong)
        assert message in capsys.readouterr().err
    # The toy rows and programs have no raw PyTorch; texts have no channels_last.
    names = [n for n in environments.PEERS if n.startswith("pytorch")]
    assert list(runner.starters(ROWS["toy_fit"], names, tmp_path, {})) == []
    assert list(runner.starters(ROWS["import"], names, tmp_path, {})) == []
    assert list(runner.starters(ROWS["gru_train"], names, tmp_path, {})) == ["pytorch-eager", "pytorch-compile"]
    assert list(runner.starters(ROWS["mnist_cnn_train"], names, tmp_path, {})) == names


def test_the_rows_are_listed():
    listed = subprocess.run([sys.executable, "-m", "benchmarks", "--list"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == list(ROWS)
