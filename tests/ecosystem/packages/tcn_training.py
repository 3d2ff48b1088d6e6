"""keras-tcn: it imports TensorFlow, of which a stand-in is enough for it."""

import keras
import numpy as np
from tcn import TCN

rng = np.random.default_rng(0)
x, y = rng.normal(size=(20, 10, 2)), rng.normal(size=(20, 1))
model = keras.Sequential([keras.Input((10, 2)), TCN(8, kernel_size=3, dilations=(1, 2, 4)), keras.layers.Dense(1)])
model.compile("adam", "mse")
losses = model.fit(x, y, epochs=10, verbose=0).history["loss"]
assert losses[-1] < losses[0]
