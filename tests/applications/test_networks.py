"""Networks against golden.json (see make_facts.py): names, shapes, counts, and outputs for made-up weights."""

import json
import os
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import oneiros as keras
from oneiros import applications
from oneiros.applications import googlenet, mobilenet, resnet50
from oneiros.applications.alexnet import LocalResponseNormalization
from oneiros.compat.generations import select
from oneiros.core.errors import InputDataError
from oneiros.core.names import reset_uids

sys.path.insert(0, str(Path(__file__).parent))
import make_facts as golden_maker  # noqa: E402

GOLDEN = json.loads(golden_maker.GOLDEN.read_text())
# These take minutes to compile and hold nothing that the others do not: ONEIROS_ALL_TESTS=1 runs them too.
SLOW_OUTPUTS = {"InceptionResNetV2", "NASNetMobile", "NASNetLarge", "VGG19", "DenseNet169", "DenseNet201"} | {
    name for name in GOLDEN if "101" in name or "152" in name
}
SLOW_FACTS = SLOW_OUTPUTS - {"InceptionResNetV2", "NASNetMobile"}
SLOW_OUTPUTS |= {"EfficientNetB1", "EfficientNetV2B1", "EfficientNetV2S", "MobileNetV3Large"}


def cases(slow, names=golden_maker.SIDES):
    skip = pytest.mark.skipif(not os.environ.get("ONEIROS_ALL_TESTS"), reason="slow: set ONEIROS_ALL_TESTS=1")
    return [pytest.param(name, marks=[skip] if name in slow else []) for name in names]


@pytest.fixture(autouse=True)
def fresh_names():
    reset_uids()


def outputs_of(model, x):
    """What `predict` returns, compiled in a hurry."""
    options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    run = jax.jit(lambda t, n, x: model.stateless_call(t, n, x)[0], compiler_options=options)
    values = ([v.raw for v in variables] for variables in (model.trainable_variables, model.non_trainable_variables))
    return np.asarray(run(*values, x))


@pytest.mark.parametrize("name", cases(SLOW_FACTS))
def test_layers_and_weights_are_those_of_keras(name):
    expected = {key: value for key, value in GOLDEN[name].items() if key != "outputs"}
    facts = {}
    jax.eval_shape(  # makes the network without the weights' values
        lambda: facts.update(golden_maker.facts(getattr(applications, name)(weights=None)))
    )
    if name.startswith("NASNet"):  # Keras 3 gave them names
        expected["name"] = facts["name"]
    assert facts == expected


@pytest.mark.parametrize("name", cases(SLOW_OUTPUTS, [n for n in golden_maker.SIDES if n in golden_maker.WITH_OUTPUTS]))
def test_outputs_are_those_of_keras(name):
    side = golden_maker.SIDES[name]
    make = getattr(applications, name)
    model = make(weights=None, input_shape=(side, side, 3), classes=5, classifier_activation=None)
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights(golden_maker.made_up_weights(shapes, golden_maker.gain(name)))
    expected = np.array(GOLDEN[name]["outputs"])
    outputs = outputs_of(model, golden_maker.image(side, name))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_alexnet_has_the_sizes_of_the_paper():
    model = applications.AlexNet()
    assert model.count_params() == 60_965_224
    shapes = [model.get_layer(f"conv{i}").output_shape[1:] for i in range(1, 6)]
    assert shapes == [(55, 55, 96), (27, 27, 256), (13, 13, 384), (13, 13, 384), (13, 13, 256)]


def test_googlenet_has_the_sizes_of_the_paper():
    model = applications.GoogLeNet()
    assert model.count_params() == 6_998_552
    # Table 1: modules 3a to 5b
    sides = [28, 28, 14, 14, 14, 14, 14, 7, 7]
    channels = [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    shapes = [model.get_layer(f"inception_{m}/output").output_shape[1:] for m in googlenet._MODULES]
    assert shapes == [(s, s, c) for s, c in zip(sides, channels)]
    assert len(googlenet.with_auxiliary_classifiers(model).outputs) == 3


def test_local_response_normalization():
    x = np.random.RandomState(0).standard_normal((2, 3, 3, 7)).astype("float32")
    expected = np.empty_like(x)
    for c in range(7):
        near = x[..., max(0, c - 2) : c + 3]
        expected[..., c] = x[..., c] / (2 + 0.3 * (near**2).sum(-1)) ** 0.75
    layer = LocalResponseNormalization(alpha=0.3)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)
    again = LocalResponseNormalization.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), layer(x))


def test_the_classic_resnet50_of_keras_2():
    try:
        select("2")
        reset_uids()
        model = applications.ResNet50(weights=None)
        features = resnet50.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))
    finally:
        select("3")
    assert model.count_params() == 25_636_712
    assert [layer.name for layer in model.layers if layer.weights][:6] == [
        *("conv1", "bn_conv1", "res2a_branch2a", "bn2a_branch2a", "res2a_branch2b", "bn2a_branch2b")
    ]
    assert model.layers[-1].name == "fc1000"
    assert model.get_layer("max_pooling2d_1").output_shape == (None, 55, 55, 64)
    assert features.output_shape == (None, 1, 1, 2048)


def test_channels_first():
    x = golden_maker.image(32)
    last = applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5)
    keras.config.set_image_data_format("channels_first")
    try:
        first = applications.MobileNet(weights=None, alpha=0.25, input_shape=(3, 32, 32), classes=5)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert first.input_shape == (None, 3, 32, 32)
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(outputs_of(first, x.transpose(0, 3, 1, 2)), outputs_of(last, x), rtol=1e-4, atol=1e-6)


def test_without_the_top():
    small = {"weights": None, "include_top": False, "alpha": 0.25}
    model = mobilenet.MobileNet(**small)
    assert model.name == "mobilenet_0.25_None"
    assert model.output_shape == (None, None, None, 256)
    assert mobilenet.MobileNet(**small, pooling="max").output_shape == (None, 256)
    images = keras.Input((64, 64, 3))
    on_tensor = mobilenet.MobileNet(**small, input_tensor=keras.layers.Rescaling(2.0)(images))
    assert on_tensor.inputs == [images]
    assert on_tensor.output_shape == (None, 2, 2, 256)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "nowhere.h5"}, "path of a weights file"),
        ({"weights": "imagenet", "classes": 10}, "1000 classes"),
        ({"weights": "imagenet", "classifier_activation": "sigmoid"}, "'softmax' or None"),
        ({"weights": None, "include_top": False, "pooling": "mean"}, "pooling"),
        ({"weights": None, "include_top": False, "input_shape": (20, 20, 3)}, "at least 32x32"),
        ({"weights": "imagenet", "input_shape": (64, 64, 3)}, "224, 224, 3"),
        ({"weights": None, "input_shape": (None, None, 3)}, "fully known"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    with pytest.raises(InputDataError, match=message):
        applications.VGG16(**arguments)


def test_networks_without_published_weights_say_so():
    with pytest.raises(InputDataError, match="no published weights"):
        applications.AlexNet(weights="imagenet")


def test_weights_files(tmp_path):
    model = applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5)
    model.save_weights(tmp_path / "mobilenet.weights.h5")
    again = applications.MobileNet(
        weights=str(tmp_path / "mobilenet.weights.h5"), alpha=0.25, input_shape=(32, 32, 3), classes=5
    )
    for one, other in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("vgg16", [255 - 103.939, 255 - 116.779, 255 - 123.68]),
        ("resnet50", [255 - 103.939, 255 - 116.779, 255 - 123.68]),
        ("xception", [1.0, 1.0, 1.0]),
        ("resnet_v2", [1.0, 1.0, 1.0]),
        ("convnext", [255.0, 255.0, 255.0]),
        ("efficientnet", [255.0, 255.0, 255.0]),
        ("efficientnet_v2", [255.0, 255.0, 255.0]),
        ("mobilenet_v3", [255.0, 255.0, 255.0]),
        ("densenet", [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]),
    ],
)
def test_each_module_prepares_images_its_way(module, expected):
    module = getattr(applications, module)
    np.testing.assert_allclose(module.preprocess_input(np.full((1, 1, 3), 255.0)).ravel(), expected, rtol=1e-6)
    assert callable(module.decode_predictions)
