"""Old spellings of arguments mean what they meant."""

import contextlib
import inspect
import pickle

import numpy as np
import pytest

import oneiros
from oneiros import compat, layers
from oneiros.compat import notes
from oneiros.compat.adapting import adapt


@pytest.fixture
def keras1():
    compat.install("1")
    yield
    compat.uninstall()


@pytest.fixture
def keras2():
    compat.install("2")
    yield
    compat.uninstall()


# class, arguments, keywords, attributes that the layer then has; all hold in every generation
SPELLINGS = [
    ("Dense", (), {"output_dim": 8, "input_dim": 5}, {"units": 8, "batch_input_shape": (None, 5)}),
    ("Dense", (8,), {"bias": False}, {"use_bias": False}),
    ("Dropout", (), {"p": 0.3}, {"rate": 0.3}),
    ("SpatialDropout2D", (), {"p": 0.3, "dim_ordering": "th"}, {"rate": 0.3, "data_format": "channels_first"}),
    ("GaussianNoise", (), {"sigma": 0.1}, {"stddev": 0.1}),
    ("GaussianDropout", (), {"p": 0.1}, {"rate": 0.1}),
    (
        "Conv1D",
        (),
        {"nb_filter": 4, "filter_length": 3, "subsample_length": 2, "border_mode": "same", "input_dim": 6},
        {"filters": 4, "kernel_size": (3,), "strides": (2,), "padding": "same", "batch_input_shape": (None, None, 6)},
    ),
    (
        "Conv2D",
        (4, 3, 5),
        {"border_mode": "same", "subsample": (2, 2), "dim_ordering": "tf"},
        {"filters": 4, "kernel_size": (3, 5), "strides": (2, 2), "padding": "same", "data_format": "channels_last"},
    ),
    ("Conv2D", (), {"nb_filter": 4, "nb_row": 3, "nb_col": 5}, {"filters": 4, "kernel_size": (3, 5)}),
    ("Conv2D", (4, (3, 5)), {"border_mode": "same"}, {"kernel_size": (3, 5), "padding": "same"}),
    (
        "Conv3D",
        (),
        {"nb_filter": 4, "kernel_dim1": 1, "kernel_dim2": 2, "kernel_dim3": 3},
        {"kernel_size": (1, 2, 3)},
    ),
    ("MaxPooling1D", (), {"pool_length": 3, "stride": 2}, {"pool_size": (3,), "strides": (2,)}),
    ("MaxPooling2D", (), {"pool_size": (2, 2), "border_mode": "same"}, {"padding": "same"}),
    ("AveragePooling2D", (), {"dim_ordering": "th"}, {"data_format": "channels_first"}),
    ("UpSampling1D", (), {"length": 3}, {"size": 3}),
    (
        "LSTM",
        (),
        {"output_dim": 4, "inner_activation": "relu", "dropout_W": 0.1, "dropout_U": 0.2, "consume_less": "gpu"},
        {"units": 4, "dropout": 0.1, "recurrent_dropout": 0.2},
    ),
    ("LSTM", (4,), {"input_dim": 3, "input_length": 7}, {"batch_input_shape": (None, 7, 3)}),
    ("LSTM", (4,), {"forget_bias_init": "one"}, {"unit_forget_bias": True}),
    ("Embedding", (9, 4), {"init": "uniform", "W_regularizer": "l2"}, {"output_dim": 4, "input_dim": 9}),
    ("LeakyReLU", (), {"alpha": 0.2}, {"negative_slope": 0.2}),
    ("ZeroPadding2D", ((1, 2, 3, 4),), {}, {"padding": ((1, 2), (3, 4))}),
    ("ZeroPadding1D", (), {"padding": {"left_pad": 1, "right_pad": 2}}, {"padding": (1, 2)}),
    (
        "ZeroPadding2D",
        (),
        {"padding": {"top_pad": 1, "bottom_pad": 2, "left_pad": 3}},
        {"padding": ((1, 2), (3, 0))},
    ),
]


def _same(value, expected):
    if isinstance(expected, tuple) and len(expected) == 1 and isinstance(value, int):
        value = (value,)
    if isinstance(expected, tuple):
        return tuple(tuple(v) if isinstance(v, (list, tuple)) else v for v in value) == expected
    return value == expected or value == (expected,)


@pytest.mark.parametrize("generation", ["1", "2", "tf", "3"])
@pytest.mark.parametrize("name, args, kwargs, expected", SPELLINGS)
def test_old_spelling(generation, name, args, kwargs, expected):
    compat.install(generation)
    try:
        layer = getattr(layers, name)(*args, **kwargs)
    finally:
        compat.uninstall()
    for attribute, value in expected.items():
        assert _same(getattr(layer, attribute), value), (attribute, getattr(layer, attribute), value)


@pytest.mark.parametrize("generation", ["1", "2", "tf", "3"])
def test_forget_bias_init(generation):
    """Keras 2 knew the name, but not its values."""
    compat.install(generation)
    try:
        with pytest.warns(UserWarning, match="was ignored") if generation == "2" else contextlib.nullcontext():
            layer = layers.LSTM(4, forget_bias_init="zero")
    finally:
        compat.uninstall()
    assert layer.unit_forget_bias == (generation == "2")


def test_sizes_by_position_are_keras_1_only_in_keras_1_and_2():
    sizes = {}
    for generation in ("1", "2", "tf", "3"):
        compat.install(generation)
        layer = layers.Convolution2D(64, 3, 3)
        sizes[generation] = tuple(layer.kernel_size), tuple(layer.strides)
    compat.uninstall()
    assert sizes == {
        "1": ((3, 3), (1, 1)),
        "2": ((3, 3), (1, 1)),
        "tf": ((3, 3), (3, 3)),
        "3": ((3, 3), (3, 3)),
    }
    assert layers.Convolution2D(64, 3, 5, border_mode="same").kernel_size == (3, 5)


def test_positional_order_of_keras_1(keras1):
    layer = layers.Dense(4, "zero", "relu")
    assert layer.activation is oneiros.activations.relu
    assert type(layer.kernel_initializer).__name__ == "Zeros"
    layer = layers.Convolution2D(4, 3, 3, input_shape=(8, 8, 3), name="first")
    assert tuple(layer.kernel_size) == (3, 3) and tuple(layer.strides) == (1, 1)
    layer = layers.Deconvolution2D(3, 3, 3, output_shape=(None, 10, 10, 3), input_shape=(8, 8, 3))
    assert layer.compute_output_shape((None, 8, 8, 3)) == (None, 10, 10, 3)
    # A Keras-2 call in a program for Keras 1 is taken for what it is.
    assert layers.Dense(4, "relu").activation is oneiros.activations.relu
    assert layers.Dense(4, "relu", kernel_initializer="zeros").activation is oneiros.activations.relu
    assert layers.Conv2D(4, (3, 3), (2, 2)).strides == (2, 2)


def test_positional_order_of_keras_2(keras2):
    layer = layers.Conv2D(4, (3, 3), (1, 1), "same", "channels_last", (1, 1), "relu", False)
    assert layer.activation is oneiros.activations.relu and layer.use_bias is False


def test_a_name_that_nobody_knows():
    with pytest.raises(TypeError, match="Dense: unknown argument 'unit'. Did you mean 'units'?"):
        layers.Dense(unit=3)
    with pytest.raises(TypeError, match="both 'output_dim' and 'units'"):
        layers.Dense(units=3, output_dim=4)
    with pytest.raises(TypeError, match="nb_row came without nb_col"):
        layers.Conv2D(nb_filter=3, nb_row=4)
    with pytest.raises(TypeError, match="forget_bias_init may be 'one' or 'zero'"):
        layers.LSTM(3, forget_bias_init="uniform")
    with pytest.raises(TypeError, match="LayerNormalization"):
        layers.BatchNormalization(mode=1)


def test_unsupported_dropout_of_embedding_warns():
    with pytest.warns(UserWarning, match="SpatialDropout1D"):
        layers.Embedding(3, 4, dropout=0.2)


def test_initializer_functions_of_keras_1():
    layer = layers.Dense(2, init=lambda shape, name=None: oneiros.backend.variable(np.full(shape, 0.5)))
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.get_weights()[0], np.full((3, 2), 0.5))


def test_signatures_stay():
    assert next(iter(inspect.signature(layers.Dense).parameters)) == "units"
    assert inspect.signature(layers.Dense.__init__).parameters["kernel_initializer"].default == "glorot_uniform"


def test_configurations_have_todays_names():
    config = layers.Dense(output_dim=3, init="zero").get_config()
    assert config["units"] == 3 and "output_dim" not in config
    assert layers.Dense.from_config(config).units == 3


def test_subclasses_pass_old_names_on():
    class Mine(layers.Dense):
        def __init__(self, output_dim, **kwargs):
            super().__init__(output_dim=output_dim, **kwargs)

    assert Mine(3, bias=False).units == 3


def test_a_native_call_costs_little():
    calls = []

    def plain(units, activation=None):
        calls.append((units, activation))

    wrapped = adapt(plain, "Dense")
    wrapped(3)
    wrapped(output_dim=4)
    assert calls == [(3, None), (4, None)]
    assert adapt(wrapped, "Dense") is wrapped
    assert adapt(len, "len") is len


def test_translations_are_noted(keras1):
    notes.clear()
    notes.enabled = True
    try:
        layers.Dense(output_dim=3)
        layers.LSTM(4)
    finally:
        notes.enabled = False
    report = "\n".join(notes.report())
    assert f"{__file__}:" in report
    assert "Dense: output_dim -> units" in report
    assert "LSTM: recurrent_activation='hard_sigmoid' (the default of Keras 1)" in report
    notes.clear()


def test_adapted_functions_can_be_pickled():
    assert pickle.loads(pickle.dumps(oneiros.utils.to_categorical)) is oneiros.utils.to_categorical
    np.testing.assert_array_equal(oneiros.utils.to_categorical(y=[1], nb_classes=2), [[0, 1]])


# --- models


def _model():
    model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("spelling", ["epochs", "nb_epoch", "num_epochs"])
def test_three_names_for_epochs(spelling):
    history = _model().fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, **{spelling: 3})
    assert history.epoch == [0, 1, 2]


def test_input_and_output_of_a_model():
    x = layers.Input((3,))
    assert oneiros.Model(input=x, output=layers.Dense(2)(x)).output_shape == (None, 2)


def _batches(size, seen):
    while True:
        seen.append(size)
        yield np.ones((size, 2)), np.ones((size, 1))


def test_samples_become_steps(keras1):
    model, ends = _model(), []
    count = oneiros.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: ends.append(batch))
    model.fit_generator(_batches(8, []), 20, 2, verbose=0, max_q_size=1, nb_worker=1, callbacks=[count])
    assert ends == [0, 1, 2, 0, 1, 2]  # three batches of 8 are the first that hold 20
    assert model.predict_generator(_batches(5, []), val_samples=10).shape == (10, 1)
    assert np.isscalar(model.evaluate_generator(_batches(5, []), 10))


def test_metrics_come_third_in_keras_2(keras2):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", ["mae"])
    assert len(model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)) == 2


def test_modules_that_are_loaded_later_are_adapted_too():
    from oneiros.datasets.imdb import load_data
    from oneiros.preprocessing.image import ImageDataGenerator
    from oneiros.preprocessing.text import Tokenizer

    assert Tokenizer(nb_words=5).num_words == 5
    assert ImageDataGenerator(dim_ordering="th").data_format == "channels_first"
    assert load_data.adapted_rules.renames["nb_words"] == "num_words"
    x, kernel = np.ones((1, 1, 5, 5), "float32"), np.ones((3, 3, 1, 2), "float32")
    y = oneiros.backend.conv2d(x, kernel, border_mode="same", dim_ordering="th")
    assert y.shape == (1, 2, 5, 5)


def test_crossentropy_of_keras_1_takes_the_output_first(keras1):
    output, target = np.array([[0.2, 0.8]], "float32"), np.array([[0.0, 1.0]], "float32")
    expected = -np.log(0.8)
    assert float(oneiros.backend.categorical_crossentropy(output, target)[0]) == pytest.approx(expected, rel=1e-5)
    compat.install("2")
    assert float(oneiros.backend.categorical_crossentropy(target, output)[0]) == pytest.approx(expected, rel=1e-5)


def test_old_names_are_in_the_native_namespaces():
    assert layers.Merge is compat.legacy_layers.Merge
    assert oneiros.regularizers.l1l2(0.1, 0.2).l2 == pytest.approx(0.2)
    assert oneiros.metrics.fmeasure.__name__ == "fmeasure"
    with pytest.raises(AttributeError, match="oneiros.layers has no 'Densee'. Did you mean Dense?"):
        layers.Densee  # noqa: B018


def test_metrics_of_keras_1_have_names_in_keras_1_only(keras1):
    true, predicted = np.array([1.0, 1, 0, 0], "float32"), np.array([0.9, 0.2, 0.8, 0.1], "float32")
    values = {name: float(oneiros.metrics.get(name)(true, predicted)) for name in ("precision", "recall", "fmeasure")}
    assert values == pytest.approx({"precision": 0.5, "recall": 0.5, "fmeasure": 0.5}, abs=1e-5)
    assert float(oneiros.metrics.get("matthews_correlation")(true, predicted)) == pytest.approx(0.0, abs=1e-5)
    compat.uninstall()
    assert isinstance(oneiros.metrics.get("precision"), oneiros.metrics.Precision)


@pytest.mark.parametrize("generation", ["tf", "3"])
def test_the_order_of_a_base_is_not_that_of_its_subclasses(generation):
    compat.install(generation)
    try:
        assert oneiros.losses.Huber(0.5).delta == 0.5
        assert oneiros.losses.CategoricalCrossentropy(True).from_logits is True
        assert oneiros.metrics.SparseTopKCategoricalAccuracy(2).k == 2
        assert oneiros.metrics.AUC(5).num_thresholds == 5
        assert oneiros.metrics.Precision(0.3).thresholds == 0.3
        assert oneiros.losses.MeanSquaredError("sum").reduction == "sum"
    finally:
        compat.uninstall()
