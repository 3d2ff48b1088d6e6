"""A variational autoencoder of Keras 1: its loss function takes the mean and variance from the graph around it."""

import numpy as np
from keras import backend as K
from keras import objectives
from keras.layers import Dense, Input, Lambda
from keras.models import Model

np.random.seed(3)
batch_size, original_dim, latent_dim, intermediate_dim, nb_epoch, epsilon_std = 50, 30, 2, 24, 15, 1.0
x = Input(batch_shape=(batch_size, original_dim))
h = Dense(intermediate_dim, activation="relu")(x)
z_mean = Dense(latent_dim)(h)
z_log_var = Dense(latent_dim)(h)


def sampling(args):
    z_mean, z_log_var = args
    epsilon = K.random_normal(shape=(batch_size, latent_dim), mean=0.0, std=epsilon_std)
    return z_mean + K.exp(z_log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
decoder_h = Dense(intermediate_dim, activation="relu")
decoder_mean = Dense(original_dim, activation="sigmoid")
h_decoded = decoder_h(z)
x_decoded_mean = decoder_mean(h_decoded)


def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return xent_loss + kl_loss


vae = Model(x, x_decoded_mean)
vae.compile(optimizer="rmsprop", loss=vae_loss)
data = 1 / (1 + np.exp(-3 * np.random.normal(size=(1000, 2)).dot(np.random.normal(size=(2, 30)))))
hist = vae.fit(
    data,
    data,
    shuffle=True,
    nb_epoch=nb_epoch,
    batch_size=batch_size,
    verbose=0,
    validation_data=(data[:100], data[:100]),
)
print("LOSSES", hist.history["loss"][0], hist.history["loss"][-1], hist.history["val_loss"][-1])
encoder = Model(x, z_mean)
decoder_input = Input(shape=(latent_dim,))
generator = Model(decoder_input, decoder_mean(decoder_h(decoder_input)))
print("SHAPES", encoder.predict(data, batch_size=batch_size).shape, generator.predict(np.array([[0.5, -1]])).shape)
