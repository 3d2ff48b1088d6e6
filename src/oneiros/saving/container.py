"""HDF5 files, read without trust: no link leads out of the file, and sizes are compared before anything is read."""

import contextlib
import functools
import os
import zlib

import numpy as np

from ..core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from ..utils.atomic import replacing

ATTRIBUTE_LIMIT = 64512  # bytes; HDF5 allows 64 KB for an object's header
TEXT_LIMIT = 64 << 20  # bytes of one attribute
DECLARED_LIMIT = 4 << 30  # bytes that a dataset may claim without storing a fair part of them
_EXPANSION = 200  # no honest weights shrink to less than this fraction by compression


def _h5py():
    import h5py

    return h5py


def _guarded(function):
    """What h5py raises when bytes make no sense becomes a `CorruptFileError` that names the file."""

    @functools.wraps(function)
    def wrapper(group, *args, **kwargs):
        try:
            return function(group, *args, **kwargs)
        except (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError, OverflowError, MemoryError) as error:
            raise CorruptFileError(f"{where(group)}: truncated or damaged ({error}). Make or fetch it again.") from None

    return wrapper


def where(group):
    """The file and place of a group or dataset, for messages."""
    return f"{group.file.filename}: {group.name}"


@contextlib.contextmanager
def reading(source):
    """The HDF5 file at a path, open for reading; an open h5py group is taken as it is."""
    h5py = _h5py()
    if isinstance(source, h5py.Group):
        yield source
        return
    path = os.fspath(source)
    if not os.path.exists(path):
        raise FileNotFoundError(f"File not found: {path!r}. Check the path.")
    if os.path.isdir(path):
        raise InputDataError(f"{path}: expected an HDF5 file (.h5), found a folder. SavedModel folders are not read.")
    try:
        file = h5py.File(path, "r")
    except PermissionError:
        raise
    except OSError as error:
        raise CorruptFileError(f"{path}: not an HDF5 file, or truncated ({error}). Make or fetch it again.") from None
    with file:
        yield file


@contextlib.contextmanager
def writing(target):
    """An HDF5 file to fill; it replaces `target` when the block ends well. An open h5py group is filled as it is."""
    h5py = _h5py()
    if isinstance(target, h5py.Group):
        yield target
        return
    with replacing(target) as part, open(part, "r+b", buffering=0) as raw:
        disk = _Disk(raw)
        try:
            with h5py.File(disk, "w") as file:
                yield file
        except RuntimeError:
            if disk.error is None:
                raise
        if disk.error is not None:
            raise disk.error


class _Disk:
    """A file for HDF5 to write into, which never hears that the disk is full: it would crash the process at its end."""

    def __init__(self, file):
        self.file, self.error = file, None
        self.read, self.readinto, self.seek, self.tell = file.read, file.readinto, file.seek, file.tell

    def _tried(self, function, argument):
        try:
            return function(argument) if self.error is None else None
        except OSError as error:
            self.error = error

    def write(self, data):
        data, done = memoryview(data).cast("B"), 0
        while done < len(data) and self.error is None:
            done += self._tried(self.file.write, data[done:]) or 0
        return len(data)

    def truncate(self, size):
        self._tried(self.file.truncate, size)
        return size

    def flush(self):
        pass


# --- reading


def has(group, name):
    """Whether the group has this member, of whatever kind; links are not followed."""
    return group.get(name, getlink=True) is not None


@_guarded
def child(group, path):
    """The group or dataset at a path below; every step must be an ordinary member of the file."""
    h5py = _h5py()
    for name in path.split("/"):
        if not name:
            continue
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise CorruptFileError(f"{where(group)}: {path!r} is listed but not there. The file is incomplete.")
        if not isinstance(link, h5py.HardLink):
            raise UnsafeModelError(
                f"{where(group)}: {name!r} is an {type(link).__name__}, which leads elsewhere. Links are not followed."
            )
        group = group[name]
    return group


@_guarded
def text(group, name):
    """An attribute as text; ``None`` if there is none. Both bytes and text are understood."""
    if name not in group.attrs:
        return None
    _check_attribute(group, name)
    value = group.attrs[name]
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


@_guarded
def names(group, name):
    """An attribute that is a list of names, also one that is spread over ``name0``, ``name1``, ..."""
    if name in group.attrs:
        return _name_list(group, name)
    chunks = [key for key in group.attrs if key.startswith(name) and key[len(name) :].isdigit()]
    if not chunks:
        raise CorruptFileError(f"{where(group)}: has no attribute {name!r}, so it is not a file of Keras weights.")
    if sorted(int(key[len(name) :]) for key in chunks) != list(range(len(chunks))):
        raise CorruptFileError(f"{where(group)}: the attribute {name!r} is incomplete: there are {sorted(chunks)}.")
    return [n for i in range(len(chunks)) for n in _name_list(group, f"{name}{i}")]


def _name_list(group, name):
    _check_attribute(group, name)
    values = np.asarray(group.attrs[name]).reshape(-1)
    return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values]


def _check_attribute(group, name):
    attribute = group.attrs.get_id(name)
    size = attribute.get_storage_size() if attribute.get_space().get_select_npoints() else 0  # HDF5 fails on empty ones
    if size > TEXT_LIMIT:
        raise LimitExceededError(
            f"{where(group)}: the attribute {name!r} has {size} bytes; at most {TEXT_LIMIT} are read."
        )


@_guarded
def dataset(group, path):
    """The dataset at a path, checked: it stores its own numbers, and not absurdly many."""
    h5py = _h5py()
    found = child(group, path)
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        raise CorruptFileError(f"{where(found)}: expected an array of numbers.")
    if found.is_virtual:
        raise UnsafeModelError(f"{where(found)}: is a virtual dataset, whose numbers are elsewhere. It is not read.")
    if found.external:
        raise UnsafeModelError(f"{where(found)}: uses external storage {found.external}. It is not read.")
    declared = int(np.prod(found.shape, dtype=object)) * found.dtype.itemsize
    if declared > DECLARED_LIMIT and declared > _EXPANSION * max(found.id.get_storage_size(), 1):
        raise LimitExceededError(
            f"{where(found)}: declares {declared / 1e9:.1f} GB (shape {found.shape}) but stores "
            f"{found.id.get_storage_size()} bytes. It is not read."
        )
    return found


@_guarded
def array(found):
    """The numbers of a dataset that `dataset` has checked."""
    return np.asarray(found[()])


@_guarded
def declared_bytes(group, limit=1_000_000):
    """How many bytes the datasets in a file claim together; links are not followed."""
    h5py = _h5py()
    total, seen = 0, 0

    def add(_, item):
        nonlocal total, seen
        seen += 1
        if seen > limit:
            raise LimitExceededError(f"{where(group)}: more than {limit} objects.")
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            total += int(np.prod(item.shape, dtype=object)) * item.dtype.itemsize

    group.visititems(add)
    return total


# --- writing


def write_names(group, name, values):
    """Stores a list of names as an attribute, in several where one would be too large for HDF5."""
    encoded = [v.encode("utf-8") for v in values]
    for value in encoded:
        if len(value) > ATTRIBUTE_LIMIT:
            raise LimitExceededError(
                f"The name {value[:40].decode('utf-8', 'ignore')!r}... has {len(value)} bytes; HDF5 files hold names "
                f"of up to {ATTRIBUTE_LIMIT}. Give the layer a shorter name."
            )
    array_ = np.array(encoded) if encoded else np.zeros(0, "S1")
    count = 1
    while any(chunk.nbytes > ATTRIBUTE_LIMIT for chunk in np.array_split(array_, count)):
        count += 1
    if count == 1:
        group.attrs[name] = array_
    else:
        for i, chunk in enumerate(np.array_split(array_, count)):
            group.attrs[f"{name}{i}"] = chunk


def write_text(group, name, value):
    group.attrs[name] = value


def storable(value):
    """An array of a type that every HDF5 reader knows: bfloat16 is stored as float32."""
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" or value.dtype.name == "bfloat16" else value


def checksum(arrays):
    """One number for a list of arrays: changes in values, types and shapes change it (CRC-32)."""
    crc = 0
    for one in arrays:
        one = np.ascontiguousarray(one)
        crc = zlib.crc32(f"{one.dtype.str}{one.shape}".encode(), crc)
        crc = zlib.crc32(one.reshape(-1).view(np.uint8), crc) if one.size else crc
    return crc
