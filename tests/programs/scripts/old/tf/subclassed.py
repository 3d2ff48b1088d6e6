"""tf.keras 2: a subclassed model with layers as attributes, a custom layer with add_weight, a metric object."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(1)
np.random.seed(1)


class Linear(layers.Layer):
    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return keras.backend.dot(inputs, self.w) + self.b


class Net(keras.Model):
    def __init__(self, classes):
        super().__init__(name="net")
        self.hidden = [Linear(16), layers.ReLU(), layers.Dropout(0.1)]
        self.out = layers.Dense(classes)

    def call(self, inputs, training=False):
        x = inputs
        for layer in self.hidden:
            x = layer(x, training=training) if isinstance(layer, layers.Dropout) else layer(x)
        return self.out(x)


x = np.random.normal(size=(400, 6)).astype("float32")
y = x[:, :3].argmax(1)
model = Net(3)
model.compile(
    optimizer=keras.optimizers.Adam(0.02),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
history = model.fit(x, y, batch_size=32, epochs=12, validation_split=0.2, verbose=0)
print("KEYS", sorted(history.history))
print("ACCURACY", history.history["acc"][-1], history.history["val_acc"][-1])
print("WEIGHTS", len(model.trainable_variables), model.hidden[0].w.shape, model.count_params())
model.save_weights("net.weights.h5")
other = Net(3)
other(x[:1])
other.load_weights("net.weights.h5")
print("SAME", np.abs(other.predict(x, verbose=0) - model.predict(x, verbose=0)).max() < 1e-6)
