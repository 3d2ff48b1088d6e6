"""Datasets in HDF5 files as arrays."""

import os
from collections.abc import Callable

import numpy as np

from .atomic import regular


class HDF5Matrix:
    """Rows of a dataset in an HDF5 file, read when they are needed.

    Index it by an integer, a slice, or a list or array of integers (in any order, repetitions allowed). Row 0 is
    `start`. Rows out of range raise ``IndexError``.

    Args:
        datapath: path of the file.
        dataset: name of the dataset in the file.
        start: index of the first row.
        end: index behind the last row; by default the end of the dataset.
        normalizer: function that is applied to the rows that are read.

    >>> import tempfile
    >>> import h5py
    >>> path = os.path.join(tempfile.mkdtemp(), "data.h5")
    >>> with h5py.File(path, "w") as file:
    ...     file["x"] = np.arange(10)
    >>> HDF5Matrix(path, "x", start=5)[[2, 0]].tolist()
    [7, 5]
    """

    _files = {}  # path -> open file, shared by the matrices of one file

    def __init__(
        self,
        datapath: str | os.PathLike,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        import h5py

        file = self._files.get(datapath)
        if not file:  # never opened, or closed meanwhile
            file = self._files[datapath] = h5py.File(regular(datapath, "an HDF5 file"), "r")
        self.data = file[dataset]
        self.start = start
        self.end = len(self.data) if end is None else min(end, len(self.data))
        self.normalizer = normalizer

    def __len__(self):
        return self.end - self.start

    def __getitem__(self, key):
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            if key.start is not None and key.start >= len(self) and (key.stop is None or key.stop > key.start):
                raise self._outside(key)
            if step < 0:
                return self[np.arange(first, last, step)]
            return self._normalized(self.data[self.start + first : self.start + max(first, last) : step])
        rows = np.asarray(key)
        if rows.size and rows.dtype.kind not in "iub":
            raise IndexError(f"HDF5Matrix: index rows by integers or a slice. Received: {key!r}")
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(int)
        rows = np.where(rows < 0, rows + len(self), rows)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise self._outside(key)
        if rows.ndim == 0:
            return self._normalized(self.data[self.start + int(rows)])
        # h5py takes only increasing indices
        unique, positions = np.unique(rows, return_inverse=True)
        return self._normalized(self.data[self.start + unique][positions.reshape(rows.shape)])

    def _outside(self, key):
        return IndexError(f"HDF5Matrix: {key} is outside the {len(self)} rows of {self.data.name}")

    def _normalized(self, rows):
        return rows if self.normalizer is None else self.normalizer(rows)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, with the selected rows as the first dimension."""
        return (len(self), *self.data.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """The data type of the rows, as the normalizer returns them."""
        return self.data.dtype if self.normalizer is None else self[0:1].dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))
