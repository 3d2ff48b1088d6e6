"""A siamese net: one network for both pictures, their distance in a Lambda, contrastive loss."""

import random

import numpy as np
from keras import backend as K
from keras.datasets import mnist
from keras.layers import Dense, Dropout, Input, Lambda
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

np.random.seed(1337)
random.seed(1)


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.sum(K.square(x - y), axis=1, keepdims=True))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def create_pairs(x, digit_indices):
    pairs, labels = [], []
    n = min([len(digit_indices[d]) for d in range(10)]) - 1
    for d in range(10):
        for i in range(n):
            pairs += [[x[digit_indices[d][i]], x[digit_indices[d][i + 1]]]]
            dn = (d + random.randrange(1, 10)) % 10
            pairs += [[x[digit_indices[d][i]], x[digit_indices[dn][i]]]]
            labels += [1, 0]
    return np.array(pairs), np.array(labels)


def compute_accuracy(predictions, labels):
    return labels[predictions.ravel() < 0.5].mean()


(X_train, y_train), _ = mnist.load_data()
X_train = X_train[:3000].reshape(3000, 784).astype("float32") / 255
tr_pairs, tr_y = create_pairs(X_train, [np.where(y_train[:3000] == i)[0] for i in range(10)])

seq = Sequential()
seq.add(Dense(64, input_shape=(784,), activation="relu"))
seq.add(Dropout(0.1))
seq.add(Dense(64, activation="relu"))
input_a = Input(shape=(784,))
input_b = Input(shape=(784,))
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([seq(input_a), seq(input_b)])
model = Model(input=[input_a, input_b], output=distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop())
model.fit([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=128, nb_epoch=6, verbose=2)
pred = model.predict([tr_pairs[:, 0], tr_pairs[:, 1]])
print("SHAPES", tr_pairs.shape[1:], pred.shape, model.output_shape, len(seq.layers))
print("ACCURACY %.4f" % compute_accuracy(pred, tr_y))
