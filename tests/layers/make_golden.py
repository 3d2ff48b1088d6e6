"""Writes golden/layers.npz and golden/layers.json: what Keras 3 and tf_keras compute for the rows of table.py.

Run it in an environment that has keras and tf_keras: ``KERAS_BACKEND=jax python make_golden.py``.
"""

import json
import pathlib

import numpy as np
from table import ROWS

GOLDEN = pathlib.Path(__file__).parent / "golden"


def fill(name, shape, seed):
    """Values for a weight: the same here and in the tests."""
    values = np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")
    return np.abs(values) + 0.5 if "variance" in name else values


def inputs_of(row):
    random = np.random.RandomState(len(row.id) + sum(map(ord, row.id)))
    if row.dtype == "int32":
        return [random.randint(0, 10, shape).astype("int32") for shape in row.inputs]
    return [random.uniform(row.low, 1, shape).astype("float32") for shape in row.inputs]


def mask_of(row, x):
    shape = x.shape if row.layer == "Softmax" else x.shape[:2]
    mask = np.random.RandomState(1).uniform(size=shape) > 0.4
    mask[..., 0] = True
    return mask


def projection(shape):
    """The loss of the gradient tests is the sum of the outputs times these."""
    return np.cos(np.arange(np.prod(shape), dtype="float32")).reshape(shape)


def build(layers, row, **more):
    """The layer of a row, from a module of layers."""

    def argument(value):
        is_layer = isinstance(value, tuple) and value[:1] == ("layer",)
        return getattr(layers, value[1])(**{k: argument(v) for k, v in value[2].items()}) if is_layer else value

    return getattr(layers, row.layer)(**{key: argument(value) for key, value in row.config.items()}, **more)


def call_arguments(row, xs):
    arguments = {"training": row.training} if row.training else {}
    if row.mask:
        arguments["mask"] = mask_of(row, xs[0])
    return arguments


def set_weights(layer):
    layer.set_weights([fill(w.name, w.shape, seed) for seed, w in enumerate(layer.weights)])


def keras3(row):
    import jax
    import keras

    xs = inputs_of(row)
    layer = build(keras.layers, row)
    arguments = call_arguments(row, xs)
    one = len(xs) == 1
    layer(xs[0] if one else xs, **arguments)
    set_weights(layer)
    trainable = [w.value for w in layer.trainable_variables]
    other = [w.value for w in layer.non_trainable_variables]

    def run(trainable, xs):
        return layer.stateless_call(trainable, other, xs[0] if one else xs, **arguments)

    out, new = run(trainable, xs)
    result = {"out": out}
    for i, value in enumerate(new):
        result[f"after{i}"] = value
    if row.dtype == "float32" and row.gradients:
        gw, gx = jax.grad(lambda w, x: (run(w, x)[0] * projection(out.shape)).sum(), (0, 1))(trainable, xs)
        result |= {f"gw{i}": g for i, g in enumerate(gw)} | {f"gx{i}": g for i, g in enumerate(gx)}
    return layer, result


def keras2(row):
    import tensorflow as tf
    import tf_keras

    xs = [tf.Variable(x) for x in inputs_of(row)]
    layer = build(tf_keras.layers, row)
    layer(xs[0])
    set_weights(layer)
    with tf.GradientTape() as tape:
        out = layer(tf.convert_to_tensor(xs[0]))
        loss = tf.reduce_sum(out * projection(out.shape))
    gradients = tape.gradient(loss, [*layer.trainable_variables, *xs])
    count = len(layer.trainable_variables)
    result = {"out": out.numpy()} | {f"gw{i}": g.numpy() for i, g in enumerate(gradients[:count])}
    return layer, result | {f"gx{i}": g.numpy() for i, g in enumerate(gradients[count:])}


def plain(value):
    """What can be compared of a configuration's value."""
    if isinstance(value, dict):
        return value["class_name"] if "class_name" in value else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def main(rows, name):
    arrays, facts = {}, {}
    for row in rows:
        if row.peer is None:
            continue
        layer, result = {"keras": keras3, "tf_keras": keras2}[row.peer](row)
        arrays |= {f"{row.id}/{key}": np.asarray(value) for key, value in result.items()}
        config = layer.get_config().items()
        facts[row.id] = {
            "config": {key: plain(value) for key, value in config if key not in ("name", "dtype", "layer")},
            "supports_masking": layer.supports_masking,
            "weights": [list(w.shape) for w in layer.weights],
        }
    GOLDEN.mkdir(exist_ok=True)
    shapes = {key: list(array.shape) for key, array in arrays.items()}
    values = np.concatenate([array.ravel() for array in arrays.values()]).astype("float32")
    np.savez_compressed(GOLDEN / f"{name}.npz", values=values)
    (GOLDEN / f"{name}.json").write_text(json.dumps({"shapes": shapes, "layers": facts}, default=float))


def load(name):
    """What `main` wrote: arrays by ``row id/what``, and facts about the layers by row id."""
    stored = json.loads((GOLDEN / f"{name}.json").read_text())
    flat = np.load(GOLDEN / f"{name}.npz")["values"]
    ends = np.cumsum([int(np.prod(shape)) for shape in stored["shapes"].values()])
    parts = zip(stored["shapes"].items(), np.split(flat, ends[:-1]))
    return {key: part.reshape(shape) for (key, shape), part in parts}, stored["layers"]


if __name__ == "__main__":
    main(ROWS, "layers")
