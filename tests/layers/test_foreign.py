"""Layers made of functions of JAX, modules of Flax and PyTorch, and SavedModels. The libraries may be missing."""

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.core import value_and_grad
from oneiros.layers.foreign.host_function import host_function

X = np.random.RandomState(0).rand(32, 3).astype("float32")
Y = np.random.RandomState(1).rand(32, 2).astype("float32")
registered = keras.saving.register_keras_serializable("foreign")


def lacks(library):
    return importlib.util.find_spec(library) is None


def trained_and_loaded(layer, path, safe_mode=True):
    """Trains a model with the layer, saves it and loads it. Returns how far each weight moved."""
    model = keras.Sequential([keras.Input((3,)), layer, layers.Dense(2)])
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(X, Y, epochs=3, verbose=0)
    model.save(path / "model.keras")
    again = keras.models.load_model(path / "model.keras", safe_mode=safe_mode)
    found = model.predict(X, verbose=0)
    np.testing.assert_allclose(again.predict(X, verbose=0), found, rtol=1e-6)
    again.fit(X, Y, verbose=0)
    model.save_weights(path / "model.weights.h5")
    again.load_weights(path / "model.weights.h5")
    np.testing.assert_allclose(again.predict(X, verbose=0), found, rtol=1e-6)
    return [float(np.abs(a - b).max()) for a, b in zip(before, layer.get_weights())]


@registered
def make(rng, inputs, training):
    assert training
    return {"w": jax.random.normal(rng, (inputs.shape[-1], 4)), "b": [jnp.zeros(4), None]}, jnp.zeros((), "int32")


@registered
def compute(params, state, inputs, training):
    return jnp.tanh(inputs @ params["w"] + params["b"][0]), state + 1 if training else state


@registered
def compute_alone(params, inputs):
    return inputs @ params["w"] + params["b"][0]


def test_functions_of_jax(tmp_path):
    layer = layers.JaxLayer(compute, make, seed=3)
    moved = trained_and_loaded(layer, tmp_path)
    assert moved[2] == 3 and min(moved) > 0
    assert layer.state.shape == () and set(layer.params) == {"w", "b"} and layer.params["b"][1] is None
    assert len(layer.trainable_weights) == 2 and len(layer.non_trainable_weights) == 1
    twin = layers.JaxLayer(compute, make, seed=3)
    twin.build((None, 3))
    assert not np.array_equal(twin.params["w"], layer.params["w"])
    other = layers.JaxLayer(compute, make, seed=3)
    other.build((None, 3))
    assert np.array_equal(twin.params["w"], other.params["w"])


def test_parameters_that_are_given(tmp_path):
    given = {"w": np.ones((3, 4), "float32"), "b": (np.zeros(4, "float32"), None)}
    layer = layers.JaxLayer(compute_alone, params=given)
    np.testing.assert_allclose(layer(X), X @ given["w"], rtol=1e-6)
    assert min(trained_and_loaded(layer, tmp_path)) > 0
    function = value_and_grad(lambda: jnp.sum(layer(X)), layer.trainable_weights)
    _, gradients = function()
    by_shape = {g.shape: g for g in gradients}
    np.testing.assert_allclose(by_shape[(4,)], np.full(4, 32.0), rtol=1e-6)
    np.testing.assert_allclose(by_shape[(3, 4)], np.repeat(X.sum(0)[:, None], 4, 1), rtol=1e-5)


def test_any_tree_and_any_order_of_arguments():
    layer = layers.JaxLayer(lambda state, inputs: (inputs, state), state={"a": None, "b": "text", "c": 1.0})
    assert layer.state["a"] is None and layer.state["b"] == "text" and layer.state["c"].shape == ()
    layer = layers.JaxLayer(
        lambda training, inputs, rng, state, params: (inputs, state), lambda training, inputs, rng: ({}, {})
    )
    assert layer(np.ones(1)).tolist() == [1.0] and layer.params == {}
    layer = layers.JaxLayer(lambda inputs: inputs * 2)
    assert layer(np.ones(1)).tolist() == [2.0] and layer.weights == []
    both = layers.JaxLayer(
        lambda params, inputs: (jnp.concatenate([inputs["a"], inputs["b"]], 1), inputs["a"]), params={}
    )
    inputs = {"a": keras.Input((None, 3)), "b": keras.Input((None, 3))}
    model = keras.Model(inputs, both(inputs))
    assert [x.shape for x in model({"a": np.ones((2, 6, 3)), "b": np.ones((2, 7, 3))})] == [(2, 13, 3), (2, 6, 3)]


def test_keys_are_fresh_in_each_call():
    layer = layers.JaxLayer(lambda rng, inputs: inputs + jax.random.uniform(rng), seed=1)
    assert float(layer(np.zeros(1))[0]) != float(layer(np.zeros(1))[0])


@pytest.mark.parametrize(
    "call, init, message",
    [
        (lambda params, inputs: inputs, None, "cannot all be None"),
        (lambda params: params, lambda rng, inputs: {}, "`call_fn` must take the argument `inputs`"),
        (lambda params, inputs: inputs, lambda rng: {}, "`init_fn` must take the argument `inputs`"),
        (lambda params, inputs, mode: inputs, lambda inputs: {}, "`call_fn` takes the argument `mode`"),
        (lambda params, inputs: inputs, lambda inputs, mode: {}, "`init_fn` takes the argument `mode`"),
    ],
)
def test_mistakes(call, init, message):
    with pytest.raises(ValueError, match=message):
        layers.JaxLayer(call, init)


@pytest.mark.parametrize("state", [[0.0], {"state": {"foo": 0.0}}, None, {"state": {}}, {"state": [[0.0]]}])
def test_state_of_another_form(state):
    layer = layers.JaxLayer(lambda params, state, inputs: (inputs, {"state": [jnp.ones([])]}), params={}, state=state)
    with pytest.raises(ValueError, match="structure"):
        layer(np.ones(1))


def test_names_that_nobody_knows():
    config = layers.JaxLayer(compute, make).get_config()
    assert config["call_fn"] == {
        "module": "builtins",
        "class_name": "function",
        "config": "foreign>compute",
        "registered_name": "function",
    }
    config["call_fn"] = config["call_fn"] | {"config": "foreign>unknown"}
    with pytest.raises(ValueError, match="foreign>unknown"):
        layers.JaxLayer.from_config(config)


def test_trees_that_are_too_large():
    config = layers.JaxLayer(compute_alone, params={"w": np.ones((3, 4)), "b": [np.ones(4)]}).get_config()
    config["params"]["tree"]["items"]["w"]["shape"] = [10**6, 10**9]
    with pytest.raises(ValueError, match="GB"):
        layers.JaxLayer.from_config(config)


@registered
class Module:
    """What FlaxLayer needs of a module of Flax."""

    def init(self, rngs, inputs, method, training):
        assert set(rngs) == {"params", "dropout"} and method is None
        kernel = jax.random.normal(rngs["params"], (inputs.shape[-1], 4))
        return {"params": {"kernel": kernel}, "stats": {"calls": jnp.zeros(())}}

    def apply(self, variables, inputs, rngs, mutable, method, training):
        assert mutable == ["stats"] and set(variables) == {"params", "stats"}
        calls = variables["stats"]["calls"] + training
        return jnp.tanh(inputs @ variables["params"]["kernel"]), {"stats": {"calls": calls}}

    def __call__(self, inputs, training=False):
        raise NotImplementedError

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_modules_like_those_of_flax(tmp_path):
    layer = layers.FlaxLayer(Module())
    moved = trained_and_loaded(layer, tmp_path)
    assert moved[0] > 0 and moved[1] == 3 and layer.state["stats"]["calls"].numpy() == 3
    given = layers.FlaxLayer(
        Module(), variables={"params": {"kernel": np.ones((3, 4), "float32")}, "stats": {"calls": 5.0}}
    )
    np.testing.assert_allclose(given(X), np.tanh(X @ np.ones((3, 4))), rtol=1e-5)
    assert float(given.state["stats"]["calls"]) == 5


@pytest.mark.skipif(lacks("flax"), reason="Flax is not installed")
def test_modules_of_flax(tmp_path):
    linen = importlib.import_module("flax.linen")

    @registered
    class Net(linen.Module):
        @linen.compact
        def forward(self, inputs, training=False):
            x = linen.BatchNorm(use_running_average=not training)(jnp.tanh(linen.Dense(8)(inputs)))
            return linen.Dense(4)(linen.Dropout(0.1, deterministic=not training)(x))

        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    for method in ("forward", Net().forward, Net.forward):
        layer = layers.FlaxLayer(Net(), method=method)
        moved = trained_and_loaded(layer, tmp_path)
        assert min(moved) > 0 and len(layer.trainable_weights) == 6 and len(layer.non_trainable_weights) == 2


@pytest.mark.skipif(lacks("torch"), reason="PyTorch is not installed")
def test_modules_of_torch(tmp_path):
    torch = importlib.import_module("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 4))
    layer = layers.TorchModuleWrapper(module)
    assert len(layer.trainable_weights) == 6 and len(layer.non_trainable_weights) == 3
    moved = trained_and_loaded(layer, tmp_path, safe_mode=False)
    assert min(moved) > 0 and moved[-1] == 3
    with pytest.raises(ValueError, match="arbitrary code execution"):
        keras.models.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="torch.load"):
        layers.TorchModuleWrapper.from_config(layer.get_config())
    wanted = layer.sync_module().eval()(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(layer(X), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(lacks("torch"), reason="PyTorch is not installed")
def test_gradients_of_torch():
    torch = importlib.import_module("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    layer = layers.TorchModuleWrapper(module, output_shape=(None, 2))
    inputs = torch.tensor(X, requires_grad=True)
    (module(inputs) ** 2).sum().backward()
    loss = lambda x: (layer(x) ** 2).sum()  # noqa: E731
    np.testing.assert_allclose(jax.jit(jax.grad(loss))(X), inputs.grad.numpy(), rtol=1e-4, atol=1e-6)
    _, gradients = value_and_grad(lambda: loss(X), layer.trainable_weights)()
    for found, parameter in zip(gradients, module.parameters()):
        np.testing.assert_allclose(found, parameter.grad.numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(TypeError, match="torch.nn.Module"):
        layers.TorchModuleWrapper(3)


@pytest.mark.parametrize(
    "library, made",
    [("torch", lambda: layers.TorchModuleWrapper(None)), ("tensorflow", lambda: layers.TFSMLayer("nowhere"))],
)
def test_libraries_that_are_not_there(library, made):
    if lacks(library):
        with pytest.raises(ImportError, match=f"pip install {library}"):
            made()


def test_saved_models_are_not_loaded_unasked():
    with pytest.raises(ValueError, match="arbitrary code execution"):
        layers.TFSMLayer.from_config({"filepath": "nowhere"})


def test_functions_on_the_host():
    def backward(values, constants, cotangents):
        (x, _), (factor,), (c, _) = values, constants, cotangents
        return [c * factor * np.cos(x), np.zeros(2)]

    specs = [jax.ShapeDtypeStruct((2,), "float32"), jax.ShapeDtypeStruct((), "int32")]
    run = host_function(lambda values, constants: [constants[0] * np.sin(values[0]), 7], backward, specs)
    x, numbers, factor = jnp.array([0.1, 0.2]), jnp.array([1, 2]), jnp.array(3.0)
    found, count = jax.jit(run)([x, numbers], [factor])
    np.testing.assert_allclose(found, 3 * np.sin(x), rtol=1e-6)
    assert int(count) == 7
    gradient = jax.jit(jax.grad(lambda x: run([x, numbers], [factor])[0].sum()))(x)
    np.testing.assert_allclose(gradient, 3 * np.cos(x), rtol=1e-6)
