"""Vectors for integers."""

import jax.numpy as jnp

from .. import constraints, initializers, regularizers
from ..core import behaviour
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..kernels.embedding import take_rows
from .base import Layer


class Embedding(Layer):
    """Turns integers from 0 to ``input_dim - 1`` into vectors of length `output_dim`.

    Shapes: ``(N, ...)`` to ``(N, ..., output_dim)``. mask_zero: 0 is padding: later layers skip it.
    input_length: the length of the sequences, where it is constant (Keras 2). weights: ``[array]`` to start from.

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    _inert = Layer._inert | {"lora_rank": None, "lora_alpha": None, "quantization_config": None, "sparse": False}

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        activity_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        input_length=None,
        **kwargs,
    ):
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            if input_length is not None:
                several = isinstance(input_length, (list, tuple))
                kwargs["input_shape"] = tuple(input_length) if several else (input_length,)
            elif behaviour.generation != "3":
                kwargs["input_shape"] = (None,)
        # Not cast: a 16-bit compute type would round indices that come as floats.
        super().__init__(activity_regularizer=activity_regularizer, autocast=False, **kwargs)
        self.input_dim = positive_int("input_dim", input_dim)
        self.output_dim = positive_int("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.input_length = input_length
        self.index_limit = self.input_dim
        self.supports_masking = mask_zero

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # complains of a wrong length
        self.embeddings = self._weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs):
        indices = inputs if jnp.issubdtype(inputs.dtype, jnp.integer) else inputs.astype("int32")
        return take_rows(self.embeddings.raw, indices).astype(self.compute_dtype)

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
