"""Handwritten digits (LeCun, Cortes and Burges): 60,000 training and 10,000 test images of 28x28 grey pixels."""

import os

from oneiros.datasets.sources import KERAS_URL, Splits, read_npz

SHA256 = (
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "d7763dfca94747a096b52a89f1601ad79ea1904568a7ce39c404d22db07ed85b",  # the same arrays, packed again
)


def load_data(path: str = "mnist.npz", cache_dir: str | os.PathLike | None = None) -> Splits:
    """Loads images of handwritten digits.

    Args:
        path: Name of the file in the cache, or an absolute path.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images ``(n, 28, 28)`` and digits ``(n,)``.
    """
    data = read_npz(path, KERAS_URL + "mnist.npz", SHA256, cache_dir)
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
