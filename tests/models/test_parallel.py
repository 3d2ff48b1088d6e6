"""multi_gpu_model: the same outputs and the same training, on one device and on several."""

import os
import subprocess
import sys

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.utils import multi_gpu_model

PROGRAM = """
import jax, numpy as np
import oneiros as keras
from oneiros.utils import multi_gpu_model
assert len(jax.devices()) == 2
model = keras.Sequential([keras.layers.Dense(3, input_shape=(2,), name="out")])
parallel = multi_gpu_model(model, gpus=2)
seen = []
x = np.random.RandomState(0).standard_normal((8, 2)).astype("float32")
run = jax.jit(lambda x: parallel(x))
assert "sharding" in run.lower(x).as_text(), "the batch is not spread"
np.testing.assert_allclose(parallel.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
np.testing.assert_allclose(parallel.predict(x[:3], verbose=0), model.predict(x[:3], verbose=0), rtol=1e-5)
parallel.compile("sgd", "mse")
before = model.get_weights()[0].copy()
parallel.fit(x, np.ones((8, 3)), batch_size=8, epochs=2, verbose=0)
assert np.abs(model.get_weights()[0] - before).max() > 1e-4
print("good")
"""


def test_two_devices():
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
    assert result.stdout.strip() == "good", result.stderr[-2000:]


def test_one_device_computes_everything():
    x = keras.Input((2,), name="x")
    model = keras.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(2, name="b")(x)], name="two")
    parallel = multi_gpu_model(model)
    assert parallel.input_names == ["x"]
    assert parallel.output_names == ["a", "b"]
    assert model in parallel.layers
    with pytest.warns(UserWarning, match="this process sees 1"):
        parallel = multi_gpu_model(model, gpus=4)
    parallel.compile("sgd", {"a": "mse", "b": "mae"})
    data = np.ones((4, 2), "float32")
    history = parallel.fit(data, {"a": data[:, :1], "b": data}, verbose=0).history
    assert {"a_loss", "b_loss"} <= set(history)
    for mine, theirs in zip(parallel.predict(data, verbose=0), model.predict(data, verbose=0)):
        np.testing.assert_array_equal(mine, theirs)


def test_one_gpu_is_too_few():
    with pytest.raises(ValueError, match="at least 2"):
        multi_gpu_model(keras.Sequential([layers.Dense(1, input_shape=(2,))]), gpus=1)
