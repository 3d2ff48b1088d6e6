"""Arguments that mean nothing are refused before anything starts, and what they meant in older generations counts."""

import json

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.compat import generations
from oneiros.saving.architecture import model_to_json

X, Y = np.random.RandomState(0).rand(8, 3), np.ones((8, 1))


@pytest.fixture
def model():
    model = keras.Sequential([layers.Dense(1, input_shape=(3,), name="out")])
    model.compile("sgd", "mse")
    return model


class Batches(keras.utils.Sequence):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[:4], Y[:4]


def endless():
    while True:
        yield X[:4], Y[:4]


FIT = {
    "workers": [-1, 1.5, "a"],
    "max_queue_size": [0, -1, "a"],
    "shuffle": ["btch", 3, [1]],
    "callbacks": [5, [5], "x", keras.callbacks.EarlyStopping, [keras.callbacks.EarlyStopping]],
    "verbose": ["x", 1.5, [1]],
    "validation_freq": [0, -1, "a", 1.5, [0]],
    "epochs": [2.5, -1, "a", True],
    "initial_epoch": [-1, 0.5],
    "batch_size": ["8", 0, -1, 2.5],
    "steps_per_epoch": [0, -1, "a", 1.5],
    "validation_steps": [0, -1, "a"],
    "validation_batch_size": [0, "8"],
    "validation_split": [1, 2, -0.5, "a"],
    "class_weight": [3, "balanced", [1, 2]],
}
WRONG = [(name, value) for name, values in FIT.items() for value in values]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_fit_refuses(model, name, value):
    before = model.get_weights()
    data = {"validation_data": (X, Y)} if name.startswith("validation_") and name != "validation_split" else {}
    for x in (X, Batches()):
        with pytest.raises(ValueError, match=name):
            model.fit(x, Y if x is X else None, verbose=value if name == "verbose" else 0, **data, **_but(name, value))
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def _but(name, value):
    return {} if name == "verbose" else {name: value}


SHARED = ("workers", "max_queue_size", "callbacks", "verbose", "batch_size")
ALSO = [(name, value) for name, value in WRONG if name in SHARED] + [("steps", v) for v in (0, -1, "a", 1.5)]


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize(("name", "value"), ALSO)
def test_evaluate_and_predict_refuse(model, method, name, value):
    with pytest.raises(ValueError, match=name):
        getattr(model, method)(X, *([Y] if method == "evaluate" else []), **{name: value})


COMPILE = [
    ("metrics", 5),
    ("metrics", ["mse", 5]),
    ("metrics", {"outt": "mse"}),
    ("weighted_metrics", 5),
    ("weighted_metrics", {"outt": "mse"}),
    ("loss_weights", {"outt": 1.0}),
    ("loss_weights", [1, 2]),
    ("loss", 5),
    ("loss", {"outt": "mse"}),
    ("sample_weight_mode", "x"),
    ("sample_weight_mode", {"out": "time"}),
    ("steps_per_execution", 0),
    ("steps_per_execution", "a"),
    ("run_eagerly", "no"),
    ("jit_compile", 3),
    ("auto_scale_loss", "yes"),
]


@pytest.mark.parametrize(("name", "value"), COMPILE)
def test_compile_refuses(model, name, value):
    optimizer = model.optimizer
    with pytest.raises(ValueError, match=name):
        model.compile("adam", **{"loss": "mse", name: value})
    with pytest.raises(TypeError, match="nonsense"):
        model.compile("adam", "mse", nonsense=1)
    if name not in ("loss_weights", "loss") and not isinstance(value, dict):
        assert model.optimizer is optimizer  # it is as it was


def test_what_is_allowed(model):
    callback = keras.callbacks.LambdaCallback()
    history = model.fit(
        *(X, Y, np.int64(4)),
        epochs=np.int64(2),
        verbose=False,
        callbacks=callback,
        shuffle="batch",
        workers=0,
        validation_data=(X, Y),
        validation_freq=[2],
        steps_per_epoch=None,
    )
    assert len(history.history["loss"]) == 2 and len(history.history["val_loss"]) == 1
    with pytest.warns(UserWarning, match="verbose"):
        model.fit(X, Y, verbose=3)
    with pytest.warns(UserWarning, match="nothing is trained"):
        assert model.fit(X, Y, epochs=2, initial_epoch=3, verbose=0).history == {}
    model.compile("sgd", {"out": "mse"}, metrics={"out": ["mse", None]}, sample_weight_mode={"out": None})


@pytest.mark.parametrize("generation", generations.GENERATIONS)
def test_fractional_steps(model, generation):
    generations.select(generation)
    try:
        if generation == "3":
            with pytest.raises(ValueError, match="steps_per_epoch"):
                model.fit(Batches(), steps_per_epoch=1.5, verbose=0)
        else:
            seen = []
            watch = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
            model.fit(Batches(), epochs=1, steps_per_epoch=1.5, verbose=0, callbacks=[watch])
            assert seen == [0, 1]
    finally:
        generations.select("3")


def test_endless_generators_need_a_number_of_steps(model):
    for call, name in (
        (lambda: model.fit_generator(endless()), "steps_per_epoch"),
        (lambda: model.fit_generator(endless(), 2, validation_data=endless()), "validation_steps"),
        (lambda: model.fit(X, Y, epochs=2, validation_data=endless()), "validation_steps"),
        (lambda: model.evaluate_generator(endless()), "steps"),
        (lambda: model.predict_generator(endless()), "steps"),
    ):
        with pytest.raises(ValueError, match=f"{name}: a generator does not say"):
            call()
    model.fit_generator(Batches(), verbose=0, validation_data=Batches())
    assert model.predict_generator(iter([(X, Y)]), 1).shape == (8, 1)
    assert np.isfinite(model.evaluate(iter([(X, Y)]), verbose=0))  # it may well end


# --- models


@pytest.mark.parametrize("generation", generations.GENERATIONS)
def test_save_needs_suffix(model, generation, tmp_path):
    generations.select(generation)
    try:
        for method in (model.save, model.save_weights):
            path = tmp_path / method.__name__
            if generation == "3":
                with pytest.raises(ValueError, match=r"ends in \.h5"):
                    method(path)
            else:
                method(path)
            assert path.exists() == (generation != "3")
    finally:
        generations.select("3")


def test_summary_takes_what_it_shows(model):
    with pytest.raises(TypeError, match="nonsense"):
        model.summary(nonsense=3)
    with pytest.raises(ValueError, match="line_length"):
        model.summary(line_length="wide")
    with pytest.raises(ValueError, match="positions"):
        model.summary(positions=3)


@pytest.mark.parametrize("generation", generations.GENERATIONS)
def test_columns_and_rows_of_summary(generation):
    generations.select(generation)
    try:
        model = keras.Sequential([layers.Dense(2, input_shape=(3,), name=f"d{i}") for i in range(4)])
        model.layers[1].trainable = False
        lines = []
        model.summary(show_trainable=True, layer_range=["d1", "d[12]"], print_fn=lines.append)
    finally:
        generations.select("3")
    lines = "\n".join(lines).splitlines()
    rows = [line.replace("│", " ").split() for line in lines if "(Dense)" in line]
    assert [(row[0], row[-1]) for row in rows] == [("d1", "N"), ("d2", "Y")]
    assert any("Trai" in line.replace("Trainable params", "") for line in lines)
    with pytest.raises(ValueError, match="layer_range: no layer is called 'd9'"):
        model.summary(layer_range=["d9", "d1"])


def test_nodes_count_from_zero(model):
    layer = model.layers[0]
    for index in (-1, 1, "a", 0.5):
        with pytest.raises(ValueError, match="node"):
            layer.get_input_at(index)
    x = layers.Input((3,), name="x")
    config = json.loads(model_to_json(keras.Model(x, layers.Dense(2, name="d")(x))))
    for place in (1, 2):  # of the call, of its output
        wrong = json.loads(json.dumps(config))
        for entry in wrong["config"]["layers"]:
            for history in entry["inbound_nodes"]:
                history[0][place] = -1
        with pytest.raises(ValueError, match="no such"):
            keras.models.model_from_json(json.dumps(wrong))


def test_get_layer(model):
    for index in ("a", 0.0, 1, -2):
        with pytest.raises(ValueError, match="index"):
            model.get_layer(index=index)
    assert model.get_layer(index=-1) is model.get_layer("out")
