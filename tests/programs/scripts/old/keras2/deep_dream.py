"""Deep dream: gradient ascent on the activations of chosen layers, over octaves, with K.gradients and K.function."""

import numpy as np
import scipy.ndimage
from keras import backend as K
from keras.layers import Conv2D, Input, MaxPooling2D
from keras.models import Model

np.random.seed(0)
K.set_learning_phase(0)
inp = Input((None, None, 3))
x = Conv2D(6, 3, activation="relu", padding="same", name="mixed1")(inp)
x = MaxPooling2D()(x)
x = Conv2D(6, 3, activation="relu", padding="same", name="mixed2")(x)
model = Model(inp, x)
dream = model.input
settings = {"features": {"mixed1": 0.2, "mixed2": 2.0}}
layer_dict = dict([(layer.name, layer) for layer in model.layers])

loss = K.variable(0.0)
for layer_name in settings["features"]:
    coeff = settings["features"][layer_name]
    x = layer_dict[layer_name].output
    scaling = K.prod(K.cast(K.shape(x), "float32"))
    if K.image_data_format() == "channels_first":
        loss += coeff * K.sum(K.square(x[:, :, 2:-2, 2:-2])) / scaling
    else:
        loss += coeff * K.sum(K.square(x[:, 2:-2, 2:-2, :])) / scaling
grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
fetch_loss_and_grads = K.function([dream], [loss, grads])


def gradient_ascent(x, iterations, step, max_loss=None):
    for _ in range(iterations):
        loss_value, grad_values = fetch_loss_and_grads([x])
        if max_loss is not None and loss_value > max_loss:
            break
        x = x + step * grad_values
    return x, loss_value


def resize(img, size):
    factors = (1, float(size[0]) / img.shape[1], float(size[1]) / img.shape[2], 1)
    return scipy.ndimage.zoom(img, factors, order=1)


img = np.random.uniform(-1, 1, (1, 28, 20, 3))
first = fetch_loss_and_grads([img])
print("UNIT", abs(np.abs(first[1]).mean() - 1) < 1e-3, first[1].shape)
for shape in [(14, 10), (20, 14), (28, 20)]:
    img, last = gradient_ascent(resize(img, shape), 10, 0.05, max_loss=500.0)
print("LOSSES", float(first[0]), float(last), img.shape)
