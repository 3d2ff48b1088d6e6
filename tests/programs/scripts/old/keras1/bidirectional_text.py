"""Text in Keras 1: one_hot, pad_sequences, a Bidirectional LSTM merged by sum, callbacks, model to JSON and weights."""

import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.layers import Dense, Embedding, LSTM, Bidirectional, Dropout
from keras.models import Sequential, model_from_json
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import one_hot, text_to_word_sequence

np.random.seed(11)
good, bad = "great lovely bright kind warm".split(), "awful dull cold cruel grey".split()
filler = "the film was a story about my house and her dog".split()
docs, labels = [], np.random.randint(0, 2, 240)
for label in labels:
    words = list(np.random.choice(filler, 6)) + [np.random.choice(good if label else bad)]
    np.random.shuffle(words)
    docs.append(" ".join(words) + ".")
print("WORDS", text_to_word_sequence("The film, it was GREAT!"))
encoded = [one_hot(d, 500) for d in docs]
padded = pad_sequences(encoded, maxlen=8, padding="post")
print("PADDED", padded.shape, padded[0, -1])

model = Sequential()
model.add(Embedding(500, 16, input_length=8, dropout=0.0))
model.add(Bidirectional(LSTM(8), merge_mode="sum"))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
checkpoint = ModelCheckpoint("weights.best.hdf5", monitor="val_acc", verbose=0, save_best_only=True, mode="max")
stop = EarlyStopping(monitor="val_loss", patience=3, verbose=1)
h = model.fit(padded, labels, nb_epoch=15, validation_split=0.25, verbose=0, callbacks=[checkpoint, stop])
print("ACCURACY", h.history["acc"][-1])
open("model.json", "w").write(model.to_json())
loaded = model_from_json(open("model.json").read())
loaded.load_weights("weights.best.hdf5")
loaded.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
score = loaded.evaluate(padded[180:], labels[180:], verbose=0)
print("BEST", abs(score[1] - max(h.history["val_acc"])) < 1e-5, loaded.metrics_names)
