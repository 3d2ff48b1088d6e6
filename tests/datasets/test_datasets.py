"""The data sets in the mirror against published figures; the others on files made here in the original formats."""

import gzip
import hashlib
import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from oneiros import datasets
from oneiros.core.errors import (
    CorruptFileError,
    DownloadError,
    InputDataError,
    LimitExceededError,
    UnsafeModelError,
)
from oneiros.datasets import sources

MIRROR = Path(os.environ.get("ONEIROS_MIRROR") or Path(__file__).parents[2].parent / "shared" / "data")
needs_mirror = pytest.mark.skipif(
    not (MIRROR / "SHA256SUMS").is_file(), reason="no mirror with the data (ONEIROS_MIRROR)"
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("ONEIROS_MIRROR", raising=False)
    return tmp_path


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("ONEIROS_MIRROR", str(MIRROR))


@needs_mirror
def test_imdb(mirror):
    (x_train, y_train), (x_test, y_test) = datasets.imdb.load_data(num_words=10000)
    assert x_train.shape == x_test.shape == (25000,)
    assert y_train.sum() == y_test.sum() == 12500
    assert x_train[0][:10] == [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65]
    assert (len(x_train[0]), y_train[0]) == (218, 1)
    assert sum(map(len, x_train)) / 25000 == 238.71364
    assert max(map(max, x_train)) == 9999
    assert datasets.imdb.get_word_index()["fawn"] == 34701


@needs_mirror
def test_reuters(mirror):
    (x_train, y_train), (x_test, _) = datasets.reuters.load_data()
    assert (len(x_train), len(x_test)) == (8982, 2246)
    assert sum(map(len, x_train)) / len(x_train) == 145.5398574927633
    assert max(map(len, x_train)) == 2376
    assert x_train[0][:6] == [1, 27595, 28842, 8, 43, 10]
    assert set(y_train) == set(range(46))
    assert len(datasets.reuters.get_word_index()) == 30979
    assert datasets.reuters.get_label_names()[3:5] == ("earn", "acq")


@needs_mirror
def test_mnist_and_boston(mirror):
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((60000, 28, 28), (10000, 28, 28), np.uint8)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert x_train.mean() / 255 == pytest.approx(0.13066, abs=1e-5)
    (x, y), (x_test, y_test) = datasets.boston_housing.load_data()
    assert (x.shape, x_test.shape) == ((404, 13), (102, 13))
    assert y[:5].tolist() == [15.2, 42.3, 50.0, 21.1, 17.7]


def lists(*rows):
    result = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        result[i] = list(row)
    return result


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[1, 4, 5, 9], [1, 5, 6, 7]]),
        ({"num_words": 7}, [[1, 4, 5, 2], [1, 5, 6, 2]]),
        ({"num_words": 7, "oov_char": None}, [[1, 4, 5], [1, 5, 6]]),
        ({"skip_top": 5}, [[2, 2, 5, 9], [2, 5, 6, 7]]),
        ({"start_char": None, "index_from": 0}, [[1, 2, 6], [2, 3, 4]]),
        ({"start_char": None, "index_from": None, "skip_top": 2, "oov_char": None}, [[2, 6], [2, 3, 4]]),
    ],
)
def test_word_numbers(arguments, expected):
    defaults = {"num_words": None, "skip_top": 0, "maxlen": None, "start_char": 1, "oov_char": 2, "index_from": 3}
    texts = lists([1, 2, 6], [2, 3, 4])
    ((x, y),) = sources.encode_texts([(texts, np.array([0, 1]))], **(defaults | arguments))
    assert x.tolist() == expected
    assert y.tolist() == [0, 1]


def test_maxlen_counts_the_start_mark():
    texts, labels = lists([5, 6], [7], [5, 5, 5]), np.arange(3)
    ((x, y),) = sources.encode_texts([(texts, labels)], None, 0, 3, 1, 2, 0)
    assert (x.tolist(), y.tolist()) == ([[1, 7]], [1])
    with pytest.raises(InputDataError, match="maxlen=1"):
        sources.encode_texts([(texts, labels)], None, 0, 1, 1, 2, 0)


def test_files_with_a_wrong_hash_are_not_read(cache, monkeypatch):
    (cache / "datasets").mkdir()
    np.savez(cache / "datasets" / "mnist.npz", x_train=np.zeros(1))
    monkeypatch.setattr(sources, "KERAS_URL", (cache / "nowhere").as_uri() + "/")
    monkeypatch.setattr(datasets.mnist, "KERAS_URL", (cache / "nowhere").as_uri() + "/")
    with pytest.raises(DownloadError, match="nowhere/mnist.npz"):
        datasets.mnist.load_data()


def serve(monkeypatch, folder, hashes):
    """Makes ``folder`` a mirror of the files in it. ``hashes``: file names and the modules that expect them."""
    for name, module in hashes.items():
        monkeypatch.setattr(module, "SHA256", hashlib.sha256((folder / name).read_bytes()).hexdigest())
    monkeypatch.setenv("ONEIROS_MIRROR", str(folder))


def test_california_and_absolute_path(cache, monkeypatch):
    folder = cache / "mirror"
    folder.mkdir()
    x, y = np.arange(1600.0).reshape(800, 2), np.arange(800.0)
    np.savez(folder / "california_housing.npz", x=x, y=y)
    serve(monkeypatch, folder, {"california_housing.npz": datasets.california_housing})
    (a, b), (c, d) = datasets.california_housing.load_data(version="small", test_split=0.25)
    assert (a.shape, c.shape) == ((450, 2), (150, 2))
    assert sorted(np.concatenate([b, d])) == list(range(600))
    order = np.arange(600)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(b, order[:450])
    np.testing.assert_array_equal(a[:, 0], 2 * b)
    (own, _), _ = datasets.california_housing.load_data(path=str(folder / "california_housing.npz"))
    assert own.shape == (640, 2)
    with pytest.raises(InputDataError, match="'large'"):
        datasets.california_housing.load_data(version="huge")
    with pytest.raises(InputDataError, match="test_split"):
        datasets.california_housing.load_data(test_split=1.5)


def test_fashion_mnist(cache, monkeypatch):
    folder = cache / "mirror"
    folder.mkdir()
    images = np.arange(2 * 784, dtype="uint8").reshape(2, 28, 28)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes([7, 9])))
    serve(monkeypatch, folder, {})
    hashes = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    monkeypatch.setattr(datasets.fashion_mnist, "MD5", hashes)
    (x, y), (x_test, _) = datasets.fashion_mnist.load_data()
    np.testing.assert_array_equal(x, images)
    assert y.tolist() == [7, 9]
    assert x_test.shape == (2, 28, 28)


def cifar_archive(path, name, members):
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members.items():
            data = pickle.dumps(content, protocol=2)
            entry = tarfile.TarInfo(f"{name}/{member}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def test_cifar(cache, monkeypatch):
    folder = cache / "mirror"
    folder.mkdir()
    pixels = np.random.RandomState(0).randint(0, 256, (2, 3072), "uint8")
    batch = {b"data": pixels, b"labels": [3, 4], b"fine_labels": [30, 40], b"coarse_labels": [1, 2]}
    names = ["test_batch", *(f"data_batch_{i}" for i in range(5, 0, -1))]
    cifar_archive(folder / "cifar-10-python.tar.gz", "cifar-10-batches-py", dict.fromkeys(names, batch))
    cifar_archive(folder / "cifar-100-python.tar.gz", "cifar-100-python", {"train": batch, "test": batch})
    modules = {"cifar-10-python.tar.gz": datasets.cifar10, "cifar-100-python.tar.gz": datasets.cifar100}
    serve(monkeypatch, folder, modules)
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    assert (x.shape, y.shape, x_test.shape) == ((10, 32, 32, 3), (10, 1), (2, 32, 32, 3))
    np.testing.assert_array_equal(x_test[1, 2, 5], pixels[1].reshape(3, 32, 32)[:, 2, 5])
    assert y_test.tolist() == [[3], [4]]
    assert datasets.cifar100.load_data("coarse")[1][1].tolist() == [[1], [2]]
    assert datasets.cifar100.load_data()[0][1].tolist() == [[30], [40]]
    with pytest.raises(InputDataError, match="'coarse'"):
        datasets.cifar100.load_data("medium")


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def test_batches_with_code_are_refused(tmp_path):
    (tmp_path / "batch").write_bytes(pickle.dumps({"data": Evil()}))
    with pytest.raises(UnsafeModelError, match="system"):
        datasets.cifar.load_batch(tmp_path / "batch")


def npz(path, content, shape=(2,)):
    """An npz file with one array of objects, whose pickle is given."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + content)
    return path


def ragged(*rows):
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


@pytest.mark.parametrize("protocol", range(5))
def test_ragged_arrays(tmp_path, protocol):
    rows = ragged([1, 2, 10**12], [], [0.5, "a", None, True], {"k": b"bytes"}, np.arange(3), np.float32(2.5))
    (x,) = sources.npz_arrays(npz(tmp_path / "x.npz", pickle.dumps(rows, protocol), rows.shape)).values()
    assert type(x) is np.ndarray and x.dtype == object
    assert list(x[:4]) == list(rows[:4]) and x[5] == rows[5]
    np.testing.assert_array_equal(x[4], rows[4])
    np.savez(tmp_path / "plain.npz", a=np.arange(6).reshape(2, 3).T, b=np.float64(2), c=rows[:2])
    plain = sources.npz_arrays(tmp_path / "plain.npz")
    np.testing.assert_array_equal(plain["a"], np.arange(6).reshape(2, 3).T)
    assert plain["b"] == 2 and plain["b"].shape == () and list(plain["c"]) == list(rows[:2])


def call(function, arguments):
    """A pickle that calls a function by name: ``module name``, then the arguments as pickle's own text."""
    return b"c" + function.replace(" ", "\n").encode() + b"\n(" + arguments + b"tR."


@pytest.mark.parametrize(
    "content, error, message",
    [
        (pickle.dumps(ragged(Evil(), 1)), UnsafeModelError, "system"),
        (call("builtins eval", b"S'1+1'\n"), UnsafeModelError, "eval"),
        (call("numpy load", b"S'x'\n"), UnsafeModelError, "numpy.load"),
        (call("numpy.core.multiarray fromfile", b"S'/etc/passwd'\n"), UnsafeModelError, "fromfile"),
        (call("numpy ndarray", b"I100000000000\n"), CorruptFileError, "not callable"),
        (
            call("numpy._core.multiarray _reconstruct", b"cnumpy\nndarray\n(I99999999999\ntS'b'\n"),
            CorruptFileError,
            "damaged",
        ),
        (call("numpy dtype", b"(S'i4'\nI100\nt"), CorruptFileError, "is not a name"),
        (b"S'elsewhere'\nQ.", UnsafeModelError, "elsewhere"),
        (b"Pelsewhere\n.", UnsafeModelError, "elsewhere"),
        (pickle.dumps([1, 2]), CorruptFileError, "is not an array"),
        (pickle.dumps(ragged(1, 2, 3)), CorruptFileError, "is not an array"),
        (pickle.dumps(ragged(1, 2))[:-20], CorruptFileError, "damaged"),
        (b"\x80\x02]r\xff\xff\xff\x7f.", CorruptFileError, "damaged"),
    ],
)
def test_hostile_pickles(tmp_path, content, error, message):
    with pytest.raises(error, match=message):
        sources.npz_arrays(npz(tmp_path / "x.npz", content))


def test_arrays_that_claim_more_than_they_bring(tmp_path):
    state = (1, (10**10,), np.dtype(object), False, [])  # 80 GB of pointers

    class Claim:
        def __reduce__(self):
            return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), state

    with pytest.raises(CorruptFileError, match="10000000000"):
        sources.npz_arrays(npz(tmp_path / "x.npz", pickle.dumps(Claim())))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**10,)})
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(CorruptFileError, match="does not fit"):
        sources.npz_arrays(tmp_path / "y.npz")
    with zipfile.ZipFile(tmp_path / "z.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z.npy", bytes(300 * 2**20))
    with pytest.raises(LimitExceededError, match="unpacks to"):
        sources.npz_arrays(tmp_path / "z.npz")
    (tmp_path / "w.npz").write_bytes(b"nothing")
    with pytest.raises(CorruptFileError, match=r"w\.npz"):
        sources.npz_arrays(tmp_path / "w.npz")


def test_a_mirror_cannot_replace_a_data_set(cache, monkeypatch):
    folder = cache / "mirror"
    folder.mkdir()
    npz(folder / "imdb.npz", pickle.dumps(ragged(Evil(), 1)))
    listed = hashlib.sha256((folder / "imdb.npz").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{listed} *imdb.npz\n")
    monkeypatch.setenv("ONEIROS_MIRROR", str(folder))
    monkeypatch.setattr(datasets.imdb, "KERAS_URL", (cache / "nowhere").as_uri() + "/")
    with pytest.raises(DownloadError, match="has another hash"):
        datasets.imdb.load_data()
