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
    """Film reviews as lists of word numbers; frequent words have small numbers.

    Args:
        path: Name of the file in the cache, or an absolute path.
        num_words: Words with this number or a larger one are replaced; ``None`` keeps all.
        skip_top: Words with a smaller number are replaced.
        maxlen: Longer texts are left out; ``None`` keeps all.
        seed: Seed of the order of the reviews.
        start_char: Number that begins each text.
        oov_char: Number that replaces words; ``None`` leaves them out.
        index_from: The most frequent word has this number plus one.
        cache_dir: Folder to keep the file in; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists of integers, and 0 or 1 for a bad or good review.
    """
    data = read_npz(path, KERAS_URL + "imdb.npz", SHA256, cache_dir)
    splits = shuffled(seed, (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"]))
    train, test = encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return train, test


def get_word_index(path="imdb_word_index.json"):
    """The rank of each word.

    Args:
        path: Name of the file in the cache, or an absolute path.

    Returns:
        A dictionary from words to ranks; 1 is the most frequent. `load_data` adds ``index_from`` to the ranks.
    """
    with open(fetch(path, KERAS_URL + "imdb_word_index.json", WORD_INDEX_MD5), encoding="utf-8") as file:
        return json.load(file)
