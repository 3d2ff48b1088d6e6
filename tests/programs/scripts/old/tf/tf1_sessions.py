"""tf.keras of TensorFlow 1.x: functional model, tf.train optimizer, lr argument, a session set up, JSON and HDF5."""

import numpy as np
import tensorflow as tf
from tensorflow.python.keras import backend as K
from tensorflow.python.keras.layers import Concatenate, Dense, Input, LSTM
from tensorflow.python.keras.models import Model, load_model, model_from_json

config = tf.ConfigProto()
config.gpu_options.allow_growth = True
K.set_session(tf.Session(config=config))
np.random.seed(0)
seq, flat = np.random.normal(size=(200, 5, 2)), np.random.normal(size=(200, 3))
y = ((seq.sum((1, 2)) + flat.sum(1)) > 0).astype("float32")
a, b = Input(shape=(5, 2), name="seq"), Input(shape=(3,), name="flat")
h = Concatenate()([LSTM(8)(a), Dense(8, activation=tf.keras.activations.tanh)(b)])
out = Dense(1, activation="sigmoid")(h)
model = Model(inputs=[a, b], outputs=out)
model.compile(optimizer=tf.train.AdamOptimizer(0.02), loss="binary_crossentropy", metrics=["accuracy"])
hist = model.fit({"seq": seq, "flat": flat}, y, epochs=10, batch_size=16, verbose=0)
print("LOSSES", hist.history["loss"][0], hist.history["loss"][-1])
model.compile(optimizer=tf.keras.optimizers.RMSprop(lr=0.001), loss="binary_crossentropy")
model.save("m.h5")
back = load_model("m.h5")
clone = model_from_json(model.to_json())
clone.set_weights(model.get_weights())
p = model.predict([seq, flat])
print("SAME", np.allclose(back.predict([seq, flat]), p, atol=1e-6))
print("CLONE", np.allclose(clone.predict([seq, flat]), p, atol=1e-6), round(float(K.get_value(back.optimizer.lr)), 6))
