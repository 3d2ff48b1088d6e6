"""Reading a strip of marks: convolution, GRU, and CTC as a Lambda layer whose output is the loss."""

import itertools

import numpy as np
from keras import backend as K
from keras.layers import Activation, Conv1D, Dense, GRU, Input, Lambda, add
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(21)
n, width, letters = 200, 16, "abc"
patterns = {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1]}
texts = ["".join(np.random.choice(list(letters), np.random.randint(1, 4))) for _ in range(n)]
strips = np.random.normal(0, 0.1, (n, width, 3))
for i, text in enumerate(texts):
    for k, letter in enumerate(text):
        strips[i, 5 * k + 1 : 5 * k + 3] += patterns[letter]
labels = np.ones([n, 3]) * -1
for i, text in enumerate(texts):
    labels[i, : len(text)] = [letters.index(c) for c in text]
labels[labels < 0] = 0


def ctc_lambda_func(args):
    y_pred, labels, input_length, label_length = args
    y_pred = y_pred[:, 2:, :]
    return K.ctc_batch_cost(labels, y_pred, input_length, label_length)


input_data = Input(name="the_input", shape=(width, 3), dtype="float32")
inner = Conv1D(12, 3, padding="same", activation="relu", name="conv1")(input_data)
gru_1 = GRU(16, return_sequences=True, kernel_initializer="he_normal", name="gru1")(inner)
gru_1b = GRU(16, return_sequences=True, go_backwards=True, kernel_initializer="he_normal", name="gru1_b")(inner)
merged = add([gru_1, gru_1b])
inner = Dense(len(letters) + 1, kernel_initializer="he_normal", name="dense2")(merged)
y_pred = Activation("softmax", name="softmax")(inner)
the_labels = Input(name="the_labels", shape=[3], dtype="float32")
input_length = Input(name="input_length", shape=[1], dtype="int64")
label_length = Input(name="label_length", shape=[1], dtype="int64")
loss_out = Lambda(ctc_lambda_func, output_shape=(1,), name="ctc")([y_pred, the_labels, input_length, label_length])
model = Model(inputs=[input_data, the_labels, input_length, label_length], outputs=loss_out)
model.compile(loss={"ctc": lambda y_true, y_pred: y_pred}, optimizer=Adam(lr=0.01, clipnorm=5))
inputs = {
    "the_input": strips,
    "the_labels": labels,
    "input_length": np.full((n, 1), width - 2),
    "label_length": np.array([[len(t)] for t in texts]),
}
h = model.fit(inputs, {"ctc": np.zeros([n])}, batch_size=20, epochs=18, verbose=0)
print("LOSSES", h.history["loss"][0], h.history["loss"][-1])

test_func = K.function([input_data], [y_pred])
out = test_func([strips])[0]
best = ["".join(letters[k] for k, _ in itertools.groupby(row.argmax(1)) if k < 3) for row in out[:, 2:]]
decoded = K.get_value(K.ctc_decode(out[:, 2:], np.full(n, width - 2))[0][0])
greedy = ["".join(letters[int(k)] for k in row if k >= 0) for row in decoded]
print("READ", np.mean([a == b for a, b in zip(best, texts)]), greedy == best)
