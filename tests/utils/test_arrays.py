import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from oneiros.core.errors import InputDataError
from oneiros.utils.arrays import normalize, to_categorical, to_ordinal
from oneiros.utils.hdf5 import HDF5Matrix


@given(hnp.arrays("int64", hnp.array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 5)))
def test_to_categorical(classes):
    hot = to_categorical(classes, 6)
    expected = classes[..., 0] if classes.ndim > 1 and classes.shape[-1] == 1 else classes
    assert hot.shape == (*expected.shape, 6)
    np.testing.assert_array_equal(hot.argmax(-1), expected)
    np.testing.assert_array_equal(hot.sum(-1), np.ones_like(expected))
    assert to_categorical(classes).shape[-1] == classes.max() + 1


def test_to_categorical_types_and_errors():
    assert to_categorical([0, 1]).dtype == "float64"
    assert to_categorical([0.0, 1.0], dtype="int8").tolist() == [[1, 0], [0, 1]]
    assert to_categorical([], 3).shape == (0, 3)
    for wrong, message in (
        ([0, 3], r"class 3 at \(1,\) not in \[0, 3\)"),
        ([-1], r"class -1 at \(0,\)"),
        (["a"], "dtype"),
    ):
        with pytest.raises(InputDataError, match=message):
            to_categorical(wrong, 3)
    with pytest.raises(InputDataError, match="empty"):
        to_categorical([])


def test_to_ordinal():
    assert to_ordinal([[0], [1], [3]]).tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert to_ordinal([0], 3).dtype == np.float32
    with pytest.raises(InputDataError, match="to_ordinal: class 3"):
        to_ordinal([3], 3)


def test_normalize():
    x = np.random.RandomState(0).normal(size=(3, 4))
    np.testing.assert_allclose((normalize(x) ** 2).sum(-1), 1)
    np.testing.assert_allclose(np.abs(normalize(x, axis=0, order=1)).sum(0), 1)
    np.testing.assert_allclose(normalize(x, axis=0) * np.sqrt((x**2).sum(0)), x)
    assert normalize(np.zeros((1, 3))).tolist() == [[0, 0, 0]]
    np.testing.assert_allclose(normalize([3.0, 4.0]), [[0.6, 0.8]])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(20.0).reshape(10, 2)
    yield path
    HDF5Matrix._files.pop(path).close()


def test_hdf5_matrix(file):
    whole, part = HDF5Matrix(file, "x"), HDF5Matrix(file, "x", start=2, end=7)
    data = np.arange(20.0).reshape(10, 2)
    assert (len(whole), whole.shape, whole.ndim, whole.size, whole.dtype) == (10, (10, 2), 2, 20, np.float64)
    assert (len(part), part.shape) == (5, (5, 2))
    for key in (0, -1, slice(None), slice(1, 3), slice(None, None, 2), slice(None, None, -1), slice(3, 1), slice(3, 99),
                [3, 1, 1], np.array([4, 0]), [-1, 0], np.array([True, False, True, False, False])):  # fmt: skip
        np.testing.assert_array_equal(part[key], data[2:7][key])
    np.testing.assert_array_equal(np.asarray(whole), data)
    for wrong in (5, -6, [0, 5], range(5, 7), slice(5, 6)):
        with pytest.raises(IndexError, match="outside the 5 rows"):
            part[wrong]
    assert part[[]].shape == part[5:5].shape == (0, 2)
    for wrong in (None, "a", 1.5):
        with pytest.raises(IndexError, match="integers or a slice"):
            part[wrong]
    doubled = HDF5Matrix(file, "x", normalizer=lambda rows: (rows * 2).astype("float32"))
    np.testing.assert_array_equal(doubled[1], data[1] * 2)
    assert doubled.dtype == np.float32


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize_keeps_the_library(order):
    x = np.random.RandomState(0).rand(3, 4).astype("float32")
    found = normalize(jnp.asarray(x), order=order)
    assert isinstance(found, jax.Array) and isinstance(normalize(x, order=order), np.ndarray)
    np.testing.assert_allclose(found, normalize(x, order=order), rtol=1e-5)
