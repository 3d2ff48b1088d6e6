"""Files from the network: fetched whole or not at all, checked by hash, and unpacked without trusting the archive."""

import contextlib
import hashlib
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlretrieve  # noqa: F401  (Keras offers urlretrieve too)

from oneiros.core.config import behaviour, keras_home
from oneiros.core.errors import CorruptFileError, DownloadError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.utils.atomic import part_path, replacing, trust
from oneiros.utils.progress import Progbar

TIMEOUT = 30.0  # seconds without a byte from the server
ATTEMPTS = 3  # how often an interrupted transfer is started again
# An archive may unpack to this many bytes, or to EXPANSION_LIMIT times its own size if that is more.
UNPACKED_LIMIT = 256 * 2**20
EXPANSION_LIMIT = 100


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
):
    """Path of the file at the URL ``origin``, downloaded to the cache unless it is there already.

    The file lies at ``cache_dir/cache_subdir/fname``; ``cache_dir`` defaults to ``KERAS_HOME`` (``~/.keras``) and
    ``fname`` to the end of the URL. With ``file_hash`` (SHA-256 or MD5) only a file with that hash is accepted.
    A download appears under its name when it is complete and checked, never before. Processes wait for each other.

    ``ONEIROS_MIRROR`` (a folder or URL with a ``SHA256SUMS`` file) is tried before ``origin``; a file from there must
    have ``file_hash``, or without one the hash listed there, and is used where it lies if the mirror is a folder.
    Plain http and ftp are refused where no hash is given, for anybody on the way could put in another file.

    ``extract=True`` unpacks a tar or zip archive into a folder and returns that: ``NAME_extracted`` for a ``fname``
    like ``NAME.tar.gz``, else ``fname`` itself, the archive being ``fname_archive``. In Keras 1 and 2 programs it is
    unpacked beside the archive, whose path is returned. ``untar=True`` is the older spelling for tar archives; in
    Keras 1 and 2 programs the archive is then ``fname.tar.gz`` and the result ``fname``.

    Raises ``DownloadError`` if the file cannot be had or is not the one asked for, ``InputDataError`` for a name that
    leaves the cache or a ``cache_dir`` that does not exist, ``UnsafeModelError`` for an archive that reaches outside
    its folder, ``LimitExceededError`` for one that unpacks to far more than its size.
    """
    if origin is None:
        raise InputDataError("get_file: expected the URL of the file as `origin`. Received: None")
    origin = str(origin)
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    fname = fname or os.path.basename(urlsplit(origin).path)
    folder = _cache_folder(cache_dir, cache_subdir)
    target = _inside(folder, fname)
    unpack = untar or extract
    beside = unpack and behaviour.generation != "3"
    if beside:
        archive = target.with_name(target.name + ".tar.gz") if untar else target
        result, unpack_into = target, folder
    elif unpack:
        stem = target.name.removesuffix(".tar.gz").removesuffix(".tar.bz2")
        plain = stem == target.name
        archive = target.with_name(target.name + "_archive") if plain else target
        result = unpack_into = target if plain else target.with_name(stem + "_extracted")
    else:
        archive = result = target

    with _locked(archive, wait=force_download or unpack or not _acceptable(archive, file_hash, hash_algorithm)):
        path = archive
        if force_download or not _acceptable(archive, file_hash, hash_algorithm):
            path = _fetch(archive, origin, file_hash, hash_algorithm)
        if file_hash is not None:
            trust(path)
        if not unpack:
            return str(path)
        if force_download or not result.exists() or (beside and not untar):
            extract_archive(path, unpack_into, "tar" if untar else archive_format)
    return str(path if beside and not untar else result)


def validate_file(fpath, file_hash, algorithm="auto", chunk_size=65535):
    """Whether the file has this SHA-256 or MD5 hash; 'auto' tells the two by length."""
    return _hash_file(fpath, _algorithm(file_hash, algorithm), chunk_size) == str(file_hash).lower()


def _hash_file(fpath, algorithm="sha256", chunk_size=65535):
    del chunk_size  # Keras' argument; hashlib picks its own buffer
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, "md5" if algorithm == "md5" else "sha256").hexdigest()


def _algorithm(file_hash, algorithm):
    if algorithm not in ("auto", "md5", "sha256"):
        raise InputDataError(f"hash_algorithm: expected 'auto', 'md5' or 'sha256'. Received: {algorithm!r}")
    if algorithm == "auto":
        return "sha256" if len(str(file_hash)) == 64 else "md5"
    return algorithm


# --- the cache ---


def _cache_folder(cache_dir, cache_subdir):
    if cache_dir is None:
        base = keras_home()
        base.mkdir(parents=True, exist_ok=True)
    else:
        base = Path(cache_dir).expanduser()
        if not base.is_dir():
            raise InputDataError(f"get_file: cache_dir {str(base)!r} is not a folder. Create it, or leave it out.")
    folder = (base / cache_subdir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _inside(folder, fname):
    path = Path(os.path.normpath(folder / fname))
    if path == folder or not path.is_relative_to(os.path.normpath(folder)):
        raise InputDataError(
            f"get_file: fname must name a file inside the cache folder {str(folder)!r}. Received: {str(fname)!r}. "
            "To store it elsewhere, pass that folder as `cache_dir` with `cache_subdir=''`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _locked(path, wait=True):
    """One process at a time fetches ``path``. ``wait=False``: nothing is going to be written."""
    if not wait:
        yield
        return
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        try:
            import fcntl
        except ImportError:  # Windows: files still appear whole, at worst they are fetched twice
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)  # freed by the kernel, also when the holder is killed
        yield


def _names(path, origin):
    """What a mirror may call the file."""
    return dict.fromkeys((path.name, os.path.basename(urlsplit(origin).path)))


def _acceptable(path, file_hash, algorithm):
    """Whether the file is there, with the right hash if one is known. A mirror's list has no say in it."""
    return path.is_file() and (file_hash is None or _matches(path, file_hash, algorithm))


def _matches(path, file_hash, algorithm):
    """Whether a file has the hash, or one of several."""
    hashes = file_hash if isinstance(file_hash, tuple) else (file_hash,)
    return any(validate_file(path, one, algorithm) for one in hashes)


# --- fetching ---


def _fetch(path, origin, file_hash, algorithm):
    """Brings the file to ``path``, or finds it in a mirror folder. Returns where it is.

    What a mirror lists counts only where nobody else says which file is meant.
    """
    notes = ""
    mirror = os.environ.get("ONEIROS_MIRROR", "").rstrip("/")
    try:
        sums = _mirror_sums(mirror) if mirror and file_hash is None else {}
    except (OSError, ValueError) as error:
        sums, notes = {}, f" The mirror could not be read: {error}"
    for name in _names(path, origin) if mirror else ():
        wanted, how = (file_hash, algorithm) if file_hash is not None else (sums.get(name), "sha256")
        if wanted is None:
            continue
        if "://" not in mirror:
            found = Path(mirror).expanduser() / name
            if found.is_file() and _matches(found, wanted, how):
                return found
            if found.exists():
                notes = f" The mirror's {found} has another hash than {wanted} and is not used."
            continue
        try:
            _download(f"{mirror}/{name}", path, wanted, how)
            return path
        except DownloadError as error:
            notes = f" The mirror failed: {error}"
    try:
        _download(origin, path, file_hash, algorithm)
    except DownloadError as error:
        raise DownloadError(
            f"{path.name} could not be fetched.\n  {error}{notes}\n  Check the network and try again, or put the file "
            "and a SHA256SUMS file into a folder and set the environment variable ONEIROS_MIRROR to it."
        ) from None
    return path


def _mirror_sums(mirror):
    """File name to SHA-256, as listed by the mirror."""
    if "://" in mirror:
        return _remote_sums(mirror)
    return _parse_sums((Path(mirror).expanduser() / "SHA256SUMS").read_text())


@cache
def _remote_sums(mirror):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SHA256SUMS"
        _download(f"{mirror}/SHA256SUMS", path)
        return _parse_sums(path.read_text())


def _parse_sums(text):
    lines = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest.lower() for digest, name in lines}


class _Interrupted(Exception):
    """The connection ended before the file did."""


def _download(url, path, file_hash=None, algorithm="auto"):
    if file_hash is None and urlsplit(url).scheme in ("http", "ftp"):
        raise DownloadError(
            f"{url}: nothing protects the file on its way, so it is not fetched without a hash. Use https, or pass its "
            "SHA-256 or MD5 as file_hash."
        )
    print(f"Downloading data from {url}")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with replacing(path) as part:
                _transfer(url, part)
                if file_hash is not None and not _matches(part, file_hash, algorithm):
                    expected = file_hash[0] if isinstance(file_hash, tuple) else file_hash
                    kind = _algorithm(expected, algorithm)
                    raise DownloadError(
                        f"{url}: the file that came has the {kind} hash {_hash_file(part, kind)}, "
                        f"expected {expected}. It was deleted. Try again later, or get the file from elsewhere."
                    )
            return
        except _Interrupted as error:
            if attempt == ATTEMPTS:
                raise DownloadError(
                    f"{url}: the download is incomplete after {ATTEMPTS} attempts ({error}). Nothing was kept."
                ) from None


def _transfer(url, part):
    scheme = urlsplit(url).scheme
    if scheme == "file":
        try:
            shutil.copyfile(url2pathname(urlsplit(url).path), part)
        except OSError as error:
            raise DownloadError(f"{url}: {error}") from None
        return
    import pooch
    import requests

    meter = _Meter()
    if scheme == "ftp":
        downloader = pooch.FTPDownloader(timeout=TIMEOUT)
    elif scheme in ("http", "https"):
        # identity: otherwise a server may compress, and neither length nor hash would be the file's
        headers = {"Accept-Encoding": "identity"}
        downloader = pooch.HTTPDownloader(progressbar=meter, chunk_size=2**16, timeout=TIMEOUT, headers=headers)
    else:
        raise InputDataError(f"get_file: expected an http, https, ftp or file URL as `origin`. Received: {url!r}")
    try:
        downloader(url, str(part), None)
    except requests.exceptions.ChunkedEncodingError as error:
        raise _Interrupted(_reason(error)) from None
    except requests.exceptions.RequestException as error:
        if "timed out" in str(error):
            raise DownloadError(f"{url}: timed out, no data for {TIMEOUT:g} seconds.") from None
        if "Connection aborted" in str(error):
            raise _Interrupted(_reason(error)) from None
        raise DownloadError(f"{url}: could not be downloaded: {_reason(error)}.") from None
    size = part.stat().st_size
    if meter.total and size != meter.total:
        raise _Interrupted(f"{size} of {meter.total} bytes")


def _reason(error):
    """What is at the bottom of an error of requests, which wraps errors in errors and repeats the URL."""
    inner = getattr(error.args[0] if error.args else None, "reason", None) or error
    text = re.sub(r"^\w+\([^)]*\): |( for url: .*)|\s+", lambda m: " " if m[0].isspace() else "", str(inner))
    return text.strip().rstrip(".")[:300]


class _Meter:
    """The face of a progress bar that pooch talks to, shown as Keras shows downloads."""

    total = 0

    def __init__(self):
        self.bar, self.done = None, 0

    def update(self, count):
        if self.bar is None and self.total:
            self.bar = Progbar(self.total)
        self.done = min(self.done + count, self.total)
        if self.bar and self.done < self.total:
            self.bar.update(self.done)

    def reset(self):
        self.done = 0

    def close(self):
        if self.bar:
            self.bar.update(self.total, finalize=True)


# --- archives ---


def extract_archive(path, into=".", archive_format="auto"):
    """Unpacks a tar or zip archive into the folder ``into``: everything, or nothing.

    Only plain files and folders are taken. Links, devices, set-user-id bits and names that lead outside ``into`` raise
    ``UnsafeModelError``; more than 256 MiB that are also more than 100 times the archive raise ``LimitExceededError``;
    a damaged archive, or one of another format, raises ``CorruptFileError``.
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
    limit = max(UNPACKED_LIMIT, EXPANSION_LIMIT * path.stat().st_size)
    existed = into.is_dir()
    scratch = part_path(into / path.name if existed else into)
    try:
        scratch.mkdir()
        with opener(path) as archive:
            for name, problem, size, reader in entries(archive):
                parts = name.replace("\\", "/").split("/")
                if ".." in parts or parts[0] == "" or parts[0][1:2] == ":":
                    problem = "outside the folder"
                if problem:
                    raise UnsafeModelError(f"{path}: member {name!r} is {problem}. Nothing was unpacked.")
                limit -= size
                if limit < 0:
                    raise LimitExceededError(
                        f"{path}: unpacks to more than {EXPANSION_LIMIT} times its {path.stat().st_size} bytes. "
                        "If you trust it, unpack it yourself."
                    )
                target = scratch.joinpath(*parts)
                if reader is None:
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with reader() as source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file, 2**20)
        if existed:
            _merge(scratch, into)
        else:
            os.rename(scratch, into)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise CorruptFileError(f"{path}: the archive is damaged or incomplete: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def _merge(source, into):
    for entry in source.iterdir():
        target = into / entry.name
        if entry.is_dir() and target.is_dir():
            _merge(entry, target)
        else:
            os.replace(entry, target)


def _tar_entries(archive):
    """Name, what is wrong with it, size, and how to read it (None: a folder)."""
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
