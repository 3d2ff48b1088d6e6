"""Losses against NumPy oracles and, where the definition is Keras' own, golden numbers of Keras 3.15."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from oneiros import core, losses
from oneiros.core.errors import InputDataError

RNG = np.random.RandomState(0)
T = (RNG.rand(4, 3) > 0.5).astype("float32")
P = RNG.rand(4, 3).astype("float32")
LABELS = np.array([0, 2, 1, 0])
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
LOGITS = np.log(P / (1 - P))
EPSILON = 1e-7


def bce(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def cosine(t, p, axis=-1):
    return -(t * p).sum(axis) / np.maximum(np.linalg.norm(t, axis=axis) * np.linalg.norm(p, axis=axis), 1e-9)


def softmaxed(p):
    return p / p.sum(-1, keepdims=True)


def huber(t, p, delta):
    e = np.abs(t - p)
    return np.where(e <= delta, e**2 / 2, delta * e - delta**2 / 2).mean(-1)


def focal(p, t):
    return (1 - (t * p + (1 - t) * (1 - p))) ** 2 * bce(t, p)


def overlap(t, p, alpha, beta):
    both = (t * p).sum()
    return 1 - both / (both + beta * ((1 - t) * p).sum() + alpha * (t * (1 - p)).sum())


def circle(labels, e, gamma, margin):
    result = []
    for i, row in enumerate(e @ e.T):
        same = [s for j, s in enumerate(row) if labels[j] == labels[i] and j != i]
        other = [s for j, s in enumerate(row) if labels[j] != labels[i]]
        pairs = itertools.product(same, other)
        terms = [
            np.exp(gamma * (max(n + margin, 0) * (n - margin) - max(1 + margin - s, 0) * (s - 1 + margin)))
            for s, n in pairs
        ]
        result.append(np.log1p(sum(terms)))
    return np.array(result)


def ctc(labels, logits):
    """Over all paths: sums the probability of those that collapse to the labels."""
    probabilities = scipy.special.softmax(logits, -1)
    total = 0.0
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        collapsed = [k for k, _ in itertools.groupby(path) if k != 0]
        if collapsed == list(labels):
            total += np.prod([probabilities[t, k] for t, k in enumerate(path)])
    return -np.log(total)


Q = softmaxed(P[::-1])
UNIT = P / np.linalg.norm(P, axis=1, keepdims=True)
SIGNS = 2 * T - 1
CASES = [  # function, arguments, options, expected
    ("mean_squared_error", (T, P), {}, ((T - P) ** 2).mean(-1)),
    ("mean_absolute_error", (T, P), {}, np.abs(T - P).mean(-1)),
    ("mean_absolute_percentage_error", (T + 1, P), {}, 100 * (np.abs(T + 1 - P) / (T + 1)).mean(-1)),
    ("mean_squared_logarithmic_error", (T, P), {}, ((np.log1p(T) - np.log1p(P)) ** 2).mean(-1)),
    ("hinge", (T, P), {}, np.maximum(1 - SIGNS * P, 0).mean(-1)),
    ("hinge", (SIGNS, P), {}, np.maximum(1 - SIGNS * P, 0).mean(-1)),
    ("squared_hinge", (T, P), {}, (np.maximum(1 - SIGNS * P, 0) ** 2).mean(-1)),
    (
        *("categorical_hinge", (ONE_HOT, P), {}),
        np.maximum(((1 - ONE_HOT) * P).max(-1) - (ONE_HOT * P).sum(-1) + 1, 0),
    ),
    ("huber", (T, 3 * P), {}, huber(T, 3 * P, 1.0)),
    ("huber", (T, 3 * P), {"delta": 0.3}, huber(T, 3 * P, 0.3)),
    ("log_cosh", (T, P), {}, np.log(np.cosh(P - T)).mean(-1)),
    ("cosine_similarity", (ONE_HOT, P), {}, cosine(ONE_HOT, P)),
    ("cosine_similarity", (T, P), {"axis": 0}, cosine(T, P, 0)),
    ("poisson", (T, P), {}, (P - T * np.log(P)).mean(-1)),
    (
        "kl_divergence",
        (softmaxed(P[::-1]), softmaxed(P)),
        {},
        scipy.special.rel_entr(softmaxed(P[::-1]), softmaxed(P)).sum(-1),
    ),
    ("categorical_crossentropy", (ONE_HOT, P), {}, -np.log((ONE_HOT * softmaxed(P)).sum(-1))),
    (
        *("categorical_crossentropy", (ONE_HOT, LOGITS), {"from_logits": True, "label_smoothing": 0.3}),
        -((ONE_HOT * 0.7 + 0.1) * scipy.special.log_softmax(LOGITS, -1)).sum(-1),
    ),
    ("categorical_crossentropy", (T, P), {"axis": 0}, -(T * np.log(P / P.sum(0))).sum(0)),
    ("sparse_categorical_crossentropy", (LABELS, P), {}, -np.log(softmaxed(P)[range(4), LABELS])),
    (
        *("sparse_categorical_crossentropy", (LABELS[:, None], LOGITS), {"from_logits": True}),
        -scipy.special.log_softmax(LOGITS, -1)[range(4), LABELS],
    ),
    (
        *("sparse_categorical_crossentropy", ([0, -1, 1, 0], P), {"ignore_class": -1}),
        [1, 0, 1, 1] * -np.log(softmaxed(P)[range(4), LABELS]),
    ),
    ("binary_crossentropy", (T, P), {}, bce(T, P).mean(-1)),
    ("binary_crossentropy", (T, LOGITS), {"from_logits": True}, bce(T, P).mean(-1)),
    ("binary_crossentropy", (T, P), {"label_smoothing": 0.2}, bce(T * 0.8 + 0.1, P).mean(-1)),
    ("binary_focal_crossentropy", (T, P), {}, focal(P, T).mean(-1)),
    (
        *("binary_focal_crossentropy", (T, LOGITS), {"from_logits": True, "apply_class_balancing": True}),
        ((T * 0.25 + (1 - T) * 0.75) * focal(P, T)).mean(-1),
    ),
    (
        *("categorical_focal_crossentropy", (ONE_HOT, P), {"alpha": [0.1, 0.2, 0.3]}),
        -(ONE_HOT * [0.1, 0.2, 0.3] * (1 - softmaxed(P)) ** 2 * np.log(softmaxed(P))).sum(-1),
    ),
    ("categorical_generalized_cross_entropy", (LABELS, P), {"q": 0.5}, (1 - P[range(4), LABELS] ** 0.5) / 0.5),
    ("dice", (ONE_HOT, P), {}, 1 - 2 * (ONE_HOT * P).sum() / (ONE_HOT.sum() + P.sum())),
    ("dice", (T, P), {"axis": (1,)}, 1 - 2 * (T * P).sum(1) / (T.sum(1) + P.sum(1))),
    ("tversky", (ONE_HOT, P), {"alpha": 0.3, "beta": 0.6}, overlap(ONE_HOT, P, 0.3, 0.6)),
    ("circle", ([0, 1, 1, 0], UNIT), {"gamma": 2.0, "margin": 0.25}, circle([0, 1, 1, 0], UNIT, 2.0, 0.25)),
    ("circle", (LABELS, UNIT), {}, circle(LABELS, UNIT, 80, 0.4)),
    (
        *("ctc", ([[1, 2], [2, 0]], np.stack([LOGITS, 2 * LOGITS])), {}),
        [ctc([1, 2], LOGITS), ctc([2], 2 * LOGITS)],
    ),
]


def test_every_function_has_a_row():
    functions = {f.__name__ for f in core.kind("loss").objects.values() if not isinstance(f, type)}
    assert functions == {case[0] for case in CASES}


@pytest.mark.parametrize(("name", "arguments", "options", "expected"), CASES)
def test_values(name, arguments, options, expected):
    result = losses.get(name)(*arguments, **options)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=2e-4, atol=1e-5)


def test_gradients():
    """By finite differences, on logits and probabilities."""
    chosen = [c for c in CASES if c[0] not in ("circle", "ctc")][::2] + [CASES[-3], CASES[-1]]
    for name, (y_true, y_pred), options, _ in chosen:
        fn = losses.get(name)

        def total(p, fn=fn, y_true=y_true, options=options):
            return jnp.sum(fn(y_true, p, **options))

        direction = np.random.RandomState(1).randn(*np.shape(y_pred)).astype("float32")
        gradient = float(jnp.sum(jax.grad(total)(jnp.asarray(y_pred)) * direction))
        numeric = (total(y_pred + 3e-3 * direction) - total(y_pred - 3e-3 * direction)) / 6e-3
        assert gradient == pytest.approx(float(numeric), rel=2e-2, abs=2e-2), name


def test_extreme_logits_stay_finite():
    logits = jnp.array([[1e4, -1e4, 0.0]])
    for name, target in (("categorical_crossentropy", ONE_HOT[1:2]), ("binary_crossentropy", T[:1])):
        value, gradient = jax.value_and_grad(lambda x, n=name, t=target: losses.get(n)(t, x, from_logits=True).sum())(
            logits
        )
        assert np.isfinite(value) and np.isfinite(gradient).all()
    assert np.isfinite(losses.binary_crossentropy([[1.0]], [[0.0]])).all()


def test_alignment():
    np.testing.assert_allclose(losses.mean_squared_error(T[:, 0], P[:, :1]), (T[:, 0] - P[:, 0]) ** 2, rtol=1e-5)
    np.testing.assert_allclose(losses.mean_squared_error(T[:, :1], P[:, 0]), (T[:, 0] - P[:, 0]) ** 2, rtol=1e-5)
    assert losses.mean_squared_error(np.zeros((4, 3, 1)), np.zeros((4, 3))).shape == (4,)


VALUES = ((T - P) ** 2).mean(-1)
WEIGHTS = np.array([1, 2, 0, 0.5], "float32")
MASK = np.array([1, 0, 1, 1], "float32")


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("weights", [None, WEIGHTS, WEIGHTS[:, None]])
@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None])
def test_reductions(reduction, weights, mask):
    y_pred = jnp.asarray(P)
    if mask is not None:
        core.set_mask(y_pred, jnp.asarray(mask, bool))
    result = losses.MeanSquaredError(reduction=reduction)(T, y_pred, weights)
    weight = (1 if weights is None else WEIGHTS) * (1 if mask is None else mask) * np.ones(4)
    weighted = VALUES * weight
    count = 4 if mask is None else mask.sum()
    expected = {
        "sum": weighted.sum(),
        "sum_over_batch_size": weighted.sum() / count,
        "mean": weighted.sum() / count,
        "mean_with_sample_weight": weighted.sum() / weight.sum(),
    }.get(reduction, weighted)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_masked_places_may_hold_anything():
    y_pred = jnp.asarray(P).at[1].set(jnp.nan)

    def loss(p):
        core.set_mask(p, jnp.asarray(MASK, bool))
        return losses.MeanSquaredError()(T, p)

    value, gradient = jax.value_and_grad(loss)(y_pred)
    assert float(value) == pytest.approx((VALUES * MASK).sum() / 3, rel=1e-5)
    assert float(jnp.abs(gradient[0]).sum()) > 0


def test_weights_of_samples_in_sequences():
    y = np.zeros((2, 5, 3), "float32")
    p = np.stack([np.ones((5, 3)), 3 * np.ones((5, 3))]).astype("float32")
    assert float(losses.MeanSquaredError()(y, p, [1.0, 0.0])) == pytest.approx(0.5)
    assert float(losses.MeanSquaredError()(y, p, np.ones((2, 5)))) == pytest.approx(5)


def test_ignored_classes_do_not_count():
    mean = losses.SparseCategoricalCrossentropy(ignore_class=-1)([0, 2, -1, 0], P)
    kept = -np.log(softmaxed(P)[[0, 1, 3], [0, 2, 0]])
    assert float(mean) == pytest.approx(kept.mean(), rel=1e-5)


def test_own_losses():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return jnp.mean(jnp.abs(y_true - y_pred) ** 3, -1)

    loss = Cubic(name="third")
    assert (loss.name, Cubic("sum").reduction, Cubic().name) == ("third", "sum", "cubic")
    assert float(loss(T, P)) == pytest.approx((np.abs(T - P) ** 3).mean(), rel=1e-5)
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=0.3)
    assert float(wrapped(T, P)) == pytest.approx(huber(T, P, 0.3).mean(), rel=1e-5)
    assert losses.Huber(0.3, name="h").get_config()["delta"] == 0.3
    with pytest.raises(TypeError, match="gamma"):
        losses.Huber(gamma=1)
    with pytest.raises(ValueError, match="reduction"):
        losses.Huber(reduction="median")


@pytest.mark.parametrize(
    ("name", "target", "prediction", "fits"),
    [
        ("mean_squared_error", (None, 2), (None, 2), True),
        ("mean_squared_error", (8,), (8, 1), True),
        ("mean_squared_error", (8, 1), (8,), True),
        ("mean_squared_error", (8, 5, 1), (8, 5), True),
        ("mean_squared_error", (8,), (8, 2), False),
        ("mean_squared_error", (8, 1), (8, 2), False),
        ("mean_squared_error", (8, 2), (8, 1), False),
        ("binary_crossentropy", (8, 8), (8, 1), False),
        ("categorical_crossentropy", (8,), (8, 3), False),
        ("sparse_categorical_crossentropy", (8,), (8, 3), True),
        ("sparse_categorical_crossentropy", (8, 1), (8, 3), True),
        ("sparse_categorical_crossentropy", (8, 3), (8, 3), False),
        ("sparse_categorical_crossentropy", (8, 5), (8, 5, 3), True),
        ("ctc", (8, 4), (8, 20, 5), True),
    ],
)
def test_check_shapes(name, target, prediction, fits):
    if fits:
        losses.check_shapes(name, target, prediction)
    else:
        with pytest.raises(InputDataError) as error:
            losses.check_shapes(name, target, prediction, "out")
        assert str(target) in str(error.value) and str(prediction) in str(error.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 3], r"label 3 not in \[0, 3\), row 2"),
        ([0, -1, 3], r"label -1 not in \[0, 3\), row 1"),
        (np.array([[0], [1], [10**9]]), r"label 1000000000 not in \[0, 3\), row 2"),
        ([0.0, float("nan")], r"label nan not in \[0, 3\), row 1"),
        ([0.0, 0.7], "label 0.7 is not an integer, row 1"),
        (["a"], "integers"),
    ],
)
def test_check_labels(labels, message):
    with pytest.raises(InputDataError, match=message):
        losses.check_labels(labels, 3)
    losses.check_labels([0.0, 1.0, 2.0], 3)
    losses.check_labels([0, 255], 3, ignore_class=255)


@pytest.mark.parametrize(
    "reduction, plain, weighted",
    [("sum", 2.7644, 4.519), ("sum_over_batch_size", 1.3822, 2.2595), ("mean_with_sample_weight", 1.3822, 1.5064)],
)
def test_circle_counts_only_examples_with_partners(reduction, plain, weighted):
    embeddings = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], "float32")
    loss = losses.Circle(gamma=2.0, reduction=reduction)
    assert float(loss([0, 0, 1, 2], embeddings)) == pytest.approx(plain, abs=2e-4)  # Keras 3.15
    assert float(loss([0, 0, 1, 2], embeddings, [1.0, 2, 3, 4])) == pytest.approx(weighted, abs=2e-4)
