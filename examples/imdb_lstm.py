"""Sentiment of film reviews with an LSTM: the program that most books begin recurrent networks with."""

import numpy
from keras.datasets import imdb
from keras.layers import LSTM, Dense, Embedding
from keras.models import Sequential
from keras.preprocessing import sequence

numpy.random.seed(7)
words, length = 5000, 500
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=words)
x_train = sequence.pad_sequences(x_train, maxlen=length)
x_test = sequence.pad_sequences(x_test, maxlen=length)

model = Sequential()
model.add(Embedding(words, 32, input_length=length))
model.add(LSTM(100))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
print(model.summary())
model.fit(x_train, y_train, validation_data=(x_test, y_test), num_epochs=3, batch_size=64)
scores = model.evaluate(x_test, y_test, verbose=0)
print("Accuracy: %.2f%%" % (scores[1] * 100))
