"""A CNN of Keras 1 in 'th' order with ImageDataGenerator: fit, flow, fit_generator with samples_per_epoch."""

import numpy as np
from keras import backend as K
from keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator
from keras.utils import np_utils

np.random.seed(2)
y = np.random.randint(0, 3, 300)
X = np.random.normal(0, 0.3, (300, 1, 12, 12)).astype("float32")
for i, label in enumerate(y):
    if label == 0:
        X[i, 0, np.random.randint(3, 9)] += 2
    elif label == 1:
        X[i, 0, :, np.random.randint(3, 9)] += 2
Y = np_utils.to_categorical(y, 3)

model = Sequential()
model.add(Convolution2D(8, 3, 3, border_mode="same", input_shape=(1, 12, 12), dim_ordering="th"))
model.add(Activation("relu"))
model.add(Convolution2D(8, 3, 3, dim_ordering="th"))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2), dim_ordering="th"))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
print("SHAPES", [layer.output_shape for layer in model.layers[:5]], K.get_value(model.layers[0].W).shape)

datagen = ImageDataGenerator(
    featurewise_center=True,
    featurewise_std_normalization=True,
    horizontal_flip=True,
    vertical_flip=True,
    width_shift_range=0.1,
    dim_ordering="th",
)
datagen.fit(X)
batches = datagen.flow(X, Y, batch_size=32, seed=1)
hist = model.fit_generator(
    batches,
    samples_per_epoch=len(X),
    nb_epoch=10,
    verbose=2,
    validation_data=datagen.flow(X, Y, batch_size=32),
    nb_val_samples=len(X),
)
print("ACCURACY", hist.history["acc"][-1], hist.history["val_acc"][-1])
print("MOMENTS", np.allclose(datagen.mean.ravel(), X.mean(), atol=1e-4), datagen.std.shape)
