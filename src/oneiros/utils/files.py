"""Downloads: files are fetched completely or not at all, and are checked by their hash."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlretrieve  # noqa: F401  (Keras offers urlretrieve too)

from oneiros.core.config import behaviour, keras_home
from oneiros.core.errors import DownloadError, InputDataError
from oneiros.utils.archives import extract_archive
from oneiros.utils.atomic import replacing, trust
from oneiros.utils.progress import Progbar

TIMEOUT = 30.0  # seconds without a byte from the server
ATTEMPTS = 3  # number of attempts at an interrupted transfer


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | tuple[str, ...] | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """Downloads a file to the cache unless it is there already, and returns its path.

    A file appears under its name only when it is complete and checked. Processes that need the same file wait for each
    other. If the environment variable ``ONEIROS_MIRROR`` is set (to a folder or URL with a ``SHA256SUMS`` file), the
    mirror is tried before `origin`. A file from there must have `file_hash`, or the hash listed there if none is given.
    A file in a mirror folder is used in place.

    Args:
        fname: name of the file in the cache; by default the last part of the URL.
        origin: the URL. Plain http and ftp require a hash, because the file could be replaced in transit.
        untar: older form of `extract`, for tar archives.
        md5_hash: older form of `file_hash`.
        file_hash: the SHA-256 or MD5 hash that the file must have, or a tuple of accepted hashes.
        cache_subdir: folder within the cache.
        hash_algorithm: 'sha256', 'md5', or 'auto' to detect it by the length of the hash.
        extract: whether to extract a tar or zip archive into a folder: ``NAME_extracted`` for a `fname` like
            ``NAME.tar.gz``, otherwise `fname`, with the archive in ``fname_archive``. In programs for Keras 1 and 2,
            archives are extracted next to themselves; with `untar`, ``fname.tar.gz`` is extracted to `fname`.
        archive_format: 'tar', 'zip', 'auto', or a list of them.
        cache_dir: the cache; by default ``KERAS_HOME``, or ``~/.keras``.
        force_download: whether to download the file even if it is in the cache.

    Returns:
        The path of the file, or of the extracted folder (in programs for Keras 1 and 2, with `extract`: of the
        archive).

    Raises:
        DownloadError: the download failed, or the file has a different hash.
        InputDataError: `fname` leads out of the cache, or `cache_dir` does not exist.
        UnsafeModelError: the archive contains paths outside its folder.
        LimitExceededError: the extracted files are far larger than the archive.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "numbers.txt").write_text("1 2 3")
    >>> path = get_file("copy.txt", (folder / "numbers.txt").as_uri(), cache_dir=folder)  # doctest: +ELLIPSIS
    Downloading data from file:///...numbers.txt
    >>> Path(path).read_text()
    '1 2 3'
    """
    if origin is None:
        raise InputDataError("get_file: expected the URL of the file as `origin`. Received: None")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    cache = _cache_folder(cache_dir, cache_subdir)
    target = _inside(cache, fname or os.path.basename(urlsplit(str(origin)).path))
    wanted = (str(origin), file_hash, hash_algorithm, force_download)
    unpacks = untar or extract
    return str(_unpacked(target, cache, untar, archive_format, wanted) if unpacks else _cached(target, *wanted))


def _unpacked(target, cache_folder, untar, archive_format, wanted):
    """The path of the extracted folder. In programs for Keras 1 and 2, with `extract`, that of the archive."""
    beside = behaviour.archives_unpacked_beside
    archive, folder, result = _archive_places(target, untar, beside, cache_folder)
    _, _, _, force_download = wanted

    def unpack(path):
        if force_download or not result.exists() or (beside and not untar):
            extract_archive(path, folder, "tar" if untar else archive_format)

    path = _cached(archive, *wanted, unpack)
    return path if beside and not untar else result


def _archive_places(target, untar, beside, cache):
    """The path of an archive, the folder into which it is extracted, and the path of the extracted files."""
    if beside:
        return (target.with_name(target.name + ".tar.gz") if untar else target), cache, target
    stem = target.name.removesuffix(".tar.gz").removesuffix(".tar.bz2")
    if stem == target.name:
        return target.with_name(target.name + "_archive"), target, target
    result = target.with_name(stem + "_extracted")
    return target, result, result


def _cached(path, origin, file_hash, algorithm, force, unpack=None):
    """The path of the file, which is fetched if necessary. `unpack` is called with it while other processes wait."""
    with _locked(path, wait=force or unpack is not None or not _acceptable(path, file_hash, algorithm)):
        if force or not _acceptable(path, file_hash, algorithm):
            path = _fetch(path, origin, file_hash, algorithm)
        if file_hash is not None:
            trust(path)
        if unpack is not None:
            unpack(path)
    return path


def validate_file(fpath: str | os.PathLike, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Checks whether a file has a given hash.

    Args:
        fpath: path of the file.
        file_hash: SHA-256 or MD5 hash in hexadecimal digits.
        algorithm: 'sha256', 'md5', or 'auto' to detect it by the length of the hash.
        chunk_size: has no effect.

    Raises:
        InputDataError: the algorithm is unknown.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "empty"
    >>> path.touch()
    >>> validate_file(path, "d41d8cd98f00b204e9800998ecf8427e")
    True
    """
    return hash_file(fpath, _algorithm(file_hash, algorithm), chunk_size) == str(file_hash).lower()


def hash_file(fpath: str | os.PathLike, algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """The hash of a file, in hexadecimal digits.

    Args:
        fpath: the file.
        algorithm: `"sha256"` or `"md5"`.
        chunk_size: has no effect.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "empty"
    >>> path.touch()
    >>> hash_file(path, "md5")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    del chunk_size  # an argument of Keras; hashlib chooses its own buffer
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
    """Lets only one process at a time fetch `path`. Use ``wait=False`` if nothing will be written."""
    if not wait:
        yield
        return
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        try:
            import fcntl
        except ImportError:  # Windows: at worst, a file is fetched twice
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)  # released by the kernel even if the holder is killed
        yield


def _names(path, origin):
    """The names that the file may have in a mirror."""
    return dict.fromkeys((path.name, os.path.basename(urlsplit(origin).path)))


def _acceptable(path, file_hash, algorithm):
    """Whether the file exists, with the right hash if one was given. Hashes listed by a mirror are not considered."""
    return path.is_file() and (file_hash is None or _matches(path, file_hash, algorithm))


def _matches(path, file_hash, algorithm):
    """Whether a file has the hash, or one of several."""
    hashes = file_hash if isinstance(file_hash, tuple) else (file_hash,)
    return any(validate_file(path, one, algorithm) for one in hashes)


# --- fetching ---


def _fetch(path, origin, file_hash, algorithm):
    """Downloads the file to ``path``, or finds it in a mirror folder. Returns its path.

    Hashes listed by a mirror are used only if the caller gave none.
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
    """The SHA-256 hashes listed by a mirror, by file name."""
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
            f"{url}: the file could be changed in transit, so it is not downloaded without a hash. Use https, or pass "
            "its SHA-256 or MD5 as file_hash."
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
                        f"{url}: the received file has the {kind} hash {hash_file(part, kind)}, "
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

    meter, responses = _Meter(), []
    if scheme == "ftp":
        downloader = pooch.FTPDownloader(timeout=TIMEOUT)
    elif scheme in ("http", "https"):
        # identity: a compressed response would have a different length and hash
        headers = {"Accept-Encoding": "identity"}
        hooks = {"response": lambda response, **options: responses.append(response)}
        downloader = pooch.HTTPDownloader(
            progressbar=meter, chunk_size=2**16, timeout=TIMEOUT, headers=headers, hooks=hooks
        )
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
    finally:
        for response in responses:  # pooch leaves connections open if a download fails
            response.close()
    size = part.stat().st_size
    if meter.total and size != meter.total:
        raise _Interrupted(f"{size} of {meter.total} bytes")


def _reason(error):
    """The innermost reason of an error of requests, which nests errors and repeats the URL."""
    inner = getattr(error.args[0] if error.args else None, "reason", None) or error
    text = re.sub(r"^\w+\([^)]*\): |( for url: .*)|\s+", lambda m: " " if m[0].isspace() else "", str(inner))
    return text.strip().rstrip(".")[:300]


class _Meter:
    """A progress bar for pooch that looks like that of Keras for downloads."""

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
