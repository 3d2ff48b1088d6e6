"""Images of clothes in ten classes (Xiao, Rasul and Vollgraf, 2017), in the format of MNIST."""

import os

from oneiros.datasets.sources import KERAS_URL, Splits, fetch, read_idx

MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data(cache_dir: str | os.PathLike | None = None) -> Splits:
    """Loads images of clothes: 60,000 for training and 10,000 for testing.

    Args:
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images ``(n, 28, 28)`` and classes ``(n,)``.
    """
    paths = {name: fetch(f"fashion-mnist/{name}", KERAS_URL + name, md5, cache_dir) for name, md5 in MD5.items()}
    train, test = (
        (
            read_idx(paths[f"{part}-images-idx3-ubyte.gz"], (28, 28), header=16),
            read_idx(paths[f"{part}-labels-idx1-ubyte.gz"], (), header=8),
        )
        for part in ("train", "t10k")
    )
    return train, test
