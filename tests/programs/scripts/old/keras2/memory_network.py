"""A memory network for questions about a story: dot of embeddings, softmax, Permute, concatenate, LSTM."""

import re
from functools import reduce

import numpy as np
from keras.layers import Activation, Dense, Dropout, Embedding, Input, LSTM, Permute, add, concatenate, dot
from keras.models import Model, Sequential
from keras.preprocessing.sequence import pad_sequences

np.random.seed(9)
people, places = ["Mary", "John"], ["garden", "kitchen", "office"]


def tokenize(sent):
    return [x.strip() for x in re.split(r"(\W+)", sent) if x.strip()]


def make_story():
    where, story = {}, []
    for person in [people[i] for i in np.random.permutation(2)]:
        where[person] = places[np.random.randint(3)]
        story += tokenize("%s went to the %s." % (person, where[person]))
    asked = people[np.random.randint(2)]
    return story, tokenize("Where is %s?" % asked), where[asked]


stories = [make_story() for _ in range(300)]
vocab = sorted(reduce(lambda x, y: x | y, (set(story + q + [answer]) for story, q, answer in stories)))
vocab_size = len(vocab) + 1
word_idx = dict((c, i + 1) for i, c in enumerate(vocab))
story_maxlen = max(map(len, (x for x, _, _ in stories)))
query_maxlen = max(map(len, (x for _, x, _ in stories)))
inputs = pad_sequences([[word_idx[w] for w in s] for s, _, _ in stories], maxlen=story_maxlen)
queries = pad_sequences([[word_idx[w] for w in q] for _, q, _ in stories], maxlen=query_maxlen)
answers = np.array([word_idx[a] for _, _, a in stories])
print("VOCABULARY", vocab_size, story_maxlen, query_maxlen)

input_sequence = Input((story_maxlen,))
question = Input((query_maxlen,))
input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=vocab_size, output_dim=32))
input_encoder_m.add(Dropout(0.1))
input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=vocab_size, output_dim=query_maxlen))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=vocab_size, output_dim=32, input_length=query_maxlen))
input_encoded_m = input_encoder_m(input_sequence)
input_encoded_c = input_encoder_c(input_sequence)
question_encoded = question_encoder(question)
match = dot([input_encoded_m, question_encoded], axes=(2, 2))
match = Activation("softmax")(match)
response = add([match, input_encoded_c])
response = Permute((2, 1))(response)
answer = concatenate([response, question_encoded])
print("ANSWER", answer.shape, answer._keras_shape)
answer = LSTM(32)(answer)
answer = Dense(vocab_size)(answer)
answer = Activation("softmax")(answer)
model = Model([input_sequence, question], answer)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
h = model.fit([inputs, queries], answers, batch_size=32, epochs=25, verbose=0, validation_split=0.1)
print("ACCURACY", h.history["acc"][0], h.history["acc"][-1])
