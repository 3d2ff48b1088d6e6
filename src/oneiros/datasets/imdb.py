"""IMDB movie reviews, labelled by sentiment (Maas et al., ACL 2011): 25,000 for training, 25,000 for testing."""

import json
import os

from oneiros.datasets.sources import KERAS_URL, Splits, encode_texts, fetch, read_npz, shuffled

SHA256 = (
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "80ec67a41b7226e487649e6917a0a7d0042aa9c99e720da726841c6b45f22c68",  # the same arrays, packed again
)
WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Loads film reviews as lists of word indices. Frequent words have small indices.

    Args:
        path: Name of the file in the cache, or an absolute path.
        num_words: Only words with smaller indices are kept; ``None`` to keep all.
        skip_top: Words with indices below this (the most frequent ones) are replaced.
        maxlen: Only texts with fewer indices than this are kept; ``None`` to keep all.
        seed: Seed of the random order of the reviews.
        start_char: Index that marks the start of each text; ``None`` for no mark.
        oov_char: Index that replaces words that are not kept; ``None`` to remove them.
        index_from: Offset of the indices: the most frequent word has the index ``index_from + 1``.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists of integers, and 0 or 1 for a bad or good review.
    """
    data = read_npz(path, KERAS_URL + "imdb.npz", SHA256, cache_dir)
    splits = shuffled(seed, (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"]))
    train, test = encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return train, test


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The frequency rank of each word.

    Args:
        path: Name of the file in the cache, or an absolute path.

    Returns:
        A dictionary from words to ranks: 1 is the most frequent word. Its index in `load_data` is its rank plus
        ``index_from``.
    """
    with open(fetch(path, KERAS_URL + "imdb_word_index.json", WORD_INDEX_MD5), encoding="utf-8") as file:
        return json.load(file)
