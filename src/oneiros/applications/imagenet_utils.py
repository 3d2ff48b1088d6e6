"""Helpers for networks trained on ImageNet; see `oneiros.utils.imagenet`."""

from ..utils.imagenet import decode_predictions, obtain_input_shape, preprocess_input

__all__ = ["decode_predictions", "obtain_input_shape", "preprocess_input"]
