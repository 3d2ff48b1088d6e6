"""Whether code that a file brings along may be run: not unless the caller says so."""

import contextlib
import threading

_thread = threading.local()
_consent = False


def in_safe_mode():
    """Whether code found in configurations is refused: what the innermost `loading` says, else yes without consent."""
    flag = getattr(_thread, "safe_mode", None)
    return not _consent if flag is None else flag


def enable_unsafe_deserialization():
    """Consents, for the whole process, to running the code of Lambda layers that files contain."""
    global _consent
    _consent = True


@contextlib.contextmanager
def loading(safe_mode=None):
    """Inside, `safe_mode` decides (None: what holds outside). For ``load_model(..., safe_mode=...)``."""
    previous = getattr(_thread, "safe_mode", None)
    _thread.safe_mode = previous if safe_mode is None else bool(safe_mode)
    try:
        yield
    finally:
        _thread.safe_mode = previous
