"""Data sets from folders of files, a subfolder being a class."""

import os

import numpy as np

from oneiros.core.config import standardize_data_format
from oneiros.core.errors import InputDataError
from oneiros.preprocessing import image_io
from oneiros.preprocessing.image_iterators import list_files
from oneiros.utils.data import PyDataset

IMAGE_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


class FileDataset(PyDataset):
    """Batches of what ``read`` makes of each file, with labels if there are any.

    ``class_names`` and ``file_paths`` tell where they come from. ``map(function)`` gives a data set of changed batches.
    """

    def __init__(self, file_paths, labels, class_names, read, batch_size, seed):
        super().__init__()
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.read, self.batch_size = read, batch_size
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
        parts = [np.stack([self.read(self.file_paths[row]) for row in rows])]
        if self.labels is not None:
            parts.append(self.labels[rows])
        if self.batch_size is None:
            parts = [part[0] for part in parts]
        for function in self.functions:
            result = function(*parts)
            parts = list(result) if isinstance(result, (tuple, list)) else [result]
        return tuple(parts) if len(parts) > 1 else parts[0]

    def map(self, function, **options):
        """The same batches, each changed by ``function(x)`` or ``function(x, y)``. The options have no effect."""
        mapped = object.__new__(type(self))
        mapped.__dict__ = self.__dict__ | {"functions": (*self.functions, function)}
        return mapped

    def take(self, count):
        """An iterable of the first ``count`` batches."""
        return [self[index] for index in range(min(count, len(self)))]

    def prefetch(self, buffer_size=None):
        """The data set itself: `fit` prepares batches ahead anyway."""
        return self

    def cache(self, filename=None):
        """The data set itself; files are read again in each epoch."""
        return self

    def on_epoch_end(self):
        if self.random is not None:
            self.random.shuffle(self.order)


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    format="tf",
    verbose=True,
):
    """A `PyDataset` of float32 images ``(batch, height, width, channels)`` and labels.

    Args:
        directory: its subfolders are the classes (unless ``labels`` is ``None`` or a list of numbers, one for each
            file in the order of their paths).
        label_mode: 'int' (int32 numbers), 'categorical' (one-hot), 'binary' (float32 ``(batch, 1)``) or ``None``.
        class_names: the subfolders, to fix their order.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        image_size: ``(height, width)`` to resize to, see `resize_array` for ``interpolation``.
        validation_split, subset: the share of the files for 'validation', the last ones after shuffling; the others are
            for 'training'; 'both' gives both data sets. With ``shuffle`` a ``seed`` is needed.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut or fill with black instead of stretching.
        format: accepted and without effect; batches are NumPy arrays.
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
        return x.transpose(2, 0, 1) if channels_first else x

    return _from_directory(
        directory, IMAGE_ENDINGS, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip


def _padded(x, height, width, interpolation):
    """``x`` resized to fit into the given size, with black margins around it."""
    rows, columns, _ = x.shape
    fitting = min(height, rows * width / columns), min(width, columns * height / rows)
    size = [int(side) for side in fitting]
    before = [int((room - side) / 2) for room, side in zip((height, width), fitting)]
    after = [room - side - start for room, side, start in zip((height, width), size, before)]
    return np.pad(image_io.resize_array(x, size, interpolation), (*zip(before, after), (0, 0)))


def text_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    format="tf",
    verbose=True,
):
    """A `PyDataset` of texts (object arrays of ``str``, cut to ``max_length`` characters) and labels.

    For the other arguments see `image_dataset_from_directory`.
    """

    def read(path):
        with open(path, encoding="utf-8") as file:
            return np.array(file.read(max_length or -1), object)

    return _from_directory(
        directory, (".txt",), read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip


def _from_directory(
    directory, endings, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
    follow_links, verbose,
):  # fmt: skip
    if label_mode not in ("int", "categorical", "binary", None):
        raise InputDataError(f"label_mode: expected 'int', 'categorical', 'binary' or None. Received: {label_mode!r}")
    if (validation_split is None) != (subset is None):
        raise InputDataError("validation_split and subset belong together: give both, or neither.")
    if validation_split is not None and not 0 < validation_split < 1:
        raise InputDataError(f"validation_split must lie between 0 and 1. Received: {validation_split}")
    if subset not in (None, "training", "validation", "both"):
        raise InputDataError(f"subset: expected 'training', 'validation' or 'both'. Received: {subset!r}")
    if subset and shuffle and seed is None:
        raise InputDataError("With validation_split and shuffle, give a seed: else the subsets may overlap.")

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
        return FileDataset([paths[row] for row in rows], chosen, names, read, batch_size, seed if shuffle else None)

    return (dataset("training"), dataset("validation")) if subset == "both" else dataset(subset)


def _indexed(directory, endings, labels, class_names, follow_links):
    """Paths of all files, their class numbers (or ``None``), the names of the classes."""
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
