"""The files of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): 60,000 colour images of 32x32 pixels in pickled batches."""

import os
import tarfile
from collections.abc import Sequence

import numpy as np

from oneiros.core.config import image_data_format
from oneiros.datasets.sources import Splits, fetch, read_arrays

URL = "https://www.cs.toronto.edu/~kriz/"


def load_batch(fpath: str | os.PathLike, label_key: str = "labels") -> tuple[np.ndarray, list[int]]:
    """Reads one batch file. Pickles of anything but arrays, lists and plain values are refused.

    Args:
        fpath: Path of the file.
        label_key: Key of the labels in the file.

    Returns:
        uint8 images ``(n, 3, 32, 32)`` and a list of labels.

    Raises:
        UnsafeModelError: If the file contains other objects.
        CorruptFileError: If the file is damaged.
    """
    with open(fpath, "rb") as file:
        return _batch(file, label_key)


def _batch(file, label_key):
    content = read_arrays(file)
    return content["data"].reshape(-1, 3, 32, 32), content[label_key]


def load_archive(
    name: str,
    url: str,
    sha256: str,
    train: Sequence[str],
    test: str,
    label_key: str,
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Reads training and test data from an archive, without extracting it.

    Args:
        name: Name of the folder in the archive, and of the archive in the cache.
        url: Name of the archive on the server.
        sha256: Hash of the archive.
        train: Names of the batch files with training data.
        test: Name of the batch file with test data.
        label_key: Key of the labels in the files.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, as in `cifar10.load_data`.
    """
    members = [f"{name}/{member}" for member in (*train, test)]
    batches = {}
    with tarfile.open(fetch(f"{name}.tar.gz", URL + url, sha256, cache_dir)) as archive:
        for member in archive:  # in the order of the archive: seeking backwards would decompress it again
            if member.name in members:
                batches[member.name] = _batch(archive.extractfile(member), label_key)

    def joined(names):
        x = np.concatenate([batches[f"{name}/{member}"][0] for member in names])  # (n, 3, 32, 32)
        y = np.concatenate([batches[f"{name}/{member}"][1] for member in names]).astype("uint8").reshape(-1, 1)
        return (x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x), y

    return joined(train), joined([test])
