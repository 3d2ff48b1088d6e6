"""A perceptron as TensorFlow's early tutorials spelled it, on data with a rule to find."""

import numpy as np
import tensorflow as tf  # noqa: F401 - old programs import it first
from tensorflow.python.keras.layers import Activation, Dense
from tensorflow.python.keras.models import Sequential

np.random.seed(3)
X_train, X_test = np.random.normal(size=(640, 100)), np.random.normal(size=(64, 100))
rule = np.random.normal(size=(100, 10))
Y_train, Y_test = (np.eye(10)[(x @ rule).argmax(1)] for x in (X_train, X_test))

model = Sequential()
model.add(Dense(output_dim=64, input_dim=100))
model.add(Activation("relu"))
model.add(Dense(output_dim=10))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
history = model.fit(X_train, Y_train, nb_epoch=5, batch_size=32)
losses = history.history["loss"]
print("LOSSES", losses[0], losses[-1])
print("BATCH", model.train_on_batch(X_train[:32], Y_train[:32]))
print("EVALUATE", model.evaluate(X_test, Y_test, batch_size=32, verbose=0))
classes = model.predict_classes(X_test, batch_size=32)
proba = model.predict_proba(X_test, batch_size=32)
print("CLASSES", classes.shape, (classes == proba.argmax(axis=1)).all(), np.allclose(proba.sum(axis=1), 1, atol=1e-5))
