"""Reuters newswires by topic (Reuters-21578, Distribution 1.0): 11,228 wires, 46 topics."""

import json
import os

from oneiros.datasets.sources import KERAS_URL, Splits, encode_texts, fetch, read_npz, shuffled, split

SHA256 = (
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "3f08b53a4436d04ee6097f2c20b469a5b80647648aada6f62ac0aa37e334c1fc",  # the same arrays, packed again
)
WORD_INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Loads newswires as lists of word indices. Frequent words have small indices.

    Args:
        path: Name of the file in the cache, or an absolute path.
        num_words: Only words with smaller indices are kept; ``None`` to keep all.
        skip_top: Words with indices below this (the most frequent ones) are replaced.
        maxlen: Only texts with fewer indices than this are kept; ``None`` to keep all.
        test_split: Fraction of the data to use for testing, in ``[0, 1)``.
        seed: Seed of the random order of the rows.
        start_char: Index that marks the start of each text; ``None`` for no mark.
        oov_char: Index that replaces words that are not kept; ``None`` to remove them.
        index_from: Offset of the indices: the most frequent word has the index ``index_from + 1``.
        cache_dir: Folder of the cache; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists of integers, and topics from 0 to 45.
    """
    data = read_npz(path, KERAS_URL + "reuters.npz", SHA256, cache_dir)
    splits = shuffled(seed, (data["x"], data["y"]))
    ((x, y),) = encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return split(x, y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The frequency rank of each word.

    Args:
        path: Name of the file in the cache, or an absolute path.

    Returns:
        A dictionary from words to ranks: 1 is the most frequent word. Its index in `load_data` is its rank plus
        ``index_from``.
    """
    with open(fetch(path, KERAS_URL + "reuters_word_index.json", WORD_INDEX_MD5), encoding="utf-8") as file:
        return json.load(file)


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics.

    Returns:
        A tuple of strings, indexed by the labels of `load_data`.

    >>> get_label_names()[3]
    'earn'
    """
    return tuple(LABELS.split())
