"""An attention layer of the user's own with a mask, and a model that is loaded with it."""

import numpy as np
from keras import backend as K
from keras import constraints, initializers, regularizers
from keras.engine import InputSpec, Layer
from keras.layers import Bidirectional, Dense, Embedding, GRU, Masking  # noqa: F401
from keras.models import Sequential, load_model
from keras.utils import CustomObjectScope

np.random.seed(41)


class Attention(Layer):
    def __init__(self, step_dim, W_regularizer=None, W_constraint=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get("glorot_uniform")
        self.W_regularizer = regularizers.get(W_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.bias, self.step_dim, self.features_dim = bias, step_dim, 0
        super(Attention, self).__init__(**kwargs)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            shape=(input_shape[-1],),
            initializer=self.init,
            name="{}_W".format(self.name),
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )
        self.features_dim = input_shape[-1]
        self.b = self.add_weight(shape=(input_shape[1],), initializer="zero", name="{}_b".format(self.name))
        self.built = True

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        eij = K.reshape(
            K.dot(K.reshape(x, (-1, self.features_dim)), K.reshape(self.W, (self.features_dim, 1))), (-1, self.step_dim)
        )
        eij += self.b
        a = K.exp(K.tanh(eij))
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.features_dim

    def get_config(self):
        return dict(super(Attention, self).get_config(), step_dim=self.step_dim, bias=self.bias)


X = np.random.randint(2, 20, (300, 8))
X[:, 6:] = 0
y = np.random.randint(0, 2, 300)
X[y == 1, 3] = 1
model = Sequential()
model.add(Embedding(20, 10, input_length=8, mask_zero=True))
model.add(Bidirectional(GRU(8, return_sequences=True)))
model.add(Attention(8, W_regularizer="l2", W_constraint=constraints.max_norm(3), name="attention"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
h = model.fit(X, y, epochs=12, batch_size=20, verbose=0)
print("ACCURACY", h.history["acc"][-1], model.layers[1].output_shape, model.layers[2].output_shape)
changed = X.copy()
model.save("att.h5")
with CustomObjectScope({"Attention": Attention}):
    again = load_model("att.h5")
print("SAME", np.abs(again.predict(X) - model.predict(X)).max() < 1e-6, again.get_layer("attention").step_dim)
