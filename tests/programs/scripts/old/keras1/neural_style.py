"""Neural style in Keras 1: an image that is optimized by L-BFGS for the gradients of a loss between activations."""

import numpy as np
from keras import backend as K
from keras.layers import Convolution2D, Input, MaxPooling2D
from keras.models import Model
from scipy.optimize import fmin_l_bfgs_b

np.random.seed(0)
img_nrows = img_ncols = 16
rows, cols = np.mgrid[:16, :16] / 16.0
base_image = K.variable(np.stack([rows, cols, rows * cols], -1)[None])
style_image = K.variable(np.stack([np.sin(12 * rows)] * 3, -1)[None])
combination_image = K.placeholder((1, img_nrows, img_ncols, 3))
input_tensor = K.concatenate([base_image, style_image, combination_image], axis=0)

img_input = Input(tensor=input_tensor, shape=(16, 16, 3))
x = Convolution2D(8, 3, 3, activation="relu", border_mode="same", name="block1_conv1")(img_input)
x = MaxPooling2D((2, 2), name="block1_pool")(x)
x = Convolution2D(8, 3, 3, activation="relu", border_mode="same", name="block2_conv1")(x)
model = Model(img_input, x)
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    return K.sum(K.square(gram_matrix(style) - gram_matrix(combination))) / (4.0 * 9 * (16 * 16) ** 2)


def total_variation_loss(x):
    a = K.square(x[:, : img_nrows - 1, : img_ncols - 1, :] - x[:, 1:, : img_ncols - 1, :])
    b = K.square(x[:, : img_nrows - 1, : img_ncols - 1, :] - x[:, : img_nrows - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
layer_features = outputs_dict["block2_conv1"]
loss += 0.5 * K.sum(K.square(layer_features[2, :, :, :] - layer_features[0, :, :, :]))
for layer_name in ["block1_conv1", "block2_conv1"]:
    layer_features = outputs_dict[layer_name]
    loss += 50.0 * style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
loss += 0.01 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
outputs = [loss]
if type(grads) in {list, tuple}:
    outputs += grads
else:
    outputs.append(grads)
f_outputs = K.function([combination_image], outputs)


class Evaluator(object):
    def __init__(self):
        self.loss_value = self.grads_values = None

    def loss(self, x):
        outs = f_outputs([x.reshape((1, img_nrows, img_ncols, 3))])
        self.loss_value, self.grad_values = outs[0], outs[1].flatten().astype("float64")
        return self.loss_value

    def grads(self, x):
        return np.copy(self.grad_values)


evaluator = Evaluator()
x = np.random.uniform(0, 1, (1, img_nrows, img_ncols, 3))
start = evaluator.loss(x)
for _ in range(3):
    x, min_val, info = fmin_l_bfgs_b(evaluator.loss, x.flatten(), fprime=evaluator.grads, maxfun=20)
print("LOSSES", float(start), float(min_val))
print("SHAPES", x.shape, K.int_shape(layer_features))
