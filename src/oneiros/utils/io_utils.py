"""HDF5 data sets as arrays, and questions to the user."""

from oneiros.utils.hdf5 import HDF5Matrix


def ask_to_proceed_with_overwrite(filepath):
    """Asks on the terminal whether a file may be overwritten: True for y, False for n."""
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n] ").strip().lower()
    return answer == "y"


__all__ = ["HDF5Matrix", "ask_to_proceed_with_overwrite"]
