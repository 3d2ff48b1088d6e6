"""Functional models: a CNN used as a layer, shared layers, several inputs and outputs, sub-models."""

import sys

import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, concatenate
from keras.models import Model
from keras.utils import np_utils

samples, epochs = (int(a) for a in sys.argv[1:])
np.random.seed(1)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train = x_train[:samples, ..., None] / 255.0, np_utils.to_categorical(y_train[:samples], 10)
x_test, y_test = x_test[: samples // 4, ..., None] / 255.0, np_utils.to_categorical(y_test[: samples // 4], 10)

digit_input = Input(shape=(28, 28, 1))
x = Conv2D(64, (3, 3))(digit_input)
x = Conv2D(64, (3, 3), activation="relu")(x)
x = MaxPooling2D((2, 2))(x)
out = Flatten()(x)
vision_model = Model(digit_input, out)

digit = Input(shape=(28, 28, 1))
x = Dropout(0.5)(vision_model(digit))
classifier = Model(digit, Dense(10, activation="softmax")(x))
classifier.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
classifier.fit(x_train, y_train, batch_size=128, epochs=epochs, verbose=2)
print("ACCURACY", classifier.evaluate(x_test, y_test, verbose=0)[1])

# The same vision model looks at two digits: are they the same? And which is the first?
digit_a, digit_b = Input(shape=(28, 28, 1), name="a"), Input(shape=(28, 28, 1), name="b")
out_a, out_b = vision_model(digit_a), vision_model(digit_b)
same = Dense(1, activation="sigmoid", name="same")(concatenate([out_a, out_b]))
which = Dense(10, activation="softmax", name="which")(out_a)
pair = Model(inputs=[digit_a, digit_b], outputs=[same, which])
pair.compile(
    optimizer="rmsprop",
    loss={"same": "binary_crossentropy", "which": "categorical_crossentropy"},
    loss_weights={"same": 1.0, "which": 0.2},
)
a, b = x_train[:256], x_train[1:257]
labels = (y_train[:256].argmax(1) == y_train[1:257].argmax(1)).astype("float32")
history = pair.fit({"a": a, "b": b}, {"same": labels, "which": y_train[:256]}, epochs=1, batch_size=64, verbose=0)
print("PAIR", sorted(history.history))
assert pair.layers.count(vision_model) == 1
assert vision_model.get_output_at(1) is not vision_model.get_output_at(2)

features = Model(inputs=vision_model.input, outputs=vision_model.layers[2].output)
print("FEATURES", features.predict(x_test[:3]).shape)
