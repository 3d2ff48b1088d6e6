"""Writes golden/quantized.npz with Keras 3: outputs, gradients and stored arrays of quantized layers.

Run it with the Python of an environment that has Keras 3.15: ``KERAS_BACKEND=jax python make_golden_quantized.py``.
"""

import json
from pathlib import Path

import numpy as np

TARGET = Path(__file__).with_name("golden") / "quantized.npz"
LAYERS = {
    "Dense": (("Dense", {"units": 6, "activation": "tanh"}), (None, 16), (5, 16)),
    "EinsumDense": (
        ("EinsumDense", {"equation": "btnh,nhd->btd", "output_shape": [None, 8], "bias_axes": "d"}),
        (None, 4, 4, 4),
        (2, 4, 4, 4),
    ),
    "Heads": (("EinsumDense", {"equation": "btd,ndh->btnh", "output_shape": [None, 3, 4]}), (None, 4, 16), (2, 4, 16)),
    "Embedding": (("Embedding", {"input_dim": 10, "output_dim": 6}), (None, 3), (4, 3)),
}
MODES = {
    "int8": ("int8", None),
    "weights": ("int8", ("Int8QuantizationConfig", {"activation_quantizer": None})),
    "int4": ("int4", ("Int4QuantizationConfig", {"block_size": 4})),
    "columns": ("int4", ("Int4QuantizationConfig", {"block_size": None})),
    "float8": ("float8", None),
    "lora": (None, None),
    "int8+lora": ("int8", None),
    "int4+lora": ("int4", ("Int4QuantizationConfig", {"block_size": 4})),
}
ALPHA = 3.0


def case(keras, layer, mode):
    """The layer with weights, LoRA and quantization, its inputs, and the generator for what else is drawn.

    Args:
        keras: the library.
        layer: a key of `LAYERS`.
        mode: a key of `MODES`.
    """
    (name, config), build_shape, shape = LAYERS[layer]
    made = getattr(keras.layers, name)(**config)
    made.build(build_shape)
    draw = np.random.default_rng(sum(map(ord, layer + mode)))
    # Keras adds the bias of float8 layers in bfloat16, which would hide all else: there it is zero.
    factor = 0.0 if mode == "float8" else 1.0
    made.set_weights([draw.normal(size=v.shape).astype("float32") * factor ** (v.name == "bias") for v in made.weights])
    inputs = draw.integers(0, 10, shape) if name == "Embedding" else draw.normal(size=shape).astype("float32")
    if mode.endswith("lora"):
        made.enable_lora(2, lora_alpha=ALPHA)
        for letter in "ab":
            variable = getattr(made, f"lora_{'embeddings' if name == 'Embedding' else 'kernel'}_{letter}")
            variable.assign(draw.normal(size=variable.shape).astype("float32"))
    quantization, given = MODES[mode]
    if quantization:
        made.quantize(quantization, config=given and getattr(keras.quantizers, given[0])(**given[1]))
    if quantization == "float8":
        for number, part in enumerate(("inputs", "kernel", "outputs_grad")):
            history = np.zeros(1024, "float32")
            history[5] = 1 + number
            getattr(made, f"{part}_amax_history").assign(history)
    return made, inputs, draw


def measured(keras, layer, mode):
    """The arrays of one case, by name."""
    import jax

    made, inputs, draw = case(keras, layer, mode)
    training = {} if layer == "Embedding" else {"training": True}
    outputs = np.asarray(made(inputs, **training))
    upstream = draw.normal(size=outputs.shape).astype("float32")
    found = {"outputs": outputs}
    if inputs.dtype == "float32":
        found["of_inputs"] = jax.grad(lambda x: (made(x, **training) * upstream).sum())(inputs)
    trained = [v.value for v in made.trainable_variables]
    others = [v.value for v in made.non_trainable_variables]
    if trained:

        def loss(values):
            return (made.stateless_call(values, others, inputs, **training)[0] * upstream).sum()

        for variable, gradient in zip(made.trainable_variables, jax.grad(loss)(trained)):
            if (variable.name, mode) != ("bias", "float8"):
                found[f"of_{variable.name}"] = gradient
    store = {}
    made.save_own_variables(store)
    found |= {f"stored_{key}": value for key, value in store.items()}
    return {key: np.asarray(value) for key, value in found.items()}


def cases():
    """Pairs of a layer and a mode that it has."""
    return [(layer, mode) for layer in LAYERS for mode in MODES if (layer, mode) != ("Embedding", "float8")]


def main():
    import keras

    arrays = {}
    for layer, mode in cases():
        arrays |= {f"{layer}/{mode}/{key}": value for key, value in measured(keras, layer, mode).items()}
    np.savez_compressed(TARGET, **arrays)
    print(json.dumps({"keras": keras.__version__, "arrays": len(arrays)}))


if __name__ == "__main__":
    main()
