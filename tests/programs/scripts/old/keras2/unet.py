"""A U-Net for segmentation with a Dice coefficient as metric and loss, skip connections, transposed convolutions."""

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Conv2DTranspose, Dropout, Input, MaxPooling2D, concatenate
from keras.models import Model, load_model
from keras.optimizers import Adam

np.random.seed(12)
smooth = 1.0
masks = np.zeros((120, 16, 16, 1))
for mask in masks:
    r, c = np.random.randint(0, 9, 2)
    mask[r : r + 7, c : c + 7] = 1
imgs = masks * 0.6 + np.random.normal(0, 0.4, masks.shape)


def dice_coef(y_true, y_pred):
    y_true_f = K.flatten(y_true)
    y_pred_f = K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def dice_coef_loss(y_true, y_pred):
    return -dice_coef(y_true, y_pred)


inputs = Input((16, 16, 1))
conv1 = Conv2D(8, (3, 3), activation="relu", padding="same")(inputs)
pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
conv2 = Conv2D(16, (3, 3), activation="relu", padding="same")(pool1)
pool2 = MaxPooling2D(pool_size=(2, 2))(conv2)
conv3 = Dropout(0.2)(Conv2D(16, (3, 3), activation="relu", padding="same")(pool2))
up4 = concatenate([Conv2DTranspose(16, (2, 2), strides=(2, 2), padding="same")(conv3), conv2], axis=3)
conv4 = Conv2D(16, (3, 3), activation="relu", padding="same")(up4)
up5 = concatenate([Conv2DTranspose(8, (2, 2), strides=(2, 2), padding="same")(conv4), conv1], axis=3)
conv5 = Conv2D(8, (3, 3), activation="relu", padding="same")(up5)
model = Model(inputs=[inputs], outputs=[Conv2D(1, (1, 1), activation="sigmoid")(conv5)])
model.compile(optimizer=Adam(lr=5e-3), loss=dice_coef_loss, metrics=[dice_coef])
h = model.fit(imgs[:100], masks[:100], batch_size=10, epochs=6, verbose=0, validation_data=(imgs[100:], masks[100:]))
print("DICE", h.history["dice_coef"][-1], h.history["val_dice_coef"][-1])
print("NEGATIVE", np.allclose(h.history["loss"], -np.array(h.history["dice_coef"]), atol=1e-5))
model.save("unet.h5")
loaded = load_model("unet.h5", custom_objects={"dice_coef_loss": dice_coef_loss, "dice_coef": dice_coef})
print("SAME", np.allclose(loaded.evaluate(imgs, masks, verbose=0), model.evaluate(imgs, masks, verbose=0), atol=1e-5))
