"""What a filter looks for: ascent from noise on the mean of its activation; and activations of inner layers."""

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Model, Sequential

np.random.seed(8)
model = Sequential()
model.add(Conv2D(4, (3, 3), activation="relu", input_shape=(10, 10, 1), name="conv_a"))
model.add(MaxPooling2D((2, 2)))
model.add(Conv2D(4, (3, 3), activation="linear", name="conv_b"))
model.add(Flatten())
model.add(Dropout(0.5))
model.add(Dense(2))
input_img = model.layers[0].input
layer_dict = dict([(layer.name, layer) for layer in model.layers])


def normalize(x):
    return x / (K.sqrt(K.mean(K.square(x))) + 1e-5)


gains = []
for filter_index in range(2):
    layer_output = layer_dict["conv_b"].output
    loss = K.mean(layer_output[:, :, :, filter_index])
    grads = normalize(K.gradients(loss, input_img)[0])
    iterate = K.function([input_img], [loss, grads])
    data = np.random.random((1, 10, 10, 1))
    start = iterate([data])[0]
    for _ in range(20):
        loss_value, grads_value = iterate([data])
        data += grads_value * 0.2
    gains.append(float(loss_value - start))
print("GAINS", gains)

get_activations = K.function(
    [model.layers[0].input, K.learning_phase()], [model.layers[1].output, model.layers[4].output]
)
pictures = np.random.random((2, 10, 10, 1))
pooled, dropped = get_activations([pictures, 0])
_, training = get_activations([pictures, 1])
print("PHASES", pooled.shape, (dropped == 0).mean() < 0.2, (training == 0).mean() > 0.3)
outputs = [layer.output for layer in model.layers]
activations = Model(inputs=model.input, outputs=outputs).predict(pictures)
print("LAYERS", [a.shape for a in activations], np.allclose(activations[1], pooled, atol=1e-5))
