"""A capsule layer with routing by agreement, and a margin loss on the lengths of the capsules."""

import numpy as np
from keras import backend as K
from keras import activations, utils
from keras.datasets import mnist
from keras.engine.topology import Layer
from keras.layers import Conv2D, Input, Lambda, Reshape
from keras.models import Model

np.random.seed(0)


def squash(x, axis=-1):
    s_squared_norm = K.sum(K.square(x), axis, keepdims=True) + K.epsilon()
    scale = K.sqrt(s_squared_norm) / (0.5 + s_squared_norm)
    return scale * x


class Capsule(Layer):
    def __init__(self, num_capsule, dim_capsule, routings=3, activation="squash", **kwargs):
        super().__init__(**kwargs)
        self.num_capsule = num_capsule
        self.dim_capsule = dim_capsule
        self.routings = routings
        self.activation = squash if activation == "squash" else activations.get(activation)

    def build(self, input_shape):
        input_dim_capsule = input_shape[-1]
        self.kernel = self.add_weight(
            name="capsule_kernel",
            shape=(1, input_dim_capsule, self.num_capsule * self.dim_capsule),
            initializer="glorot_uniform",
            trainable=True,
        )
        super().build(input_shape)

    def call(self, inputs):
        hat_inputs = K.conv1d(inputs, self.kernel)
        batch_size = K.shape(inputs)[0]
        input_num_capsule = K.shape(inputs)[1]
        hat_inputs = K.reshape(hat_inputs, (batch_size, input_num_capsule, self.num_capsule, self.dim_capsule))
        hat_inputs = K.permute_dimensions(hat_inputs, (0, 2, 1, 3))
        b = K.zeros_like(hat_inputs[:, :, :, 0])
        for i in range(self.routings):
            c = K.softmax(b, 1)
            o = self.activation(K.batch_dot(c, hat_inputs, [2, 2]))
            if i < self.routings - 1:
                b = K.batch_dot(o, hat_inputs, [2, 3])
        return o

    def compute_output_shape(self, input_shape):
        return (None, self.num_capsule, self.dim_capsule)


def margin_loss(y_true, y_pred):
    lamb, margin = 0.5, 0.1
    return K.sum(
        y_true * K.square(K.relu(1 - margin - y_pred)) + lamb * (1 - y_true) * K.square(K.relu(y_pred - margin)),
        axis=-1,
    )


(x_train, y_train), _ = mnist.load_data()
x_train = x_train[:2000, ::2, ::2].reshape(-1, 14, 14, 1).astype("float32") / 255
y_train = utils.to_categorical(y_train[:2000], 10)
input_image = Input(shape=(None, None, 1))
x = Conv2D(16, (3, 3), activation="relu")(input_image)
x = Conv2D(32, (3, 3), strides=2, activation="relu")(x)
x = Reshape((-1, 32))(x)
capsule = Capsule(10, 8, 3)(x)
output = Lambda(lambda z: K.sqrt(K.sum(K.square(z), 2)))(capsule)
model = Model(inputs=input_image, outputs=output)
model.compile(loss=margin_loss, optimizer="adam", metrics=["accuracy"])
print("SHAPES", K.int_shape(x), K.int_shape(capsule), model.output_shape)
h = model.fit(x_train, y_train, batch_size=64, epochs=4, verbose=2)
print("ACCURACY", h.history["acc"][-1])
