"""Batches stacked along a new axis, and batches filled up to a common size: few shapes mean few programs to compile."""

from typing import Any

import numpy as np

from ..core.structure import map_structure

MOST_STEPS = 512  # in one dispatch
_BUFFER_BYTES = 16 << 20


def most_steps(batch_bytes: int, steps: int) -> int:
    """The length of the buffer for the batches of one dispatch.

    >>> most_steps(1000, 100), most_steps(1 << 30, 100)
    (128, 1)
    """
    return min(int(np.clip(_BUFFER_BYTES // max(batch_bytes, 1), 1, MOST_STEPS)), _power_of_two(steps))


def full_size(data: Any) -> int:
    """The size to which a short batch of `ArrayData` is filled up."""
    return data.batch_size if data.samples >= data.batch_size else _power_of_two(data.samples)


def stacked(arrays: Any, size: int, most: int) -> Any:
    """Batches along a first axis of length `most`, of which the first are filled: one program serves any number.

    >>> stacked(np.array([1, 2, 3, 4]), 2, 3).tolist()
    [[1, 2], [3, 4], [0, 0]]
    """

    def one(a):
        a = np.asarray(a)
        longer = np.zeros((most * size, *a.shape[1:]), a.dtype)
        longer[: len(a)] = a
        return longer.reshape(most, size, *a.shape[1:])  # (steps * N, ...) -> (steps, N, ...)

    return map_structure(one, arrays)


def repeated(arrays: Any, size: int, wanted: int) -> Any:
    """Arrays filled up with their last row.

    >>> repeated(np.array([1, 2]), 2, 4).tolist()
    [1, 2, 2, 2]
    """
    return map_structure(lambda a: np.concatenate([a, np.repeat(np.asarray(a[-1:]), wanted - size, 0)]), arrays)


def filled(batch: tuple, size: int, wanted: int) -> tuple:
    """A batch ``(x, y, weights)`` filled up with rows of no weight."""
    x, y, weights = batch
    weights = map_structure(lambda w: np.concatenate([w, np.zeros((wanted - size, *w.shape[1:]), w.dtype)]), weights)
    return *repeated((x, y), size, wanted), weights


def _power_of_two(n):
    return 1 << max(n - 1, 0).bit_length()
