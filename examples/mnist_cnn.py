"""A convolutional network that reads handwritten digits, in the functional style."""

import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Model
from keras.utils import to_categorical

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[..., np.newaxis].astype("float32") / 255
x_test = x_test[..., np.newaxis].astype("float32") / 255
y_train, y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)

digit_input = Input(shape=(28, 28, 1))
x = Conv2D(64, (3, 3), activation="relu")(digit_input)
x = Conv2D(64, (3, 3), activation="relu")(x)
x = MaxPooling2D((2, 2))(x)
x = Dropout(0.25)(x)
out = Flatten()(x)
vision = Model(digit_input, out)  # a model used as a layer

image = Input(shape=(28, 28, 1))
x = Dense(128, activation="relu")(vision(image))
x = Dropout(0.5)(x)
model = Model(image, Dense(10, activation="softmax")(x))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=128, epochs=2, validation_data=(x_test, y_test))
print("Test accuracy: %.4f" % model.evaluate(x_test, y_test, verbose=0)[1])
