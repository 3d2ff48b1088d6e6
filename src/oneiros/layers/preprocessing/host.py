"""Layers that work on strings: outside of models, as JAX has no strings."""

from typing import Any

import numpy as np

from ...core import is_symbol
from ...core.errors import InputDataError
from ...core.structure import leaves
from ..base import Layer


class HostLayer(Layer, abstract=True):
    """Base of the layers that take strings. They run on NumPy arrays, in Python.

    >>> class Length(HostLayer):
    ...     def call(self, inputs):
    ...         return np.char.str_len(np.asarray(inputs))
    >>> Length()(["ab", "c"]).tolist()
    [2, 1]
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(is_symbol(x) for x in leaves((args, kwargs))):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): strings cannot be inputs of a model, as JAX has none. "
                "Apply the layer to the data first, for example model.fit(layer(texts), labels), and let the model "
                "begin with an Input of numbers."
            )
        return self.call(*args, **kwargs)


def as_strings(data: Any) -> np.ndarray:
    """Data as an array of `str`, from bytes in UTF-8 too.

    >>> as_strings([b"a", "b"]).tolist()
    ['a', 'b']
    """
    array = np.asarray(data)
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "O":
        texts = [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in array.ravel().tolist()]
        return np.asarray(texts, dtype=str).reshape(array.shape)
    return array if array.dtype.kind == "U" else array.astype(str)
