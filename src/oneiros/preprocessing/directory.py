"""Data sets from folders of files, with one subfolder for each class."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from oneiros.core.checks import positive_int
from oneiros.core.config import standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.preprocessing import audio_io, image_io
from oneiros.preprocessing.image_iterators import list_files
from oneiros.utils.data import PyDataset

IMAGE_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


class FileDataset(PyDataset):
    """Batches of data read from files, with labels if there are any.

    The attributes ``class_names`` and ``file_paths`` tell where the data come from.

    Args:
        file_paths: Paths of the files.
        labels: Array with one label (or one row) for each file; ``None`` for no labels.
        class_names: Names of the classes.
        read: Function from a path to an array.
        batch_size: Number of files in a batch; ``None`` for single samples without a batch axis.
        seed: Seed of the random order of each epoch; ``None`` to keep the order.
        join: Function from a list of arrays to a batch.

    >>> FileDataset(["a", "bc"], None, [], lambda path: np.array(len(path)), 2, None)[0].tolist()
    [1, 2]
    """

    def __init__(
        self,
        file_paths: Sequence[str],
        labels: np.ndarray | None,
        class_names: Sequence[str] | None,
        read: Callable[[str], np.ndarray],
        batch_size: int | None,
        seed: int | None,
        join: Callable[[list], np.ndarray] = np.stack,
    ):
        super().__init__()
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.read, self.batch_size, self.join = read, batch_size, join
        self.order = np.arange(len(file_paths))
        self.random = None if seed is None else np.random.RandomState(seed)
        self.functions = ()
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.order) // (self.batch_size or 1))

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"Asked for batch {index} of {len(self)}")
        size = self.batch_size or 1
        rows = self.order[index * size : (index + 1) * size]
        parts = [self.join([self.read(self.file_paths[row]) for row in rows])]
        if self.labels is not None:
            parts.append(self.labels[rows])
        if self.batch_size is None:
            parts = [part[0] for part in parts]
        for function in self.functions:
            result = function(*parts)
            parts = list(result) if isinstance(result, (tuple, list)) else [result]
        return tuple(parts) if len(parts) > 1 else parts[0]

    def map(self, function: Callable, **options: Any) -> "FileDataset":
        """Applies a function to each batch.

        Args:
            function: Function of ``x`` or ``(x, y)`` that returns the new batch.
            **options: Not used.

        Returns:
            A new data set.
        """
        mapped = object.__new__(type(self))
        mapped.__dict__ = self.__dict__ | {"functions": (*self.functions, function)}
        return mapped

    def take(self, count: int) -> list:
        """A list of the first `count` batches."""
        return [self[index] for index in range(min(count, len(self)))]

    def prefetch(self, buffer_size: int | None = None) -> "FileDataset":
        """Returns the data set itself: `fit` prepares batches in advance anyway."""
        return self

    def cache(self, filename: str | None = None) -> "FileDataset":
        """Returns the data set itself: files are read again in each epoch."""
        return self

    def on_epoch_end(self) -> None:
        if self.random is not None:
            self.random.shuffle(self.order)


def image_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> FileDataset | tuple[FileDataset, FileDataset]:
    """Makes a data set from the image files in a folder.

    Args:
        directory: The folder.
        labels: 'inferred' to use the subfolders as classes, a list with one class index for each file in the order of
            their paths, or ``None`` for no labels.
        label_mode: 'int' (int32 class indices), 'categorical' (one-hot rows), 'binary' (float32 ``(batch, 1)``) or
            ``None`` (no labels).
        class_names: Names of the subfolders, to set their order; alphabetical by default.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        batch_size: Number of images in a batch; ``None`` for single images.
        image_size: Size ``(height, width)`` to resize to.
        shuffle: Whether to shuffle the files before each epoch.
        seed: Seed of the random order.
        validation_split: Fraction of the files for validation: the last ones, after shuffling.
        subset: 'training', 'validation', or 'both' for a pair of data sets. It requires `validation_split`, and with
            `shuffle` also a `seed`.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos3', 'lanczos5', 'gaussian' or 'mitchellcubic'.
        follow_links: Whether to follow symbolic links.
        crop_to_aspect_ratio: Whether to crop images to keep their aspect ratio.
        pad_to_aspect_ratio: Whether to pad images with black to keep their aspect ratio.
        data_format: 'channels_last' or 'channels_first'; `image_data_format()` by default.
        format: Not used; batches are NumPy arrays.
        verbose: Whether to print how many files were found.

    Returns:
        A `PyDataset` of float32 images ``(batch, height, width, channels)`` and labels, or two of them.

    Raises:
        InputDataError: If an argument is invalid, or no files are found.
        FileNotFoundError: If there is no such folder.

    >>> image_dataset_from_directory("no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: There is no folder 'no/such/folder'
    """
    if color_mode not in image_io.COLOR_MODES:
        raise InputDataError(f"color_mode: expected 'grayscale', 'rgb' or 'rgba'. Received: {color_mode!r}")
    channels_first = standardize_data_format(data_format) == "channels_first"

    def read(path):
        x = image_io.img_to_array(image_io.load_img(path, color_mode=color_mode), "channels_last", "float32")
        if crop_to_aspect_ratio:
            x = image_io.smart_resize(x, image_size, interpolation)
        elif pad_to_aspect_ratio:
            x = _padded(x, *image_size, interpolation)
        else:
            x = image_io.resize_array(x, image_size, interpolation)
        return x.transpose(2, 0, 1) if channels_first else x  # (C, H, W) or (H, W, C)

    return _from_directory(
        directory, IMAGE_ENDINGS, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip


def _padded(x, height, width, interpolation):
    """The image resized to fit into the given size, with black margins around it."""
    rows, columns, _ = x.shape
    fitting = min(height, rows * width / columns), min(width, columns * height / rows)
    size = [int(side) for side in fitting]
    before = [int((room - side) / 2) for room, side in zip((height, width), fitting)]
    after = [room - side - start for room, side, start in zip((height, width), size, before)]
    return np.pad(image_io.resize_array(x, size, interpolation), (*zip(before, after), (0, 0)))


def text_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> FileDataset | tuple[FileDataset, FileDataset]:
    """Makes a data set from the text files (``.txt``) in a folder.

    Args:
        directory: The folder.
        labels: 'inferred' to use the subfolders as classes, a list with one class index for each file in the order of
            their paths, or ``None`` for no labels.
        label_mode: 'int' (int32 class indices), 'categorical' (one-hot rows), 'binary' (float32 ``(batch, 1)``) or
            ``None`` (no labels).
        class_names: Names of the subfolders, to set their order; alphabetical by default.
        batch_size: Number of texts in a batch; ``None`` for single texts.
        max_length: Number of characters after which texts are truncated; ``None`` for no limit.
        shuffle: Whether to shuffle the files before each epoch.
        seed: Seed of the random order.
        validation_split: Fraction of the files for validation: the last ones, after shuffling.
        subset: 'training', 'validation', or 'both' for a pair of data sets. It requires `validation_split`, and with
            `shuffle` also a `seed`.
        follow_links: Whether to follow symbolic links.
        format: Not used; batches are NumPy arrays.
        verbose: Whether to print how many files were found.

    Returns:
        A `PyDataset` of texts (object arrays of strings, shape ``(batch,)``) and labels, or two of them.

    Raises:
        InputDataError: If an argument is invalid, or no files are found.
        FileNotFoundError: If there is no such folder.

    >>> text_dataset_from_directory("no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: There is no folder 'no/such/folder'
    """

    def read(path):
        with open(path, encoding="utf-8") as file:
            return np.array(file.read(max_length or -1), object)

    return _from_directory(
        directory, (".txt",), read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip


def audio_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> FileDataset | tuple[FileDataset, FileDataset]:
    """Makes a data set from the sounds (``.wav``) in a folder.

    Args:
        directory: The folder.
        labels: 'inferred' to use the subfolders as classes, a list with one class index for each file in the order of
            their paths, or ``None`` for no labels.
        label_mode: 'int' (int32 class indices), 'categorical' (one-hot rows), 'binary' (float32 ``(batch, 1)``) or
            ``None`` (no labels).
        class_names: Names of the subfolders, to set their order; alphabetical by default.
        batch_size: Number of sounds in a batch; ``None`` for single sounds.
        sampling_rate: Samples in a second that all sounds shall have; ``None`` to leave them as they are.
        output_sequence_length: Number of samples to which sounds are cut or padded with zeros; by default, those of the
            longest sound in each batch.
        ragged: Whether the sounds of a batch keep their lengths: then they come in an array of objects.
        shuffle: Whether to shuffle the files before each epoch.
        seed: Seed of the random order.
        validation_split: Fraction of the files for validation: the last ones, after shuffling.
        subset: 'training', 'validation', or 'both' for a pair of data sets. It requires `validation_split`, and with
            `shuffle` also a `seed`.
        follow_links: Whether to follow symbolic links.
        verbose: Whether to print how many files were found.

    Returns:
        A `PyDataset` of float32 sounds ``(batch, time, channels)`` from -1 to 1 and labels, or two of them.

    Raises:
        InputDataError: If an argument is invalid, or no files are found.
        FileNotFoundError: If there is no such folder.

    >>> audio_dataset_from_directory("no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: There is no folder 'no/such/folder'
    """
    for name, value in (("sampling_rate", sampling_rate), ("output_sequence_length", output_sequence_length)):
        if value is not None:
            positive_int(name, value)
    if ragged and output_sequence_length is not None:
        raise InputDataError("ragged and output_sequence_length exclude each other: give one of them.")

    def read(path):
        sound, rate = audio_io.read_wav(path)
        sound = audio_io.resampled(sound, rate, sampling_rate or rate)
        return sound if output_sequence_length is None else audio_io.of_length(sound, output_sequence_length)

    return _from_directory(
        directory, (".wav",), read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose, audio_io.ragged if ragged else audio_io.padded,
    )  # fmt: skip


def _from_directory(
    directory, endings, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
    follow_links, verbose, join=np.stack,
):  # fmt: skip
    if label_mode not in ("int", "categorical", "binary", None):
        raise InputDataError(f"label_mode: expected 'int', 'categorical', 'binary' or None. Received: {label_mode!r}")
    if (validation_split is None) != (subset is None):
        raise InputDataError("validation_split and subset require each other: give both, or neither.")
    if validation_split is not None and not 0 < validation_split < 1:
        raise InputDataError(f"validation_split must lie between 0 and 1. Received: {validation_split}")
    if subset not in (None, "training", "validation", "both"):
        raise InputDataError(f"subset: expected 'training', 'validation' or 'both'. Received: {subset!r}")
    if subset and shuffle and seed is None:
        raise InputDataError("With validation_split and shuffle, give a seed: otherwise the subsets may overlap.")

    paths, numbers, names = _indexed(os.fspath(directory), endings, labels, class_names, follow_links)
    if verbose:
        print(f"Found {len(paths)} files" + (f" belonging to {len(names)} classes." if names else "."))
    if not paths:
        raise InputDataError(f"{directory}: no files ending in {', '.join(endings)} were found.")
    if label_mode == "binary" and len(names) != 2:
        raise InputDataError(f"label_mode 'binary' needs two classes. Found: {names}")
    encoded = None
    if numbers is not None and label_mode is not None:
        encoded = np.asarray(numbers, "int32")
        if label_mode == "categorical":
            encoded = np.eye(len(names), dtype="float32")[encoded]
        elif label_mode == "binary":
            encoded = encoded.astype("float32")[:, None]
    order = np.arange(len(paths))
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(order)
    border = len(paths) - int((validation_split or 0) * len(paths))
    parts = {"training": order[:border], "validation": order[border:], None: order}

    def dataset(part):
        rows = parts[part]
        if verbose and part:
            print(f"Using {len(rows)} files for {part}.")
        if not len(rows):
            raise InputDataError(f"{directory}: no files are left for {part}.")
        chosen = None if encoded is None else encoded[rows]
        chosen_paths, random = [paths[row] for row in rows], seed if shuffle else None
        return FileDataset(chosen_paths, chosen, names, read, batch_size, random, join)

    return (dataset("training"), dataset("validation")) if subset == "both" else dataset(subset)


def _indexed(directory, endings, labels, class_names, follow_links):
    """The paths of all files, their class indices (or ``None``), and the names of the classes."""
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"There is no folder {directory!r}")
    if labels == "inferred":
        there = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
        names = list(class_names or there)
        if class_names is not None and sorted(class_names) != there:
            raise InputDataError(f"class_names must be the subfolders {there} of {directory}. Received: {class_names}")
        files = [list_files(directory, name, endings, follow_links) for name in names]
        numbers = [number for number, found in enumerate(files) for _ in found]
        return [os.path.join(directory, path) for found in files for path in found], numbers, names
    if class_names is not None:
        raise InputDataError("class_names can be given only with labels='inferred'.")
    paths = [os.path.join(directory, path) for path in list_files(directory, "", endings, follow_links)]
    if labels is None:
        return paths, None, []
    if len(labels) != len(paths):
        raise InputDataError(f"{len(labels)} labels but {len(paths)} files in {directory}")
    return paths, labels, [str(label) for label in sorted(set(labels))]
