"""Getting text, images and series of numbers ready for a model."""

from oneiros.preprocessing import sequence, text
from oneiros.preprocessing.sequence import timeseries_dataset_from_array

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]
