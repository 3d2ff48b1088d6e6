"""Constraints against NumPy, and their properties for any weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros import constraints

X = np.array([[-1.0, 0.5, 1.0], [2.0, 3.0, -4.0]], "float32")
NORMS = np.sqrt((X**2).sum(0, keepdims=True))


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (constraints.Constraint(), X),
        (constraints.MaxNorm(2.5), X * np.minimum(NORMS, 2.5) / NORMS),
        (constraints.MaxNorm(1, axis=1), X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1)),
        (constraints.NonNeg(), np.maximum(X, 0)),
        (constraints.UnitNorm(), X / NORMS),
        (constraints.UnitNorm(axis=[0, 1]), X / np.linalg.norm(X)),
        (constraints.MinMaxNorm(2.4, 3.0), X * np.clip(NORMS, 2.4, 3) / NORMS),
        (constraints.MinMaxNorm(2.4, 3.0, rate=0.5), X * (0.5 * np.clip(NORMS, 2.4, 3) / NORMS + 0.5)),
    ],
)
def test_values(constraint, expected):
    np.testing.assert_allclose(constraint(X), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-5, 5, width=32), min_size=6, max_size=6))
def test_properties(numbers):
    w = np.array(numbers, "float32").reshape(3, 2)
    assert np.linalg.norm(constraints.MaxNorm(2)(w), axis=0).max() <= 2 * (1 + 1e-5)
    assert np.min(constraints.NonNeg()(w)) >= 0


RINGS = {  # which diagonal element each ring takes, from the middle outward (from tf.keras)
    3: (0, 1),
    4: (1, 3),
    5: (1, 2, 3),
    6: (2, 4, 5),
}


@pytest.mark.parametrize("size", RINGS)
def test_radial(size):
    w = np.arange(size * size * 2.0, dtype="float32").reshape(size, size, 1, 2)
    result = np.asarray(constraints.RadialConstraint()(w))
    for i in range(size):
        for j in range(size):
            ring = int(max(abs(i - (size - 1) / 2), abs(j - (size - 1) / 2)))
            source = RINGS[size][ring]
            np.testing.assert_array_equal(result[i, j], w[source, source])
    with pytest.raises(ValueError, match="kernel"):
        constraints.RadialConstraint()(np.ones((3, 3)))


def test_names():
    assert constraints.get("maxnorm").get_config() == {"max_value": 2, "axis": 0}
    assert type(constraints.get("non_neg")) is constraints.NonNeg
    assert constraints.get(None) is None
