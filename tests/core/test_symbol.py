"""Symbols, shape inference, graphs, masks."""

import gc

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.core import Graph, Symbol, get_mask, op, set_mask
from oneiros.core.mask_and_logits import masks
from oneiros.core.symbol import infer

DIMENSION = st.one_of(st.none(), st.integers(1, 5))


@settings(max_examples=30, deadline=None)
@given(st.lists(DIMENSION, min_size=2, max_size=4), st.integers(1, 3))
def test_inferred_shapes_are_those_of_real_data(shape, batch):
    """Whatever is unknown, the real shape agrees with the inferred one wherever that says something."""
    symbol = Symbol((None, *shape))
    real = jnp.zeros((batch, *(3 if d is None else d for d in shape)))
    functions = [
        lambda x: x.sum(-1),
        lambda x: jnp.concatenate([x, x], 1),
        lambda x: x.reshape(x.shape[0], -1),
        lambda x: jnp.swapaxes(x, 1, 2),
        lambda x: (x[:, 0], x[..., None]),
    ]
    for fn in functions:
        result = op(fn)(symbol)
        results = result if isinstance(result, tuple) else (result,)
        arrays = fn(real) if isinstance(fn(real), tuple) else (fn(real),)
        for inferred, array in zip(results, arrays):
            assert inferred.ndim == array.ndim
            assert inferred.shape[0] is None
            assert all(i in (None, r) for i, r in zip(inferred.shape, array.shape))


def test_known_dimensions_stay_known():
    x = Symbol((None, None, 4))
    assert (x @ np.ones((4, 7), "float32")).shape == (None, None, 7)
    assert x[:, -1].shape == (None, 4)
    assert infer(lambda a: a.reshape(-1, 8), (x,), {}).shape == [None, 8]


def test_a_graph_computes_what_its_operations_say():
    a, b = Symbol((None, 2)), Symbol((None, 2))
    graph = Graph([a, b], {"sum": a + b, "difference": (a - b) * 2})
    result = graph(jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    assert result["sum"].tolist() == [[4.0, 7.0]]
    assert result["difference"].tolist() == [[-4.0, -6.0]]


def test_an_inner_symbol_can_be_fed():
    a = Symbol((None,))
    middle = a * 3
    assert Graph([middle], middle + 1)(jnp.array([1.0])).tolist() == [2.0]


def test_a_missing_input_is_named():
    a, b = Symbol((None,), name="left"), Symbol((None,), name="right")
    with pytest.raises(ValueError, match="Graph disconnected.*right"):
        Graph([a], a + b)


def test_a_symbol_has_no_value():
    x = Symbol((None, 3))
    for use in (bool, float, np.asarray):
        with pytest.raises(TypeError, match="no value"):
            use(x)
    with pytest.raises(TypeError, match="no known length"):
        iter(x)
    assert not hasattr(x, "__len__")


def test_arithmetic_with_arrays_on_the_left():
    x = Symbol((None, 3))
    for left in (jnp.ones(3), np.ones(3, "float32"), 2.0):
        y = left * x
        assert y.shape == (None, 3)
        assert Graph([x], y)(jnp.ones((1, 3))).tolist() == (np.ones((1, 3)) * np.asarray(left)).tolist()


def test_masks_travel_with_arrays_and_leave_no_garbage():
    gc.collect()  # what other tests have left
    x = jnp.ones((2, 3))
    mask = jnp.array([[True, False, True]] * 2)
    set_mask(x, mask)
    assert get_mask(x) is mask
    assert get_mask(jnp.ones((2, 3))) is None
    before = len(masks)
    del x
    gc.collect()
    assert len(masks) == before - 1
