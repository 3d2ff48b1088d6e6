"""A user's program with types. It is checked by Pyright, and never run."""

from typing import assert_type

import numpy as np

import oneiros as keras
from oneiros import backend as K
from oneiros import ops
from oneiros.core.checks import positive_int
from oneiros.core.fields import field
from oneiros.layers import LSTM, Conv2D, Dense, Dropout, Embedding, Flatten, Input, Layer
from oneiros.models import Model, Sequential, load_model
from oneiros.optimizers import Adam
from oneiros.utils import to_categorical


class Scale(Layer):
    """Declared fields give the constructor its types."""

    size: int = field(positive_int, doc="Size of the last axis.")
    factor: float = 2.0

    def build(self, input_shape):
        self.scale = self.add_weight("scale", (self.size,))

    def call(self, inputs):
        return self.scale * self.factor * inputs


class Plain(Layer):
    """A class with its own constructor is as welcome."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units


class Net(Model):
    def __init__(self):
        super().__init__()
        self.dense = Dense(4, activation="relu")

    def call(self, inputs):
        return self.dense(inputs)


layer = Scale(3, factor=0.5, name="scale")
assert_type(layer.size, int)
assert_type(layer.factor, float)
Scale("3")  # pyright: ignore[reportArgumentType]
Plain(3, name="plain")

x, y = np.zeros((8, 4), "float32"), to_categorical([0, 1, 2, 0, 1, 2, 0, 1], 3)
model = Sequential([Input((4,)), Dense(8, activation="relu"), Dropout(0.5), Dense(3, "softmax", use_bias=False)])
assert_type(model, Sequential)
model.compile(
    optimizer=Adam(1e-3),
    loss=keras.losses.CategoricalCrossentropy(from_logits=False, label_smoothing=0.1),
    metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(k=2, name="top2"), keras.metrics.AUC()],
)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=2)
history = model.fit(x, y, batch_size=4, epochs=2, validation_split=0.25, callbacks=[stop], verbose=0)
print(history.history["loss"][-1])
print(model.evaluate(x, y, verbose=0), model.predict(x).shape)
model.save("model.h5")
again = load_model("model.h5")

inputs = keras.Input((28, 28, 1))
features = Flatten()(Conv2D(8, (3, 3), padding="same", kernel_regularizer=keras.regularizers.l2(1e-4))(inputs))
features = (features * 2 + 1) / (inputs[:, 0, 0] - 3) if features is not None else features
functional = keras.Model(inputs, Dense(10)(features), name="functional")
functional.compile("sgd", "mse")
functional.summary()
text = keras.Sequential([Embedding(1000, 16, mask_zero=True), LSTM(8, return_sequences=True), LSTM(4), Dense(1)])
text.compile(keras.optimizers.RMSprop(keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)), "mse")
net = Net()
net.compile("adam", keras.losses.MeanSquaredError())
net.load_weights("weights.h5")
optimizer: keras.Optimizer = Adam()
print(K.eval(K.sum(ops.exp(x))))
loss: keras.Loss = keras.losses.Huber(1.0)
metric: keras.Metric = keras.metrics.Accuracy()
layers: list[Layer] = [Dense(2), net.dense, *model.layers]
