"""Two branches in Keras 1: Merge of two Sequentials, merge() with every mode, a shared layer; checked with numbers."""

import numpy as np
from keras.engine import Input, Model, merge
from keras.layers import Activation, Dense, Merge
from keras.models import Sequential

np.random.seed(0)
left = Sequential()
left.add(Dense(8, input_dim=4))
left.add(Activation("relu"))
right = Sequential()
right.add(Dense(8, input_dim=6))
right.add(Activation("relu"))
decoder = Sequential()
decoder.add(Merge([left, right], mode="concat"))
decoder.add(Dense(1, activation="sigmoid"))
decoder.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
X1, X2 = np.random.random((400, 4)), np.random.random((400, 6))
y = (X1.sum(1) > X2.sum(1) * 4 / 6).astype("int32")
h = decoder.fit([X1, X2], y, batch_size=16, nb_epoch=15, validation_split=0.2, verbose=0)
print("ACCURACY", h.history["acc"][-1], len(decoder.layers), decoder.layers[0].output_shape)

a, b = Input(shape=(3,)), Input(shape=(3,))
modes = ["sum", "mul", "ave", "max", "concat", "dot", "cos"]
outs = [merge([a, b], mode=m, concat_axis=-1, dot_axes=1) for m in modes]
lam = merge([a, b], mode=lambda x: x[0] - 2 * x[1], output_shape=lambda shapes: shapes[0])
net = Model(input=[a, b], output=outs + [lam])
u, v = np.array([[1.0, 2.0, 3.0]]), np.array([[3.0, -1.0, 0.5]])
for mode, value in zip(modes + ["lambda"], net.predict([u, v])):
    print("MODE", mode, np.round(value, 4).ravel().tolist())

shared = Dense(2, activation="tanh")
x, z = Input(shape=(5,)), Input(shape=(5,))
both = Model(input=[x, z], output=merge([shared(x), shared(z)], mode="concat"))
print("SHARED", len(both.trainable_weights), shared.get_output_shape_at(1), both.output_shape)
