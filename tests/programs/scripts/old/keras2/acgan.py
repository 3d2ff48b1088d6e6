"""An ACGAN: the discriminator says real or fake and which class; the generator gets the class by an Embedding."""

import numpy as np
from keras.layers import Dense, Dropout, Embedding, Flatten, Input, LeakyReLU, multiply
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(1337)
num_classes, latent_size = 3, 6
centers = np.array([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])


def build_generator(latent_size):
    cnn = Sequential()
    cnn.add(Dense(32, input_dim=latent_size, activation="relu"))
    cnn.add(Dense(2))
    latent = Input(shape=(latent_size,))
    image_class = Input(shape=(1,), dtype="int32")
    cls = Flatten()(Embedding(num_classes, latent_size, embeddings_initializer="glorot_normal")(image_class))
    h = multiply([latent, cls])
    return Model([latent, image_class], cnn(h))


def build_discriminator():
    cnn = Sequential()
    cnn.add(Dense(32, input_shape=(2,)))
    cnn.add(LeakyReLU(0.2))
    cnn.add(Dropout(0.1))
    image = Input(shape=(2,))
    features = cnn(image)
    fake = Dense(1, activation="sigmoid", name="generation")(features)
    aux = Dense(num_classes, activation="softmax", name="auxiliary")(features)
    return Model(image, [fake, aux])


losses = ["binary_crossentropy", "sparse_categorical_crossentropy"]
discriminator = build_discriminator()
discriminator.compile(optimizer=Adam(lr=0.005, beta_1=0.5), loss=losses)
generator = build_generator(latent_size)
latent = Input(shape=(latent_size,))
image_class = Input(shape=(1,), dtype="int32")
fake = generator([latent, image_class])
discriminator.trainable = False
fake, aux = discriminator(fake)
combined = Model([latent, image_class], [fake, aux])
combined.compile(optimizer=Adam(lr=0.005, beta_1=0.5), loss=losses)
print("NAMES", discriminator.metrics_names)

for step in range(500):
    y = np.random.randint(0, num_classes, 32)
    x = centers[y] + np.random.normal(0, 0.2, (32, 2))
    noise = np.random.uniform(-1, 1, (32, latent_size))
    sampled = np.random.randint(0, num_classes, 32)
    made = generator.predict([noise, sampled.reshape((-1, 1))], verbose=0)
    soft_y = np.array([0.95] * 32 + [0] * 32)
    aux_y = np.concatenate((y, sampled), axis=0)
    weights = [np.ones(64), np.concatenate((np.ones(32) * 2, np.zeros(32)))]
    d = discriminator.train_on_batch(np.concatenate((x, made)), [soft_y, aux_y], sample_weight=weights)
    noise = np.random.uniform(-1, 1, (64, latent_size))
    sampled = np.random.randint(0, num_classes, 64)
    g = combined.train_on_batch([noise, sampled.reshape((-1, 1))], [np.ones(64) * 0.95, sampled])
print("LOSSES", len(d), len(g), np.isfinite(d).all(), abs(d[0] - d[1] - d[2]) < 1e-4)
sampled = np.repeat(np.arange(num_classes), 50)
noise = np.random.uniform(-1, 1, (150, latent_size))
made = generator.predict([noise, sampled.reshape((-1, 1))])
nearest = ((made[:, None] - centers[None]) ** 2).sum(-1).argmin(-1)
print("CLASSES", (nearest == sampled).mean())
