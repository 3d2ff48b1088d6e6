"""Layers that prepare features for a model. What they need to know of the data, they learn with `adapt`."""

from .audio import MelSpectrogram, STFTSpectrogram
from .encoding import CategoryEncoding, Discretization
from .hashing import HashedCrossing, Hashing
from .lookup import IntegerLookup, StringLookup
from .normalization import Normalization
from .pipeline import Pipeline
from .text import TextVectorization

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "MelSpectrogram",
    "Normalization",
    "Pipeline",
    "STFTSpectrogram",
    "StringLookup",
    "TextVectorization",
]
