"""Writes again golden.json's `keras3`, `keras2` and `schedules`: run it where Keras 3 and tf_keras are installed."""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
PATH = Path(__file__).parent / "golden.json"


def rounded(x):
    return [rounded(i) for i in x] if isinstance(x, list) else float(f"{x:.7g}")


def main():
    import keras
    import numpy as np
    import tensorflow as tf
    import tf_keras

    golden = json.loads(PATH.read_text())
    start, gradients = golden["start"], golden["gradients"]

    def train(optimizer, variables, convert):
        for step in gradients:
            pairs = zip(step, variables)
            optimizer.apply_gradients([(convert(np.array(g, "float32")), v) for g, v in pairs])
        return [rounded(np.asarray(v).tolist()) for v in variables]

    for expression in golden["keras3"]:
        optimizer = eval(f"optimizers.{expression}", vars(keras) | {"schedules": keras.optimizers.schedules})
        names = ("kernel", "bias", "conv")
        made = [keras.Variable(np.array(w, "float32"), name=name) for w, name in zip(start, names)]
        golden["keras3"][expression] = train(optimizer, made, keras.ops.convert_to_tensor)
    for expression in golden["keras2"]:
        optimizer = eval(f"tf_keras.optimizers.legacy.{expression}", {"tf_keras": tf_keras})
        made = [tf.Variable(np.array(w, "float32")) for w in start[:2]]
        golden["keras2"][expression] = train(optimizer, made, tf.constant)
    for expression in golden["schedules"]:
        schedule = eval(f"schedules.{expression}", vars(keras.optimizers))
        steps = (0, 1, 3, 4, 5, 7, 8, 10, 14, 15, 25, 36)
        golden["schedules"][expression] = rounded([float(schedule(s)) for s in steps])
    PATH.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
