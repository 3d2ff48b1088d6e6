"""Random numbers: `keras.random`."""

from .core.random import SeedGenerator as SeedGenerator
from .ops.random import (
    beta as beta,
    binomial as binomial,
    categorical as categorical,
    dropout as dropout,
    gamma as gamma,
    normal as normal,
    randint as randint,
    shuffle as shuffle,
    truncated_normal as truncated_normal,
    uniform as uniform,
)
