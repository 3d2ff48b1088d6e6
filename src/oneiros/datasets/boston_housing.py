"""Boston house prices of 1978 (Harrison and Rubinfeld): 506 rows. One column encodes a racial assumption; use this
data to reproduce old results only, and `california_housing` otherwise."""

import os

from oneiros.datasets.sources import KERAS_URL, Splits, read_npz, shuffled, split

SHA256 = (
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "f3e87b1c4c794a09c9ef8499bca7dcfed9808af88dc2ae8d47a6140d208c9703",  # the same arrays, packed again
)


def load_data(
    path: str = "boston_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Loads house prices in Boston.

    Args:
        path: Name of the file in the cache, or an absolute path.
        test_split: Fraction of the data to use for testing, in ``[0, 1)``.
        seed: Seed of the random order of the rows.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: features ``(n, 13)`` and prices ``(n,)`` in 1,000 dollars, float64.
    """
    data = read_npz(path, KERAS_URL + "boston_housing.npz", SHA256, cache_dir)
    ((x, y),) = shuffled(seed, (data["x"], data["y"]))
    return split(x, y, test_split)
