"""A stateful LSTM of Keras 1 that follows a damped cosine: batch_input_shape, reset_states after each epoch."""

import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

np.random.seed(1)
batch_size, tsteps = 10, 1
idx = np.arange(0, 400)
cos = (100 * np.cos(2 * np.pi * idx / 50.0) * np.exp(-0.0003 * idx)).reshape(400, 1, 1) / 100
expected = (cos[:, 0] + np.roll(cos[:, 0], -1, axis=0)) / 2

model = Sequential()
model.add(LSTM(20, batch_input_shape=(batch_size, tsteps, 1), return_sequences=True, stateful=True))
model.add(LSTM(20, batch_input_shape=(batch_size, tsteps, 1), return_sequences=False, stateful=True))
model.add(Dense(1))
model.compile(loss="mse", optimizer="rmsprop")
losses = []
for _ in range(15):
    h = model.fit(cos, expected, batch_size=batch_size, verbose=0, nb_epoch=1, shuffle=False)
    losses.append(h.history["loss"][0])
    model.reset_states()
first = model.predict(cos[:10], batch_size=batch_size)
second = model.predict(cos[:10], batch_size=batch_size)
model.reset_states()
third = model.predict(cos[:10], batch_size=batch_size)
print("STATES", np.abs(first - second).max() > 1e-4, np.abs(first - third).max() < 1e-6)
print("LOSSES", losses[0], losses[-1])
