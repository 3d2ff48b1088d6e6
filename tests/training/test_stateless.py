"""Training steps that carry the state, as Keras 3 writes them on JAX."""

import jax
import numpy as np
import pytest

import oneiros as keras
from oneiros.core.errors import InputDataError

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(96, 8).astype("float32")
Y = X.sum(1, keepdims=True)


class Carried(keras.Model):
    """Writes all three steps with the state."""

    def differentiated(self, trainable, others, x, y):
        y_pred, others = self.stateless_call(trainable, others, x, training=True)
        return self.compute_loss(x, y, y_pred), (y_pred, others)

    def logs_of(self, values, loss, y, y_pred):
        logs, new = {}, []
        for metric in self.metrics:
            own = values[len(new) : len(new) + len(metric.variables)]
            batch = (loss,) if metric.name == "loss" else (y, y_pred)
            own = metric.stateless_update_state(own, *batch)
            logs[metric.name] = metric.stateless_result(own)
            new += own
        return logs, new

    def train_step(self, state, data):
        trainable, others, slots, metrics = state
        x, y = data
        gradient = jax.value_and_grad(self.differentiated, has_aux=True)
        (loss, (y_pred, others)), grads = gradient(trainable, others, x, y)
        trainable, slots = self.optimizer.stateless_apply(slots, grads, trainable)
        logs, metrics = self.logs_of(metrics, loss, y, y_pred)
        return logs, (trainable, others, slots, metrics)

    def test_step(self, state, data):
        trainable, others, metrics = state
        x, y = data
        y_pred, others = self.stateless_call(trainable, others, x, training=False)
        loss, (trainable, others, metrics) = self.stateless_compute_loss(
            trainable, others, metrics, x=x, y=y, y_pred=y_pred, training=False
        )
        logs, metrics = self.logs_of(metrics, loss, y, y_pred)
        return logs, (trainable, others, metrics)

    def predict_step(self, state, data):
        return self.stateless_call(*state, data, training=False)


class Wrapped(keras.Model):
    """Calls the library's steps with the state."""

    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {**logs, "extra": 10.0}, state

    def test_step(self, state, data):
        logs, state = super().test_step(state, data)
        return {**logs, "extra": 5.0}, state

    def predict_step(self, state, data):
        outputs, others = super().predict_step(state, data)
        return outputs + 1, others


def made(cls=keras.Model, **options):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8,))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Dense(6, name="first")(inputs))
    model = cls(inputs, keras.layers.Dense(1, name="last")(keras.layers.Dropout(0.4)(x)))
    model.compile(
        keras.optimizers.Adam(name="adam"), "mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")], **options
    )
    return model


def outcome(model):
    history = model.fit(X, Y, epochs=2, batch_size=16, verbose=0).history
    history = {name: values for name, values in history.items() if name != "extra"}
    return history, model.evaluate(X, Y, verbose=0)[:2], model.predict(X, verbose=0)


def assert_same(one, other, shift=0):
    for name in one[0]:
        np.testing.assert_allclose(one[0][name], other[0][name], rtol=2e-4)
    np.testing.assert_allclose(one[1], other[1], rtol=2e-4)
    np.testing.assert_allclose(one[2] + shift, other[2], rtol=2e-4, atol=1e-5)


def test_a_step_of_the_users_own_trains_as_the_library_does():
    assert_same(outcome(made()), outcome(made(Carried)))


def test_the_librarys_steps_with_the_state():
    expected = outcome(made())
    model = made(Wrapped)
    assert_same(expected, outcome(model), shift=1)
    assert model.fit(X, Y, verbose=0).history["extra"] == [10.0]
    assert model.evaluate(X, Y, verbose=0)[-1] == 5.0


def test_each_step_draws_its_own_dropout_mask():
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])
    state = [[v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]]
    first, others = model.stateless_call(*state, np.ones((1, 64)), training=True)
    second, _ = model.stateless_call(state[0], others, np.ones((1, 64)), training=True)
    assert np.abs(first - second).max() == 2


def test_a_subclassed_model_knows_its_metrics_before_its_first_step():
    class Small(Carried):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Small()
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")])
    assert set(model.fit(X, Y, verbose=0).history) == {"loss", "mae"}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda logs, state: logs, "must return two values"),
        (lambda logs, state: (logs, state[:3]), "a state of 3 entries; expected a tuple of 4 lists"),
        (lambda logs, state: (logs, (state[0][:1], *state[1:])), r"1 value\(s\) where the model has 6 variables"),
    ],
)
def test_what_a_step_must_return(returned, message):
    class Broken(keras.Model):
        def train_step(self, state, data):
            return returned(*super().train_step(state, data))

    model = made(Broken)
    before = model.get_weights()
    with pytest.raises(InputDataError, match=message):
        model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_compute_loss_and_updates_is_what_one_differentiates():
    model = made()
    model.test_on_batch(X, Y)
    model.reset_metrics()
    state = [[v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables)]
    metrics = [v.value for v in model.metrics_variables]
    function = jax.jit(
        lambda trainable: model.compute_loss_and_updates(trainable, state[1], metrics, X, Y, None, training=False)
    )
    loss, (plain, y_pred, others, counted) = function(state[0])
    np.testing.assert_allclose(loss, np.mean((y_pred - Y) ** 2), rtol=1e-5)
    np.testing.assert_allclose(loss, plain)
    assert len(others) == len(state[1]) and float(counted[0]) > 0
    assert [float(v) for v in model.metrics_variables] == [0.0] * len(metrics)


def test_the_state_as_a_tree():
    model = made()
    model.jax_state_sync()  # there is nothing to do: variables are always up to date
    model.fit(X, Y, verbose=0)
    tree = model.get_state_tree("numpy_array")
    kernel = model.layers[1].kernel
    place = tree["trainable_variables"]
    *branches, leaf = kernel.path.split("/")
    for branch in branches:
        place = place[branch]
    assert np.array_equal(place[leaf], kernel.numpy())
    assert set(tree) == {
        *("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"),
    }
    other = made()
    other.test_on_batch(X, Y)
    other.set_state_tree(tree)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    place[leaf] = np.zeros((3, 3))
    with pytest.raises(ValueError, match="has the shape"):
        other.set_state_tree(tree)
    with pytest.raises(ValueError, match="no variable 'nothing'"):
        other.set_state_tree({"trainable_variables": {"nothing": 1.0}})
    with pytest.raises(ValueError, match="value_format"):
        model.get_state_tree("torch")


def test_run_eagerly_runs_python_in_each_step():
    seen = []

    class Watched(keras.layers.Layer):
        def call(self, x):
            if not isinstance(x, keras.KerasTensor):
                seen.append(isinstance(x, jax.core.Tracer))
            return x

    def model(eager):
        keras.utils.set_random_seed(1)
        made = keras.Sequential([keras.Input((8,)), Watched(), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
        made.compile("adam", "mse", run_eagerly=eager)
        return made

    eager = model(True)
    assert eager.run_eagerly and not eager.jit_compile
    history = eager.fit(X, Y, batch_size=16, epochs=2, verbose=0).history
    assert len(seen) >= 12
    seen.clear()
    eager.predict(X, batch_size=48, verbose=0)
    assert seen == [False, False]
    np.testing.assert_allclose(
        history["loss"], model(False).fit(X, Y, batch_size=16, epochs=2, verbose=0).history["loss"], rtol=1e-5
    )
    eager.run_eagerly = False
    seen.clear()
    eager.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    assert len(seen) < 12 and all(seen)


def test_an_eager_step_that_fails_changes_nothing():
    class Fails(keras.Model):
        def train_step(self, data):
            logs = super().train_step(data)
            raise KeyError(logs)

    model = made(Fails, run_eagerly=True)
    before = model.get_weights()
    with pytest.raises(KeyError):
        model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize(("method", "attribute"), [("evaluate", "stop_evaluating"), ("predict", "stop_predicting")])
def test_a_callback_stops_what_has_no_end(method, attribute):
    class Stop(keras.callbacks.Callback):
        count = 0

        def on_test_batch_end(self, batch, logs=None):
            self.count += 1
            setattr(self.model, attribute, self.count == 4)

        on_predict_batch_end = on_test_batch_end

    def endless():
        while True:
            yield (X[:4], Y[:4]) if method == "evaluate" else (X[:4],)

    stop = Stop()
    getattr(made(), method)(endless(), callbacks=[stop], verbose=0)
    assert stop.count == 4


def test_several_inputs_reach_predict_step_in_one_tuple():
    kinds = []

    class Sum(keras.Model):
        def call(self, inputs):
            return inputs[0] + inputs[1]

        def predict_step(self, data):
            kinds.append((type(data), len(data)))
            return super().predict_step(data)

    for given in ([X, X], (X, X)):
        np.testing.assert_allclose(Sum().predict(given, verbose=0), 2 * X)
    assert set(kinds) == {(tuple, 1)}


def test_logs_at_the_end_of_training():
    ends = []
    watch = keras.callbacks.LambdaCallback(on_train_end=ends.append)
    made().fit(X, Y, validation_data=(X, Y), callbacks=[watch], verbose=0)
    assert set(ends[0]) == {"loss", "mae", "val_loss", "val_mae"}


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return X[:8] * 0 + index, Y[:8]


class Counted(Endless):
    num_batches = 5


def test_a_data_set_without_a_length():
    model = made()
    model.fit(Endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6
    with pytest.raises(InputDataError, match="Endless has no end"):
        model.fit(Endless(), verbose=0)
    model.fit(Counted(), verbose=0)
    assert int(model.optimizer.iterations) == 11 and len(Counted()) == 5


def test_sparse_arrays_of_jax_are_data():
    from jax.experimental.sparse import BCOO

    model = made()
    sparse = BCOO.fromdense(np.where(X > 1, X, 0))
    np.testing.assert_allclose(model.predict(sparse, verbose=0), model.predict(np.where(X > 1, X, 0), verbose=0))


def test_values_of_a_state_tree_may_be_lists():
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Dense(1, name="out")(x))
    model.compile("sgd")
    model.set_state_tree({"trainable_variables": {"out": {"kernel": [[1.0], [2.0]], "bias": [0.5]}}})
    assert [w.tolist() for w in model.get_weights()] == [[[1.0], [2.0]], [0.5]]


class Pair(keras.Model):
    """Two models that are trained together. There is nothing that could be called."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]) for _ in range(2))

    def train_step(self, state, data):
        trainable, others, optimizer, metrics = state

        def loss(values):
            one, _ = self.first.stateless_call(values[:2], [], data)
            two, _ = self.second.stateless_call(values[2:], [], data)
            return keras.ops.mean((one - two) ** 2)

        value, gradients = jax.value_and_grad(loss)(trainable)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return {"gap": value}, (trainable, others, optimizer, metrics)


@pytest.mark.parametrize("built", [False, True])
def test_a_model_without_a_call_of_its_own(built):
    model = Pair()
    model.built = model.built or built
    model.compile(keras.optimizers.SGD(0.1))
    gaps = model.fit(np.ones((8, 2), "float32"), epochs=30, verbose=0).history["gap"]
    assert gaps[-1] < 1e-3 < gaps[0]
