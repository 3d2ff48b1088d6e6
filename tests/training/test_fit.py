"""Training against arithmetic done in NumPy: losses, weights, metrics, batches, logs."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.core.errors import InputDataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 3)).astype("float32")
Y = RNG.normal(size=(10, 2)).astype("float32")


def linear(outputs=2, **compile_arguments):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(outputs)])
    arguments = {"optimizer": keras.optimizers.SGD(0.1), "loss": "mse"} | compile_arguments
    model.compile(**arguments)
    return model


def gradient_step(w, b, x, y, weights=None, rate=0.1):
    """One step of gradient descent on the (weighted) mean squared error of a linear model, and the loss before."""
    error = x @ w + b - y
    per_sample = (error**2).mean(-1)
    weights = np.ones(len(x)) if weights is None else weights
    scale = 2 * error * weights[:, None] / (len(x) * y.shape[1])
    return w - rate * x.T @ scale, b - rate * scale.sum(0), float((per_sample * weights).mean())


def train_in_numpy(w, b, batches, weights=None):
    losses = []
    for rows in batches:
        w, b, loss = gradient_step(w, b, X[rows], Y[rows], None if weights is None else weights[rows])
        losses.append((loss, len(rows)))
    return w, b, sum(loss * n for loss, n in losses) / sum(n for _, n in losses)


@pytest.mark.parametrize("batch_size", [4, 5, 32])
def test_an_epoch_is_gradient_descent_batch_by_batch(batch_size):
    model = linear()
    w, b = model.get_weights()
    history = model.fit(X, Y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    batches = np.split(np.arange(10), range(batch_size, 10, batch_size))
    for epoch in range(2):
        w, b, loss = train_in_numpy(w, b, batches)
        np.testing.assert_allclose(history.history["loss"][epoch], loss, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffling_follows_numpys_seed(shuffle):
    model = linear()
    w, b = model.get_weights()
    np.random.seed(5)
    model.fit(X, Y, batch_size=2, epochs=1, shuffle=shuffle, verbose=0)
    np.random.seed(5)
    order = np.arange(10)
    if shuffle == "batch":
        groups = order.reshape(5, 2).copy()
        np.random.shuffle(groups)
        order = groups.reshape(-1)
    else:
        np.random.shuffle(order)
    w, b, _ = train_in_numpy(w, b, np.split(order, 5))
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-6)


def test_callbacks_that_watch_batches_change_nothing_but_the_pace():
    class Watch(keras.callbacks.Callback):
        def __init__(self):
            self.batches = []

        def on_batch_end(self, batch, logs=None):
            self.batches.append((batch, logs["loss"]))

    fast, slow, watch = linear(), linear(), Watch()
    slow.set_weights(fast.get_weights())
    one = fast.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    other = slow.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-6)
    for a, b in zip(fast.get_weights(), slow.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert [batch for batch, _ in watch.batches] == [0, 1, 2, 3] * 2


def test_sample_weights_scale_the_loss():
    model = linear()
    w, b = model.get_weights()
    weights = RNG.uniform(0.5, 2, 10).astype("float32")
    history = model.fit(X, Y, batch_size=5, shuffle=False, verbose=0, sample_weight=weights)
    w, b, loss = train_in_numpy(w, b, np.split(np.arange(10), 2), weights)
    np.testing.assert_allclose(history.history["loss"], [loss], rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-6)


def test_class_weights_are_sample_weights_by_class():
    labels = np.arange(10) % 3
    model = linear(3, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = model.get_weights()
    by_class = model.fit(X, labels, shuffle=False, verbose=0, class_weight={0: 1.0, 1: 5.0, 2: 0.5}).history
    ended = model.get_weights()
    model.set_weights(start)
    weights = np.array([1.0, 5.0, 0.5])[labels]
    by_sample = model.fit(X, labels, shuffle=False, verbose=0, sample_weight=weights).history
    np.testing.assert_allclose(by_class["loss"], by_sample["loss"], rtol=1e-6)
    np.testing.assert_allclose(ended[0], model.get_weights()[0], rtol=1e-5)
    one_hot = np.eye(3)[labels]
    model.compile("sgd", "categorical_crossentropy")
    assert model.fit(X, one_hot, verbose=0, class_weight={0: 1.0, 1: 5.0, 2: 0.5}).history["loss"]


def test_temporal_sample_weights():
    x = RNG.normal(size=(4, 5, 3)).astype("float32")
    y = RNG.normal(size=(4, 5, 2)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), layers.TimeDistributed(layers.Dense(2))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    weights = RNG.uniform(size=(4, 5)).astype("float32")
    per_step = ((model.predict(x, verbose=0) - y) ** 2).mean(-1)
    loss = model.evaluate(x, y, sample_weight=weights, verbose=0)
    np.testing.assert_allclose(loss, (per_step * weights).mean(), rtol=1e-5)


def test_masked_steps_do_not_count():
    x = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    y = RNG.normal(size=(2, 4, 2)).astype("float32")
    model = keras.Sequential([layers.Embedding(5, 3, mask_zero=True), layers.TimeDistributed(layers.Dense(2))])
    model.compile("sgd", "mse")
    loss = model.evaluate(x, y, verbose=0)
    per_step = ((model.predict(x, verbose=0) - y) ** 2).mean(-1)
    np.testing.assert_allclose(loss, per_step[x != 0].mean(), rtol=1e-5)


def test_validation_comes_from_the_end_and_is_not_trained_on():
    model, other = linear(metrics=["mae"]), linear(metrics=["mae"])
    other.set_weights(model.get_weights())
    history = model.fit(X, Y, validation_split=0.3, shuffle=False, verbose=0).history
    other.fit(X[:7], Y[:7], shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], rtol=1e-6)
    loss, mae = other.evaluate(X[7:], Y[7:], verbose=0)
    np.testing.assert_allclose([history["val_loss"][0], history["val_mae"][0]], [loss, mae], rtol=1e-5)
    explicit = other.fit(X, Y, validation_data=(X[7:], Y[7:], np.ones(3)), verbose=0).history
    assert set(explicit) == {"loss", "mae", "val_loss", "val_mae"}


def test_metrics_are_means_over_all_samples():
    model = linear(metrics=["mae", "mse", lambda y, p: keras.ops.mean(keras.ops.abs(y - p))])
    p = model.predict(X, verbose=0)
    results = model.evaluate(X, Y, batch_size=3, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["mae"], np.abs(p - Y).mean(), rtol=1e-5)
    np.testing.assert_allclose(results["mse"], results["loss"], rtol=1e-5)
    assert list(results)[0] == "loss"
    listed = model.evaluate(X, Y, batch_size=3, verbose=0)
    assert listed == list(results.values())


def test_several_outputs_with_a_loss_and_metrics_each():
    x = keras.Input((3,))
    a, b = layers.Dense(2, name="a")(x), layers.Dense(1, name="b")(x)
    model = keras.Model(x, [a, b])
    model.compile(
        "sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 0.5}, metrics={"b": ["mse"], "a": "mae"}
    )
    logs = model.evaluate(X, [Y, Y[:, :1]], verbose=0, return_dict=True)
    pa, pb = model.predict(X, verbose=0)
    a_loss, b_loss = ((pa - Y) ** 2).mean(), np.abs(pb - Y[:, :1]).mean()
    expected = {
        "loss": 2 * a_loss + 0.5 * b_loss,
        "a_loss": a_loss,
        "b_loss": b_loss,
        "a_mae": np.abs(pa - Y).mean(),
        "b_mse": ((pb - Y[:, :1]) ** 2).mean(),
    }
    assert set(logs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-5, err_msg=name)
    model.compile("sgd", ["mse", None])
    assert model.fit(X, [Y], verbose=0).history["loss"][0] == pytest.approx(a_loss, rel=1e-4)


def test_penalties_on_weights_and_activities_are_part_of_the_loss():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, kernel_regularizer=keras.regularizers.l2(0.1), activity_regularizer="l1"),
            layers.Dense(2, bias_regularizer="l2"),
        ]
    )
    model.compile("sgd", "mse")
    w, b, w2, b2 = model.get_weights()
    model.layers[1].bias.assign([1.0, 2.0])
    hidden = X @ w + b
    activities = 0.01 * abs(hidden).sum() / len(X)  # per sample, as Keras 3 and tf.keras have it
    expected = ((hidden @ w2 + [1.0, 2.0] - Y) ** 2).mean() + 0.1 * (w**2).sum() + 0.01 * 5 + activities
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-5)


def test_losses_given_as_symbols():
    x = keras.Input((3,))
    hidden = layers.Dense(2)(x)
    model = keras.Model(x, hidden)
    model.add_loss(keras.ops.mean(hidden**2) * 3.0)
    model.compile("sgd", "mse")
    p = model.predict(X, verbose=0)
    expected = ((p - Y) ** 2).mean() + 3 * (p**2).mean()
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-5)
    model.compile("sgd", None)
    before = model.get_weights()[0].copy()
    assert model.fit(X, verbose=0).history["loss"][0] == pytest.approx(3 * (p**2).mean(), rel=1e-4)
    assert not np.allclose(before, model.get_weights()[0])


def test_frozen_layers_stay_and_the_gan_pattern_trains_what_compile_saw():
    discriminator = linear()
    discriminator.trainable = False
    z = keras.Input((3,))
    combined = keras.Model(z, discriminator(layers.Dense(3)(z)))
    combined.compile(keras.optimizers.SGD(0.1), "mse")
    before = [w.copy() for w in discriminator.get_weights()]
    combined.fit(X, Y, verbose=0)
    for a, b in zip(before, discriminator.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="trainable"):
        discriminator.train_on_batch(X, Y)
    assert not np.allclose(before[0], discriminator.get_weights()[0])


def test_train_on_batch_and_its_kin():
    model = linear(metrics=["mae"])
    w, b = model.get_weights()
    loss, mae = model.train_on_batch(X, Y)
    error = X @ w + b - Y
    np.testing.assert_allclose([loss, mae], [(error**2).mean(), np.abs(error).mean()], rtol=1e-5)
    w, b, _ = gradient_step(w, b, X, Y)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-6)
    model.reset_metrics()
    logs = model.test_on_batch(X, Y, return_dict=True)
    np.testing.assert_allclose(logs["loss"], ((X @ w + b - Y) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), X @ w + b, rtol=1e-4, atol=1e-5)


def test_a_short_last_batch_of_predict_is_exact():
    model = linear()
    w, b = model.get_weights()
    for count, size in ((7, 3), (1, 32), (10, 4)):
        np.testing.assert_allclose(
            model.predict(X[:count], batch_size=size, verbose=0), X[:count] @ w + b, rtol=1e-4, atol=1e-5
        )


def test_initial_epoch_and_stopping():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 3

    model = linear()
    history = model.fit(X, Y, epochs=10, initial_epoch=2, verbose=0, callbacks=[Stop()])
    assert history.epoch == [2, 3]


def test_a_subclassed_model_trains():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(4, activation="relu")
            self.blocks = [layers.Dense(4), layers.Dense(2)]

        def call(self, inputs, training=None):
            x = self.hidden(inputs)
            for block in self.blocks:
                x = block(x)
            return x

    model = Net()
    model.compile(keras.optimizers.SGD(0.05), "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert len(model.weights) == 6
    assert model.predict(X, verbose=0).shape == (10, 2)


def test_a_training_step_of_the_users_own():
    class Net(keras.Model):
        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(x, y, y_pred)
            return {**self.compute_metrics(x, y, y_pred), "own_loss": loss}

    x = keras.Input((3,))
    model = Net(x, layers.Dense(2)(x))
    model.compile("sgd", "mse", metrics=["mae"])
    error = model.predict(X, verbose=0) - Y
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["mae"], np.abs(error).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["own_loss"], (error**2).mean(), rtol=1e-5)


def test_dropout_draws_anew_at_each_step_and_rests_in_predict():
    model = keras.Sequential([keras.Input((50,)), layers.Dropout(0.5, seed=1)])
    model.compile("sgd", "mse", metrics=[])
    x = np.ones((4, 50), "float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    losses = [model(x, training=True) for _ in range(2)]
    assert not np.allclose(losses[0], losses[1])
    assert set(np.unique(losses[0])) <= {0.0, 2.0}


def test_batch_normalization_moves_its_averages_in_training_only():
    model = keras.Sequential([keras.Input((3,)), layers.BatchNormalization(momentum=0.5)])
    model.compile("sgd", "mse")
    start = model.get_weights()
    model.evaluate(X, X, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], start[2])
    model.fit(X, X, batch_size=10, verbose=0)
    np.testing.assert_allclose(model.get_weights()[2], 0.5 * X.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[3], 0.5 + 0.5 * X.var(0), rtol=1e-3)


def test_old_names_of_arguments():
    model = linear()
    for arguments in ({"nb_epoch": 2}, {"num_epochs": 2}, {"epochs": 2}):
        assert len(model.fit(X, Y, verbose=0, **arguments).epoch) == 2
    with pytest.raises(TypeError, match="epoch"):
        model.fit(X, Y, epoch=2)


def test_uncompiled():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(RuntimeError, match="must be compiled"):
        model.fit(X, Y)


def test_unknown_names_hint_at_the_nearest():
    with pytest.raises(ValueError, match="mean_squared_error|mse"):
        linear(loss="mean_square_error")
    with pytest.raises(ValueError, match="adam"):
        linear(optimizer="adamm")
    with pytest.raises(InputDataError, match="no output is called"):
        linear(loss={"dense": "mse", "dens": "mse"})


def test_compute_metrics_of_a_subclass_is_used():
    class Own(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return logs | {"twice": 2 * logs["mae"]}

    inputs = keras.Input((3,))
    model = Own(inputs, layers.Dense(2)(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    logs = model.fit(X, Y, batch_size=4, verbose=0).history
    error = abs(model.predict(X, verbose=0) - Y).mean()
    np.testing.assert_allclose([logs["mae"][0], logs["twice"][0]], [error, 2 * error], rtol=1e-5)
    results = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["twice"], 2 * error, rtol=1e-5)


def test_a_model_without_trainable_weights_is_only_measured():
    model = linear()
    model.trainable = False
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.warns(UserWarning, match="no trainable weights"):
        history = model.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_allclose(history.history["loss"], model.evaluate(X, Y, verbose=0), rtol=1e-5)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_stateful_model_takes_fewer_rows_than_a_batch_has():
    model = keras.Sequential([keras.Input((4, 3), batch_size=6), keras.layers.SimpleRNN(2, stateful=True)])
    model.compile("sgd", "mse")
    x, y = np.ones((6, 4, 3)), np.ones((6, 2))
    whole = model.evaluate(x, y, batch_size=6, verbose=0)
    model.layers[0].reset_states()
    assert model.evaluate(x, y, verbose=0) == whole
    assert model.fit(x, y, epochs=2, verbose=0).epoch == [0, 1]
    with pytest.raises(ValueError, match="multiple of the batch size"):
        model.fit(x, y, batch_size=4, verbose=0)
