"""Weights in several files, and in files of other formats than HDF5, in the nested layout of Keras 3.

A sharded checkpoint is an index, ``NAME.weights.json``, and HDF5 files beside it. The index says which of them hold the
arrays of each layer.

A file of `safetensors <https://huggingface.co/docs/safetensors>`_ is a length of 8 bytes, a JSON header and the arrays.
Their names are those of the nested layout, such as ``layers/dense/vars/0``. The header is read here, as what the format
forbids has to be refused before anything is allocated.
"""

import contextlib
import json
import math
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from ..utils.atomic import regular, replacing
from . import safe_hdf5
from .layouts import in_order, nested_stores, write_entries
from .safe_hdf5 import Group
from .serialization import parse

INDEX, TENSORS = ".weights.json", ".safetensors"
_GIGABYTE = 1 << 30
_TEXT_LIMIT = 100 << 20  # bytes of an index or header
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": jnp.bfloat16,
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "F8_E4M3": jnp.float8_e4m3fn,
    "F8_E5M2": jnp.float8_e5m2,
    "C64": "<c8",
    **{f"{kind.upper()}{8 * size}": f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)},
}
_CODES = {np.dtype(dtype): code for code, dtype in _TYPES.items()}


@contextlib.contextmanager
def opened(source: Any) -> Iterator[Group]:
    """An HDF5 file with the weights that a file of any format holds, open for reading.

    Args:
        source: A path of an HDF5 file, of an index of shards, or of a file of safetensors; or an open h5py group.
    """
    import h5py

    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
    if not path.endswith((INDEX, TENSORS)):
        with safe_hdf5.reading(source) as file:
            yield file
        return
    entries = read_tensors(path) if path.endswith(TENSORS) else read_shards(path)
    with h5py.File(f"{path} (in memory)", "w", driver="core", backing_store=False) as file:
        file.require_group("vars")
        write_entries(file, entries, checked=False)
        yield file


# --- shards


def write_shards(path: str, entries: Iterable[tuple], max_shard_size: float) -> None:
    """Writes a sharded checkpoint. The index is written last.

    Args:
        path: The path of the index, which ends in ``.weights.json``, or one that ends in ``.weights.h5``.
        entries: ``(place, name, arrays by key)``.
        max_shard_size: The number of gigabytes that a file may hold.

    Raises:
        ValueError: A single array is larger.
    """
    stem = path.removesuffix(INDEX).removesuffix(".weights.h5")
    limit, total, room, shards, places = max_shard_size * _GIGABYTE, 0, 0, [], {}
    for place, name, store in entries:
        for key in in_order(store):
            value = safe_hdf5.storable(getattr(store[key], "raw", store[key]))
            if value.nbytes > limit:
                raise ValueError(
                    f"save_weights: the array {key} of {place} has {value.nbytes} bytes, which exceeds the maximum "
                    f"shard size of {limit:.0f} bytes. Increase max_shard_size={max_shard_size}."
                )
            if value.nbytes > room or not shards:
                shards.append({})
                room = limit
            room, total = room - value.nbytes, total + value.nbytes
            shards[-1].setdefault((place, name), {})[key] = value
            numbers = places.setdefault(f"/{place}", [])
            if numbers[-1:] != [len(shards) - 1]:
                numbers.append(len(shards) - 1)
    files = [f"{os.path.basename(stem)}_{number:05}.weights.h5" for number in range(len(shards))]
    for file, shard in zip(files, shards):
        with safe_hdf5.writing(os.path.join(os.path.dirname(stem), file)) as group:
            write_entries(group, ((place, name, store) for (place, name), store in shard.items()))
    weight_map = {place: [files[number] for number in numbers] for place, numbers in places.items()}
    index = {"metadata": {"total_size": float(total)}, "weight_map": weight_map}
    with replacing(stem + INDEX) as part:
        part.write_text(json.dumps(index, indent=4))


def read_shards(path: str) -> Iterator[tuple]:
    """``(place, name, arrays by key)`` of a sharded checkpoint. A place may come several times.

    Raises:
        CorruptFileError: The index is damaged, or a file that it names is not there.
        UnsafeModelError: The index names files in other folders.
    """
    index = parse(_text(path), path)
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    lists = [[v] if isinstance(v, str) else v for v in weight_map.values()] if isinstance(weight_map, dict) else [None]
    if not all(isinstance(files, list) and all(isinstance(file, str) for file in files) for files in lists):
        raise CorruptFileError(f"{path}: has no weight_map from places to names of files. Make or fetch it again.")
    seen = set()
    for file in dict.fromkeys(file for files in lists for file in files):
        shard = Path(path).parent / file
        if file in ("", "..") or Path(file).name != file or "\\" in file or shard.is_symlink():
            raise UnsafeModelError(f"{path}: the file {file[:80]!r} is not beside its index. It is not read.")
        if not shard.exists():
            raise CorruptFileError(f"{path}: the file {file[:80]!r}, which it names, is not there.")
        with safe_hdf5.reading(shard) as group:
            safe_hdf5.declared_bytes(group)
            for place, stored in nested_stores(group):
                if twice := seen.intersection((place, key) for key in stored.keys):
                    raise CorruptFileError(f"{path}: several files hold {'/'.join(min(twice))}.")
                seen.update((place, key) for key in stored.keys)
                yield place, safe_hdf5.text(stored.group, "name") or "", dict(zip(stored.keys, stored.read()))


def _text(path):
    size = os.path.getsize(regular(path, "an index of weights"))
    if size > _TEXT_LIMIT:
        raise LimitExceededError(f"{path}: has {size} bytes; at most {_TEXT_LIMIT} are read.")
    return Path(path).read_bytes().decode("utf-8", "replace")


# --- safetensors


def write_tensors(path: str, entries: Iterable[tuple]) -> None:
    """Writes ``(place, name, arrays by key)`` to a file of safetensors. The file appears complete or not at all."""
    names, arrays = {"format": "keras"}, {}
    for place, name, store in entries:
        names[place] = name
        for key in in_order(store):
            arrays[f"{place}/{key}"] = np.asarray(getattr(store[key], "raw", store[key]))
    header, end = {"__metadata__": names}, 0
    for name, one in arrays.items():
        if one.dtype not in _CODES:
            raise InputDataError(
                f"save_weights: {name} has dtype {one.dtype}, which safetensors lacks. Use .weights.h5."
            )
        shape = list(np.shape(one))
        header[name] = {"dtype": _CODES[one.dtype], "shape": shape, "data_offsets": [end, end := end + one.nbytes]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as part, open(part, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for one in arrays.values():
            file.write(one.tobytes())


def read_tensors(path: str) -> Iterator[tuple]:
    """``(place, name, arrays by key)`` of a file of safetensors.

    Raises:
        CorruptFileError: The file is damaged, or its arrays overlap, leave holes or do not fit their shapes.
        LimitExceededError: Its header is too long.
    """
    with open(regular(path, "a file of safetensors"), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little") if size >= 8 else size
        if length > size - 8:
            raise _damaged(path, f"its header has {length} bytes, the file {size}")
        if length > _TEXT_LIMIT:
            raise LimitExceededError(f"{path}: its header has {length} bytes; at most {_TEXT_LIMIT} are read.")
        text = file.read(length)
        if not text.startswith(b"{"):
            raise _damaged(path, "its header does not start with '{'")
        header = parse(text.decode("utf-8", "replace"), path)
        names = header.pop("__metadata__", {})
        if not isinstance(names, dict) or not all(isinstance(v, str) for v in names.values()):
            raise _damaged(path, "its __metadata__ is not a dictionary of texts")
        places = {}
        for begin, end, name, dtype, shape in _checked(path, header, size - 8 - length):
            place, _, key = name.rpartition("/")
            file.seek(8 + length + begin)
            values = np.frombuffer(file.read(end - begin), dtype).reshape(shape)
            places.setdefault(place, {})[key] = values
    yield from ((place, names.get(place, ""), store) for place, store in places.items())


def _checked(path, header, size):
    """``(begin, end, name, dtype, shape)`` of the arrays in a header, in order, if they fill the file exactly."""
    found = []
    for name, entry in header.items():
        try:
            code, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            numbers = all(type(n) is int and 0 <= n < 1 << 62 for n in (begin, end, *shape))
            dtype = np.dtype(_TYPES[code])
        except (TypeError, KeyError, ValueError):
            raise _damaged(
                path, f"it does not describe {name[:80]!r} as the format wants, or with an unknown dtype"
            ) from None
        bad = not name or name.startswith("/") or {"", ".", ".."} & set(name.split("/"))
        if bad or not isinstance(shape, list) or not numbers or math.prod(shape) * dtype.itemsize != end - begin:
            raise _damaged(path, f"the shape of {name[:80]!r} does not fit its place in the file")
        found.append((begin, end, name, dtype, shape))
    found.sort(key=lambda one: one[:2])
    ends = [0, *(one[1] for one in found)]
    if [one[0] for one in found] != ends[:-1] or ends[-1] != size:
        raise _damaged(path, "its arrays overlap, or do not fill the file")
    return found


def _damaged(path, what):
    return CorruptFileError(f"{path}: not a file of safetensors, truncated or damaged: {what}. Make or fetch it again.")
