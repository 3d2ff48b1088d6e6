"""What was translated, for `oneiros run --explain`."""

import sys
from collections import Counter

_notes = Counter()
enabled = False


def caller() -> str:
    """File and line of the user's code that is running."""
    frame = sys._getframe(1)
    package = __name__.split(".")[0]
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] == package:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"


def note(text: str) -> None:
    """Remembers a translation, and where in the program it was made."""
    if enabled:
        _notes[f"{caller()}: {text}"] += 1


def report() -> list:
    """The translations so far, one a line, each with how often it was made."""
    return [text + (f" ({count} times)" if count > 1 else "") for text, count in _notes.items()]


def clear() -> None:
    _notes.clear()
