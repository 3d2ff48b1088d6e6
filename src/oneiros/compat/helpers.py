"""Helpers of Keras 1 and 2 that other programs import from it although their names begin with an underscore."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from ..core import Variable, is_symbol
from ..utils.conv_utils import normalize_data_format as normalize_data_format
from ..utils.files import hash_file as hash_file  # it belongs to this module's names
from . import backend


def __getattr__(name: str) -> str:
    if name == "_BACKEND":
        return backend.backend()
    raise AttributeError(f"keras.backend has no {name!r}")


def get_available_gpus() -> list[str]:
    """The names of the GPUs that this process sees, as TensorFlow spells them."""
    return [f"/device:GPU:{i}" for i, device in enumerate(jax.devices()) if device.platform == "gpu"]


def normalize_device_name(name: str) -> str:
    """The short form of TensorFlow's name of a device.

    Args:
        name: The name.

    >>> normalize_device_name("/device:GPU:0")
    '/gpu:0'
    """
    return "/" + name.lower().rpartition("device:")[2].lstrip("/")


def remove_long_seq(maxlen: int, seq: Sequence, label: Sequence) -> tuple[list, list]:
    """The sequences that are shorter than a length, and their labels.

    Args:
        maxlen: The length.
        seq: Sequences.
        label: The label of each.

    >>> remove_long_seq(3, [[1, 2], [3, 4, 5]], ["a", "b"])
    ([[1, 2]], ['a'])
    """
    short = [(x, y) for x, y in zip(seq, label) if len(x) < maxlen]
    return [x for x, _ in short], [y for _, y in short]


def size(x: Any, name: str | None = None) -> Any:
    """The number of elements of a tensor.

    Args:
        x: The tensor.
        name: Accepted.

    >>> int(size(jax.numpy.ones((2, 3))))
    6
    """
    return backend.prod(backend.shape(x))


def is_tensor(x: Any) -> bool:
    """Whether something is a tensor: a symbol, a variable or an array of the backend.

    Args:
        x: Any object.

    >>> is_tensor(backend.placeholder((2,))), is_tensor([1, 2])
    (True, False)
    """
    return is_symbol(x) or isinstance(x, (Variable, jax.Array))


def to_tensor(x: Any, dtype: Any) -> jax.Array:
    """A tensor of a type.

    Args:
        x: A number, a list or an array.
        dtype: The type.
    """
    return backend.constant(x, dtype)


def symbolic(func: Callable) -> Callable:
    """The function itself: Keras 2.3 marked functions that make graphs.

    Args:
        func: The function.
    """
    return func


eager = symbolic
