"""Layers that prepare features for a model. What they need to know of the data, they learn with `adapt`."""

from .encoding import CategoryEncoding, Discretization
from .lookup import Hashing, IntegerLookup, StringLookup
from .normalization import Normalization
from .text import TextVectorization

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "Hashing",
    "IntegerLookup",
    "Normalization",
    "StringLookup",
    "TextVectorization",
]
