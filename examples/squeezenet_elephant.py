"""SqueezeNet with ImageNet weights names what a picture shows: python squeezenet_elephant.py PICTURE"""

import sys

import numpy as np

from oneiros.applications.squeezenet import SqueezeNet, decode_predictions, preprocess_input
from oneiros.preprocessing import image

model = SqueezeNet(weights="imagenet")
picture = image.load_img(sys.argv[1], target_size=(227, 227))
x = preprocess_input(np.expand_dims(image.img_to_array(picture), axis=0))
for _, name, probability in decode_predictions(model.predict(x))[0]:
    print(f"{name} {probability:.8f}")
