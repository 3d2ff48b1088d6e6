"""Targets, losses, metrics and weights find the outputs that they belong to, whatever structure they come in.

The numbers are NumPy's: every head is the sum of a row. The names are those that Keras 3 shows for the same programs.
"""

import functools
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers, ops
from oneiros.core.errors import InputDataError

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
SUM = X.sum(1)
ZETA = np.zeros((8, 1), "float32")
ALPHA = np.full((8, 2), 10, "float32")
ROWS = np.arange(8, dtype="float32")
Pair = namedtuple("Pair", "zz aa")


def mse(target, weights=1):
    return float(np.mean((SUM - target) ** 2 * weights))


def mae(target, weights=1):
    return float(np.mean(np.abs(SUM - target) * weights))


FORMS = {
    "dict": lambda z, a: {"zeta": z, "alpha": a},
    "ordered": lambda z, a: OrderedDict(zeta=z, alpha=a),
    "list": lambda z, a: [z, a],
    "tuple": lambda z, a: (z, a),
    "named": Pair,
    "nested": lambda z, a: {"zeta": [z, z], "alpha": a},
    "in list": lambda z, a: [{"zeta": z, "alpha": a}, z],
}


def heads(x):
    ones = {"kernel_initializer": "ones"}
    return layers.Dense(1, name="zlayer", **ones), layers.Dense(2, name="alayer", **ones)


def functional(form):
    inputs = keras.Input((3,))
    z, a = (head(inputs) for head in heads(inputs))
    return keras.Model(inputs, FORMS[form](z, a))


class Subclassed(keras.Model):
    def __init__(self, form):
        super().__init__()
        self.form = form
        self.z, self.a = heads(None)

    def call(self, x):
        return FORMS[self.form](self.z(x), self.a(x))


def compiled(form, make=functional, **arguments):
    model = make(form)
    model.compile(keras.optimizers.SGD(0.0), **arguments)
    return model


def logs(model, y, **options):
    found = model.evaluate(X, y, batch_size=3, verbose=0, return_dict=True, **options)
    fitted = model.fit(X, y, batch_size=3, shuffle=False, verbose=0, **options).history
    assert list(fitted) == list(found)
    for name, value in found.items():
        np.testing.assert_allclose(fitted[name][0], value, rtol=1e-5, err_msg=name)
    return found


def check(found, wanted):
    assert sorted(found) == sorted(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)


BOTH = {"loss": mse(0) + mse(10), "zeta_loss": mse(0), "alpha_loss": mse(10)}
BY_KEY = {"zeta": ZETA, "alpha": ALPHA}
OTHER_ORDER = {"alpha": ALPHA, "zeta": ZETA}


@pytest.mark.parametrize("make", [functional, Subclassed])
@pytest.mark.parametrize("form", ["dict", "ordered"])
@pytest.mark.parametrize("loss", ["mse", {"zeta": "mse", "alpha": "mse"}, {"alpha": "mse", "zeta": "mse"}])
@pytest.mark.parametrize("y", [BY_KEY, OTHER_ORDER, [ZETA, ALPHA]], ids=["by key", "other order", "list"])
def test_a_head_is_trained_on_the_targets_of_its_name(make, form, loss, y):
    check(logs(compiled(form, make, loss=loss), y), BOTH)


@pytest.mark.parametrize("make", [functional, Subclassed])
def test_each_head_moves_to_its_own_targets(make):
    model = make("dict")
    model.compile(keras.optimizers.SGD(0.1), loss={"zeta": "mse", "alpha": "mse"})
    model.fit(X, {"zeta": ZETA, "alpha": ALPHA}, epochs=200, verbose=0)
    found = model.predict(X, verbose=0)
    assert list(found) == ["zeta", "alpha"]
    np.testing.assert_allclose(found["zeta"], ZETA, atol=0.05)
    np.testing.assert_allclose(found["alpha"], ALPHA, atol=0.05)


BY_LAYER = {"zlayer": ZETA, "alayer": ALPHA}
LAYERS = {"loss": mse(0) + mae(10), "zlayer_loss": mse(0), "alayer_loss": mae(10)}
NESTED = {"loss": mse(0) + mae(0) + mse(10), "zeta/zlayer_loss": mse(0), "zeta/zlayer_1_loss": mae(0)}
CASES = {
    "by layer": ("list", {"alayer": ALPHA, "zlayer": ZETA}, {"alayer": "mae", "zlayer": "mse"}, LAYERS),
    "by place": ("list", [ZETA, ALPHA], ["mse", "mae"], LAYERS),
    "a tuple": ("tuple", (ZETA, ALPHA), ("mse", "mae"), LAYERS),
    "a named tuple": ("named", Pair(ZETA, ALPHA), ["mse", "mae"], LAYERS),
    "keys by layer": (
        "dict",
        BY_LAYER,
        {"alayer": "mae", "zlayer": "mse"},
        {"loss": mse(0) + mae(10), "zeta_loss": mse(0), "alpha_loss": mae(10)},
    ),
    "nested": (
        "nested",
        {"alpha": ALPHA, "zeta": [ZETA, ZETA]},
        {"alpha": "mse", "zeta": ["mse", "mae"]},
        NESTED | {"alpha_loss": mse(10)},
    ),
    "a dictionary in a list": (
        "in list",
        [{"alpha": ALPHA, "zeta": ZETA}, ZETA + 1],
        [{"alpha": "mae", "zeta": "mse"}, "mse"],
        {"loss": mse(0) + mae(10) + mse(1), "0/zeta_loss": mse(0), "0/alpha_loss": mae(10), "zlayer_1_loss": mse(1)},
    ),
    "one loss": ("dict", BY_KEY, {"zeta": "mse"}, {"loss": mse(0)}),
    "one loss, its target": ("dict", {"zeta": ZETA}, {"zeta": "mse"}, {"loss": mse(0)}),
    "one loss, a list": ("dict", [ZETA], {"zeta": "mse"}, {"loss": mse(0)}),
    "the last loss": ("list", [ALPHA], [None, "mse"], {"loss": mse(10)}),
}


@pytest.mark.parametrize("form, y, loss, wanted", CASES.values(), ids=CASES)
def test_losses_and_targets_are_matched(form, y, loss, wanted):
    check(logs(compiled(form, loss=loss), y), wanted)


def test_metrics_weights_and_loss_weights_go_by_key():
    model = compiled(
        "dict",
        loss={"alpha": "mse", "zeta": "mse"},
        metrics={"alpha": ["mae", keras.metrics.MeanSquaredError(name="own")], "zeta": "mae"},
        weighted_metrics={"zeta": ["mae"], "alpha": "mae"},
        loss_weights={"alpha": 2.0, "zeta": 0.5},
    )
    found = logs(model, BY_KEY, sample_weight={"alpha": ROWS, "zeta": np.ones(8)})
    share = ROWS / ROWS.mean()
    wanted = {
        "zeta_loss": mse(0),
        "alpha_loss": mse(10, ROWS),
        "alpha_mae": mae(10),
        "alpha_own": mse(10),
        "alpha_weighted_mae": mae(10, share),
        "zeta_mae": mae(0),
        "zeta_weighted_mae": mae(0),
    }
    check(found, {"loss": 0.5 * mse(0) + 2 * mse(10, ROWS)} | wanted)
    assert model.metrics_names == list(found)
    assert model.metrics_names[1:3] == ["alpha_loss", "zeta_loss"]  # sorted, as the metrics behind them
    np.testing.assert_allclose(model.evaluate(X, BY_KEY, verbose=0)[1:3], [mse(10), mse(0)], rtol=1e-5)


@pytest.mark.parametrize(
    "weight, alpha, zeta",
    [(ROWS, ROWS, ROWS), ({"alayer": ROWS}, ROWS, 1), ([np.ones(8), ROWS], ROWS, 1), ({"zeta": ROWS}, 1, ROWS)],
)
def test_sample_weights(weight, alpha, zeta):
    found = logs(
        compiled("dict", loss="mse"), OTHER_ORDER if isinstance(weight, dict) else BY_KEY, sample_weight=weight
    )
    check(found, {"loss": mse(0, zeta) + mse(10, alpha), "zeta_loss": mse(0, zeta), "alpha_loss": mse(10, alpha)})


def test_class_weights_by_key():
    y = {"alpha": np.eye(2, dtype="float32")[[0, 1] * 4], "zeta": (ROWS[:, None] > 3).astype("int32")}
    model = compiled("dict", loss="mse")
    history = model.fit(X, y, class_weight={"zeta": {0: 1.0, 1: 3.0}}, verbose=0).history
    wanted = np.mean((SUM[:, None] - y["zeta"]) ** 2 * np.where(y["zeta"] == 1, 3, 1))
    np.testing.assert_allclose(history["zeta_loss"][0], wanted, rtol=1e-5)


@pytest.mark.parametrize("flat", [["mae", "mse"], [["mae"], ["mse"]], ["mae", ["mse"]]])
def test_a_list_of_metrics_goes_by_place(flat):
    found = logs(compiled("list", loss="mse", metrics=flat), [ZETA, ALPHA])
    assert list(found)[3:] == ["alayer_mse", "zlayer_mae"]


def test_generators_yield_dictionaries():
    def batches():
        while True:
            for start in (0, 4):
                rows = slice(start, start + 4)
                yield X[rows], {"alpha": ALPHA[rows], "zeta": ZETA[rows]}

    model = compiled("dict", loss={"zeta": "mse", "alpha": "mse"})
    found = model.fit(batches(), steps_per_epoch=2, verbose=0).history
    check({k: v[0] for k, v in found.items()}, BOTH)
    check(model.evaluate(batches(), steps=2, verbose=0, return_dict=True), BOTH)


WRONG = {
    "a target too many": ({**BY_KEY, "extra": ALPHA}, "mse", "extra"),
    "a target is missing": ({"zeta": ZETA}, "mse", "alpha"),
    "a list too long": ([ZETA, ALPHA, ALPHA], "mse", "expects 2 array"),
    "an unknown loss": (BY_KEY, {"zeta": "mse", "alphas": "mse"}, "alphas.*Did you mean 'alpha'"),
    "targets exchanged": ([ALPHA, ZETA], "mse", "shape"),
}


@pytest.mark.parametrize("y, loss, message", WRONG.values(), ids=WRONG)
def test_what_does_not_match_is_named(y, loss, message):
    with pytest.raises(InputDataError, match=message):
        compiled("dict", loss=loss).fit(X, y, verbose=0)


class Watching(keras.Model):
    """Notes in which structures its own steps see data."""

    def train_step(self, data):
        self.seen = [data]
        return super().train_step(data)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.seen += [(x, y, y_pred, sample_weight)]
        return super().compute_loss(x, y, y_pred, sample_weight, training)


def test_own_steps_see_the_users_structures():
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    z, a = heads(None)
    model = Watching({"zz": one, "aa": two}, {"zeta": z(one), "alpha": a(two)})
    model.compile("sgd", "mse")
    model.fit({"aa": X, "zz": X}, OTHER_ORDER, sample_weight=ROWS, verbose=0)
    (x, y, weight), (x2, y2, y_pred, weight2) = model.seen
    assert [list(t) for t in (x, y, weight)] == [["aa", "zz"], ["alpha", "zeta"], ["alpha", "zeta"]]
    assert [list(t) for t in (x2, y2, weight2, y_pred)] == [*map(list, (x, y, weight)), ["zeta", "alpha"]]
    assert y_pred["zeta"].shape[-1] == 1


class OwnLoss(Subclassed):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return ops.mean((y["t"] - y_pred["zeta"]) ** 2)


def test_a_model_with_its_own_loss_compiles_without_one():
    model = OwnLoss("dict")
    model.compile(keras.optimizers.SGD(0.0))
    check(logs(model, {"t": ZETA}), {"loss": mse(0)})
    np.testing.assert_allclose(model.train_on_batch(X, {"t": ZETA}), mse(0), rtol=1e-5)


class Penalty(layers.Layer):
    def call(self, x):
        self.add_loss(ops.mean(x**2))
        return x


def test_losses_of_layers_are_enough():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, Penalty()(heads(None)[0](inputs)))
    model.compile(keras.optimizers.SGD(0.0))
    np.testing.assert_allclose(model.fit(X, verbose=0).history["loss"][0], mse(0), rtol=1e-5)
    np.testing.assert_allclose(model.fit(X, ALPHA, verbose=0).history["loss"][0], mse(0), rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(X), mse(0), rtol=1e-5)


# --- losses and metrics of the user's own


def wide(units=3):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(units, kernel_initializer="ones")(inputs))


def q(t, p):
    return abs(t - p).mean(-1)


class Callable:
    def __call__(self, t, p):
        return q(t, p)


class Broadcasting(keras.losses.Loss):
    def call(self, t, p):
        return q(t, p)


FIRST = np.arange(8, dtype="float32")[:, None]
OWN = {
    "a function": q,
    "a lambda": lambda t, p: abs(t - p).mean(-1),
    "a partial": functools.partial(lambda scale, t, p: q(t, p), 2.0),
    "an object": Callable(),
    "a loss object": Broadcasting(),
    "a loss class": Broadcasting,
    "one number": lambda t, p: abs(t - p).mean(),
    "a number a place": lambda t, p: abs(t - p),
    "in a list": [q],
}


@pytest.mark.parametrize("loss", OWN.values(), ids=OWN)
def test_a_loss_of_the_users_gets_what_there_is(loss):
    model = wide()
    model.compile(keras.optimizers.SGD(0.01), loss=loss, metrics=[q, "mae"])
    wanted = np.abs(FIRST[:, 0] - SUM).mean()
    np.testing.assert_allclose(model.train_on_batch(X, FIRST), [wanted] * 3, rtol=1e-5)
    slope = np.sign(SUM - FIRST[:, 0]) @ X / 8 / 3  # d/dkernel of the mean over rows and three equal columns
    np.testing.assert_allclose(model.get_weights()[0], 1 - 0.01 * slope[:, None].repeat(3, 1), rtol=1e-5)


def test_targets_without_a_last_axis():
    aligned, spread = np.abs(ROWS - SUM).mean(), np.abs(ROWS[None] - SUM[:, None]).mean()  # as Keras 3 has them
    for loss, wanted in ((q, aligned), (Broadcasting(), spread)):
        model = wide(1)
        model.compile("sgd", loss=loss, metrics=[q, "mae"])
        np.testing.assert_allclose(model.test_on_batch(X, ROWS), [wanted, spread, aligned], rtol=1e-5)


def test_weights_of_a_loss_of_the_users():
    model = wide()
    model.compile("sgd", loss=q)
    found = model.test_on_batch(X, FIRST, sample_weight=ROWS)
    np.testing.assert_allclose(found, np.mean(np.abs(FIRST[:, 0] - SUM) * ROWS), rtol=1e-5)


def test_built_in_losses_still_refuse_what_would_broadcast():
    model = wide()
    model.compile("sgd", loss="mse")
    with pytest.raises(InputDataError, match="shape"):
        model.fit(X, FIRST, verbose=0)


def test_metrics_by_name_are_means_over_the_steps_that_are_not_masked():
    # Batches with 3 steps and 1 step: their means do not count alike. Keras 3 and tf.keras give these numbers.
    x, y = np.array([[1, 1], [1, 0], [0, 1], [0, 0]]), np.arange(8.0).reshape(4, 2, 1)
    model = keras.Sequential([keras.layers.Embedding(2, 1, mask_zero=True, embeddings_initializer="zeros")])
    metrics = {"metrics": ["mae"], "weighted_metrics": ["mae", keras.metrics.MeanAbsoluteError(name="own")]}
    model.compile("sgd", "mse", **metrics)
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    found = model.evaluate(x, y, sample_weight=weights, batch_size=2, verbose=0, return_dict=True)
    size, weight = np.abs(y[..., 0]), weights[:, None] * x
    np.testing.assert_allclose(found["mae"], np.average(size, weights=x), rtol=1e-6)
    np.testing.assert_allclose(found["weighted_mae"], np.average(size, weights=weight), rtol=1e-6)
    np.testing.assert_allclose(found["own"], found["weighted_mae"], rtol=1e-6)
