"""Embeddings: a learned vector for each of a range of integers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Variable, behaviour, writes_are_carried
from ..core.errors import InputDataError
from ..core.fields import field
from ..kernels.embedding import take_rows
from .arguments import Constraint, Initializer, PositiveInt, Regularizer
from .base import Layer

NO_STRAY = np.iinfo("int32").min  # what `stray_index` holds while all indices are in range


class Embedding(Layer):
    """Looks up a learned vector for each integer from 0 to ``input_dim - 1``.

    Shapes: integers ``(batch, ...)`` to ``(batch, ..., output_dim)``. The weight `embeddings` is of shape
    ``(input_dim, output_dim)``. With `mask_zero` the outputs carry a mask that is False where the input is 0.

    An index out of range, or a fraction, raises `InputDataError`.

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    ignored_arguments = Layer.ignored_arguments | {
        "lora_rank": None,
        "lora_alpha": None,
        "quantization_config": None,
        "sparse": False,
    }

    input_dim: PositiveInt = field(doc="Size of the vocabulary: the largest index plus 1.")
    output_dim: PositiveInt = field(doc="Length of the vectors.")
    embeddings_initializer: Initializer = "uniform"
    embeddings_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None
    mask_zero: bool = field(default=False, doc="Whether 0 is padding that later layers skip.")
    input_length: int | tuple = field(default=None, doc="Length of the sequences, where it is constant (Keras 2).")

    def __post_init__(self):
        super().__post_init__()
        self.autocast = False  # a 16-bit compute type would round indices that come as floats
        self.index_limit = self.input_dim
        self.supports_masking = self.mask_zero
        if self.batch_input_shape is None and (self.input_length is not None or behaviour.embedding_is_an_input):
            several = isinstance(self.input_length, (list, tuple))
            self.batch_input_shape = (None, *(self.input_length if several else [self.input_length]))

    def build(self, input_shape: tuple) -> None:
        self.compute_output_shape(input_shape)  # complains of a wrong length
        self.embeddings = self.add_weight("embeddings", (self.input_dim, self.output_dim))
        self.stray_index = Variable(np.int32(NO_STRAY), name="stray_index", trainable=False)

    def call(self, inputs: jax.Array) -> jax.Array:
        if inputs.size and not isinstance(inputs, jax.core.Tracer):
            self.check_indices(np.asarray(inputs), "of the input")
        indices = inputs if jnp.issubdtype(inputs.dtype, jnp.integer) else inputs.astype("int32")
        if inputs.size and isinstance(inputs, jax.core.Tracer) and writes_are_carried():
            self._note_strays(indices)
        return take_rows(self.embeddings.raw, indices).astype(self.compute_dtype)

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
