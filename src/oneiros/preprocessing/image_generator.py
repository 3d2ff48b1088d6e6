"""`ImageDataGenerator`: random changes of training images."""

import typing
import warnings

import numpy as np

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.core.fields import field
from oneiros.core.registry import Configurable
from oneiros.preprocessing import image_transforms as transforms
from oneiros.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, NumpyArrayIterator


def _pair(name, value):
    if value is not None and np.shape(value) != (2,):
        raise InputDataError(f"{name} must be a pair of numbers. Received: {value}")
    return value


def _zoom(name, value):
    value = (1 - value, 1 + value) if isinstance(value, (int, float)) else value
    if len(value) != 2:
        raise InputDataError(f"{name} must be a number or a pair of numbers. Received: {value}")
    return tuple(value)


def _split(name, value):
    if not 0 <= value < 1:
        raise InputDataError(f"{name} must lie in [0, 1). Received: {value}")
    return value


def _format(name, value):
    return standardize_data_format(value)


def _dtype(name, value):
    return value or floatx()


class ImageDataGenerator(Configurable):
    """Batches of images that are changed at random each time they are seen.

    >>> generator = ImageDataGenerator(horizontal_flip=True, rescale=1 / 255)
    >>> next(generator.flow(np.full((4, 8, 8, 3), 255.0), batch_size=2)).shape
    (2, 8, 8, 3)
    """

    featurewise_center: bool = field(default=False, doc="Whether to subtract the data's mean colour (see `fit`).")
    samplewise_center: bool = field(default=False, doc="Whether to subtract each image's own mean.")
    featurewise_std_normalization: bool = field(
        default=False, doc="Whether to divide by the data's standard deviation (see `fit`)."
    )
    samplewise_std_normalization: bool = field(
        default=False, doc="Whether to divide by each image's own standard deviation."
    )
    zca_whitening: bool = field(default=False, doc="Whether to decorrelate the pixels (see `fit`).")
    zca_epsilon: float = field(default=1e-6, doc="Number added to the variances when whitening.")
    rotation_range: float = field(default=0, doc="Largest rotation, in degrees.")
    width_shift_range: typing.Any = field(
        default=0.0,
        doc="Largest shift to the side: a share of the width below 1, pixels from 1 on. An integer or a list gives "
        "whole pixels to choose from, also with the other sign.",
    )
    height_shift_range: typing.Any = field(default=0.0, doc="Largest shift up or down, as for the width.")
    brightness_range: tuple = field(_pair, default=None, doc="Pair of factors between which the brightness lies.")
    shear_range: float = field(default=0.0, doc="Largest shear, in degrees.")
    zoom_range: tuple = field(_zoom, default=0.0, doc="Pair of factors, or `z` for `(1 - z, 1 + z)`.")
    channel_shift_range: float = field(default=0.0, doc="Largest value that is added to all channels.")
    fill_mode: str = field(
        default="nearest",
        doc='What is seen outside the image: `"nearest"`, `"reflect"`, `"wrap"` or `"constant"` (`cval`).',
    )
    cval: float = field(default=0.0, doc='Value outside the image with `fill_mode="constant"`.')
    horizontal_flip: bool = field(default=False, doc="Whether to mirror half of the images left to right.")
    vertical_flip: bool = field(default=False, doc="Whether to mirror half of the images upside down.")
    rescale: float = field(default=None, doc="Factor for all values, applied after `preprocessing_function`.")
    preprocessing_function: typing.Callable = field(
        default=None, doc="Function of one image, applied after the random changes."
    )
    data_format: str = field(
        _format, default=None, doc='`"channels_last"`, `"channels_first"`, or `None`: as configured.'
    )
    validation_split: float = field(
        _split, default=0.0, doc='Share of the data that `subset="validation"` takes, below 1.'
    )
    interpolation_order: int = field(default=1, doc="Order of the splines between pixels.")
    dtype: str = field(_dtype, default=None, doc="Type of the batches. `None` means `floatx()`.")

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
        self.channel_axis, self.row_axis, self.col_axis = (
            (1, 2, 3) if self.data_format == "channels_first" else (3, 1, 2)
        )
        self.mean = self.std = self.zca_whitening_matrix = None

    def flow(
        self,
        x,
        y=None,
        batch_size=32,
        shuffle=True,
        sample_weight=None,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        ignore_class_split=False,
        subset=None,
    ):
        """Endless batches ``(x, y)`` or ``(x, y, sample_weight)`` or ``x`` from arrays.

        ``x``: images with 4 axes, or a pair of these and further inputs (an array or a list of them), which stay
        unchanged. ``save_to_dir``: a folder for copies of the changed images. ``subset``: 'training' or 'validation'.
        """
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
    ):
        """Endless batches from the image files in the subfolders of ``directory``, a subfolder being a class.

        ``class_mode``: 'categorical' (one-hot labels), 'binary' or 'sparse' (class numbers), 'input' (the images
        themselves), ``None`` (no labels). ``classes``: names of the subfolders to take, in this order.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe,
        directory=None,
        x_col="filename",
        y_col="class",
        weight_col=None,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        validate_filenames=True,
    ):
        """Endless batches from the image files named in the column ``x_col`` of a pandas table.

        ``y_col`` holds class names (or lists of them); with ``class_mode`` 'raw' or 'multi_output' it names columns of
        values. Files that do not exist are left out unless ``validate_filenames`` is false.
        """
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            validate_filenames=validate_filenames,
            dtype=self.dtype,
        )

    def standardize(self, x):
        """An image (or batch) preprocessed, rescaled and normalized, as every image of a batch is in the end."""
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
            warnings.warn(f"ImageDataGenerator: {name} does nothing before `.fit(images)` was called.")
        return statistics is not None

    def get_random_transform(self, img_shape, seed=None):
        """What to do to one image: arguments of `apply_transform`."""
        if seed is not None:
            np.random.seed(seed)
        rows, columns = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        return {
            "theta": self._within(self.rotation_range),
            "ty": self._shift(self.height_shift_range, rows),
            "tx": self._shift(self.width_shift_range, columns),
            "shear": self._within(self.shear_range),
            **dict(zip(("zx", "zy"), transforms.draw_zoom(self.zoom_range))),
            # drawn in any case, so that the other numbers do not depend on it
            "flip_horizontal": (np.random.random() < 0.5) * self.horizontal_flip,
            "flip_vertical": (np.random.random() < 0.5) * self.vertical_flip,
            "channel_shift_intensity": self._within(self.channel_shift_range) if self.channel_shift_range else None,
            "brightness": None if self.brightness_range is None else np.random.uniform(*self.brightness_range),
        }

    @staticmethod
    def _within(limit):
        return np.random.uniform(-limit, limit) if limit else 0

    @staticmethod
    def _shift(limit, size):
        if isinstance(limit, (int, np.integer)) or np.ndim(limit):
            pixels = np.random.choice(limit) * np.random.choice([-1, 1]) if limit else 0
        else:
            pixels = np.random.uniform(-limit, limit) if limit else 0
        return pixels * size if np.max(limit) < 1 else pixels

    def apply_transform(self, x, transform_parameters):
        """The image ``x`` changed as ``transform_parameters`` say: a dictionary with any of ``theta``, ``tx``, ``ty``,
        ``shear``, ``zx``, ``zy`` (see `apply_affine_transform`), ``flip_horizontal``, ``flip_vertical``,
        ``channel_shift_intensity`` and ``brightness``.
        """
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        given = transform_parameters
        x = transforms.apply_affine_transform(
            x,
            *(given.get(name, 0) for name in ("theta", "tx", "ty", "shear")),
            *(given.get(name, 1) for name in ("zx", "zy")),
            row,
            column,
            channel,
            self.fill_mode,
            self.cval,
            self.interpolation_order,
        )
        if given.get("channel_shift_intensity") is not None:
            x = transforms.apply_channel_shift(x, given["channel_shift_intensity"], channel)
        if given.get("flip_horizontal", False):
            x = transforms.flip_axis(x, column)
        if given.get("flip_vertical", False):
            x = transforms.flip_axis(x, row)
        if given.get("brightness") is not None:
            x = transforms.apply_brightness_shift(x, given["brightness"], scale=False)
        return x

    def random_transform(self, x, seed=None):
        """The image ``x`` changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Computes mean, standard deviation and whitening matrix from images ``x``, shape ``(samples, ...)``, 4 axes.

        ``augment``: from ``rounds`` randomly changed copies of them instead.
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
