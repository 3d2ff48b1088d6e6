"""Variables, and the functions that carry them through JAX."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oneiros.core import Scope, Variable, autocast, compiled, repeat, scan, value_and_grad
from oneiros.core import variable as variable_module


def test_compiled_discovers_what_is_read_and_written():
    scale, total = Variable(3.0), Variable(0.0)

    @compiled
    def add(x):
        total.assign_add(x * scale)
        return total.value

    assert float(add(2.0)) == 6.0
    scale.assign(10.0)  # read anew at each call, not a constant of the first trace
    assert float(add(1.0)) == 16.0
    assert float(total) == 16.0


def test_a_variable_made_while_tracing_keeps_its_value():
    made = []

    @compiled
    def count():
        if not made:
            made.append(Variable(5.0))
        return made[0].assign_add(1.0).value

    assert [float(count()), float(count())] == [6.0, 7.0]


def test_an_exception_while_tracing_changes_nothing():
    v = Variable(1.0)

    @compiled
    def fail(x):
        v.assign(x)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail(2.0)
    assert float(v) == 1.0


def test_an_exception_while_running_can_be_undone():
    v = Variable(1.0)

    def explode(x):
        raise ValueError("at run time")

    @compiled
    def fail(x):
        v.assign_add(jax.pure_callback(explode, jax.ShapeDtypeStruct((), "float32"), x))
        return v.value

    fail._set_variables([v], [])
    before = fail.snapshot()
    with pytest.raises(Exception, match="at run time"):  # noqa: PT011 - JAX's own class
        jax.block_until_ready(fail(jnp.float32(2.0)))
    fail.restore(before)
    assert float(v) == 1.0


def test_repeat_carries_state_also_after_variables_were_discovered():
    w, seen = Variable(2.0), Variable(0.0)

    def step(x):
        seen.assign_add(x * w)
        return seen.value

    many = compiled(lambda count, xs: repeat(step, count, xs), variables=[seen])
    xs = jnp.arange(1.0, 5.0)
    assert float(many(np.int32(3), xs)) == 12.0
    assert float(many(np.int32(2), xs)) == 18.0
    assert float(seen) == 18.0


def test_value_and_grad_agrees_with_the_closed_form_and_keeps_writes():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    w, calls = Variable(rng.normal(size=3)), Variable(0, dtype="int32")

    def loss():
        calls.assign_add(1)
        residual = x @ w - y
        return jnp.mean(residual**2), residual

    (value, aux), (gradient,) = compiled(lambda: value_and_grad(loss, [w], has_aux=True)())()
    residual = x @ np.asarray(w) - y
    np.testing.assert_allclose(value, np.mean(residual**2), rtol=1e-5)
    np.testing.assert_allclose(aux, residual, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradient, 2 * x.T @ residual / 8, rtol=1e-5)
    assert int(calls) == 1


def test_scan_reads_and_writes_variables():
    total = Variable(0.0)

    def step(carry, x):
        total.assign_add(x)
        return carry * 2, total.value

    carry, ys = compiled(lambda xs: scan(step, 1.0, xs))(jnp.arange(4.0))
    assert float(carry) == 16.0
    assert ys.tolist() == [0.0, 1.0, 3.0, 6.0]
    assert float(total) == 6.0


def test_two_threads_have_scopes_of_their_own():
    variables = [Variable(0.0), Variable(0.0)]
    barrier = threading.Barrier(2)

    def work(v, amount):
        @compiled
        def add(x):
            barrier.wait(timeout=20) if isinstance(x, jax.core.Tracer) and len(add._program[1]) else None
            return v.assign_add(x).value

        add._set_variables([v], [])
        for _ in range(50):
            add(amount)

    threads = [threading.Thread(target=work, args=(v, k + 1.0)) for k, v in enumerate(variables)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [float(v) for v in variables] == [50.0, 100.0]


def test_arithmetic_with_arrays_numpy_and_variables():
    v, other = Variable([1.0, 2.0]), Variable([10.0, 20.0])
    assert (np.ones(2) + v).tolist() == [2.0, 3.0]
    assert (v * other).tolist() == [10.0, 40.0]
    assert (1 - v).tolist() == [0.0, -1.0]
    assert jnp.where(True, v, 0).tolist() == [1.0, 2.0]
    assert float(jnp.sum(v)) == 3.0
    assert (v > 1).tolist() == [False, True]
    assert v.mean() == 1.5


def test_shapes_and_types_are_kept():
    v = Variable(np.zeros((2, 3), "float32"), name="kernel")
    with pytest.raises(ValueError, match=r"kernel is \(2, 3\). Received a value of shape \(3,\)"):
        v.assign(np.zeros(3))
    v.assign(np.ones((2, 3), "float64"))
    assert v.dtype == "float32"
    array = np.zeros(3)
    v = Variable(array)
    array[:] = 7
    assert v.numpy().tolist() == [0, 0, 0], "a variable shares no memory with what it was made from"


def test_assigning_under_a_foreign_trace_is_an_error():
    v = Variable(0.0)
    with pytest.raises(ValueError, match="compiled"):
        jax.jit(lambda x: v.assign(x).value)(1.0)
    assert float(v) == 0.0


def test_autocast_changes_what_is_read_only():
    v = Variable([1.0])
    with autocast("bfloat16"):
        assert v.value.dtype == jnp.bfloat16
        assert v.raw.dtype == jnp.float32
    with Scope():
        v.assign([2.0])
        assert float(v.value[0]) == 2.0
    assert float(v.value[0]) == 1.0, "writes inside a scope stay inside"


def test_compiled_inside_jaxs_own_transformations():
    factor, calls = Variable(2.0), Variable(0.0)
    scaled = compiled(lambda x: x * factor.value)
    assert float(jax.jit(lambda x: scaled(x) + scaled(1.0))(3.0)) == 8.0
    assert float(jax.grad(lambda x: scaled(x))(3.0)) == 2.0
    np.testing.assert_array_equal(jax.vmap(lambda x: scaled(x))(jnp.arange(3.0)), [0.0, 2.0, 4.0])
    assert float(jax.jit(jax.grad(lambda x: scaled(x)))(3.0)) == 2.0
    assert float(scaled(3.0)) == 6.0
    counting = compiled(lambda x: calls.assign_add(x).value)
    with pytest.raises(ValueError, match="was assigned inside jax.jit"):
        jax.jit(lambda x: counting(x))(1.0)
    assert float(calls) == 0.0


@pytest.fixture
def donating(monkeypatch):
    """Old values are given up for the memory of new ones, as on accelerators."""
    monkeypatch.setattr(variable_module, "_donates", lambda: True)


def test_donation_leaves_the_arrays_that_a_user_holds(donating):
    v, other = Variable(jnp.arange(4.0)), Variable(jnp.ones(4))

    @compiled
    def step(x):
        v.assign(v * 2 + x)
        other.assign_add(v)
        return v.value.sum()

    held = [v.value]
    for _ in range(3):
        step(1.0)
        held.append(v.value)
    for count, array in enumerate(held):  # v doubles and grows by one each time
        np.testing.assert_allclose(array, 2.0**count * (np.arange(4) + 1) - 1)
    np.testing.assert_allclose(other, 1 + np.array([np.asarray(a) for a in held[1:]]).sum(0))


def test_donation_gives_old_memory_up(donating):
    v = Variable(jnp.arange(4.0))
    step = compiled(lambda: v.assign_add(1.0).value.sum())
    step()
    old = v._value  # looked at from inside: nobody outside holds it
    step()
    assert old.is_deleted()
    np.testing.assert_allclose(v, np.arange(4) + 2.0)
    assert step.snapshot() == []  # what is gone cannot be put back


def test_with_donation_variables_survive_what_fails_before_the_computation(donating):
    v = Variable(jnp.arange(4.0))

    @compiled
    def step(x):
        v.assign_add(x)

    step(jnp.ones(4))
    with pytest.raises(Exception, match="shape"):
        step(jnp.ones(3))
    np.testing.assert_allclose(v, np.arange(4) + 1.0)
    step(jnp.ones(4))
    np.testing.assert_allclose(v, np.arange(4) + 2.0)


def test_variables_that_keep_their_type():
    with autocast("bfloat16"):
        kept = Variable([1.0], autocast=False, aggregation="mean", synchronization="auto", layout=None)
        assert kept.value.dtype == jnp.float32 and Variable([1.0]).value.dtype == jnp.bfloat16
