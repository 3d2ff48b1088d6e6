"""Boston house prices of 1978 (Harrison and Rubinfeld): 506 rows. One column encodes a racial assumption; use this
data to reproduce old results only, and `california_housing` otherwise."""

from oneiros.datasets.sources import KERAS_URL, read_npz, shuffled, split

SHA256 = (
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "f3e87b1c4c794a09c9ef8499bca7dcfed9808af88dc2ae8d47a6140d208c9703",  # the same arrays, packed again
)


def load_data(path="boston_housing.npz", test_split=0.2, seed=113, cache_dir=None):
    """Boston's house prices.

    Args:
        path: Name of the file in the cache, or an absolute path.
        test_split: Share of the data that is for testing.
        seed: Seed of the order of the rows.
        cache_dir: Folder to keep the file in; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: 13 features and a price in 1,000 dollars, float64.
    """
    data = read_npz(path, KERAS_URL + "boston_housing.npz", SHA256, cache_dir)
    ((x, y),) = shuffled(seed, (data["x"], data["y"]))
    return split(x, y, test_split)
