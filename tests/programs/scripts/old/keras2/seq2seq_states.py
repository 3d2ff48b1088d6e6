"""Translation of letters with teacher forcing, then an encoder model and a decoder model that carry the states."""

import numpy as np
from keras.layers import Dense, Input, LSTM
from keras.models import Model

np.random.seed(0)
words = ["sun", "moon", "tree", "sea", "bird", "stone", "fire", "rain"]
targets = ["\t" + word[::-1] + "\n" for word in words]
letters = sorted(set("".join(words)))
target_letters = sorted(set("".join(targets)))
in_token = dict((c, i) for i, c in enumerate(letters))
out_token = dict((c, i) for i, c in enumerate(target_letters))
longest = max(len(t) for t in targets)
encoder_input_data = np.zeros((8, 5, len(letters)), dtype="float32")
decoder_input_data = np.zeros((8, longest, len(target_letters)), dtype="float32")
decoder_target_data = np.zeros((8, longest, len(target_letters)), dtype="float32")
for i, (word, target) in enumerate(zip(words, targets)):
    for t, char in enumerate(word):
        encoder_input_data[i, t, in_token[char]] = 1.0
    for t, char in enumerate(target):
        decoder_input_data[i, t, out_token[char]] = 1.0
        if t > 0:
            decoder_target_data[i, t - 1, out_token[char]] = 1.0

latent_dim = 48
encoder_inputs = Input(shape=(None, len(letters)))
encoder = LSTM(latent_dim, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, len(target_letters)))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(len(target_letters), activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)
model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
model.fit([encoder_input_data, decoder_input_data], decoder_target_data, batch_size=4, epochs=150, verbose=0)
model.save("s2s.h5")

encoder_model = Model(encoder_inputs, encoder_states)
state_in = [Input(shape=(latent_dim,)), Input(shape=(latent_dim,))]
decoder_outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=state_in)
decoder_model = Model([decoder_inputs] + state_in, [decoder_dense(decoder_outputs), state_h, state_c])


def decode_sequence(input_seq):
    states_value = encoder_model.predict(input_seq)
    target_seq = np.zeros((1, 1, len(target_letters)))
    target_seq[0, 0, out_token["\t"]] = 1.0
    decoded = ""
    while True:
        output_tokens, h, c = decoder_model.predict([target_seq] + states_value)
        char = target_letters[np.argmax(output_tokens[0, -1, :])]
        decoded += char
        if char == "\n" or len(decoded) > longest:
            return decoded.strip()
        target_seq = np.zeros((1, 1, len(target_letters)))
        target_seq[0, 0, out_token[char]] = 1.0
        states_value = [h, c]


decoded = [decode_sequence(encoder_input_data[i : i + 1]) for i in range(8)]
print("DECODED", decoded)
print("RIGHT", sum(word[::-1] == text for word, text in zip(words, decoded)))
