"""Whatever holds numbers, as arrays."""

from typing import Any

import jax
import numpy as np

from ..core import floatx
from ..core.errors import InputDataError
from ..core.structure import is_nested, keys_of, rebuilt, values_of
from .checks import on_disk


def to_numpy(x: Any, name: str, texts: bool = False) -> Any:
    """An array-like as something sliceable of a numeric type: NumPy, JAX, or (left on disk) an HDF5 data set.

    Args:
        x: the array-like.
        name: what messages call it.
        texts: whether it may hold strings, too.
    """
    if x is None:
        return None
    if hasattr(x, "iloc"):
        x = x.to_numpy()
    elif hasattr(x, "toarray"):
        x = x.toarray()
    elif hasattr(x, "todense"):  # JAX's sparse arrays
        x = x.todense()
    elif not isinstance(x, (np.ndarray, jax.Array)) and not on_disk(x):
        x = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    if on_disk(x):
        return x
    if texts and x.dtype.kind in "USO" and x.ndim:
        return x
    if x.dtype == object:
        try:
            x = np.asarray(x.tolist(), floatx()) if isinstance(x, np.ndarray) else x
        except (ValueError, TypeError):
            raise InputDataError(
                f"{name}: expected numbers in a rectangular array. Received an array of Python objects (dtype object), "
                "such as lists of different lengths: pad them (pad_sequences), or convert to a numeric type."
            ) from None
    if x.dtype.kind in "USOcMm":
        raise InputDataError(
            f"{name}: expected numbers. Received an array of dtype {x.dtype}: convert it to a numeric type first."
        )
    if x.dtype == np.float64 and floatx() != "float64":
        x = x.astype(floatx())
    if x.ndim == 0:
        raise InputDataError(f"{name}: expected an array with a batch axis. Received a single number.")
    return x


def to_arrays(x: Any, what: str, count: int = 1, texts: bool = False) -> list:
    """The same structure with arrays in it.

    Args:
        x: lists, tuples and dictionaries of whatever holds numbers. A list of numbers is an array itself.
        what: the name for messages.
        count: how many arrays are expected. A list of so many entries, if more than one, is a list of arrays.
        texts: whether the arrays may hold strings.

    >>> to_arrays({"a": [1, 2]}, "x")
    {'a': array([1, 2])}
    """
    if isinstance(x, dict) or isinstance(x, (list, tuple)) and (len(x) == count > 1 or not _holds_numbers(x)):
        parts = zip(keys_of(x), values_of(x))
        return rebuilt(x, [to_arrays(value, f"{what}[{key!r}]", texts=texts) for key, value in parts])
    return to_numpy(x, what, texts)


def _holds_numbers(x):
    """Whether a list is data itself: numbers, or rows of numbers."""
    while isinstance(x, (list, tuple)) and len(x):
        x = x[0]
    return not (is_nested(x) or x is None) and len(getattr(x, "shape", ())) == 0 and not hasattr(x, "iloc")
