"""What is not a test: programs that tests run, and the scripts that made golden files with other libraries."""

import gc

import pytest

collect_ignore_glob = ["programs/scripts/*", "programs/in_turn.py", "*/make_*.py", "mutants/*", "typing/*"]
collect_ignore_glob += ["ecosystem/packages/*"]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collecting makes many objects that last, and little garbage: the garbage collector need not look at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items):
    """Two processes that share the tests must give them the same names."""
    if wrong := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"give these parameters ids: they are named by an address: {wrong[:3]}")
