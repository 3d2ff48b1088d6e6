"""A plugin of pytest: the processes that pytest-xdist starts run as the generation of Keras that `oneiros run` runs.

PYTEST_DONT_REWRITE: it has no assertions.
"""

import os

from ..core import safety
from . import install

VARIABLE = "ONEIROS_RUN"  # the generation, and "trust" after a blank if `--trust-files` is given


def announce(generation: str, trust: bool) -> None:
    """Has pytest load this plugin in all its processes.

    Args:
        generation: The generation of Keras, as in `compat.install`.
        trust: Whether code in model files is run.
    """
    os.environ[VARIABLE] = f"{generation} trust" if trust else generation
    os.environ["PYTEST_PLUGINS"] = ",".join(filter(None, (os.environ.get("PYTEST_PLUGINS"), __name__)))


if VARIABLE in os.environ and "PYTEST_XDIST_WORKER" in os.environ:
    _generation, *_trusted = os.environ[VARIABLE].split()
    install(_generation)
    if _trusted:
        safety.enable_unsafe_deserialization()
