"""Makes the files in golden/ with another implementation of Keras.

Run it in an environment with tensorflow, tf_keras and keras (here: 2.21, 2.21, 3.15):  python make_golden.py
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402

FOLDER = Path(__file__).parent / "golden"


def randomize(model, seed):
    """Weights of which no two are alike, so that a wrong order shows."""
    random = np.random.RandomState(seed)
    model.set_weights(
        [random.uniform(0.1, 0.6, w.shape) * random.choice([-1, 1]) ** (w.ndim > 1) for w in model.get_weights()]
    )


def mlp(k):
    L = k.layers  # noqa: N806
    model = k.Sequential(
        [
            L.Input((4,)),
            L.Dense(5, activation="relu", kernel_regularizer=k.regularizers.L2(0.01), name="first"),
            L.BatchNormalization(name="norm"),
            L.Dropout(0.5, name="drop"),
            L.Dense(3, activation="softmax", name="last"),
        ],
        name="mlp",
    )
    return model, [(8, 4)], ("adam", "categorical_crossentropy", ["accuracy"])


def graph(k):
    """Shared layers, a nested model, merges, two inputs and outputs."""
    L = k.layers  # noqa: N806
    a, b = L.Input((6, 6, 2), name="a"), L.Input((3,), name="b")
    conv = L.Conv2D(3, (3, 2), padding="same", strides=2, activation="tanh", name="conv")
    x = L.Add(name="add")([conv(a), conv(L.MaxPooling2D(1, name="pool")(a))])
    x = L.DepthwiseConv2D(2, name="depthwise")(x)
    x = L.GlobalAveragePooling2D(name="mean")(L.LeakyReLU(name="leaky")(x))
    inner = k.Sequential(
        [L.Input((3,)), L.Dense(2, name="inner_dense"), L.BatchNormalization(name="inner_norm")], name="inner"
    )
    y = L.Concatenate(name="join")([x, inner(b), L.Dense(2, use_bias=False, name="side")(inner(b))])
    outputs = [L.Dense(2, activation="sigmoid", name="p")(y), L.Dense(1, name="q")(y)]
    model = k.Model([a, b], outputs, name="graph")
    compiled = (k.optimizers.SGD(0.05, momentum=0.9), {"p": "binary_crossentropy", "q": "mse"}, {"q": ["mae"]})
    return model, [(4, 6, 6, 2), (4, 3)], compiled


def recurrent(k):
    L = k.layers  # noqa: N806
    words = L.Input((7,), name="words")
    x = L.Embedding(11, 4, mask_zero=True, name="embed")(words)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True, name="lstm"), name="both")(x)
    x = L.TimeDistributed(L.Dense(3, activation="relu", name="each_dense"), name="each")(x)
    x = L.GRU(4, return_sequences=True, name="gru")(x)
    x = L.SimpleRNN(3, name="simple")(x)
    model = k.Model(words, L.Dense(1, activation="sigmoid", name="out")(x), name="recurrent")
    return model, [(5, 7)], ("rmsprop", "binary_crossentropy", ["accuracy"])


def make(k, name):
    k.utils.set_random_seed(1)
    model, shapes, (optimizer, loss, metrics) = globals()[name](k)
    model.compile(optimizer, loss, metrics=metrics)
    randomize(model, 2)
    random = np.random.RandomState(3)
    integers = name == "recurrent"
    inputs = [random.randint(0, 11, s) if integers else random.uniform(-1, 1, s).astype("float32") for s in shapes]
    x = inputs[0] if len(inputs) == 1 else inputs
    outputs = model.predict(x, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    targets = [
        np.eye(o.shape[1])[np.arange(len(o)) % o.shape[1]] if name == "mlp" else np.round(np.abs(o)) for o in outputs
    ]
    y = targets[0] if len(targets) == 1 else targets
    for layer in model.layers:  # equal trainings in all implementations
        if isinstance(layer, k.layers.Dropout):
            layer.rate = 0.0
    model.fit(x, y, epochs=2, batch_size=len(inputs[0]), shuffle=False, verbose=0)
    path = FOLDER / f"{k.__name__}_{name}.h5"
    model.save(path)
    model.save_weights(path.with_suffix(".weights.h5"))
    outputs = model.predict(x, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    model.fit(x, y, epochs=1, batch_size=len(inputs[0]), shuffle=False, verbose=0)
    trained = model.predict(x, verbose=0)
    trained = trained if isinstance(trained, list) else [trained]
    arrays = {f"x{i}": v for i, v in enumerate(inputs)} | {f"y{i}": v for i, v in enumerate(targets)}
    arrays |= {f"out{i}": v for i, v in enumerate(outputs)} | {f"trained{i}": v for i, v in enumerate(trained)}
    np.savez(path.with_suffix(".npz"), **arrays)


def keras1_weights():
    """Files in Keras 1's arrangement, made by hand; how they are read is tf_keras' word."""
    L, random = tf_keras.layers, np.random.RandomState(5)  # noqa: N806
    x = L.Input((6, 5, 3), name="image")
    y = L.Conv2D(4, (3, 2), name="conv")(x)
    y = L.Conv2DTranspose(2, (2, 3), name="up")(y)
    y = L.Reshape((-1, 2), name="flat")(y)
    y = L.Conv1D(3, 4, name="conv1d")(y)
    y = L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid", name="lstm")(y)
    y = L.Bidirectional(L.GRU(2, reset_after=False, return_sequences=True, name="gru"), name="both")(y)
    y = L.TimeDistributed(L.Dense(2, name="each_dense"), name="each")(y)
    model = tf_keras.Model(x, y, name="classic")
    gates = lambda n, i, u: [s for _ in range(n) for s in ((i, u), (u, u), (u,))]  # noqa: E731
    stored = {
        "image": [],
        "conv": [(3, 2, 3, 4), (4,)],
        "up": [(2, 3, 4, 2), (2,)],
        "flat": [],
        "conv1d": [(4, 1, 2, 3), (3,)],
        "lstm": gates(4, 3, 3),
        "both": gates(3, 3, 2) * 2,
        "each": [(4, 2), (2,)],
    }
    with h5py.File(FOLDER / "keras1_weights.h5", "w") as file:
        file.attrs["layer_names"] = [n.encode() for n in stored]
        for name, shapes in stored.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_{i}".encode() for i in range(len(shapes))]
            for i, shape in enumerate(shapes):
                group[f"{name}_{i}"] = random.uniform(-0.6, 0.6, shape).astype("float32")
    model.load_weights(FOLDER / "keras1_weights.h5")
    data = random.uniform(-1, 1, (2, 6, 5, 3)).astype("float32")
    np.savez(FOLDER / "keras1_weights.npz", x0=data, out0=model.predict(data, verbose=0))
    (FOLDER / "keras1_weights.json").write_text(model.to_json())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ("mlp", "graph", "recurrent"):
        for k in (tf_keras, keras):
            make(k, name)
    keras1_weights()
