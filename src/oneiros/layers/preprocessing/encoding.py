"""Numbers as categories, and categories as vectors."""

from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core.checks import one_of, positive_int
from ...core.errors import InputDataError
from ...core.fields import Argument, field, of_owner, optional
from ...core.symbol import Spec, infer
from ..base import Layer
from .batches import batches_of

MODES = ("one_hot", "multi_hot", "count")


def _sparse(name, value, owner):
    if value and getattr(owner, "output_mode", None) == "int":
        raise InputDataError(f"{name}: may only be true with an output_mode of vectors. Received: output_mode='int'")
    return bool(value)


Sparse = Annotated[bool, Argument(check=of_owner(_sparse), doc="Accepted; the outputs are dense arrays.")]


def encode(ids: Array, depth: int, mode: str, dtype: Any, weights: Array | None = None) -> Array:
    """Category numbers as vectors.

    Args:
        ids: Integers ``(..., n)``, or a scalar. Those outside of ``[0, depth)`` give zeros.
        depth: Number of categories.
        mode: ``"one_hot"``: a vector for each number, ``(..., n, depth)``, or ``(..., depth)`` if n is 1.
            ``"multi_hot"``: 1 for each category that occurs, ``(..., depth)``. ``"count"``: how often each occurs.
        dtype: Type of the result.
        weights: What each number counts in ``"count"``, of the shape of `ids`.

    >>> encode(jnp.array([2, 0, 2]), 3, "count", "float32").tolist()
    [1.0, 0.0, 2.0]
    """
    ids = jnp.atleast_1d(ids)
    if mode == "one_hot":
        return jax.nn.one_hot(ids[..., 0] if ids.ndim > 1 and ids.shape[-1] == 1 else ids, depth, dtype=dtype)
    vectors = jax.nn.one_hot(ids, depth, dtype=dtype)
    if mode == "multi_hot":
        return jnp.max(vectors, -2)
    return jnp.sum(vectors if weights is None else vectors * jnp.asarray(weights, dtype)[..., None], -2)


def encoded_shape(shape: tuple, depth: int, mode: str) -> tuple:
    """The shape of what `encode` returns for numbers of this shape."""
    shape = tuple(shape) or (1,)
    alone = mode != "one_hot" or (len(shape) > 1 and shape[-1] == 1)
    return (*(shape[:-1] if alone else shape), depth)


class CategoryEncoding(Layer):
    """Turns category numbers into vectors with an entry for each category.

    Shapes: integers ``(batch, n)``. The outputs are ``(batch, num_tokens)``; with ``output_mode="one_hot"`` they are
    ``(batch, n, num_tokens)``, without the axis of n if n is 1.

    >>> import numpy as np
    >>> CategoryEncoding(num_tokens=4, output_mode="count")(np.array([[0, 3, 3]])).tolist()
    [[1.0, 0.0, 0.0, 2.0]]
    """

    num_tokens: int = field(positive_int, doc="Number of categories.")
    output_mode: str = field(
        partial(one_of, allowed=MODES),
        default="multi_hot",
        doc='`"multi_hot"` for 1 where a category occurs, `"count"` for how often, `"one_hot"` for a vector each.',
    )
    sparse: Sparse = False

    autocast = False

    def call(self, inputs: Array, count_weights: Array | None = None) -> Array:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"Layer {self.name} (CategoryEncoding): count_weights needs output_mode='count'. Received: "
                f"output_mode={self.output_mode!r}"
            )
        if isinstance(inputs, np.ndarray) or not isinstance(inputs, jax.core.Tracer):
            self._check(np.asarray(inputs))
        return encode(
            jnp.asarray(inputs).astype("int32"), self.num_tokens, self.output_mode, self.compute_dtype, count_weights
        )

    def _check(self, ids):
        if ids.size and not (ids.min() >= 0 and ids.max() < self.num_tokens):
            raise InputDataError(
                f"Layer {self.name} (CategoryEncoding): inputs: expected numbers from 0 to num_tokens - 1 = "
                f"{self.num_tokens - 1}. Received numbers from {ids.min()} to {ids.max()}."
            )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)


def _boundaries(name, value):
    return sorted(float(v) for v in value)


class Discretization(Layer):
    """Turns numbers into the numbers of the bins that they fall into.

    Bin i holds the numbers from boundary ``i - 1`` up to but not including boundary i; the first and the last bin are
    open. The boundaries are given, or chosen by `adapt` so that each bin holds about as many numbers of the data.

    Shapes: any. The outputs have the same shape with ``output_mode="int"``; else as in `CategoryEncoding`.

    >>> import numpy as np
    >>> Discretization(bin_boundaries=[0.0, 1.0])(np.array([[-1.5, 0.0, 3.4]])).tolist()
    [[0, 1, 2]]
    """

    bin_boundaries: list = field(optional(_boundaries), default=None, doc="The boundaries between the bins.")
    num_bins: int = field(optional(positive_int), default=None, doc="Number of bins that `adapt` makes.")
    epsilon: float = field(default=0.01, doc="Accepted as Keras' error of quantiles; they are exact here.")
    output_mode: str = field(
        partial(one_of, allowed=("int", *MODES)),
        default="int",
        doc='`"int"` for the numbers of the bins, or a mode of `CategoryEncoding`.',
    )
    sparse: Sparse = False

    autocast = False
    positional_last = ("dtype", "name")

    def __post_init__(self):
        super().__post_init__()
        if self.bin_boundaries is None and self.num_bins is None:
            raise ValueError("Discretization: expected bin_boundaries or num_bins. Received neither of them.")
        if self.bin_boundaries is not None and self.num_bins is not None:
            raise ValueError(
                "Discretization: expected only one of bin_boundaries and num_bins. Received: "
                f"bin_boundaries={self.bin_boundaries} and num_bins={self.num_bins}"
            )

    @property
    def is_adapted(self) -> bool:
        """Whether there are boundaries."""
        return self.bin_boundaries is not None

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Chooses boundaries so that each of the `num_bins` bins holds about as many numbers of the data.

        Args:
            data: An array, a data set or an iterable of batches.
            batch_size: Accepted as in tf.keras; the result does not depend on it.
            steps: Number of batches to use; `None` for all.

        Raises:
            ValueError: If the boundaries were given to the layer.
        """
        if self.num_bins is None:
            raise ValueError(f"Layer {self.name} (Discretization): it cannot adapt, because bin_boundaries are given.")
        values = np.sort(np.concatenate([np.ravel(batch) for batch in batches_of(data, steps)]).astype("float32"))
        if len(values) < self.num_bins:
            chosen = values[:-1]
        else:
            places = np.arange(1, self.num_bins) * (len(values) / self.num_bins)
            chosen = np.interp(places, np.arange(1, len(values) + 1), values)
        self.bin_boundaries = [float(v) for v in chosen]

    def reset_state(self) -> None:
        """Forgets the boundaries that `adapt` has chosen."""
        if self.num_bins is not None:
            self.bin_boundaries = None

    @classmethod
    def from_config(cls, config: dict) -> "Discretization":
        """A new layer from what `get_config` returned: with boundaries that `adapt` has chosen, if it has."""
        chosen = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        if chosen is None:
            return super().from_config(config)
        layer = super().from_config(config | {"bin_boundaries": None})
        layer.bin_boundaries = _boundaries("bin_boundaries", chosen)
        return layer

    def call(self, inputs: Array) -> Array:
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer {self.name} (Discretization): it has no boundaries yet. Give it bin_boundaries, or call "
                "adapt(data) before it is used."
            )
        bins = jnp.searchsorted(
            jnp.asarray(self.bin_boundaries, "float32"), jnp.asarray(inputs, "float32"), side="right"
        )
        if self.output_mode == "int":
            return bins.astype("int32")
        return encode(bins, len(self.bin_boundaries) + 1, self.output_mode, self.compute_dtype)

    def compute_output_spec(self, *args, **kwargs) -> Any:
        spec = infer(self, args, kwargs)  # of integers, whatever the type of the inputs
        return Spec(tuple(spec.shape), spec.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        if self.output_mode == "int":
            return tuple(input_shape)
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, depth, self.output_mode)
