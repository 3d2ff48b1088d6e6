"""Updates of variables as data: what Keras 1 and 2 call `updates`.

Inside ``with deferring():`` the backend's `update` functions change nothing and return ``(variable, new value)``
pairs for the caller to apply. Inside ``with dropping():`` layers leave their statistics alone, and what they add by
`add_update` is forgotten.
"""

import contextlib
import threading

_thread = threading.local()


def active():
    """Whether updates are to be returned instead of executed."""
    return getattr(_thread, "active", False)


def dropped():
    """Whether layers' updates are dropped here."""
    return getattr(_thread, "dropped", False)


@contextlib.contextmanager
def dropping(flag=True):
    """Drops updates of layers made inside (with flag=False: only if those outside are dropped, too)."""
    previous, _thread.dropped = dropped(), dropped() or flag
    try:
        yield
    finally:
        _thread.dropped = previous


@contextlib.contextmanager
def deferring(flag=True):
    """Updates made inside are returned as pairs (with flag=False: executed again)."""
    previous, _thread.active = active(), flag
    try:
        yield
    finally:
        _thread.active = previous
