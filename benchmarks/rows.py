"""What is measured: each row is a model in the Keras API, its data, and one action.

Only NumPy is imported here: every peer builds these models with its own `keras`. Layers with weights are named, so
that weights can be carried from peer to peer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

WORDS, HEADS, WIDTH = 5000, 4, 128
# Filters of SqueezeNet's fire modules (squeeze, expand); pooling comes before modules 2, 4 and 6.
FIRE = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


@dataclass(frozen=True)
class Row:
    """build: function of (keras, dropout) that returns a model; dropout is 1 or, for comparisons, 0.

    data: function of (generator, samples) that returns (x, y). action: the method that is measured: `fit` over
    `steps` batches, or one call of another; a time is that of one step. twin: the function in `torch_twins` that is
    the same model in raw PyTorch. tolerance, twin_tolerance: how far results may be apart, relative to their size.
    """

    name: str
    build: Callable
    data: Callable
    action: str
    batch: int
    loss: str = "categorical_crossentropy"
    optimizer: tuple = ("Adam", 0.001)
    steps: int = 8
    twin: str | None = None
    tolerance: float = 1e-3
    twin_tolerance: float = 1e-3
    unit: str = "ms"

    predicts = property(lambda self: "predict" in self.action)

    def small(self, batch=4):
        """The row in a size that shows that it runs, and nothing more."""
        return replace(self, batch=min(self.batch, batch), steps=min(self.steps, 2))


@dataclass(frozen=True)
class Program:
    """A process is measured from its start to its end.

    row: name of the row whose first epoch is run, None: import only. cache: what this library finds in its cache of
    compiled programs, `fresh` (nothing) or `warm`. tolerance: wide, as every process draws weights of its own.
    """

    name: str
    row: str | None = None
    cache: str = "warm"
    tolerance: float = 0.25
    unit: str = "s"
    predicts = False


def texts(length):
    """Word ids with labels of 0 and 1."""
    return lambda random, samples: (
        random.integers(1, WORDS, (samples, length), "int32"),
        random.integers(0, 2, (samples, 1)).astype("float32"),
    )


def classified(shape, classes):
    """Arrays with one-hot classes: uniform numbers, images of 8 by 8 patches.

    Images of noise look all the same to a deep network; normalizing its last features then amplifies rounding.
    """

    def data(random, samples):
        if len(shape) == 3:
            rows, columns = (np.arange(size) * 8 // size for size in shape[:2])
            patches = random.random((samples, 8, 8, shape[2]), "float32")
            x = np.ascontiguousarray(patches[:, rows][:, :, columns])  # as images that were read are
        else:
            x = random.random((samples, *shape), "float32")
        return x, np.eye(classes, dtype="float32")[random.integers(0, classes, samples)]

    return data


def sequential(parts, shape, dtype):
    """parts: function of (layers, dropout) that yields the layers after the input."""
    return lambda keras, dropout: keras.Sequential(
        [keras.layers.Input(shape, dtype=dtype), *parts(keras.layers, dropout)]
    )


def recurrent(kind, bidirectional=False):
    def parts(layers, dropout):
        layer = getattr(layers, kind)(100, name="one_way" if bidirectional else "recurrent")
        yield layers.Embedding(WORDS, 32, name="embedding")
        yield layers.Bidirectional(layer, name="recurrent") if bidirectional else layer
        yield layers.Dense(1, activation="sigmoid", name="predictions")

    return sequential(parts, (500,), "int32")


def text_cnn(layers, dropout):
    yield layers.Embedding(WORDS, 50, name="embedding")
    yield layers.Dropout(0.2 * dropout)
    yield layers.Conv1D(250, 3, activation="relu", name="conv")
    yield layers.GlobalMaxPooling1D()
    yield layers.Dense(250, activation="relu", name="hidden")
    yield layers.Dropout(0.2 * dropout)
    yield layers.Dense(1, activation="sigmoid", name="predictions")


def dense(inputs, units, classes, rate):
    def parts(layers, dropout):
        for i in range(2):
            yield layers.Dense(units, activation="relu", name=f"hidden{i}")
            yield layers.Dropout(rate * dropout)
        yield layers.Dense(classes, activation="softmax", name="predictions")

    return sequential(parts, (inputs,), "float32")


def mnist_cnn(layers, dropout):
    yield layers.Conv2D(32, 3, activation="relu", name="conv1")
    yield layers.Conv2D(64, 3, activation="relu", name="conv2")
    yield layers.MaxPooling2D(2)
    yield layers.Dropout(0.25 * dropout)
    yield layers.Flatten()
    yield layers.Dense(128, activation="relu", name="hidden")
    yield layers.Dropout(0.5 * dropout)
    yield layers.Dense(10, activation="softmax", name="predictions")


def squeezenet(keras, dropout):
    layers = keras.layers

    def convolved(name, x, *args, **kwargs):
        return layers.Conv2D(*args, activation="relu", name=name, **kwargs)(x)

    inputs = layers.Input((227, 227, 3))
    x = convolved("conv1", inputs, 64, 3, strides=2)
    for number, (squeeze, expand) in FIRE.items():
        x = layers.MaxPooling2D(3, strides=2)(x) if number in (2, 4, 6) else x
        x = convolved(f"fire{number}_squeeze", x, squeeze, 1)
        left = convolved(f"fire{number}_left", x, expand, 1)
        x = layers.Concatenate()([left, convolved(f"fire{number}_right", x, expand, 3, padding="same")])
    x = convolved("predictions", layers.Dropout(0.5 * dropout)(x), 1000, 1)
    return keras.Model(inputs, layers.Activation("softmax")(layers.GlobalAveragePooling2D()(x)))


def resnet50(keras, dropout):
    return keras.applications.ResNet50(weights=None, input_shape=(96, 96, 3), classes=100)


def transformer(keras, dropout):
    """Two encoder blocks, normalized after each addition (Vaswani et al., 2017)."""
    layers = keras.layers
    inputs = layers.Input((128,), dtype="int32")
    x = layers.Embedding(WORDS, WIDTH, name="embedding")(inputs)
    for i in range(2):
        attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"attention{i}")(x, x)
        x = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}_1")(layers.Add()([x, attended]))
        hidden = layers.Dense(4 * WIDTH, activation="relu", name=f"dense{i}_1")(x)
        hidden = layers.Dense(WIDTH, name=f"dense{i}_2")(hidden)
        x = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}_2")(layers.Add()([x, hidden]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="predictions")(x))


def _rows():
    binary = {"loss": "binary_crossentropy"}
    lstm, texts500, recurring = recurrent("LSTM"), texts(500), binary | {"steps": 4, "twin": "recurrent"}
    yield Row("imdb_lstm_train", lstm, texts500, "fit", 64, **recurring)
    yield Row("imdb_lstm_predict", lstm, texts500, "predict_on_batch", 64, **recurring)
    yield Row("gru_train", recurrent("GRU"), texts500, "fit", 64, **recurring)
    yield Row("bilstm_train", recurrent("LSTM", bidirectional=True), texts500, "fit", 64, **recurring)

    # PyTorch adds RMSprop's epsilon after the root, Keras before it: their losses are near, not equal.
    mlp = {"optimizer": ("RMSprop", 0.001), "steps": 100, "twin": "mlp", "twin_tolerance": 0.05}
    yield Row("mnist_mlp_train", dense(784, 512, 10, 0.2), classified((784,), 10), "fit", 128, **mlp)
    cnn, digits = sequential(mnist_cnn, (28, 28, 1), "float32"), classified((28, 28, 1), 10)
    yield Row("mnist_cnn_train", cnn, digits, "fit", 128, optimizer=("Adadelta", 0.001), twin="mnist_cnn")

    images, squeeze = classified((227, 227, 3), 1000), {"optimizer": ("SGD", 0.01), "steps": 2, "twin": "squeezenet"}
    yield Row("squeezenet_predict_1", squeezenet, images, "predict_on_batch", 1, **squeeze)
    yield Row("squeezenet_predict_32", squeezenet, images, "predict_on_batch", 32, **squeeze)
    yield Row("squeezenet_train", squeezenet, images, "fit", 32, **squeeze)
    # Untrained, its gradients are huge: a larger rate makes the rounding of any two peers visible after two steps.
    images, residual = classified((96, 96, 3), 100), {"optimizer": ("SGD", 1e-8), "steps": 2, "twin": "resnet50"}
    yield Row("resnet50_predict", resnet50, images, "predict_on_batch", 8, **residual)
    yield Row("resnet50_train", resnet50, images, "fit", 16, **residual)

    # Adam's first steps are the signs of the gradients, and this model's losses jump: rounding shows in them.
    encoder = binary | {"twin": "transformer", "tolerance": 0.05, "twin_tolerance": 0.05}
    yield Row("transformer_train", transformer, texts(128), "fit", 32, **encoder)
    yield Row("transformer_predict", transformer, texts(128), "predict_on_batch", 32, twin="transformer", **binary)
    text = sequential(text_cnn, (500,), "int32")
    yield Row("text_cnn_train", text, texts500, "fit", 32, twin="text_cnn", **binary)

    # What a call costs, which raw PyTorch has nothing to compare with.
    toy, data = dense(20, 32, 5, 0.0), classified((20,), 5)
    yield Row("toy_fit", toy, data, "fit", 32, steps=200)
    yield Row("toy_predict_one", toy, data, "predict", 1)
    yield Row("toy_train_on_batch", toy, data, "train_on_batch", 32)
    yield Program("import")
    yield Program("script_first_run", "mnist_cnn_train", cache="fresh")
    yield Program("script_second_run", "mnist_cnn_train")
    yield Program("script_short_run", "toy_fit", cache="fresh")  # little but compiling


ROWS = {row.name: row for row in _rows()}
CONVOLUTIONAL = {"mnist_cnn", "squeezenet", "resnet50"}  # twins for which PyTorch has channels_last
