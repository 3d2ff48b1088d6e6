"""Transfer learning: bottleneck features, a popped classifier, a frozen base with a new top, then fine-tuning."""

import numpy as np
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Model, Sequential
from keras.optimizers import SGD

np.random.seed(17)
angle = np.random.randint(0, 4, 400)
rows, cols = np.mgrid[:12, :12]
waves = np.stack([np.sin(rows), np.sin(cols), np.sin(rows + cols), np.sin(rows - cols)])
X = (waves[angle] + np.random.normal(0, 0.5, (400, 12, 12)))[..., None]

source = Sequential()
source.add(Conv2D(8, (3, 3), activation="relu", input_shape=(12, 12, 1), name="block1_conv1"))
source.add(MaxPooling2D((2, 2), name="block1_pool"))
source.add(Flatten(name="flatten"))
source.add(Dense(4, activation="softmax", name="predictions"))
source.compile("adam", "sparse_categorical_crossentropy")
source.fit(X[:300], angle[:300], epochs=8, verbose=0)
source.save_weights("source.h5")

source.layers.pop()  # as programs of the time did it; the features are taken by name
features = Model(inputs=source.input, outputs=source.get_layer("flatten").output)
y = (angle >= 2).astype(int)  # the new task: diagonal or not
np.save("bottleneck.npy", features.predict(X[:300]))
train_data = np.load("bottleneck.npy")
top_model = Sequential()
top_model.add(Dense(16, activation="relu", input_shape=train_data.shape[1:]))
top_model.add(Dropout(0.3))
top_model.add(Dense(1, activation="sigmoid"))
top_model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
h = top_model.fit(train_data, y[:300], epochs=8, batch_size=16, verbose=0)
top_model.save_weights("bottleneck_fc_model.h5")
print("BOTTLENECK", h.history["acc"][-1], train_data.shape)

model = Model(inputs=features.input, outputs=top_model(features.output))
for layer in model.layers[:-1]:
    layer.trainable = False
model.compile(loss="binary_crossentropy", optimizer=SGD(lr=1e-3, momentum=0.9), metrics=["accuracy"])
before = features.get_layer("block1_conv1").get_weights()[0]
model.fit(X[:300], y[:300], epochs=1, verbose=0)
print("FROZEN", np.allclose(before, features.layers[1].get_weights()[0]), len(model.trainable_weights))
for layer in model.layers:
    layer.trainable = True
model.compile(loss="binary_crossentropy", optimizer=SGD(lr=1e-3, momentum=0.9), metrics=["accuracy"])
model.fit(X[:300], y[:300], epochs=1, verbose=0)
print("TUNED", not np.allclose(before, features.layers[1].get_weights()[0]), len(model.trainable_weights))
print("ACCURACY", model.evaluate(X[300:], y[300:], verbose=0)[1])
