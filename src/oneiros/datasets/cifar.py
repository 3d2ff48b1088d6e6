"""What CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) share: 60,000 colour pictures of 32x32 pixels in pickled batches."""

import tarfile

import numpy as np

from oneiros.core.config import image_data_format
from oneiros.datasets.sources import fetch, read_arrays

URL = "https://www.cs.toronto.edu/~kriz/"


def load_batch(fpath, label_key="labels"):
    """Images ``(n, 3, 32, 32)`` uint8 and a list of labels from one batch file. Anything but arrays is refused."""
    with open(fpath, "rb") as file:
        return _batch(file, label_key)


def _batch(file, label_key):
    content = read_arrays(file)
    return content["data"].reshape(-1, 3, 32, 32), content[label_key]


def load_archive(name, url, sha256, train, test, label_key, cache_dir=None):
    """Train and test data from the members ``train`` and ``test`` of an archive, which is read where it lies."""
    members = [f"{name}/{member}" for member in (*train, test)]
    batches = {}
    with tarfile.open(fetch(f"{name}.tar.gz", URL + url, sha256, cache_dir)) as archive:
        for member in archive:  # in the archive's order: going back would mean decompressing again
            if member.name in members:
                batches[member.name] = _batch(archive.extractfile(member), label_key)

    def joined(names):
        x = np.concatenate([batches[f"{name}/{member}"][0] for member in names])
        y = np.concatenate([batches[f"{name}/{member}"][1] for member in names]).astype("uint8").reshape(-1, 1)
        return (x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x), y

    return joined(train), joined([test])
