"""Networks for images of KerasHub made from configurations: outputs, training, files."""

import os
import tempfile

import keras
import keras_hub
import numpy as np

models = keras_hub.models
keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32")
networks = {
    "vit": lambda: models.ViTBackbone((32, 32, 3), 8, 2, 2, 16, 32),
    "resnet": lambda: models.ResNetBackbone(
        [64], [7], [64, 64], [1, 1], [1, 2], "basic_block", image_shape=(32, 32, 3)
    ),
    "mobilenet": lambda: models.MobileNetBackbone(
        stackwise_expansion=[[40, 56], [64, 144]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[16, 16], [24, 24]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [2, 1]],
        stackwise_se_ratio=[[None, None], [0.25, 0.25]],
        stackwise_activation=[["relu6", "relu6"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=32,
        input_num_filters=8,
        input_activation="hard_swish",
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        squeeze_and_excite=None,
        last_layer_filter=32,
        image_shape=(32, 32, 3),
    ),
}
for name, make in networks.items():
    backbone = make()
    assert type(backbone).from_config(backbone.get_config()).count_params() == backbone.count_params(), name
    features = keras.layers.Flatten()(backbone.output)
    model = keras.Model(backbone.input, keras.layers.Dense(2)(features))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(x, np.array([0, 1, 0, 1]), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0], (name, losses)
    path = os.path.join(tempfile.mkdtemp(), "model.keras")
    backbone.save(path)
    again = keras.models.load_model(path)
    np.testing.assert_allclose(again.predict(x, verbose=0), backbone.predict(x, verbose=0), atol=1e-5, err_msg=name)
