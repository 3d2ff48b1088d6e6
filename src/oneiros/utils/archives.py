"""Safe extraction of archives: only regular files and folders, inside the target folder, and of limited size."""

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..core.errors import CorruptFileError, LimitExceededError, UnsafeModelError
from .atomic import part_path

# The extracted files may have this many bytes, or EXPANSION_LIMIT times the size of the archive if that is more.
UNPACKED_LIMIT = 256 * 2**20
EXPANSION_LIMIT = 100


def unpacked_limit(size: int) -> int:
    """The number of bytes to which a file may be unpacked.

    Args:
        size: size of the file in bytes.

    Returns:
        The larger of 256 MiB and 100 times the size.

    >>> unpacked_limit(1), unpacked_limit(10**9)
    (268435456, 100000000000)
    """
    return max(UNPACKED_LIMIT, EXPANSION_LIMIT * size)


def extract_archive(
    path: str | os.PathLike, into: str | os.PathLike = ".", archive_format: str | Sequence[str] | None = "auto"
) -> bool:
    """Extracts a tar or zip archive into a folder, completely or not at all.

    Args:
        path: path of the archive.
        into: the folder. If it exists, the files are added to it.
        archive_format: 'tar', 'zip', 'auto' for either, or a list of them; ``None`` to extract nothing.

    Returns:
        Whether the archive was extracted.

    Raises:
        UnsafeModelError: a member is a link or device, has a set-user-id bit, or is outside the folder.
        LimitExceededError: the extracted files exceed both 256 MiB and 100 times the size of the archive.
        CorruptFileError: the archive is damaged, or has a different format.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with zipfile.ZipFile(folder / "a.zip", "w") as archive:
    ...     archive.writestr("greeting.txt", "hello")
    >>> extract_archive(folder / "a.zip", folder / "a")
    True
    >>> (folder / "a" / "greeting.txt").read_text()
    'hello'
    """
    path, into = Path(path), Path(into)
    formats = ("tar", "zip") if archive_format == "auto" else (archive_format or ())
    formats = (formats,) if isinstance(formats, str) else formats
    if not formats:
        return False
    if "tar" in formats and tarfile.is_tarfile(path):
        opener, entries = tarfile.open, _tar_entries
    elif "zip" in formats and zipfile.is_zipfile(path):
        opener, entries = zipfile.ZipFile, _zip_entries
    else:
        raise CorruptFileError(f"{path}: expected an archive of the format {' or '.join(formats)}; it is none.")
    existed = into.is_dir()
    scratch = part_path(into / path.name if existed else into)
    try:
        scratch.mkdir()
        with opener(path) as archive:
            _unpack(path, entries(archive), scratch)
        if existed:
            _merge(scratch, into)
        else:
            os.rename(scratch, into)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise CorruptFileError(f"{path}: the archive is damaged or incomplete: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def _unpack(path, entries, folder):
    size = path.stat().st_size
    left = unpacked_limit(size)
    for name, problem, member_size, reader in entries:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or parts[0][1:2] == ":":
            problem = "outside the folder"
        if problem:
            raise UnsafeModelError(f"{path}: member {name!r} is {problem}. Nothing was unpacked.")
        left -= member_size
        if left < 0:
            raise LimitExceededError(
                f"{path}: unpacks to more than {EXPANSION_LIMIT} times its {size} bytes. If you trust it, unpack it "
                "yourself."
            )
        target = folder.joinpath(*parts)
        if reader is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with reader() as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 2**20)


def _merge(source, into):
    """Moves the contents of a folder into another one. Files of the same name are replaced."""
    for entry in source.iterdir():
        target = into / entry.name
        if entry.is_dir() and target.is_dir():
            _merge(entry, target)
        else:
            os.replace(entry, target)


def _tar_entries(archive):
    """For each member: name, problem (or None), size, and a function that opens it (None for a folder)."""
    for member in archive:
        problem = None
        if member.issym() or member.islnk():
            problem = f"a {'symlink' if member.issym() else 'hardlink'} to {member.linkname!r}"
        elif not (member.isreg() or member.isdir()):
            problem = "a device or pipe"
        elif member.mode & 0o6000:
            problem = "marked setuid or setgid"
        yield member.name, problem, member.size, None if member.isdir() else partial(archive.extractfile, member)


def _zip_entries(archive):
    """Like `_tar_entries`, for a zip archive."""
    for member in archive.infolist():
        mode = member.external_attr >> 16
        problem = None
        if stat.S_ISLNK(mode):
            problem = "a symlink"
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "a device or pipe"
        elif mode & 0o6000:
            problem = "marked setuid or setgid"
        reader = None if member.is_dir() else partial(archive.open, member)
        yield member.filename.rstrip("/"), problem, member.file_size, reader
