"""CIFAR-100: 50,000 training and 10,000 test images in 100 classes of 20 superclasses (Krizhevsky, 2009)."""

import os

from oneiros.core.errors import InputDataError
from oneiros.datasets.cifar import load_archive
from oneiros.datasets.sources import Splits

SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine", cache_dir: str | os.PathLike | None = None) -> Splits:
    """Loads colour images in 100 classes.

    Args:
        label_mode: 'fine' for 100 classes, 'coarse' for 20 superclasses.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images ``(n, 32, 32, 3)`` and classes ``(n, 1)``. With
        channels first by configuration, the images are ``(n, 3, 32, 32)``.

    Raises:
        InputDataError: If the mode is unknown.
    """
    if label_mode not in ("fine", "coarse"):
        raise InputDataError(f"cifar100: label_mode must be 'fine' or 'coarse'. Received: {label_mode!r}")
    name, url = "cifar-100-python", "cifar-100-python.tar.gz"
    return load_archive(name, url, SHA256, ["train"], "test", f"{label_mode}_labels", cache_dir)
