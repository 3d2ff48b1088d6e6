"""Layers, activations and losses as programs for Keras 1 and 2 used them."""

import numpy as np
import pytest

import oneiros
from oneiros import activations, compat, core, layers, optimizers
from oneiros.compat import generations


@pytest.fixture(params=generations.GENERATIONS)
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


@pytest.fixture
def keras2():
    compat.install("2")
    core.names.reset_uids()
    yield
    compat.uninstall()


def refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unlimited_arguments(generation):
    """Keras 1 and 2 take what later versions refuse: rates count as the nearest allowed one, 1 drops nothing."""
    x = np.arange(1.0, 25.0, dtype="float32").reshape(2, 4, 3)
    dropping = [layers.Dropout, layers.GaussianDropout, layers.SpatialDropout1D, layers.AlphaDropout]
    made = {
        r"(?i)dropout\w*: rate: expected a number": [lambda cls=cls, p=p: cls(p) for cls in dropping for p in (3, -1)],
        "dropout: expected a number": [
            lambda: layers.LSTM(2, dropout=3),
            lambda: layers.GRUCell(2, recurrent_dropout=2),
        ],
        "theta cannot be None or negative": [lambda: layers.ThresholdedReLU(-1.0)],
        "stddev must be at least 0": [lambda: layers.GaussianNoise(-1.0)],
        "not supported in conjunction": [lambda: layers.Conv2D(1, 2, strides=2, dilation_rate=2)],
        "smaller than the corresponding spatial": [lambda: layers.Cropping1D((2, 3))(x)],
    }
    for message, makers in made.items():
        for make in makers:
            make() if generation in "12" else refuses(make, message)
    if generation in "12":
        for layer in [cls(3) for cls in dropping] + [layers.Dropout(-1)]:
            np.testing.assert_array_equal(layer(x, training=True), x)
        assert layers.Cropping1D((2, 3))(x).shape == (2, 0, 3)
        assert layers.Cropping2D(2).compute_output_shape((None, 3, 9, 1)) == (None, 0, 5, 1)
        lstm = layers.LSTM(2, dropout=3)
        assert lstm.dropout == 1
        np.testing.assert_array_equal(lstm(x, training=True), lstm(x))


def test_negative_leaks(generation):
    if generation == "3":
        refuses(lambda: layers.LeakyReLU(-1.0), "cannot be None or negative")
    else:
        assert layers.LeakyReLU(-1.0)(np.array([[-2.0, 2.0]])).tolist() == [[2.0, 2.0]]
    refuses(lambda: layers.LeakyReLU(None), "cannot be None or negative")


def test_strided_dilation_computes_what_it_says(keras2):
    x = np.arange(7.0, dtype="float32").reshape(1, 7, 1)
    layer = layers.Conv1D(1, 2, strides=2, dilation_rate=3, kernel_initializer="ones")
    assert np.ravel(layer(x)).tolist() == [0.0 + 3, 2.0 + 5]


def test_softmax_needs_batch(generation):
    if generation == "3":
        assert activations.softmax([0.0, 0.0]).tolist() == [0.5, 0.5]
    else:
        refuses(lambda: activations.softmax([0.0, 0.0]), "at least two axes")
    assert activations.softmax([[0.0, 0.0]]).tolist() == [[0.5, 0.5]]


def test_linear_gives_back_what_it_gets():
    x = core.Symbol((None, 2))
    assert [activations.linear(value) for value in (None, True, 5, x)] == [None, True, 5, x]


def test_layer_as_activation_warns(generation, recwarn):
    layer = layers.LeakyReLU()
    assert activations.get(layer) is layer
    assert [str(w.message)[:15] for w in recwarn] == (["activations.get"] if generation == "2" else [])


def test_merges_need_two(generation):
    x = np.ones((1, 2))
    for layer in (layers.Add(), layers.Concatenate()):
        if generation in "12":
            refuses(lambda layer=layer: layer([x]), "at least 2 inputs")
        else:
            assert layer([x]).tolist() == [[1.0, 1.0]]
    refuses(lambda: layers.Add()([]), "at least")


@pytest.mark.parametrize("cls", [layers.Add, layers.Subtract, layers.Concatenate])
def test_merges_want_a_mask_for_each_input(cls):
    x, mask = layers.Input((3, 2)), np.array([[True, False, True]])
    layer = cls()
    assert layer.compute_mask([x, x], [None, None]) is None and layer.compute_mask([x, x]) is None
    refuses(lambda: layer.compute_mask([x, x], mask), "`mask` should be a list")
    refuses(lambda: layer.compute_mask(x, [None, None]), "`inputs` should be a list")
    refuses(lambda: layer.compute_mask([x, x], [mask]), "2 inputs and 1 masks")
    assert np.array_equal(layer.compute_mask([x, x], [mask, mask]), mask)


@pytest.mark.parametrize("cls", [optimizers.Adam, optimizers.SGD])
def test_deserialize_puts_the_name_of_an_optimizer_into_lower_case(cls):
    config = optimizers.serialize(cls())
    again = optimizers.serialize(optimizers.deserialize(config))
    assert again["class_name"] == cls.__name__ and config == again | {"class_name": cls.__name__.lower()}


def test_deserialize_leaves_the_names_of_others_alone():
    class MySGD(oneiros.optimizers.SGD):
        pass

    config = optimizers.serialize(MySGD())
    assert type(optimizers.deserialize(config, {"MySGD": MySGD})) is MySGD and config["class_name"] == "MySGD"
