"""Writes golden.json: facts about each network, and outputs for made-up weights, from a Keras that has them all.

Run it with a Python that has Keras 3 and, for the networks of Keras 2, tf_keras: ``python make_facts.py [NAME ...]``.
"""

import hashlib
import importlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden.json")
# name: side of the small image for outputs. AlexNet, GoogLeNet and SqueezeNet are not in Keras.
SIDES = {
    "VGG16": 32,
    "VGG19": 32,
    "ResNet50": 32,
    "ResNet101": 32,
    "ResNet152": 32,
    "ResNet50V2": 32,
    "ResNet101V2": 32,
    "ResNet152V2": 32,
    "InceptionV3": 75,
    "InceptionResNetV2": 75,
    "Xception": 71,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "DenseNet121": 32,
    "DenseNet169": 32,
    "DenseNet201": 32,
    "NASNetMobile": 32,
    "NASNetLarge": 32,
}
# Those that only Keras 3 names as this library does.
OF_KERAS_3 = {
    "ConvNeXtTiny": 32,
    "ConvNeXtSmall": 32,
    "ConvNeXtBase": 32,
    "ConvNeXtLarge": 32,
    "ConvNeXtXLarge": 32,
    **{f"EfficientNetB{i}": 32 for i in range(8)},
    **{f"EfficientNetV2{variant}": 32 for variant in ("B0", "B1", "B2", "B3", "S", "M", "L")},
    "MobileNetV3Small": 64,
    "MobileNetV3Large": 64,
}
SIDES |= OF_KERAS_3
# Outputs of the others take too long, and hold nothing that these do not.
WITH_OUTPUTS = (SIDES.keys() - OF_KERAS_3.keys()) | {
    "ConvNeXtTiny",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2S",
    "MobileNetV3Small",
    "MobileNetV3Large",
}


def made_up_weights(shapes, gain=2.0):
    """Weights that keep activations near 1 in size: the same on every machine."""
    random = np.random.RandomState(0)
    weights = []
    for shape in shapes:
        if len(shape) == 1:  # scales, offsets, means and variances alike
            weights.append(random.uniform(0.5, 1.5, shape).astype("float32"))
        else:
            depthwise = len(shape) == 4 and shape[3] == 1
            fan_in = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            weights.append((random.standard_normal(shape) * np.sqrt(gain / fan_in)).astype("float32"))
    return weights


def gain(name):
    """The factor of `made_up_weights`. Rounding errors grow through networks with too large ones."""
    return 1.0 if name.startswith("EfficientNetV2") else 2.0


def image(side, name=""):
    """Two images, as the network wants them."""
    x = np.random.RandomState(1).uniform(-1, 1, (2, side, side, 3)).astype("float32")
    return (x + 1) * 127 if name in OF_KERAS_3 else x


def digest(thing):
    return hashlib.sha256(json.dumps(thing).encode()).hexdigest()[:16]


def facts(model):
    """What must be equal: layers by name, in order; weights by shape, in order."""
    names = [layer.name for layer in model.layers if type(layer).__name__ != "InputLayer"]
    return {
        "name": model.name,
        "parameters": int(model.count_params()),
        "layers": len(names),
        "names": digest(names),
        "shapes": digest([list(w.shape) for w in model.weights]),
    }


def outputs(keras, name):
    make, side = getattr(keras.applications, name), SIDES[name]
    keras.backend.clear_session()
    model = make(weights=None, input_shape=(side, side, 3), classes=5, classifier_activation=None)
    model.set_weights(made_up_weights([w.shape for w in model.get_weights()], gain(name)))
    with tempfile.TemporaryDirectory() as folder:  # Normalization does not see weights that are only set
        model.save_weights(f"{folder}/made_up.weights.h5")
        model.load_weights(f"{folder}/made_up.weights.h5")
    rows = model.predict(image(side, name), verbose=0)
    return [[float(f"{x:.6g}") for x in row] for row in rows]


def main():
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    for name in sys.argv[1:] or SIDES:
        keras = importlib.import_module("keras" if name in OF_KERAS_3 else "tf_keras")
        keras.backend.clear_session()
        golden[name] = facts(getattr(keras.applications, name)(weights=None))
        if name in WITH_OUTPUTS:
            golden[name]["outputs"] = outputs(keras, name)
        GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")
        print(name, golden[name], flush=True)


if __name__ == "__main__":
    main()
