"""Pictures in folders: flow_from_directory with augmentation, fit_generator with steps, predict_generator, load_img."""

import os

import numpy as np
from keras.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D  # noqa: F401
from keras.models import Sequential
from keras.preprocessing import image
from keras.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, load_img
from PIL import Image

np.random.seed(5)
for split, count in [("train", 24), ("validation", 8)]:
    for name, channel in [("blue", 2), ("red", 0)]:
        os.makedirs("pictures/%s/%s" % (split, name))
        for i in range(count):
            pixels = np.random.randint(0, 120, (20, 24, 3), dtype="uint8")
            pixels[..., channel] += 100
            Image.fromarray(pixels).save("pictures/%s/%s/%03d.png" % (split, name, i))

train_datagen = ImageDataGenerator(
    rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True, rotation_range=10
)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)
train_generator = train_datagen.flow_from_directory(
    "pictures/train", target_size=(16, 16), batch_size=8, class_mode="binary"
)
validation_generator = test_datagen.flow_from_directory(
    "pictures/validation", target_size=(16, 16), batch_size=8, class_mode="binary", shuffle=False
)
print("INDICES", train_generator.class_indices, train_generator.samples, validation_generator.classes.tolist())
model = Sequential()
model.add(Conv2D(4, (3, 3), activation="relu", input_shape=(16, 16, 3)))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
h = model.fit_generator(
    train_generator, steps_per_epoch=6, epochs=6, verbose=0, validation_data=validation_generator, validation_steps=2
)
print("ACCURACY", h.history["val_acc"][-1])
validation_generator.reset()
pred = model.predict_generator(validation_generator, steps=2)
print("PREDICTED", pred.shape, np.mean((pred[:, 0] > 0.5) == validation_generator.classes))
img = load_img("pictures/train/red/000.png", target_size=(16, 16))
x = image.img_to_array(img)
print("IMAGE", img.size, x.shape, x.dtype, np.array_equal(img_to_array(array_to_img(x, scale=False)), x))
i = 0
for batch in train_datagen.flow(
    x.reshape((1,) + x.shape), batch_size=1, save_to_dir=".", save_prefix="red", save_format="jpeg"
):
    i += 1
    if i >= 3:
        break
print("SAVED", len([f for f in os.listdir(".") if f.startswith("red") and f.endswith(".jpeg")]) > 0, batch.max() <= 1)
