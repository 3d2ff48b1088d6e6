"""A CNN for sentences with several widths of filters, on an embedding matrix that is given and frozen."""

import numpy as np
from keras.layers import Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D, Input, concatenate
from keras.models import Model
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

np.random.seed(14)
animals, tools = "cat dog horse cow goose".split(), "hammer saw drill wrench chisel".split()
other = "we saw one near the old barn that day with my brother".split()[2:]
labels = np.random.randint(0, 2, 300)
texts = [
    " ".join(np.random.permutation(list(np.random.choice(other, 8)) + [np.random.choice([animals, tools][k])]))
    for k in labels
]
tokenizer = Tokenizer(num_words=50)
tokenizer.fit_on_texts(texts)
data = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=12)
embeddings_index = {w: np.random.normal(size=10) for w in animals + tools + other}
num_words = min(50, len(tokenizer.word_index) + 1)
embedding_matrix = np.zeros((num_words, 10))
for word, i in tokenizer.word_index.items():
    embedding_matrix[i] = embeddings_index[word]

sequence_input = Input(shape=(12,), dtype="int32")
embedding_layer = Embedding(num_words, 10, weights=[embedding_matrix], input_length=12, trainable=False)
embedded = embedding_layer(sequence_input)
pooled = [GlobalMaxPooling1D()(Conv1D(12, size, activation="relu")(embedded)) for size in (2, 3, 4)]
x = Dropout(0.2)(concatenate(pooled))
preds = Dense(2, activation="softmax")(x)
model = Model(sequence_input, preds)
model.compile(loss="sparse_categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
h = model.fit(data, labels, batch_size=16, epochs=25, validation_split=0.2, verbose=0)
print("ACCURACY", h.history["acc"][-1], h.history["val_acc"][-1])
print("FROZEN", np.allclose(embedding_layer.get_weights()[0], embedding_matrix), len(model.trainable_weights))
print("MATRIX", tokenizer.texts_to_matrix(["cat cat dog"], mode="count").sum(), tokenizer.document_count)
