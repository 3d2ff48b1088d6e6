"""Weights and activations in fewer bits: functions, quantizers, and the configurations of `quantize`.

>>> import oneiros as keras
>>> layer = keras.layers.Dense(3)
>>> layer.build((None, 4))
>>> layer.quantize("int8")
>>> layer.kernel.dtype
'int8'
"""

from typing import Any

from .. import core
from .calibration import calibrate, get_dataloader, should_quantize_layer
from .functions import (
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    compute_quantization_parameters,
    dequantize_with_sz_map,
    dequantize_with_zero_point,
    fake_quant_with_min_max_vars,
    pack_int4,
    quantize_and_dequantize,
    quantize_with_sz_map,
    quantize_with_zero_point,
    unpack_int4,
)
from .objects import (
    AbsMaxQuantizer,
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
    Quantizer,
    validate_and_resolve_config,
)

__all__ = [
    "AWQConfig",
    "AbsMaxQuantizer",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "calibrate",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "compute_quantization_parameters",
    "dequantize_with_sz_map",
    "dequantize_with_zero_point",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "get_dataloader",
    "pack_int4",
    "quantize_and_dequantize",
    "quantize_with_sz_map",
    "quantize_with_zero_point",
    "serialize",
    "should_quantize_layer",
    "unpack_int4",
    "validate_and_resolve_config",
]
_kind = core.kind("quantizer")


def get(identifier: Any, **kwargs) -> Any:
    """Makes a quantizer of what a user writes.

    Args:
        identifier: a name such as `"abs_max_quantizer"`, a configuration, a class or an object; `None` for none.
        **kwargs: arguments of the constructor, where a name or a class is given.

    Raises:
        ValueError: if there is no such quantizer.

    >>> get("abs_max_quantizer", axis=0).axis
    (0,)
    """
    if isinstance(identifier, QuantizationConfig):
        return identifier
    if kwargs:
        return (_kind.find(identifier) if isinstance(identifier, str) else identifier)(**kwargs)
    return _kind.get(identifier)


def serialize(initializer: Any) -> dict:
    """The configuration of a quantizer, or of a configuration of `quantize`, in the form of Keras 3.

    Args:
        initializer: the object. (Keras 3 calls the argument so.)

    >>> serialize(AbsMaxQuantizer(axis=0))["config"]["axis"]
    (0,)
    """
    entry = {"module": "keras.quantizers"} | _kind.serialize(initializer)
    if type(initializer).__name__ not in _kind.objects:
        entry["module"] = type(initializer).__module__
    return entry | {"registered_name": None if entry["module"] == "keras.quantizers" else entry["class_name"]}


def deserialize(config: dict, custom_objects: dict | None = None) -> Any:
    """Makes a quantizer, or a configuration of `quantize`, from what `serialize` returned.

    Args:
        config: what `serialize` returned.
        custom_objects: a dictionary from names to classes of the caller's.

    >>> deserialize(serialize(Int4QuantizationConfig(block_size=64))).block_size
    64
    """
    return _kind.deserialize(config, custom_objects)
