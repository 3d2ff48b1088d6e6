"""Shapes of structures of tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def shape_of(x: Any) -> Any:
    """The shapes of the tensors in a list or dictionary, or the shape of one tensor.

    Args:
        x: an array or symbol, or lists, tuples and dictionaries of them.

    Returns:
        A tuple for one tensor, a list for a list or tuple, a dictionary for a dictionary, `None` for `None`.

    >>> shape_of([np.zeros((2, 3)), {"a": np.zeros(4)}])
    [(2, 3), {'a': (4,)}]
    """
    if isinstance(x, (list, tuple)):
        return [shape_of(item) for item in x]
    if isinstance(x, dict):
        return {key: shape_of(item) for key, item in x.items()}
    return None if x is None else tuple(np.shape(x) if not hasattr(x, "shape") else x.shape)


def single(items: Sequence) -> Any:
    """The only item of a list, or the list itself if it has another length.

    >>> single([1]), single([1, 2])
    (1, [1, 2])
    """
    return items[0] if len(items) == 1 else items
