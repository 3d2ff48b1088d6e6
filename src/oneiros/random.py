# ruff: noqa: F401
"""Random numbers: `keras.random`."""

from .core.random import SeedGenerator
from .ops.random import (
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
