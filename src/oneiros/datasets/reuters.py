"""Reuters newswires by topic (Reuters-21578, Distribution 1.0): 11,228 wires, 46 topics."""

import json

from oneiros.datasets.sources import KERAS_URL, encode_texts, fetch, read_npz, shuffled, split

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
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    cache_dir=None,
):
    """Newswires as lists of word numbers; frequent words have small numbers.

    Args:
        path: Name of the file in the cache, or an absolute path.
        num_words: Words with this number or a larger one are replaced; ``None`` keeps all.
        skip_top: Words with a smaller number are replaced.
        maxlen: Longer texts are left out; ``None`` keeps all.
        test_split: Share of the data that is for testing.
        seed: Seed of the order of the rows.
        start_char: Number that begins each text.
        oov_char: Number that replaces words; ``None`` leaves them out.
        index_from: The most frequent word has this number plus one.
        cache_dir: Folder to keep the file in; ``~/.keras`` by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists of integers, and topics from 0 to 45.
    """
    data = read_npz(path, KERAS_URL + "reuters.npz", SHA256, cache_dir)
    splits = shuffled(seed, (data["x"], data["y"]))
    ((x, y),) = encode_texts(splits, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return split(x, y, test_split)


def get_word_index(path="reuters_word_index.json"):
    """The rank of each word.

    Args:
        path: Name of the file in the cache, or an absolute path.

    Returns:
        A dictionary from words to ranks; 1 is the most frequent. `load_data` adds ``index_from`` to the ranks.
    """
    with open(fetch(path, KERAS_URL + "reuters_word_index.json", WORD_INDEX_MD5), encoding="utf-8") as file:
        return json.load(file)


def get_label_names():
    """The names of the 46 topics.

    Returns:
        A tuple of strings, in the order of the topics' numbers.

    >>> get_label_names()[3]
    'earn'
    """
    return tuple(LABELS.split())
