"""A variational autoencoder whose loss is added to the model: `vae.add_loss`, then `compile` without a loss."""

import numpy as np
from keras import backend as K
from keras.datasets import mnist
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy
from keras.models import Model

np.random.seed(0)


def sampling(args):
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim))
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = np.reshape(x_train[:4000], [-1, 784]).astype("float32") / 255
x_test = np.reshape(x_test[:500], [-1, 784]).astype("float32") / 255
original_dim, latent_dim = 784, 2

inputs = Input(shape=(original_dim,), name="encoder_input")
x = Dense(128, activation="relu")(inputs)
z_mean = Dense(latent_dim, name="z_mean")(x)
z_log_var = Dense(latent_dim, name="z_log_var")(x)
z = Lambda(sampling, output_shape=(latent_dim,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")
latent_inputs = Input(shape=(latent_dim,), name="z_sampling")
x = Dense(128, activation="relu")(latent_inputs)
outputs = Dense(original_dim, activation="sigmoid")(x)
decoder = Model(latent_inputs, outputs, name="decoder")
outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name="vae_mlp")

reconstruction_loss = binary_crossentropy(inputs, outputs)
reconstruction_loss *= original_dim
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1)
kl_loss *= -0.5
vae_loss = K.mean(reconstruction_loss + kl_loss)
vae.add_loss(vae_loss)
vae.compile(optimizer="adam")
vae.summary()
h = vae.fit(x_train, epochs=4, batch_size=128, validation_data=(x_test, None), verbose=2)
vae.save_weights("vae_mlp_mnist.h5")
print("LOSSES", h.history["loss"][0], h.history["loss"][-1], h.history["val_loss"][-1])
mean, _, _ = encoder.predict(x_test, batch_size=128)
digit = decoder.predict(np.array([[0.3, -0.2]]))
print("SHAPES", mean.shape, digit.shape)
