"""Tracebacks that end at the user's line, and the line that a message names.

Every public function and method passes its errors through `tidy`, which leaves out the frames of this library and of
JAX. The frames of a user's layer, loss or callback stay, wherever they are. ``ONEIROS_TRACEBACK=full`` in the
environment, or `disable_traceback_filtering`, shows everything.
"""

import contextlib
import functools
import inspect
import linecache
import os
import sys
import types

from .advice import advise

_OURS = __name__.partition(".")[0]
_HIDDEN = {_OURS, "jax", "jaxlib"}
# Hidden where this library called them, shown where the user did.
_CALLED = {
    *sys.stdlib_module_names,
    *("numpy", "scipy", "h5py", "optax", "pooch", "requests", "urllib3", "filelock", "rich", "PIL", "yaml", "grain"),
}
_JAX_NOTE = "JAX has removed its internal frames"
_enabled = os.environ.get("ONEIROS_TRACEBACK", "").lower() != "full"


def enable_traceback_filtering():
    """Leaves the frames of this library and of JAX out of tracebacks: the default."""
    global _enabled
    _enabled = True


def disable_traceback_filtering():
    """Shows the frames of this library and of JAX in tracebacks, as ``ONEIROS_TRACEBACK=full`` does from the start."""
    global _enabled
    _enabled = False


def is_traceback_filtering_enabled():
    """Whether tracebacks leave out the frames of this library and of JAX.

    >>> is_traceback_filtering_enabled()
    True
    """
    return _enabled


class Line:
    """A line of the user's code: its place and its text.

    Args:
        frame: a frame of the function that it is in.
        number: the number of the line.

    >>> import sys
    >>> Line(sys._getframe(), 1).number
    1
    """

    def __init__(self, frame, number):
        code = frame.f_code
        self.file, self.number, self.function = code.co_filename, number, code.co_name
        self.text = linecache.getline(self.file, number, frame.f_globals).strip()

    def __str__(self):
        where = f"{self.file}:{self.number}" + (f", in {self.function}" if self.function != "<module>" else "")
        return f"{where}: `{self.text}`" if self.text else where


def _root(frame):
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _users(frames):
    """Those of a list of frames (traceback entries or frame objects, the outermost first) that are the user's."""
    kept, after_hidden = [], False
    for frame in frames:
        root = _root(getattr(frame, "tb_frame", frame))
        after_hidden = root in _HIDDEN or (after_hidden and root in _CALLED)
        if not after_hidden:
            kept.append(frame)
    return kept


def _entries(trace):
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def is_from_user(error):
    """Whether the error passed code of the user's on its way here."""
    return bool(_users(_entries(error.__traceback__)))


def calling_line():
    """The line of the user's code that is running, or ``None``."""
    frame = sys._getframe(1)
    while frame is not None and (_root(frame) in _HIDDEN or _root(frame) in _CALLED):
        frame = frame.f_back
    return None if frame is None else Line(frame, frame.f_lineno)


def tidy(error):
    """Improves the message of an exception, and lets its traceback end at the user's line."""
    with contextlib.suppress(Exception):  # whatever goes wrong here must not hide the user's error
        _tidy(error)


def _tidy(error):
    users = _users(_entries(error.__traceback__))
    if isinstance(error, Exception):
        advise(error, Line(users[-1].tb_frame, users[-1].tb_lineno) if users else None)
    if not _enabled:
        return
    seen, waiting = set(), [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        trace = None
        for entry in reversed(_users(_entries(one.__traceback__))):
            trace = types.TracebackType(trace, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        one.__traceback__ = trace
        _forget_jax(one)
        waiting += [one.__cause__, one.__context__]


def _forget_jax(error):
    """Removes what JAX adds about the frames that it leaves out itself."""
    if notes := getattr(error, "__notes__", None):
        notes[:] = [note for note in notes if _JAX_NOTE not in note]
        if not notes:
            del error.__notes__
    for name in ("__cause__", "__context__"):
        other = getattr(error, name)
        if type(other).__name__ in ("UnfilteredStackTrace", "JaxStackTraceBeforeTransformation"):
            suppressed = error.__suppress_context__ and name != "__cause__"
            setattr(error, name, None)
            error.__suppress_context__ = suppressed


def guarded(function):
    """The function, with `tidy` on its errors."""
    if hasattr(function, "guarded"):
        return function

    @functools.wraps(function)
    def guard(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            tidy(error)
            raise  # without an argument: this frame is not added again

    guard.guarded = True
    return guard


# What the library calls itself, behind a method that is guarded.
_INSIDE = {"call", "compute_mask", "merge", "read", "write", "kind"}


def guard_class(cls):
    """Guards the constructors and public methods of a class of this library, and of its bases."""
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] != _OURS or "_guards" in vars(base):
            continue
        base._guards = True
        for name, value in list(vars(base).items()):
            if name != "__init__" and (name.startswith("_") or name in _INSIDE):
                continue
            if inspect.isfunction(value):
                setattr(base, name, guarded(value))
            elif isinstance(value, (classmethod, staticmethod)) and inspect.isfunction(value.__func__):
                setattr(base, name, type(value)(guarded(value.__func__)))
