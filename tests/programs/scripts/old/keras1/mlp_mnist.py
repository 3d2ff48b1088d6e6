"""The first example of most Keras 1 books: an MLP on MNIST with nb_epoch, init=, output_dim, show_accuracy's heirs."""

import numpy as np

np.random.seed(1337)

from keras.datasets import mnist  # noqa: E402
from keras.models import Sequential  # noqa: E402
from keras.layers.core import Dense, Dropout, Activation  # noqa: E402
from keras.optimizers import SGD  # noqa: E402
from keras.utils import np_utils  # noqa: E402

batch_size, nb_classes, nb_epoch = 64, 10, 3
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(60000, 784)[:4000].astype("float32") / 255
X_test = X_test.reshape(10000, 784)[:1000].astype("float32") / 255
Y_train = np_utils.to_categorical(y_train[:4000], nb_classes)
Y_test = np_utils.to_categorical(y_test[:1000], nb_classes)

model = Sequential()
model.add(Dense(output_dim=128, input_dim=784, init="glorot_uniform"))
model.add(Activation("relu"))
model.add(Dropout(0.2))
model.add(Dense(output_dim=nb_classes, W_regularizer="l2"))
model.add(Activation("softmax"))
model.summary()
sgd = SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
history = model.fit(
    X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch, verbose=1, validation_data=(X_test, Y_test)
)
score = model.evaluate(X_test, Y_test, verbose=0)
print("Test score:", score[0])
print("Test accuracy:", score[1])
print("KEYS", sorted(history.history.keys()), history.epoch)
classes = model.predict_classes(X_test[:5], batch_size=5, verbose=0)
proba = model.predict_proba(X_test[:5], batch_size=5, verbose=0)
print("CLASSES", classes.shape, (proba.argmax(1) == classes).all())
