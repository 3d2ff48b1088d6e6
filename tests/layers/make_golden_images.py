"""Writes golden/images.npz. Run it where Keras 3 is: ``KERAS_BACKEND=jax python make_golden_images.py``."""

import pathlib

import keras
import numpy as np
from table_images import outputs

if __name__ == "__main__":
    np.savez_compressed(pathlib.Path(__file__).parent / "golden" / "images.npz", **outputs(keras.layers))
