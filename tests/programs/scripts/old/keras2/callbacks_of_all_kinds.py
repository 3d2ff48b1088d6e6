"""TensorBoard, LearningRateScheduler, ReduceLROnPlateau, CSVLogger and callbacks of the user's own."""

import csv
import math
import os

import numpy as np
from keras import backend as K
from keras.callbacks import Callback, CSVLogger, EarlyStopping, LearningRateScheduler, TensorBoard, ReduceLROnPlateau
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import SGD

np.random.seed(2)
X = np.random.normal(size=(100, 3))
Y = X.dot([[1.0], [-2.0], [0.5]])


class LossHistory(Callback):
    def on_train_begin(self, logs={}):  # noqa: B006
        self.losses, self.lr, self.seen = [], [], []

    def on_batch_end(self, batch, logs={}):  # noqa: B006
        self.losses.append(logs.get("loss"))
        self.seen.append((logs["batch"], logs["size"]))

    def on_epoch_end(self, epoch, logs={}):  # noqa: B006
        self.lr.append(float(K.get_value(self.model.optimizer.lr)))
        if epoch == 5:
            self.model.stop_training = True


def step_decay(epoch):
    return 0.1 * math.pow(0.5, math.floor((1 + epoch) / 2.0))


def new_model():
    model = Sequential([Dense(1, input_dim=3)])
    model.compile(loss="mean_squared_error", optimizer=SGD(lr=0.0, momentum=0.9), metrics=["mae"])
    return model


history = LossHistory()
model = new_model()
h = model.fit(
    X,
    Y,
    epochs=10,
    batch_size=32,
    verbose=0,
    validation_split=0.2,
    callbacks=[
        history,
        LearningRateScheduler(step_decay),
        CSVLogger("log.csv"),
        TensorBoard(log_dir="graph", histogram_freq=0),
    ],
)
print("RATES", [round(rate, 5) for rate in history.lr])
print("BATCHES", len(history.losses), history.seen[:3])
with open("log.csv") as f:
    lines = list(csv.reader(f))
print("CSV", lines[0], len(lines), os.listdir("graph")[0].startswith("events.out.tfevents"))
print("HISTORY", h.epoch, sorted(h.history), np.allclose(h.history["lr"], history.lr))

model = new_model()
K.set_value(model.optimizer.lr, 0.01)
stop = EarlyStopping(monitor="val_loss", min_delta=1e9, patience=2, verbose=1)
plateau = ReduceLROnPlateau(monitor="val_loss", factor=0.1, patience=1, epsilon=1e9, verbose=1)
h = model.fit(X, Y, epochs=50, verbose=0, validation_data=(X, Y), callbacks=[stop, plateau])
print("STOPPED", stop.stopped_epoch, len(h.epoch), round(float(K.get_value(model.optimizer.lr)), 6))
