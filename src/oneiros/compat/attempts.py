"""Whether who imports a module is prepared for its absence."""

import ast
import importlib.util
import linecache
import types
from pathlib import Path

_OURS = str(Path(__file__).parents[1])
_CAUGHT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def can_do_without(frame: types.FrameType | None) -> bool:
    """Whether the import that a finder was asked for is an attempt, or a question whether the module is there.

    Packages for Keras 3 use TensorFlow where it is installed, and do without it elsewhere: no stand-in may tell them
    that it is there. Others import it at any rate, and a stand-in lets them do what needs little of it.

    Args:
        frame: Where the finder runs.
    """
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename in (importlib.util.__file__, "<frozen importlib.util>"):
            return True
        if not filename.startswith(_OURS) and "frozen importlib" not in filename:
            return is_attempt("".join(linecache.getlines(filename, frame.f_globals)), frame.f_lineno)
        frame = frame.f_back
    return False


def is_attempt(text: str, line: int) -> bool:
    """Whether a line of a program is in a `try` that catches an `ImportError`.

    Args:
        text: The program.
        line: The number of the line.

    >>> text = "try:\\n    import a\\nexcept ImportError:\\n    import b\\n"
    >>> is_attempt(text, 2), is_attempt(text, 4)
    (True, False)
    """
    try:
        nodes = ast.walk(ast.parse(text))
    except (SyntaxError, ValueError):
        return False
    return any(
        any(part.lineno <= line <= part.end_lineno for part in node.body) and any(map(_catches, node.handlers))
        for node in nodes
        if isinstance(node, ast.Try)
    )


def _catches(handler):
    return handler.type is None or bool(_CAUGHT & {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)})
