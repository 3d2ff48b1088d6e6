"""Addition as translation: digits in, digits out, with RepeatVector between an encoder and a decoder."""

import numpy as np
from keras import layers
from keras.models import Sequential

np.random.seed(1)


class CharacterTable:
    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = dict((c, i) for i, c in enumerate(self.chars))
        self.indices_char = dict((i, c) for i, c in enumerate(self.chars))

    def encode(self, C, num_rows):
        x = np.zeros((num_rows, len(self.chars)))
        for i, c in enumerate(C):
            x[i, self.char_indices[c]] = 1
        return x

    def decode(self, x, calc_argmax=True):
        if calc_argmax:
            x = x.argmax(axis=-1)
        return "".join(self.indices_char[x] for x in x)


DIGITS, REVERSE = 1, True
MAXLEN = DIGITS + 1 + DIGITS
ctable = CharacterTable("0123456789+ ")
questions = ["%d+%d" % (a, b) for a in range(10) for b in range(10)]
answers = [str(sum(map(int, q.split("+")))).ljust(DIGITS + 1) for q in questions]
x = np.array([ctable.encode(q[::-1] if REVERSE else q, MAXLEN) for q in questions])
y = np.array([ctable.encode(a, DIGITS + 1) for a in answers])

model = Sequential()
model.add(layers.LSTM(64, input_shape=(MAXLEN, 12)))
model.add(layers.RepeatVector(DIGITS + 1))
for _ in range(1):
    model.add(layers.LSTM(64, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(12, activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()
print("SHAPE", model.output_shape, model.layers[1].output_shape)
for _ in range(2):
    model.fit(x, y, batch_size=10, epochs=30, verbose=0)
loss, acc = model.evaluate(x, y, verbose=0)
print("ACCURACY", acc)
preds = model.predict_classes(x[[34, 99]], verbose=0)
for i, guess in zip([34, 99], preds):
    print("Q", questions[i], "T", answers[i], "GUESS", ctable.decode(guess, calc_argmax=False))
