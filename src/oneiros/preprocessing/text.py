"""Converts text to numbers: splitting into words, hashing, the `Tokenizer`."""

import collections
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from oneiros.core.errors import InputDataError

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Splits a text into words.

    Args:
        input_text: The text.
        filters: Characters that separate words, besides `split`.
        lower: Whether to convert the text to lower case.
        split: Separator of words.

    Returns:
        A list of words.

    >>> text_to_word_sequence("Hello, world!")
    ['hello', 'world']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(dict.fromkeys(map(ord, filters), split))
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Encodes each word of a text by Python's ``hash``, which differs between processes.

    Args:
        input_text: The text.
        n: Size of the range: indices are from 1 to ``n - 1``. Different words may have the same index.
        filters: Characters that separate words, besides `split`.
        lower: Whether to convert the text to lower case.
        split: Separator of words.
        analyzer: Function that splits a text into words, instead of the three arguments above.

    Returns:
        A list of integers.

    >>> len(one_hot("a rose is a rose", 100))
    5
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Encodes each word of a text by a hash of the word.

    Args:
        text: The text.
        n: Size of the range: indices are from 1 to ``n - 1``. Different words may have the same index.
        hash_function: 'md5', which is the same in all processes, a function of a string, or ``None`` for Python's
            ``hash``.
        filters: Characters that separate words, besides `split`.
        lower: Whether to convert the text to lower case.
        split: Separator of words.
        analyzer: Function that splits a text into words, instead of the three arguments above.

    Returns:
        A list of integers.

    >>> hashing_trick("a rose is a rose", 100, "md5")
    [92, 58, 66, 92, 58]
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Assigns an index to each word of a collection of texts: 1 to the most frequent one, and so on.

    A text is a string, or a list of words. Index 0 is reserved for padding.

    Args:
        num_words: Only words with smaller indices are used (all words are counted); ``None`` to use all.
        filters: Characters that separate words, besides `split`.
        lower: Whether to convert texts to lower case.
        split: Separator of words.
        char_level: Whether to use characters instead of words.
        oov_token: Word that replaces unknown and rare words; it gets the index 1. ``None`` to skip such words.
        analyzer: Function that splits a text into words, instead of `filters`, `lower` and `split`.
        document_count: Number of texts that were counted already.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["a rose is a rose"])
    >>> tokenizer.texts_to_sequences(["is a tulip"])
    [[3, 1]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        document_count: int = 0,
    ):
        self.num_words = num_words
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts = collections.OrderedDict()  # word -> occurrences
        self.word_docs = collections.defaultdict(int)  # word -> number of texts with it
        self.index_docs = collections.defaultdict(int)  # index -> number of texts with the word
        self.word_index = {}
        self.index_word = {}

    def _words(self, text):
        if self.char_level or isinstance(text, list):
            if self.lower:
                text = [word.lower() for word in text] if isinstance(text, list) else text.lower()
            return text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Counts the words of texts, and assigns new indices to all words so far.

        Args:
            texts: Strings or lists of words; a list or a generator.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] += 1
        vocabulary = sorted(self.word_counts, key=self.word_counts.get, reverse=True)  # ties: in order of appearance
        if self.oov_token is not None:
            vocabulary.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(vocabulary, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Counts in how many sequences each index occurs, for `sequences_to_matrix` with the mode 'tfidf'.

        Args:
            sequences: Lists of word indices.
        """
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """Converts texts to word indices.

        Args:
            texts: Strings or lists of words.

        Returns:
            A list of indices for each text. Unknown and rare words are skipped, or replaced by `oov_token`.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """Like `texts_to_sequences`, but yields one text after the other."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            numbers = (number if self._used(number) else unknown for number in numbers)
            yield [number for number in numbers if number is not None]

    def _used(self, number):
        return number is not None and not (self.num_words and number >= self.num_words)

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """Converts word indices to texts.

        Args:
            sequences: Lists of word indices.

        Returns:
            A string for each sequence: its words, joined by spaces.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Sequence[int]]) -> Iterator[str]:
        """Like `sequences_to_texts`, but yields one text after the other."""
        for sequence in sequences:
            words = (self.index_word.get(number) if self._used(number) else None for number in sequence)
            words = (self.oov_token if word is None else word for word in words)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """Converts texts to a matrix with one row for each text; see `sequences_to_matrix`.

        Args:
            texts: Strings or lists of words.
            mode: 'binary', 'count', 'freq' or 'tfidf'.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """Converts sequences of word indices to a matrix with one row for each sequence.

        Args:
            sequences: Lists of word indices.
            mode: 'binary' (1 if the word occurs), 'count', 'freq' (count divided by the length of the sequence) or
                'tfidf': ``(1 + log(count)) * log(1 + texts / (1 + texts with the word))``.

        Returns:
            A float64 array ``(len(sequences), num_words)``.

        Raises:
            InputDataError: If the mode is unknown, or no words are known.
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise InputDataError(f"mode: expected 'binary', 'count', 'freq' or 'tfidf'. Received: {mode!r}")
        if not self.num_words and not self.word_index:
            raise InputDataError("Tokenizer: give num_words, or call fit_on_texts first.")
        width = self.num_words or len(self.word_index) + 1
        if mode == "tfidf":
            if not self.document_count:
                raise InputDataError("Tokenizer: mode 'tfidf' needs a call of fit_on_texts or fit_on_sequences first.")
            in_texts = np.array([self.index_docs.get(number, 0) for number in range(width)])
            rarity = np.log(1 + self.document_count / (1 + in_texts))
        matrix = np.zeros((len(sequences), width))
        for row, sequence in zip(matrix, sequences):
            numbers, counts = np.unique(np.asarray(sequence, int), return_counts=True)
            numbers, counts = numbers[numbers < width], counts[numbers < width]
            if mode == "binary":
                row[numbers] = 1
            elif mode == "count":
                row[numbers] = counts
            elif mode == "freq":
                row[numbers] = counts / max(1, len(sequence))
            else:
                row[numbers] = (1 + np.log(counts)) * rarity[numbers]
        return matrix

    def get_config(self) -> dict[str, Any]:
        """The arguments and counts. Dictionaries are JSON text, as in Keras."""
        names = ["num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count"]
        tables = ["word_counts", "word_docs", "index_docs", "index_word", "word_index"]
        config = {name: getattr(self, name) for name in names}
        return config | {name: json.dumps(getattr(self, name)) for name in tables}

    def to_json(self, **kwargs: Any) -> str:
        """JSON text from which `tokenizer_from_json` restores the tokenizer.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Restores a `Tokenizer` from the text that `Tokenizer.to_json` returned.

    Args:
        json_string: The text.

    Returns:
        A `Tokenizer`.

    >>> tokenizer_from_json(Tokenizer(num_words=10).to_json()).num_words
    10
    """
    config = dict(json.loads(json_string)["config"])
    tables = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts = collections.OrderedDict(tables["word_counts"])
    tokenizer.word_docs = collections.defaultdict(int, tables["word_docs"])
    tokenizer.word_index = tables["word_index"]
    tokenizer.index_word = {
        int(number): word for number, word in tables["index_word"].items()
    }  # keys in JSON are strings
    tokenizer.index_docs = collections.defaultdict(int, {int(n): count for n, count in tables["index_docs"].items()})
    return tokenizer
