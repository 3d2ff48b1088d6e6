"""The part of a model that quantizes all of its layers."""

import warnings
from typing import Any

from ..layers.base import Layer
from ..layers.quantized import QuantizableLayer
from ..quantizers import calibrate, should_quantize_layer, validate_and_resolve_config


class Quantizing(Layer, abstract=True):
    """Base of `Model`: `quantize` goes through the layers."""

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict | None:
        """The layers in the order of data, for modes that need data. Models for them write their own.

        Args:
            mode: `"gptq"` or `"awq"`.

        Returns:
            ``{"pre_block_layers": [...], "sequential_blocks": [...]}``, or `None` if it is not known.
        """
        return None

    def quantize(self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs) -> None:
        """Replaces the weights of the layers that allow it by others of fewer bits.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
            config: more about it, such as an `Int4QuantizationConfig`. It may stand in place of the mode; `"gptq"` and
                `"awq"` need one, for the data.
            filters: which layers: a regular expression that is searched in their names, a list of them, or a function
                of a layer. By default all.
            **kwargs: ``type_check=False`` takes subclasses of the library's layers too.

        Raises:
            ValueError: if there is no such mode, or the model is not built.

        >>> from oneiros import Sequential
        >>> from oneiros.layers import Dense
        >>> model = Sequential([Dense(8, input_shape=(4,)), Dense(1, name="head")])
        >>> model.quantize("int8", filters=lambda layer: layer.name != "head")
        >>> [layer.quantization_mode for layer in model.layers]
        ['int8', None]
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        config = validate_and_resolve_config(mode, config)
        if not self.built:
            raise ValueError(
                f"Cannot quantize a layer that isn't yet built. Layer '{self.name}' (of type "
                f"'{type(self).__name__}') is not built yet."
            )
        structure = None
        if config.mode in ("gptq", "awq"):
            structure = config.quantization_layer_structure or self.get_quantization_layer_structure(config.mode)
            if structure is None:
                raise ValueError(
                    f"For mode='{config.mode}', a valid quantization structure must be provided either via "
                    "`config.quantization_layer_structure` or by overriding `get_quantization_layer_structure`."
                )
        for layer in self.sublayers():
            allows = isinstance(layer, QuantizableLayer) and config.mode in layer.quantization_modes
            if allows and should_quantize_layer(layer, filters):
                try:
                    layer.quantize(config.mode, type_check=type_check, config=config)
                except NotImplementedError as error:
                    warnings.warn(f"Layer {layer.name} stays as it is. {error}")
        if structure is not None:
            calibrate(config, structure, filters)
        self.training_state.steps = None  # compiled steps are those of the old weights
