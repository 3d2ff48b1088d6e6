"""Pipeline: layers one after the other, with their weights, masks and phases."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers


class Canary(layers.Layer):
    """Notes what it is called with."""

    supports_masking = True

    def call(self, inputs, training=False, mask=None):
        self.told = training, mask is not None
        return inputs + 0


def test_training_and_masks_reach_all_layers():
    pipeline = layers.Pipeline([Canary(), Canary()])
    pipeline(np.ones((1, 2, 3)), training=False, mask=np.ones((1, 2), bool))
    assert [layer.told for layer in pipeline.layers] == [(False, True)] * 2
    pipeline(np.ones((1, 2, 3)))
    assert [layer.told for layer in pipeline.layers] == [(True, False)] * 2
    masked = layers.Pipeline([layers.Masking(), Canary()])(np.zeros((1, 2, 3)))
    assert not keras.core.get_mask(masked).any()


def test_in_a_model_and_its_file(tmp_path):
    pipeline = layers.Pipeline([layers.Dense(3), layers.Dropout(0.5)], name="steps")
    model = keras.Sequential([keras.Input((4,)), pipeline, layers.Dense(1)])
    assert model.layers[0].output_shape == (None, 3) and len(model.trainable_weights) == 4
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0)
    x = np.random.RandomState(0).rand(2, 4)
    kernel, bias = pipeline.get_weights()
    np.testing.assert_allclose(pipeline(x, training=False), x @ kernel + bias, rtol=1e-5)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_configuration():
    pipeline = layers.Pipeline([layers.AutoContrast(), layers.CenterCrop(8, 9)])
    config = pipeline.get_config()
    assert sorted(config) == ["layers", "name"]
    inner = config["layers"]
    twin = layers.Pipeline.from_config(config)
    assert config["layers"] is inner and twin.get_config() == config
    x = np.random.RandomState(0).rand(2, 10, 12, 3)
    np.testing.assert_array_equal(twin(x), pipeline(x))
    assert pipeline.compute_output_shape((None, 10, 12, 3)) == (None, 8, 9, 3)


def test_mistakes():
    for config in ({"name": "x"}, {"layers": None, "name": "x"}):
        with pytest.raises(ValueError, match="list of layers"):
            layers.Pipeline.from_config(config)
    with pytest.raises(ValueError, match="expected a list of layers"):
        layers.Pipeline([1])
