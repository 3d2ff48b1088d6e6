"""Layers that prepare and vary images, and the base for layers of your own."""

from .base import BaseImagePreprocessingLayer
from .boxes import MaxNumBoundingBoxes
from .chains import AugMix, RandAugment
from .colors import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomPosterization,
    RandomSaturation,
    RandomSharpness,
    Solarization,
)
from .geometry import (
    RandomElasticTransform,
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from .histograms import AutoContrast, ContrastLimitedAdaptiveHistogramEqualization, Equalization
from .mixing import CutMix, MixUp, RandomErasing
from .sizes import CenterCrop, RandomCrop, RandomHeight, RandomWidth, Resizing

__all__ = [
    *("AugMix", "AutoContrast", "BaseImagePreprocessingLayer", "CenterCrop"),
    *("ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp"),
    *("RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
    *("RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur"),
    *("RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization"),
    *("RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomWidth"),
    *("RandomZoom", "Resizing", "Solarization"),
]
