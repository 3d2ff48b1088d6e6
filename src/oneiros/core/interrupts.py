"""Ctrl-C at moments when nothing is half done, and a limit for waiting.

Python raises `KeyboardInterrupt` between any two instructions: in the middle of bookkeeping, or in a destructor or a
hook of `os.fork`, where it is lost. So work that belongs together runs inside `held`, where an interrupt waits; users'
code and waiting for data run inside `allowed`, where it acts at once. If it is raised inside `allowed` but does not
come out, because a destructor lost it or something caught it, it is raised again. The program's own handler decides
what an interrupt does.

Everything here acts in the main thread, where Python runs signal handlers; elsewhere it does nothing.
"""

import _signal  # the functions of `signal` without its enumerations, which cost ten times as much
import functools
import signal
import threading
import time

_PATIENCE = 1.0  # seconds after the first interrupt until another no longer waits: something may be stuck

_main = threading.main_thread().ident
_own = None  # the program's handler while ours is in its place
_open = False  # whether an interrupt may act between any two instructions
_waiting = None  # the arguments of the interrupt that has not ended the work yet
_since = 0.0  # when it last acted, or came


def _handle(*args):
    global _waiting, _since
    if _own is None:  # a program kept our handler and put it back later
        signal.default_int_handler(*args)
    again = _waiting is not None and time.monotonic() - _since > _PATIENCE
    if _waiting is None:
        _waiting, _since = args, time.monotonic()
    elif not again:
        return  # the first one is on its way
    if _open or again:
        _act()


def _act():
    """Runs the program's handler. If that raises, the interrupt waits on until the exception has left `held`."""
    global _waiting, _since, _open
    before, _open, _since = _open, False, time.monotonic()
    _own(*_waiting)
    _waiting, _open = None, before


def check():
    """Raises the interrupt here, if one waits."""
    if _waiting is not None and threading.get_ident() == _main:
        _act()


class held:  # noqa: N801 - used as a function
    """Makes an interrupt wait until the block ends, or until the next `allowed` or `check` inside it.

    A second interrupt does not wait if it comes more than a second later, since what is inside may never end.

    >>> handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    >>> try:
    ...     with held():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("done")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    done
    interrupted
    """

    def __enter__(self):
        global _own, _open, _waiting
        self.acts = threading.get_ident() == _main
        if not self.acts:
            return
        self.before, _open = _open, False
        self.outermost = _own is None
        if self.outermost:
            handler = _signal.getsignal(_signal.SIGINT)
            self.acts = callable(handler) and handler is not _handle
            if self.acts:
                _own, _waiting = handler, None
                try:
                    _signal.signal(_signal.SIGINT, _handle)
                except BaseException:  # an interrupt that came just before
                    _own = None
                    raise

    def __exit__(self, kind, error, trace):
        global _own, _open, _waiting
        if not self.acts:
            return
        _open = self.before
        if not self.outermost:
            if _open and kind is None:
                check()
            return
        handler = _own
        try:
            if _signal.getsignal(_signal.SIGINT) is _handle:
                _signal.signal(_signal.SIGINT, handler)
        finally:
            waiting, _own, _waiting = _waiting, None, None
        if waiting and not isinstance(error, KeyboardInterrupt):
            handler(*waiting)


class allowed:  # noqa: N801 - used as a function
    """Lets interrupts act at once again, inside of a `held` block. One that waits is raised on entry.

    >>> handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    >>> try:
    ...     with held(), allowed():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("not reached")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    interrupted
    """

    def __enter__(self):
        global _open
        check()
        self.before = _open
        if _own is not None and threading.get_ident() == _main:
            _open = True

    def __exit__(self, kind, error, trace):
        global _open
        if _own is not None and threading.get_ident() == _main:
            _open = self.before
            if kind is None:
                check()


def guarded(method):
    """The function, with its whole run inside of `held`."""

    @functools.wraps(method)
    def run(*args, **kwargs):
        with held():
            return method(*args, **kwargs)

    return run


_limit = None  # (when, what makes the error) of the innermost time limit
_rings_at = 0.0  # when the alarm clock rings; it is left alone while limits come and go, for that costs system calls


def _ring(*args):
    if _limit is not None:
        if time.monotonic() >= _limit[0]:
            raise _limit[1]()
        _set_alarm()


def _set_alarm():
    global _rings_at
    now = time.monotonic()
    if now < _rings_at <= _limit[0]:  # it rings in time, and is set anew then
        return
    handler = signal.getsignal(signal.SIGALRM)
    in_use = handler is not _ring and (handler is not signal.SIG_DFL or signal.getitimer(signal.ITIMER_REAL)[0])
    if not in_use:
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, max(_limit[0] - now, 1e-3))
        _rings_at = _limit[0]


class time_limit:  # noqa: N801 - used as a function
    """Raises an error if the block takes too long.

    It uses the process's alarm clock. It does nothing where the program uses that clock itself, and it cannot end a
    call into C that never returns.

    Args:
        seconds: the time that the block may take; `None` sets no limit.
        error: a function without arguments that makes the exception.

    >>> with time_limit(0.01, lambda: TimeoutError("too slow")):
    ...     time.sleep(5)
    Traceback (most recent call last):
    ...
    TimeoutError: too slow
    """

    def __init__(self, seconds, error):
        self.seconds, self.error = seconds, error

    def __enter__(self):
        global _limit
        self.acts = self.seconds is not None and threading.get_ident() == _main and hasattr(signal, "setitimer")
        if self.acts:
            self.before, _limit = _limit, (time.monotonic() + self.seconds, self.error)
            _set_alarm()

    def __exit__(self, *exception):
        global _limit
        if self.acts:
            _limit = self.before
            if _limit is not None:
                _set_alarm()
