"""Writes golden.json: facts about each network, and outputs for made-up weights, from a Keras that has them all.

Run it with a Python that has tf_keras: ``python make_facts.py [NAME ...]``.
"""

import hashlib
import json
import sys
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


def made_up_weights(shapes):
    """Weights that keep activations near 1 in size: the same on every machine."""
    random = np.random.RandomState(0)
    weights = []
    for shape in shapes:
        if len(shape) == 1:  # scales, offsets, means and variances alike
            weights.append(random.uniform(0.5, 1.5, shape).astype("float32"))
        else:
            depthwise = len(shape) == 4 and shape[3] == 1
            fan_in = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            weights.append((random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype("float32"))
    return weights


def image(side):
    return np.random.RandomState(1).uniform(-1, 1, (2, side, side, 3)).astype("float32")


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
        "shapes": digest([list(w.shape) for w in model.get_weights()]),
    }


def main():
    import tf_keras as keras

    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    for name in sys.argv[1:] or SIDES:
        make = getattr(keras.applications, name)
        keras.backend.clear_session()
        entry = facts(make(weights=None))
        keras.backend.clear_session()
        model = make(weights=None, input_shape=(SIDES[name], SIDES[name], 3), classes=5, classifier_activation=None)
        model.set_weights(made_up_weights([w.shape for w in model.get_weights()]))
        outputs = model.predict(image(SIDES[name]), verbose=0)
        golden[name] = entry | {"outputs": [[float(f"{x:.6g}") for x in row] for row in outputs]}
        GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")
        print(name, golden[name], flush=True)


if __name__ == "__main__":
    main()
