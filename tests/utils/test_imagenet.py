import os
from pathlib import Path

import numpy as np
import pytest

from oneiros.core.errors import InputDataError
from oneiros.utils import imagenet

MIRROR = Path(os.environ.get("ONEIROS_MIRROR") or Path(__file__).parents[2].parent / "shared" / "data")
PIXELS = np.random.RandomState(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")


def expected(x, mode):
    """Channel by channel, from the definition."""
    red, green, blue = (x[..., i].astype("float64") for i in range(3))
    if mode == "tf":
        channels = [c / 127.5 - 1 for c in (red, green, blue)]
    elif mode == "caffe":
        channels = [blue - 103.939, green - 116.779, red - 123.68]
    else:
        table = zip((red, green, blue), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        channels = [(c / 255 - mean) / std for c, mean, std in table]
    return np.stack(channels, -1)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocess_input(mode):
    before = PIXELS.copy()
    wanted = expected(PIXELS, mode)
    np.testing.assert_allclose(imagenet.preprocess_input(PIXELS, mode=mode), wanted, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(imagenet.preprocess_input(PIXELS[0], mode=mode), wanted[0], rtol=1e-5, atol=1e-4)
    first = imagenet.preprocess_input(PIXELS.transpose(0, 3, 1, 2), "channels_first", mode)
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), wanted, rtol=1e-5, atol=1e-4)
    first = imagenet.preprocess_input(PIXELS[0].transpose(2, 0, 1), "channels_first", mode)
    np.testing.assert_allclose(first.transpose(1, 2, 0), wanted[0], rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(PIXELS, before)
    whole = imagenet.preprocess_input(PIXELS.astype("uint8"), mode=mode)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected(PIXELS.astype("uint8"), mode), rtol=1e-5, atol=1e-4)


def test_preprocess_input_errors():
    with pytest.raises(InputDataError, match="'caffe'"):
        imagenet.preprocess_input(PIXELS, mode="x")
    with pytest.raises(InputDataError, match=r"\(4, 5\)"):
        imagenet.preprocess_input(PIXELS[0, :, :, 0])


@pytest.mark.skipif(not (MIRROR / "SHA256SUMS").is_file(), reason="no mirror (ONEIROS_MIRROR)")
def test_decode_predictions(monkeypatch, tmp_path):
    monkeypatch.setenv("ONEIROS_MIRROR", str(MIRROR))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    scores = np.zeros((2, 1000))
    scores[0, [385, 386]] = 0.7, 0.2
    scores[1, 0] = 1
    first, second = imagenet.decode_predictions(scores, top=2)
    assert first == [("n02504013", "Indian_elephant", 0.7), ("n02504458", "African_elephant", 0.2)]
    assert second[0] == ("n01440764", "tench", 1)
    with pytest.raises(InputDataError, match=r"\(1, 10\)"):
        imagenet.decode_predictions(np.zeros((1, 10)))


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"require_flatten": True}, (224, 224, 3)),
        ({"require_flatten": False}, (None, None, 3)),
        ({"require_flatten": False, "data_format": "channels_first"}, (3, None, None)),
        ({"require_flatten": True, "weights": "imagenet"}, (224, 224, 3)),
        ({"input_shape": (40, 50, 1), "require_flatten": True}, (40, 50, 1)),
        ({"input_shape": (None, 50, 3), "require_flatten": False, "weights": "imagenet"}, (None, 50, 3)),
        ({"input_shape": (3, 224, 224), "data_format": "channels_first", "weights": "imagenet"}, (3, 224, 224)),
    ],
)
def test_obtain_input_shape(arguments, shape):
    arguments = {"input_shape": None, "default_size": 224, "min_size": 32} | arguments
    assert imagenet.obtain_input_shape(**arguments) == shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (100, 100, 3), "weights": "imagenet"}, "must be"),
        ({"input_shape": (100, 100, 1), "weights": "imagenet", "require_flatten": False}, "3 channels"),
        ({"input_shape": (30, 100, 3)}, "at least 32x32"),
        ({"input_shape": (100, 3)}, "three dimensions"),
        ({"input_shape": (None, 100, 3)}, "fully known"),
    ],
)
def test_obtain_input_shape_errors(arguments, message):
    with pytest.raises(InputDataError, match=message):
        imagenet.obtain_input_shape(**({"default_size": 224, "min_size": 32} | arguments))
