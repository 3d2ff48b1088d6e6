"""What is not a test: programs that tests run, and the scripts that made golden files with other libraries."""

import gc

import pytest

collect_ignore_glob = ["programs/scripts/*", "*/make_*.py", "mutants/*", "typing/*"]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collecting makes many objects that last, and little garbage: the garbage collector need not look at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
