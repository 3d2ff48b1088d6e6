"""The looks, compared with what Keras 1.2, Keras 2.1 and tf_keras 2.21, and Keras 3.15 print."""

import io
import sys

import pytest

from oneiros.utils import progress
from oneiros.utils.progress import Progbar


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def clock(monkeypatch):
    """Time passes only when the test says so."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "time", lambda: now[0])
    return now


def drawn(monkeypatch, clock, terminal, steps, seconds=0.5, columns="200", **arguments):
    """What five steps of half a second write; the last look of each line if it is drawn over."""
    stream = Stream(terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", columns)
    bar = Progbar(interval=0, **arguments)
    for step in range(1, steps + 1):
        clock[0] += seconds
        bar.update(step, [("loss", 0.1 * step), ("acc", 0.00001 * step)])
    return stream.getvalue()


GREEN, WHITE, BOLD, PLAIN = "\x1b[32m", "\x1b[37m", "\x1b[1m", "\x1b[0m"


def test_keras3_in_a_terminal(monkeypatch, clock):
    looks = drawn(monkeypatch, clock, True, 5, target=5, style="keras3").split("\r")
    assert looks[0] == ""
    assert looks[2] == (
        f"{BOLD}2/5{PLAIN} {GREEN}{'━' * 8}{PLAIN}{WHITE}{'━' * 12}{PLAIN} {BOLD}1s{PLAIN} 500ms/step"
        " - loss: 0.1500 - acc: 1.5000e-05"
    )
    assert looks[5] == (
        f"{BOLD}5/5{PLAIN} {GREEN}{'━' * 20}{PLAIN}{WHITE}{PLAIN} {BOLD}2s{PLAIN} 500ms/step"
        " - loss: 0.5000 - acc: 5.0000e-05\n"
    )


def test_keras2_in_a_terminal(monkeypatch, clock):
    looks = drawn(monkeypatch, clock, True, 5, target=5, style="keras2").split("\r")
    assert looks[2] == "2/5 [===========>..................] - ETA: 1s - loss: 0.1500 - acc: 1.5000e-05"
    assert looks[5] == "5/5 [==============================] - 2s 500ms/step - loss: 0.3000 - acc: 3.0000e-05\n"


def test_leftovers_of_a_longer_line_are_erased(monkeypatch, clock):
    *_, before, last = drawn(monkeypatch, clock, True, 5, target=5, style="keras1").split("\r")
    assert last.rstrip() == "5/5 [==============================] - 2s - loss: 0.3000 - acc: 3.0000e-05"
    assert len(last.rstrip("\n")) == len(before)


def test_narrow_terminal(monkeypatch, clock):
    looks = drawn(monkeypatch, clock, True, 5, target=5, style="keras3", columns="40").split("\r")
    assert all(len(look.rstrip()) <= 39 for look in looks[:-1])


@pytest.mark.parametrize(
    ("style", "verbose", "line"),
    [
        ("keras1", 1, "5/5 [==============================] - 2s - loss: 0.3000 - acc: 3.0000e-05\n"),
        ("keras2", 1, "5/5 [==============================] - 2s 500ms/step - loss: 0.3000 - acc: 3.0000e-05\n"),
        ("keras3", 1, f"5/5 {'━' * 20} 2s 500ms/step - loss: 0.5000 - acc: 5.0000e-05\n"),
        ("keras1", 2, "2s - loss: 0.3000 - acc: 3.0000e-05\n"),
        ("keras2", 2, " - 2s - loss: 0.3000 - acc: 3.0000e-05\n"),
        ("keras3", 2, "5/5 - 2s - 500ms/step - loss: 0.5000 - acc: 5.0000e-05\n"),
        ("keras3", 0, ""),
    ],
)
def test_log_file_has_one_line_without_control_characters(monkeypatch, clock, style, verbose, line):
    assert drawn(monkeypatch, clock, False, 5, target=5, style=style, verbose=verbose) == line


def test_the_published_line(monkeypatch, clock):
    stream = Stream(False)
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(16750, style="keras1")
    clock[0] += 107
    bar.update(16750, [("loss", 0.5570), ("acc", 0.7149)])
    assert stream.getvalue() == f"16750/16750 [{'=' * 30}] - 107s - loss: 0.5570 - acc: 0.7149\n"


def test_unknown_target(monkeypatch, clock):
    text = drawn(monkeypatch, clock, True, 2, target=None, style="keras2")
    assert text.split("\r")[2] == "      2/Unknown - 1s 500ms/step - loss: 0.1500 - acc: 1.5000e-05"
    stream = Stream(False)
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(None, style="keras3")
    for step in (1, 2):
        clock[0] += 0.5
        bar.update(step, [("loss", step)])
    assert stream.getvalue() == ""
    bar.update(2, [("loss", 7)], finalize=True)
    assert stream.getvalue() == "      2/Unknown 1s 500ms/step - loss: 7.0000\n"


def test_stateful_metrics_are_shown_as_they_come(monkeypatch, clock):
    arguments = {"target": 5, "style": "keras2", "verbose": 2}
    assert drawn(monkeypatch, clock, False, 5, stateful_metrics=["acc"], **arguments).endswith("acc: 5.0000e-05\n")
    assert drawn(monkeypatch, clock, False, 5, stateless_metrics=["acc"], **arguments).endswith(
        "loss: 0.5000 - acc: 3.0000e-05\n"
    )


def test_means_are_weighted_by_steps(monkeypatch, clock):
    stream = Stream(False)
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(40, style="keras2", verbose=2)
    bar.add(30, [("loss", 1.0)])
    bar.add(10, [("loss", 5.0), ("curly {x}", 2)])
    assert stream.getvalue() == " - 0s - loss: 2.0000 - curly {x}: 2.0000\n"


def test_drawn_at_most_every_interval_and_never_after_the_end(monkeypatch, clock):
    stream = Stream(True)
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(100, interval=1, style="keras2")
    for step in range(1, 101):
        clock[0] += 0.1
        bar.update(step)
    assert 10 <= stream.getvalue().count("\r") <= 12
    written = stream.getvalue()
    bar.update(100, [("loss", 1)])
    assert stream.getvalue() == written


def test_times(monkeypatch, clock):
    assert progress._eta(59.9) == "59s"
    assert progress._eta(61) == "1:01"
    assert progress._eta(2000000.5) == "555:33:20"
    text = drawn(monkeypatch, clock, False, 3, seconds=2, target=3, style="keras2")
    assert " - 6s 2s/step - " in text
    text = drawn(monkeypatch, clock, False, 3, seconds=2e-5, target=3, style="keras2")
    assert " - 0s 20us/step - " in text


def test_notebook(monkeypatch, clock):
    class OutStream(Stream):
        __module__ = "ipykernel.iostream"

    stream = OutStream(False)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "10")
    Progbar(3, style="keras2").update(1, [("loss", 1)])
    assert stream.getvalue() == "\r1/3 [=========>....................] - ETA: 0s - loss: 1.0000"


def test_metrics_are_named_in_one_way():
    with pytest.raises(ValueError, match="Only one of"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])
