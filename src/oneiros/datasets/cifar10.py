"""CIFAR-10: 50,000 training and 10,000 test images in ten classes (Krizhevsky, 2009)."""

import os

from oneiros.datasets.cifar import load_archive
from oneiros.datasets.sources import Splits

SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data(cache_dir: str | os.PathLike | None = None) -> Splits:
    """Loads colour images in ten classes.

    Args:
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images ``(n, 32, 32, 3)`` and classes ``(n, 1)``. With
        channels first by configuration, the images are ``(n, 3, 32, 32)``.
    """
    train = [f"data_batch_{i}" for i in range(1, 6)]
    name, url = "cifar-10-batches-py", "cifar-10-python.tar.gz"
    return load_archive(name, url, SHA256, train, "test_batch", "labels", cache_dir)
