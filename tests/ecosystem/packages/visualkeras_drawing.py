"""visualkeras: pictures of a model."""

import keras
import visualkeras

layers = keras.layers
model = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
assert min(*visualkeras.layered_view(model).size, *visualkeras.graph_view(model).size) > 10
