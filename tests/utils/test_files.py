"""Downloads from a server on loopback that misbehaves, mirrors, and hostile archives."""

import contextlib
import functools
import hashlib
import http.server
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
import traceback
import zipfile
from pathlib import Path

import pytest

from oneiros.core.config import behaviour
from oneiros.core.errors import (
    CorruptFileError,
    DownloadError,
    InputDataError,
    LimitExceededError,
    UnsafeModelError,
)
from oneiros.utils import archives, files
from oneiros.utils.files import get_file

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/").partition("?")[0]
        self.server.requests.append(name)
        content = self.server.content.get(name)
        if content is None:
            self.send_error(404)
            return
        if callable(content):
            content = content()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name.startswith("cut") and self.server.requests.count(name) <= self.server.cuts:
            self.wfile.write(content[: len(content) // 3])
            return
        if name.startswith("stall"):
            self.wfile.write(content[: len(content) // 3])
            self.server.released.wait(20)
            return
        with contextlib.suppress(OSError):  # a client that was killed
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content = {"f.bin": CONTENT, "cut.bin": CONTENT, "stall.bin": CONTENT}
    server.requests, server.cuts, server.released = [], 100, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ONEIROS_MIRROR", raising=False)
    files._remote_sums.cache_clear()
    return tmp_path / "home" / "datasets"


def kept(cache):
    """What lies in the cache, lock files apart."""
    return sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock"))


# --- downloads ---


@pytest.mark.parametrize(
    "check",
    [
        {"file_hash": ("0" * 64, SHA256)},
        {"file_hash": SHA256},
        {"file_hash": MD5},
        {"md5_hash": MD5},
        {"file_hash": SHA256.upper()},
    ],
)
def test_download_once(server, cache, check):
    for _ in range(2):
        path = get_file("name.bin", server.url + "f.bin", **check)
        assert path == str(cache / "name.bin")
        assert Path(path).read_bytes() == CONTENT
    assert server.requests == ["f.bin"]
    assert get_file("name.bin", server.url + "f.bin", force_download=True, **check) == path
    assert len(server.requests) == 2
    assert kept(cache) == ["name.bin"]


def test_name_and_folder(server, tmp_path):
    assert Path(get_file(origin=server.url + "f.bin?x=1", file_hash=MD5)).name == "f.bin"
    path = get_file("f", server.url + "f.bin", cache_dir=str(tmp_path), cache_subdir="models/deep", file_hash=MD5)
    assert path == str(tmp_path / "models" / "deep" / "f")
    # an absolute path is good if it lies in the cache
    assert get_file(path, server.url + "f.bin", cache_dir=tmp_path, cache_subdir="models") == path


def test_wrong_hash_leaves_nothing(server, cache):
    for _ in range(2):  # also the next time
        with pytest.raises(DownloadError, match=f"hash {SHA256}"):
            get_file("f.bin", server.url + "f.bin", file_hash="0" * 64)
        assert kept(cache) == []


def test_file_with_another_hash_is_replaced(server, cache):
    get_file("f.bin", server.url + "f.bin", file_hash=SHA256)
    (cache / "f.bin").write_bytes(b"something else")
    assert Path(get_file("f.bin", server.url + "f.bin", file_hash=SHA256)).read_bytes() == CONTENT


def test_truncated_download_is_tried_again(server, cache):
    server.cuts = 2
    assert Path(get_file("cut.bin", server.url + "cut.bin", file_hash=MD5)).read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_truncated_download_leaves_nothing(server, cache):
    with pytest.raises(DownloadError, match="incomplete"):
        get_file("cut.bin", server.url + "cut.bin", file_hash=MD5)
    assert kept(cache) == []


def test_stalled_server(server, cache, monkeypatch):
    monkeypatch.setattr(files, "TIMEOUT", 0.3)
    with pytest.raises(DownloadError, match="timed out"):
        get_file("stall.bin", server.url + "stall.bin", file_hash=MD5)
    assert kept(cache) == []


def test_missing_file_and_unreachable_server(server, cache, tmp_path):
    with pytest.raises(DownloadError, match="404"):
        get_file("x", server.url + "nothing", file_hash=MD5)
    with pytest.raises(DownloadError, match="could not be downloaded"):
        get_file("x", "http://127.0.0.1:9/x", file_hash=MD5)
    with pytest.raises(DownloadError, match="nothing"):
        get_file("x", (tmp_path / "nothing").as_uri())


def test_a_failed_download_takes_three_lines(server, cache):
    for url, reason in (
        (
            "http://127.0.0.1:9/x",
            "could not be downloaded: Failed to establish a new connection: [Errno 111] Connection",
        ),
        ("https://no.such.host.invalid/x", "could not be downloaded: Failed to resolve 'no.such.host.invalid'"),
        (server.url + "nothing", "could not be downloaded: 404"),
    ):
        with pytest.raises(DownloadError) as info:
            get_file("x", url, file_hash=MD5)
        what, where, advice = str(info.value).splitlines()
        assert what == "x could not be fetched."
        assert where.startswith(f"  {url}: {reason}")
        assert where.count(url) == 1
        assert "ONEIROS_MIRROR" in advice
        shown = "".join(traceback.format_exception(info.value)).splitlines()
        assert len([line for line in shown if not line.startswith("    ")]) == 5  # a frame of this file, three lines
        assert len(max(shown, key=len)) < 400


def test_origins_that_are_none(cache):
    with pytest.raises(InputDataError, match="gopher"):
        get_file("x", "gopher://host/x")
    with pytest.raises(InputDataError, match="origin"):
        get_file("x")
    assert kept(cache) == []


@pytest.mark.parametrize("name", ["..", ".", "../evil", "a/../../evil", "/tmp/evil"])
def test_names_that_leave_the_cache(server, name):
    with pytest.raises(InputDataError, match="inside the cache folder"):
        get_file(name, server.url + "f.bin")
    assert server.requests == []


def test_missing_cache_dir(server, tmp_path):
    with pytest.raises(InputDataError, match="cache_dir"):
        get_file("x", server.url + "f.bin", cache_dir=tmp_path / "nowhere")


def in_process(server, name):
    code = f"from oneiros.utils.files import get_file; get_file({name!r}, {server.url + name!r}, file_hash={MD5!r})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL)


def test_killed_in_the_middle(server, cache):
    process = in_process(server, "stall.bin")
    deadline = time.time() + 30
    while not list(cache.glob(".stall.bin.*.part*")) and time.time() < deadline:
        time.sleep(0.02)
    assert list(cache.glob(".stall.bin.*.part*"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.content["f.bin"] = CONTENT
    path = get_file("stall.bin", server.url + "f.bin", file_hash=MD5)
    assert Path(path).read_bytes() == CONTENT
    assert kept(cache) == ["stall.bin"]


def test_processes_wait_for_each_other(server, cache):
    arrived, release = threading.Event(), threading.Event()

    def slow():
        arrived.set()
        release.wait(20)
        return CONTENT

    server.content["slow.bin"] = slow
    process = in_process(server, "slow.bin")
    assert arrived.wait(30)
    results = []
    ask = functools.partial(get_file, "slow.bin", server.url + "slow.bin", file_hash=MD5)
    thread = threading.Thread(target=lambda: results.append(ask()))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()  # not given the part that is there
    release.set()
    thread.join(20)
    assert process.wait(20) == 0
    assert Path(results[0]).read_bytes() == CONTENT
    assert server.requests == ["slow.bin"]


# --- mirrors ---


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "f.bin").write_bytes(CONTENT)
    (folder / "SHA256SUMS").write_text(f"{SHA256} *f.bin\n")
    monkeypatch.setenv("ONEIROS_MIRROR", str(folder))
    return folder


def test_mirror_folder(server, mirror, cache):
    """Found by the name in the cache or the name in the URL; used where it lies; the listed hash is enough."""
    for name, origin in (("f.bin", "x"), ("other", "f.bin")):
        for file_hash in (None, SHA256, MD5):
            assert get_file(name, server.url + origin, file_hash=file_hash) == str(mirror / "f.bin")
    assert server.requests == []
    assert kept(cache) == []


def test_a_mirrors_list_overrules_nobody(server, mirror, cache):
    evil = b"evil"
    for name in ("f.bin", "g.bin"):
        (mirror / name).write_bytes(evil)
    evil_hash = hashlib.sha256(evil).hexdigest()
    (mirror / "SHA256SUMS").write_text(f"{evil_hash} *f.bin\n{evil_hash} *g.bin\n")
    for check in ({"file_hash": SHA256}, {"file_hash": MD5}, {"md5_hash": MD5}):
        with pytest.raises(DownloadError, match="mirror's .* has another hash"):
            get_file("g.bin", server.url + "nothing", **check)
        assert Path(get_file("f.bin", server.url + "f.bin", **check)).read_bytes() == CONTENT
    # Neither is a file in the cache good because the mirror lists it.
    (cache / "f.bin").write_bytes(evil)
    assert Path(get_file("f.bin", server.url + "f.bin", file_hash=SHA256)).read_bytes() == CONTENT
    assert get_file("g.bin", server.url + "nothing") == str(mirror / "g.bin")  # nobody else knows a hash


def test_mirror_file_that_is_not_listed(server, mirror):
    (mirror / "SHA256SUMS").write_text("")
    assert get_file("f.bin", server.url + "x", file_hash=MD5) == str(mirror / "f.bin")
    with pytest.raises(DownloadError, match="without a hash"):
        get_file("f.bin", server.url + "x")


def test_mirror_file_with_a_wrong_hash(server, mirror, cache):
    (mirror / "f.bin").write_bytes(b"damaged")
    assert get_file("f.bin", server.url + "f.bin", file_hash=SHA256) == str(cache / "f.bin")
    with pytest.raises(DownloadError, match="mirror's .* has another hash"):
        get_file("f.bin", server.url + "nothing", file_hash="0" * 64, force_download=True)
    (mirror / "SHA256SUMS").write_text("word\n")
    with pytest.raises(DownloadError, match="mirror could not be read"):
        get_file("h.bin", (mirror / "nothing").as_uri())


def test_mirror_url(server, cache, monkeypatch):
    server.content |= {"m/SHA256SUMS": f"{SHA256}  g.bin\n".encode(), "m/g.bin": CONTENT}
    monkeypatch.setenv("ONEIROS_MIRROR", server.url + "m/")
    for _ in range(2):
        assert get_file("g.bin", server.url + "nothing", file_hash=SHA256) == str(cache / "g.bin")
    assert server.requests == ["m/g.bin"]
    server.content["m/g.bin"] = b"changed"
    with pytest.raises(DownloadError, match="The mirror failed"):
        get_file("g.bin", server.url + "nothing", file_hash=SHA256, force_download=True)


def test_plain_http_needs_a_hash(server, cache, monkeypatch, mirror):
    for url in (server.url + "z.bin", "ftp://127.0.0.1/z.bin"):
        with pytest.raises(DownloadError, match=r"without a hash.*https.*file_hash"):
            get_file("x.bin", url)
    server.content |= {"m/SHA256SUMS": f"{SHA256}  g.bin\n".encode(), "m/g.bin": CONTENT}
    monkeypatch.setenv("ONEIROS_MIRROR", server.url + "m")
    with pytest.raises(DownloadError, match="The mirror could not be read.*without a hash"):
        get_file("g.bin", (mirror / "nothing").as_uri())
    assert server.requests == [] and kept(cache) == []


def test_mirror_that_is_not_there(server, cache, monkeypatch, tmp_path):
    monkeypatch.setenv("ONEIROS_MIRROR", str(tmp_path / "nowhere"))
    assert get_file("f.bin", server.url + "f.bin", file_hash=MD5) == str(cache / "f.bin")
    with pytest.raises(DownloadError, match="mirror could not be read"):
        get_file("g.bin", (tmp_path / "nothing").as_uri())


# --- hashes ---


def test_hashes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    assert files.hash_file(path) == SHA256
    assert files.hash_file(path, algorithm="md5") == MD5
    for digest in (SHA256, MD5):
        assert files.validate_file(path, digest)
    assert files.validate_file(path, MD5, "md5", chunk_size=10)
    assert not files.validate_file(path, MD5, "sha256")
    with pytest.raises(InputDataError, match="sha1"):
        files.validate_file(path, MD5, "sha1")


# --- archives ---


def make_tar(path, *members):
    """Members: (name, content) or a TarInfo."""
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            entry = tarfile.TarInfo(member[0])
            entry.size = len(member[1])
            archive.addfile(entry, io.BytesIO(member[1]))
    return path


def special(name, kind, **fields):
    entry = tarfile.TarInfo(name)
    entry.type = kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


@pytest.mark.parametrize(
    ("arguments", "generation", "result", "there"),
    [
        ({"fname": "foo", "untar": True}, "3", "foo", ["foo/foo/a.txt", "foo_archive"]),
        ({"fname": "x.tar.gz", "extract": True}, "3", "x_extracted", ["x.tar.gz", "x_extracted/foo/a.txt"]),
        ({"fname": "bar", "extract": True}, "3", "bar", ["bar/foo/a.txt", "bar_archive"]),
        ({"fname": "foo", "untar": True}, "2", "foo", ["foo.tar.gz", "foo/a.txt"]),
        ({"fname": "x.tar.gz", "extract": True}, "2", "x.tar.gz", ["foo/a.txt", "x.tar.gz"]),
    ],
)
def test_unpacking(cache, tmp_path, monkeypatch, arguments, generation, result, there):
    """The layouts are those that Keras 3.15 and tf_keras 2.21 leave."""
    monkeypatch.setattr(behaviour, "archives_unpacked_beside", generation == "2")
    archive = make_tar(tmp_path / "x.tar.gz", ("foo/a.txt", b"hi"))
    for _ in range(2):
        assert get_file(origin=archive.as_uri(), **arguments) == str(cache / result)
        found = [p.relative_to(cache).as_posix() for p in cache.rglob("*") if p.is_file() and p.name[0] != "."]
        assert sorted(found) == there


def test_unpacking_zip(cache, tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("d/x.txt", "text")
        archive.mkdir("empty")
    path = Path(get_file("z.zip", (tmp_path / "z.zip").as_uri(), extract=True))
    assert (path / "d" / "x.txt").read_text() == "text"
    assert (path / "empty").is_dir()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(cache.stat().st_mode)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([special("d", tarfile.SYMTYPE, linkname="/tmp"), ("d/evil", b"x")], "symlink"),
        ([special("d", tarfile.LNKTYPE, linkname="../../x")], "hardlink"),
        ([special("p", tarfile.FIFOTYPE)], "device or pipe"),
        ([special("p", tarfile.CHRTYPE)], "device or pipe"),
        ([special("p", tarfile.REGTYPE, mode=0o4777)], "setuid"),
        ([("good", b"x"), ("../evil", b"x")], "outside"),
        ([("/evil", b"x")], "outside"),
        ([("a\\..\\..\\evil", b"x")], "outside"),
        ([("C:/evil", b"x")], "outside"),
    ],
)
def test_hostile_tar(tmp_path, members, message):
    archive = make_tar(tmp_path / "evil.tar.gz", *members)
    with pytest.raises(UnsafeModelError, match=message):
        archives.extract_archive(archive, tmp_path / "into")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.tar.gz"]  # nothing, not even the good member


@pytest.mark.parametrize(("mode", "message"), [(stat.S_IFLNK | 0o777, "symlink"), (stat.S_IFREG | 0o4755, "setuid")])
def test_hostile_zip(tmp_path, mode, message):
    entry = zipfile.ZipInfo("x")
    entry.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UnsafeModelError, match=message):
        archives.extract_archive(tmp_path / "evil.zip", tmp_path / "into")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil", "x")
    with pytest.raises(UnsafeModelError, match="outside"):
        archives.extract_archive(tmp_path / "evil.zip", tmp_path / "into")


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 10**6)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(8):
            archive.writestr(f"zeros{i}", bytes(300_000))
    make_tar(tmp_path / "bomb.tar.gz", *((f"zeros{i}", bytes(300_000)) for i in range(8)))
    for name in ("bomb.zip", "bomb.tar.gz"):
        with pytest.raises(LimitExceededError, match=name):
            archives.extract_archive(tmp_path / name, tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_damaged_archives(tmp_path):
    whole = make_tar(tmp_path / "x.tar.gz", ("a", os.urandom(50_000)), ("b", os.urandom(50_000))).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:60_000])
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("cut.tar.gz", "text.zip"):
        with pytest.raises(CorruptFileError, match=name):
            archives.extract_archive(tmp_path / name, tmp_path / "into")
    assert not (tmp_path / "into").exists()
    assert not archives.extract_archive(tmp_path / "text.zip", tmp_path, archive_format=None)


def test_unpacking_into_a_folder_that_is_there(tmp_path):
    (tmp_path / "into" / "d").mkdir(parents=True)
    (tmp_path / "into" / "d" / "mine").write_text("kept")
    (tmp_path / "into" / "d" / "x").write_text("old")
    archives.extract_archive(make_tar(tmp_path / "x.tar.gz", ("d/x", b"new")), tmp_path / "into")
    assert {p.name: p.read_text() for p in (tmp_path / "into" / "d").iterdir()} == {"mine": "kept", "x": "new"}
