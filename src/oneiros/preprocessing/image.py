"""Images: reading, writing, converting and random transforms, by Pillow and SciPy.

An image array has shape ``(height, width, channels)``, or ``(channels, height, width)`` with data format
'channels_first'.
"""

from oneiros.preprocessing.image_generator import ImageDataGenerator
from oneiros.preprocessing.image_io import array_to_img, img_to_array, list_pictures, load_img, save_img, smart_resize
from oneiros.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, Iterator, NumpyArrayIterator
from oneiros.preprocessing.image_transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    apply_transform,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
    "transform_matrix_offset_center",
]
