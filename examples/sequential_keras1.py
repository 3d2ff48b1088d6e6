"""A perceptron in the spelling of Keras 1, on made-up data with a rule to find."""

import numpy as np
from keras.layers import Activation, Dense
from keras.models import Sequential

np.random.seed(7)
x_train, x_test = np.random.normal(size=(1000, 100)), np.random.normal(size=(200, 100))
rule = np.random.normal(size=(100, 10))
y_train, y_test = (np.eye(10)[(x @ rule).argmax(1)] for x in (x_train, x_test))

model = Sequential()
model.add(Dense(output_dim=64, input_dim=100))
model.add(Activation("relu"))
model.add(Dense(output_dim=10))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
model.fit(x_train, y_train, nb_epoch=5, batch_size=32)
print(model.train_on_batch(x_train[:32], y_train[:32]))
print(model.evaluate(x_test, y_test, batch_size=32))
print(model.predict_classes(x_test, batch_size=32)[:10])
print(model.predict_proba(x_test, batch_size=32)[0].round(3))
