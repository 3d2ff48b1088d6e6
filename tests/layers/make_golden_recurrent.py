"""Writes golden/recurrent.npz and golden/recurrent.json: what Keras 3 computes for the rows of table_recurrent.py.

And golden/cudnn.npz: how tf_keras converts the weights of CuDNN layers, and golden/attention.npz: Keras 3's attention.
Run it as make_golden.py.
"""

import pathlib
import tempfile

import make_golden
import numpy as np
from table_recurrent import ROWS

GOLDEN = pathlib.Path(__file__).parent / "golden"


def cudnn():
    """tf_keras' weights of plain layers after they were loaded from files of CuDNN layers."""
    import tf_keras
    from tf_keras.src.layers import CuDNNGRU, CuDNNLSTM

    arrays = {}
    for name, old, new in (
        ("lstm", CuDNNLSTM(3), tf_keras.layers.LSTM(3)),
        ("gru", CuDNNGRU(3), tf_keras.layers.GRU(3, reset_after=True)),
    ):
        saved, loaded = (tf_keras.Sequential([tf_keras.layers.InputLayer((None, 5)), layer]) for layer in (old, new))
        old.set_weights([make_golden.fill(w.name, w.shape, seed) for seed, w in enumerate(old.weights)])
        with tempfile.TemporaryDirectory() as folder:
            saved.save_weights(f"{folder}/weights.h5")
            loaded.load_weights(f"{folder}/weights.h5")
        arrays |= {f"{name}/cudnn{i}": w for i, w in enumerate(old.get_weights())}
        arrays |= {f"{name}/plain{i}": w for i, w in enumerate(new.get_weights())}
    np.savez_compressed(GOLDEN / "cudnn.npz", **arrays)


def attention():
    """Outputs and weights of Keras 3's attention over (N, T, d) with masks, by name."""
    import keras

    x, y = (np.random.RandomState(seed).uniform(-1, 1, (2, n, 6)).astype("float32") for seed, n in ((0, 4), (1, 5)))
    mask = np.arange(5)[None] < np.array([[3], [5]])
    arrays = {}
    for name, layer, arguments in (
        ("plain", keras.layers.MultiHeadAttention(2, 3), {}),
        ("masked", keras.layers.MultiHeadAttention(2, 3, output_shape=4), {"value_mask": mask}),
        ("causal", keras.layers.MultiHeadAttention(3, 2, use_bias=False), {"use_causal_mask": True}),
        ("grouped", keras.layers.GroupQueryAttention(3, 4, 2), {"value_mask": mask}),
    ):
        layer(x, y)
        layer.set_weights([make_golden.fill(w.name, w.shape, seed) for seed, w in enumerate(layer.weights)])
        output, weights = layer(x, y, return_attention_scores=True, **arguments)
        arrays |= {f"{name}/output": output, f"{name}/weights": weights}
    np.savez_compressed(GOLDEN / "attention.npz", **arrays)


if __name__ == "__main__":
    make_golden.main(ROWS, "recurrent")
    cudnn()
    attention()
