"""The blocks of code that Keras 3 offers: other values, other names, other devices, less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import oneiros as keras
from oneiros.core import in_symbolic_scope


def test_a_stateless_scope_keeps_what_is_assigned():
    v, w = keras.Variable(1.0), keras.Variable([2.0])
    with keras.StatelessScope([(v, 3.0)]) as scope:
        w.assign(v * 2 + w)
        scope.add_update((v, 9))
        assert float(v) == 9.0
    assert (float(v), w.numpy().tolist()) == (1.0, [2.0])
    assert scope.get_current_value(w).tolist() == [8.0]
    assert scope.get_current_value(keras.Variable(0.0)) is None
    with pytest.raises(ValueError, match="pairs of a Variable"):
        keras.StatelessScope([(1, 2)])
    with pytest.raises(ValueError, match="has the shape"):
        keras.StatelessScope([(v, [1.0, 2.0])])


def test_a_stateless_scope_collects_losses():
    layer = keras.layers.ActivityRegularization(l2=0.5)
    with keras.StatelessScope(collect_losses=True) as scope:
        layer(np.ones((1, 4), "float32"))
        scope.add_loss(7.0)
    assert [float(loss) for loss in scope.losses] == [2.0, 7.0]
    with keras.StatelessScope() as scope:
        layer(np.ones((1, 4), "float32"))
    assert scope.losses == []


def test_a_stateless_scope_under_jit_and_grad():
    v = keras.Variable(3.0)

    @jax.jit
    @jax.grad
    def gradient(value):
        with keras.StatelessScope([(v, value)]):
            v.assign(v * v)
            return v.value * 2

    assert float(gradient(jnp.array(5.0))) == 20.0
    assert float(v) == 3.0


def test_symbolic_scopes():
    found = []

    class Asks(keras.layers.Layer):
        def call(self, x):
            found.append(in_symbolic_scope())
            return x

    Asks()(keras.Input((2,)))
    Asks()(np.ones((1, 2)))
    assert set(found[:-1]) == {True} and not found[-1]


def test_name_scopes():
    with keras.name_scope("outer"), keras.name_scope("inner"):
        dense = keras.layers.Dense(2, name="d")
        dense.build((None, 3))
        assert keras.Variable(1.0, name="v").path == "outer/inner/v"
    assert dense.kernel.path == "outer/inner/d/kernel"
    assert keras.Variable(1.0, name="v").path == "v"
    for name in ("", "a/b", 3):
        with pytest.raises(ValueError, match="name_scope"):
            keras.name_scope(name)


def test_devices():
    with keras.device("CPU:0"):
        assert jnp.ones(2).device == jax.devices("cpu")[0]
    for name in ("cpu:99", "toaster", "cpu:x"):
        with pytest.raises(ValueError, match="device: expected one of"):
            keras.device(name)


def test_remat_keeps_values_gradients_and_writes():
    norm, calls = keras.layers.BatchNormalization(momentum=0.5), []
    x = np.random.RandomState(0).randn(16, 3).astype("float32")
    norm.build(x.shape)

    def block(x, training):
        calls.append(training)
        return jnp.sum(norm(x, training=training) ** 3)

    before = norm.moving_mean.numpy()
    value, gradient = jax.value_and_grad(lambda x: block(x, True))(x)
    norm.moving_mean.assign(before)

    remat = keras.remat(block)
    again, gradient_again = jax.value_and_grad(lambda x: remat(x, training=True))(x)
    np.testing.assert_allclose(again, value, rtol=1e-6)
    np.testing.assert_allclose(gradient_again, gradient, rtol=1e-5, atol=1e-6)
    norm.moving_mean.assign(before)
    remat(x, training=True)
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.5 * before + 0.5 * x.mean(0), rtol=1e-5, atol=1e-6)
    assert all(training is True for training in calls)
