"""Files that are replaced whole: permissions, links, failures, and what killed processes leave."""

import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from oneiros.utils import atomic
from oneiros.utils.atomic import part_path, regular, replacing, trust, trusted


@pytest.fixture(autouse=True)
def always_sweep(monkeypatch):
    monkeypatch.setattr(atomic, "_SWEEPS_SHARE", 0)


def write(path, text="new"):
    with replacing(path) as part:
        part.write_text(text)


def names(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_permissions_stay(tmp_path, mode):
    path = tmp_path / "x.txt"
    path.write_text("old")
    path.chmod(mode)
    with replacing(path) as part:
        assert stat.S_IMODE(part.stat().st_mode) & ~mode == 0  # never more readable than the old file
        part.write_text("new")
    assert path.read_text() == "new" and stat.S_IMODE(path.stat().st_mode) == mode


def test_new_files_follow_the_umask(tmp_path):
    previous = os.umask(0o027)
    try:
        write(tmp_path / "x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_links_stay_and_their_targets_are_written(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "x.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    for text in ("first", "second"):  # the target is missing at first
        write(link, text)
        assert link.is_symlink() and os.readlink(link) == str(target)
        assert target.read_text() == text
    assert names(tmp_path) == ["link.txt", "real"] and names(tmp_path / "real") == ["x.txt"]


def test_failures_name_the_path_and_keep_the_old_file(tmp_path):
    path = tmp_path / "x"
    write(path, "old")

    def no_space(part):
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught, replacing(path) as part:
        no_space(part)
    assert caught.value.errno == 28 and caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as caught:
        write(tmp_path / "nowhere" / "x")
    assert caught.value.filename == str(tmp_path / "nowhere" / "x")
    with pytest.raises(FileNotFoundError, match="other"), replacing(path):  # not this file's failure
        (tmp_path / "other").read_text()
    with pytest.raises(OSError, match="a folder"):
        write(tmp_path)
    assert path.read_text() == "old" and names(tmp_path) == ["x"]


def test_what_killed_processes_left_is_removed(tmp_path):
    program = f"""
        import os, signal
        from oneiros.utils.atomic import replacing, part_path
        part_path({str(tmp_path / "archive")!r}).mkdir()
        with replacing({str(tmp_path / "x.h5")!r}) as part:
            part.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment)
    assert process.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2 and all(name.startswith(".") for name in names(tmp_path))
    others = [
        part_path(tmp_path / "mine"),  # this process', being written
        tmp_path / f".x.{atomic._HOST}-{os.getppid()}-00000000.part",  # a living process'
        tmp_path / ".x.00000000-999999999-00000000.part",  # another machine's
        tmp_path / ".other.part",
        tmp_path / f".x.{atomic._HOST}-999999999-00000000.parts",
    ]
    left = [
        tmp_path / f".x.{atomic._HOST}-{os.getpid()}-00000000.part",  # this process' number, not its file
        tmp_path / f".x.y.{atomic._HOST}-999999999-00000000.part.txt",
        tmp_path / ".old.00000000-999999999-00000000.part",
    ]
    for path in (*others, *left):
        path.touch()
    os.utime(left[-1], (0, 0))
    write(tmp_path / "y")
    assert names(tmp_path) == sorted(["y", *(path.name for path in others)])


def test_large_folders_are_not_listed_every_time(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_SWEEPS_SHARE", 1e9)
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    for _ in range(3):
        write(tmp_path / "x")
    assert listed == [tmp_path]


def test_long_names(tmp_path):
    path = tmp_path / ("ä" * 120 + ".h5")  # 243 bytes; a name may have 255
    write(path)
    assert path.read_text() == "new"


def test_files_of_this_process_are_known(tmp_path):
    path = tmp_path / "x"
    write(path)
    assert trusted(path)
    path.write_text("changed")
    assert not trusted(path)
    trust(path)
    assert trusted(path)


def test_only_ordinary_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    assert regular(tmp_path / "file") == str(tmp_path / "file")
    for path, found in ((tmp_path / "pipe", "a pipe"), ("/dev/zero", "a device"), (tmp_path, "a folder")):
        with pytest.raises(OSError, match=found):
            regular(path)
        with pytest.raises(OSError, match=found):
            write(path)
    with pytest.raises(FileNotFoundError, match="Check the path"):
        regular(tmp_path / "nothing")
    assert Path("/dev/zero").is_char_device()


@pytest.mark.parametrize("large", [False, True])
def test_a_full_disk_is_an_error_and_no_crash(tmp_path, large):
    """HDF5 itself ends the process with a segmentation fault when it closes a file it could not write."""
    path = tmp_path / "x.h5"
    path.write_text("old")
    program = f"""
        import signal, resource, numpy as np
        from oneiros.saving.safe_hdf5 import writing
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            with writing({str(path)!r}) as file:
                for i in range({3 if large else 3000}):
                    file[str(i)] = np.zeros({1_000_000 if large else 10})
        except OSError as error:
            print(error.errno, error.filename)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-500:]
    assert process.stdout.split() == ["27", str(path)]  # EFBIG, as a full disk would give ENOSPC
    assert path.read_text() == "old" and names(tmp_path) == ["x.h5"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000
