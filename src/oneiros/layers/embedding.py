"""Vectors for integers."""

import jax.numpy as jnp

from ..core import behaviour
from ..core.errors import InputDataError
from ..core.fields import field
from ..kernels.embedding import take_rows
from .arguments import Constraint, Initializer, PositiveInt, Regularizer
from .base import Layer


class Embedding(Layer):
    """Turns integers from 0 to ``input_dim - 1`` into vectors of length `output_dim`.

    Shapes: ``(N, ...)`` to ``(N, ..., output_dim)``.

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    _inert = Layer._inert | {"lora_rank": None, "lora_alpha": None, "quantization_config": None, "sparse": False}

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
        if self._batch_input_shape is None and (self.input_length is not None or behaviour.embedding_is_an_input):
            several = isinstance(self.input_length, (list, tuple))
            self._batch_input_shape = (None, *(self.input_length if several else [self.input_length]))

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # complains of a wrong length
        self.embeddings = self.add_weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs):
        indices = inputs if jnp.issubdtype(inputs.dtype, jnp.integer) else inputs.astype("int32")
        return take_rows(self.embeddings.raw, indices).astype(self.compute_dtype)

    def out_of_range(self, index, where):
        """What is said about an index for which there is no row."""
        return (
            f"Layer {self.name} (Embedding): index {index} {where} is not in [0, {self.index_limit}). Raise input_dim, "
            "or map the indices into this range."
        )

    def compute_mask(self, inputs, mask=None):
        return jnp.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        lengths = self.input_length if isinstance(self.input_length, (list, tuple)) else [self.input_length]
        for axis, (length, have) in enumerate(zip(lengths, input_shape[1:]), 1):
            if length is not None and have is not None and have != length:
                raise InputDataError(
                    f"Layer {self.name} (Embedding): input_length={self.input_length}, but the input has length {have} "
                    f"on axis {axis}. Full shape received: {tuple(input_shape)}."
                )
        return (*input_shape, self.output_dim)
