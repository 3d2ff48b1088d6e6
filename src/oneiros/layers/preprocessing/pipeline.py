"""Several layers as one."""

from typing import Any

from ...core import get_mask, kind, set_mask
from ...core.errors import InputDataError
from ...core.fields import field
from ...core.registry import serialize_value
from ..base import Layer


def _layers(name, value):
    if not isinstance(value, (list, tuple)) or not all(isinstance(layer, Layer) for layer in value):
        raise InputDataError(f"{name}: expected a list of layers. Received: {name}={value!r}")
    return list(value)


class Pipeline(Layer):
    """Applies layers one after the other, for example to augment images. It is no model, but a layer.

    Without a model around it, layers that are random are so in each call: `training` is True by default.

    Shapes: those of the first layer's inputs and the last layer's outputs.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> Pipeline([keras.layers.Rescaling(2.0), keras.layers.CenterCrop(2, 2)])(np.ones((1, 4, 4, 3))).shape
    (1, 2, 2, 3)
    """

    supports_masking = True
    positional_last = ("name",)

    layers: list = field(_layers, doc="The layers, from the first to the last.")

    def build(self, input_shape: Any) -> None:
        for layer in self.layers:
            if not layer.built:
                layer.build(input_shape)
                layer.built = True
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        if mask is not None and get_mask(inputs) is None:
            set_mask(inputs, mask)
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None  # the layers inside have set the mask of the outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict:
        return {"name": self.name, "layers": [serialize_value(layer) for layer in self.layers]}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Pipeline":
        layers = config.get("layers")
        if not isinstance(layers, list):
            raise InputDataError(f"Pipeline: the configuration must hold a list of layers. Received: layers={layers!r}")
        layers = [
            kind("layer").deserialize(layer, custom_objects) if isinstance(layer, dict) else layer for layer in layers
        ]
        return cls(**config | {"layers": layers})
