"""Text as rows of token indices or as vectors of token counts."""

import string
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core.checks import is_integer, one_of, positive_int
from ...core.errors import InputDataError
from ...core.fields import ANY, field, optional
from .batches import batches_of
from .encoding import Sparse
from .host import HostLayer, as_strings, on_host
from .lookup import StringLookup, output_mode

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_STANDARDIZE = {
    "lower_and_strip_punctuation": lambda text: text.lower().translate(_PUNCTUATION),
    "strip_punctuation": lambda text: text.translate(_PUNCTUATION),
    "lower": str.lower,
}
_SPLIT = {"whitespace": str.split, "character": list}


def _one_or_function(allowed):
    return lambda name, value: value if value is None or callable(value) else one_of(name, value, allowed)


def _ngrams(name, value):
    if value is None or (isinstance(value, (tuple, list)) and all(is_integer(n) for n in value)):
        return value if value is None else tuple(value)
    return positive_int(name, value)


class TextVectorization(HostLayer):
    """Turns texts into rows of token indices, or into a vector for each text.

    A text is standardized, split into tokens, joined to n-grams and looked up in a vocabulary. The vocabulary is given,
    or made by `adapt`. As JAX has no strings, the layer is best applied to the data, outside of the model;
    a model with an input of ``dtype="string"`` may begin with it.

    Shapes: texts ``(batch,)`` or ``(batch, 1)``. The outputs are ``(batch, length)`` with ``output_mode="int"``, where
    `length` is `output_sequence_length` or that of the longest text, with 0 at the end of shorter ones. Else they are
    ``(batch, entries)``.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The cat sat.", "The dog sat!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    >>> layer(["the bird sat"]).tolist()
    [[2, 1, 3, 0]]
    """

    takes_no_floats = True
    ignored_arguments = HostLayer.ignored_arguments | {"vocabulary_size": ANY}
    positional_last = ("name",)

    max_tokens: int = field(optional(positive_int), default=None, doc="Most entries of the vocabulary.")
    standardize: Any = field(
        _one_or_function(tuple(_STANDARDIZE)),
        default="lower_and_strip_punctuation",
        doc="How texts are standardized: `'lower_and_strip_punctuation'`, `'lower'`, `'strip_punctuation'`, `None`, "
        "or a function of an array of texts.",
    )
    split: Any = field(
        _one_or_function(tuple(_SPLIT)),
        default="whitespace",
        doc="How texts are split: `'whitespace'`, `'character'`, `None`, or a function from an array of "
        "texts to lists.",
    )
    ngrams: Any = field(_ngrams, default=None, doc="Largest length of n-grams, or a tuple of the lengths to make.")
    output_mode: str = field(
        output_mode, default="int", doc='`"int"` for indices; `"multi_hot"`, `"count"` or `"tf_idf"` for vectors.'
    )
    output_sequence_length: int = field(
        optional(positive_int), default=None, doc="Length of the rows of indices; longer texts are cut."
    )
    pad_to_max_tokens: bool = field(default=False, doc="Whether vectors have `max_tokens` entries in any case.")
    vocabulary: Any = field(default=None, doc="The tokens, or the path of a text file with one in each line.")
    idf_weights: Any = field(default=None, doc='Weights of the tokens for `"tf_idf"`.')
    sparse: Sparse = False
    ragged: bool = field(default=False, doc="Whether rows keep their lengths: a list of arrays is returned.")
    encoding: str = field(default="utf-8", doc="Encoding of bytes; only `'utf-8'`.")

    def __post_init__(self):
        super().__post_init__()
        if self.output_mode == "one_hot":
            raise ValueError("TextVectorization: output_mode: 'one_hot' is not for texts. Use 'multi_hot' or 'count'.")
        if self.output_mode != "int" and (self.output_sequence_length or self.ragged):
            raise ValueError(
                "TextVectorization: output_sequence_length and ragged need output_mode='int'. Received: "
                f"output_mode={self.output_mode!r}"
            )
        self._lookup = StringLookup(
            max_tokens=self.max_tokens,
            mask_token="",
            vocabulary=self.vocabulary,
            idf_weights=self.idf_weights,
            output_mode=self.output_mode,
            pad_to_max_tokens=self.pad_to_max_tokens,
        )

    @property
    def is_adapted(self) -> bool:
        """Whether there is a vocabulary."""
        return self._lookup.is_adapted

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Makes a vocabulary of the tokens in texts, the most frequent first.

        Args:
            data: Texts: an array or list, a data set or an iterable of batches.
            batch_size: Accepted as in tf.keras; the result does not depend on it.
            steps: Number of batches to use; `None` for all.
        """
        self._lookup.learn(row for batch in batches_of(data, steps) for row in self.tokens(batch))

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their indices, as `StringLookup.get_vocabulary` gives them."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the tokens, as `StringLookup.set_vocabulary` does."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def vocabulary_size(self) -> int:
        """The number of indices, special ones included."""
        return self._lookup.vocabulary_size()

    def reset_state(self) -> None:
        """Forgets the vocabulary that `adapt` has made."""
        self._lookup.reset_state()

    def save_assets(self, dir_path: str) -> None:
        """Writes the vocabulary into a folder."""
        self._lookup.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary from a folder."""
        self._lookup.load_assets(dir_path)

    def tokens(self, texts: Any) -> list[list[str]]:
        """The tokens of each text, n-grams included."""
        texts = as_strings(texts)
        if texts.ndim == 0 or (texts.ndim == 2 and texts.shape[1] == 1):
            texts = texts.reshape(-1)
        elif texts.ndim != 1 and self.split is not None:
            raise InputDataError(
                f"Layer {self.name} (TextVectorization): expected texts of shape (batch,) or (batch, 1). Received: "
                f"{texts.shape}"
            )
        if callable(self.standardize):
            texts = as_strings(self.standardize(texts))
        elif self.standardize is not None:
            texts = np.asarray([_STANDARDIZE[self.standardize](text) for text in texts.ravel()], str).reshape(
                texts.shape
            )
        if callable(self.split):
            rows = [as_strings(row).tolist() for row in self.split(texts)]
        elif self.split is None:
            rows = texts.reshape(len(texts), -1).tolist()
        else:
            rows = [_SPLIT[self.split](text) for text in texts.tolist()]
        if self.ngrams is None:
            return rows
        sizes = self.ngrams if isinstance(self.ngrams, tuple) else range(1, self.ngrams + 1)
        return [[" ".join(row[i : i + n]) for n in sizes for i in range(len(row) - n + 1)] for row in rows]

    def call(self, inputs: Any) -> Array | list:
        single = np.ndim(inputs) == 0 or (self.split is None and np.ndim(inputs) == 1)
        batch = 1 if single else np.shape(inputs)[0]
        if self.output_mode != "int":
            counts = on_host(self._counts, inputs, shape=(batch, self._lookup.depth))
            vectors = self._lookup.of_counts(counts)
            return vectors[0] if single else vectors
        if self.ragged:
            ids = self._ids(inputs)
            return ids[0] if single else ids
        if self.output_sequence_length is None and isinstance(inputs, jax.core.Tracer):
            raise InputDataError(
                f"Layer {self.name} (TextVectorization): in a model the length of its outputs must be known: give it "
                "output_sequence_length."
            )
        padded = jnp.asarray(on_host(self._padded, inputs, shape=(batch, self.output_sequence_length)))
        return padded[0] if single else padded

    def _ids(self, texts):
        rows = self.tokens(texts)
        if self.split is None and np.ndim(texts) == 1 and len(rows) > 1:  # texts that are not split are tokens
            rows = [[row[0] for row in rows]]
        return [self._lookup.ids(row)[: self.output_sequence_length] for row in rows]

    def _padded(self, texts):
        ids = self._ids(texts)
        padded = np.zeros((len(ids), self.output_sequence_length or max(map(len, ids), default=0)), "int32")
        for i, row in enumerate(ids):
            padded[i, : len(row)] = row
        return padded

    def _counts(self, texts):
        return np.stack([self._lookup.counts(row) for row in self._ids(texts)])

    def get_config(self) -> dict:
        config = super().get_config()
        known = self._lookup.get_config()
        return config | {name: known[name] for name in ("vocabulary", "idf_weights")}
