"""A hierarchical RNN: one LSTM over the pixels of a row, in TimeDistributed, and another over the rows."""

from keras.datasets import mnist
from keras.layers import LSTM, Dense, Input, TimeDistributed
from keras.models import Model
from keras.utils import to_categorical

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:1500, ::2, ::2].reshape(-1, 14, 14, 1).astype("float32") / 255
y_train = to_categorical(y_train[:1500], 10)
row, col, pixel = x_train.shape[1:]
x = Input(shape=(row, col, pixel))
encoded_rows = TimeDistributed(LSTM(16))(x)
encoded_columns = LSTM(32)(encoded_rows)
prediction = Dense(10, activation="softmax")(encoded_columns)
model = Model(x, prediction)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
print("SHAPES", encoded_rows._keras_shape, encoded_columns.shape, model.count_params())
h = model.fit(x_train, y_train, batch_size=32, epochs=4, verbose=2)
print("LOSSES", h.history["loss"][0], h.history["loss"][-1])
