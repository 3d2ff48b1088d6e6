"""One body, three heads: losses and weights by name, logs of each head, an auxiliary input."""

import numpy as np
from keras.layers import Conv1D, Dense, Embedding, GlobalMaxPooling1D, Input, concatenate
from keras.models import Model

np.random.seed(31)
posts = np.random.randint(0, 30, (200, 12))
extra = np.random.random((200, 2))
age = posts.mean(1, keepdims=True) / 30 + extra[:, :1]
income = np.eye(3)[(posts.max(1) % 3)]
gender = (posts[:, 0] > 14).astype("float32")

posts_input = Input(shape=(None,), dtype="int32", name="posts")
x = Conv1D(16, 3, activation="relu")(Embedding(30, 8)(posts_input))
x = GlobalMaxPooling1D()(x)
extra_input = Input(shape=(2,), name="extra")
x = Dense(16, activation="relu")(concatenate([x, extra_input]))
age_prediction = Dense(1, name="age")(x)
income_prediction = Dense(3, activation="softmax", name="income")(x)
gender_prediction = Dense(1, activation="sigmoid", name="gender")(x)
model = Model([posts_input, extra_input], [age_prediction, income_prediction, gender_prediction])
losses = {"age": "mse", "income": "categorical_crossentropy", "gender": "binary_crossentropy"}
weights = {"age": 0.25, "income": 1.0, "gender": 10.0}
model.compile(optimizer="rmsprop", loss=losses, loss_weights=weights, metrics={"gender": "accuracy", "age": "mae"})
print("NAMES", model.metrics_names)
h = model.fit([posts, extra], {"age": age, "income": income, "gender": gender}, epochs=10, batch_size=20, verbose=0)
print("LOSSES", h.history["loss"][0], h.history["loss"][-1])
e = dict(zip(model.metrics_names, model.evaluate([posts, extra], [age, income, gender], verbose=0)))
print("SUM", abs(e["loss"] - 0.25 * e["age_loss"] - e["income_loss"] - 10 * e["gender_loss"]) < 1e-3)
print("HISTORY", sorted(h.history))
