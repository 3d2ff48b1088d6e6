"""Blocks of Inception and ResNet with the functional API, several GPUs where there are any, a picture of the model."""

import keras
import numpy as np
from keras import layers
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D
from keras.models import Model
from keras.utils import multi_gpu_model

np.random.seed(9)


def conv2d_bn(x, filters, num_row, num_col, padding="same", strides=(1, 1), name=None):
    bn_name = name + "_bn" if name is not None else None
    conv_name = name + "_conv" if name is not None else None
    x = Conv2D(filters, (num_row, num_col), strides=strides, padding=padding, use_bias=False, name=conv_name)(x)
    x = BatchNormalization(axis=3, scale=False, name=bn_name)(x)
    return Activation("relu", name=name)(x)


def inception(x):
    branch1x1 = conv2d_bn(x, 4, 1, 1)
    branch3x3 = conv2d_bn(conv2d_bn(x, 4, 1, 1), 4, 3, 3)
    branch7 = conv2d_bn(conv2d_bn(x, 4, 1, 7), 4, 7, 1)
    branch_pool = conv2d_bn(MaxPooling2D((3, 3), strides=(1, 1), padding="same")(x), 4, 1, 1)
    return layers.concatenate([branch1x1, branch3x3, branch7, branch_pool], axis=3, name="mixed0")


def identity_block(input_tensor, filters):
    x = conv2d_bn(input_tensor, filters, 3, 3, name="res2a")
    x = Conv2D(filters, (3, 3), padding="same", kernel_initializer="he_normal")(x)
    x = BatchNormalization()(x)
    x = layers.add([x, input_tensor])
    return Activation("relu")(x)


y = np.random.randint(0, 2, 128)
X = np.random.normal(0, 0.5, (128, 10, 10, 1))
X[y == 1, 4:6] += 1.5
inputs = Input(shape=(10, 10, 1))
x = identity_block(inception(inputs), 16)
outputs = Dense(2, activation="softmax")(GlobalAveragePooling2D()(x))
model = Model(inputs, outputs, name="inception_resnet")
try:
    parallel_model = multi_gpu_model(model, gpus=2)
except ValueError as e:
    print("GPUS", type(e).__name__)
    parallel_model = model
parallel_model.compile(keras.optimizers.Adam(lr=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
h = parallel_model.fit(X, y, epochs=5, batch_size=16, verbose=0)
print("ACCURACY", h.history["acc"][-1])
print("PARAMETERS", model.count_params(), len(model.layers))
print("WEIGHTS", len(model.trainable_weights), len(model.non_trainable_weights), model.get_layer("mixed0").output_shape)
