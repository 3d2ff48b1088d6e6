"""Atomic replacement of files: a new file appears under its name when it is complete, or the old one stays."""

import contextlib
import os
import re
import secrets
import shutil
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import MissingFileError

_HOST = f"{zlib.crc32(os.uname().nodename.encode()) if hasattr(os, 'uname') else 0:08x}"
_PART = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part(\..*)?")  # what `part_path` makes
_ABANDONED = 24 * 3600  # seconds without a change after which a part is deleted, on whatever machine it was made
_SWEEPS_SHARE = 50  # at most 1/50 of the time of a process is spent on searching for leftover parts
_open = set()  # the parts that this process is writing
_next_sweep = {}  # folder -> time of the next search for leftover parts
_trusted = {}  # path -> stamp of the files that this process wrote or checked


def regular(path: str | os.PathLike, what: str = "file") -> str:
    """Returns the path if it is that of a regular file. Reading a pipe or a device might never end.

    Args:
        path: the path.
        what: description of the file for error messages.

    Returns:
        The path as a string.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is a folder, pipe, device or socket.

    >>> regular(os.curdir)
    Traceback (most recent call last):
    IsADirectoryError: .: expected file, found a folder. Give the path of an ordinary file.
    """
    path = os.fspath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise MissingFileError(f"File not found: {path!r}. Check the path.") from None
    if not stat.S_ISREG(mode):
        error = IsADirectoryError if stat.S_ISDIR(mode) else OSError
        raise error(f"{path}: expected {what}, found {_kind(mode)}. Give the path of an ordinary file.")
    return path


def _kind(mode):
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`. The file there replaces `path` if the block succeeds.

    The new file gets the permissions of the old one. If `path` is a symbolic link, its target is replaced. If anything
    fails, the old file is unchanged. Temporary files that killed processes left in the folder are removed.

    Args:
        path: the file to write.

    Raises:
        OSError: the file cannot be written. The error names `path`, not the temporary one.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with replacing(path) as part:
    ...     _ = part.write_text("new")
    ...     path.exists()
    False
    >>> path.read_text()
    'new'
    """
    target = Path(os.path.realpath(path))
    part = part_path(target)
    try:
        mode = _mode(target)
        _sweep(target.parent)
        # Made with its final permissions, so that private data is never readable under the temporary name.
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else mode)
        os.close(descriptor)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(part, mode)  # os.open applied the umask
        os.replace(part, target)
        trust(target)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(part), part):
            raise
        raise OSError(error.errno, f"cannot be written: {os.strerror(error.errno)}", str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        _open.discard(part.name)


def trust(path: str | os.PathLike) -> None:
    """Records that this process wrote the file, or verified it by its hash or by reading all of it.

    Args:
        path: path of the file.
    """
    path = os.path.realpath(path)
    with contextlib.suppress(FileNotFoundError):  # replaced again at once
        _trusted[path] = _stamp(path)


def trusted(path: str | os.PathLike) -> bool:
    """Whether `trust` was called for the file, and the file has not changed since.

    Args:
        path: path of the file.
    """
    path = os.path.realpath(path)
    return path in _trusted and _trusted[path] == _stamp(path)


def _stamp(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _mode(target):
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise OSError(f"{target}: cannot be replaced, for it is {_kind(mode)}. Give the path of an ordinary file.")
    return stat.S_IMODE(mode)


# --- temporary names, and their removal


def part_path(path: str | os.PathLike) -> Path:
    """A new temporary path beside `path`, with the id of the process in its name, by which `replacing` cleans up.

    Args:
        path: the path of the final file.

    Returns:
        The temporary path; nothing is created there.
    """
    path = Path(path)
    name = f".{path.name[:40]}.{_HOST}-{os.getpid()}-{secrets.token_hex(4)}.part{path.suffix[:8]}"
    _open.add(name)
    return path.with_name(name)


def _sweep(folder):
    """Removes the parts of dead processes. Large folders are not searched at every save."""
    started = time.monotonic()
    if started < _next_sweep.get(folder, 0):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = entry.name[:1] == "." and _PART.fullmatch(entry.name)
            if match and _is_left(entry, match[1], int(match[2])):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)
    ended = time.monotonic()
    _next_sweep[folder] = ended + _SWEEPS_SHARE * (ended - started)


def _is_left(entry, host, process):
    if process == os.getpid() and host == _HOST:
        return entry.name not in _open
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED:
        return True
    if host != _HOST or os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
