"""The report on where NaN came from: the step, the layer and the row are known, since they were put there."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers, ops

RNG = np.random.default_rng(0)


def data(rows=24, width=3):
    return (np.abs(RNG.normal(size=(rows, width))) + 0.1).astype("float32"), np.ones((rows, 1), "float32")


def fit(model, x, y, loss="mse", optimizer=None, stop=True, single=False, epochs=1, **arguments):
    """Trains, and returns the report."""
    model.compile(optimizer or keras.optimizers.SGD(1e-3), loss)
    report = keras.callbacks.NaNReport(stop=stop)
    seeing = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)] if single else []
    arguments = {"batch_size": 4, "shuffle": False, "verbose": 0} | arguments
    model.fit(x, y, epochs=epochs, callbacks=[report, *seeing], **arguments)
    return report.report


def logarithm(nested=False):
    x = keras.Input((3,))
    log = layers.Lambda(lambda t: ops.log(t), name="log")
    inner = keras.Sequential([keras.Input((3,)), layers.Rescaling(2.0), log], name="inner") if nested else log
    return keras.Model(x, layers.Dense(1, name="top")(inner(layers.Rescaling(1.0, name="scale")(x))))


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_logarithm_in_the_middle(nested, single, capsys):
    model = logarithm(nested)
    x, y = data()
    x[14, 1] = -3
    clean = logarithm(nested)
    clean.set_weights(model.get_weights())
    report = fit(model, x, y, single=single)
    name = "inner/log" if nested else "log"
    assert "Training step 3: loss not finite" in report
    assert f"layer {name} (Lambda) (row 2 of the batch, row 14 of the data)" in report
    assert f"finite, from {-6 if nested else -3}" in report
    assert report in capsys.readouterr().out
    # The weights are those before the step that failed: three batches of the same training without it.
    fit(clean, x[:12], y[:12])
    for a, b in zip(model.get_weights(), clean.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_many_steps_in_a_dispatch_and_shuffled_rows():
    model = logarithm()
    x, y = data(4000)
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    for _ in range(40):  # until a loop pays, which depends on how fast the machine compiles
        model.fit(x, y, batch_size=4, verbose=0)
        if model.training_state.steps.train.pace.many:
            break
    assert model.training_state.steps.train.pace.many
    x[1234, 0] = -1
    report = keras.callbacks.NaNReport()
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[report])
    assert "row 1234 of the data" in report.report
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_training_may_go_on():
    model = logarithm()
    x, y = data()
    x[1, 1] = -3
    assert "Training step 0" in fit(model, x, y, stop=False)
    assert np.isnan(model.get_weights()[0]).all()


def test_a_huge_learning_rate():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="a"), layers.Dense(1, name="b")])
    report = fit(model, *data(), optimizer=keras.optimizers.SGD(1e30))
    assert "Training step 1: loss not finite" in report
    assert "layer b (Dense)" in report


def test_a_gradient_alone():
    """sqrt(0) is 0, and its derivative infinite: infinity times zero is NaN in the first layer's gradient."""
    x, y = data()
    x[9] = 0
    inputs = keras.Input((3,))
    first = layers.Dense(3, use_bias=False, name="first")(inputs)
    root = layers.Lambda(lambda t: ops.sqrt(ops.abs(t)), name="root")(first)
    model = keras.Model(inputs, layers.Dense(1, name="top")(root))
    report = fit(model, x, y)
    assert "Training step 2: " in report
    assert "gradient is not" in report
    assert "layer root (Lambda) (row 1 of the batch, row 9 of the data)" in report
    assert np.isfinite(model.get_weights()[0]).all()


def test_a_weight_that_was_nan_before():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, name="top")])
    model.get_layer("top").kernel.assign(np.array([[0.0], [np.nan], [0.0]]))
    assert f"weight {model.name}/top/kernel was not finite before this step" in fit(model, *data())


def test_the_loss_alone():
    def own(y_true, y_pred):
        return jnp.log(y_true - 0.5).mean(-1) + (0 * y_pred).mean(-1)

    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    x, y = data()
    y[6] = 0
    report = fit(model, x, y, own)
    assert "Training step 1: " in report
    assert (
        "outputs of all layers are finite, the loss or metric is not (row 2 of the batch, row 6 of the data)" in report
    )


def test_recurrent_layers_and_masks():
    inputs = keras.Input((5, 2))
    hidden = layers.LSTM(3, name="lstm")(layers.Masking()(inputs))
    model = keras.Model(inputs, layers.Dense(1)(layers.Lambda(lambda t: 1 / (t - t), name="zero")(hidden)))
    assert "layer zero (Lambda)" in fit(model, RNG.normal(size=(8, 5, 2)), np.ones((8, 1)))

    class Cell(layers.SimpleRNNCell):
        def call(self, inputs, states, training=None):
            outputs, states = super().call(inputs, states)
            return ops.log(outputs - 10.0), states

    model = keras.Sequential([keras.Input((5, 2)), layers.RNN(Cell(3, name="cell"), name="rnn"), layers.Dense(1)])
    report = fit(model, RNG.normal(size=(8, 5, 2)), np.ones((8, 1)))
    assert "layer rnn/cell (Cell) (row 0" in report


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(3, name="first"), layers.Dense(1, name="second")

    def call(self, inputs):
        a, b = inputs
        return self.second(self.first(a) / b)


class OwnStep(Subclassed):
    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize("kind", [Subclassed, OwnStep])
def test_several_inputs_of_a_subclassed_model(kind):
    a, y = data()
    b = np.ones((24, 1), "float32")
    b[17] = 0
    report = fit(kind(), [a, b], y)
    assert "Training step 4: " in report
    assert "layer second (Dense) (row 1 of the batch, row 17 of the data)" in report
    assert "its inputs were not finite" in report


def test_generators_and_validation():
    x, y = data()
    x[14, 1] = -3
    batches = [(x[i : i + 4], y[i : i + 4]) for i in range(0, 24, 4)]
    assert "layer log (Lambda) (row 2 of the batch)" in fit(logarithm(), (b for b in batches), None, batch_size=None)
    clean = np.abs(x)
    report = fit(logarithm(), clean, y, validation_data=(x, y), validation_batch_size=4)
    assert "Evaluation step 3: loss not finite" in report


def test_as_a_setting_for_everything():
    model = logarithm()
    x, y = data()
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    before = model.get_weights()
    x[2, 1] = -3
    keras.config.set_debug_nans(True)
    try:
        assert keras.config.debug_nans()
        for call in (model.fit, model.evaluate):
            with pytest.raises(
                FloatingPointError, match=r"layer log \(Lambda\) \(row 2 of the batch, row 2 of the dat"
            ):
                call(x, y, batch_size=8, shuffle=False, verbose=0) if call == model.fit else call(x, y, verbose=0)
        for call in (model.train_on_batch, model.test_on_batch):
            with pytest.raises(FloatingPointError, match=r"layer log \(Lambda\) \(row 2 of the batch\)"):
                call(x, y)
    finally:
        keras.config.set_debug_nans(False)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_nothing_is_kept_or_said_without_it():
    x, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(logarithm(), x, y) is None
    model = logarithm()
    model.compile("sgd", "mse")
    x[0] = -1
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])
