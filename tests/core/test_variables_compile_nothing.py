"""Making weights compiles no programs, and their arrays are the variable's own."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import oneiros as keras
from oneiros.core import Variable


@pytest.fixture
def compiled(caplog):
    """The names of programs that were compiled so far."""
    with jax.log_compiles(), caplog.at_level("WARNING"):
        yield lambda: [r.getMessage() for r in caplog.records if r.getMessage().startswith("Compiling")]


def test_weights_of_new_shapes(compiled):
    Variable(np.zeros((1,), "float32"))  # JAX has a program of its own for the first array of a process
    before = len(compiled())
    keras.layers.LSTM(17).build((None, 5, 19))
    keras.layers.LSTM(17, unit_forget_bias=False).build((None, 5, 23))
    keras.layers.Conv2D(13, 3).build((None, 9, 9, 11))
    keras.layers.Dense(29, kernel_initializer="orthogonal").build((None, 31))
    assert compiled()[before:] == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool", "bfloat16"])
@pytest.mark.parametrize("through", [np.asarray, jnp.asarray])
def test_a_variable_owns_its_memory(dtype, through):
    source = np.zeros(1024, ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)  # as large as those JAX would share
    variable = Variable(through(source))
    source[:] = 1
    assert not np.asarray(variable.stored).any()


def test_wide_numbers_are_rounded_as_jax_does_it():
    values = np.random.default_rng(0).standard_normal(1000)
    for dtype in ("float32", "bfloat16", "float16"):
        expected = jnp.asarray(values, dtype)
        np.testing.assert_array_equal(np.asarray(Variable(values, dtype=dtype).stored), np.asarray(expected))
    assert Variable(np.array([2**40 + 3]), dtype="int32").numpy().tolist() == [3]


def test_keys_and_weak_types_still_work():
    assert Variable(jnp.asarray(1.0)).stored.dtype == jnp.float32
    key = jax.random.key(0)
    assert jax.random.key_data(Variable(jax.random.key_data(key)).stored).tolist() == jax.random.key_data(key).tolist()
