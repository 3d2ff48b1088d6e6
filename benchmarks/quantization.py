"""Size, speed and accuracy of quantized models: a classifier of IMDB's reviews, and one of MNIST's digits.

``python benchmarks/quantization.py`` prints the table of docs/quantization.md. The data are those of `datasets`.
"""

import os
import tempfile
import time

import numpy as np

import oneiros as keras
from oneiros import layers, quantizers

MODES = {
    "float32": None,
    "int8": "int8",
    "int8, weights only": quantizers.Int8QuantizationConfig(activation_quantizer=None),
    "int4": "int4",
    "int4, columns": quantizers.Int4QuantizationConfig(block_size=None),
    "float8": "float8",
}


def imdb():
    """The model, and the data to train and to test it with."""
    (x, y), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=10000)
    x, x_test = (keras.preprocessing.sequence.pad_sequences(part, maxlen=200) for part in (x, x_test))
    model = keras.Sequential(
        [
            keras.Input((200,), dtype="int32"),
            layers.Embedding(10000, 128),
            layers.GlobalAveragePooling1D(),
            layers.Dense(256, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, "binary_crossentropy", (x, y), (x_test[:10000], y_test[:10000])


def mnist():
    """The model, and the data to train and to test it with."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x, x_test = (part.reshape(-1, 784).astype("float32") / 255 for part in (x, x_test))
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(1024, activation="relu"),
            layers.Dense(1024, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return model, "sparse_categorical_crossentropy", (x, y), (x_test, y_test)


def measured(model, loss, x, y):
    """Size of the file in KB, milliseconds for 256 rows, and accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.weights.h5")
        keep = model.optimizer
        model.optimizer = None
        model.save_weights(path)
        model.optimizer = keep
        size = os.path.getsize(path) / 1024
    model.predict_on_batch(x[:256])
    times = []
    for _ in range(20):
        start = time.perf_counter()
        model.predict_on_batch(x[:256])
        times.append(time.perf_counter() - start)
    outputs = model.predict(x, batch_size=1000, verbose=0)
    found = outputs.argmax(-1) if outputs.shape[-1] > 1 else outputs[:, 0] > 0.5
    return size, min(times) * 1e3, np.mean(found == y)


def main():
    print("| model | weights | file (KB) | 256 rows (ms) | accuracy |\n| --- | --- | ---: | ---: | ---: |")
    for make in (imdb, mnist):
        keras.utils.set_random_seed(0)
        model, loss, train, test = make()
        model.compile("adam", loss)
        model.fit(*train, epochs=2, batch_size=128, verbose=0)
        for name, mode in MODES.items():
            copy = keras.models.clone_model(model)
            copy.set_weights(model.get_weights())
            copy.compile("adam", loss)
            if mode is not None:
                filters = (lambda layer: not isinstance(layer, layers.Embedding)) if mode == "float8" else None
                given = {"mode": mode} if isinstance(mode, str) else {"config": mode}
                copy.quantize(**given, filters=filters)
            size, speed, accuracy = measured(copy, loss, *test)
            print(f"| {make.__name__} | {name} | {size:.0f} | {speed:.2f} | {accuracy:.4f} |", flush=True)


if __name__ == "__main__":
    main()
