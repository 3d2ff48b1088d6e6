"""A layer of the user's own in Keras 1: build with add_weight, call with mask, get_output_shape_for; used and saved."""

import numpy as np
from keras import backend as K
from keras import initializations
from keras.engine.topology import Layer
from keras.layers import Embedding, LSTM, Dense
from keras.models import Sequential, load_model

np.random.seed(6)


class AttentionWithContext(Layer):
    def __init__(self, **kwargs):
        self.supports_masking = True
        self.init = initializations.get("glorot_uniform")
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            (input_shape[-1], input_shape[-1]), initializer=self.init, name="{}_W".format(self.name)
        )
        self.u = self.add_weight((input_shape[-1], 1), initializer=self.init, name="{}_u".format(self.name))
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        uit = K.tanh(K.dot(x, self.W))
        ait = K.squeeze(K.dot(uit, self.u), -1)
        a = K.exp(ait)
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        a = K.expand_dims(a)
        return K.sum(x * a, axis=1)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], input_shape[-1])


X = np.random.randint(2, 20, (300, 10))
X[:, :4] = 0
where = np.random.randint(4, 10, 300)
y = np.random.randint(0, 2, 300)
X[np.arange(300), where] = np.where(y, 1, X[np.arange(300), where])

model = Sequential()
model.add(Embedding(20, 12, input_length=10, mask_zero=True))
model.add(LSTM(12, return_sequences=True))
model.add(AttentionWithContext())
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
print("SHAPES", model.layers[1].output_shape, model.layers[2].output_shape, [w.name for w in model.layers[2].weights])
h = model.fit(X, y, nb_epoch=15, batch_size=16, verbose=0)
print("ACCURACY", h.history["acc"][-1])
model.save("attention.h5")
again = load_model("attention.h5", custom_objects={"AttentionWithContext": AttentionWithContext})
print("SAME", np.abs(again.predict(X) - model.predict(X)).max() < 1e-6)
