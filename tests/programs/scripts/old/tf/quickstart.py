"""tf.keras as TensorFlow's tutorials have it: Flatten, Dense, a loss object, evaluate, a Softmax on top."""

import numpy as np
import tensorflow as tf

mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train[:3000] / 255.0, x_test[:500] / 255.0
model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(28, 28)),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10),
    ]
)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
predictions = model(x_train[:1]).numpy()
print("FIRST", predictions.shape, float(loss_fn(y_train[:1], predictions)) > 0)
model.compile(optimizer="adam", loss=loss_fn, metrics=["accuracy"])
early = tf.keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True)
h = model.fit(x_train, y_train[:3000], epochs=3, validation_split=0.1, callbacks=[early])
loss, acc = model.evaluate(x_test, y_test[:500], verbose=2)
print("ACCURACY", acc, sorted(h.history))
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
p = np.array(probability_model(x_test[:5]))
print("PROBABILITIES", p.shape, np.allclose(p.sum(1), 1, atol=1e-5))
print("CONFIG", [layer["class_name"] for layer in model.get_config()["layers"]])
