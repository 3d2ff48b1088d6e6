"""`H5Dict` of Keras 2.2: an HDF5 file, a group in one, or a dictionary, under one interface."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np


class H5Dict:
    """A dictionary in an HDF5 file: arrays are datasets; text, bytes and lists of them are attributes.

    ``d["group"]`` makes a group that is not there, unless the file is only read.

    Args:
        path: Path of a file, an open h5py group, or a dictionary.
        mode: ``"a"``, ``"w"`` or ``"r"``: how a file is opened.

    >>> d = H5Dict({})
    >>> d["layer"]["kernel"] = np.ones(2)
    >>> d["names"] = ["a", "b"]
    >>> d["layer"]["kernel"].tolist(), d["names"], "bias" in d["layer"]
    ([1.0, 1.0], ['a', 'b'], False)
    """

    def __init__(self, path: Any, mode: str = "a"):
        import h5py

        self.data, self.read_only, self._file = path, False, None
        if isinstance(path, (str, os.PathLike)):
            self.data = self._file = h5py.File(os.fspath(path), mode)
            self.read_only = mode == "r"
        elif not isinstance(path, (dict, h5py.Group)):
            raise TypeError(f"H5Dict: expected a path, an h5py group or a dictionary. Received: {type(path).__name__}.")
        self._attributes = self.data if isinstance(self.data, dict) else self.data.attrs

    def __setitem__(self, name: str, value: Any):
        if self.read_only:
            raise ValueError(f"H5Dict: {name!r} cannot be set, the file was opened for reading.")
        if isinstance(value, dict):
            group = self[name]
            for key, item in value.items():
                group[key] = item
        elif _is_text(value):
            self._attributes[name] = value
        elif isinstance(self.data, dict):
            self.data[name] = np.asarray(value)
        else:
            if name in self.data:
                raise KeyError(f"H5Dict: {name!r} is set already.")
            self.data.create_dataset(name, data=np.asarray(value))

    def __getitem__(self, name: str) -> Any:
        if name in self._attributes and _is_text(self._attributes[name]):
            return _decoded(self._attributes[name])
        if name not in self.data:
            if self.read_only:
                raise KeyError(f"H5Dict: there is no {name!r} here. There are: {sorted(self)}")
            if isinstance(self.data, dict):
                self.data[name] = {}
            else:
                self.data.create_group(name)
        value = self.data[name]
        if isinstance(value, dict) or hasattr(value, "attrs") and hasattr(value, "create_group"):
            inner = H5Dict(value)
            inner.read_only = self.read_only
            return inner
        return np.asarray(value)

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.data), **dict.fromkeys(self._attributes)})

    def __contains__(self, name: str) -> bool:
        return name in self.data or name in self._attributes

    def __len__(self) -> int:
        return len(list(iter(self)))

    def get(self, name: str, default: Any = None) -> Any:
        """What there is under a name.

        Args:
            name: The name.
            default: What is returned if there is nothing.
        """
        if name not in self:
            return default
        return self[name]

    def update(self, *args, **kwargs) -> None:
        """Sets several names, given as to `dict`."""
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def close(self) -> None:
        """Closes the file, if this object has opened it."""
        if self._file is not None:
            self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


h5dict = H5Dict  # its name in Keras 2.2.0


def _is_text(value):
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "SUO"
    return isinstance(value, (str, bytes)) or (
        isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, (str, bytes)) for v in value)
    )


def _decoded(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray):
        return [_decoded(v) for v in value.tolist()]
    return [_decoded(v) for v in value] if isinstance(value, list) else value
