"""`ImageDataGenerator`: random changes of training images."""

import warnings

import numpy as np

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.preprocessing import image_transforms as transforms
from oneiros.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, NumpyArrayIterator


class ImageDataGenerator:
    """Batches of images that are changed at random each time they are seen.

    Args:
        featurewise_center, featurewise_std_normalization: subtract the data's mean colour, divide by its standard
            deviation (see `fit`).
        samplewise_center, samplewise_std_normalization: the same with each image's own.
        zca_whitening, zca_epsilon: decorrelate the pixels (see `fit`); the epsilon is added to the variances.
        rotation_range: degrees.
        width_shift_range, height_shift_range: below 1 a share of the size, from 1 on pixels; an integer or a list
            gives whole pixels to choose from (also with the other sign).
        brightness_range: pair of factors.
        shear_range: degrees.
        zoom_range: pair of factors, or ``z`` for ``[1 - z, 1 + z]``.
        channel_shift_range: largest value added to all channels.
        fill_mode, cval: what is seen outside the image: 'nearest', 'reflect', 'wrap' or 'constant' (``cval``).
        horizontal_flip, vertical_flip: mirror half of the images.
        rescale: factor for all values, applied after ``preprocessing_function``.
        preprocessing_function: a function of one image, applied after the random changes.
        data_format: 'channels_last' or 'channels_first'; default: the configured one.
        validation_split: share of the data that ``subset="validation"`` takes.
        interpolation_order: of the splines between pixels.
        dtype: of the batches; default: the configured float type.
    """

    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-6,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format=None,
        validation_split=0.0,
        interpolation_order=1,
        dtype=None,
    ):
        def implies(name, given, needed_name, needed):
            if given and not needed:
                warnings.warn(f"ImageDataGenerator: {name} needs {needed_name}, which is switched on.")
            return given or needed

        center = implies("zca_whitening", zca_whitening, "featurewise_center", featurewise_center)
        self.featurewise_center = implies(
            "featurewise_std_normalization", featurewise_std_normalization, "featurewise_center", center
        )
        if zca_whitening and featurewise_std_normalization:
            warnings.warn("ImageDataGenerator: zca_whitening overrides featurewise_std_normalization.")
        self.featurewise_std_normalization = featurewise_std_normalization and not zca_whitening
        self.samplewise_center = implies(
            "samplewise_std_normalization", samplewise_std_normalization, "samplewise_center", samplewise_center
        )
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype = dtype or floatx()
        self.interpolation_order = interpolation_order
        self.data_format = standardize_data_format(data_format)
        self.channel_axis, self.row_axis, self.col_axis = (
            (1, 2, 3) if self.data_format == "channels_first" else (3, 1, 2)
        )
        if not 0 <= validation_split < 1:
            raise InputDataError(f"validation_split must lie in [0, 1). Received: {validation_split}")
        self.validation_split = validation_split
        if isinstance(zoom_range, (int, float)):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        if len(zoom_range) != 2:
            raise InputDataError(f"zoom_range must be a number or a pair of numbers. Received: {zoom_range}")
        self.zoom_range = tuple(zoom_range)
        if brightness_range is not None and np.shape(brightness_range) != (2,):
            raise InputDataError(f"brightness_range must be a pair of numbers. Received: {brightness_range}")
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
