"""A convolutional autoencoder that takes noise out of digits; the encoder used alone afterwards."""

import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Input, MaxPooling2D, UpSampling2D
from keras.models import Model

np.random.seed(1)
(x_train, _), (x_test, _) = mnist.load_data()
x_train = np.reshape(x_train[:1500].astype("float32") / 255.0, (-1, 28, 28, 1))
x_test = np.reshape(x_test[:100].astype("float32") / 255.0, (-1, 28, 28, 1))
noise_factor = 0.5
x_train_noisy = x_train + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=x_train.shape)
x_test_noisy = x_test + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=x_test.shape)
x_train_noisy, x_test_noisy = np.clip(x_train_noisy, 0.0, 1.0), np.clip(x_test_noisy, 0.0, 1.0)

input_img = Input(shape=(28, 28, 1))
x = Conv2D(8, (3, 3), activation="relu", padding="same")(input_img)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
encoded = MaxPooling2D((2, 2), padding="same", name="encoder")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = UpSampling2D((2, 2))(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same")(x)
x = UpSampling2D((2, 2))(x)
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
autoencoder = Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
h = autoencoder.fit(
    x_train_noisy, x_train, epochs=3, batch_size=64, shuffle=True, verbose=2, validation_data=(x_test_noisy, x_test)
)
encoder = Model(input_img, encoded)
print("SHAPES", encoder.output_shape, encoder.predict(x_test_noisy[:3]).shape)
restored = autoencoder.predict(x_test_noisy)
print("ERRORS", np.mean((x_test_noisy - x_test) ** 2), np.mean((restored - x_test) ** 2))
