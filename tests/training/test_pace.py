"""When steps are dispatched many at a time, and when that is given up."""

import numpy as np

import oneiros as keras
from oneiros.training.pace import Pace


def step(): ...


def loop(): ...


def pace_that_loops(single=0.001):
    pace = Pace()
    pace.measured(step, 1, 0.5)
    pace.measured(step, 10_000, 10_000 * single)
    assert pace.many
    pace.measured(loop, 10, 0.5, looped=True)
    return pace


def test_a_loop_is_compiled_once_it_would_have_paid():
    pace = Pace()
    pace.measured(step, 1, 0.5)
    for _ in range(49):
        pace.measured(step, 100, 0.05)
        assert not pace.many
    pace.measured(step, 100, 0.05)
    assert pace.many


def test_long_steps_are_never_looped():
    pace = Pace()
    pace.measured(step, 1, 0.5)
    pace.measured(step, 100_000, 200.0)
    assert not pace.many


def test_a_loop_that_is_slower_is_given_up_for_good():
    pace = pace_that_loops()
    for _ in range(3):
        assert pace.many
        pace.measured(loop, 100, 0.4, looped=True)
    assert not pace.many
    pace.measured(step, 100_000, 100.0)
    assert not pace.many


def test_a_loop_that_is_faster_is_kept_though_some_measurements_are_off():
    pace = pace_that_loops()
    pace.measured(step, 1, 1e-6)  # nothing was left to wait for
    for seconds in (0.02, 0.15, 0.02, 0.02):
        pace.measured(loop, 100, seconds, looped=True)
    assert pace.many


def test_a_short_training_compiles_one_step():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((80, 3)), np.ones((80, 2)), batch_size=4, verbose=0)
    steps = model.training_state.steps.train
    assert "one" in vars(steps) and "many" not in vars(steps)
