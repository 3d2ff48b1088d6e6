"""A Wasserstein GAN: the critic's loss is a mean of products, its weights are clipped by hand after each step."""

import keras.backend as K
import numpy as np
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

np.random.seed(4)
n_critic, clip_value = 5, 0.1


def wasserstein_loss(y_true, y_pred):
    return K.mean(y_true * y_pred)


critic = Sequential([Dense(32, input_shape=(1,)), LeakyReLU(alpha=0.2), Dense(32), LeakyReLU(alpha=0.2), Dense(1)])
critic.compile(loss=wasserstein_loss, optimizer=RMSprop(lr=0.001), metrics=["accuracy"])
generator = Sequential([Dense(16, input_dim=3, activation="relu"), Dense(1)])
z = Input(shape=(3,))
critic.trainable = False
combined = Model(z, critic(generator(z)))
combined.compile(loss=wasserstein_loss, optimizer=RMSprop(lr=0.002), metrics=["accuracy"])

valid, fake = -np.ones((64, 1)), np.ones((64, 1))
start = generator.predict(np.random.normal(size=(500, 3))).mean()
for epoch in range(300):
    for _ in range(n_critic):
        real = np.random.normal(4.0, 0.3, (64, 1))
        made = generator.predict(np.random.normal(size=(64, 3)))
        d_loss_real = critic.train_on_batch(real, valid)
        d_loss_fake = critic.train_on_batch(made, fake)
        for layer in critic.layers:
            weights = layer.get_weights()
            weights = [np.clip(w, -clip_value, clip_value) for w in weights]
            layer.set_weights(weights)
    g_loss = combined.train_on_batch(np.random.normal(size=(64, 3)), valid)
largest = max(np.abs(w).max() for w in critic.get_weights())
print("CLIPPED", round(float(largest), 6) <= clip_value)
end = generator.predict(np.random.normal(size=(500, 3))).mean()
print("MEANS %.3f %.3f" % (start, end))
