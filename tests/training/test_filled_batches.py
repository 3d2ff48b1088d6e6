"""Short batches of `evaluate` are filled up to the size of the others: the results must be those of the rows alone."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers, losses, metrics
from oneiros.compat.generations import select

RNG = np.random.default_rng(0)
ROWS, BATCH = 11, 4
BINARY = ["binary_accuracy", "AUC", "Precision", "Recall", "BinaryIoU", "TruePositives", "FalseNegatives", "R2Score"]
CLASSES = [
    *("accuracy", "categorical_crossentropy", "TopKCategoricalAccuracy", "CosineSimilarity", "KLDivergence", "mae"),
    *("CategoricalHinge", "MeanSquaredLogarithmicError", "Poisson", "FBetaScore", "pearson_correlation"),
]


def vectors(loss, metric_names, **arguments):
    """Rows of four numbers, in three classes."""
    x = RNG.normal(size=(ROWS, 4)).astype("float32")
    y = np.eye(3, dtype="float32")[RNG.integers(0, 3, ROWS)]
    return _compiled([layers.Dense(3, activation="softmax")], x, y, loss, metric_names, **arguments)


def binary(loss, metric_names, **arguments):
    x = RNG.normal(size=(ROWS, 4)).astype("float32")
    y = RNG.integers(0, 2, (ROWS, 1)).astype("float32")
    return _compiled([layers.Dense(1, activation="sigmoid")], x, y, loss, metric_names, **arguments)


def sequences(loss, metric_names, first=layers.Masking, **arguments):
    """Five steps, of which a mask leaves one to five."""
    x = RNG.normal(size=(ROWS, 5, 4)).astype("float32")
    x *= np.arange(5)[:, None] < RNG.integers(1, 6, (ROWS, 1, 1))
    y = RNG.integers(0, 3, (ROWS, 5))
    parts = [first(), layers.Dense(3, activation="softmax")]
    return _compiled(parts, x, y, loss, metric_names, **arguments)


def _compiled(parts, x, y, loss, metric_names, weighted=()):
    model = keras.Sequential([keras.Input(x.shape[1:]), *parts])
    model.compile("sgd", loss, metrics=list(metric_names), weighted_metrics=list(weighted))
    return model, x, y


def evaluate(model, x, y, **arguments):
    return list(model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True, **arguments).values())


def assert_exact(model, x, y, **arguments):
    start = {k: v[:BATCH] for k, v in arguments.items()}
    evaluate(model, x[:BATCH], y[:BATCH], **start)  # the first call shows what the model computes
    filled = evaluate(model, x, y, **arguments)
    assert "filled" in model.training_state.steps.test.made
    model.training_state.steps.test.can_fill = lambda: False
    alone = evaluate(model, x, y, **arguments)
    np.testing.assert_allclose(np.hstack(filled), np.hstack(alone), rtol=1e-5, atol=1e-6)


@pytest.fixture
def generation_2():
    select("2")
    yield
    select("3")


WEIGHTS = RNG.random((ROWS, 5)).astype("float32")
CASES = [
    (vectors, "categorical_crossentropy", CLASSES, {}),
    (vectors, "mse", ["accuracy", "mae"], {"sample_weight": WEIGHTS[:, 0]}),
    (binary, "binary_crossentropy", BINARY, {}),
    (binary, "hinge", BINARY[:4], {"sample_weight": WEIGHTS[:, 0]}),
    (sequences, "sparse_categorical_crossentropy", ["accuracy"], {}),
    (sequences, "sparse_categorical_crossentropy", ["accuracy"], {"sample_weight": WEIGHTS}),
    (sequences, losses.SparseCategoricalCrossentropy(), [], {"sample_weight": WEIGHTS[:, 0]}),
    (vectors, losses.Huber(reduction="sum"), ["mse"], {"sample_weight": WEIGHTS[:, 0]}),
    (vectors, losses.LogCosh(reduction="mean_with_sample_weight"), [], {"sample_weight": WEIGHTS[:, 0]}),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_exact(case):
    make, loss, names, arguments = CASES[case]
    assert_exact(*make(loss, names, weighted=names[:2]), **arguments)


@pytest.mark.parametrize("case", [1, 4, 5])
def test_exact_in_generation_2(generation_2, case):
    """There, weights that are not zero are counted."""
    make, loss, names, arguments = CASES[case]
    assert_exact(*make(loss, names, weighted=names[:2]), **arguments)


def test_against_numpy():
    model, x, y = vectors("mse", ["mae"])
    evaluate(model, x[:BATCH], y[:BATCH])
    error = model.predict_on_batch(x) - y
    np.testing.assert_allclose(evaluate(model, x, y), [(error**2).mean(), abs(error).mean()], rtol=1e-5)


def test_several_outputs_and_batches_from_a_generator():
    x = RNG.normal(size=(ROWS, 4)).astype("float32")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [layers.Dense(2, name="a")(inputs), layers.Dense(1, name="b")(inputs)])
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mae"], "b": ["mse"]})
    y = [RNG.normal(size=(ROWS, n)).astype("float32") for n in (2, 1)]
    evaluate(model, x[:BATCH], [a[:BATCH] for a in y])
    batches = [(x[i : i + BATCH], [a[i : i + BATCH] for a in y]) for i in range(0, ROWS, BATCH)]
    actual = model.evaluate(iter(batches), verbose=0)
    assert "filled" in model.training_state.steps.test.made
    errors = [p - a for p, a in zip(model.predict_on_batch(x), y)]
    (a, b), (a_mae, b_mse) = (
        [(errors[0] ** 2).mean(), abs(errors[1]).mean()],
        [abs(errors[0]).mean(), (errors[1] ** 2).mean()],
    )
    np.testing.assert_allclose(actual, [a + b, a, b, a_mae, b_mse], rtol=1e-5)


def test_one_program_for_short_batches_of_all_sizes():
    model, x, y = vectors("mse", ["mae"])
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    evaluate(model, x, y)
    programs = [model.training_state.steps.test.made[form]._program[0] for form in ("one", "filled")]
    sizes = [program._cache_size() for program in programs]
    for rows in (5, 6, 7, 9, 10):
        evaluate(model, x[:rows], y[:rows])
    assert [program._cache_size() for program in programs] == sizes


X, Y = (RNG.normal(size=(ROWS, n)).astype("float32") for n in (4, 3))


class AcrossRows(metrics.Metric):
    def __init__(self):
        super().__init__(name="largest")
        self.value = self.add_weight(name="value")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign_add(y_pred.shape[0])

    def result(self):
        return self.value


class WithLoss(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * keras.ops.sum(x))
        return x


@pytest.mark.parametrize("weights", [None, WEIGHTS[:, 0], WEIGHTS])
def test_metric_objects_over_sequences_count_places(weights):
    names = [metrics.SparseCategoricalAccuracy(), metrics.SparseCategoricalCrossentropy()]
    loss, unmasked = "sparse_categorical_crossentropy", layers.ReLU
    model, x, y = sequences(loss, names[:1], first=unmasked, weighted=names[1:])
    arguments = {} if weights is None else {"sample_weight": weights}
    evaluate(model, x, y, **arguments)
    in_turn = evaluate(model, x, y, **arguments)
    model.training_state.steps.test.can_fill = lambda: False
    np.testing.assert_allclose(in_turn, evaluate(model, x, y, **arguments), rtol=1e-5)


@pytest.mark.parametrize(
    "what",
    [
        {"loss": lambda y, p: keras.ops.mean((y - p) ** 2)},
        {"loss": "mse", "metric_names": [AcrossRows()]},
        {"loss": "mse", "metric_names": [lambda y, p: keras.ops.max(p)]},
        {"loss": "dice"},
        {"loss": "mse", "first": [WithLoss()]},
        {"loss": "mse", "targets": Y[:, 0], "last": [layers.Lambda(lambda x: x[:, 0])]},
    ],
    ids=["loss", "metric", "function", "across rows", "layer", "no axis but the rows"],
)
def test_what_may_look_at_all_rows_gets_them_alone(what):
    what = {"metric_names": [], "targets": Y} | what
    parts = [*what.get("first", []), layers.Dense(3), *what.get("last", [])]
    model, x, y = _compiled(parts, X, what["targets"], what["loss"], what["metric_names"])
    evaluate(model, x, y)
    evaluate(model, x, y)
    assert "filled" not in model.training_state.steps.test.made


def test_rows_that_depend_on_each_other_are_not_filled_up(generation_2):
    """In the training phase, which K.set_learning_phase fixes, batches are normalized by their own mean."""
    x = RNG.normal(size=(ROWS, 3)).astype("float32")
    keras.backend.set_learning_phase(1)
    try:
        layer = layers.BatchNormalization(epsilon=0.0)
        model, x, _ = _compiled([layer], x, x, "mse", [])
        evaluate(model, x, x)
        predicted, results = model.predict(x, batch_size=BATCH), evaluate(model, x, x)
        assert "filled" not in model.training_state.steps.test.made
        normalized = [(rows - rows.mean(0)) / rows.std(0) for rows in (x[:4], x[4:8], x[8:])]
        np.testing.assert_allclose(predicted, np.concatenate(normalized), atol=1e-4)
        np.testing.assert_allclose(results, ((np.concatenate(normalized) - x) ** 2).mean(), rtol=1e-4)
    finally:
        keras.backend.clear_session()


class Centred(layers.Layer):
    def call(self, inputs):
        return inputs - inputs.mean(0)


@pytest.mark.parametrize(
    "centre",
    [
        Centred(),
        layers.Lambda(lambda x: x - x.mean(0)),
        lambda x: x - keras.ops.mean(x, 0),
        lambda x: layers.BatchNormalization(scale=False)(x, training=True),
        lambda x: keras.Sequential([Centred()])(x),
    ],
    ids=["own layer", "Lambda", "operation", "told to train", "inner model"],
)
def test_rows_that_depend_on_each_other_are_computed_as_they_come(centre):
    """A centred batch has the mean 0, whatever its size."""
    inputs = keras.Input((3,))
    model = keras.Model(inputs, centre(inputs))
    model.compile(loss=lambda y_true, y_pred: y_pred)
    for rows in (20, 13, 1):
        x = RNG.normal(size=(rows, 3)).astype("float32")
        np.testing.assert_allclose(model.predict(x, verbose=0).mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(model.evaluate(x, x, verbose=0), 0, atol=1e-5)
    x = RNG.normal(size=(6, 3)).astype("float32")
    parts = model.predict(x, batch_size=4, verbose=0)
    np.testing.assert_allclose([parts[:4].mean(0), parts[4:].mean(0)], 0, atol=1e-5)
