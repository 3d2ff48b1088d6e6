"""A program for this library and for Keras 3: saves small models with what they compute, or compares those it finds.

``python exchange.py LIBRARY save FOLDER`` writes for each model NAME.keras, NAME.weights.h5 and NAME.npz (inputs,
outputs, weights; for compiled models the loss and the weights after another training step).
``python exchange.py LIBRARY compare FOLDER`` loads them and prints a line for each: its name and what differs.
"""

import importlib
import os
import sys
import warnings
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
# Layers, and the shapes of their inputs without the batch axis. Images are 6 by 6.
LAYERS = {
    "Dense(3, activation='relu', kernel_regularizer='l2')": [(4,)],
    "Dense(3, use_bias=False, kernel_constraint=keras.constraints.MaxNorm(1.5))": [(5, 4)],
    "EinsumDense('abc,cd->abd', output_shape=(None, 3), bias_axes='d')": [(5, 4)],
    "Embedding(7, 3, mask_zero=True)": [(5,)],
    "Activation('swish')": [(4,)],
    "LeakyReLU(negative_slope=0.2)": [(4,)],
    "PReLU(shared_axes=[1])": [(5, 4)],
    "ELU(alpha=0.5)": [(4,)],
    "Softmax(axis=1)": [(5, 4)],
    "ReLU(max_value=1.0)": [(4,)],
    "Conv1D(3, 2, padding='causal', dilation_rate=2)": [(6, 2)],
    "Conv2D(4, (2, 3), strides=2, groups=2)": [(6, 6, 2)],
    "Conv3D(2, 2)": [(3, 3, 3, 2)],
    "Conv1DTranspose(3, 2)": [(6, 2)],
    "Conv2DTranspose(3, 2, strides=2, padding='same')": [(6, 6, 2)],
    "DepthwiseConv2D(2, depth_multiplier=2)": [(6, 6, 2)],
    "DepthwiseConv1D(2)": [(6, 2)],
    "SeparableConv2D(3, 2)": [(6, 6, 2)],
    "SeparableConv1D(3, 2)": [(6, 2)],
    "MaxPooling2D()": [(6, 6, 2)],
    "AveragePooling1D(3, padding='same')": [(6, 2)],
    "GlobalMaxPooling2D(keepdims=True)": [(6, 6, 2)],
    "GlobalAveragePooling1D()": [(6, 2)],
    "BatchNormalization(axis=1, momentum=0.8)": [(5, 4)],
    "LayerNormalization(axis=[1, 2])": [(5, 4)],
    "GroupNormalization(groups=2)": [(5, 4)],
    "UnitNormalization()": [(4,)],
    "RMSNormalization()": [(4,)],
    "SpectralNormalization(L.Dense(3))": [(4,)],
    "Dropout(0.3, seed=3)": [(4,)],
    "SpatialDropout1D(0.3)": [(5, 4)],
    "GaussianNoise(0.3)": [(4,)],
    "LSTM(3, return_sequences=True, recurrent_regularizer='l1')": [(5, 4)],
    "GRU(3, reset_after=False)": [(5, 4)],
    "SimpleRNN(3, go_backwards=True)": [(5, 4)],
    "RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)": [(5, 4)],
    "Bidirectional(L.GRU(3), merge_mode='sum')": [(5, 4)],
    "TimeDistributed(L.Dense(3))": [(5, 4)],
    "ConvLSTM2D(2, 2)": [(3, 4, 4, 2)],
    "ConvLSTM1D(2, 2)": [(3, 4, 2)],
    "Flatten()": [(5, 4)],
    "Reshape((2, -1))": [(4,)],
    "Permute((2, 1))": [(5, 4)],
    "RepeatVector(3)": [(4,)],
    "Cropping2D(((1, 0), (0, 2)))": [(6, 6, 2)],
    "ZeroPadding1D((1, 2))": [(6, 2)],
    "UpSampling2D(2, interpolation='bilinear')": [(6, 6, 2)],
    "Masking(0.5)": [(5, 4)],
    "Add()": [(4,), (4,)],
    "Concatenate(axis=1)": [(5, 4), (2, 4)],
    "Dot(axes=(2, 2), normalize=True)": [(5, 4), (2, 4)],
    "Attention(use_scale=True)": [(5, 4), (3, 4)],
    "AdditiveAttention()": [(5, 4), (3, 4)],
    "MultiHeadAttention(2, 3, attention_axes=1)": [(5, 4), (3, 4)],
    "GroupQueryAttention(3, 4, 2)": [(5, 4), (3, 4)],
    "ReversibleEmbedding(7, 3, tie_weights=False, logit_soft_cap=2.0)": [(5,)],
    "Pipeline([L.Rescaling(2.0), L.Dense(3)])": [(4,)],
    "MultiHeadAttention(2, 3, use_gate=True, sliding_window=2)": [(5, 4), (3, 4)],
    "GroupQueryAttention(3, 4, 2, use_gate=True)": [(5, 4), (3, 4)],
    "BatchNormalization(renorm=True, renorm_clipping={'rmax': 2.0})": [(5, 4)],
    "STFTSpectrogram(frame_length=8, window='hamming', padding='same')": [(40, 2)],
    "STFTSpectrogram('real', 8, window=[1.0] * 8, expand_dims=True)": [(40, 2)],
    "MelSpectrogram(16, 8, num_mel_bins=4, window='hamming')": [(40,)],
}


def models(keras):
    """Names and models. The last ones are compiled, and have been trained a little."""
    L, ops = keras.layers, keras.ops  # noqa: N806

    for number, (text, shapes) in enumerate(LAYERS.items()):
        layer = eval(f"L.{text}", {"L": L, "keras": keras})
        inputs = [keras.Input(shape) for shape in shapes]
        calls = layer(*inputs) if "Attention" in text and "Head" in text or "Query" in text else None
        if calls is None:
            calls = layer(inputs if len(inputs) > 1 else inputs[0])
        yield f"{number:02}-{text.partition('(')[0]}", keras.Model(inputs, calls)

    x = keras.Input((4, 6))
    y = x[:, 1:3, ...][:, 0]
    z = ops.concatenate([ops.mean(x, axis=1), ops.sum(x, axis=1)], axis=-1)
    w = ops.softmax(ops.einsum("bij,bkj->bik", x, x))
    u = ops.where(abs(-(2.0 - ops.reshape(x, (-1, 24)))) > 1, ops.reshape(x, (-1, 24)) ** 2, 0.5)
    v = ops.expand_dims(ops.one_hot(ops.cast(z * 3, "int32"), 3), -1)
    t = ops.relu6(ops.transpose(x, (0, 2, 1))) / 2 - ops.logsumexp(x, axis=(1, 2), keepdims=True)
    yield "operations", keras.Model(x, [y, z, w, u, v, t])

    inner = keras.Sequential([keras.Input((3,)), L.Dense(2)], name="inner")
    x = keras.Input((3,), name="x")
    shared = L.Dense(3, name="shared")
    outer = keras.Model({"x": x}, {"b": inner(shared(x)), "a": shared(shared(x))}, name="outer")
    yield "nested", outer
    yield "bfloat16", keras.Sequential([keras.Input((3,)), L.Dense(2, dtype="mixed_bfloat16"), L.Dense(2)])

    @keras.saving.register_keras_serializable("exchange")
    class Own(keras.Model):
        def __init__(self, width=3, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self._first = L.Dense(width)
            self.blocks = [L.Dense(2), L.Dense(3)]
            self.ends = {"z": L.Dense(1), "a": L.BatchNormalization()}

        def call(self, inputs, training=None):
            x = self._first(self.ends["a"](inputs, training=training))
            for block in self.blocks:
                x = block(x)
            return self.ends["z"](x)

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    @keras.saving.register_keras_serializable("exchange")
    def own_loss(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    O = keras.optimizers  # noqa: E741, N806
    metrics = ["mae", keras.metrics.MeanSquaredError(name="m")]
    compiled = {
        "adam": (O.Adam(O.schedules.ExponentialDecay(0.1, 10, 0.9), amsgrad=True), keras.losses.Huber(), metrics),
        "sgd": (O.SGD(0.1, momentum=0.9, nesterov=True), own_loss, None),
        "rmsprop": (O.RMSprop(0.01, momentum=0.5, centered=True), "mse", None),
        "nadam": (O.Nadam(0.01), "mse", ["mae"]),
        "adamw": (O.AdamW(0.01, weight_decay=0.1, use_ema=True), "mse", None),
        "ftrl": (O.Ftrl(0.1), "mse", None),
        "lion": (O.Lion(0.01), "mse", None),
        "adafactor": (O.Adafactor(0.01), "mse", None),
    }
    for name, (optimizer, loss, metrics) in compiled.items():
        middle = [L.BatchNormalization(), L.Dense(4, "relu")] if name == "adam" else []
        model = Own() if name == "rmsprop" else keras.Sequential([keras.Input((3,)), *middle, L.Dense(2)])
        model.compile(optimizer, loss, metrics=metrics)
        model.train_on_batch(*data(model))
        yield name, model


def data(model):
    x = np.random.RandomState(1).rand(4, 3).astype("float32")
    return x, np.random.RandomState(2).rand(4, 1 if model.name.startswith("own") else 2).astype("float32")


def flat(structure):
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flat(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flat(item)]
    return [np.asarray(structure, "float32")]


def inputs_for(model):
    if not getattr(model, "inputs", None):
        return data(model)[0]
    random = np.random.RandomState(3)
    arrays = [random.rand(2, *(s or 1 for s in i.shape[1:])).astype("float32") for i in model.inputs]
    if any(type(layer).__name__.endswith("Embedding") for layer in model.layers):
        arrays = [(a * 7).astype("int32").astype("float32") for a in arrays]
    arrays = dict(zip(["x"], arrays)) if model.name == "outer" else arrays
    return arrays if len(arrays) > 1 or isinstance(arrays, dict) else arrays[0]


def facts(model):
    """What the model computes, its weights, and what a further step of training makes of it."""
    found = {f"output {i}": a for i, a in enumerate(flat(model(inputs_for(model))))}
    found |= {f"weight {i}": np.asarray(a, "float32") for i, a in enumerate(model.get_weights())}
    if getattr(model, "optimizer", None) is not None:
        model.reset_metrics()
        found["iterations"] = np.asarray(model.optimizer.iterations)
        found["loss"] = np.ravel(model.train_on_batch(*data(model)))
        found |= {f"trained {i}": np.asarray(a, "float32") for i, a in enumerate(model.get_weights())}
    return found


def save(keras, folder):
    for name, model in models(keras):
        try:
            model.save(folder / f"{name}.keras")
            model.save_weights(folder / f"{name}.weights.h5")
            np.savez(folder / f"{name}.npz", **facts(model))
        except Exception as error:
            print(f"{name}: not saved: {type(error).__name__}: {error}".replace("\n", " ")[:500])


def differences(keras, folder, name, fresh):
    expected = np.load(folder / f"{name}.npz")
    model = keras.models.load_model(folder / f"{name}.keras")
    found = facts(model)
    if set(found) != set(expected):
        yield f"has {sorted(set(found) ^ set(expected))}"
    for key in sorted(set(found) & set(expected)):
        if found[key].shape != expected[key].shape or not np.allclose(found[key], expected[key], 1e-4, 1e-5):
            yield key
    fresh.load_weights(folder / f"{name}.weights.h5")
    weights = [expected[key] for key in expected if key.startswith("weight")]
    for i, weight in enumerate(fresh.get_weights()):
        if not np.array_equal(np.asarray(weight, "float32"), weights[i]):
            yield f"weight {i} of .weights.h5"


def compare(keras, folder):
    for name, fresh in models(keras):
        if not (folder / f"{name}.npz").exists():
            print(f"{name}: is missing")
            continue
        try:
            print(f"{name}: {', '.join(differences(keras, folder, name, fresh)) or 'equal'}")
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}".replace("\n", " ")[:700])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    library, task, where = sys.argv[1:]
    {"save": save, "compare": compare}[task](importlib.import_module(library), Path(where))
