"""The iterators that `ImageDataGenerator` returns: batches of images from arrays, folders or tables."""

import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from oneiros.core.config import floatx, standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.preprocessing import image_io
from oneiros.utils.data import PyDataset

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff")


class Iterator(PyDataset):
    """Batches by index (``iterator[i]``), or endlessly (``next(iterator)``), in random or given order.

    A subclass defines ``_get_batches_of_transformed_samples(index_array)``, which makes a batch.

    Args:
        n: Number of samples.
        batch_size: Number of samples in a batch.
        shuffle: Whether to shuffle the samples before each epoch.
        seed: Seed of NumPy's global generator, set before each batch so that order and transforms are reproducible.
            ``None`` leaves the generator as it is.

    Raises:
        InputDataError: If the batch size is not positive.

    >>> class Numbers(Iterator):
    ...     def _get_batches_of_transformed_samples(self, index_array):
    ...         return index_array * 10
    >>> next(Numbers(5, batch_size=2, shuffle=False, seed=None)).tolist()
    [0, 10]
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None):
        super().__init__()
        if batch_size is None or batch_size < 1:
            raise InputDataError(f"batch_size must be positive. Received: {batch_size}")
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array = None
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _set_index_array(self):
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise InputDataError(f"Asked for batch {index}, but there are {len(self)}: 0 to {len(self) - 1}")
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        return self._get_batches_of_transformed_samples(
            self.index_array[self.batch_size * index : self.batch_size * (index + 1)]
        )

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        self._set_index_array()

    def get_state(self) -> dict[str, Any]:
        """The position in the data, from which interrupted training can resume."""
        return {name: getattr(self, name) for name in ("index_array", "total_batches_seen", "batch_index")}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a position that `get_state` returned."""
        vars(self).update(state)

    def reset(self) -> None:
        """Makes ``next`` begin a new epoch."""
        self.batch_index = 0

    def _flow_index(self):
        while True:
            if self.seed is not None:
                np.random.seed(self.seed + self.total_batches_seen)
            if self.batch_index == 0:
                self._set_index_array()
            if self.n == 0:
                raise InputDataError("There are no images to make batches of.")
            start = self.batch_index * self.batch_size
            self.batch_index = 0 if start + self.batch_size >= self.n else self.batch_index + 1
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            indices = next(self.index_generator)
        # Outside the lock, so that several threads can work in parallel.
        return self._get_batches_of_transformed_samples(indices)

    next = __next__

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError

    # --- shared by the iterators below ---

    def _prepare(self, generator, data_format, dtype, save_to_dir, save_prefix, save_format):
        self.image_data_generator = generator
        self.data_format = standardize_data_format(data_format or (generator and generator.data_format))
        self.dtype = dtype or (generator and generator.dtype) or floatx()
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format

    def _changed(self, x):
        """One image, transformed and standardized by the generator."""
        generator = self.image_data_generator
        if generator is None:
            return x
        return generator.standardize(generator.apply_transform(x, generator.get_random_transform(x.shape)))

    def _save(self, batch, indices):
        if not self.save_to_dir:
            return
        for index, x in zip(indices, batch):
            name = f"{self.save_prefix}_{index}_{np.random.randint(10**7)}.{self.save_format}"
            image_io.save_img(os.path.join(self.save_to_dir, name), x, self.data_format)


class NumpyArrayIterator(Iterator):
    """Iterates over images in arrays, as returned by `ImageDataGenerator.flow`.

    Args:
        x: Images with 4 axes, or a pair of images and other inputs.
        y: Targets, one for each image.
        image_data_generator: The `ImageDataGenerator`; ``None`` to leave the images unchanged.
        data_format: 'channels_last' or 'channels_first'; by default that of the generator.
        dtype: Data type of the batches; by default that of the generator.

    The other arguments are those of `ImageDataGenerator.flow`.

    >>> next(NumpyArrayIterator(np.zeros((4, 8, 8, 3)), np.arange(4), None, batch_size=2))[1].tolist()
    [0, 1]
    """

    def __init__(
        self,
        x: Any,
        y: npt.ArrayLike | None,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: npt.ArrayLike | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: npt.DTypeLike = None,
    ):
        self._prepare(image_data_generator, data_format, dtype, save_to_dir, save_prefix, save_format)
        x, misc = (x[0], x[1]) if isinstance(x, (tuple, list)) and len(x) == 2 else (x, [])
        misc = misc if isinstance(misc, list) else [misc]
        x = np.asarray(x)
        columns = [x, *map(np.asarray, misc)]
        columns += [None if column is None else np.asarray(column) for column in (y, sample_weight)]
        for name, column in zip(["x"] * (len(misc) + 1) + ["y", "sample_weight"], columns):
            if column is not None and len(column) != len(x):
                raise InputDataError(f"flow: {len(x)} images but {len(column)} rows in {name}")
        if x.ndim != 4:
            raise InputDataError(f"flow: expected images of shape (samples, ...) with 4 axes. Received shape {x.shape}")
        if subset is not None:
            columns = _share(columns, subset, image_data_generator.validation_split, ignore_class_split)
        self.x, *self.x_misc, self.y, self.sample_weight = columns
        self.x = self.x.astype(self.dtype, copy=False)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        batch = np.stack([self._changed(self.x[i].copy()) for i in index_array]).astype(self.dtype)
        self._save(batch, index_array)
        inputs = [batch, *(misc[index_array] for misc in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return inputs if not self.x_misc else (inputs,)
        output = (inputs, self.y[index_array])
        return output if self.sample_weight is None else (*output, self.sample_weight[index_array])


def _share(columns, subset, validation_split, ignore_class_split):
    """The rows of a subset: the first ``validation_split`` of them for validation, the others for training."""
    _check_subset(subset)
    x, y = columns[0], columns[-2]
    border = int(len(x) * validation_split)
    if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:border]), np.unique(y[border:])):
        raise InputDataError(
            "flow: training and validation data have different classes; shuffle the data before, "
            "or pass ignore_class_split=True."
        )
    rows = slice(border) if subset == "validation" else slice(border, None)
    return [None if column is None else column[rows] for column in columns]


def _check_subset(subset):
    if subset not in ("training", "validation"):
        raise InputDataError(f"subset: expected 'training' or 'validation'. Received: {subset!r}")


class _FileIterator(Iterator):
    """Base class of iterators over image files. Subclasses set ``filepaths``, ``class_mode`` and ``classes``."""

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def _prepare_files(self, target_size, color_mode, class_mode, interpolation, keep_aspect_ratio):
        if color_mode not in image_io.COLOR_MODES:
            raise InputDataError(f"color_mode: expected 'rgb', 'rgba' or 'grayscale'. Received: {color_mode!r}")
        if class_mode not in self.allowed_class_modes:
            raise InputDataError(f"class_mode: expected one of {self.allowed_class_modes}. Received: {class_mode!r}")
        self.target_size, self.color_mode, self.class_mode = tuple(target_size), color_mode, class_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        channels = {"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode]
        first = self.data_format == "channels_first"
        self.image_shape = (channels, *self.target_size) if first else (*self.target_size, channels)

    def _range(self, subset):
        """Start and end of the subset, as fractions of the files."""
        if subset is None:
            return 0.0, 1.0
        _check_subset(subset)
        split = self.image_data_generator.validation_split
        return (0.0, split) if subset == "validation" else (split, 1.0)

    def _get_batches_of_transformed_samples(self, index_array):
        batch = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for row, index in enumerate(index_array):
            picture = image_io.load_img(
                self.filepaths[index],
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            batch[row] = self._changed(image_io.img_to_array(picture, self.data_format, self.dtype))
        self._save(batch, index_array)
        labels = self._labels_of(batch, index_array)
        if labels is None:
            return batch
        return (batch, labels) if self.sample_weight is None else (batch, labels, self.sample_weight[index_array])

    sample_weight = None

    def _labels_of(self, batch, index_array):
        if self.class_mode is None:
            return None
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode in ("binary", "sparse"):
            return np.asarray(self.classes)[index_array].astype(self.dtype)
        hot = np.zeros((len(index_array), len(self.class_indices)), self.dtype)
        for row, index in enumerate(index_array):
            hot[row, self.classes[index]] = 1  # an index, or a list of indices
        return hot

    @property
    def labels(self) -> Any:
        """The class index (or a list of them) of each file."""
        return self.classes


class DirectoryIterator(_FileIterator):
    """Iterates over image files in a folder, as returned by `ImageDataGenerator.flow_from_directory`.

    Attributes: ``class_indices`` (the index of each class by name), ``classes`` (the class index of each file) and
    ``filenames``.

    Args:
        directory: The folder.
        image_data_generator: The `ImageDataGenerator`; ``None`` to leave the images unchanged.
        data_format: 'channels_last' or 'channels_first'; by default that of the generator.
        dtype: Data type of the batches; by default that of the generator.

    The other arguments are those of `ImageDataGenerator.flow_from_directory`.

    Raises:
        FileNotFoundError: If there is no such folder.

    >>> DirectoryIterator("no/such/folder", None)
    Traceback (most recent call last):
    FileNotFoundError: flow_from_directory: there is no folder 'no/such/folder'
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: npt.DTypeLike = None,
    ):
        self._prepare(image_data_generator, data_format, dtype, save_to_dir, save_prefix, save_format)
        self._prepare_files(target_size, color_mode, class_mode, interpolation, keep_aspect_ratio)
        self.directory = os.fspath(directory)
        if not os.path.isdir(self.directory):
            raise FileNotFoundError(f"flow_from_directory: there is no folder {self.directory!r}")
        classes = list(classes or sorted(entry.name for entry in os.scandir(self.directory) if entry.is_dir()))
        self.class_indices = {name: number for number, name in enumerate(classes)}
        self.num_classes = len(classes)
        low, high = self._range(subset)
        self.filenames, numbers = [], []
        for name, number in self.class_indices.items():
            files = list_files(self.directory, name, IMAGE_ENDINGS, follow_links)
            files = files[int(low * len(files)) : int(high * len(files))]
            self.filenames += files
            numbers += [number] * len(files)
        self.classes = np.array(numbers, "int32")
        self.samples = len(self.filenames)
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)


def list_files(
    directory: str | os.PathLike, folder: str, endings: tuple[str, ...], follow_links: bool = False
) -> list[str]:
    """Lists the files in a folder and its subfolders.

    Args:
        directory: Folder to which the names are relative.
        folder: The folder, relative to `directory`.
        endings: Endings of the files, in lower case.
        follow_links: Whether to follow symbolic links.

    Returns:
        The names, sorted.
    """
    top = os.path.join(directory, folder)
    found = []
    for root, _, names in sorted(os.walk(top, followlinks=follow_links)):
        found += [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(endings)]
    return [os.path.relpath(path, directory) for path in found]


class DataFrameIterator(_FileIterator):
    """Iterates over image files listed in a table, as returned by `ImageDataGenerator.flow_from_dataframe`.

    Args:
        dataframe: The table of pandas.
        directory: Folder of the files; ``None`` if the table contains absolute paths.
        image_data_generator: The `ImageDataGenerator`; ``None`` to leave the images unchanged.
        data_format: 'channels_last' or 'channels_first'.
        dtype: Data type of the batches.

    The other arguments are those of `ImageDataGenerator.flow_from_dataframe`.

    Raises:
        InputDataError: If the table lacks a column.

    >>> import pandas
    >>> DataFrameIterator(pandas.DataFrame({"file": []}), x_col="filename", class_mode=None)
    Traceback (most recent call last):
    oneiros.core.errors.InputDataError: flow_from_dataframe: no column 'filename' in ['file']
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", "multi_output", "raw", None)

    def __init__(
        self,
        dataframe: Any,
        directory: str | os.PathLike | None = None,
        image_data_generator: Any = None,
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
        data_format: str | None = "channels_last",
        save_to_dir: str | os.PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: npt.DTypeLike = "float32",
        validate_filenames: bool = True,
    ):
        self._prepare(image_data_generator, data_format, dtype, save_to_dir, save_prefix, save_format)
        self._prepare_files(target_size, color_mode, class_mode, interpolation, keep_aspect_ratio)
        self.directory = os.fspath(directory or "")
        table = self._checked(dataframe, x_col, y_col, weight_col, validate_filenames)
        classed = class_mode in ("categorical", "binary", "sparse")
        if classed:
            names = {name for entry in table[y_col] for name in _as_list(entry)}
            classes = list(classes or sorted(names))
            kept = table[y_col].map(lambda entry: any(name in classes for name in _as_list(entry)))
            table = table[kept]
            if class_mode == "binary" and len(classes) != 2:
                raise InputDataError(f"flow_from_dataframe: class_mode 'binary' needs 2 classes, not {len(classes)}")
            self.class_indices = {name: number for number, name in enumerate(classes)}
        low, high = self._range(subset)
        table = table[int(low * len(table)) : int(high * len(table))]
        self.filenames = table[x_col].tolist()
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self.samples = len(table)
        found = f"Found {self.samples} {'' if not validate_filenames else 'validated '}image filenames"
        if classed:
            self.classes = [self._numbers(entry) for entry in table[y_col]]
            found += f" belonging to {len(self.class_indices)} classes"
        elif class_mode == "multi_output":
            self._targets = [np.array(table[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._targets = table[y_col].values
        if weight_col is not None:
            self.sample_weight = table[weight_col].values
        print(found + ".")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _checked(self, table, x_col, y_col, weight_col, validate_filenames):
        columns = [x_col, weight_col]
        if self.class_mode not in ("input", None):
            columns += _as_list(y_col)
        missing = [column for column in columns if column is not None and column not in table.columns]
        if missing:
            raise InputDataError(f"flow_from_dataframe: no column {missing[0]!r} in {list(table.columns)}")
        if not validate_filenames:
            return table
        there = table[x_col].map(
            lambda name: name.lower().endswith(IMAGE_ENDINGS) and os.path.isfile(os.path.join(self.directory, name))
        )
        return table[there.astype(bool)]

    def _numbers(self, entry):
        if isinstance(entry, (list, tuple)):
            return [self.class_indices[name] for name in entry if name in self.class_indices]
        return self.class_indices[entry]

    def _labels_of(self, batch, index_array):
        if self.class_mode == "multi_output":
            return [target[index_array] for target in self._targets]
        if self.class_mode == "raw":
            return self._targets[index_array]
        return super()._labels_of(batch, index_array)


def _as_list(entry):
    return list(entry) if isinstance(entry, (list, tuple)) else [entry]
