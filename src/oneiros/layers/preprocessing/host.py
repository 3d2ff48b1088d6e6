"""Layers that work on strings, which JAX does not have."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ...core import is_symbol
from ...core.errors import InputDataError
from ...core.structure import leaves
from ..base import Layer


class HostLayer(Layer, abstract=True):
    """Base of the layers that take strings. They run on NumPy arrays, in Python.

    In models they take integers, and strings where the input is one of ``dtype="string"``. In compiled code, what needs
    Python is called back.

    >>> class Length(HostLayer):
    ...     def call(self, inputs):
    ...         return on_host(lambda texts: np.char.str_len(texts), inputs, like=0)
    >>> Length()(["ab", "c"]).tolist()
    [2, 1]
    """

    takes_strings = True
    takes_no_floats = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        symbols = [x for x in leaves((args, kwargs)) if is_symbol(x)]
        if symbols:
            if self.takes_no_floats and any(s.dtype.startswith("float") for s in symbols):
                raise InputDataError(
                    f"Layer {self.name} ({type(self).__name__}): expected strings. Received {symbols[0]!r}: make the "
                    'input with Input(..., dtype="string").'
                )
            return super().__call__(*args, **kwargs)
        return self.call(*args, **kwargs)

    def build(self, input_shape: Any) -> None:
        pass


def on_host(function: Callable, *inputs: Any, like: int | None = None, shape: tuple = ()) -> Any:
    """Calls a function of NumPy arrays; where the inputs are traced, compiled code will call it.

    Args:
        function: From arrays to an array of integers. It must not use JAX, which may be waiting for it.
        *inputs: Arrays, or lists that NumPy makes arrays of.
        like: The number of the input whose shape the result has.
        shape: Else, the shape of the result.
    """
    if not any(isinstance(x, jax.core.Tracer) for x in inputs):
        return function(*map(np.asarray, inputs))
    spec = jax.ShapeDtypeStruct(shape if like is None else inputs[like].shape, "int32")
    return jax.pure_callback(lambda *arrays: np.asarray(function(*map(np.asarray, arrays)), "int32"), spec, *inputs)


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
