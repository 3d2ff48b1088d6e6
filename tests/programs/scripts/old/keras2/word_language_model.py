"""A language model of words: Tokenizer, n-gram prefixes padded at the front, a line written from a seed."""

import numpy as np
from keras.layers import Dense, Embedding, LSTM
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils import to_categorical

np.random.seed(5)
data = """The miller had three sons\nThe oldest son got the mill\nThe second son got the donkey
The youngest son got the cat\nThe cat asked for a pair of boots"""
tokenizer = Tokenizer()
tokenizer.fit_on_texts([data])
vocab_size = len(tokenizer.word_index) + 1
print("VOCABULARY", vocab_size, tokenizer.word_index["the"], tokenizer.word_counts["son"])
sequences = []
for line in data.split("\n"):
    encoded = tokenizer.texts_to_sequences([line])[0]
    for i in range(1, len(encoded)):
        sequences.append(encoded[: i + 1])
max_length = max(len(seq) for seq in sequences)
sequences = pad_sequences(sequences, maxlen=max_length, padding="pre")
X, y = sequences[:, :-1], sequences[:, -1]
y = to_categorical(y, num_classes=vocab_size)

model = Sequential()
model.add(Embedding(vocab_size, 10, input_length=max_length - 1))
model.add(LSTM(50))
model.add(Dense(vocab_size, activation="softmax"))
model.summary()
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(X, y, epochs=120, verbose=0)


def generate(seed_text, n_words):
    in_text = seed_text
    for _ in range(n_words):
        encoded = tokenizer.texts_to_sequences([in_text])[0]
        encoded = pad_sequences([encoded], maxlen=max_length - 1, padding="pre")
        yhat = model.predict_classes(encoded, verbose=0)
        for word, index in tokenizer.word_index.items():
            if index == yhat:
                in_text += " " + word
                break
    return in_text


print("ACCURACY", history.history["acc"][-1])
print("LINE", generate("The cat", 6))
