"""Meshes, layouts and maps of them; tensors over eight devices in a process of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest

import oneiros
from oneiros import layers
from oneiros.distribution import (
    DataParallel,
    DeviceMesh,
    LayoutMap,
    ModelParallel,
    TensorLayout,
    distribution,
    get_device_count,
    list_devices,
    set_distribution,
)

ONE = ["cpu:0"]


def test_devices():
    assert list_devices()[0] == "cpu:0" and get_device_count("CPU") == len(list_devices())


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: DeviceMesh((1, 1), ["batch"], ONE), "a name for each axis"),
        (lambda: DeviceMesh((2,), ["batch"], ONE), r"expected 2 devices for the shape \(2,\). Received: 1"),
        (lambda: TensorLayout(["model"], DeviceMesh((1,), ["batch"], ONE)), r"axes of the mesh, \['batch'\]"),
        (lambda: TensorLayout([None]).backend_layout, "set device_mesh first"),
        (lambda: ModelParallel(layout_map=LayoutMap()), "a LayoutMap with a mesh"),
    ],
)
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_layouts_are_found_by_path_or_pattern():
    mesh = DeviceMesh((1, 1), ["batch", "model"], ONE)
    layouts = LayoutMap(mesh)
    layouts["dense.*kernel"] = (None, "model")
    layouts["other/bias"] = TensorLayout(["model"])
    assert layouts["net/dense_1/kernel"].axes == (None, "model")
    assert layouts["other/bias"].device_mesh is mesh and layouts["net/bias"] is None
    assert list(layouts) == ["dense.*kernel", "other/bias"] and len(layouts) == 2
    with pytest.raises(ValueError, match="is there already"):
        layouts["other/bias"] = ("model",)
    layouts["kernel"] = (None, None)
    with pytest.raises(ValueError, match="fits more than one key"):
        layouts["dense/kernel"]
    del layouts["kernel"]
    layer = layers.Dense(3, name="dense")
    layer.build((None, 2))
    parallel = ModelParallel(layout_map=layouts)
    assert parallel.get_variable_layout(layer.kernel).axes == (None, "model")
    assert parallel.get_variable_layout(layer.bias).axes == (None,)
    assert parallel.get_data_layout((8, 2, 3)).axes == ("batch", None, None)


def test_a_distribution_over_one_device_changes_nothing():
    parallel = DataParallel(devices=ONE)
    assert (parallel.num_model_replicas, parallel.num_processes, parallel.data_shard_id) == (1, 1, 0)
    with parallel.scope():
        assert distribution() is parallel
        model = oneiros.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert distribution() is None


def test_a_distribution_over_several_is_refused():
    mesh = DeviceMesh((2,), ["batch"], ["cpu:0", "cpu:1"])
    with pytest.raises(NotImplementedError, match="models train on one device. Received a mesh of 2"):
        set_distribution(DataParallel(mesh))
    assert distribution() is None


PROGRAM = """
import jax, numpy as np
from oneiros.distribution import DeviceMesh, TensorLayout, distribute_tensor, list_devices
mesh = DeviceMesh((4, 2), ["batch", "model"])
x = np.arange(32.0).reshape(8, 4)
y = distribute_tensor({"a": x}, TensorLayout(["batch", "model"], mesh))["a"]
assert {s.data.shape for s in y.addressable_shards} == {(2, 2)} and (np.asarray(y) == x).all()
z = jax.jit(lambda a: distribute_tensor(a * 2, TensorLayout([None, "model"], mesh)))(y)
assert {s.data.shape for s in z.addressable_shards} == {(8, 2)} and (np.asarray(z) == 2 * x).all()
print(list_devices())
"""


def test_tensors_are_spread_over_eight_devices():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ | flags, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-1] == "'cpu:7']"
