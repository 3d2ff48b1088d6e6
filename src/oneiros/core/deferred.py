"""Updates of variables as data: what Keras 1 and 2 call `updates`.

Inside ``with deferring():`` the backend's `update` functions change nothing and return ``(variable, new value)``
pairs for the caller to apply.
"""

import contextlib
import threading

_thread = threading.local()


def active():
    """Whether updates are to be returned instead of executed."""
    return getattr(_thread, "active", False)


@contextlib.contextmanager
def deferring(flag=True):
    """Updates made inside are returned as pairs (with flag=False: executed again)."""
    previous, _thread.active = active(), flag
    try:
        yield
    finally:
        _thread.active = previous
