"""The backend (K) against NumPy, in the programs' own idioms: placeholders, functions, gradients, updates."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import scipy

import oneiros.backend as K
from oneiros.compat import generations
from oneiros.core import Symbol, Variable, behaviour, deferred, phase

r = np.random.RandomState(0)

# Of Theano's and CNTK's insides.
LEFT_OUT = (
    "ConvertToBatch ConvertToStatic LambdaFunc ReshapeBatch classification_error ctc_cost "
    "ctc_create_skip_idxs ctc_interleave_blanks ctc_path_probs ctc_update_log_p get_num_dynamic_axis "
    "has_seq_axis"
)


@pytest.fixture
def keras2():
    generations.select("2")
    yield
    generations.select("3")


def close(x, y, tolerance=1e-4):
    np.testing.assert_allclose(np.asarray(x), y, rtol=tolerance, atol=tolerance)


def both(function, *arrays):
    """The result on arrays, after it was found equal on symbols of unknown batch size."""
    eager = function(*arrays)
    symbols = [K.placeholder((None, *np.shape(a)[1:]), dtype=str(np.asarray(a).dtype)) for a in arrays]
    symbolic = function(*symbols)
    outputs = list(symbolic) if isinstance(symbolic, (list, tuple)) else [symbolic]
    results = K.function(symbols, outputs)(list(arrays))
    for s, x, y in zip(outputs, results, eager if isinstance(eager, (list, tuple)) else [eager], strict=True):
        assert all(d in (None, n) for d, n in zip(K.int_shape(s), x.shape, strict=True))
        close(x, y)
    return eager


@pytest.mark.parametrize("version", ["keras_1.2.2", "keras_2.1.4", "tf_keras_2.21", "keras_3.15"])
def test_every_public_name_is_there(version):
    path = Path(__file__).parents[2] / ".." / "shared" / "api" / f"{version}.json"
    if not path.is_file():
        pytest.skip("the list of Keras' public names is not at hand")
    for name in json.loads(path.read_text())["backend"]:
        target = K
        for part in name.split("."):
            target = getattr(target, part, None)
        assert (target is not None) != (name in LEFT_OUT.split()), name


X = r.rand(4, 3).astype("float32")
Z = r.rand(4, 3, 5).astype("float32")
LABELS = np.array([0, 1, 2, 0])
CROSS_ENTROPY = -np.log((X / X.sum(1, keepdims=True))[range(4), LABELS])
ROWS = [
    ("sqrt", (X - 0.5,), {}, np.sqrt(np.maximum(X - 0.5, 0))),
    ("clip", (X, 0.2, 0.6), {}, np.clip(X, 0.2, 0.6)),
    ("relu", (X - 0.5, 0.1, 0.3), {}, np.minimum(np.where(X > 0.5, X - 0.5, 0.1 * (X - 0.5)), 0.3)),
    ("hard_sigmoid", (X * 6 - 3,), {}, np.clip(0.2 * (X * 6 - 3) + 0.5, 0, 1)),
    ("mean", (Z,), {"axis": [1, 2]}, Z.mean((1, 2))),
    ("any", (X > 0.5,), {"axis": 1}, (X > 0.5).any(1)),
    ("std", (Z,), {"axis": 1, "keepdims": True}, Z.std(1, keepdims=True)),
    ("argmax", (X,), {}, X.argmax(-1)),
    ("cumsum", (X,), {"axis": 1}, X.cumsum(1)),
    ("batch_flatten", (Z,), {}, Z.reshape(4, 15)),
    ("permute_dimensions", (Z, (0, 2, 1)), {}, Z.transpose(0, 2, 1)),
    ("repeat", (X, 2), {}, np.stack([X, X], 1)),
    ("repeat_elements", (Z, 2, 1), {}, Z.repeat(2, 1)),
    ("reverse", (Z, 1), {}, Z[:, ::-1]),
    ("expand_dims", (X, 1), {}, X[:, None]),
    ("one_hot", (np.array([0, 2]), 3), {}, np.eye(3)[[0, 2]]),
    ("temporal_padding", (Z, (1, 2)), {}, np.pad(Z, ((0, 0), (1, 2), (0, 0)))),
    ("l2_normalize", (X, 1), {}, X / np.linalg.norm(X, axis=1, keepdims=True)),
    ("in_top_k", (X, np.array([0, 1, 2, 0]), 1), {}, X.argmax(1) == [0, 1, 2, 0]),
    ("categorical_crossentropy", (np.eye(3)[LABELS], X), {}, CROSS_ENTROPY),
    ("sparse_categorical_crossentropy", (LABELS[:, None], X), {}, CROSS_ENTROPY),
    ("binary_crossentropy", (X > 0.5, X), {}, -np.log(np.where(X > 0.5, X, 1 - X))),
    ("resize_images", (Z[..., None], 2, 3, "channels_last"), {}, Z[..., None].repeat(2, 1).repeat(3, 2)),
    ("bias_add", (Z, np.arange(5.0)), {}, Z + np.arange(5)),
    ("arange", (2, 9, 3), {}, np.arange(2, 9, 3)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_values_equal_numpys(row):
    name, args, options, expected = row
    close(getattr(K, name)(*args, **options), expected)


@pytest.mark.parametrize(
    "x, y, axes, product",
    [
        ((4, 3), (4, 3), None, "bi,bi->b"),
        ((4, 3), (4, 3), 1, "bi,bi->b"),
        ((4, 3, 5), (4, 5, 6), None, "bij,bjk->bik"),
        ((4, 3, 5), (4, 3, 6), (1, 1), "bij,bik->bjk"),
        ((4, 5), (4, 6, 5), (1, 2), "bi,bki->bk"),
        ((4, 3, 5), (4, 5), (2, 1), "bij,bj->bi"),
        ((4, 2, 3, 5), (4, 5, 6), (3, 1), "bhij,bjk->bhik"),
        ((4, 2, 3, 5), (4, 2, 5, 6), None, "bhij,bgjk->bhigk"),
    ],
)
def test_batch_dot_sums_over_one_axis_of_each(x, y, axes, product):
    x, y = r.rand(*x).astype("float32"), r.rand(*y).astype("float32")
    expected = np.einsum(product, x, y)
    close(both(lambda a, b: K.batch_dot(a, b, axes), x, y), expected[:, None] if expected.ndim == 1 else expected)


def test_dot_of_higher_ranks_and_of_sparse_matrices():
    w = r.rand(2, 5, 3).astype("float32")
    close(both(lambda z: K.dot(z, w), Z), np.dot(Z, w))
    matrix = scipy.sparse.random(4, 3, 0.5, "csr", random_state=0)
    sparse = K.variable(matrix)
    assert K.is_sparse(sparse) and not K.is_sparse(X)
    close(K.dot(sparse, w[0, :3]), matrix @ w[0, :3])
    joined = K.concatenate([sparse, sparse], axis=1)
    assert K.is_sparse(joined)
    close(K.eval(joined), np.hstack([matrix.toarray()] * 2))


def test_images_in_both_layouts():
    x, kernel = r.rand(2, 5, 6, 3).astype("float32"), r.rand(3, 3, 3, 4).astype("float32")
    first = x.transpose(0, 3, 1, 2)
    for function in (
        lambda z, **o: K.conv2d(z, kernel, (2, 2), "same", **o),
        lambda z, **o: K.pool2d(z, (2, 2), (1, 1), pool_mode="avg", **o),
        lambda z, **o: K.spatial_2d_padding(z, ((1, 0), (2, 3)), **o),
        lambda z, **o: K.bias_add(z, np.arange(3.0), **o),
    ):
        last = both(function, x)
        close(both(lambda z, f=function: f(z, data_format="channels_first"), first), np.moveaxis(last, -1, 1))
    y = K.conv2d_transpose(x, r.rand(3, 3, 2, 3).astype("float32"), (2, 10, 12, 2), (2, 2), "same")
    assert y.shape == (2, 10, 12, 2)
    weights = r.rand(12, 27, 4).astype("float32")
    local = K.local_conv2d(x, weights, (3, 3), (1, 1), (3, 4))
    close(local[:, 1, 2], x[:, 1:4, 2:5].reshape(2, 27) @ weights[6])


@pytest.mark.parametrize("go_backwards, unroll", [(False, False), (False, True), (True, False)])
def test_rnn_holds_its_state_where_masked(go_backwards, unroll):
    mask = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]], bool)
    start = r.rand(4, 5).astype("float32")

    def run(x, h, m, **options):
        def step(x, states):
            h = x + 0.5 * states[0]
            return h * states[1], [h]

        last, outputs, (state,) = K.rnn(
            step, x, [h], go_backwards=go_backwards, mask=m, constants=[np.float32(3.0)], unroll=unroll, **options
        )
        return last, outputs, state

    last, outputs, state = both(run, Z, start, mask)
    steps = [2, 1, 0] if go_backwards else [0, 1, 2]
    h, shown = start, np.zeros((4, 5))
    for i, t in enumerate(steps):
        keep = mask[:, t, None]
        h = np.where(keep, Z[:, t] + 0.5 * h, h)
        shown = np.where(keep, 3 * h, shown)
        close(outputs[:, i], shown)
    close(last, shown)
    close(state, h)


def test_folds_and_maps():
    close(both(lambda x: K.foldl(lambda a, b: a - b, x), X), X[0] - X[1:].sum(0))
    close(K.foldr(lambda a, b: a - b, X), X[3] - X[:3].sum(0))
    close(both(lambda x: K.map_fn(lambda a: K.sum(a), x), X), X.sum(1))


def test_switch_by_number_and_by_entry():
    x = K.placeholder((None, 3))
    y = K.switch(K.sum(x) > 0, lambda: x * 2, lambda: -x)
    f = K.function([x], [y])
    close(f([X])[0], 2 * X)
    close(f([-X])[0], X)
    close(both(lambda c, a, b: K.switch(c, a, b), X[:, 0] > 0.5, X, -X), np.where(X[:, :1] > 0.5, X, -X))


def brute_force_ctc(probabilities, labels):
    blank, total = probabilities.shape[1] - 1, 0
    for path in itertools.product(range(blank + 1), repeat=len(probabilities)):
        if [k for k, _ in itertools.groupby(path) if k != blank] == list(labels):
            total += math.prod(p[k] for p, k in zip(probabilities, path))
    return total


def test_ctc_sums_over_all_paths():
    p = r.rand(2, 5, 3).astype("float32")
    p /= p.sum(-1, keepdims=True)
    labels, steps, counts = np.array([[0, 0], [1, 0]]), np.array([[5], [4]]), np.array([[2], [1]])
    cost = both(K.ctc_batch_cost, labels, p, steps, counts)
    expected = [-np.log(brute_force_ctc(p[n, : steps[n, 0]], labels[n, : counts[n, 0]])) for n in range(2)]
    close(cost[:, 0], expected)
    (path,), score = K.ctc_decode(p, steps[:, 0])
    raw = p[1, :4].argmax(-1)
    assert [k for k in np.asarray(path)[1] if k >= 0] == [k for k, _ in itertools.groupby(raw) if k != 2]
    close(score[1], -np.log(p[1, :4].max(-1)).sum())
    paths, scores = K.ctc_decode(p, steps[:, 0], greedy=False, top_paths=2)
    best = [k for k in np.asarray(paths[0])[0] if k >= 0]
    close(np.exp(scores[0, 0]), brute_force_ctc(p[0], best))
    sparse = K.ctc_label_dense_to_sparse(labels, counts)
    close(K.to_dense(sparse), [[0, 0], [1, 0]])


# Graphs


def test_gradients_of_symbols_and_variables():
    x, w = K.placeholder((None, 3)), Variable(r.rand(3, 2).astype("float32"))
    loss = K.mean(K.square(K.dot(x, w))[:, 1])
    by_x, by_w, nothing = K.gradients(loss, [x, w, K.placeholder((2,))])
    assert nothing is None and K.int_shape(by_x) == (None, 3)
    f = K.function([x], [loss, by_x, by_w])
    value, gx, gw = f([X])
    y = X @ w.numpy()
    close(value, (y[:, 1] ** 2).mean())
    close(gx, np.outer(2 * y[:, 1] / 4, w.numpy()[:, 1]))
    close(gw[:, 1], (2 * y[:, 1:] / 4 * X).sum(0))
    second = K.gradients(by_x, x)[0]
    close(K.function([x], [second])([X])[0], np.outer(np.ones(4), 2 / 4 * w.numpy()[:, 1] * w.numpy()[:, 1].sum()))
    with pytest.raises(ValueError, match="the loss must be a symbol"):
        K.gradients(np.float32(1), [x])


def test_functions_read_and_update_variables_at_each_call():
    x, v = K.placeholder((2,)), K.variable([1.0, 2.0])
    f = K.function([x], [x * v], updates=[(v, v * x)])
    close(f([[2.0, 2.0]])[0], [2, 4])
    close(f([[2.0, 2.0]])[0], [4, 8])
    K.set_value(v, [0.0, 1.0])
    close(f([[2.0, 2.0]])[0], [0, 2])
    with pytest.raises(ValueError, match="expects 1 inputs"):
        f([1, 2])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        f([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="Graph disconnected"):
        K.function([x], [K.placeholder((2,)) + 1])


def test_learning_phase_is_fed_or_fixed():
    x = K.placeholder((None, 50))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(K.dropout(x, 0.5), x), K.in_test_phase(x, 0 * x)])
    ones = np.ones((2, 50))
    close(f([ones, 0])[0], ones)
    first, second = f([ones, 1])[0], f([ones, 1])[0]
    assert set(np.unique(first)) == {0.0, 2.0} and (first != second).any()
    assert not f([ones, 1])[1].any()
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1 and K.in_train_phase(1, 2) == 1
    with phase.running(False):
        assert K.learning_phase() == 0 and K.in_train_phase(lambda: 1, lambda: 2) == 2
    with pytest.raises(ValueError, match="expected 0"):
        K.set_learning_phase(2)


def test_shapes_of_symbols_are_shapes_for_functions():
    x = K.placeholder((None, 6))
    n = K.shape(x)[0]
    outputs = [K.reshape(x, (n * 2, 3)), K.zeros((n, 5)), K.random_normal(K.shape(x)), K.tile(x, K.stack([n, 1])), n]
    assert [K.int_shape(y) for y in outputs] == [(None, 3), (None, 5), (None, 6), (None, 6), ()]
    results = K.function([x], outputs)([np.ones((4, 6))])
    assert [y.shape for y in results] == [(8, 3), (4, 5), (4, 6), (16, 6), ()] and results[-1] == 4
    assert K.prod(K.shape(X)) == 12


def test_updates_run_at_once_or_are_collected():
    v = Variable(2.0)
    assert K.update_add(v, 1.0) is v and float(v) == 3
    K.moving_average_update(v, 1.0, 0.5)
    assert float(v) == 2
    with deferred.deferring():
        pair = K.update_sub(v, 0.5)
    assert pair[0] is v and float(pair[1]) == 1.5 and float(v) == 2
    assert isinstance(K.update(v, K.placeholder(()))[1], Symbol)


def test_keras_2_builds_graphs_of_variables(keras2):
    value = r.rand(4, 2).astype("float32")
    x, y = K.variable(value), K.placeholder(ndim=2)
    f = K.function([y], [K.square(x) + y], updates=[(x, x * 2)])
    close(f([value])[0], value**2 + value)
    close(K.get_value(x), 2 * value)
    close(f([value])[0], (2 * value) ** 2 + value)
    x = K.variable(value)
    inner = x * K.exp(x)
    loss = K.sum(inner)
    close(K.eval(K.gradients(loss, [x])[0]), np.exp(value) * (1 + value))
    close(K.eval(K.gradients(loss + K.stop_gradient(loss), [inner])[0]), np.ones((4, 2)))
    count = K.variable(0.0)
    step = K.function([], [count + 1], updates=[K.update_add(count, 1.0)])
    assert float(count) == 0 and [float(step([])[0]), float(step([])[0])] == [1, 2]


def test_variables_and_their_values():
    v, w = K.variable(X, name="v"), K.zeros((2, 3))
    assert K.int_shape(v) == (4, 3) and K.ndim(v) == 2 and K.count_params(v) == 12 and K.dtype(v) == "float32"
    K.batch_set_value([(v, X + 1), (w, np.ones((2, 3)))])
    close(K.batch_get_value([v, w])[0], X + 1)
    with pytest.raises(ValueError, match="shape"):
        K.batch_set_value([(v, X), (w, np.ones((3, 3)))])
    close(K.eval(v), X + 1)  # the other one was not set either
    close(K.eval(K.random_uniform_variable((3, 2), 2, 3) // 1), np.full((3, 2), 2))
    close(K.constant(2, shape=(2, 2)), np.full((2, 2), 2))
    assert K.is_placeholder(K.placeholder(ndim=3)) and not K.is_placeholder(v)
    assert K.is_keras_tensor(K.placeholder((2,))) and not K.is_keras_tensor(v)
    with pytest.raises(ValueError, match="is_keras_tensor"):
        K.is_keras_tensor(1)


def test_sessions_compute_and_refuse_the_rest():
    x = K.placeholder((2,))
    close(K.get_session().run([x * 2], feed_dict={x: [1, 2]})[0], [2, 4])
    with pytest.raises(AttributeError, match="TensorFlow's"):
        K.get_session().graph  # noqa: B018


def test_print_tensor_prints_when_computed(capfd):
    x = K.placeholder((1,))
    f = K.function([x], [K.print_tensor(x * 2, "value:")])
    f([[3.0]])
    assert "value: [6.]" in capfd.readouterr().out


def test_settings(monkeypatch):
    assert K.backend() == "jax"
    monkeypatch.setattr(behaviour, "backend_name", "tensorflow")
    assert K.backend() == "tensorflow"
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first" and K.image_dim_ordering() == "th"
    K.set_image_dim_ordering("tf")
    assert K.result_type("int32", "bfloat16") == "bfloat16" and K.is_float_dtype("float16") and K.is_int_dtype("uint8")
    assert K.cast_to_floatx([1, 2]).dtype == "float32"
    with K.name_scope("a") as name:
        assert name == "a/"


def test_only_labels_within_the_lengths_are_stored():
    sparse = K.ctc_label_dense_to_sparse(np.array([[1, 2, 3], [4, 5, 6]]), np.array([2, 3]))
    assert sparse.data.tolist() == [1, 2, 4, 5, 6]
