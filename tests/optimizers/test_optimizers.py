"""Optimizers against NumPy, against Keras 3.15 (`keras3`) and tf_keras.optimizers.legacy (`keras2` in golden.json)."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from oneiros import core, optimizers
from oneiros.core.config import behaviour
from oneiros.core.deferred import active
from oneiros.core.errors import InputDataError
from oneiros.optimizers import schedules

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
START = [np.array(w, "float32") for w in GOLDEN["start"]]
GRADIENTS = [[np.array(g, "float32") for g in step] for step in GOLDEN["gradients"]]


def make(expression):
    return eval(f"optimizers.{expression}", {"optimizers": optimizers, "schedules": schedules})


def variables(count=3):
    return [core.Variable(w, name=name) for w, name in zip(START[:count], ("kernel", "bias", "conv"))]


def train(optimizer, count=3, steps=GRADIENTS, compiled=True):
    trained = variables(count)
    optimizer.build(trained)
    step = (core.compiled if compiled else lambda f: f)(lambda gradients: optimizer.apply(gradients, trained))
    for gradients in steps:
        step([jnp.asarray(g) for g in gradients[:count]])
    return [v.numpy() for v in trained]


@pytest.mark.parametrize("expression", GOLDEN["keras3"])
def test_as_keras_3(expression):
    for result, expected in zip(train(make(expression)), GOLDEN["keras3"][expression]):
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=5e-6)


@pytest.mark.parametrize("expression", GOLDEN["keras2"])
def test_as_keras_2(expression, monkeypatch):
    monkeypatch.setattr(behaviour, "optimizer_formulas", "keras2")
    for result, expected in zip(train(make(expression), 2), GOLDEN["keras2"][expression]):
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=5e-6)


# One update each, in NumPy: (w, g, state, t) -> w, where state is a dictionary of zeros by default.
def sgd(w, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) - 0.1 * g
    return w + 0.9 * s["m"] - 0.1 * g


def rmsprop(w, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    return w - 0.1 * g / np.sqrt(s["v"] + 1e-7)


def adagrad(w, g, s, t):
    s["v"] = s.get("v", 0.1) + g**2
    return w - 0.1 * g / np.sqrt(s["v"] + 1e-7)


def adadelta(w, g, s, t):
    s["v"] = 0.95 * s.get("v", 0) + 0.05 * g**2
    change = np.sqrt(s.get("d", 0) + 1e-7) / np.sqrt(s["v"] + 1e-7) * g
    s["d"] = 0.95 * s.get("d", 0) + 0.05 * change**2
    return w - 0.5 * change


def moments(g, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g**2
    return s["m"] / (1 - 0.9**t), np.sqrt(s["v"] / (1 - 0.999**t))


def adam(w, g, s, t):
    m, root = moments(g, s, t)
    return w - 0.1 * m / (root + 1e-7)


def adamw(w, g, s, t):
    return adam(w * (1 - 0.1 * 0.004), g, s, t)


def adamax(w, g, s, t):
    m, _ = moments(g, s, t)
    s["u"] = np.maximum(0.999 * s.get("u", 0), np.abs(g))
    return w - 0.1 * m / (s["u"] + 1e-7)


def nadam(w, g, s, t):
    _, root = moments(g, s, t)
    u = [0.9 * (1 - 0.5 * 0.96**k) for k in range(1, t + 2)]
    ahead = u[t] * s["m"] / (1 - np.prod(u)) + (1 - u[t - 1]) * g / (1 - np.prod(u[:t]))
    return w - 0.1 * ahead / (root + 1e-7)


def lion(w, g, s, t):
    direction = np.sign(0.9 * s.get("m", 0) + 0.1 * g)
    s["m"] = 0.99 * s.get("m", 0) + 0.01 * g
    return w - 0.1 * direction


def lamb(w, g, s, t):
    m, root = moments(g, s, t)
    change = m / (root + 1e-7)
    return w - 0.1 * np.linalg.norm(w) / np.linalg.norm(change) * change


def ftrl(w, g, s, t):
    before = s.get("n", 0.1)
    s["n"] = before + g**2
    s["z"] = s.get("z", 0) + g - (np.sqrt(s["n"]) - np.sqrt(before)) / 0.1 * w
    return -s["z"] / (np.sqrt(s["n"]) / 0.1)


def adafactor(w, g, s, t):
    beta = 1 - t**-0.8
    square = g**2 + 1e-30
    if g.ndim < 2:
        s["v"] = beta * s.get("v", 0) + (1 - beta) * square
        v = s["v"]
    else:
        s["r"] = beta * s.get("r", 0) + (1 - beta) * square.mean(-1, keepdims=True)
        s["c"] = beta * s.get("c", 0) + (1 - beta) * square.mean(-2, keepdims=True)
        v = s["r"] * s["c"] / s["r"].mean(-2, keepdims=True)
    change = g / np.sqrt(v)
    rate = max(1e-3, np.sqrt((w**2).mean())) * min(0.1, t**-0.5)
    return w - rate * change / max(1, np.sqrt((change**2).mean()))


def muon(w, g, s, t):
    if w.ndim != 2:
        return adamw(w, g, s, t)
    w = w * (1 - 0.1 * 0.004)
    s["b"] = 0.95 * s.get("b", 0) + g
    x = g + 0.95 * s["b"]
    x = x / np.linalg.norm(x)
    for _ in range(5):
        x = 3.4445 * x - 4.775 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
    return w - 0.1 * 0.2 * np.sqrt(max(w.shape)) * x


def schedule_free(w, g, s, t):
    s["z"] = s.get("z", w)
    x = (w - 0.1 * s["z"]) / 0.9
    _, root = moments(g, s, t)
    s["z"] = s["z"] - 0.1 * g / (root + 1e-8)
    x = (1 - 1 / t) * x + s["z"] / t
    return 0.9 * x + 0.1 * s["z"]


RULES = {
    "SGD(0.1, momentum=0.9, nesterov=True)": sgd,
    "RMSprop(0.1)": rmsprop,
    "Adagrad(0.1)": adagrad,
    "Adadelta(0.5)": adadelta,
    "Adam(0.1)": adam,
    "AdamW(0.1)": adamw,
    "Adamax(0.1)": adamax,
    "Nadam(0.1)": nadam,
    "Lion(0.1)": lion,
    "Lamb(0.1)": lamb,
    "Ftrl(0.1)": ftrl,
    "Adafactor(0.1)": adafactor,
    "Muon(0.1)": muon,
    "ScheduleFreeAdamW(0.1)": schedule_free,
}


@pytest.mark.parametrize("expression", RULES)
def test_as_numpy(expression):
    expected = []
    for i, w in enumerate(START):
        w, state = w.astype("float64"), {}
        for t, gradients in enumerate(GRADIENTS, 1):
            w = RULES[expression](w, gradients[i].astype("float64"), state, t)
        expected.append(w)
    for result, w in zip(train(make(expression)), expected):
        np.testing.assert_allclose(result, w, rtol=1e-4, atol=2e-5)


WRAPPERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "OptaxOptimizer", "TFOptimizer"}


def test_every_class_has_a_row():
    classes = {c.__name__ for c in core.kind("optimizer").objects.values()}
    assert classes - WRAPPERS == {e.split("(")[0] for e in RULES}
    assert {e.split("(")[0] for e in RULES} <= {e.split("(")[0] for e in GOLDEN["keras3"]}


@pytest.mark.parametrize("expression", GOLDEN["schedules"])
def test_schedules(expression):
    schedule = eval(f"schedules.{expression}")
    steps = np.array([0, 1, 3, 4, 5, 7, 8, 10, 14, 15, 25, 36])
    np.testing.assert_allclose(
        [float(schedule(s)) for s in steps], GOLDEN["schedules"][expression], rtol=2e-5, atol=1e-7
    )


def test_eager_equals_compiled():
    for expression in ("Nadam(0.1)", "SGD(0.1, gradient_accumulation_steps=2)"):
        for a, b in zip(train(make(expression), 1, compiled=False), train(make(expression), 1)):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_learning_rate():
    optimizer = optimizers.SGD(0.5)
    assert optimizer.lr is optimizer.learning_rate
    optimizer.learning_rate.assign(0.25)
    optimizer.lr = 0.125
    assert float(optimizer.learning_rate) == 0.125
    assert optimizers.SGD(lr=0.5).get_config()["learning_rate"] == 0.5
    w = core.Variable([1.0])
    step = core.compiled(lambda: optimizer.apply([jnp.ones(1)], [w]))
    optimizer.build([w])
    step()
    optimizer.learning_rate = 1.0  # acts without a new compilation
    step()
    assert w.numpy().tolist() == [-0.125]
    scheduled = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    train(scheduled, 1, GRADIENTS[:2])
    assert float(scheduled.learning_rate) == 0.5
    with pytest.raises(TypeError, match="not settable"):
        scheduled.learning_rate = 0.1
    again = optimizers.get(json.loads(json.dumps(optimizers.serialize(scheduled))))
    assert again.get_config() == scheduled.get_config()
    assert float(optimizers.SGD(lambda: 0.3).learning_rate) == 0.3


def test_decay_of_keras_2():
    optimizer = optimizers.SGD(lr=0.1, decay=0.5)
    w = core.Variable([0.0])
    for _ in range(3):
        optimizer.apply([jnp.ones(1)], [w])
    assert w.numpy()[0] == pytest.approx(-0.1 * (1 + 1 / 1.5 + 1 / 2))
    assert optimizer.get_config()["decay"] == 0.5


def test_clipnorm_of_keras_2_is_of_all_gradients(monkeypatch):
    monkeypatch.setattr(behaviour, "optimizer_formulas", "keras2")
    result = train(optimizers.SGD(1.0, clipnorm=0.5), 2, GRADIENTS[:1])
    norm = np.sqrt(sum((g**2).sum() for g in GRADIENTS[0][:2]))
    for w, start, g in zip(result, START, GRADIENTS[0]):
        np.testing.assert_allclose(w, start - g * 0.5 / norm, rtol=1e-5, atol=1e-6)


def test_state():
    optimizer = optimizers.Adam(amsgrad=True)
    before = train(optimizer, 2, GRADIENTS[:2])
    assert optimizer.slot_names == ["momentum", "velocity", "velocity_hat"]
    slots = [f"{optimizer.name}/{v}_{s}" for v in ("kernel", "bias") for s in optimizer.slot_names]
    assert [v.path for v in optimizer.variables] == [
        f"{optimizer.name}/{s}" for s in ("iteration", "learning_rate")
    ] + slots
    assert int(optimizer.iterations) == 2
    other = optimizers.Adam(amsgrad=True)
    trained = [core.Variable(w) for w in before]
    other.build(trained)
    store = {}
    optimizer.save_own_variables(store)
    other.load_own_variables(store)
    other.apply([jnp.asarray(g) for g in GRADIENTS[2][:2]], trained)
    for a, b in zip(train(optimizers.Adam(amsgrad=True), 2, GRADIENTS[:3]), trained):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="expected 8 arrays"):
        other.set_weights(other.get_weights()[:-1])


def test_constraints_missing_gradients_and_errors():
    a = core.Variable([1.0], constraint=lambda w: jnp.maximum(w, 0))
    b = core.Variable([1.0], name="b")
    optimizer = optimizers.SGD(2.0)
    with pytest.warns(UserWarning, match="b"):
        optimizer.apply_gradients([(jnp.ones(1), a), (None, b)])
    assert (a.numpy()[0], b.numpy()[0]) == (0, 1)
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], [a, b])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([jnp.ones(1)], [core.Variable([1.0])])
    with pytest.raises(ValueError, match="only one of"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises((ValueError, TypeError), match="colour"):
        optimizers.SGD(colour=1)


def test_weight_decay_exclusion_and_minimize():
    a, b = core.Variable([1.0], name="kernel"), core.Variable([1.0], name="bias")
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.minimize(lambda: jnp.sum(a.value * b.value), [a, b])
    assert (a.numpy()[0], b.numpy()[0]) == (0.25, 0.5)


def test_moving_average_is_put_in_at_the_end():
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    w = core.Variable([0.0])
    for _ in range(3):
        optimizer.apply([-jnp.ones(1)], [w])
    optimizer.finalize_variable_values([w])
    assert w.numpy()[0] == pytest.approx(((1 + 2) / 2 + 3) / 2)


def test_stateless_apply():
    optimizer, (w,) = optimizers.Adam(0.1), variables(1)
    optimizer.build([w])
    values, state = optimizer.stateless_apply([v.value for v in optimizer.variables], [jnp.ones(w.shape)], [w.value])
    assert (w.numpy() == START[0]).all()
    np.testing.assert_allclose(values[0], START[0] - 0.1, rtol=1e-4, atol=1e-4)
    assert int(state[0]) == 1


def test_loss_scale():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=2)
    w = core.Variable([0.0])
    optimizer.build([w])
    step = core.compiled(lambda g: optimizer.apply([g * optimizer.dynamic_scale], [w]))
    seen = []
    for g in (1.0, np.nan, 1.0, 1.0, 1.0):
        step(jnp.full(1, g))
        seen.append((float(optimizer.dynamic_scale), int(optimizer.iterations), round(float(w.numpy()[0]), 5)))
    assert seen == [(8, 1, -0.1), (4, 1, -0.1), (4, 2, -0.2), (8, 3, -0.3), (8, 4, -0.4)]
    assert float(optimizer.scale_loss(jnp.asarray(2.0))) == 16


def test_multi_optimizer():
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD(0.1), {"bias": optimizers.Lion(0.1)}))
    result = train(optimizer, 2, GRADIENTS[:1])
    np.testing.assert_allclose(result[0], START[0] - 0.1 * GRADIENTS[0][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result[1], START[1] - 0.1 * np.sign(GRADIENTS[0][1]), rtol=1e-5, atol=1e-6)
    assert len(optimizer.optimizers) == 2


class Transformation(NamedTuple):  # as Optax has them
    init: Any
    update: Any


def test_optax():
    def update(gradients, state, params):
        total = [g + s for g, s in zip(gradients, state["sum"])]
        return [-0.1 * t for t in total], {"sum": total, "count": state["count"] + 1}

    start = Transformation(lambda params: {"sum": [jnp.zeros_like(p) for p in params], "count": jnp.array(0)}, update)
    optimizer = optimizers.get(start)
    expected = START[0] - 0.1 * sum((3 - i) * GRADIENTS[i][0] for i in range(3))
    np.testing.assert_allclose(train(optimizer, 1, GRADIENTS[:3])[0], expected, rtol=1e-5, atol=1e-5)


class Momentum2(optimizers.Optimizer):  # as programs for Keras 2 write them; K.update gives such pairs while deferring
    def __init__(self, lr=0.1, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.iterations = core.Variable(np.zeros((), "int32"), name="iterations")
        self.lr = core.Variable(lr, name="lr")
        self.momentum = momentum

    def get_updates(self, loss, params):
        gradients = self.get_gradients(loss, params)
        assert active()
        self.updates = [(self.iterations, self.iterations + 1)]
        moments = [core.Variable(np.zeros(p.shape, "float32")) for p in params]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, gradients, moments):
            v = self.momentum * m - self.lr * g / (self.iterations + 1)
            self.updates += [(m, v), (p, p + v)]
        return self.updates


class Momentum1(Momentum2):
    def get_updates(self, params, constraints, loss):
        return super().get_updates(loss, params)


class Wrapper(optimizers.Optimizer):  # as reinforcement learning libraries wrap optimizers
    def __init__(self, optimizer):
        super().__init__()
        self.optimizer = optimizer

    def get_updates(self, params, loss):
        return self.optimizer.get_updates(params=params, loss=loss)


class Keras3Style(optimizers.Optimizer):
    def build(self, variables):
        super().build(variables)
        self.moments = [self.add_variable_from_reference(v, "moment") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        m = self.moments[self._get_variable_index(variable)]
        self.assign(m, 0.9 * m - learning_rate * gradient / self._step())
        self.assign_add(variable, m)


@pytest.mark.parametrize("make_own", [Momentum2, Momentum1, lambda: Wrapper(Momentum2()), lambda: Keras3Style(0.1)])
@pytest.mark.parametrize("compiled", [True, False])
def test_own_optimizers(make_own, compiled):
    expected = []
    for i in range(2):
        w, m = START[i], 0
        for t, gradients in enumerate(GRADIENTS, 1):
            m = 0.9 * m - 0.1 * gradients[i] / t
            w = w + m
        expected.append(w)
    optimizer = make_own()
    for a, b in zip(train(optimizer, 2, compiled=compiled), expected):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_symbolic_updates():
    from oneiros import ops

    x, w = core.Symbol((None, 2)), core.Variable([1.0, 2.0])
    loss = ops.sum(ops.square(ops.multiply(x, w)))
    updates = optimizers.SGD(0.5).get_updates(loss, [w])
    values = core.Graph([x], [value for _, value in updates])(jnp.ones((3, 2)))
    by_variable = dict(zip((v for v, _ in updates), values))
    assert by_variable[w].tolist() == [1 - 0.5 * 6, 2 - 0.5 * 12]
    assert w.numpy().tolist() == [1, 2]


def test_get():
    assert type(optimizers.get("RMSprop")) is type(optimizers.get("rmsprop")) is optimizers.RMSprop
    assert optimizers.get({"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.1, "momentum": 0.9}}).momentum == 0.9
    with pytest.raises(ValueError, match="optimizer"):
        optimizers.get(3)
    norm = np.float32(5.0)
    np.testing.assert_allclose(optimizers.clip_norm(jnp.array([3.0, 4.0]), 1.0, norm), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("rate", ["fast", None, [0.1, 0.2]])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(InputDataError, match="SGD: learning_rate: expected a number"):
        optimizers.SGD(learning_rate=rate)


def test_an_optimizer_of_the_users_own_may_have_its_name_first():
    class Halving(optimizers.Optimizer):
        def __init__(self, name="Halving"):
            super().__init__(name)

        def update_step(self, gradient, variable, learning_rate):
            variable.assign(variable / 2)

    assert Halving().name == "Halving"
