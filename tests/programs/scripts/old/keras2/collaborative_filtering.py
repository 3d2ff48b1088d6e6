"""Recommendation by matrix factors: Embeddings of users and items, their dot product, biases added."""

import numpy as np
from keras.layers import Add, Dot, Embedding, Flatten, Input, Lambda
from keras.models import Model
from keras.optimizers import Adam
from keras.regularizers import l2

np.random.seed(19)
n_users, n_items, n_factors = 30, 20, 3
truth = (
    3
    + np.random.normal(0, 0.5, (n_users, 1))
    + np.random.normal(size=(n_users, 2)).dot(np.random.normal(size=(2, n_items)))
)
users, items = [a.ravel() for a in np.mgrid[:n_users, :n_items]]
ratings = truth[users, items]
train = np.random.rand(len(users)) < 0.8

user = Input(shape=(1,), name="user")
u = Flatten()(Embedding(n_users, n_factors, embeddings_initializer="he_normal", embeddings_regularizer=l2(1e-6))(user))
ub = Flatten()(Embedding(n_users, 1)(user))
item = Input(shape=(1,), name="item")
m = Flatten()(Embedding(n_items, n_factors, embeddings_initializer="he_normal", embeddings_regularizer=l2(1e-6))(item))
mb = Flatten()(Embedding(n_items, 1)(item))
x = Dot(axes=1)([u, m])
x = Add()([x, ub, mb])
x = Lambda(lambda x: x + 3.0)(x)
model = Model(inputs=[user, item], outputs=x)
model.compile(loss="mean_squared_error", optimizer=Adam(lr=0.02))
h = model.fit(
    [users[train], items[train]],
    ratings[train],
    batch_size=32,
    epochs=30,
    verbose=0,
    validation_data=([users[~train], items[~train]], ratings[~train]),
)
print("LOSSES", h.history["loss"][0], h.history["loss"][-1], h.history["val_loss"][-1])
factors = model.layers[2].get_weights()[0]
p = model.predict([np.array([4]), np.array([7])])
print("SHAPES", factors.shape in [(n_users, n_factors), (n_items, n_factors)], p.shape, model.output_shape)
