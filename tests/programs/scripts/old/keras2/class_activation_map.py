"""Where a CNN looks: Grad-CAM with K.gradients, and a map from the weights after average pooling."""

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Dense, GlobalAveragePooling2D
from keras.models import Sequential

np.random.seed(13)
y = np.random.randint(0, 2, 200)
X = np.random.normal(0, 0.1, (200, 12, 12, 1))
corner = np.where(np.random.rand(200) < 0.5, 1, 7)
for i in range(200):
    square = X[i, corner[i] : corner[i] + 4, 2:6, 0]
    square += 1.0 if y[i] else np.indices((4, 4)).sum(0) % 2
model = Sequential(
    [
        Conv2D(8, 3, activation="relu", padding="same", input_shape=(12, 12, 1)),
        Conv2D(8, 3, activation="relu", padding="same", name="last_conv"),
        GlobalAveragePooling2D(),
        Dense(2, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.optimizer.lr = 0.01
h = model.fit(X, y, epochs=25, verbose=0)
print("ACCURACY", h.history["acc"][-1], K.get_value(model.optimizer.lr))

i = int(np.where(y == 1)[0][0])
output = model.output[:, 1]
last_conv_layer = model.get_layer("last_conv")
grads = K.gradients(output, last_conv_layer.output)[0]
pooled_grads = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])
pooled_grads_value, conv_layer_output_value = iterate([X[i : i + 1]])
for c in range(8):
    conv_layer_output_value[:, :, c] *= pooled_grads_value[c]
heatmap = np.maximum(np.mean(conv_layer_output_value, axis=-1), 0)
heatmap /= np.max(heatmap)
row, col = np.unravel_index(heatmap.argmax(), heatmap.shape)
print("HOT", corner[i] - 1 <= row <= corner[i] + 4 and 1 <= col <= 6)
class_weights = model.layers[-1].get_weights()[0]
get_output = K.function([model.layers[0].input], [model.layers[-3].output, model.layers[-1].output])
conv_outputs, predictions = get_output([X[i : i + 1]])
cam = conv_outputs[0].dot(class_weights[:, 1])
print("SHAPES", cam.shape, predictions.shape, predictions[0].argmax() == 1)
