"""Layers that look up strings and integers in a vocabulary."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core.checks import is_integer, one_of, positive_int
from ...core.errors import InputDataError
from ...core.fields import ANY, field
from .batches import batches_of
from .encoding import MODES, Sparse, encode
from .fingerprints import hashed, salt
from .host import HostLayer, as_strings, on_host

_OUTPUTS = ("int", *MODES, "tf_idf")


def output_mode(name: str, value: Any) -> str:
    """Checks the argument `output_mode`, and replaces the names that it had in TensorFlow until 2.6."""
    renamed = {"binary": "multi_hot", "tf-idf": "tf_idf"}
    return one_of(name, renamed.get(value, value), _OUTPUTS)


def _limit(name, value):
    if value is not None and (not is_integer(value) or value <= 1):
        raise InputDataError(f"{name}: expected a whole number above 1, or None. Received: {name}={value!r}")
    return value


class IndexLookup(HostLayer, abstract=True):
    """Base of the layers that look up tokens.

    The first indices are the mask's, if there is one, and those for tokens out of the vocabulary.

    >>> StringLookup(vocabulary=["a", "b"])(["b", "c"]).tolist()
    [2, 0]
    """

    ignored_arguments = HostLayer.ignored_arguments | {"vocabulary_size": ANY}  # Keras 3's files have it

    max_tokens: int = field(_limit, default=None, doc="Most entries, special ones included. `None`: no limit.")
    num_oov_indices: int = field(
        partial(positive_int, minimum=0), default=1, doc="Number of indices for tokens out of the vocabulary."
    )
    vocabulary: Any = field(default=None, doc="The tokens, or the path of a text file with one in each line.")
    idf_weights: Any = field(default=None, doc='Weights of the tokens for `"tf_idf"`.')
    invert: bool = field(default=False, doc="Whether to turn indices into tokens instead.")
    output_mode: str = field(
        output_mode,
        default="int",
        doc='`"int"` for indices; `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"` for vectors.',
    )
    sparse: Sparse = False
    pad_to_max_tokens: bool = field(default=False, doc="Whether vectors have `max_tokens` entries in any case.")
    oov_method: str = field(
        partial(one_of, allowed=("floormod", "farmhash")),
        kw_only=True,
        default="floormod",
        doc="How integers out of the vocabulary are spread over `num_oov_indices`: `'floormod'` by what is left after "
        "division, `'farmhash'` by a hash. Strings always are by a hash.",
    )
    salt: Any = field(salt, default=None, kw_only=True, doc="A whole number or two, which make another hash.")

    def __post_init__(self):
        super().__post_init__()
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f"{type(self).__name__}: invert=True needs output_mode='int'. Received: {self.output_mode!r}"
            )
        if self.salt is not None and self.oov_method != "farmhash" and isinstance(self, IntegerLookup):
            raise ValueError(f"IntegerLookup: salt needs oov_method='farmhash'. Received: {self.oov_method!r}")
        given, self._tokens, self._weights_of_tokens = self.vocabulary, [], None
        if given is not None:
            self.set_vocabulary(given, self.idf_weights)

    # --- what kinds of tokens there are: subclasses say

    def as_tokens(self, data: Any) -> np.ndarray:
        """Data as an array of tokens."""
        raise NotImplementedError(f"{type(self).__name__}: write as_tokens().")

    def bucket(self, token: Any) -> int:
        """A number that is always the same for a token out of the vocabulary."""
        raise NotImplementedError(f"{type(self).__name__}: write bucket().")

    # --- the vocabulary

    @property
    def _special(self):
        mask = [self.mask_token] * (self._shift and self.output_mode == "int")  # vectors have no entry for it
        return mask + [self.oov_token] * self.num_oov_indices

    @property
    def _shift(self):
        """The index of the first token that is not the mask."""
        return 0 if self.mask_token is None else 1

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The tokens in the order of their indices.

        Args:
            include_special_tokens: Whether the mask and the tokens for what is not in the vocabulary are listed too.
        """
        return (self._special if include_special_tokens else []) + list(self._tokens)

    def vocabulary_size(self) -> int:
        """The number of indices, special ones included."""
        return len(self._special) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Sequence | None = None) -> None:
        """Sets the tokens.

        Args:
            vocabulary: The tokens, with or without the special ones, or the path of a text file with one in each line.
            idf_weights: Weights of the tokens, for ``output_mode="tf_idf"``.

        Raises:
            ValueError: If tokens repeat, if there are too many of them, or if weights are missing.
        """
        if isinstance(vocabulary, (str, Path)):
            vocabulary = Path(vocabulary).read_text(encoding="utf-8").splitlines()
        tokens = self.as_tokens(list(vocabulary)).ravel().tolist()
        special = self._special
        if special and tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
            if idf_weights is not None and len(idf_weights) > len(tokens):
                idf_weights = idf_weights[len(special) :]
        repeated = [token for token, times in Counter(tokens).items() if times > 1]
        reserved = [token for token in tokens if token in special]
        if repeated or reserved:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}): vocabulary: "
                + (f"tokens repeat: {repeated[:5]}." if repeated else f"{reserved[:5]} have a meaning of their own.")
            )
        if self.max_tokens is not None and len(tokens) + len(special) > self.max_tokens:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}): vocabulary: expected at most max_tokens={self.max_tokens} "
                f"tokens. Received {len(tokens)} and {len(special)} special ones."
            )
        if self.output_mode == "tf_idf":
            if idf_weights is None or len(idf_weights) != len(tokens):
                raise ValueError(
                    f"Layer {self.name} ({type(self).__name__}): output_mode='tf_idf' needs idf_weights, one for "
                    f"each of the {len(tokens)} tokens. Received: {None if idf_weights is None else len(idf_weights)}"
                )
            self._weights_of_tokens = np.asarray(idf_weights, "float32")
        self._tokens = tokens
        self._index = dict(zip(tokens, itertools.count(self._shift + self.num_oov_indices)))
        if self.mask_token is not None:
            self._index[self.mask_token] = 0

    @property
    def is_adapted(self) -> bool:
        """Whether there is a vocabulary."""
        return bool(self._tokens)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Makes a vocabulary of the tokens in data, the most frequent first.

        Args:
            data: Tokens: an array, a data set or an iterable of batches. Each row is a document.
            batch_size: Accepted as in tf.keras; the result does not depend on it.
            steps: Number of batches to use; `None` for all.
        """
        batches = map(self.as_tokens, batches_of(data, steps))
        self.learn(row.ravel().tolist() for batch in batches for row in (batch if batch.ndim > 1 else batch[None]))

    def learn(self, documents: Iterable[list]) -> None:
        """Makes a vocabulary of the tokens in documents, the most frequent first. Of equally frequent ones, the last of
        the alphabet comes first."""
        counts, containing, rows = Counter(), Counter(), 0
        for tokens in documents:
            counts.update(tokens)
            containing.update(set(tokens) if self.output_mode == "tf_idf" else ())
            rows += 1
        special = self._special
        for token in {*special, self.oov_token}:
            counts.pop(token, None)
        chosen = sorted(counts, reverse=True)
        chosen.sort(key=counts.__getitem__, reverse=True)
        if self.max_tokens is not None:
            chosen = chosen[: self.max_tokens - len(special)]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [float(np.log(1 + rows / (1 + containing[token]))) for token in chosen]
        self.set_vocabulary(chosen, weights)

    def reset_state(self) -> None:
        """Forgets the vocabulary that `adapt` has made."""
        self._tokens = []

    # --- the lookup

    def call(self, inputs: Any) -> Any:
        if not self._tokens:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}): it has no vocabulary yet. Give it `vocabulary`, or call "
                "adapt(data) or set_vocabulary(tokens) before it is used."
            )
        if self.invert:
            return on_host(self._inverted, inputs, like=0)
        return self.encoded(on_host(self._found, inputs, like=0))

    def _inverted(self, ids):
        table = np.asarray([*self._special, *self._tokens])
        return table[np.where((ids >= 0) & (ids < len(table)), ids, len(self._special) - 1)]

    def _found(self, inputs):
        tokens = self.as_tokens(inputs)
        return self.ids(tokens.ravel().tolist()).reshape(tokens.shape)

    def ids(self, tokens: list) -> np.ndarray:
        """The indices of a list of tokens."""
        found = np.fromiter(map(self._index.get, tokens, itertools.repeat(-1)), "int32", len(tokens))
        for place in np.flatnonzero(found < 0).tolist():
            found[place] = self._unknown(tokens[place])
        return found

    def _unknown(self, token):
        if not self.num_oov_indices:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): with num_oov_indices=0 all inputs must be in the "
                f"vocabulary. Received: {token!r}. Set num_oov_indices=1 to allow others."
            )
        return self._shift + (self.bucket(token) % self.num_oov_indices if self.num_oov_indices > 1 else 0)

    def encoded(self, ids: Any) -> Array:
        """Indices, or the vectors that `output_mode` asks for."""
        if self.output_mode == "int":
            return jnp.asarray(ids, "int32")
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        vectors = encode(jnp.asarray(ids) - self._shift, self.depth, mode, "float32")
        return vectors * self._weights if self.output_mode == "tf_idf" else vectors

    @property
    def depth(self) -> int:
        """The number of entries that vectors have."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def counts(self, ids: np.ndarray) -> np.ndarray:
        """How often each entry of a vector occurs among indices."""
        entries = ids - self._shift
        return np.bincount(entries[entries >= 0], minlength=self.depth).astype("int32")

    def of_counts(self, counts: Any) -> Array:
        """The vectors that `output_mode` asks for, from how often each entry occurs."""
        counts = jnp.asarray(counts, "float32")
        if self.output_mode == "multi_hot":
            return jnp.minimum(counts, 1)
        return counts * self._weights if self.output_mode == "tf_idf" else counts

    @property
    def _weights(self):
        known = self._weights_of_tokens
        weights = np.concatenate([np.full(self.num_oov_indices, known.mean(), "float32"), known])
        return jnp.asarray(np.pad(weights, (0, self.depth - len(weights))))

    def get_config(self) -> dict:
        config = super().get_config()
        if self.oov_method == "floormod" and self.salt is None:  # older versions of Keras do not know them
            del config["oov_method"], config["salt"]
        weights = self._weights_of_tokens
        return config | {
            "vocabulary": list(self._tokens) or None,
            "idf_weights": None if weights is None else weights.tolist(),
        }

    def save_assets(self, dir_path: str) -> None:
        """Writes the vocabulary into a folder, one token in each line."""
        (Path(dir_path) / "vocabulary.txt").write_text("\n".join(map(str, self._tokens)), encoding="utf-8")

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary from a folder, unless the configuration has it already."""
        if not self._tokens:
            self.set_vocabulary(Path(dir_path) / "vocabulary.txt")


class StringLookup(IndexLookup):
    """Turns strings into the indices that they have in a vocabulary.

    Shapes: strings of any shape, and indices of the same shape with ``output_mode="int"``. Else ``(batch, n)`` to
    ``(batch, entries)``.

    >>> layer = StringLookup()
    >>> layer.adapt([["b", "a", "b"], ["c", "a", "b"]])
    >>> layer.get_vocabulary(), layer([["a", "b"], ["z", "c"]]).tolist()
    (['[UNK]', 'b', 'a', 'c'], [[2, 1], [0, 3]])
    """

    takes_no_floats = True
    positional_last = ("name",)

    mask_token: str = field(default=None, after="num_oov_indices", doc="String with the index 0, such as `''`.")
    oov_token: str = field(default="[UNK]", after="mask_token", doc="What inverse lookup gives for unknown indices.")
    sparse: Sparse = field(default=False, after="pad_to_max_tokens")
    encoding: str = field(default="utf-8", doc="Encoding of bytes; only `'utf-8'`.")

    def as_tokens(self, data: Any) -> np.ndarray:
        return as_strings(data)

    def bucket(self, token: str) -> int:
        return hashed(token.encode(), self.salt)


class IntegerLookup(IndexLookup):
    """Turns integers into the indices that they have in a vocabulary.

    Shapes: as for `StringLookup`.

    >>> IntegerLookup(vocabulary=[5, 7])([[5, 9, 7]]).tolist()
    [[1, 0, 2]]
    """

    mask_token: int = field(default=None, after="num_oov_indices", doc="Integer with the index 0.")
    oov_token: int = field(default=-1, after="mask_token", doc="What inverse lookup gives for unknown indices.")
    vocabulary_dtype: str = field(default="int64", after="vocabulary", doc="Type of the tokens.")

    def as_tokens(self, data: Any) -> np.ndarray:
        array = np.asarray(data)
        return (array if array.dtype.kind in "iubUOS" else self._whole(array)).astype(self.vocabulary_dtype)

    def _whole(self, array):
        if np.any(array % 1):
            raise InputDataError(f"Layer {self.name} (IntegerLookup): expected whole numbers. Received {array.dtype}.")
        return array

    def bucket(self, token: int) -> int:
        return token if self.oov_method == "floormod" else hashed(str(token).encode(), self.salt)
