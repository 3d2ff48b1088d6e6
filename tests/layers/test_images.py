"""The layers for images: against Keras 3.15, and what holds for all of them."""

import pathlib

import jax
import numpy as np
import pytest
from table_images import outputs

import oneiros as keras
from oneiros import layers
from oneiros.layers import image_preprocessing as rooms

GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "images.npz")

# Where this library leaves Keras 3.15, and why.
DIFFERENT = {
    "Equalization-i": "Keras counts the values of all images of a batch together",
    "ContrastLimitedAdaptiveHistogramEqualization-i": "tiles at the border are interpolated in another way",
    "RandomSaturation-i": "Keras leaves colours outside the range of values",
    "RandomShear-bboxes": "Keras moves boxes by another shear than the images",
    "RandomPerspective-m": "Keras moves masks with the interpolation of images",
    "CenterCrop-bboxes": "Keras rounds the size of the images before it cuts the middle",
    "CenterCrop-blabels": "follows from the boxes",
    "CenterCrop-m": "Keras mixes labels of masks where images are too small",
}


@pytest.fixture(scope="module")
def ours():
    return outputs(layers)


@pytest.mark.parametrize("call", [c for c in GOLDEN.files if c.split("-", 1)[1] not in DIFFERENT])
def test_transformations_as_in_keras(ours, call):
    np.testing.assert_allclose(ours[call].astype("float32"), GOLDEN[call].astype("float32"), rtol=1e-3, atol=2e-3)


IMAGES = np.random.RandomState(0).uniform(0, 255, (2, 8, 9, 3)).astype("float32")
OPTIONS = {
    **dict.fromkeys(["Resizing", "CenterCrop", "RandomCrop"], {"height": 5, "width": 4}),
    **dict.fromkeys(["RandomTranslation"], {"height_factor": 0.2, "width_factor": 0.2}),
    **dict.fromkeys(["RandomZoom"], {"height_factor": 0.2}),
    **dict.fromkeys(["RandomShear"], {"x_factor": 0.2, "y_factor": 0.2}),
    "RandomPosterization": {"factor": 4},
    "Solarization": {"addition_factor": 0.3, "threshold_factor": 0.5},
    **dict.fromkeys(["MaxNumBoundingBoxes"], {"max_number": 2}),
    **dict.fromkeys(["RandomColorJitter"], {"brightness_factor": 0.2, "hue_factor": 0.1}),
    **dict.fromkeys(
        [
            "RandomBrightness",
            "RandomContrast",
            "RandomColorDegeneration",
            "RandomHue",
            "RandomSaturation",
            "RandomSharpness",
            "RandomRotation",
            "RandomHeight",
            "RandomWidth",
            "RandomGrayscale",
            "RandomInvert",
        ],
        {"factor": 0.3},
    ),
}
NAMES = [name for name in dir(rooms) if isinstance(getattr(rooms, name), type) and not name.startswith("Base")]
FIXED = {"Resizing", "CenterCrop", "AutoContrast", "Equalization", "MaxNumBoundingBoxes"} | {
    "ContrastLimitedAdaptiveHistogramEqualization"
}
RESIZED = {"RandomCrop", "RandomHeight", "RandomWidth"}


def make(name, **more):
    return getattr(layers, name)(**OPTIONS.get(name, {}), **more)


@pytest.mark.parametrize("name", NAMES)
def test_every_layer(name):
    """Configuration, compiled code, single images, integers, channels first, and rest in inference."""
    layer = make(name)
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    eager = np.asarray(layer(IMAGES, training=False))
    compiled = jax.jit(lambda images: layer(images, training=False))(IMAGES)
    np.testing.assert_allclose(eager, compiled, rtol=1e-4, atol=1e-3)
    if name not in FIXED | RESIZED:
        np.testing.assert_array_equal(eager, IMAGES)
    changed = np.asarray(layer(IMAGES, training=True))
    assert changed.dtype == np.float32 and np.isfinite(changed).all()
    if name not in ("MixUp", "CutMix"):
        assert layer(IMAGES[0], training=True).ndim == 3
        np.testing.assert_allclose(layer(IMAGES[:1], training=False)[0], layer(IMAGES[0], training=False), atol=1e-3)
    assert layer(IMAGES.astype("uint8"), training=True).shape[0] == 2
    first = make(name, data_format="channels_first")
    moved = first(IMAGES.transpose(0, 3, 1, 2), training=False)
    np.testing.assert_allclose(np.transpose(moved, (0, 2, 3, 1)), eager, atol=1e-3)
    half = make(name, dtype="mixed_bfloat16")(IMAGES, training=True)
    assert half.dtype == jax.numpy.bfloat16


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIXED | {"RandomCrop"}])
def test_random_layers_draw_anew(name):
    seeded, again = make(name, seed=3), make(name, seed=3)
    assert np.array_equal(seeded(IMAGES, training=True), again(IMAGES, training=True))
    drawn = {np.asarray(seeded(IMAGES, training=True)).tobytes() for _ in range(12)}
    assert len(drawn) > 1


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("MaxNumBoundingBoxes", "RandomHeight", "RandomWidth")]
)
def test_annotations_follow(name):
    boxes = {"boxes": np.array([[[1, 1, 3, 4.0]], [[2, 1, 4, 5]]], "float32"), "labels": np.array([[0], [1]])}
    masks = np.random.RandomState(1).randint(0, 3, (2, 8, 9, 1))
    data = {
        "images": IMAGES,
        "bounding_boxes": boxes,
        "segmentation_masks": masks,
        "labels": np.eye(2, dtype="float32"),
    }
    if name in ("CutMix", "MixUp"):
        del data["bounding_boxes"], data["segmentation_masks"]
    result = make(name, bounding_box_format="xyxy")(data, training=True)
    assert set(result) == set(data)
    if "segmentation_masks" in data:
        assert result["segmentation_masks"].shape[1:3] == result["images"].shape[1:3]
        assert set(np.unique(result["segmentation_masks"])) <= {0, 1, 2}
        assert result["bounding_boxes"]["boxes"].shape == (2, 1, 4)


def test_a_model_varies_images_in_training_only():
    model = keras.Sequential(
        [
            keras.Input((8, 9, 3)),
            layers.RandomFlip(seed=1),
            layers.RandomRotation(0.1),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
        ]
    )
    assert np.allclose(model.predict(IMAGES, verbose=0), IMAGES.reshape(2, -1) / 255, atol=1e-6)
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    losses = {model.train_on_batch(IMAGES, np.zeros((2, 1))) is not None for _ in range(2)}
    assert losses == {True}
    model.layers[-1].trainable = False


def test_flips_move_boxes_and_masks_with_the_image():
    image = np.zeros((1, 4, 6, 1), "float32")
    image[0, 1:3, 0:2] = 1
    layer = layers.RandomFlip("horizontal", bounding_box_format="xyxy")
    boxes = {"boxes": np.array([[[0.0, 1, 2, 3]]]), "labels": np.array([[5]])}
    seen = set()
    for _ in range(20):
        result = layer({"images": image, "bounding_boxes": boxes, "segmentation_masks": image}, training=True)
        left, top, right, bottom = np.asarray(result["bounding_boxes"]["boxes"])[0, 0].astype(int)
        assert np.asarray(result["images"])[0, top:bottom, left:right].min() == 1
        assert np.array_equal(result["images"], result["segmentation_masks"])
        seen.add(int(left))
    assert seen == {0, 4}
