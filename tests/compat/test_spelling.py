"""What programs for Keras 2 write, Keras 2 reads: every argument in it is one that Keras 2.1.4 had."""

import ast
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneiros
from oneiros import backend as K  # noqa: N812
from oneiros import compat, initializers, layers, optimizers, regularizers
from oneiros.models import Model, Sequential, load_model, model_from_json
from oneiros.saving.architecture import portable
from oneiros.saving.serialization import dumps

API = json.loads(Path(__file__).with_name("api").joinpath("keras_2.1.4.json").read_text())
# what Layer.__init__ of Keras 2.1.4 takes, and what Lambda's and Merge's from_config take out
BASE = {"input_shape", "batch_input_shape", "batch_size", "dtype", "name", "trainable", "weights", "input_dtype"}
TAKEN_OUT = {"Lambda": {"function_type", "output_shape_type"}}


@pytest.fixture
def keras2():
    compat.install("2")
    yield
    compat.uninstall()


def taken(signature):
    """The names of the arguments of a signature."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args
    return {a.arg for a in arguments.args}, arguments.kwarg is not None


ARGUMENTS = {
    **dict.fromkeys(("Dense", "LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "LSTMCell", "GRUCell"), (3,)),
    **dict.fromkeys(("SimpleRNNCell", "RepeatVector"), (3,)),
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"), (0.5,)),
    **dict.fromkeys(("GaussianDropout", "GaussianNoise"), (0.5,)),
    "Activation": ("relu",),
    "Reshape": ((2,),),
    "Permute": ((1,),),
    "Lambda": (lambda x: x,),
    "InputLayer": ((3,),),
    "Embedding": (3, 4),
    "Dot": (1,),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "ConvLSTM2D"), (3, 3)),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D", "LocallyConnected1D", "LocallyConnected2D"), (3, 3)),
    **dict.fromkeys(("DepthwiseConv2D",), (3,)),
}
# of the Keras before, abstract, or other names of the same
LEFT_OUT = {
    *("Layer", "Input", "InputSpec", "Merge", "Highway", "MaxoutDense", "Recurrent", "ConvRecurrent2D", "Wrapper"),
    *("AtrousConvolution1D", "AtrousConvolution2D", "RNN", "StackedRNNCells"),
}


def check(entry):
    """Checks the arguments in a configuration, and in those inside."""
    name, config = entry["class_name"], entry["config"]
    homes = [API[kind] for kind in ("layers", "initializers", "regularizers", "constraints", "optimizers", "models")]
    known, more = next(taken(home[name]) for home in homes if isinstance(home.get(name), str))
    unknown = set(config) - known - TAKEN_OUT.get(name, set()) - (BASE if more else set())
    assert not unknown, (name, unknown)
    for value in config.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and "class_name" in inner:
                check(inner)


def plain_layers():
    names = sorted(name for name in API["layers"] if name[0].isupper() and name not in LEFT_OUT)
    return [
        name for name in names if getattr(layers, name, None) is not None and name == getattr(layers, name).__name__
    ]


@pytest.mark.parametrize("name", plain_layers())
def test_layers_have_the_arguments_of_their_time(keras2, name):
    arguments = ARGUMENTS.get(name, ())
    if name in ("TimeDistributed", "Bidirectional"):
        arguments = (layers.LSTM(3, return_sequences=True, kernel_regularizer="l2"),)
    layer = getattr(layers, name)(*arguments)
    entry = json.loads(dumps(portable(layers.serialize(layer))))
    check(entry)
    if name != "Lambda":
        assert type(layers.deserialize(entry)) is type(layer)


def test_arguments_that_have_an_effect_stay(keras2):
    def written(layer):
        return layers.serialize(layer)["config"]

    assert written(layers.Conv2D(4, 3, groups=2))["groups"] == 2
    assert written(layers.GRU(3, reset_after=True))["reset_after"] is True
    assert written(layers.SeparableConv2D(3, 3, dilation_rate=2))["dilation_rate"] == (2, 2)
    assert written(layers.Flatten("channels_first"))["data_format"] == "channels_first"
    other = layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(3, go_backwards=True))
    assert written(other)["backward_layer"]["class_name"] == "GRU"
    assert optimizers.Adam(weight_decay=0.5, clipnorm=1.0).get_config().items() >= {"clipnorm": 1.0}.items()
    assert optimizers.Adam(weight_decay=0.5).get_config()["weight_decay"] == 0.5


def test_optimizers_are_written_with_lr_and_decay(keras2):
    expected = {"lr": 0.5, "momentum": 0.0, "decay": 0.25, "nesterov": True}
    assert optimizers.SGD(lr=0.5, decay=0.25, nesterov=True).get_config() == expected
    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"):
        optimizer = getattr(optimizers, name)()
        entry = optimizers.serialize(optimizer)
        check(entry)
        assert set(entry["config"]) == taken(API["optimizers"][name])[0]
        assert optimizers.deserialize(entry).get_config() == optimizer.get_config()


def test_rate_argument():
    for version, expected in (("1", "lr"), ("2", "lr"), ("2.3", "learning_rate"), ("tf", "learning_rate")):
        compat.install(version)
        optimizer = optimizers.SGD(0.5, momentum=0.25)
        config = optimizer.get_config()
        assert config[expected] == 0.5 and len({"lr", "learning_rate"} & set(config)) == 1
        assert optimizers.SGD.from_config(config).get_config()["momentum"] == 0.25
    compat.uninstall()


def test_optimizers_of_the_programs_own_add_to_what_the_base_has(keras2):
    class Own(optimizers.Optimizer):
        def __init__(self, step=0.1, **kwargs):
            super().__init__(**kwargs)
            self.step = K.variable(step)

        def get_config(self):
            return dict(super().get_config(), step=float(K.get_value(self.step)))

    class Faster(optimizers.SGD):
        def __init__(self, factor=2, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

    assert Own(0.5).get_config() == {"step": 0.5} and Own(0.5, clipvalue=2.0).get_config()["clipvalue"] == 2.0
    assert Own.from_config(Own(0.5, clipvalue=2.0).get_config()).clipvalue == 2.0
    assert set(Faster(lr=0.5).get_config()) == {"lr", "momentum", "decay", "nesterov"}


def test_initializers_and_regularizers_are_those_of_the_time(keras2):
    assert regularizers.serialize(regularizers.l2(0.5)) == {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}
    assert regularizers.serialize(regularizers.l1(0.5)) == {"class_name": "L1L2", "config": {"l1": 0.5, "l2": 0.0}}
    for name, scale, mode, distribution in (
        ("glorot_uniform", 1.0, "fan_avg", "uniform"),
        ("glorot_normal", 1.0, "fan_avg", "normal"),
        ("he_uniform", 2.0, "fan_in", "uniform"),
        ("he_normal", 2.0, "fan_in", "normal"),
        ("lecun_uniform", 1.0, "fan_in", "uniform"),
        ("lecun_normal", 1.0, "fan_in", "normal"),
    ):
        entry = initializers.serialize(initializers.get(name))
        expected = {"scale": scale, "mode": mode, "distribution": distribution, "seed": None}
        assert entry == {"class_name": "VarianceScaling", "config": expected}
        seeded = getattr(initializers, name)(seed=3)
        again = initializers.deserialize(initializers.serialize(seeded))
        np.testing.assert_array_equal(again((50, 20)), seeded((50, 20)))


@pytest.mark.parametrize(
    ("version", "stddev", "largest"),
    [("1", 1.0, np.inf), ("2", 0.8796, 2.0), ("2.2", 1.0, 2.2737), ("tf", 1.0, 2.2737), ("3", 1.0, 2.2737)],
)
def test_scaled_normals(version, stddev, largest):
    compat.install(version)
    values = np.asarray(oneiros.initializers.HeNormal(seed=0)((2, 20000)))
    compat.uninstall()
    assert values.std() == pytest.approx(stddev, rel=0.02)  # the standard deviation of the full normal is sqrt(2 / 2)
    assert np.abs(values).max() <= largest and np.abs(values).max() > min(largest, 4) - 0.3


def test_sequential_config_is_list(keras2):
    model = Sequential([layers.Dense(2, input_shape=(3,)), layers.Activation("relu")], name="mine")
    config = model.get_config()
    assert [entry["class_name"] for entry in config] == ["Dense", "Activation"]
    assert Sequential.from_config(config).count_params() == 8
    assert isinstance(json.loads(model.to_json())["config"], list)
    outer = Sequential([model, layers.Dense(1)])
    again = Sequential.from_config(outer.get_config())
    assert [entry["class_name"] for entry in outer.get_config()] == ["Sequential", "Dense"]
    assert again.output_shape == (None, 1) and again.count_params() == outer.count_params() == 11
    compat.install("2.3")
    assert model.get_config()["name"] == "mine"


def _model():
    x = layers.Input((4, 3), name="x")
    inner = Sequential([layers.Dense(5, activation="relu", kernel_regularizer="l2", input_shape=(4, 3))])
    y = layers.Bidirectional(layers.LSTM(2, kernel_initializer="he_normal", bias_regularizer=regularizers.l1(0.1)))(
        inner(x)
    )
    model = Model(x, layers.Dense(1)(layers.Dropout(0.5)(y)))
    model.compile(optimizers.Adam(lr=0.25, decay=0.5), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("reader", ["1", "2", "2.3", "tf", "3"])
def test_files_are_read_by_all_generations(keras2, tmp_path, reader):
    model, data = _model(), np.random.default_rng(0).normal(size=(2, 4, 3))
    model.train_on_batch(data, np.ones((2, 1)))
    model.save(tmp_path / "model.h5")
    expected, text = model.predict(data), model.to_json()
    with h5py.File(tmp_path / "model.h5") as file:
        training = json.loads(file.attrs["training_config"])
        assert {"optimizer_config", "loss", "metrics", "sample_weight_mode", "loss_weights"} <= set(training)
        check(training["optimizer_config"])
        for entry in json.loads(file.attrs["model_config"])["config"]["layers"]:
            if entry["class_name"] != "Sequential":
                check(entry)
    compat.install(reader)
    loaded = load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(loaded.predict(data), expected, rtol=1e-5)
    assert float(K.get_value(loaded.optimizer.lr)) == 0.25 and float(loaded.optimizer.decay) == 0.5
    assert model_from_json(text).count_params() == model.count_params()
    assert len(loaded.losses) == len(model.losses)


@pytest.mark.parametrize("generation", ["1", "2", "tf", "3"])
@pytest.mark.parametrize("regularizer", ["L1L2Regularizer", "WeightRegularizer"])
def test_files_of_keras_1_have_the_class_among_the_arguments(generation, regularizer):
    config = {
        "name": "dense_1",
        "trainable": True,
        "batch_input_shape": [None, 3],
        "input_dim": 3,
        "output_dim": 2,
        "init": "glorot_uniform",
        "activation": "relu",
        "bias": True,
        "b_regularizer": None,
        "b_constraint": None,
        "W_regularizer": {"name": regularizer, "l1": 0.25, "l2": 0.5},
        "activity_regularizer": {"name": "ActivityRegularizer", "l1": 0.125, "l2": 0.0},
        "W_constraint": {"name": "MaxNorm", "m": 3, "axis": 0},
    }
    text = json.dumps({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": config}]})
    compat.install(generation)
    try:
        layer = model_from_json(text).layers[-1]
    finally:
        compat.uninstall()
    assert layer.kernel_regularizer.get_config() == {"l1": 0.25, "l2": 0.5}
    assert layer.activity_regularizer.get_config()["l1"] == 0.125
    assert layer.kernel_constraint.get_config() == {"max_value": 3, "axis": 0} and layer.units == 2
    with pytest.raises(ValueError, match="Expected the configuration of a regularizer"):
        regularizers.deserialize({"l1": 0.25})
