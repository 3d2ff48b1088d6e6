"""Median house prices of Californian districts in 1990 (Pace and Barry, 1997): 20,640 rows."""

import os

from oneiros.core.errors import InputDataError
from oneiros.datasets.sources import KERAS_URL, Splits, read_npz, shuffled, split

SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Loads house prices in California.

    Args:
        version: 'large' for all rows, 'small' for the first 600.
        path: Name of the file in the cache, or an absolute path.
        test_split: Fraction of the data to use for testing, in ``[0, 1)``.
        seed: Seed of the random order of the rows.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: features ``(n, 8)`` and prices ``(n,)`` in dollars.

    Raises:
        InputDataError: If the version is unknown.
    """
    if version not in ("small", "large"):
        raise InputDataError(f"california_housing: version must be 'small' or 'large'. Received: {version!r}")
    data = read_npz(path, KERAS_URL + "california_housing.npz", SHA256, cache_dir)
    rows = slice(600 if version == "small" else None)
    ((x, y),) = shuffled(seed, (data["x"][rows], data["y"][rows]))
    return split(x, y, test_split)
