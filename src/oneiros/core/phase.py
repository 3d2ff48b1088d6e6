"""Whether the code that runs now trains: the flag of the layer call under way, and the user's fixed learning phase."""

import contextlib
import threading

_thread = threading.local()
_default = None


def current():
    """The training flag of the innermost call under way: True, False, or None if it gave none (or there is none)."""
    flags = getattr(_thread, "flags", None)
    return flags[-1] if flags else None


def inside():
    """Whether a call is under way in this thread."""
    return bool(getattr(_thread, "flags", None))


@contextlib.contextmanager
def running(training):
    """Makes `training` the current flag while a call runs; None leaves the outer call's flag as it is."""
    flags = _thread.flags = getattr(_thread, "flags", None) or []
    flags.append(current() if training is None else bool(training))
    try:
        yield
    finally:
        flags.pop()


def default():
    """What `set_learning_phase` fixed: True or False, or None where nothing is fixed."""
    return _default


def set_default(value):
    global _default
    _default = None if value is None else bool(value)


def resolve(training=None):
    """The flag that holds here: the argument, else the call's, else the fixed phase, else False."""
    for flag in (training, current(), _default):
        if flag is not None:
            return flag
    return False
