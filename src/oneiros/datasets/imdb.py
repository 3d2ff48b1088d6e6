"""IMDB movie reviews, labelled by sentiment (Maas et al., ACL 2011): 25,000 to train, 25,000 to test."""

import json

from oneiros.datasets.sources import KERAS_URL, encode_texts, fetch, read_npz, shuffled

SHA256 = (
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "80ec67a41b7226e487649e6917a0a7d0042aa9c99e720da726841c6b45f22c68",  # the same arrays, packed again
)
WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    cache_dir=None,
):
    """``(x_train, y_train), (x_test, y_test)``: lists of word numbers (frequent words first) and 0 or 1.

    Args:
        path: the file's name in the cache, or an absolute path.
        num_words, skip_top: only numbers in ``[skip_top, num_words)`` are kept, others become ``oov_char``
            (``None``: are left out).
        maxlen: longer reviews are left out.
        seed: for the order of the reviews.
        start_char: the number that begins each review.
        index_from: the most frequent word has this number plus one.
    """
    data = read_npz(path, KERAS_URL + "imdb.npz", SHA256, cache_dir)
    splits = shuffled(seed, (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"]))
    train, test = encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return train, test


def get_word_index(path="imdb_word_index.json"):
    """Word to rank (1 is the most frequent); `load_data` adds ``index_from`` to the ranks."""
    with open(fetch(path, KERAS_URL + "imdb_word_index.json", WORD_INDEX_MD5), encoding="utf-8") as file:
        return json.load(file)
