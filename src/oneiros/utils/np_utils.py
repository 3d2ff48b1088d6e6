"""Functions on label and feature arrays, where Keras keeps them."""

from oneiros.utils.arrays import normalize, to_categorical

__all__ = ["normalize", "to_categorical"]
