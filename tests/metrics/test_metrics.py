"""Metrics over several batches against scikit-learn and NumPy; what is Keras' own against numbers of Keras 3.15."""

import jax.numpy as jnp
import numpy as np
import pytest

from oneiros import core, metrics
from oneiros.core.config import behaviour
from oneiros.core.errors import InputDataError
from oneiros.core.lazy import LazyModule

sk = LazyModule("sklearn.metrics")

RNG = np.random.RandomState(3)
T = (RNG.rand(6, 3) > 0.5).astype("float32")
P = RNG.rand(6, 3).astype("float32")
W = RNG.rand(6).astype("float32")
LABELS = np.array([0, 2, 1, 1, 0, 2])
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
SMOOTH = ONE_HOT * 0.7 + 0.1
COLUMN_WEIGHTS = np.repeat(W, 3)


def gather(metric, y_true=T, y_pred=P, weight=None, compiled=True):
    """The result after two batches of three."""

    def update(t, p, w):
        metric.update_state(t, p, sample_weight=w)

    run, result = (core.compiled(f) if compiled else f for f in (update, metric.result))
    for part in (slice(0, 3), slice(3, 6)):
        run(y_true[part], y_pred[part], None if weight is None else weight[part])
    return np.asarray(result())


def cell(i, t, p, threshold=0.5):
    """The weights of one cell of scikit-learn's matrix, without and with weights."""
    p = p.ravel() > threshold
    return [sk.confusion_matrix(t.ravel(), p, sample_weight=w).ravel()[i] for w in (None, COLUMN_WEIGHTS)]


def both(function):
    return lambda: [function(None), function(W)]


def average(values):
    return [np.mean(values), np.average(values, weights=W)]


def micro(name, threshold=0.5):
    return lambda: [
        getattr(sk, name)(T.ravel(), P.ravel() > threshold, sample_weight=w, zero_division=0)
        for w in (None, COLUMN_WEIGHTS)
    ]


def concordance(a, b):
    return 2 * np.cov(a, b, ddof=0)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)


def one_hot_of_largest(p):
    return p == p.max(-1, keepdims=True)


TRUE_ROWS = (T * P).sum(-1) / np.maximum(np.linalg.norm(T, axis=-1) * np.linalg.norm(P, axis=-1), 1e-9)


def ious(of_classes):
    return both(lambda w: of_classes(sk.jaccard_score(LABELS, P.argmax(-1), average=None, sample_weight=w)))


CASES = [  # metric, data, results without and with weights, or a function that returns them
    ("TruePositives()", (T, P), lambda: cell(3, T, P)),
    ("FalsePositives()", (T, P), lambda: cell(1, T, P)),
    ("TrueNegatives()", (T, P), lambda: cell(0, T, P)),
    ("FalseNegatives()", (T, P), lambda: cell(2, T, P)),
    ("TruePositives([0.5, 0.1])", (T, P), lambda: np.transpose([cell(3, T, P), cell(3, T, P, 0.1)])),
    ("Precision()", (T, P), micro("precision_score")),
    ("Precision(0.3)", (T, P), micro("precision_score", 0.3)),
    ("Recall()", (T, P), micro("recall_score")),
    ("Recall(class_id=2)", (T, P), both(lambda w: sk.recall_score(T[:, 2], P[:, 2] > 0.5, sample_weight=w))),
    ("Precision(top_k=1)", (ONE_HOT, P), average((P.argmax(-1) == LABELS).astype(float))),
    ("BinaryAccuracy()", (T, P), average(((P > 0.5) == T).mean(-1))),
    ("BinaryAccuracy(threshold=0.2)", (T, P), average(((P > 0.2) == T).mean(-1))),
    ("Accuracy()", (LABELS, P.argmax(-1)), average((P.argmax(-1) == LABELS).astype(float))),
    ("CategoricalAccuracy()", (ONE_HOT, P), average((P.argmax(-1) == LABELS).astype(float))),
    ("SparseCategoricalAccuracy()", (LABELS, P), average((P.argmax(-1) == LABELS).astype(float))),
    ("SparseCategoricalAccuracy()", (LABELS[:, None], P), average((P.argmax(-1) == LABELS).astype(float))),
    (
        *("TopKCategoricalAccuracy(2)", (ONE_HOT, P)),
        both(lambda w: sk.top_k_accuracy_score(LABELS, P, k=2, sample_weight=w)),
    ),
    (
        *("SparseTopKCategoricalAccuracy(2)", (LABELS, P)),
        both(lambda w: sk.top_k_accuracy_score(LABELS, P, k=2, sample_weight=w)),
    ),
    (
        *("SparseTopKCategoricalAccuracy(2, from_sorted_ids=True)", (LABELS, np.argsort(-P, -1))),
        both(lambda w: sk.top_k_accuracy_score(LABELS, P, k=2, sample_weight=w)),
    ),
    (
        "F1Score()",
        (ONE_HOT, P),
        both(lambda w: sk.f1_score(ONE_HOT, one_hot_of_largest(P), average=None, sample_weight=w)),
    ),
    (
        *("F1Score(average='micro', threshold=0.5)", (T, P)),
        both(lambda w: sk.f1_score(T, P > 0.5, average="micro", sample_weight=w)),
    ),
    (
        *("FBetaScore('weighted', 2.0, 0.4)", (T, P)),
        both(lambda w: sk.fbeta_score(T, P > 0.4, beta=2, average="weighted", sample_weight=w)),
    ),
    (
        *("FBetaScore('macro', 0.5)", (ONE_HOT, P)),
        both(lambda w: sk.fbeta_score(ONE_HOT, one_hot_of_largest(P), beta=0.5, average="macro", sample_weight=w)),
    ),
    ("R2Score()", (T, P), both(lambda w: sk.r2_score(T, P, sample_weight=w))),
    ("R2Score(None)", (T, P), both(lambda w: sk.r2_score(T, P, sample_weight=w, multioutput="raw_values"))),
    (
        *("R2Score('variance_weighted_average')", (T, P)),
        both(lambda w: sk.r2_score(T, P, sample_weight=w, multioutput="variance_weighted")),
    ),
    ('MeanIoU(3, dtype="float32")', (LABELS, P.argmax(-1)), ious(np.mean)),
    ('IoU(3, [0, 2], dtype="float32")', (LABELS, P.argmax(-1)), ious(lambda i: i[[0, 2]].mean())),
    ('OneHotMeanIoU(3, dtype="float32")', (ONE_HOT, P), ious(np.mean)),
    ('OneHotIoU(3, [1], dtype="float32")', (ONE_HOT, P), ious(lambda i: i[1])),
    ('BinaryIoU([1], 0.3, dtype="float32")', (T, P), micro("jaccard_score", 0.3)),
    ("RootMeanSquaredError()", (T, P), both(lambda w: np.sqrt(sk.mean_squared_error(T, P, sample_weight=w)))),
    ("MeanSquaredError()", (T, P), both(lambda w: sk.mean_squared_error(T, P, sample_weight=w))),
    ("MeanAbsoluteError()", (T, P), both(lambda w: sk.mean_absolute_error(T, P, sample_weight=w))),
    (
        *("MeanAbsolutePercentageError()", (T + 1, P)),
        both(lambda w: 100 * sk.mean_absolute_percentage_error(T + 1, P, sample_weight=w)),
    ),
    ("MeanSquaredLogarithmicError()", (T, P), both(lambda w: sk.mean_squared_log_error(T, P, sample_weight=w))),
    ("LogCoshError()", (T, P), average(np.log(np.cosh(T - P)).mean(-1))),
    ("CosineSimilarity()", (T, P), average(TRUE_ROWS)),
    ("Hinge()", (2 * T - 1, P), average(np.maximum(1 - (2 * T - 1) * P, 0).mean(-1))),
    ("SquaredHinge()", (2 * T - 1, P), average((np.maximum(1 - (2 * T - 1) * P, 0) ** 2).mean(-1))),
    (
        *("CategoricalHinge()", (ONE_HOT, P)),
        average(np.maximum(((1 - ONE_HOT) * P).max(-1) - (ONE_HOT * P).sum(-1) + 1, 0)),
    ),
    ("Poisson()", (T, P), average((P - T * np.log(P)).mean(-1))),
    (
        "KLDivergence()",
        (ONE_HOT * 0.7 + 0.1, P),
        average(((ONE_HOT * 0.7 + 0.1) * np.log((ONE_HOT * 0.7 + 0.1) / P)).sum(-1)),
    ),
    ("BinaryCrossentropy()", (T, P), average(-(T * np.log(P) + (1 - T) * np.log(1 - P)).mean(-1))),
    ("CategoricalCrossentropy()", (ONE_HOT, P), average(-np.log((ONE_HOT * P).sum(-1) / P.sum(-1)))),
    ("SparseCategoricalCrossentropy()", (LABELS, P), average(-np.log((ONE_HOT * P).sum(-1) / P.sum(-1)))),
    ("PearsonCorrelation()", (P[::-1], P), average([np.corrcoef(a, b)[0, 1] for a, b in zip(P[::-1], P)])),
    (
        *("ConcordanceCorrelation()", (P[::-1], P)),
        average(
            [
                2 * np.cov(a, b, ddof=0)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
                for a, b in zip(P[::-1], P)
            ]
        ),
    ),
    ("MeanRelativeError([1.0, 2.0, 4.0])", (T, P), average((np.abs(T - P) / [1, 2, 4]).mean(-1))),
    # From Keras 3.15, the same data:
    ("AUC()", (T, P), [0.530864, 0.515175]),
    ("AUC(num_thresholds=10, curve='PR')", (T, P), [0.553504, 0.637242]),
    ("AUC(num_thresholds=10, summation_method='majoring')", (T, P), [0.580247, 0.571746]),
    ("AUC(num_thresholds=10, summation_method='minoring', curve='PR')", (T, P), [0.397261, 0.488087]),
    ("AUC(multi_label=True)", (T, P), [0.532407, 0.504605]),
    ("AUC(multi_label=True, label_weights=[0.1, 0.2, 0.7], num_labels=3)", (T, P), [0.343056, 0.338137]),
    ("AUC(thresholds=[0.2, 0.4, 0.9])", (T, P), [0.561728, 0.565992]),
    ("AUC(from_logits=True)", (T, np.log(P / (1 - P))), [0.530864, 0.515175]),
    ("AUC(curve='PRGAIN')", (T, P), [0.008163, -0.123097]),
    ("PrecisionAtRecall(0.5)", (T, P), [0.6, 0.692516]),
    ("PrecisionAtRecall(0.5, class_id=1, num_thresholds=20)", (T, P), [0.333333, 0.453087]),
    ("RecallAtPrecision(0.6)", (T, P), [0.666667, 0.644875]),
    ("SensitivityAtSpecificity(0.5)", (T, P), [0.666667, 0.644875]),
    ("SpecificityAtSensitivity(0.5)", (T, P), [0.555556, 0.588077]),
    ("R2Score(num_regressors=2)", (T, P), [-0.51011, -0.56949]),
]
NOT_OF_TARGETS = {"Metric", "Mean", "Sum", "SumOverBatchSize", "MeanTensor", "MeanMetricWrapper"}


def test_every_class_has_a_row():
    classes = {c.__name__ for c in core.kind("metric").objects.values() if isinstance(c, type)}
    tested = {case[0].split("(")[0] for case in CASES}
    assert classes == tested | NOT_OF_TARGETS | {"SumOverBatchSizeMetricWrapper"}


@pytest.mark.parametrize(("expression", "data", "expected"), CASES)
def test_values(expression, data, expected):
    for weight, value in zip((None, W), expected() if callable(expected) else expected):
        metric = eval(f"metrics.{expression}")
        np.testing.assert_allclose(gather(metric, *data, weight), value, rtol=2e-5, atol=2e-6)
        metric.reset_state()
        assert all(not np.any(np.asarray(v)) for v in metric.variables)


def test_r2_of_constant_targets():
    t, p = np.array([[1.0, 1], [1, 1]]), np.array([[1.0, 2], [1, 0]])
    assert np.asarray(metrics.R2Score(None)(t, p)).tolist() == sk.r2_score(t, p, multioutput="raw_values").tolist()


def test_auc_tends_to_the_exact_area():
    t, p = (RNG.rand(500) > 0.3).astype("float32"), RNG.rand(500).astype("float32")
    assert float(metrics.AUC(2000)(t, p)) == pytest.approx(sk.roc_auc_score(t, p), abs=2e-3)
    # Average precision does not interpolate.
    assert float(metrics.AUC(2000, "PR")(t, p)) == pytest.approx(sk.average_precision_score(t, p), abs=5e-3)


@pytest.mark.parametrize(
    "expression",
    ["Precision()", "AUC(20)", "F1Score()", "R2Score()", 'MeanIoU(3, dtype="float32")', "MeanSquaredError()"],
)
def test_eagerly_as_in_compiled_code(expression):
    one, two = (eval(f"metrics.{expression}") for _ in range(2))
    data = (LABELS, P.argmax(-1)) if "IoU" in expression else (ONE_HOT, P)
    np.testing.assert_allclose(gather(one, *data, W, compiled=False), gather(two, *data, W), rtol=1e-6)


def test_reductions():
    mean = metrics.Mean()
    mean.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[1.0, 0.0])
    assert float(mean.result()) == 1.5
    mean.update_state(jnp.array([4.5]))
    assert float(mean.result()) == 3.0
    assert float(metrics.Mean().result()) == 0.0
    assert float(metrics.Sum()([1.0, 2.0, 5.0], sample_weight=[1.0, 1.0, 0.2])) == 4.0
    assert float(metrics.SumOverBatchSize()([1.0, 3.0], sample_weight=[1.0, 0.0])) == 0.5
    tensor = metrics.MeanTensor()
    tensor.update_state([1.0, 2.0])
    tensor.update_state([3.0, 6.0], sample_weight=[3.0, 1.0])
    assert tensor.result().tolist() == [2.5, 4.0]
    wrapped = metrics.MeanMetricWrapper(metrics.binary_accuracy, threshold=0.2)
    assert float(wrapped(T, P)) == pytest.approx(((P > 0.2) == T).mean())
    assert wrapped.get_config()["threshold"] == 0.2


def test_masks():
    y_pred = jnp.asarray(P)
    mask = np.array([1, 1, 0, 0, 1, 0], bool)
    core.set_mask(y_pred, jnp.asarray(mask))
    assert float(metrics.MeanSquaredError()(T, y_pred)) == pytest.approx(((T - P)[mask] ** 2).mean(), rel=1e-5)
    expected = np.average(((T - P) ** 2).mean(-1), weights=W * mask)
    assert float(metrics.MeanSquaredError()(T, y_pred, W)) == pytest.approx(expected, rel=1e-5)
    expected = sk.precision_score(T[mask].ravel(), P[mask].ravel() > 0.5)
    assert float(metrics.Precision()(T, y_pred)) == pytest.approx(expected)


def test_ignored_classes(monkeypatch):
    metric = metrics.MeanIoU(3, ignore_class=2)
    assert float(metric([0, 1, 2, 1, 0], [0, 1, 1, 0, 2])) == pytest.approx(0.277778, abs=1e-6)  # Keras 3.15
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=2)
    expected = -np.log((ONE_HOT * P).sum(-1) / P.sum(-1))[LABELS != 2].mean()
    assert float(metric(LABELS, P, np.ones(len(LABELS)))) == pytest.approx(expected, rel=1e-5)
    metric.reset_state()  # without weights, Keras 3 counts them with the value 0; its predecessors leave them out
    assert float(metric(LABELS, P)) == pytest.approx(expected * (LABELS != 2).mean(), rel=1e-5)
    metric.reset_state()
    monkeypatch.setattr(behaviour, "metrics_drop_ignored", True)
    assert float(metric(LABELS, P)) == pytest.approx(expected, rel=1e-5)


class Distance(metrics.Metric):  # as programs for tf.keras write them
    def __init__(self, name="distance", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight("total", initializer="zeros")
        self.inner = metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(jnp.sum(jnp.abs(y_true - y_pred)))
        self.inner.update_state(y_pred)

    def result(self):
        return self.total + self.inner.result()

    def reset_states(self):
        self.total.assign(0.0)


def test_own_metrics():
    metric = Distance()
    assert float(metric(T, P)) == pytest.approx(np.abs(T - P).sum() + P.mean(), rel=1e-5)
    assert [v.path for v in metric.variables] == ["distance/total", "mean/total", "mean/count"]
    metric.reset_state()
    assert float(metric.total) == 0
    assert metric.get_config()["name"] == "distance"
    values = metric.stateless_update_state([jnp.zeros(())] * 3, T, P)
    assert float(metric.total) == 0
    assert float(metric.stateless_result(values)) == pytest.approx(np.abs(T - P).sum() + P.mean(), rel=1e-5)
    with pytest.raises(TypeError, match="colour"):
        Distance(colour=1)


def test_merge_state():
    one, two = metrics.Mean(), metrics.Mean()
    one.update_state([1.0, 2.0])
    two.update_state([6.0])
    one.merge_state([two])
    assert float(one.result()) == 3.0


def test_get(monkeypatch):
    assert type(metrics.get("mse")) is metrics.MeanSquaredError
    assert type(metrics.get("BinaryAccuracy")) is metrics.BinaryAccuracy
    assert float(metrics.get("cosine_similarity")([[1.0, 0]], [[1.0, 0]])) == pytest.approx(1)
    assert float(metrics.cosine_proximity([[1.0, 0]], [[1.0, 0]])[0]) == pytest.approx(-1)
    monkeypatch.setattr(behaviour, "metric_names_give_objects", False)
    assert metrics.get("mse") is metrics.mean_squared_error
    assert metrics.get("accuracy") is metrics.accuracy


@pytest.mark.parametrize(
    ("name", "target", "prediction", "loss", "native", "old"),
    [
        ("accuracy", (None, 1), (None, 1), "mse", "binary_accuracy", "binary_accuracy"),
        ("accuracy", (None,), (None,), "mse", "binary_accuracy", "binary_accuracy"),
        ("acc", (None, 5), (None, 5), "categorical_crossentropy", "categorical_accuracy", "categorical_accuracy"),
        ("acc", (None, 5), (None, 5), "binary_crossentropy", "categorical_accuracy", "binary_accuracy"),
        (
            *("acc", (None, 1), (None, 5), "sparse_categorical_crossentropy"),
            *("sparse_categorical_accuracy", "sparse_categorical_accuracy"),
        ),
        ("acc", (None, 7), (None, 7, 5), None, "sparse_categorical_accuracy", "categorical_accuracy"),
        ("crossentropy", (None, 1), (None, 1), "mse", "binary_crossentropy", "binary_crossentropy"),
        ("ce", (None, 5), (None, 5), "mse", "categorical_crossentropy", "categorical_crossentropy"),
    ],
)
def test_resolve_accuracy(name, target, prediction, loss, native, old, monkeypatch):
    assert metrics.resolve_accuracy(name, target, prediction, loss).__name__ == native
    monkeypatch.setattr(behaviour, "accuracy_follows_loss", True)
    assert metrics.resolve_accuracy(name, target, prediction, loss).__name__ == old


def test_wrong_use():
    for expression in ("AUC(1)", "AUC(curve='XY')", "Precision(1.5)", "PrecisionAtRecall(2)", "FBetaScore(beta=1)"):
        with pytest.raises(ValueError, match=r"Received"):
            eval(f"metrics.{expression}")
    with pytest.raises(InputDataError, match="same shape"):
        metrics.Precision()(LABELS, P)
    with pytest.raises(ValueError, match="no result yet"):
        metrics.F1Score().result()


@pytest.mark.parametrize("metric, expected", [(metrics.Precision, 13 / 17), (metrics.Recall, 13 / 23)])
def test_of_equal_predictions_top_k_takes_the_first(metric, expected):
    metric = metric(top_k=3)
    metric([[0, 1, 1, 0, 1]], [[0.2, 0.1, 0.4, 0.0, 0.2]], [[1, 4, 2, 3, 5]])  # the places 2, 0 and 4
    result = metric([1, 0, 1, 1, 1], [0.2, 0.6, 0.4, 0.2, 0.2], 3)  # the places 1, 2 and 0
    assert float(result) == pytest.approx(expected)


def test_one_class_of_a_vector_is_an_error():
    with pytest.raises(ValueError, match="class_id=2 needs predictions of shape"):
        metrics.Precision(class_id=2)([0, 1, 1], [0.1, 0.2, 0.3])


def test_the_interpolated_area_of_negative_weights():
    y, p = [0, 1, 1, 0, 1, 0, 0, 1], [0.1, 0.3, 0.5, 0.7, 0.9, 0.2, 0.4, 0.6]
    area = lambda w: float(metrics.AUC(num_thresholds=11, curve="PR")(y, p, w))  # noqa: E731
    assert area(-np.ones(8)) == 0.0
    assert area([1, -1, 2, -2, 1, 1, -3, 1]) == pytest.approx(1.3333, abs=1e-4)  # Keras 3.15


def test_thresholds_of_an_area():
    auc = metrics.AUC(thresholds=[0.5, 0.3])
    assert np.allclose(auc.thresholds, [0, 0.3, 0.5, 1], atol=1e-6)
    assert auc.get_config()["thresholds"] == [0.3, 0.5]
    assert np.allclose(metrics.AUC.from_config(auc.get_config()).thresholds, auc.thresholds)


@pytest.mark.parametrize("threshold", [1, "0.5", 1.1, 0.0, -0.5])
def test_thresholds_of_scores_are_floats_between_0_and_1(threshold):
    with pytest.raises(ValueError, match="threshold must be a float above 0"):
        metrics.FBetaScore(threshold=threshold)


def test_binary_accuracy_takes_weights_of_elements(monkeypatch):
    y, p, w = [[1, 1], [0, 0]], [[0.9, 0.1], [0.2, 0.6]], [[1, 0.2], [0.4, 0.7]]
    assert float(metrics.BinaryAccuracy()(y, p, w)) == pytest.approx(1.4 / 2.3)
    assert float(metrics.BinaryAccuracy()(y, p, [1, 0.2])) == pytest.approx(0.5)
    assert float(metrics.BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.1, 0.2, 0.6], [0.5, 1, 2, 0.5])) == pytest.approx(0.625)
    assert metrics.binary_accuracy(y, p).tolist() == [[1, 0], [1, 0]]
    monkeypatch.setattr(behaviour, "accuracy_is_mean", True)
    assert metrics.binary_accuracy(y, p).tolist() == [0.5, 0.5]


def test_intersections_are_counted_exactly(monkeypatch):
    metric = metrics.MeanIoU(2)
    metric.total_cm.assign([[2**24, 0], [0, 2**24]])
    metric.update_state([0, 1, 1], [0, 1, 0])
    assert metric.total_cm.numpy().tolist() == [[2**24 + 1, 0], [1, 2**24 + 1]]
    with pytest.warns(UserWarning, match="casting weights from float to int"):
        metric.update_state([0], [0], sample_weight=[0.5])
    monkeypatch.setattr(behaviour, "iou_counts_integers", False)
    assert metrics.MeanIoU(2).dtype == "float32"


def test_variables_in_structures_belong_to_the_metric():
    metric = Distance()
    count = len(metric.variables)
    metric.more = {"a": [core.Variable(0.0), (core.Variable(1.0),)], "b": {"c": metrics.Mean()}}
    assert len(metric.variables) == count + 4
    assert metric.add_variable((2,), initializer=np.array([1.0, 2.0])).numpy().tolist() == [1.0, 2.0]
