"""ConvNeXt, EfficientNet 1 and 2 and MobileNetV3 with other arguments than `test_networks` gives them.

The numbers of weights are those of Keras 3.15.
"""

import json

import jax
import numpy as np
import pytest

import oneiros as keras
from oneiros import applications
from oneiros.applications import common, convnext, efficientnet
from oneiros.core.errors import InputDataError
from oneiros.core.names import reset_uids
from oneiros.layers import LayerScale, StochasticDepth

SMALL = {"weights": None, "input_shape": (64, 64, 3)}
NOTOP = {"weights": None, "include_top": False}


@pytest.fixture(autouse=True)
def fresh_names():
    reset_uids()


def sized(height, width, channels, **arguments):
    return {"weights": None, "input_shape": (height, width, channels), **arguments}


@pytest.mark.parametrize(
    ("name", "arguments", "parameters", "output_shape", "last"),
    [
        ("MobileNetV3Small", SMALL | {"minimalistic": True}, 2_056_848, (1000,), "predictions"),
        ("MobileNetV3Large", SMALL | {"minimalistic": True}, 3_948_688, (1000,), "predictions"),
        ("MobileNetV3Large", SMALL | {"alpha": 1.5, "classes": 3}, 9_449_523, (3,), "predictions"),
        ("MobileNetV3Small", SMALL | {"alpha": 0.35, "dropout_rate": 0.0}, 1_354_680, (1000,), "predictions"),
        ("MobileNetV3Small", NOTOP | {"alpha": 0.75}, 583_160, (None, None, 432), "activation_17"),
        ("MobileNetV3Small", SMALL | NOTOP | {"pooling": "max"}, 939_120, (576,), "max_pool"),
        ("MobileNetV3Small", sized(64, 64, 1, classes=3), 1_532_755, (3,), "predictions"),
        ("EfficientNetB0", sized(65, 97, 3, include_top=False), 4_049_571, (3, 4, 1280), "top_activation"),
        ("EfficientNetB0", sized(64, 64, 1, classes=5), 4_055_396, (5,), "predictions"),
        ("EfficientNetV2B0", NOTOP | {"pooling": "avg"}, 5_919_312, (1280,), "avg_pool"),
        ("EfficientNetV2B0", sized(64, 64, 1, classes=5), 5_925_141, (5,), "predictions"),
        ("ConvNeXtTiny", NOTOP, 27_820_128, (None, None, 768), "layer_normalization"),
        ("ConvNeXtTiny", sized(64, 64, 1, classes=7), 27_822_439, (7,), "convnext_tiny_head_dense"),
    ],
)
def test_variants(name, arguments, parameters, output_shape, last):
    def make():
        model = getattr(applications, name)(**arguments)
        assert model.count_params() == parameters
        assert model.output_shape[1:] == output_shape
        assert model.layers[-1].name == last

    jax.eval_shape(make)  # without the weights' values


@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetV2B0", "ConvNeXtTiny"])
def test_the_network_scales_pixels_unless_told_otherwise(name):
    make = getattr(applications, name)
    given = sized(32, 32, 3, classes=2)
    with_scaling, without = (make(**given, include_preprocessing=included) for included in (True, False))
    scaling = [layer for layer in with_scaling.layers if type(layer).__name__ in ("Rescaling", "Normalization")]
    assert len(with_scaling.layers) == len(without.layers) + len(scaling)
    pixels = x = np.random.RandomState(0).uniform(0, 255, (1, 2, 2, 3)).astype("float32")
    for layer in scaling:
        x = layer(x)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = pixels / 127.5 - 1 if name.startswith("MobileNet") else (pixels / 255 - mean) / deviation
    np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-5)


def test_mobilenet_v3_takes_images_of_any_size():
    model = applications.MobileNetV3Small(weights=None, classes=5)
    assert model.input_shape == (None, None, None, 3)
    assert model.output_shape == (None, 5)
    assert model(keras.Input((45, 33, 3))).shape == (None, 5)


def run(model, x):
    """The outputs, compiled in a hurry."""
    options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    call = jax.jit(lambda t, n, x: model.stateless_call(t, n, x)[0], compiler_options=options)
    values = ([v.raw for v in variables] for variables in (model.trainable_variables, model.non_trainable_variables))
    return np.asarray(call(*values, x))


def test_channels_first():
    make = applications.MobileNetV3Small
    x = np.random.RandomState(0).uniform(0, 255, (1, 48, 48, 3)).astype("float32")
    last = make(weights=None, input_shape=(48, 48, 3), classes=5)
    keras.config.set_image_data_format("channels_first")
    try:
        first = make(weights=None, input_shape=(3, 48, 48), classes=5)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert first.input_shape == (None, 3, 48, 48)
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(run(first, x.transpose(0, 3, 1, 2)), run(last, x), rtol=1e-4, atol=1e-5)


def test_convnext_does_not_take_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(InputDataError, match="channels last"):
            applications.ConvNeXtTiny(weights=None)
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.fixture
def published(monkeypatch):
    """Records which files are asked for, and gives none."""
    asked = []

    def get_file(name, origin, **kwargs):
        assert origin.endswith(f"/{name}")
        asked.append((origin, kwargs["file_hash"]))
        raise FileNotFoundError

    monkeypatch.setattr(common, "get_file", get_file)
    return asked


@pytest.mark.parametrize(
    ("name", "arguments", "path", "digest"),
    [
        ("ConvNeXtTiny", {}, "tensorflow/keras-applications/convnext/convnext_tiny.h5", "8ae6e78c"),
        ("EfficientNetB0", NOTOP, "keras-applications/efficientnetb0_notop.h5", "50bc09e7"),
        ("EfficientNetV2B0", {}, "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b0.h5", "21ecbf6d"),
        (
            *("MobileNetV3Small", {"alpha": 0.75, "include_top": False}),
            "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_small_224_0.75_float_no_top_v2.h5",
            "ebdb5cc8",
        ),
        (
            *("MobileNetV3Small", {"minimalistic": True}),
            "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5",
            "99cd97fb",
        ),
    ],
)
def test_where_published_weights_are(published, name, arguments, path, digest):
    with pytest.raises(FileNotFoundError):
        getattr(applications, name)(**(arguments | {"weights": "imagenet"}))
    ((url, found),) = published
    assert url == f"https://storage.googleapis.com/{path}"
    assert found.startswith(digest)


def test_pretrained_efficientnet_divides_by_deviations(monkeypatch):
    """The published files hold the variances as the deviations."""
    bare = applications.EfficientNetB0(**NOTOP, input_shape=(32, 32, 3))
    monkeypatch.setattr(common, "get_file", lambda *args, **kwargs: None)
    reset_uids()
    model = applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
    assert len(model.layers) == len(bare.layers) + 1
    np.testing.assert_allclose(model.get_layer("rescaling_1").scale, np.array([0.229, 0.224, 0.225]) ** -0.5)


@pytest.mark.parametrize(
    "arguments", [{"alpha": 1.25}, {"alpha": 0.75, "minimalistic": True}, {"classes": 10}, {"input_shape": (20, 20, 3)}]
)
def test_mobilenet_v3_explains_what_it_does_not_take(arguments):
    with pytest.raises(InputDataError):
        applications.MobileNetV3Small(**arguments)


def test_layer_scale_learns():
    layer = LayerScale(0.5, 3)
    x = np.random.RandomState(0).standard_normal((2, 4, 3)).astype("float32")
    np.testing.assert_allclose(layer(x), 0.5 * x)
    (gradient,) = jax.grad(lambda g: layer.stateless_call(g, [], x)[0].sum())([layer.gamma.raw])
    np.testing.assert_allclose(gradient, x.sum((0, 1)), rtol=1e-5)


def test_stochastic_depth_drops_whole_examples():
    x = np.random.RandomState(0).uniform(1, 2, (2000, 2, 3)).astype("float32")
    layer = StochasticDepth(0.25)
    np.testing.assert_array_equal(layer(x), x)
    ratio = np.asarray(layer(x, training=True)) / x
    kept = ratio[:, 0, 0] > 0
    np.testing.assert_allclose(ratio, np.broadcast_to(np.where(kept, 4 / 3, 0)[:, None, None], x.shape), rtol=1e-5)
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_array_equal(StochasticDepth(1.0)(x, training=True), 0 * x)
    np.testing.assert_array_equal(StochasticDepth(0.0)(x, training=True), x)


def test_files_name_the_layers_of_convnext_as_keras_does(tmp_path):
    inputs = keras.Input((8,))
    scaled = StochasticDepth(0.5)(LayerScale(0.25, 8)(inputs))
    model = keras.Model(inputs, inputs + scaled)
    entries = json.loads(model.to_json())["config"]["layers"]
    for entry, options in zip(entries[1:3], ({"init_values": 0.25, "projection_dim": 8}, {"drop_path_rate": 0.5})):
        assert entry["module"] == "keras.src.applications.convnext"
        assert entry["registered_name"] == entry["class_name"]
        assert entry["config"].keys() == {"name", "trainable", "dtype"} | options.keys()
        assert entry["config"].items() >= options.items()
    model.save(tmp_path / "scaled.keras")
    again = keras.models.load_model(tmp_path / "scaled.keras")
    x = np.ones((2, 8), "float32")
    np.testing.assert_array_equal(again(x), model(x))
    assert convnext.LayerScale is LayerScale


def test_blocks_are_named_and_dropped_more_and_more():
    rows = efficientnet.block_names([(1, 1), (3, 2)], total=4)
    assert [name for row in rows for name, _, _ in row] == ["block1a_", "block2a_", "block2b_", "block2c_"]
    assert [strides for row in rows for _, strides, _ in row] == [1, 2, 1, 1]
    np.testing.assert_allclose([rate for row in rows for _, _, rate in row], [0, 0.05, 0.1, 0.15])


def test_mobilenet_v2_pads_images_of_unknown_size_as_keras_does():
    model = applications.MobileNetV2(weights=None, include_top=False, alpha=0.35)
    assert model.get_layer("block_1_pad").padding == ((0, 1), (0, 1))
