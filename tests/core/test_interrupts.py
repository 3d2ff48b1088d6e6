"""Ctrl-C that waits, acts, or would be lost; and time limits."""

import os
import signal
import threading
import time

import pytest

from oneiros.core import interrupts
from oneiros.core.interrupts import allowed, check, guarded, held, time_limit


@pytest.fixture(autouse=True)
def handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press():
    signal.raise_signal(signal.SIGINT)


def test_held_waits_and_allowed_does_not():
    done = []
    with pytest.raises(KeyboardInterrupt), held():
        press()
        done.append("held")
        with held():
            done.append("nested")
    assert done == ["held", "nested"]
    with pytest.raises(KeyboardInterrupt), held(), allowed():
        press()
        done.append("never")
    with pytest.raises(KeyboardInterrupt), held():
        press()
        with allowed():
            done.append("never")
    with pytest.raises(KeyboardInterrupt), held():
        press()
        check()
        done.append("never")
    with pytest.raises(KeyboardInterrupt), held(), allowed(), held():
        press()
        done.append("inner")
    assert done == ["held", "nested", "inner"]


class Pressing:
    def __del__(self):
        press()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lost", ["destructor", "fork", "caught"])
def test_an_interrupt_that_gets_lost_is_raised_again(lost):
    ended = []

    def lose():
        if lost == "destructor":
            Pressing()
        elif lost == "caught":
            try:
                press()
            except BaseException:
                ended.append("caught")
        else:
            os.register_at_fork(before=press_once)
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)

    presses = [1]

    def press_once():
        if presses.pop() if presses else None:
            press()

    with pytest.raises(KeyboardInterrupt), held(), allowed():
        lose()
        ended.append("body")
    assert ended[-1] == "body"


def test_a_second_interrupt_does_not_wait_for_what_never_ends(monkeypatch):
    monkeypatch.setattr(interrupts, "_PATIENCE", 0.05)
    passed = []
    with pytest.raises(KeyboardInterrupt), held():
        press()
        press()
        passed.append("quickly twice is once")
        time.sleep(0.1)
        press()
        passed.append("never")
    assert passed == ["quickly twice is once"]


def test_the_handler_of_the_program_decides():
    calls = []
    signal.signal(signal.SIGINT, lambda *args: calls.append(args[0]))
    with held():
        press()
        assert calls == []
        with allowed():
            assert calls == [signal.SIGINT]
            press()
        assert len(calls) == 2
    assert len(calls) == 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held():
        press()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_an_error_and_an_interrupt():
    with pytest.raises(KeyboardInterrupt) as caught, held():
        press()
        raise ValueError("first")
    assert isinstance(caught.value.__context__, ValueError)


def test_other_threads_are_left_alone():
    results = []

    @guarded
    def work():
        with allowed():
            check()
        return interrupts._own

    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    assert results == [None]


def test_time_limits():
    def error(name):
        return lambda: TimeoutError(name)

    with time_limit(0.05, error("never")):
        pass
    time.sleep(0.1)  # the clock may ring now, for nobody
    with pytest.raises(TimeoutError, match="inner"), time_limit(5, error("outer")), time_limit(0.05, error("inner")):
        time.sleep(5)
    with pytest.raises(TimeoutError, match="outer"), time_limit(0.1, error("outer")):
        with time_limit(5, error("inner")):
            pass
        time.sleep(5)
    with time_limit(None, error("never")):
        pass


def test_an_alarm_of_the_program_is_left_alone():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *args: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with time_limit(0.02, lambda: TimeoutError("never")):
            time.sleep(0.15)
        assert rung == [1]
    finally:
        signal.signal(signal.SIGALRM, before)
