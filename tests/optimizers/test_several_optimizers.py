"""Optimizers of groups of variables, alone, under loss scaling, and steered by callbacks."""

import numpy as np
import pytest

import oneiros as keras
from oneiros.optimizers import SGD, Adam, Ftrl, LossScaleOptimizer, MultiOptimizer, Muon, OptimizerMap


def two_rates(**options):
    first, second = SGD(0.1, **options), SGD(0.01)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, name="low"), keras.layers.Dense(1, name="high")])
    model.compile(MultiOptimizer(OptimizerMap(second, {"low/": first})), "mse")
    return model, first, second


def test_the_scheduler_sets_every_rate():
    model, first, second = two_rates()
    history = model.fit(
        np.ones((2, 1)),
        np.ones((2, 1)),
        verbose=0,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda e, r: r / 2)],
    )
    assert np.allclose([float(first.learning_rate), float(second.learning_rate)], [0.05, 0.005])
    rates = [
        history.history[f"learning_rate_{o.name}"][0] for o in (first, second) if o.name != second.name or o is first
    ]
    assert np.allclose(rates[0], 0.05)


def test_the_plateau_reduces_every_rate_once():
    model, first, second = two_rates()
    callback = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_end(epoch, {"val_loss": 1.0})
    assert np.allclose([float(first.learning_rate), float(second.learning_rate)], [0.05, 0.005])


def test_averages_are_swapped_where_an_optimizer_keeps_them():
    model, first, _ = two_rates(use_ema=True)
    model.train_on_batch(np.ones((2, 1)), np.ones((2, 1)))
    before = [w.copy() for w in model.get_weights()]
    first.averages[0][1].assign([[7.0, 8.0]])
    callback = keras.callbacks.SwapEMAWeights()
    callback.set_model(model)
    callback.on_test_begin()
    assert np.allclose(model.get_weights()[0], [[7.0, 8.0]])
    assert np.array_equal(model.get_weights()[2], before[2])
    callback.on_test_end()
    assert np.array_equal(model.get_weights()[0], before[0])


def test_a_map_lists_all_its_optimizers_and_is_called_with_variables():
    adam, sgd = Adam(), SGD()
    choice = OptimizerMap(sgd, {"a": adam})
    assert MultiOptimizer(choice).optimizers == [adam, sgd]
    variable = keras.Variable([1.0], name="a")
    assert choice(variable) is adam
    with pytest.raises(ValueError, match="optimizer cannot be LossScaleOptimizer"):
        choice["b"] = LossScaleOptimizer(SGD())
    with pytest.raises(ValueError, match="optimizer cannot be MultiOptimizer"):
        OptimizerMap(sgd, {"b": MultiOptimizer(choice)})


def test_the_loss_has_one_scale():
    variable = keras.Variable([2.0])
    inner = MultiOptimizer(OptimizerMap(SGD(0.1, loss_scale_factor=3.0)), loss_scale_factor=5.0)
    optimizer = LossScaleOptimizer(inner, initial_scale=10.0)
    optimizer.build([variable])
    assert float(optimizer.scale_loss(2.0)) == 20.0
    optimizer.apply([np.array([10.0], "float32")], [variable])
    assert np.allclose(variable.numpy(), 1.9)
    alone = MultiOptimizer(OptimizerMap(SGD(0.1, loss_scale_factor=3.0)), loss_scale_factor=5.0)
    variable = keras.Variable([2.0])
    alone.apply([np.array([5.0], "float32")], [variable])
    assert np.allclose(variable.numpy(), 1.9)


@pytest.mark.parametrize("argument", ["weight_decay", "clipnorm", "clipvalue", "ema_overwrite_frequency"])
def test_loss_scaling_refuses_what_only_the_inner_optimizer_can_do(argument):
    with pytest.raises(ValueError, match=f"Set {argument} on the `inner_optimizer`"):
        LossScaleOptimizer(SGD(), **{argument: 2})
    LossScaleOptimizer(SGD(), **{argument: None})


@pytest.mark.parametrize(
    "argument", ["l1_regularization_strength", "l2_regularization_strength", "l2_shrinkage_regularization_strength"]
)
def test_ftrl_refuses_negative_penalties(argument):
    with pytest.raises(ValueError, match=f"{argument} must be at least 0"):
        Ftrl(**{argument: -0.1})


def test_the_newton_schulz_iteration_keeps_singular_vectors():
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    u, _, v = np.linalg.svd(x, full_matrices=False)
    result = np.asarray(Muon().zeropower_via_newtonschulz5(x, 5))
    inside = u.T @ result @ v.T
    assert np.abs(inside - np.diag(np.diag(inside))).max() < 1e-3
    assert (np.diag(inside) > 0.5).all() and (np.diag(inside) < 1.5).all()


def test_variables_compare_with_numbers_by_value_and_with_each_other_by_identity():
    a, b = keras.Variable(1), keras.Variable(1)
    assert a == 1 and a != 2 and a == a and a != b
    assert {a: "a", b: "b"}[b] == "b" and a in [b, a]
    assert (keras.Variable([1.0, 2.0]) == np.array([1.0, 3.0])).tolist() == [True, False]
