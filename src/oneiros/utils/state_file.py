"""State in files: numbers, strings and arrays in nested lists and dictionaries. Reading executes nothing."""

import json
import os
from typing import Any

import jax
import numpy as np

from ..core.errors import CorruptFileError, InputDataError
from .files import replacing


def write_state(path: str | os.PathLike, state: Any) -> None:
    """Writes a state to a file. An old file is replaced when the new one is complete.

    Args:
        path: path of the file, usually with the suffix ``.npz``.
        state: numbers, strings, ``None`` and arrays, in nested lists, tuples and dictionaries.

    Raises:
        InputDataError: the state contains something else. The message says where.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "state.npz")
    >>> write_state(path, {"best": 0.5, "weights": [np.ones(2, "float32")], 3: (1, None)})
    >>> read_state(path)
    {'best': 0.5, 'weights': [array([1., 1.], dtype=float32)], 3: (1, None)}
    """
    arrays = []
    text = json.dumps(_encoded(state, arrays, "state"))
    with replacing(path) as part, open(part, "wb") as file:
        np.savez(file, state=np.frombuffer(text.encode(), np.uint8), **{f"a{i}": a for i, a in enumerate(arrays)})


def read_state(path: str | os.PathLike) -> Any:
    """Reads a state that `write_state` wrote. Every part of the file has a checksum.

    Args:
        path: path of the file.

    Returns:
        The state.

    Raises:
        CorruptFileError: the file is damaged, or is not a state file.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return _decoded(json.loads(stored["state"].tobytes()), lambda i: stored[f"a{int(i)}"])
    except FileNotFoundError:
        raise
    except Exception as error:
        raise CorruptFileError(f"{path}: not a readable state ({type(error).__name__}: {error}).") from None


# In JSON, everything but lists, numbers, strings and null is a dictionary with one entry, whose key names the kind.


def _encoded(value, arrays, where):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [_encoded(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": _encoded(list(value), arrays, where)}
    if isinstance(value, dict):
        return {
            "dict": [[_encoded(k, arrays, where), _encoded(v, arrays, f"{where}[{k!r}]")] for k, v in value.items()]
        }
    if isinstance(value, (np.ndarray, np.generic, jax.Array)) or hasattr(value, "__jax_array__"):
        array = np.asarray(getattr(value, "raw", value))
        if array.dtype.kind not in "OSU":
            kind = "number" if isinstance(value, np.generic) else "array"
            # The npz format has no bfloat16 and similar types: the bytes and the name of the type are stored.
            plain = array.dtype.kind != "V"
            arrays.append(array if plain else array.view(f"u{array.dtype.itemsize}"))
            return {kind: [len(arrays) - 1, None if plain else array.dtype.name]}
    raise InputDataError(
        f"{where}: expected numbers, strings, None or arrays, in lists, tuples or dictionaries. Received: "
        f"{type(value).__name__}. Only such data can be saved."
    )


def _decoded(value, array):
    if isinstance(value, list):
        return [_decoded(item, array) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {_decoded(k, array): _decoded(v, array) for k, v in content}
    if kind == "tuple":
        return tuple(_decoded(content, array))
    index, dtype = content
    found = array(index) if dtype is None else array(index).view(jax.numpy.dtype(dtype))
    return found[()] if kind == "number" else found
