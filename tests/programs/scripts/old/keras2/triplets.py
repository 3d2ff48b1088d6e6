"""Triplets: three inputs through one embedding, a loss that ignores its targets, the embedding used alone."""

import keras.backend as K
import numpy as np
from keras.layers import Dense, Input, Lambda, concatenate
from keras.models import Model

np.random.seed(7)
centers = np.random.normal(size=(4, 20)) * 2
labels = np.random.randint(0, 4, 300)
data = centers[labels] + np.random.normal(size=(300, 20))


def make_triplets(n):
    anchors, positives, negatives = [], [], []
    for _ in range(n):
        a = np.random.randint(300)
        p = np.random.choice(np.where(labels == labels[a])[0])
        n_ = np.random.choice(np.where(labels != labels[a])[0])
        anchors.append(data[a]), positives.append(data[p]), negatives.append(data[n_])
    return [np.array(anchors), np.array(positives), np.array(negatives)]


def base_network():
    inp = Input(shape=(20,))
    h = Dense(16, activation="relu")(inp)
    out = Dense(8)(h)
    out = Lambda(lambda t: K.l2_normalize(t, axis=1), name="normalized")(out)
    return Model(inp, out, name="embedding")


def triplet_loss(y_true, y_pred, alpha=0.4):
    total = y_pred.shape.as_list()[-1]
    anchor, positive, negative = (
        y_pred[:, 0 : total // 3],
        y_pred[:, total // 3 : 2 * total // 3],
        y_pred[:, 2 * total // 3 :],
    )
    pos_dist = K.sum(K.square(anchor - positive), axis=1)
    neg_dist = K.sum(K.square(anchor - negative), axis=1)
    return K.maximum(pos_dist - neg_dist + alpha, 0.0)


embedding = base_network()
inputs = [Input(shape=(20,), name=n) for n in ("anchor", "positive", "negative")]
merged = concatenate([embedding(i) for i in inputs], axis=-1, name="merged")
model = Model(inputs=inputs, outputs=merged)
model.compile(optimizer="adam", loss=triplet_loss)
h = model.fit(make_triplets(400), np.empty((400, 24)), epochs=12, verbose=0)
print("LOSS", h.history["loss"][0], h.history["loss"][-1])

trained = model.get_layer("embedding")
e = trained.predict(data)
print("NORMS", np.allclose(np.sum(e**2, axis=1), 1, atol=1e-5), e.shape)
nearest = np.argsort(-e.dot(e.T), axis=1)[:, 1]
print("NEAREST", np.mean(labels[nearest] == labels))
