"""The data that `adapt` takes, as arrays."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.errors import InputDataError
from ...utils.data import PyDataset


def batches_of(data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """Iterates over data as arrays.

    Args:
        data: An array or what NumPy makes one of (a list, a pandas Series or DataFrame), a `PyDataset`, or any other
            iterable of batches, such as a generator, a loader, or a list of arrays with several axes. Of batches that
            are tuples, the first entry is taken: targets and weights may follow it.
        steps: Number of batches to take; `None` for all.

    Raises:
        InputDataError: If there is no data, or if a batch is no array.

    >>> [batch.shape for batch in batches_of([[1.0, 2.0], [3.0, 4.0]])]
    [(2, 2)]
    """
    if isinstance(data, PyDataset):
        batches = map(data.__getitem__, range(len(data)))
    elif hasattr(data, "__array__") or isinstance(data, (str, bytes, list, tuple, int, float)) and not _parts(data):
        batches = [np.asarray(data)]
    else:
        batches = data
    count = 0
    for count, batch in enumerate(batches, 1):
        if steps is not None and count > steps:
            return
        batch = batch[0] if isinstance(batch, tuple) and batch else batch
        if isinstance(batch, (tuple, dict)):
            raise InputDataError(
                "adapt: expected batches of inputs alone. Received batches that are a "
                f"{type(batch).__name__}. Take what the layer is for, for example with (x['name'] for x in data)."
            )
        yield np.asarray(batch)
    if not count:
        raise InputDataError("adapt: the data has no batches.")


def _parts(data):
    """Whether a list is one of batches: of arrays with several axes, perhaps in tuples with their targets."""
    if not isinstance(data, list) or not data:
        return False
    first = data[0][0] if isinstance(data[0], tuple) and data[0] else data[0]
    return getattr(first, "ndim", 0) > 1
