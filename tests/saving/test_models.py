"""Whole models in files: round trips, hostile configurations, and files that survive failures."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers as L  # noqa: N812
from oneiros.core import kind
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.models import load_model, model_from_json, model_from_yaml
from oneiros.saving.architecture import model_to_json


def small(compiled=True, **arguments):
    model = keras.Sequential([L.Input((4,)), L.Dense(3, activation="relu", name="first"), L.Dense(2, name="last")])
    if compiled:
        model.compile(**({"optimizer": "adam", "loss": "mse", "metrics": ["mae"]} | arguments))
    return model


X = np.random.RandomState(0).rand(8, 4).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")


def fit(model, epochs=1):
    return model.fit(X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0)


def same(first, second, tolerance=0.0):
    for a, b in zip(first.get_weights(), second.get_weights()):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


# --- round trips


@pytest.mark.parametrize(
    "optimizer",
    ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"]
    + [("SGD", {"momentum": 0.9}), ("RMSprop", {"momentum": 0.9, "centered": True}), ("Adam", {"amsgrad": True})],
    ids=str,
)
def test_training_goes_on_where_it_was(tmp_path, optimizer):
    name, options = optimizer if isinstance(optimizer, tuple) else (optimizer, {})
    model = small(optimizer=getattr(keras.optimizers, name)(0.05, **options))
    fit(model)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    same(again, model)
    assert type(again.optimizer) is type(model.optimizer)
    assert float(again.optimizer.learning_rate) == pytest.approx(0.05)
    assert int(again.optimizer.iterations) == 2
    fit(model)
    fit(again)
    same(again, model, 1e-6)


def test_older_programs_order_slots_by_kind(tmp_path):
    from oneiros.compat import generations

    model = small()
    fit(model)
    generations.select("2")
    try:
        model.save(tmp_path / "old.h5")
    finally:
        generations.select("3")
    with h5py.File(tmp_path / "old.h5") as file:
        shapes = [file["optimizer_weights"][n.decode()].shape for n in file["optimizer_weights"].attrs["weight_names"]]
    assert shapes == [(), *[(4, 3), (3,), (3, 2), (2,)] * 2]
    again = load_model(tmp_path / "old.h5")
    fit(model)
    fit(again)
    same(again, model, 1e-6)


@pytest.mark.parametrize("loss", sorted(n for n in kind("loss").objects if n[0].islower() and "_wrapper" not in n))
def test_every_loss_name_is_kept(tmp_path, loss):
    model = small(loss=loss, metrics=[])
    model.save(tmp_path / "model.h5")
    assert load_model(tmp_path / "model.h5").loss == loss


def objects_of(of_kind):
    base = {"loss": keras.losses.Loss, "metric": keras.metrics.Metric}[of_kind]
    for name, cls in sorted(kind(of_kind).objects.items()):
        if isinstance(cls, type) and issubclass(cls, base) and name[0].isupper():
            try:
                yield cls()
            except TypeError:
                continue  # needs arguments that only its user knows


@pytest.mark.parametrize("loss", list(objects_of("loss")), ids=lambda thing: type(thing).__name__)
def test_every_loss_object_is_kept(loss):
    config = small(loss=loss, metrics=[]).get_compile_config()
    again = small(compiled=False)
    again.compile_from_config(json.loads(json.dumps(config)))
    assert type(again.loss) is type(loss)
    assert again.loss.get_config() == loss.get_config()


@pytest.mark.parametrize("metric", list(objects_of("metric")), ids=lambda thing: type(thing).__name__)
def test_every_metric_object_is_kept(metric):
    config = small(metrics=[metric]).get_compile_config()
    again = small(compiled=False)
    again.compile_from_config(json.loads(json.dumps(config)))
    (made,) = again.training_state.compile_arguments["metrics"]
    assert type(made) is type(metric)
    assert made.get_config() == metric.get_config()


def test_compile_arguments_by_output(tmp_path):
    x = L.Input((4,))
    model = keras.Model(x, [L.Dense(2, name="a")(x), L.Dense(2, name="b")(x)])
    model.compile(
        "sgd",
        loss={"a": "mse", "b": keras.losses.Huber(delta=2.0)},
        loss_weights={"a": 1.0, "b": 0.5},
        metrics={"a": ["mae", keras.metrics.MeanSquaredError(name="square")]},
    )
    expected = model.evaluate(X, [Y, Y], verbose=0, return_dict=True)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    assert again.evaluate(X, [Y, Y], verbose=0, return_dict=True) == pytest.approx(expected)
    assert again.loss["b"].delta == 2.0


def my_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, -1)


class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


def test_custom_objects(tmp_path):
    model = keras.Sequential([L.Input((4,)), Scale(3.0), L.Dense(2)])
    model.compile("sgd", my_loss)
    model.save(tmp_path / "model.h5")
    with pytest.raises(UnsafeModelError, match=r"'Scale' is not a layer or op.*custom_objects"):
        load_model(tmp_path / "model.h5")
    with pytest.warns(UserWarning, match="my_loss"):
        again = load_model(tmp_path / "model.h5", custom_objects={"Scale": Scale})
    assert again.optimizer is None and again.layers[0].factor == 3.0
    again = load_model(tmp_path / "model.h5", custom_objects={"Scale": Scale, "my_loss": my_loss})
    assert again.loss is my_loss
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_uncompiled_models_and_groups(tmp_path):
    model = small(compiled=False)
    with h5py.File(tmp_path / "group.h5", "w") as file:
        model.save(file.create_group("inside"))
        with pytest.warns(UserWarning, match="No training configuration"):
            again = load_model(file["inside"])
    same(again, model)
    model.save_weights(tmp_path / "weights.h5")
    with pytest.raises(CorruptFileError, match="weights only"):
        load_model(tmp_path / "weights.h5")


def test_json_and_yaml(monkeypatch):
    x = L.Input((5,), name="x")
    shared = L.Dense(5, name="shared")
    model = keras.Model(x, L.Add()([shared(x), shared(shared(x)), x * 2.0]))
    data = np.random.rand(3, 5)
    for again in (model_from_json(model.to_json(indent=2)), *yaml_round_trip(model)):
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-6)
    assert json.loads(model.to_json())["class_name"] == "Functional"
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match="PyYAML"):
        model.to_yaml()


def yaml_round_trip(model):
    try:
        import yaml  # noqa: F401
    except ImportError:
        return
    yield model_from_yaml(model.to_yaml())
    with pytest.raises(UnsafeModelError, match="no tags"):
        model_from_yaml("!!python/object/apply:os.system ['true']")


def test_a_loaded_hard_sigmoid_is_its_writers(tmp_path):
    text = model_to_json(small(compiled=False)).replace('"relu"', '"hard_sigmoid"')
    old = text.replace('"backend": "jax"', '"backend": "tensorflow"')
    model, native = model_from_json(old), model_from_json(text)
    x = np.array([[1.0]])
    assert float(model.layers[0].activation(x)[0, 0]) == pytest.approx(0.7)
    assert float(native.layers[0].activation(x)[0, 0]) == pytest.approx(4 / 6)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        assert '"hard_sigmoid"' in file.attrs["model_config"] and file.attrs["backend"] == "tensorflow"
    assert json.loads(model_to_json(model)) == json.loads(old)


def test_overwrite_asks(tmp_path, monkeypatch):
    model = small()
    model.save(tmp_path / "model.h5")
    stamp = os.stat(tmp_path / "model.h5").st_mtime_ns
    monkeypatch.setattr("sys.stdin", io.StringIO("what\nn\n"))
    model.save(tmp_path / "model.h5", overwrite=False)
    assert os.stat(tmp_path / "model.h5").st_mtime_ns == stamp
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    model.save(tmp_path / "model.h5", overwrite=False)
    assert os.stat(tmp_path / "model.h5").st_mtime_ns > stamp


# --- hostile configurations


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.h5"
    small().save(path)
    return path


def edit(path, change):
    """Changes the layer `first` in the configuration of a file."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        result = change(config["config"]["layers"][1])
        file.attrs["model_config"] = result if isinstance(result, str) else json.dumps(config)


def set_class(name, **entries):
    return lambda layer: layer.update(class_name=name, **entries)


@pytest.mark.parametrize(
    "change, error, message",
    [
        (set_class("Popen", module="subprocess"), UnsafeModelError, "subprocess.Popen"),
        (set_class("enable_unsafe_deserialization", module="keras.config"), UnsafeModelError, "not a layer or op"),
        (set_class("get_file"), UnsafeModelError, "not a layer or op"),
        (set_class("Densee"), UnsafeModelError, "did you mean Dense"),
        (set_class("TFSMLayer"), UnsafeModelError, "arbitrary code execution"),
        (set_class("TorchModuleWrapper"), UnsafeModelError, "arbitrary code execution"),
        (set_class("JaxLayer"), CorruptFileError, "cannot be used"),
        (set_class("FlaxLayer"), CorruptFileError, "cannot be used"),
        (set_class("FeatureSpace"), CorruptFileError, "cannot be used"),
        (set_class("Distiller"), CorruptFileError, "cannot be used"),
        (lambda layer: layer["config"].update(name="../../evil"), UnsafeModelError, "name"),
        (lambda layer: layer["config"].update(name="/abs"), UnsafeModelError, "name"),
        (lambda layer: layer["config"].update(units=10**8), LimitExceededError, "kernel"),
        (lambda layer: layer["config"].update(units=10**11), LimitExceededError, "kernel"),
        (lambda layer: "[" * 1000 + "]" * 1000, LimitExceededError, "nesting"),
        (lambda layer: "[]", CorruptFileError, "configuration"),
        (lambda layer: "null", CorruptFileError, "configuration"),
        (lambda layer: "5", CorruptFileError, "configuration"),
        (lambda layer: "{broken", CorruptFileError, "not valid JSON"),
        (lambda layer: '{"class_name": "Model", "class_name": "Sequential"}', CorruptFileError, "duplicate key"),
        *(
            (lambda layer, units=units: layer["config"].update(units=units), InputDataError, "units")
            for units in (-5, 0, 3.5, "7", None, float("nan"), True)
        ),
    ],
)
def test_hostile_configurations(path, change, error, message):
    edit(path, change)
    started = time.monotonic()
    with pytest.raises(error, match=message) as caught:
        load_model(path)
    assert time.monotonic() - started < 5
    assert len(str(caught.value)) < 1000  # never dumps the configuration


def lambda_layer(function):
    return lambda layer: layer.update(class_name="Lambda", config={"name": "bad", "function": function})


@pytest.mark.parametrize(
    "function, message",
    [
        ({"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}, "os.system"),
        ({"module": "builtins", "class_name": "function", "config": "eval"}, "eval"),
        ({"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}}, "Lambda"),
        (["4wAA", None, None], "Lambda"),
    ],
)
def test_lambdas_need_consent(path, function, message):
    edit(path, lambda_layer(function))
    with pytest.raises(UnsafeModelError, match=message):
        load_model(path)


def test_lambda_with_consent(tmp_path):
    model = keras.Sequential([L.Input((4,)), L.Lambda(lambda x: x * 3, name="triple")])
    model.save(tmp_path / "lambda.h5")
    with pytest.raises(UnsafeModelError, match="triple"):
        load_model(tmp_path / "lambda.h5", compile=False)
    again = load_model(tmp_path / "lambda.h5", compile=False, safe_mode=False)
    np.testing.assert_allclose(again.predict(X, verbose=0), 3 * X)
    again = load_model(tmp_path / "lambda.h5", {"triple": lambda x: x + 1}, compile=False)
    np.testing.assert_allclose(again.predict(X, verbose=0), X + 1)


def test_cycles():
    x = L.Input((4,), name="x")
    model = keras.Model(x, L.Dense(4, name="b")(L.Dense(4, name="a")(x)))
    config = json.loads(model.to_json())
    config["config"]["layers"][1]["inbound_nodes"] = [[["b", 0, 0, {}]]]
    with pytest.raises(CorruptFileError, match="cycle"):
        model_from_json(json.dumps(config))


def test_objects_of_any_kind():
    from oneiros.saving import deserialize_keras_object, serialize_keras_object

    for thing in (L.Dense(3, name="d"), keras.losses.Huber(delta=2.0), keras.optimizers.SGD(0.5, momentum=0.5)):
        config = json.loads(json.dumps(serialize_keras_object(thing)))
        again = deserialize_keras_object(config)
        assert type(again) is type(thing) and again.get_config() == thing.get_config()
    assert deserialize_keras_object(serialize_keras_object({"a": (1, [2.5, None])})) == {"a": (1, [2.5, None])}
    for config in (
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": None},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}, "registered_name": "Popen"},
    ):
        with pytest.raises(UnsafeModelError):
            deserialize_keras_object(config)


# --- files survive


def test_a_failing_save_leaves_the_old_file(path, monkeypatch):
    good = path.read_bytes()
    model = small()

    def disk_full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(h5py.Group, "create_dataset", disk_full)
        with pytest.raises(OSError, match="No space left"):
            model.save(path)
        with pytest.raises(OSError, match="No space left"):
            model.save_weights(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_full)
        with pytest.raises(OSError, match="No space left"):
            model.save(path)

    class NoConfig(keras.layers.Layer):
        def get_config(self):
            raise NotImplementedError("none")

    with pytest.raises(NotImplementedError):
        keras.Sequential([L.Input((4,)), NoConfig()]).save(path)
    assert path.read_bytes() == good
    assert os.listdir(path.parent) == [path.name]  # no temporary files stay


def test_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.h5"
    program = f"""
        import oneiros as keras
        model = keras.Sequential([keras.layers.Input((500,)), keras.layers.Dense(1000)])
        while True:
            model.save({str(path)!r})
            print("saved", flush=True)
    """
    random = np.random.RandomState(0)
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
        try:
            assert process.stdout.readline() == b"saved\n"
            time.sleep(random.uniform(0, 0.1))
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        with pytest.warns(UserWarning, match="No training configuration"):
            assert load_model(path).count_params() == 501_000


# --- Keras 1


def keras1(class_name, **config):
    return {"class_name": class_name, "config": {"trainable": True, "W_regularizer": None, "bias": True, **config}}


def test_configurations_of_keras1():
    dense = {"output_dim": 3, "init": "glorot_uniform", "activation": "relu", "input_dim": 4}
    convolution = {"nb_filter": 2, "nb_row": 3, "nb_col": 1, "border_mode": "same", "subsample": [2, 1]}
    chain = [
        keras1("Convolution2D", name="c", dim_ordering="tf", batch_input_shape=[None, 8, 8, 3], **convolution),
        {"class_name": "MaxPooling2D", "config": {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid"}},
        {"class_name": "Dropout", "config": {"p": 0.25, "name": "drop"}},
        {"class_name": "Flatten", "config": {"name": "flat"}},
    ]
    model = model_from_json(json.dumps({"class_name": "Sequential", "config": chain, "keras_version": "1.2.2"}))
    assert model.output_shape == (None, 16) and model.get_layer("drop").rate == 0.25
    entry = {"input_layers": [["x", 0, 0]], "output_layers": [["sum", 0, 0]], "name": "graph"}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "input_dtype": "float32", "name": "x"}},
        keras1("Dense", name="a", **dense),
        keras1("Dense", name="b", **dense),
        {"class_name": "Merge", "config": {"name": "sum", "mode": "sum", "concat_axis": -1, "output_mask": None}},
    ]
    calls = [[], [[["x", 0, 0]]], [[["x", 0, 0]]], [[["a", 0, 0], ["b", 0, 0]]]]
    entry["layers"] = [
        layer | {"name": layer["config"]["name"], "inbound_nodes": call} for layer, call in zip(layers, calls)
    ]
    model = model_from_json(json.dumps({"class_name": "Model", "config": entry, "keras_version": "1.2.2"}))
    model.set_weights([np.ones(w.shape) for w in model.get_weights()])
    np.testing.assert_array_equal(model.predict(np.ones((1, 4)), verbose=0), [[10.0] * 3])


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_wrapper_and_the_optimizer_inside_go_on_where_they_were(tmp_path, name):
    x, y = np.random.default_rng(0).normal(size=(2, 12, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    inner = keras.optimizers.RMSprop(0.1, momentum=0.5)
    model.compile(keras.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=4), "mse")
    fit = {"x": x, "y": y, "batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0}
    model.fit(**fit)
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name)
    for one in (model, again):
        one.fit(**fit)
    for mine, theirs in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    assert float(again.optimizer.dynamic_scale) == 2**16
    assert int(again.optimizer.iterations) == 6


def test_the_state_of_a_wrapper_comes_before_that_of_the_optimizer_inside(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1)), "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 2)), epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    kept = [file[f"optimizer/vars/{i}"][()] for i in range(len(file["optimizer/vars"]))]
    # Its own steps and rate, which Keras 3 does not use; steps until the scale grows; the scale; then Adam's.
    np.testing.assert_allclose(kept[:6], [0, 0, 3, 2**15, 3, 0.1])
    assert [a.shape for a in kept[6:]] == [(3, 2), (3, 2), (2,), (2,)]
    inside = file["optimizer/inner_optimizer/vars"]
    for i, array in enumerate(kept[4:]):
        np.testing.assert_array_equal(inside[str(i)], array)
