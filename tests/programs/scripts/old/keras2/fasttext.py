"""FastText: words and n-grams of words as one bag, Embedding, GlobalAveragePooling1D and one Dense."""

import numpy as np
from keras.layers import Dense, Embedding, GlobalAveragePooling1D
from keras.models import Sequential
from keras.preprocessing import sequence

np.random.seed(4)


def create_ngram_set(input_list, ngram_value=2):
    return set(zip(*[input_list[i:] for i in range(ngram_value)]))


def add_ngram(sequences, token_indice, ngram_range=2):
    new_sequences = []
    for input_list in sequences:
        new_list = input_list[:]
        for ngram_value in range(2, ngram_range + 1):
            for i in range(len(new_list) - ngram_value + 1):
                ngram = tuple(new_list[i : i + ngram_value])
                if ngram in token_indice:
                    new_list.append(token_indice[ngram])
        new_sequences.append(new_list)
    return new_sequences


# The class is in the order of two words, which a bag of words alone cannot tell.
y = np.random.randint(0, 2, 600)
X = []
for label in y:
    words = list(np.random.randint(3, 20, 6))
    at = np.random.randint(0, 6)
    X.append(words[:at] + ([1, 2] if label else [2, 1]) + words[at:])
max_features, maxlen = 20, 16
print("NGRAMS", sorted(create_ngram_set([1, 4, 9, 4, 1, 4], ngram_value=2)))
ngram_set = set()
for input_list in X:
    ngram_set.update(create_ngram_set(input_list))
token_indice = {v: k + max_features for k, v in enumerate(sorted(ngram_set))}
max_features = max(token_indice.values()) + 1
X = sequence.pad_sequences(add_ngram([list(x) for x in X], token_indice), maxlen=maxlen)

model = Sequential()
model.add(Embedding(max_features, 20, input_length=maxlen))
model.add(GlobalAveragePooling1D())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
h = model.fit(X[:500], y[:500], batch_size=16, epochs=25, verbose=0, validation_data=(X[500:], y[500:]))
print("ACCURACY", h.history["val_acc"][-1])
