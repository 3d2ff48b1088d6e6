"""SqueezeNet as its users wrote it for Keras 2: `python squeezenet.py IMAGE...`."""

import sys

import numpy as np
from keras import backend as K
from keras.applications.imagenet_utils import _obtain_input_shape, decode_predictions, preprocess_input
from keras.engine.topology import get_source_inputs
from keras.layers import (
    Activation,
    Convolution2D,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    concatenate,
)
from keras.models import Model
from keras.preprocessing import image
from keras.utils import get_file, layer_utils

WEIGHTS = "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/"
WEIGHTS_FILE = "squeezenet_weights_tf_dim_ordering_tf_kernels.h5"


def fire_module(x, fire_id, squeeze=16, expand=64):
    s_id = "fire" + str(fire_id) + "/"
    channel_axis = 1 if K.image_data_format() == "channels_first" else 3
    x = Convolution2D(squeeze, (1, 1), padding="valid", name=s_id + "squeeze1x1")(x)
    x = Activation("relu", name=s_id + "relu_squeeze1x1")(x)
    left = Convolution2D(expand, (1, 1), padding="valid", name=s_id + "expand1x1")(x)
    left = Activation("relu", name=s_id + "relu_expand1x1")(left)
    right = Convolution2D(expand, (3, 3), padding="same", name=s_id + "expand3x3")(x)
    right = Activation("relu", name=s_id + "relu_expand3x3")(right)
    return concatenate([left, right], axis=channel_axis, name=s_id + "concat")


def squeezenet(input_tensor=None, input_shape=None, classes=1000):
    input_shape = _obtain_input_shape(
        input_shape, default_size=227, min_size=48, data_format=K.image_data_format(), require_flatten=True
    )
    if input_tensor is None:
        img_input = Input(shape=input_shape)
    elif not K.is_keras_tensor(input_tensor):
        img_input = Input(tensor=input_tensor, shape=input_shape)
    else:
        img_input = input_tensor
    x = Convolution2D(64, (3, 3), strides=(2, 2), padding="valid", name="conv1")(img_input)
    x = Activation("relu", name="relu_conv1")(x)
    x = MaxPooling2D(pool_size=(3, 3), strides=(2, 2), name="pool1")(x)
    x = fire_module(x, 2, 16, 64)
    x = fire_module(x, 3, 16, 64)
    x = MaxPooling2D(pool_size=(3, 3), strides=(2, 2), name="pool3")(x)
    x = fire_module(x, 4, 32, 128)
    x = fire_module(x, 5, 32, 128)
    x = MaxPooling2D(pool_size=(3, 3), strides=(2, 2), name="pool5")(x)
    x = fire_module(x, 6, 48, 192)
    x = fire_module(x, 7, 48, 192)
    x = fire_module(x, 8, 64, 256)
    x = fire_module(x, 9, 64, 256)
    x = Dropout(0.5, name="drop9")(x)
    x = Convolution2D(classes, (1, 1), padding="valid", name="conv10")(x)
    x = Activation("relu", name="relu_conv10")(x)
    x = GlobalAveragePooling2D()(x)
    x = Activation("softmax", name="loss")(x)
    inputs = get_source_inputs(input_tensor) if input_tensor is not None else img_input
    model = Model(inputs, x, name="squeezenet")
    model.load_weights(get_file(WEIGHTS_FILE, WEIGHTS + WEIGHTS_FILE, cache_subdir="models"))
    if K.backend() == "theano":
        layer_utils.convert_all_kernels_in_model(model)
    return model


model = squeezenet()
print("PARAMETERS", model.count_params())
for path in sys.argv[1:]:
    x = image.img_to_array(image.load_img(path, target_size=(227, 227)))
    x = preprocess_input(np.expand_dims(x, axis=0))
    for _, name, probability in decode_predictions(model.predict(x))[0][:3]:
        print("%s %.8f" % (name, probability))
