"""Numbers of programs for Keras 1 and 2 that differ from today's, against NumPy, closed forms and black boxes."""

import itertools

import numpy as np
import pytest

import oneiros as keras
import oneiros.backend as K
from oneiros import activations, compat, initializers, layers
from oneiros.compat import generations
from oneiros.utils import layer_utils

r = np.random.RandomState(0)
X = (r.rand(8, 3) * 4 + 2).astype("float32")
Y = r.rand(8, 3).astype("float32")


@pytest.fixture(params=generations.GENERATIONS)
def generation(request):
    compat.install(request.param)
    yield request.param
    compat.uninstall()


@pytest.fixture
def keras2():
    compat.install("2")
    yield
    compat.uninstall()


def _at(generation, *values):
    return dict(zip(generations.GENERATIONS, values))[generation]


# --- frozen

FREEZE = {
    "layer": lambda norm, inner, outer: setattr(norm, "trainable", False),
    "inner model": lambda norm, inner, outer: setattr(inner, "trainable", False),
    "outer model": lambda norm, inner, outer: setattr(outer, "trainable", False),
    "nothing": lambda norm, inner, outer: None,
}


def _nested():
    norm = layers.BatchNormalization()
    x = layers.Input((3,))
    inner = keras.Model(x, layers.Dropout(0.5)(norm(x)))
    y = layers.Input((3,))
    return norm, inner, keras.Model(y, layers.Dense(3)(inner(y)))


def _moved(norm):
    mean, variance = norm.get_weights()[-2:]
    return bool(np.abs(mean).max() > 1e-6), bool(np.abs(variance - 1).max() > 1e-6)


@pytest.mark.filterwarnings("ignore:Model .* has no trainable weights")
@pytest.mark.parametrize("what", FREEZE)
def test_statistics_of_frozen_normalization(generation, what):
    norm, inner, outer = _nested()
    FREEZE[what](norm, inner, outer)
    outer.compile("sgd", "mse")
    outer.train_on_batch(X, Y)
    moved = what == "nothing" or generation == "1"
    assert _moved(norm) == (moved, moved)


@pytest.mark.filterwarnings("ignore:Model .* has no trainable weights")
def test_frozen_normalization_in_training(generation):
    model = keras.Sequential([layers.BatchNormalization(input_shape=(3,), trainable=False)])
    model.compile("sgd", "mse")
    by_batch = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3)
    by_moving = X / np.sqrt(1 + 1e-3)
    loss = np.mean((by_batch - by_moving) ** 2)
    got = np.ravel(model.train_on_batch(X, by_batch))[0]
    np.testing.assert_allclose(got, _at(generation, 0, 0, loss, loss), atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:Model .* has no trainable weights")
def test_dropout_in_a_frozen_model_still_drops(generation):
    x = layers.Input((400,))
    inner = keras.Model(x, layers.Dropout(0.5)(x))
    inner.trainable = False
    outer = keras.Sequential([inner])
    outer.compile("sgd", "mse")
    ones = np.ones((1, 400), "float32")
    loss = np.ravel(outer.train_on_batch(ones, ones))[0]  # each element becomes 0 or 2
    assert loss == 1


def test_states_of_a_frozen_recurrent_layer_go_on(generation):
    rnn = layers.SimpleRNN(2, stateful=True, batch_input_shape=(4, 3, 2), trainable=False)
    model = keras.Sequential([rnn, layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((4, 3, 2)), np.ones((4, 1)))
    assert np.abs(np.asarray(rnn.states[0])).min() > 0


def test_functions_of_symbols_leave_statistics_alone(generation):
    layer = layers.BatchNormalization()
    x = layers.Input((3,))
    y = layer(x)
    function = K.function([x, K.learning_phase()], [y])
    by_batch = function([X, 1])[0]
    np.testing.assert_allclose(by_batch, (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3), atol=1e-4)
    assert _moved(layer)[0] == _at(generation, False, False, True, True)


# --- stateful metrics


@pytest.mark.parametrize("says_so", [True, False])
def test_a_stateful_metric_shows_its_last_value(keras2, says_so):
    class Hits(layers.Layer):
        def __init__(self, name="hits", **kwargs):
            super().__init__(name=name, **kwargs)
            self.stateful = says_so
            self.hits = K.variable(0, dtype="int32")

        def reset_states(self):
            K.set_value(self.hits, 0)

        def __call__(self, y_true, y_pred):
            more = K.sum(K.cast(K.equal(K.round(y_pred), y_true), "int32") * K.cast(y_true, "int32"))
            before = self.hits * 1
            self.add_update(K.update_add(self.hits, more), inputs=[y_true, y_pred])
            return before + more

    x, y = r.rand(70, 2), r.randint(0, 2, (70, 1))
    model = keras.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(2,))])
    model.compile("sgd", "binary_crossentropy", metrics=["acc", Hits()])
    assert model.metrics_names == ["loss", "acc", "hits"]

    def batches():
        while True:
            for k in range(0, 70, 10):
                yield x[k : k + 10], y[k : k + 10]

    def expected():
        return int((np.round(model.predict(x)) * y).sum())

    for verbose in (0, 1):  # the bar looks at each step by itself
        history = model.fit(x, y, batch_size=10, verbose=verbose, validation_data=(x, y)).history
        assert history["val_hits"] == [expected()]
        history = model.fit_generator(batches(), 7, verbose=verbose, validation_data=batches(), validation_steps=7)
        assert history.history["val_hits"] == [expected()]
    assert model.evaluate(x, y, batch_size=10, verbose=0)[2] == expected()
    assert model.evaluate_generator(batches(), 7)[2] == expected()
    assert 0 <= history.history["hits"][0] <= y.sum()
    assert model.test_on_batch(x, y)[2] == 2 * expected()  # nothing resets it between single batches


# --- functions of the backend

POINTS = np.array([-6, -3, -2.8, -2, -1, 0, 0.5, 1, 2, 5, 6, 8], "float32")
RELU = list(itertools.product([0.0, 0.1, -0.5], [None, 5.0, 0.0], [0.0, -2.8, 1.0]))


@pytest.mark.parametrize(("slope", "most", "threshold"), RELU)
def test_relu(slope, most, threshold):
    above = np.where(np.float32(threshold) < POINTS, POINTS, 0)
    above = above if most is None else np.clip(above, 0, most)
    expected = above + np.where(np.float32(threshold) > POINTS, slope * (POINTS - threshold), 0)
    for result in (
        K.relu(POINTS, alpha=slope, max_value=most, threshold=threshold),
        activations.relu(POINTS, slope, most, threshold),
    ):
        np.testing.assert_allclose(result, expected, atol=1e-6)
    if slope >= 0 and threshold >= 0:
        layer = layers.ReLU(max_value=most, negative_slope=slope, threshold=threshold)
        np.testing.assert_allclose(layer(POINTS), expected, atol=1e-6)


def test_relu_of_a_number():
    assert K.eval(K.relu(-1.0, alpha=0.1, max_value=5, threshold=-2.8)) == 0


DRAWS = {
    "random_uniform": lambda seed: K.random_uniform((50,), 2.0, 3.0, seed=seed),
    "random_normal": lambda seed: K.random_normal((50,), seed=seed),
    "random_binomial": lambda seed: K.random_binomial((50,), 0.5, seed=seed),
    "random_bernoulli": lambda seed: K.random_bernoulli((50,), 0.5, seed=seed),
    "truncated_normal": lambda seed: K.truncated_normal((50,), seed=seed),
    "dropout": lambda seed: K.dropout(K.constant(np.ones(50)), 0.5, seed=seed),
}


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("name", DRAWS)
def test_each_evaluation_draws_anew(keras2, name, seed):
    symbol = DRAWS[name](seed)
    function = K.function([], [symbol])
    values = [K.eval(symbol), K.eval(symbol), function([])[0], function([])[0]]
    for one, other in itertools.combinations(values, 2):
        assert one.shape == (50,) and not np.array_equal(one, other)
    if seed is not None:  # another expression with the same seed begins as this one did
        np.testing.assert_array_equal(K.eval(DRAWS[name](seed)), values[0])


@pytest.mark.parametrize("name", sorted(DRAWS.keys() - {"dropout"}))
def test_each_call_draws_anew(name):
    assert not np.array_equal(DRAWS[name](3), DRAWS[name](3))


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize("first", [False, True])
def test_bias_add(rank, first):
    data_format = "channels_first" if first else "channels_last"
    x = r.rand(*(2, 3, 4, 5, 6)[:rank])
    sizes, channels = (x.shape[2:], x.shape[1]) if first else (x.shape[1:-1], x.shape[-1])
    vector, whole = r.rand(channels), r.rand(*sizes, channels)
    spread = vector.reshape(-1, *[1] * (rank - 2)) if first else vector
    np.testing.assert_allclose(K.bias_add(x, vector, data_format), x + spread, rtol=1e-6)
    # As Keras has it: the elements in their order, not the axes moved.
    reshaped = whole.reshape(channels, *sizes) if first else whole
    np.testing.assert_allclose(K.bias_add(x, whole, data_format), x + reshaped, rtol=1e-6)


# --- connectionist temporal classification


def _collapsed(path, blank):
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def _all_labellings(probabilities):
    """The probability of each label sequence, summed over all paths."""
    total = {}
    for path in itertools.product(range(probabilities.shape[1]), repeat=len(probabilities)):
        key = _collapsed(path, probabilities.shape[1] - 1)
        total[key] = total.get(key, 0) + np.prod([row[k] for row, k in zip(probabilities, path)])
    return sorted(total.items(), key=lambda item: -item[1])


def _labels(rows):
    return [tuple(int(k) for k in row if k >= 0) for row in np.asarray(rows)]


def test_decoding(generation):
    steps = [4, 3, 2]
    y = r.rand(3, 4, 3) ** 2
    y /= y.sum(-1, keepdims=True)
    paths, scores = K.ctc_decode(y, np.array(steps), greedy=False, beam_width=100, top_paths=3)
    scores = np.asarray(scores)
    assert len(paths) == 3 and scores.shape == (3, 3)
    for n, count in enumerate(steps):
        for k, (labels, probability) in enumerate(_all_labellings(y[n, :count])[:3]):
            shift = np.log(y[n, :count].max(-1)).sum() if generation in ("1", "2") else 0
            np.testing.assert_allclose(scores[n, k], np.log(probability) - shift, atol=1e-4)
            merged = tuple(label for label, _ in itertools.groupby(labels))
            assert _labels(paths[k])[n] == (labels if generation == "3" else merged)
    (best,), score = K.ctc_decode(y, np.array(steps))
    best_paths = [y[n, :count].argmax(-1) for n, count in enumerate(steps)]
    assert _labels(best) == [_collapsed(path, 2) for path in best_paths]
    sums = [-np.log(y[n, :count].max(-1)).sum() for n, count in enumerate(steps)]
    np.testing.assert_allclose(np.asarray(score)[:, 0], sums, atol=1e-4)


# --- weights


def _convolved(x, kernel):
    """A convolution in the strict sense (Theano's): the kernel is turned around."""
    rows, columns = (a - k + 1 for a, k in zip(x.shape, kernel.shape[:2]))
    out = np.zeros((rows, columns, kernel.shape[-1]))
    for i, j, a, b in itertools.product(range(rows), range(columns), *map(range, kernel.shape[:2])):
        turned = kernel[kernel.shape[0] - 1 - a, kernel.shape[1] - 1 - b]
        out[i, j] += x[i + a, j + b] @ turned
    return out


def test_kernels_of_theano_convolve_as_there():
    model = keras.Sequential([layers.Conv2D(2, (4, 3), input_shape=(5, 5, 3), use_bias=False)])
    x, kernel = r.rand(5, 5, 3), model.get_weights()[0]
    layer_utils.convert_all_kernels_in_model(model)
    np.testing.assert_allclose(model.predict(x[None], verbose=0)[0], _convolved(x, kernel), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("target", ["channels_first", "channels_last"])
def test_dense_weights_behind_maps_of_another_format(target):
    maps = r.rand(2, 3, 4, 5).astype("float32")  # rows, columns, channels
    by_format = {"channels_last": maps, "channels_first": maps.transpose(0, 3, 1, 2)}
    old = by_format["channels_last" if target == "channels_first" else "channels_first"].reshape(2, -1)
    dense = layers.Dense(3)
    expected = np.asarray(dense(old))
    new = by_format[target]
    layer_utils.convert_dense_weights_data_format(dense, new.shape[1:], target)  # as tf_keras: the new shape
    np.testing.assert_allclose(dense(new.reshape(2, -1)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_identity_for_gates(generation, name):
    layer = getattr(layers, name)(2, recurrent_initializer="identity")
    if generation == "2":
        with pytest.raises(ValueError, match="square"):
            layer.build((None, 3, 2))
        return
    layer.build((None, 3, 2))
    gates = 4 if name == "LSTM" else 3
    first_only = np.eye(2, 2 * gates)
    expected = np.tile(np.eye(2), gates) if generation == "1" else first_only
    np.testing.assert_array_equal(layer.get_weights()[1], expected)


def test_gates_of_keras1_are_orthogonal_one_by_one(generation):
    layer = layers.LSTM(3, recurrent_initializer=initializers.Orthogonal(gain=1.0))
    layer.build((None, 3, 2))
    gates = np.split(layer.get_weights()[1], 4, 1)
    alone = all(np.allclose(g @ g.T, np.eye(3), atol=1e-5) for g in gates)
    assert alone == (generation == "1")
    kernel = layer.get_weights()[1]
    assert np.allclose(kernel @ kernel.T, np.eye(3), atol=1e-5) == (generation != "1")


# --- names and factors


REGULARIZERS = {  # sum of |x| is 12 and of x * x is 24 for the weights
    "l1": 0.12,
    "l2": 0.24,
    "l1_l2": 0.36,
    "l1l2": 0.36,
    "activity_l1": 0.12,
    "activity_l2": 0.24,
    "activity_l1l2": 0.36,
}


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_by_name(generation, name):
    if generation == "3" and name not in ("l1", "l2"):
        return
    model = keras.Sequential([layers.Dense(2, W_regularizer=name, input_shape=(3,), use_bias=False)])
    model.set_weights([np.full((3, 2), 2.0)])
    model.compile("sgd", "mse")
    ones = np.ones((4, 3))
    np.testing.assert_allclose(
        np.ravel(model.test_on_batch(ones, np.full((4, 2), 6)))[0], REGULARIZERS[name], rtol=1e-5
    )
    layer = layers.Dense(2, activity_regularizer=name, input_shape=(3,))
    assert (
        layer.activity_regularizer.get_config() == layers.Dense(2, W_regularizer=name).kernel_regularizer.get_config()
    )


def test_factors_of_l1_l2(generation):
    factor = _at(generation, 0.01, 0.01, 0.01, 0.0)  # as tf_keras 2.21 and keras 3.15 have it
    assert keras.regularizers.l1_l2().get_config() == {"l1": factor, "l2": factor}
    assert keras.regularizers.L1L2().get_config() == {"l1": 0.0, "l2": 0.0}
    assert keras.regularizers.l1_l2(l2=0.5).get_config() == {"l1": factor, "l2": 0.5}


def test_weighted_metric_prefix(generation):
    model = keras.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    old = ["loss", "mean_absolute_error", "weighted_mean_squared_error"]
    assert model.metrics_names == _at(generation, old, old, ["loss", "mae", "mse"], ["loss", "mae", "mse"])


@pytest.mark.parametrize("metrics", [["mae"], {"first": "mae", "second": "mae"}])
def test_metrics_of_an_output_without_a_loss(generation, metrics):
    x = layers.Input((3,))
    first = layers.Dense(2, name="first")(x)
    model = keras.Model(x, [first, layers.Activation("relu", name="second")(first)])
    model.compile("sgd", {"second": "mse"}, metrics=metrics)
    if generation in ("1", "2"):
        targets = r.rand(8, 2)
        loss, of_second, mae = model.test_on_batch(X, targets)
        error = np.maximum(X @ model.get_weights()[0], 0) - targets
        np.testing.assert_allclose([loss, of_second, mae], [*[(error**2).mean()] * 2, abs(error).mean()], rtol=1e-4)
    else:
        assert sum("mae" in name for name in model.metrics_names) == 2


def test_top_k_is_mean(generation):
    y, p = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.3, 0.2, 0.1], [0.1, 0.2, 0.7]])
    for function, targets in (
        (keras.metrics.top_k_categorical_accuracy, y),
        (keras.metrics.sparse_top_k_categorical_accuracy, y.argmax(-1)),
    ):
        expected = _at(generation, 0.5, 0.5, [1, 0], [1, 0])
        np.testing.assert_array_equal(function(targets, p, k=2), expected)


def test_functions_fetch_and_are_fed(keras2):
    a, b = K.variable(0.0), K.variable(0.0)
    x, y = K.placeholder(()), K.placeholder(())
    function = K.function([x, y], [x + y], updates=[(a, x + 1.0)], fetches=[K.update(b, 5.0)])
    assert function([10.0, 20.0]) == [30.0] and (K.get_value(a), K.get_value(b)) == (11, 5)
    function = K.function([x], [x + y], updates=[(a, y)], feed_dict={y: 30.0})
    assert function([10.0]) == [40.0] and K.get_value(a) == 30
    with pytest.raises(TypeError, match="nonsense"):
        K.function([x], [x], nonsense=1)


def test_a_list_may_grow_after_a_layer_was_called_on_it(generation):
    x = layers.Input((2,))
    parts = [x, x]
    both = layers.Concatenate()(parts)
    parts.append(both)
    parts[0] = both
    model = keras.Model(x, both)
    assert model.predict(np.ones((1, 2)), verbose=0).shape == (1, 4)


def test_a_model_with_an_input_that_nothing_uses_is_saved(generation, tmp_path):
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(a))
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5", compile=False)
    data = [np.ones((4, 2)), np.ones((4, 3))]
    np.testing.assert_array_equal(loaded.predict(data, verbose=0), model.predict(data, verbose=0))


def test_numpy_numbers(generation, capsys):
    model = keras.Sequential([layers.Dense(1, input_shape=(1,), kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    data = np.ones((4, 1)), np.full((4, 1), 1.5)
    model.evaluate(*data, verbose=0)
    for found in (model.evaluate(*data, verbose=0), model.test_on_batch(*data), model.train_on_batch(*data)):
        assert found == [0.25, 0.5] and all(isinstance(value, float) for value in found)
        assert all(hasattr(value, "shape") for value in found) == _at(generation, True, True, False, False)
        print(found, end="")
    assert capsys.readouterr().out == "[0.25, 0.5]" * 3
    assert type(model.train_on_batch(*data, return_dict=True)["loss"]) is float
