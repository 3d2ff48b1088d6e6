"""Answers to questions about pictures: a CNN as a Sequential, an LSTM on the question, concatenated."""

import keras
import numpy as np
from keras.layers import Conv2D, Dense, Embedding, Flatten, Input, LSTM, MaxPooling2D
from keras.models import Model, Sequential

np.random.seed(23)
n = 300
color, size = np.random.randint(0, 2, n), np.random.randint(0, 2, n)
images = np.zeros((n, 8, 8, 3))
for i in range(n):
    images[i, 1 : 3 + 4 * size[i], 1 : 3 + 4 * size[i], color[i]] = 1
asks_color = np.random.randint(0, 2, n)
questions = np.where(asks_color[:, None], [[3, 4, 1, 0]], [[3, 4, 2, 5]])
answers = np.where(asks_color, color, 2 + size)
answers_1h = keras.utils.to_categorical(answers, 4)

vision_model = Sequential()
vision_model.add(Conv2D(8, (3, 3), activation="relu", padding="same", input_shape=(8, 8, 3)))
vision_model.add(MaxPooling2D((2, 2)))
vision_model.add(Flatten())
image_input = Input(shape=(8, 8, 3), name="image")
encoded_image = vision_model(image_input)
question_input = Input(shape=(4,), dtype="int32", name="question")
encoded_question = LSTM(16)(Embedding(input_dim=6, output_dim=8, input_length=4)(question_input))
merged = keras.layers.concatenate([encoded_question, encoded_image])
output = Dense(4, activation="softmax", name="answer")(Dense(32, activation="relu")(merged))
vqa_model = Model(inputs=[image_input, question_input], outputs=output)
vqa_model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
h = vqa_model.fit({"image": images, "question": questions}, {"answer": answers_1h}, epochs=15, verbose=0)
print("ACCURACY", h.history["acc"][-1])
print("INPUTS", vqa_model.input_names, vqa_model.output_names, vqa_model.input_shape)
