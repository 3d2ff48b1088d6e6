"""Questions to the user."""


def ask_to_proceed_with_overwrite(filepath) -> bool:
    """Asks on the terminal whether a file may be overwritten: ``y`` or ``n``."""
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
