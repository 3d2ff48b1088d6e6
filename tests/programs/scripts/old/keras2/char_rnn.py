"""A character RNN: next letter from the letters before it, sampled at two temperatures after each few epochs."""

import random
import sys

import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import Activation, Dense, LSTM
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(3)
random.seed(3)
text = "the cat sat on the mat and the dog lay by the door while the rain fell on the roof. " * 12
chars = sorted(set(text))
char_indices = {c: i for i, c in enumerate(chars)}
indices_char = {i: c for i, c in enumerate(chars)}
maxlen, step = 12, 2
sentences, next_chars = [], []
for i in range(0, len(text) - maxlen, step):
    sentences.append(text[i : i + maxlen])
    next_chars.append(text[i + maxlen])
x = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(LSTM(48, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars)))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01))


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype("float64")
    preds = np.exp(np.log(preds) / temperature)
    return np.argmax(np.random.multinomial(1, preds / np.sum(preds), 1))


def on_epoch_end(epoch, logs):
    if epoch % 10 != 9:
        return
    for diversity in [0.2, 1.0]:
        generated = "the cat sat "
        for _ in range(30):
            x_pred = np.zeros((1, maxlen, len(chars)))
            for t, char in enumerate(generated[-maxlen:]):
                x_pred[0, t, char_indices[char]] = 1.0
            generated += indices_char[sample(model.predict(x_pred, verbose=0)[0], diversity)]
        sys.stdout.write("DIVERSITY %s %s\n" % (diversity, generated))


h = model.fit(x, y, batch_size=32, epochs=20, verbose=0, callbacks=[LambdaCallback(on_epoch_end=on_epoch_end)])
print("LOSS", h.history["loss"][0], h.history["loss"][-1])
