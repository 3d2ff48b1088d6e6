"""Old module paths lead to this library's objects."""

import importlib
import sys

import pytest

import oneiros
from oneiros import compat
from oneiros.compat import importing
from oneiros.compat.modules import PLACES


@pytest.fixture(autouse=True)
def installed():
    compat.install("2")
    yield
    compat.uninstall()


PATHS = [
    ("keras.layers", "Dense", "layers.Dense"),
    ("keras.layers.core", "Dense", "layers.Dense"),
    ("keras.layers.convolutional", "Convolution2D", "layers.Conv2D"),
    ("keras.engine.topology", "Layer", "layers.Layer"),
    ("keras.engine.topology", "Container", "models.Model"),
    ("keras.engine.network", "Network", "models.Model"),
    ("keras.engine", "InputSpec", "layers.InputSpec"),
    ("keras.utils.np_utils", "to_categorical", "utils.to_categorical"),
    ("keras.preprocessing.sequence", "pad_sequences", "preprocessing.sequence.pad_sequences"),
    ("keras.backend.tensorflow_backend", "mean", "backend.mean"),
    ("keras.objectives", "mse", "losses.mse"),
    ("keras.utils.vis_utils", "plot_model", "utils.plot_model"),
    ("tensorflow.keras.models", "Sequential", "models.Sequential"),
    ("tensorflow.python.keras.models", "Sequential", "models.Sequential"),
    ("tensorflow.python.keras.layers.core", "Dense", "layers.Dense"),
    ("tensorflow.contrib.keras.api.keras.layers", "Dense", "layers.Dense"),
    ("tf_keras.layers", "Dense", "layers.Dense"),
    ("keras.src.layers.core.dense", "Dense", "layers.Dense"),
    ("keras_preprocessing.text", "Tokenizer", "preprocessing.text.Tokenizer"),
    ("keras_applications.imagenet_utils", "preprocess_input", "utils.imagenet.preprocess_input"),
    ("keras.applications.imagenet_utils", "_obtain_input_shape", "utils.imagenet.obtain_input_shape"),
    ("keras.engine.topology", "_to_list", "compat.legacy_engine.to_list"),
]


@pytest.mark.parametrize("module, name, ours", PATHS)
def test_path(module, name, ours):
    assert getattr(importlib.import_module(module), name) is importing._walk(ours)


def test_every_place_in_the_table_is_there():
    for path, places in PLACES.items():
        for place in places:
            assert importing._walk("" if place == "oneiros" else place) is not None, (path, place)
        if path != "backend.theano_backend":  # of Keras 1 alone
            assert importing.relative_path(f"keras.{path}".rstrip(".")) == path


def test_import_statements():
    namespace = {}
    exec(
        "import keras\nimport keras.backend as K\nfrom keras import layers\nfrom keras.layers import *\n"
        "import tensorflow as tf\nd = tf.keras.layers.Dense\nimport keras.layers.merge",
        namespace,
    )
    assert namespace["Dense"] is namespace["d"] is namespace["layers"].Dense is oneiros.layers.Dense
    assert namespace["K"].floatx() == "float32"
    assert callable(namespace["keras"].layers.merge), "the module keras.layers.merge hides the function"
    assert callable(namespace["concatenate"]) and "np" not in namespace
    assert namespace["keras"].__version__.startswith("2.1")


def test_missing_names_say_what_to_use():
    with pytest.raises(ImportError, match="Did you mean Dense?"):
        exec("from keras.layers import Densee")
    with pytest.raises(ImportError, match="keras.layers has no 'nothing'"):
        importlib.import_module("keras.layers.nothing")
    with pytest.raises(AttributeError, match="Did you mean to_categorical"):
        importlib.import_module("keras.utils").to_categorica  # noqa: B018
    with pytest.raises(ImportError, match="Theano is not used"):
        exec("import theano.tensor")


def test_setting_a_loss_registers_it():
    losses = importlib.import_module("keras.losses")
    losses.my_own_loss = lambda y_true, y_pred: 0
    try:
        assert oneiros.losses.get("my_own_loss") is losses.my_own_loss
    finally:
        oneiros.utils.get_custom_objects().pop("my_own_loss")


def test_nothing_stays_after_uninstall():
    importlib.import_module("keras.layers.core")
    compat.uninstall()
    assert not [name for name in sys.modules if name.split(".")[0] in ("keras", "tf_keras")]
    compat.install("2")
    compat.install("2")
    assert sum(type(finder).__name__ == "Finder" for finder in sys.meta_path) == 1


def test_what_was_imported_before_comes_back():
    compat.uninstall()
    other = type(sys)("keras")
    sys.modules["keras"] = other
    try:
        compat.install("2")
        assert importlib.import_module("keras") is not other
        compat.uninstall()
        assert sys.modules["keras"] is other
    finally:
        sys.modules.pop("keras", None)


# --- the stand-in for TensorFlow

tensorflow_is_there = importlib.util.find_spec("tensorflow") is not None
without_tensorflow = pytest.mark.skipif(tensorflow_is_there, reason="TensorFlow is installed")


@without_tensorflow
def test_harmless_calls():
    import tensorflow as tf

    assert tf.__version__.startswith("1.15")
    tf.set_random_seed(3)
    first = oneiros.core.draw_seed()
    tf.compat.v1.set_random_seed(3)
    assert oneiros.core.draw_seed() == first
    oneiros.utils.set_random_seed(0)
    tf.logging.set_verbosity(tf.logging.ERROR)
    assert tf.test.is_gpu_available() is bool(tf.config.experimental.list_physical_devices("GPU"))
    assert [d.device_type for d in tf.config.list_physical_devices("CPU")] == ["CPU"]
    config = tf.ConfigProto(log_device_placement=True)
    config.gpu_options.allow_growth = True
    with tf.Session(config=config) as session, tf.device("/gpu:0"):
        session.run(tf.global_variables_initializer())
        oneiros.backend.set_session(session)
    with tf.get_default_graph().as_default():
        pass
    assert tf.train.AdamOptimizer(0.1).get_config()["beta_1"] == 0.9


@without_tensorflow
def test_everything_else_says_what_to_do():
    import tensorflow as tf

    with pytest.raises(AttributeError, match=r"tf.reduce_mean: TensorFlow is not installed.*K.mean"):
        tf.reduce_mean([1.0])
    with pytest.raises(ImportError, match="TensorFlow is not installed"):
        exec("from tensorflow.contrib import rnn")
    with pytest.raises(NotImplementedError, match="K.eval"):
        tf.Session().run("x:0")
