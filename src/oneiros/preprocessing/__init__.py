"""Prepares text, images and time series for a model."""

from oneiros.preprocessing import image, sequence, text
from oneiros.preprocessing.directory import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from oneiros.preprocessing.sequence import timeseries_dataset_from_array

__all__ = [
    "audio_dataset_from_directory",
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
