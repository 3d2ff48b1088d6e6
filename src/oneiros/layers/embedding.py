"""Embeddings: a learned vector for each of a range of integers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Variable, behaviour, writes_are_carried
from ..core.errors import InputDataError
from ..core.fields import field, optional
from ..core.symbol import infer
from ..kernels.embedding import take_rows
from ..kernels.product import project
from .arguments import Constraint, Initializer, PositiveInt, Regularizer
from .quantization_modes import ROW_MODES
from .quantized import MainWeight, QuantizableLayer

NO_STRAY = np.iinfo("int32").min  # what `stray_index` holds while all indices are in range


class Embedding(QuantizableLayer):
    """Looks up a learned vector for each integer from 0 to ``input_dim - 1``.

    Shapes: integers ``(batch, ...)`` to ``(batch, ..., output_dim)``. The weight `embeddings` is of shape
    ``(input_dim, output_dim)``. With `mask_zero` the outputs carry a mask that is False where the input is 0.

    An index out of range, or a fraction, raises `InputDataError`.

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    ignored_arguments = QuantizableLayer.ignored_arguments | {"sparse": False}
    main_name, quantization_modes = "embeddings", ROW_MODES
    embeddings = MainWeight()

    input_dim: PositiveInt = field(doc="Size of the vocabulary: the largest index plus 1.")
    output_dim: PositiveInt = field(doc="Length of the vectors.")
    embeddings_initializer: Initializer = "uniform"
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None
    mask_zero: bool = field(default=False, doc="Whether 0 is padding that later layers skip.")
    input_length: int | tuple = field(default=None, doc="Length of the sequences, where it is constant (Keras 2).")
    activity_regularizer: Regularizer = None

    def __post_init__(self):
        super().__post_init__()
        self.autocast = False  # a 16-bit compute type would round indices that come as floats
        self.index_limit = self.input_dim
        self.supports_masking = self.mask_zero
        if self.batch_input_shape is None and (self.input_length is not None or behaviour.embedding_is_an_input):
            several = isinstance(self.input_length, (list, tuple))
            self.batch_input_shape = (None, *(self.input_length if several else [self.input_length]))

    def build(self, input_shape: tuple | None = None) -> None:
        if input_shape is not None:
            self.compute_output_shape(input_shape)  # complains of a wrong length
        self.add_main_weight((self.input_dim, self.output_dim), input_shape)
        self.stray_index = Variable(np.int32(NO_STRAY), name="stray_index", trainable=False)
        self.add_lora_if_asked()

    def call(self, inputs: jax.Array) -> jax.Array:
        return self.product(self.prepare(inputs), self.main_weight.raw)

    def product(self, inputs: jax.Array, weight: jax.Array) -> jax.Array:
        return self.with_lora(inputs, take_rows(weight, inputs).astype(self.compute_dtype))

    def lora_outputs(self, inputs: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.matmul(take_rows(a, inputs), b)

    def prepare(self, inputs: jax.Array) -> jax.Array:
        """The indices as integers, when they are checked."""
        if inputs.size and not isinstance(inputs, jax.core.Tracer):
            self.check_indices(np.asarray(inputs), "of the input")
        indices = inputs if jnp.issubdtype(inputs.dtype, jnp.integer) else inputs.astype("int32")
        if inputs.size and isinstance(inputs, jax.core.Tracer) and writes_are_carried():
            self._note_strays(indices)
        return indices

    def _note_strays(self, indices):
        """Compiled code cannot complain: it notes an index that is out of range."""
        low, high, before = indices.min(), indices.max(), self.stray_index.raw
        self.stray_index.assign(jnp.where(high >= self.input_dim, high, jnp.where(low < 0, low, before)))

    def check_indices(self, indices: Any, where: str, rows: Any = None) -> None:
        """Complains about the first index that is out of range, or a fraction.

        Args:
            indices: a NumPy array of any shape and type.
            where: what is said of its place, such as `"of the input"`.
            rows: if given, the place is told by the number of the row. This is a function from a place along the first
                axis to that number.

        Raises:
            InputDataError: if there is such an index.
        """
        whole = indices.dtype.kind != "f" or (indices == np.floor(indices)).all()
        if whole and indices.min() >= 0 and indices.max() < self.index_limit:
            return
        fits = (indices >= 0) & (indices < self.index_limit) & (whole or indices == np.floor(indices))
        place = tuple(np.argwhere(~fits)[0])
        raise InputDataError(
            self.out_of_range(indices[place], where if rows is None else f"in row {rows(place[0])} {where}")
        )

    def out_of_range(self, index: int, where: str) -> str:
        """The text of the error about an index out of range.

        Args:
            index: the index.
            where: what is said of its place, such as `"of the input"`.
        """
        if not np.isfinite(index) or index != np.floor(index):
            return f"Layer {self.name} (Embedding): index {index} {where} is not a whole number."
        return (
            f"Layer {self.name} (Embedding): index {int(index)} {where} is not in [0, {self.index_limit}). Raise "
            "input_dim, or map the indices into this range."
        )

    makes_masks = property(lambda self: self.mask_zero, doc="Whether zeros are masked.")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        lengths = self.input_length if isinstance(self.input_length, (list, tuple)) else [self.input_length]
        for axis, (length, have) in enumerate(zip(lengths, input_shape[1:]), 1):
            if length is not None and have is not None and have != length:
                raise InputDataError(
                    f"Layer {self.name} (Embedding): input_length={self.input_length}, but the input has length {have} "
                    f"on axis {axis}. Full shape received: {tuple(input_shape)}."
                )
        return (*input_shape, self.output_dim)


def _positive(name, value):
    if not float(value) > 0:
        raise ValueError(f"{name}: expected a positive number. Received: {value!r}")
    return value


class ReversibleEmbedding(Embedding):
    """An embedding that can be called in reverse: from vectors to a score for each index.

    With ``reverse=True`` the call multiplies vectors by the transposed `embeddings`, or by a weight of its own if the
    weights are not tied. Language models end so.

    Shapes: integers ``(batch, ...)`` to ``(batch, ..., output_dim)``; in reverse, floats ``(batch, ..., output_dim)``
    to ``(batch, ..., input_dim)``, without a mask. The weight `reverse_embeddings`, without tied weights, is of shape
    ``(output_dim, input_dim)``. From Press & Wolf, "Using the Output Embedding to Improve Language Models", 2016.

    >>> layer = ReversibleEmbedding(10, 4)
    >>> layer(layer(np.array([[1, 2, 9]])), reverse=True).shape
    (1, 3, 10)
    """

    tie_weights: bool = field(
        default=True, after="output_dim", doc="Whether both directions share one matrix instead of having two."
    )
    reverse_dtype: str = field(
        default=None,
        after="mask_zero",
        doc="Type in which the reverse direction computes. Defaults to the layer's `compute_dtype`.",
    )
    logit_soft_cap: float = field(
        optional(_positive),
        default=None,
        after="reverse_dtype",
        doc="If given, scores in reverse are limited to `tanh(scores / cap) * cap`.",
    )
    input_length = None

    _reverse = False  # the direction of the call under way

    def build(self, input_shape: tuple | None = None) -> None:
        super().build(input_shape or ())
        self.reverse_embeddings = None
        if not self.tie_weights:
            parts = {part: getattr(self, f"embeddings_{part}") for part in ("initializer", "regularizer", "constraint")}
            parts = {part: value.clone() if hasattr(value, "clone") else value for part, value in parts.items()}
            self.reverse_embeddings = self.add_weight("reverse_embeddings", (self.output_dim, self.input_dim), **parts)

    def __call__(self, inputs: Any, reverse: bool = False, **kwargs) -> Any:
        self._reverse = bool(reverse)
        return super().__call__(inputs, reverse=self._reverse, **kwargs)

    def call(self, inputs: jax.Array, reverse: bool = False) -> jax.Array:
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or self.compute_dtype
        tied = self.reverse_embeddings is None
        matrix = self.dequantized_weight().T if tied else self.reverse_embeddings.raw
        scores = project(inputs.astype(dtype), matrix.astype(dtype))
        cap = self.logit_soft_cap
        return scores if cap is None else jnp.tanh(scores / cap) * cap

    def quantized_call(self, inputs: jax.Array, reverse: bool = False) -> jax.Array:
        """What `call` does, with integers; in reverse with the floats that they stand for."""
        return self.call(inputs, reverse=True) if reverse else super().quantized_call(inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if self._reverse else super().compute_mask(inputs, mask)

    def compute_output_spec(self, *args, **kwargs) -> Any:
        return infer(self, args, kwargs)  # the direction tells the shape and the type

    def compute_output_shape(self, input_shape: tuple, reverse: bool = False) -> tuple:
        return (*input_shape[:-1], self.input_dim) if reverse else super().compute_output_shape(input_shape)
