"""Layers that prepare features for a model. What they need to know of the data, they learn with `adapt`."""

from .encoding import CategoryEncoding, Discretization
from .normalization import Normalization

__all__ = ["CategoryEncoding", "Discretization", "Normalization"]
