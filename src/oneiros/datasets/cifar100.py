"""CIFAR-100: 50,000 pictures to train and 10,000 to test, in 100 classes of 20 families (Krizhevsky, 2009)."""

from oneiros.core.errors import InputDataError
from oneiros.datasets.cifar import load_archive

SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode="fine", cache_dir=None):
    """Colour pictures in 100 classes.

    Args:
        label_mode: 'fine' for 100 classes, 'coarse' for 20 families of classes.
        cache_dir: Folder to keep the file in; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images ``(n, 32, 32, 3)`` and classes ``(n, 1)``. With
        channels first by configuration, the images are ``(n, 3, 32, 32)``.

    Raises:
        InputDataError: If the mode is not known.
    """
    if label_mode not in ("fine", "coarse"):
        raise InputDataError(f"cifar100: label_mode must be 'fine' or 'coarse'. Received: {label_mode!r}")
    name, url = "cifar-100-python", "cifar-100-python.tar.gz"
    return load_archive(name, url, SHA256, ["train"], "test", f"{label_mode}_labels", cache_dir)
