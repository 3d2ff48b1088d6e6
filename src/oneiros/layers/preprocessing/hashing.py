"""Layers that put strings and integers into buckets, by their hashes."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core.checks import one_of, positive_int
from ...core.errors import InputDataError
from ...core.fields import field
from .encoding import MODES, Sparse, encode
from .fingerprints import concatenated, fingerprint, hashed, salt
from .host import HostLayer, as_strings, on_host


class _OfIntegers(HostLayer, abstract=True):
    """What the layers here share: their outputs are integers, unless they are vectors."""

    def get_config(self) -> dict:
        config = super().get_config()
        return config | {"dtype": "int64"} if self.output_mode == "int" else config  # Keras takes no other there


class Hashing(_OfIntegers):
    """Turns strings and integers into the numbers of buckets, by a hash.

    Without a salt the hash is FarmHash's Fingerprint64, with one SipHash-2-4.

    Shapes: any, and the same for the outputs with ``output_mode="int"``.

    >>> Hashing(num_bins=5)([["A"], ["B"]]).tolist()
    [[4], [3]]
    """

    num_bins: int = field(positive_int, doc="Number of buckets, that of the mask included.")
    mask_value: Any = field(default=None, doc="Value that gets the bucket 0, which is then no other's.")
    salt: Any = field(salt, default=None, doc="A whole number or two, which make another hash.")
    output_mode: str = field(partial(one_of, allowed=("int", *MODES)), default="int", doc="As for `Discretization`.")
    sparse: Sparse = False

    def call(self, inputs: Any) -> Array:
        ids = on_host(self._buckets, inputs, like=0)
        if self.output_mode == "int":
            return jnp.asarray(ids)
        return encode(jnp.asarray(ids), self.num_bins, self.output_mode, self.compute_dtype)

    def _buckets(self, tokens):
        masked = None if self.mask_value is None else as_strings(tokens) == str(self.mask_value)
        unique, places = np.unique(as_strings(tokens), return_inverse=True)
        bins = self.num_bins - (self.mask_value is not None)
        found = np.asarray([hashed(text.encode(), self.salt) % bins for text in unique.tolist()], "int32")
        ids = found[places].reshape(tokens.shape)
        return ids if masked is None else np.where(masked, 0, ids + 1).astype("int32")


class HashedCrossing(_OfIntegers):
    """Crosses features: each combination of values is put into a bucket, by a hash.

    The hash is TensorFlow's for crosses: FarmHash's Fingerprint64 of each string, or the integer itself, joined one
    after the other.

    Shapes: a list of two or more features, integers or strings, all of shape ``()``, ``(batch,)`` or ``(batch, 1)``.
    The outputs have the same shape; with ``output_mode="one_hot"`` they are ``(batch, num_bins)``.

    >>> HashedCrossing(num_bins=5)([["A", "B", "A"], [101, 101, 102]]).tolist()
    [1, 4, 3]
    """

    num_bins: int = field(positive_int, doc="Number of buckets.")
    output_mode: str = field(
        partial(one_of, allowed=("int", "one_hot")),
        default="int",
        doc='`"int"` for the number of the bucket, `"one_hot"` for a vector with 1 at its place.',
    )
    sparse: bool = field(default=False, doc="Accepted; the outputs are dense arrays.")

    def call(self, inputs: Any) -> Array:
        if not isinstance(inputs, (list, tuple)):
            raise InputDataError(f"{self._title} should be called on a list or tuple of features. Received: {inputs!r}")
        if len(inputs) < 2:
            raise InputDataError(f"{self._title} needs at least two inputs. Received: {len(inputs)}")
        parts = [part if hasattr(part, "dtype") else np.asarray(part) for part in inputs]
        shapes = [tuple(part.shape) for part in parts]
        if len(set(shapes)) > 1:
            raise InputDataError(f"{self._title}: inputs should have equal shapes. Received shapes: {shapes}")
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise InputDataError(
                f"{self._title}: inputs should have shape (), (batch,) or (batch, 1). Received shapes: {shapes}"
            )
        if not all(np.dtype(part.dtype).kind in "iubUSO" for part in parts):
            raise InputDataError(
                f"{self._title}: inputs should have an integer or string dtype. Received: "
                f"{[str(part.dtype) for part in parts]}"
            )
        ids = jnp.asarray(on_host(self._buckets, *parts, like=0))
        if self.output_mode == "int":
            return ids
        return encode(ids.reshape(-1, 1), self.num_bins, "one_hot", self.compute_dtype)

    @property
    def _title(self):
        return f"Layer {self.name} (HashedCrossing)"

    def _buckets(self, *parts):
        prints = [_prints(part.ravel()) for part in parts]
        return (concatenated(prints) % np.uint64(self.num_bins)).astype("int32").reshape(parts[0].shape)


def _prints(values):
    """Fingerprints of strings; of integers, they themselves."""
    if values.dtype.kind in "iub":
        return values.astype("int64").view("uint64")
    unique, places = np.unique(as_strings(values), return_inverse=True)
    return np.asarray([fingerprint(text.encode()) for text in unique.tolist()], "uint64")[places]
