"""Questions to the user."""

import os


def ask_to_proceed_with_overwrite(filepath: str | os.PathLike) -> bool:
    """Asks on the terminal whether a file may be overwritten.

    Args:
        filepath: path of the file.

    Returns:
        Whether the answer is ``y``; other answers than ``y`` and ``n`` make it ask again.
    """
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
