"""`ImageDataGenerator`: random transforms of training images."""

import os
import typing
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from oneiros.core.config import floatx
from oneiros.core.errors import InputDataError
from oneiros.core.fields import field
from oneiros.core.structure import without
from oneiros.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, NumpyArrayIterator
from oneiros.preprocessing.random_changes import RandomChanges


def _split(name, value):
    if not 0 <= value < 1:
        raise InputDataError(f"{name} must lie in [0, 1). Received: {value}")
    return value


def _dtype(name, value):
    return value or floatx()


class ImageDataGenerator(RandomChanges):
    """Generates batches of images with random transforms, drawn anew each time an image is used.

    >>> generator = ImageDataGenerator(horizontal_flip=True, rescale=1 / 255)
    >>> next(generator.flow(np.full((4, 8, 8, 3), 255.0), batch_size=2)).shape
    (2, 8, 8, 3)
    """

    featurewise_center: bool = field(
        default=False, first=True, doc="Whether to subtract the data's mean colour (see `fit`)."
    )
    samplewise_center: bool = field(default=False, first=True, doc="Whether to subtract each image's own mean.")
    featurewise_std_normalization: bool = field(
        default=False, first=True, doc="Whether to divide by the data's standard deviation (see `fit`)."
    )
    samplewise_std_normalization: bool = field(
        default=False, first=True, doc="Whether to divide by each image's own standard deviation."
    )
    zca_whitening: bool = field(default=False, first=True, doc="Whether to decorrelate the pixels (see `fit`).")
    zca_epsilon: float = field(default=1e-6, first=True, doc="Number added to the variances when whitening.")
    rescale: float = field(default=None, doc="Factor for all values, applied after `preprocessing_function`.")
    preprocessing_function: typing.Callable = field(
        default=None, doc="Function of one image, applied after the random changes."
    )
    validation_split: float = field(
        _split, default=0.0, after="data_format", doc='Fraction of the data for `subset="validation"`, below 1.'
    )
    dtype: str = field(_dtype, default=None, last=True, doc="Type of the batches. `None` means `floatx()`.")

    def __post_init__(self):
        super().__post_init__()
        for given, needed in (
            ("zca_whitening", "featurewise_center"),
            ("featurewise_std_normalization", "featurewise_center"),
            ("samplewise_std_normalization", "samplewise_center"),
        ):
            if getattr(self, given) and not getattr(self, needed):
                warnings.warn(f"ImageDataGenerator: {given} needs {needed}, which is switched on.")
                setattr(self, needed, True)
        if self.zca_whitening and self.featurewise_std_normalization:
            warnings.warn("ImageDataGenerator: zca_whitening overrides featurewise_std_normalization.")
            self.featurewise_std_normalization = False
        self.mean = self.std = self.zca_whitening_matrix = None

    def flow(
        self,
        x: Any,
        y: npt.ArrayLike | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        seed: int | None = None,
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Generates batches from arrays, endlessly.

        Args:
            x: Images with 4 axes, or a pair of images and other inputs (an array or a list of arrays), which are passed
                on unchanged.
            y: Targets, one for each image.
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images before each epoch.
            sample_weight: Weights, one for each image.
            seed: Seed of the order and of the random transforms.
            save_to_dir: Folder in which to save the transformed images; ``None`` to save none.
            save_prefix: Prefix of the names of the saved images.
            save_format: Format of the saved images.
            ignore_class_split: Whether a class may be missing in one of the subsets.
            subset: 'training' or 'validation', if the generator has a `validation_split`.

        Returns:
            An iterator over ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        options = without(locals(), "self", "x", "y")
        return NumpyArrayIterator(x, y, self, **options, **self._types())

    def flow_from_directory(
        self,
        directory: str | os.PathLike,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Generates batches from the image files in a folder, endlessly. Each subfolder is a class.

        Args:
            directory: The folder.
            target_size: (height, width) of the images in a batch.
            color_mode: 'rgb', 'rgba' or 'grayscale'.
            classes: Names of the subfolders to use, in the order of the classes; by default all, in alphabetical order.
            class_mode: 'categorical' (one-hot labels), 'binary' or 'sparse' (class indices), 'input' (the images
                themselves) or ``None`` (no labels).
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images before each epoch.
            seed: Seed of the order and of the random transforms.
            save_to_dir: Folder in which to save the transformed images; ``None`` to save none.
            save_prefix: Prefix of the names of the saved images.
            save_format: Format of the saved images.
            follow_links: Whether to follow symbolic links inside the subfolders.
            subset: 'training' or 'validation', if the generator has a `validation_split`.
            interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos', 'box' or 'hamming', for resizing.
            keep_aspect_ratio: Whether to crop the images, so that nothing is stretched.

        Returns:
            An iterator over ``x`` or ``(x, y)``.
        """
        options = without(locals(), "self", "directory")
        return DirectoryIterator(directory, self, **options, **self._types())

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | os.PathLike | None = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
    ) -> DataFrameIterator:
        """Generates batches from image files listed in a table of pandas, endlessly.

        Args:
            dataframe: The table.
            directory: Folder of the files; ``None`` if the table contains absolute paths.
            x_col: Name of the column of file names.
            y_col: Name of the column of class names (or lists of them). For the class modes 'raw' and 'multi_output',
                one or more columns of values.
            weight_col: Name of the column of sample weights.
            target_size: (height, width) of the images in a batch.
            color_mode: 'rgb', 'rgba' or 'grayscale'.
            classes: Names of the classes to use, in order; by default all, in alphabetical order.
            class_mode: 'categorical', 'binary', 'sparse', 'input', 'raw' (the values of `y_col`), 'multi_output' (a
                list with one array for each column) or ``None``.
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images before each epoch.
            seed: Seed of the order and of the random transforms.
            save_to_dir: Folder in which to save the transformed images; ``None`` to save none.
            save_prefix: Prefix of the names of the saved images.
            save_format: Format of the saved images.
            subset: 'training' or 'validation', if the generator has a `validation_split`.
            interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos', 'box' or 'hamming', for resizing.
            validate_filenames: Whether to skip files that do not exist.

        Returns:
            An iterator over ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        options = without(locals(), "self", "dataframe", "directory")
        return DataFrameIterator(dataframe, directory, self, **options, **self._types())

    def _types(self):
        return {"data_format": self.data_format, "dtype": self.dtype}

    def standardize(self, x: npt.ArrayLike) -> np.ndarray:
        """Preprocesses, rescales and normalizes an image. It is the last step for each image of a batch.

        Args:
            x: Image, or batch of images.

        Returns:
            An array of the shape of `x`.
        """
        x = np.asarray(x)
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x = x * self.rescale
        if self.samplewise_center:
            x = x - np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (np.std(x, keepdims=True) + 1e-6)
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x = x - self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            x = x / (self.std + 1e-6)
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            shape = x.shape
            x = (x.reshape(-1, np.prod(shape[-3:])) @ self.zca_whitening_matrix).reshape(shape)
        return x

    @staticmethod
    def _fitted(name, statistics):
        if statistics is None:
            warnings.warn(f"ImageDataGenerator: {name} has no effect before `.fit(images)` was called.")
        return statistics is not None

    def fit(self, x: npt.ArrayLike, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Computes the mean, the standard deviation and the whitening matrix that normalization needs.

        Args:
            x: Images with 4 axes.
            augment: Whether to use randomly transformed copies instead of the images themselves.
            rounds: Number of such copies of each image.
            seed: Seed for NumPy's global generator; ``None`` leaves it as it is.

        Raises:
            InputDataError: If `x` does not have 4 axes.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise InputDataError(f"ImageDataGenerator.fit: expected images with 4 axes. Received shape {x.shape}")
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"ImageDataGenerator.fit: expected 1, 3 or 4 channels on axis {self.channel_axis} "
                f"(data_format {self.data_format!r}). Received shape {x.shape}"
            )
        if seed is not None:
            np.random.seed(seed)
        if augment:
            x = np.stack([self.random_transform(one) for _ in range(rounds) for one in x]).astype(self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = x.mean(axes, keepdims=True)[0]
            x = x - self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(axes, keepdims=True)[0]
            x = x / (self.std + 1e-6)
        if self.zca_whitening:
            # (C + eps)^(-1/2) for the covariance C of the pixels
            pixels = x.reshape(len(x), -1)
            variances, directions = np.linalg.eigh(pixels.T.astype("float64") @ pixels / len(pixels))
            scales = 1 / np.sqrt(np.maximum(variances, 0) + self.zca_epsilon)
            self.zca_whitening_matrix = ((directions * scales) @ directions.T).astype(self.dtype)
