"""Language models of KerasHub made from configurations: training, files, presets, generation."""

import os
import tempfile

import keras
import keras_hub
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
size = {"vocabulary_size": 50, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
ids, ones = rng.integers(1, 50, (4, 12)), np.ones((4, 12), int)
folder = tempfile.mkdtemp()

# --- a classifier of texts
backbone = keras_hub.models.BertBackbone(**size, max_sequence_length=12)
data = {"token_ids": ids, "segment_ids": 0 * ones, "padding_mask": ones}
assert backbone(data)["pooled_output"].shape == (4, 16)
classifier = keras_hub.models.BertTextClassifier(backbone=backbone, num_classes=3, preprocessor=None)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
classifier.compile(optimizer=keras.optimizers.AdamW(1e-2), loss=loss, metrics=["accuracy"])
losses = classifier.fit(data, np.array([0, 1, 2, 1]), batch_size=2, epochs=8, verbose=0).history["loss"]
assert losses[-1] < losses[0]
expected = classifier.predict(data, verbose=0)
classifier.save(os.path.join(folder, "classifier.keras"))
again = keras.models.load_model(os.path.join(folder, "classifier.keras"), compile=False)
np.testing.assert_allclose(again.predict(data, verbose=0), expected, atol=1e-6)
changed = {**data, "padding_mask": np.array([[1] * 6 + [0] * 6] * 4)}
other = {**changed, "token_ids": np.where(changed["padding_mask"], ids, 7)}
np.testing.assert_allclose(backbone(changed)["pooled_output"], backbone(other)["pooled_output"], atol=1e-5)

# --- a model that writes: the cache gives what the model without one does
backbone = keras_hub.models.GPT2Backbone(**size, max_sequence_length=12)
writer = keras_hub.models.GPT2CausalLM(backbone=backbone, preprocessor=None)
writer.compile(optimizer="adam", loss=loss, sampler="greedy")
data = {"token_ids": ids, "padding_mask": ones}
losses = writer.fit(data, np.roll(ids, -1, 1), epochs=3, verbose=0).history["loss"]
assert losses[-1] < losses[0]
prompt = {"token_ids": np.array([[3, 4, 5] + [0] * 9]), "padding_mask": np.array([[1] * 3 + [0] * 9])}
text = prompt["token_ids"].copy()
for place in range(3, 12):
    known = (np.arange(12) < place)[None].astype(int)
    logits = writer.predict({"token_ids": text, "padding_mask": known}, verbose=0)
    text[0, place] = logits[0, place - 1].argmax()
np.testing.assert_array_equal(writer.generate(prompt, stop_token_ids=None)["token_ids"], text)
writer.compile(optimizer="adam", loss=loss, sampler=keras_hub.samplers.TopKSampler(k=5, seed=1))
assert writer.generate(prompt, stop_token_ids=None)["token_ids"].shape == (1, 12)

# --- presets on disk
backbone.save_to_preset(os.path.join(folder, "preset"))
again = keras_hub.models.Backbone.from_preset(os.path.join(folder, "preset"))
np.testing.assert_allclose(again(data), backbone(data), atol=1e-6)
try:
    keras_hub.tokenizers.BytePairTokenizer(vocabulary={"a": 0}, merges=[])("a")
except ImportError as error:
    assert "tensorflow" in str(error).lower()
