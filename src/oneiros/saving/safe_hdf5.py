"""HDF5 files, read without trust: links are not followed, and sizes are compared before anything is read."""

import contextlib
import functools
import json
import math
import os
import signal
import subprocess
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from ..utils.archives import EXPANSION_LIMIT, unpacked_limit
from ..utils.atomic import regular, replacing, trust, trusted
from . import inspection

ATTRIBUTE_LIMIT = 64512  # bytes; HDF5 allows 64 KB for an object's header
TEXT_LIMIT = inspection.ATTRIBUTE_LIMIT  # bytes of one attribute
DECLARED_LIMIT = 4 << 30  # bytes; a dataset that declares more must store a fair part of them
INSPECTION_SECONDS = 3  # of processor time; reading the structure of a file takes milliseconds
INSPECTION_SPEED = 50 << 20  # bytes a second that unpacking chunks reaches at least
INSPECTION_MEMORY = 1 << 30
Group = Dataset = Any  # those of h5py, which is imported only where a file is opened
SEAL = "checksums"  # the attribute with the checksums of a group's texts, as JSON
_SEALED = ("keras_version", "backend", "model_config", "training_config", "layer_names")  # the last may be in parts


@contextlib.contextmanager
def guarding(place: str, verdict: str = "truncated or damaged", remedy: str = "Make or fetch it again.") -> Iterator:
    """Turns what h5py, NumPy and others raise for damaged bytes into a `CorruptFileError` that names the place.

    Errors of constructors that a file makes run, also the user's, are kept as its cause, and the layer is named.

    Args:
        place: a function that returns the name of the file and the place in it.
        verdict: what is wrong.
        remedy: what to do.
    """
    try:
        yield
    except (UnsafeModelError, CorruptFileError, LimitExceededError, InputDataError, PermissionError, Warning):
        raise
    except MemoryError as error:
        raise LimitExceededError(f"{place()}: needs more memory than there is ({error}).") from error
    except Exception as error:
        notes = [note[:200] for note in getattr(error, "__notes__", ())[:1]]
        what = "; ".join([*notes, f"{type(error).__name__}: {str(error)[:300]}"])
        raise CorruptFileError(f"{place()}: {verdict} ({what}). {remedy}") from error


def making(source: str) -> Any:
    """`guarding` for objects that are made from a configuration."""
    remedy = "Mend that argument, or pass custom_objects for classes of your own."
    return guarding(lambda: source, "the configuration cannot be used", remedy)


def _guarded(function):
    @functools.wraps(function)
    def wrapper(group, *args, **kwargs):
        with guarding(lambda: where(group)):
            return function(group, *args, **kwargs)

    return wrapper


def source_name(source: Any) -> str:
    """A file's name for messages."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else str(getattr(source, "name", source))


def where(group: Group) -> str:
    """The file and place of a group or dataset, for messages."""
    try:
        return f"{group.file.filename}: {group.name}"
    except Exception:  # damage can make even that unreadable
        return "HDF5 file"


@contextlib.contextmanager
def reading(source: Any) -> Iterator[Group]:
    """The HDF5 file at a path, inspected and open for reading; an open h5py group is yielded as it is."""
    import h5py

    if isinstance(source, h5py.Group):
        yield source
        return
    path = os.fspath(source)
    if os.path.isdir(path):
        raise InputDataError(f"{path}: expected an HDF5 file (.h5), found a folder. SavedModel folders are not read.")
    regular(path, "an HDF5 file")
    if not trusted(path):
        _inspect(path)
        trust(path)
    try:
        file = h5py.File(path, "r")
    except PermissionError:
        raise
    except Exception as error:
        raise CorruptFileError(f"{path}: not an HDF5 file, or truncated ({error}). Make or fetch it again.") from error
    with guarding(lambda: path), file:
        yield file


def _inspect(path):
    """Reads the structure of the file in a separate process, which may crash or hang: see `inspection`."""
    seconds = INSPECTION_SECONDS + os.path.getsize(path) // INSPECTION_SPEED
    options = {"sys_path": [p for p in sys.path if p], "seconds": seconds, "memory": INSPECTION_MEMORY}
    command = [sys.executable, "-I", "-S", inspection.__file__, os.path.abspath(path), json.dumps(options)]
    if not sys.executable or getattr(sys, "frozen", False):
        return  # a program that is no Python interpreter cannot start one
    try:
        process = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20 * seconds,  # of real time: the machine may be busy
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        code, said = process.returncode, process.stdout.decode("utf-8", "replace").partition("\n")
    except subprocess.TimeoutExpired:
        code, said = -signal.SIGXCPU, (inspection.READY, "", "")
    except OSError:
        return  # no process may be started here
    if said[0] != inspection.READY:
        return  # it failed before it came to the file
    kind, _, what = said[2].strip().partition(": ")
    if code == -getattr(signal, "SIGXCPU", 0) or code == -signal.SIGKILL:
        raise LimitExceededError(
            f"{path}: reading does not end within {seconds} s: damaged or hostile. It is not read."
        )
    if kind == "too large":
        raise LimitExceededError(f"{path}: reading needs too much memory ({what}). It is not read.")
    if code or kind:
        what = what or f"HDF5's library ended with code {code}"
        raise CorruptFileError(
            f"{path}: not an HDF5 file, truncated or damaged ({what[:300]}). Make or fetch it again."
        )


@contextlib.contextmanager
def writing(target: Any) -> Iterator[Group]:
    """An HDF5 file to fill; it replaces `target` when the block ends well. An open h5py group is filled as it is."""
    import h5py

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
    """A file for HDF5 to write into. It hides from HDF5 that a disk is full, which would crash the process later."""

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


def has(group: Group, name: str) -> bool:
    """Whether the group has this member, of whatever kind; links are not followed."""
    return group.get(name, getlink=True) is not None


@_guarded
def child(group: Group, path: str) -> Group:
    """The group or dataset at a path below; every step must be an ordinary member of the file."""
    import h5py

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
def text(group: Group, name: str) -> str | None:
    """An attribute as text; ``None`` if there is none. Both bytes and text are understood."""
    if name not in group.attrs:
        return None
    _check_attribute(group, name)
    value = group.attrs[name]
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


@_guarded
def names(group: Group, name: str) -> list[str]:
    """Reads an attribute that is a list of names, also if it is split over ``name0``, ``name1``, ...

    Args:
        group: An open h5py group.
        name: The name of the attribute.

    Returns:
        A list of strings.

    Raises:
        CorruptFileError: If the attribute is missing or incomplete.
        LimitExceededError: If it is unreasonably large.
    """
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
def dataset(group: Group, path: str) -> Dataset:
    """The dataset at a path, checked: it stores its own numbers, and not absurdly many."""
    import h5py

    found = child(group, path)
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        raise CorruptFileError(f"{where(found)}: expected an array of numbers.")
    if found.is_virtual:
        raise UnsafeModelError(f"{where(found)}: is a virtual dataset, whose numbers are elsewhere. It is not read.")
    if found.external:
        raise UnsafeModelError(f"{where(found)}: uses external storage {found.external}. It is not read.")
    if found.dtype.kind not in "fiubcSV" or found.dtype.hasobject:
        raise CorruptFileError(f"{where(found)}: expected an array of numbers, found dtype {found.dtype}.")
    if nbytes(found) > DECLARED_LIMIT and nbytes(found) > EXPANSION_LIMIT * max(found.id.get_storage_size(), 1):
        raise LimitExceededError(
            f"{where(found)}: declares {nbytes(found) / 1e9:.1f} GB (shape {found.shape}) but stores "
            f"{found.id.get_storage_size()} bytes. It is not read."
        )
    return found


def nbytes(found: Dataset) -> int:
    """The size of a dataset in memory."""
    return math.prod(found.shape) * found.dtype.itemsize


@_guarded
def check_budget(group: Group, datasets: Iterable[Dataset]) -> None:
    """Raises `LimitExceededError` if datasets take far more memory together than the file has bytes."""
    total, size = sum(map(nbytes, datasets)), group.file.id.get_filesize()
    if total > unpacked_limit(size):
        raise LimitExceededError(
            f"{where(group)}: the arrays declare {total / 1e9:.1f} GB together, the file has {size} bytes. It is not "
            "read."
        )
    return total


@_guarded
def array(found: Dataset) -> np.ndarray:
    """The numbers of a dataset that `dataset` has checked."""
    return np.asarray(found[()])


@_guarded
def declared_bytes(group: Group) -> int:
    """How many bytes the datasets in a file declare together, checked by `check_budget`; links are not followed."""
    import h5py

    found = []

    def add(_, item):
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            found.append(item)

    group.visititems(add)
    return check_budget(group, found)


def check_type(source: Dataset, variable: Any, values: np.ndarray) -> None:
    """Checks that float variables get floats, and integer variables integers. Warns of values that are not finite."""
    floating = variable.dtype.startswith(("float", "bfloat"))
    if source.dtype.kind not in ("f" if floating else "fiu") or (floating and source.dtype.itemsize > 8):
        raise CorruptFileError(
            f"{where(source)}: has dtype {source.dtype}, expected {variable.dtype} for weight {variable.path}."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        warnings.warn(f"{where(source)}: has non-finite values (NaN or infinity) for weight {variable.path}.")


# --- checksums of texts


def seal(group: Group) -> None:
    """Stores the checksums of a group's texts in an attribute that other libraries ignore."""
    group.attrs[SEAL] = json.dumps(_text_sums(group))


@_guarded
def check_seal(group: Group) -> None:
    """Raises `CorruptFileError` if a text is not the one that was written.

    Call it last: if somebody changed the file on purpose, errors in what it says now are more helpful.
    """
    noted = text(group, SEAL)
    if noted is None:
        return
    noted, found = json.loads(noted), _text_sums(group)
    wrong = sorted(name for name in noted if noted[name] != found.get(name))
    if wrong:
        raise CorruptFileError(
            f"{where(group)}: the checksum of {', '.join(map(repr, wrong))} is wrong: the file is damaged. Make or "
            f"fetch it again. If it was changed on purpose, delete the attribute {SEAL!r}."
        )


def _text_sums(group):
    sums = {}
    for name in group.attrs:
        if name.rstrip("0123456789") in _SEALED:
            _check_attribute(group, name)
            values = np.asarray(group.attrs[name]).reshape(-1)
            sums[name] = zlib.crc32(b"\0".join(v if isinstance(v, bytes) else str(v).encode() for v in values))
    return sums


# --- writing


def write_names(group: Group, name: str, values: Sequence[str]) -> None:
    """Stores a list of names as an attribute, or as several attributes if one would be too large for HDF5.

    Args:
        group: An open h5py group.
        name: The name of the attribute. If it is split, a number follows it.
        values: The names.

    Raises:
        LimitExceededError: If one name alone is too large.
    """
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


def storable(value: Any) -> np.ndarray:
    """An array of a type that every HDF5 reader knows: bfloat16 is stored as float32."""
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" or value.dtype.name == "bfloat16" else value


def checksum(arrays: Iterable[np.ndarray]) -> int:
    """One number for a list of arrays: changes in values, types and shapes change it (CRC-32)."""
    crc = 0
    for one in arrays:
        one = np.ascontiguousarray(one)
        crc = zlib.crc32(f"{one.dtype.str}{one.shape}".encode(), crc)
        crc = zlib.crc32(one.reshape(-1).view(np.uint8), crc) if one.size else crc
    return crc
