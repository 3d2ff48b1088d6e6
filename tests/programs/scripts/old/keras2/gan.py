"""A GAN: the discriminator learns alone, then frozen inside the combined model; `train_on_batch` of both in turn."""

import numpy as np
from keras.layers import BatchNormalization, Dense, Dropout, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(10)


class GAN:
    def __init__(self):
        optimizer = Adam(0.002, 0.5)
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
        self.generator = self.build_generator()
        z = Input(shape=(5,))
        img = self.generator(z)
        self.discriminator.trainable = False
        validity = self.discriminator(img)
        self.combined = Model(z, validity)
        self.combined.compile(loss="binary_crossentropy", optimizer=optimizer)

    def build_generator(self):
        model = Sequential()
        model.add(Dense(16, input_dim=5))
        model.add(LeakyReLU(alpha=0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(2))
        noise = Input(shape=(5,))
        return Model(noise, model(noise))

    def build_discriminator(self):
        model = Sequential()
        model.add(Dense(24, input_shape=(2,)))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(0.1))
        model.add(Dense(1, activation="sigmoid"))
        img = Input(shape=(2,))
        return Model(img, model(img))

    def train(self, epochs, batch_size=64):
        valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
        for epoch in range(epochs):
            real = np.random.normal([3.0, -2.0], 0.5, (batch_size, 2))
            noise = np.random.normal(0, 1, (batch_size, 5))
            gen = self.generator.predict(noise)
            d_loss_real = self.discriminator.train_on_batch(real, valid)
            d_loss_fake = self.discriminator.train_on_batch(gen, fake)
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            before = self.discriminator.get_weights()
            g_loss = self.combined.train_on_batch(noise, valid)
            if epoch == 0:
                same = all((a == b).all() for a, b in zip(before, self.discriminator.get_weights()))
                print("FROZEN", same, len(self.combined.trainable_weights), len(self.discriminator.trainable_weights))
            if epoch % 200 == 0:
                print("%d [D loss: %f, acc.: %.2f%%] [G loss: %f]" % (epoch, d_loss[0], 100 * d_loss[1], g_loss))


gan = GAN()
start = gan.generator.predict(np.random.normal(0, 1, (500, 5))).mean(axis=0)
gan.train(epochs=800)
end = gan.generator.predict(np.random.normal(0, 1, (500, 5))).mean(axis=0)
print("DISTANCE %.4f %.4f" % (np.linalg.norm(start - [3, -2]), np.linalg.norm(end - [3, -2])))
