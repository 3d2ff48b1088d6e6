"""`multi_gpu_model`: one model on several devices, each with a part of the batch."""

import warnings
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..core.errors import InputDataError
from ..layers import Activation, Layer
from ..layers.input_layer import Input
from .model import Model


class _Split(Layer):
    """Spreads the batch over devices, where it can be divided among them."""

    def __init__(self, devices, **kwargs):
        super().__init__(**kwargs)
        self.devices = devices

    def call(self, inputs):
        if inputs.shape[0] % len(self.devices):
            return inputs
        sharding = NamedSharding(Mesh(self.devices, ("batch",)), PartitionSpec("batch"))
        return jax.lax.with_sharding_constraint(inputs, sharding)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def multi_gpu_model(model: Model, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False) -> Model:
    """Makes a model that shares the weights of another, and computes each batch on several devices, a part on each.

    Train and call the new model; save the old one, which is a layer of it. A batch that cannot be divided evenly is
    computed whole. If there are fewer devices than asked for, those that exist compute everything, with a warning.

    Args:
        model: the model.
        gpus: the number of devices, or a list of their numbers; by default all that this process sees. A CPU counts as
            one.
        cpu_merge: accepted for Keras 2; the compiler decides where results are put together.
        cpu_relocation: accepted for Keras 2; the compiler decides where weights are.

    Returns:
        A new `Model`.

    Raises:
        InputDataError: if `gpus` is less than 2.

    >>> from oneiros import Sequential, layers
    >>> multi_gpu_model(Sequential([layers.Dense(1, input_shape=(2,))])).output_shape
    (None, 1)
    """
    inputs = [Input(batch_shape=tuple(s.shape), dtype=s.dtype, name=n) for s, n in zip(model.inputs, model.input_names)]
    devices, parts = _devices(gpus), inputs
    if len(devices) > 1:
        parts = [_Split(devices, name=f"split_{n}")(x) for x, n in zip(inputs, model.input_names)]
    outputs = model(parts if len(parts) > 1 else parts[0])
    outputs = outputs if isinstance(outputs, list) else [outputs]
    named = [Activation("linear", name=n)(y) for y, n in zip(outputs, model.output_names)]
    return Model(inputs if len(inputs) > 1 else inputs[0], named if len(named) > 1 else named[0])


def _devices(gpus):
    available = jax.devices()
    if gpus is None:
        return available
    numbers = list(gpus) if isinstance(gpus, (list, tuple)) else list(range(gpus))
    if len(numbers) < 2:
        raise InputDataError(f"multi_gpu_model: expected gpus of at least 2, or None for all. Received: gpus={gpus}")
    found = [available[i] for i in numbers if 0 <= i < len(available)]
    if len(found) < len(numbers):
        warnings.warn(
            f"multi_gpu_model: asked for the devices {numbers}; this process sees {len(available)} "
            f"({available[0].platform}), which compute{'s' * (len(available) == 1)} everything."
        )
    return found or available
