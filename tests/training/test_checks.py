"""Values that training must not see: NaN, infinities, labels and indices out of range."""

import warnings

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.core.errors import InputDataError
from oneiros.training.checks import all_finite

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = RNG.normal(size=(12, 1)).astype("float32")


def dense(units=1, loss="mse", activation=None):
    model = keras.Sequential([keras.Input((3,), name="features"), layers.Dense(units, activation)])
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


class Classifier(keras.Model):
    """A model without a graph."""

    def __init__(self, classes=3):
        super().__init__()
        self.top = layers.Dense(classes, activation="softmax")

    def call(self, inputs):
        return self.top(inputs)


def spoiled(array, value=np.nan, at=(5, 0)):
    array = np.array(array)
    array[at] = value
    return array


def batches(x, y, size=4):
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


# --- NaN and infinities


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", jnp.bfloat16])
def test_all_finite_agrees_with_numpy(dtype):
    for shape in [(3,), (700, 1000), (0, 4), (2, 0)]:
        array = np.asarray(RNG.normal(size=shape), dtype)
        assert all_finite(array)
        assert all_finite(jnp.asarray(array))
        for value in (np.nan, np.inf, -np.inf):
            if array.size:
                array.reshape(-1)[-1] = value
                assert not all_finite(array)
                assert not all_finite(array[::-1])
                assert not all_finite(jnp.asarray(array))
    assert all_finite(np.full((5, 5), np.finfo("float32").max, "float32"))  # their squares are infinite
    assert all_finite(np.asfortranarray(RNG.normal(size=(300, 400))))
    assert all_finite(np.arange(5))


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("argument", ["x", "y", "sample_weight"])
def test_values_that_are_not_finite_are_told_before_anything_changes(method, argument):
    model = dense()
    before = model.get_weights()
    for value in (np.nan, np.inf):
        data = {"x": X, "y": Y, "sample_weight": np.ones(12)}
        data[argument] = spoiled(data[argument], value, at=(5,) if argument == "sample_weight" else (5, 0))
        with pytest.raises(InputDataError, match=rf"{argument}: {value} in row 5.*\(1 such value\).*set_check_finite"):
            getattr(model, method)(**data)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_the_search_can_be_switched_off():
    model = dense()
    keras.config.set_check_finite(False)
    try:
        assert np.isnan(model.train_on_batch(spoiled(X), Y))
    finally:
        keras.config.set_check_finite(True)


@pytest.mark.parametrize("kind", [keras.callbacks.TerminateOnNaN, keras.callbacks.NaNReport])
@pytest.mark.parametrize("yields", [False, True], ids=["arrays", "batches"])
def test_a_callback_that_deals_with_nan_gets_it(kind, yields):
    model = dense()
    data = ((spoiled(X), Y) for _ in range(20)) if yields else spoiled(X)
    with pytest.warns(UserWarning, match="x: nan in row 5.*Training goes on"):
        history = model.fit(data, None if yields else Y, steps_per_epoch=2, epochs=3, verbose=0, callbacks=[kind()])
    assert np.isnan(history.history["loss"][-1]) and len(history.epoch) == 1
    with pytest.raises(InputDataError, match="x: nan in row 5"):
        model.fit(spoiled(X), Y, verbose=0)


def test_where_nan_may_be_meant():
    """Targets of a loss of the user's own, and predictions: there nothing is hidden."""

    def ignoring(y_true, y_pred):
        known = jnp.isfinite(y_true)
        return (jnp.where(known, y_true - y_pred, 0.0) ** 2).mean(-1)

    assert np.isfinite(dense(loss=ignoring).train_on_batch(X, spoiled(Y)))
    out = dense().predict(spoiled(X), verbose=0)
    assert np.isnan(out[5]).all()
    assert np.isfinite(out[6:]).all()


def test_inputs_are_named_where_there_are_several():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(layers.add([a, b])))
    model.compile("sgd", "mse")
    with pytest.raises(InputDataError, match=r"x\[1\]: nan in row 5"):
        model.fit([X, spoiled(X)], Y, verbose=0)


def test_batches_of_a_generator_and_rows_of_a_file(tmp_path):
    model = dense()
    with pytest.raises(InputDataError, match="Batch 1 of generator: y: nan in row 1"):
        model.fit((b for b in batches(X, spoiled(Y))), verbose=0)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = spoiled(X, at=(7, 2)), Y
        file["classes"] = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0, 1])
    with h5py.File(tmp_path / "data.h5") as file:
        for shuffle in (True, False):
            with pytest.raises(InputDataError, match=r"x: nan in row 7, at \[7, 2\]"):
                model.fit(file["x"], file["y"], batch_size=4, shuffle=shuffle, verbose=0)
        with pytest.raises(InputDataError, match="x: nan in row 7"):
            model.fit(file["x"], file["y"], validation_split=0.5, batch_size=2, verbose=0)
        with pytest.raises(InputDataError, match=r"label 3 not in \[0, 3\), row 9"):
            dense(3, "sparse_categorical_crossentropy", "softmax").fit(X, file["classes"], batch_size=4, verbose=0)


# --- labels


@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.BinaryFocalCrossentropy(name="mine")])
@pytest.mark.parametrize("labels", [[0, 1, 2], [1, -1, -1], [0.5, 1.0, 1.5]])
def test_binary_labels_out_of_range(loss, labels):
    y = np.array([[0], [1], labels[:1], *[[label] for label in labels]])
    first = next(i for i, label in enumerate(y.ravel()) if not 0 <= label <= 1)
    with pytest.raises(InputDataError, match=rf"y: {y[first, 0]:g} in row {first} is not in \[0, 1\]"):
        dense(loss=loss, activation="sigmoid").fit(X[:6], y, verbose=0)


def test_binary_labels_that_are_fine():
    for labels in (np.array([True, False] * 6), np.linspace(0, 1 + 1e-7, 12), np.array([0, 1] * 6, "uint8")):
        dense(loss="binary_crossentropy", activation="sigmoid").fit(X, labels, verbose=0)
    own = keras.losses.LossFunctionWrapper(lambda y, p: (y * p).mean(-1))
    dense(loss=own).fit(X, np.arange(12), verbose=0)


@pytest.mark.parametrize("bad", [3, -1, 0.7, np.nan])
@pytest.mark.parametrize("how", ["fit", "train_on_batch", "generator", "later", "built", "validation"])
def test_class_numbers_of_a_model_without_a_graph(bad, how):
    model = Classifier()
    if how == "built":
        model(X)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy())
    good = np.arange(12.0) % 3
    y = spoiled(good, bad, at=(7,))
    match = "nan" if np.isnan(bad) else f"label {bad} "
    if how == "later":
        model.train_on_batch(X, good)
        before = model.get_weights()
    with pytest.raises(InputDataError, match=match):
        if how == "generator":
            model.fit(iter(batches(X, y)), steps_per_epoch=3, verbose=0)
        elif how == "validation":
            model.fit(X, good, validation_data=(X, y), verbose=0)
        elif how in ("later", "train_on_batch"):
            model.train_on_batch(X, y)
        else:
            model.fit(X, y, verbose=0)
    if how == "later":
        np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_class_to_ignore_is_no_error():
    for model in (dense(3, None, "softmax"), Classifier()):
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
        assert np.isfinite(model.train_on_batch(X, spoiled(np.arange(12) % 3, -1, at=(7,))))


# --- indices


@pytest.mark.parametrize("between", ["nothing", "reshape", "permute", "nested", "nested twice", "concatenate"])
def test_indices_that_reach_an_embedding_unchanged_are_checked_on_the_host(between):
    x = keras.Input((4,), dtype="int32")
    table = layers.Embedding(10, 2, name="table")
    if between == "nested":
        inner = keras.Sequential([keras.Input((4,), dtype="int32"), table])
        found = inner(x)
    elif between == "nested twice":
        inner = keras.Sequential([keras.Input((2, 2), dtype="int32"), layers.Flatten(), table])
        y = keras.Input((4,), dtype="int32")
        found = keras.Model(y, inner(layers.Reshape((2, 2))(y)))(x)
    elif between == "concatenate":
        found = table(layers.concatenate([x, x]))
    else:
        moved = {"reshape": layers.Reshape((2, 2)), "permute": layers.Permute((1,)), "nothing": lambda x: x}
        found = table(moved[between](x))
    model = keras.Model(x, layers.Dense(1)(layers.Flatten()(found)))
    model.compile("sgd", "mse")
    indices = RNG.integers(0, 10, (6, 4))
    model.fit(indices, np.ones((6, 1)), verbose=0)
    for bad in (10, -1):
        for call in (model.predict, lambda x, **kw: model.fit(x, np.ones((6, 1)), **kw)):
            with pytest.raises(InputDataError, match=rf"Layer table .*index {bad} in row 3.*\[0, 10\)"):
                call(spoiled(indices, bad, at=(3, 1)), verbose=0)


# --- checkpoints


def checkpointed(tmp_path, monitor="loss", **arguments):
    """Runs an epoch that is fine and one that ends in NaN; returns the weights in the file, and the warnings."""
    weights_only = arguments.get("save_weights_only")
    path = str(tmp_path / ("model.weights.h5" if weights_only else "model.h5"))
    model = dense()
    saved = keras.callbacks.ModelCheckpoint(path, monitor, **arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y, verbose=0, callbacks=[saved])
        keras.config.set_check_finite(False)
        try:
            model.fit(spoiled(X), Y, verbose=0, callbacks=[saved])
        finally:
            keras.config.set_check_finite(True)
    assert np.isnan(model.get_weights()[0]).any()
    other = dense()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so itself where a file holds NaN
        other.load_weights(path)
    return other.get_weights(), [str(w.message) for w in caught]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"save_best_only": True},
        {"save_best_only": True, "mode": "max"},
        {"save_freq": 1},
        {"save_weights_only": True},
    ],
)
@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_a_checkpoint_is_never_replaced_by_nan(tmp_path, arguments, monitor):
    if monitor == "val_loss" and "save_best_only" in arguments:
        pytest.skip("nothing is saved without the monitored value")
    weights, messages = checkpointed(tmp_path, monitor, **arguments)
    assert np.isfinite(weights[0]).all()
    wanted = "loss is nan" if monitor == "loss" else "kernel is not finite"
    assert any(wanted in m and "save_non_finite=True" in m for m in messages)


def test_unless_it_is_told_to(tmp_path):
    weights, messages = checkpointed(tmp_path, save_non_finite=True)
    assert np.isnan(weights[0]).any()
    assert not messages


class Shifted(layers.Layer):
    def call(self, inputs):
        return inputs + 1


class Looking(keras.Model):
    """A subclassed model that computes the indices it looks up."""

    def __init__(self):
        super().__init__()
        self.table = layers.Embedding(10, 2, name="table")
        self.top = layers.Dense(1)

    def call(self, inputs):
        return self.top(self.table(inputs + 1).mean(1))


def looking(kind):
    """Models that look up their inputs plus 1."""
    if kind == "subclassed":
        model = Looking()
    else:
        x = keras.Input((4,), dtype="int32")
        table = layers.Embedding(10, 2, name="table")
        if kind == "nested":
            inner = keras.Sequential([Shifted(), table])
            found = inner(x)
        elif kind == "shared":
            found = table(Shifted()(x)) + table(layers.ReLU(dtype="int32")(x))
        elif kind == "time distributed":
            found = layers.TimeDistributed(table)(layers.Reshape((4, 1))(Shifted()(x)))
            found = layers.Reshape((4, 2))(found)
        else:
            found = table(x + 1 if kind == "operation" else layers.Lambda(lambda x: x + 1)(x))
        model = keras.Model(x, layers.Dense(1)(layers.Flatten()(found)))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


@pytest.mark.parametrize("kind", ["lambda", "operation", "nested", "shared", "subclassed", "time distributed"])
def test_computed_indices_are_told_and_the_weights_put_back(kind):
    model = looking(kind)
    x, y = RNG.integers(0, 9, (8, 4)), np.ones((8, 1))
    model.fit(x, y, batch_size=2, verbose=0)
    before = model.get_weights()
    for bad, at in ((9, (5, 1)), (-5, (0, 3))):
        if kind == "shared" and bad < 0:
            continue
        wrong = spoiled(x, bad, at)
        calls = {
            "fit": lambda data: model.fit(data, y, batch_size=2, shuffle=False, verbose=0, epochs=2),
            "evaluate": lambda data: model.evaluate(data, y, batch_size=2, verbose=0),
            "predict": lambda data: model.predict(data, batch_size=2, verbose=0),
            "predict_on_batch": model.predict_on_batch,
            "train_on_batch": lambda data: model.train_on_batch(data, y),
            "test_on_batch": lambda data: model.test_on_batch(data, y),
            "call": model,
        }
        for name, call in calls.items():
            with pytest.raises(InputDataError, match=rf"Layer table \(Embedding\): index {bad + 1} .*\[0, 10\)"):
                call(wrong)
            if name != "fit":  # in fit, the steps before the failing one count
                for a, b in zip(model.get_weights(), before):
                    np.testing.assert_array_equal(a, b)
            model.set_weights(before)
            call(x)  # all is usable
            model.set_weights(before)


def test_eager_calls_complain_at_once():
    table = layers.Embedding(10, 4, name="table")
    assert table(np.array([[0, 9]])).shape == (1, 2, 4)
    for bad in (10, -1):
        with pytest.raises(InputDataError, match=rf"index {bad} of the input is not in \[0, 10\)"):
            table(np.array([[0, bad]]))
    assert [v.name for v in table.variables] == ["embeddings"]


def test_embeddings_inside_transformations_that_carry_no_state():
    import jax

    table = layers.Embedding(10, 4)
    table(np.array([1]))
    rows = np.asarray(table.embeddings)
    indices = np.arange(6).reshape(2, 3)

    class Mapped(layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = table

        def call(self, inputs):
            found = jax.vmap(self.table)(inputs)
            return found + jax.lax.cond(True, jax.jit(self.table), self.table, inputs)

    model = keras.Sequential([keras.Input((3,), dtype="int32"), Mapped()])
    np.testing.assert_allclose(model.predict(indices, verbose=0), 2 * rows[indices], rtol=1e-6)
