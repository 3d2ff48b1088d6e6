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
            iterable of batches, such as a generator or a loader.
        steps: Number of batches to take; `None` for all.

    Raises:
        InputDataError: If there is no data, or if a batch has targets too.

    >>> [batch.shape for batch in batches_of([[1.0, 2.0], [3.0, 4.0]])]
    [(2, 2)]
    """
    if isinstance(data, PyDataset):
        batches = map(data.__getitem__, range(len(data)))
    elif hasattr(data, "__array__") or isinstance(data, (str, bytes, list, tuple, int, float)):
        batches = [np.asarray(data)]
    else:
        batches = data
    count = 0
    for count, batch in enumerate(batches, 1):
        if steps is not None and count > steps:
            return
        if isinstance(batch, (tuple, dict)):
            raise InputDataError(
                "adapt: expected batches of inputs alone. Received batches that are a "
                f"{type(batch).__name__}. Drop targets first, for example with ((x) for x, y in data)."
            )
        yield np.asarray(batch)
    if not count:
        raise InputDataError("adapt: the data has no batches.")
