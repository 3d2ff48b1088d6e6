"""From a program's text to the generation it was written for."""

import pytest

from oneiros.compat.detection import detect, detect_text

PROGRAMS = [
    ("from keras.models import Sequential\nmodel.fit(x, y, nb_epoch=5)", "1"),
    ("from tensorflow.python.keras.layers import Dense\nDense(output_dim=3)", "1"),
    ("from keras.layers import Convolution2D\nConvolution2D(64, 3, 3)", "1"),
    ("from keras.layers import Convolution2D\nConvolution2D(64, 3, 3, border_mode='same')", "1"),
    ("from keras.layers import merge\nmerge([a, b], mode='concat')", "1"),
    ("from keras import backend as K\nK.image_dim_ordering()", "1"),
    ("from keras.objectives import mse", "1"),
    # Keras 2 took Keras 1's spellings, so a mixture is for Keras 2.
    ("from keras.layers import Convolution2D\nConvolution2D(64, (3, 3), padding='valid')", "2"),
    ("from keras.layers import Dense\nDense(3, kernel_initializer='he_normal')\nfit(x, nb_epoch=2)", "2"),
    ("from keras.datasets import imdb\nimdb.load_data(num_words=5000)\nfit(x, y, num_epochs=3)", "2"),
    ("from keras.models import Sequential", "2"),
    ("import keras", "2"),
    ("x = 1", "2"),
    ("import tensorflow as tf\nmodel = tf.keras.Sequential()", "tf"),
    ("from tensorflow import keras\nkeras.layers.Dense(1)", "tf"),
    ("from tensorflow.keras.layers import Dense", "tf"),
    ("import tf_keras as keras", "tf"),
    ("import keras\nkeras.ops.sum(x)", "3"),
    ("from keras import ops", "3"),
    ("import keras\nkeras.utils.set_random_seed(1)", "3"),
    ("import oneiros as keras", "3"),
    ("import jax\nimport keras\nkeras.layers.Dense(1)", "3"),
    ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras", "3"),
    ("import keras\nmodel.stateless_call(v, w, x)", "3"),
    ("import keras\nclass A(keras.Model):\n    def train_step(self, data):\n        pass", "3"),
    ("import keras\nmodel.save('model.keras')", "3"),
    ("from keras import layers\nlayers.RandomRotation(0.1)", "3"),
    ("import tensorflow as tf\nclass A(tf.keras.Model):\n    def train_step(self, data):\n        pass", "tf"),
    # What other libraries call so says nothing.
    ("import keras\nimport pandas as pd\npd.merge(a, b)", "2"),
    ("import keras\nscipy.stats.distribution(3)", "2"),
    ("import os\nos.environ['KERAS_BACKEND'] = 'theano'\nimport keras", "2"),
    ("import jax\nimport numpy", "2"),
    ("import keras\ndef train_step(batch):\n    pass", "2"),
    ("from keras.preprocessing.image import load_img, img_to_array", "2"),
]


@pytest.mark.parametrize("text, generation", PROGRAMS)
def test_generation_of_a_program(text, generation):
    assert detect_text(text)[0] == generation


def test_modules_beside_the_program_are_read(tmp_path):
    (tmp_path / "main.py").write_text("import net\nfrom parts.blocks import block\nimport keras")
    (tmp_path / "net.py").write_text("import keras")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "blocks.py").write_text("from .deep import x")
    (tmp_path / "parts" / "deep.py").write_text("from keras.layers import Dense\nDense(3, W_regularizer='l2')")
    assert detect([tmp_path / "main.py"]) == ("1", "Dense(W_regularizer=)")


def test_what_cannot_be_parsed_is_left_out(tmp_path):
    (tmp_path / "old.py").write_text("print 'Python 2'")
    assert detect([tmp_path / "old.py", tmp_path / "missing.py"])[0] == "2"
