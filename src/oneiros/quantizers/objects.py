"""Quantizers, and the configurations of `quantize`."""

import typing
from collections.abc import Sequence
from typing import Any

from .. import core
from ..core.errors import InputDataError
from ..core.fields import field
from ..core.policy import QUANTIZATION_MODES
from .functions import abs_max_quantize

_kind = core.kind("quantizer")
INTEGER_RANGES = {"int8": (-128, 127), "int4": (-8, 7)}


class Quantizer(core.Configurable, abstract=True):
    """Base class of quantizers. Subclasses define ``__call__(x)``, which returns integers and their scale.

    >>> import numpy as np
    >>> class Halves(Quantizer):
    ...     def __call__(self, x):
    ...         return np.round(x * 2).astype(self.output_dtype), 2.0
    >>> Halves()(np.array([1.5]))[0].tolist()
    [3]
    """

    kind = "quantizer"
    output_dtype: str = field(default="int8", last=True, doc="The type of the integers.")

    def __call__(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        if type(self) is Quantizer:
            raise NotImplementedError(f"{self} does not implement get_config()")
        return super().get_config()


_kind.add(Quantizer)


def _axes(name, value):
    if value is None:
        return None
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


class AbsMaxQuantizer(Quantizer):
    """Maps the largest absolute value to the end of a range of integers, and zero to zero.

    >>> import numpy as np
    >>> values, scale = AbsMaxQuantizer(axis=-1)(np.array([[1.0, 0.25]]))
    >>> values.tolist()
    [[127, 32]]
    """

    axis: int | Sequence[int] = field(_axes, default=None, doc="Axes along which numbers share a scale.")
    value_range: Sequence[int] = field(default=(-127, 127), doc="The smallest and the largest integer.")
    epsilon: float = field(default=1e-7, doc="Is added to the largest value, so that zeros do no harm.")

    def __post_init__(self):
        low, high = INTEGER_RANGES.get(self.output_dtype, (-float("inf"), float("inf")))
        if min(self.value_range) < low or max(self.value_range) > high:
            raise ValueError(
                f"Quantizer with output_dtype={self.output_dtype!r} requires value_range to be within the interval "
                f"[{low}, {high}]. Received: value_range={self.value_range}"
            )

    def __call__(self, x: Any, axis: Any = None, to_numpy: bool = False) -> tuple:
        """The integers and their scale.

        Args:
            x: floats of any shape.
            axis: the axes along which numbers share a scale, in place of the quantizer's.
            to_numpy: whether NumPy computes it.
        """
        axis = self.axis if axis is None else _axes("axis", axis)
        axis = -1 if axis is None else axis
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self.axis is not None else {k: v for k, v in config.items() if k != "axis"}


# --- configurations of `quantize`


def _quantizer(name, value):
    return value if value == "default" else _kind.get(value)


class QuantizationConfig(core.Configurable, abstract=True):
    """Base class of the configurations of `quantize`.

    >>> Int8QuantizationConfig().mode
    'int8'
    """

    kind = "quantizer"
    weight_quantizer: Any = field(
        _quantizer, default=None, doc="Quantizer of the weights. `None` stands for the mode's own."
    )
    activation_quantizer: Any = field(
        _quantizer, default=None, doc="Quantizer of the inputs. `None` leaves them as floats."
    )

    @property
    def mode(self) -> str:
        """The name of the mode, such as `"int8"`."""
        raise NotImplementedError("Do not instantiate QuantizationConfig directly. Use the class of a mode.")

    def dtype_policy_string(self) -> str:
        """The first part of the name of a quantized layer's policy."""
        return self.mode

    def _check_quantizers(self):
        low, high = INTEGER_RANGES[self.mode]
        for quantizer in (self.weight_quantizer, self.activation_quantizer):
            if not isinstance(quantizer, Quantizer):
                continue
            if quantizer.output_dtype != "int8":
                raise ValueError(
                    f"{type(self).__name__} requires quantizers with output_dtype='int8'. Received: "
                    f"output_dtype={quantizer.output_dtype!r}"
                )
            span = getattr(quantizer, "value_range", (low, high))
            if quantizer is self.weight_quantizer and (span[0] < low or span[1] > high):
                raise ValueError(
                    f"{type(self).__name__} requires a weight_quantizer with a value_range within [{low}, {high}]. "
                    f"Received: value_range={span}"
                )


_kind.add(QuantizationConfig)


class Int8QuantizationConfig(QuantizationConfig):
    """Weights, and by default inputs, as integers of 8 bits, which are multiplied as integers.

    >>> Int8QuantizationConfig(activation_quantizer=None).activation_quantizer is None
    True
    """

    mode = "int8"
    activation_quantizer: Any = field(
        default="default", doc="Quantizer of the inputs: `None` leaves them as floats, the default takes their rows."
    )

    def __post_init__(self):
        if self.activation_quantizer == "default":
            self.activation_quantizer = AbsMaxQuantizer()
        self._check_quantizers()


def _block_size(name, value):
    if value is not None and (value < -1 or value == 0):
        raise InputDataError(f"block_size must be None, -1 or a positive integer. Received: block_size={value}")
    return value


class Int4QuantizationConfig(QuantizationConfig):
    """Weights as integers of 4 bits, two in a byte, with a scale and a zero point for each block of a column.

    >>> Int4QuantizationConfig(block_size=64).dtype_policy_string()
    'int4/64'
    """

    mode = "int4"
    activation_quantizer: Any = field(default="default", doc="Quantizer of the inputs. By default they stay floats.")
    block_size: int = field(
        _block_size, default=128, doc="Length of the blocks. `None` or -1: one scale for a whole column, and no zero."
    )

    def __post_init__(self):
        if self.activation_quantizer == "default":
            self.activation_quantizer = None
        own = self.weight_quantizer is not None or self.activation_quantizer is not None
        if own and self.block_size not in (None, -1):
            raise ValueError(
                f"Int4QuantizationConfig: sub-channel quantization (block_size={self.block_size}) does not support "
                "quantizers of your own. Set block_size=None."
            )
        self._check_quantizers()

    def dtype_policy_string(self) -> str:
        return f"int4/{-1 if self.block_size is None else self.block_size}"


class Float8QuantizationConfig(QuantizationConfig):
    """Products of 8-bit floats, forwards and backwards, for training.

    >>> Float8QuantizationConfig().mode
    'float8'
    """

    mode = "float8"
    weight_quantizer = activation_quantizer = None


# --- quantization with data


def _positive(name, value):
    if not isinstance(value, int) or value < 1:
        raise InputDataError(f"{name} must be a positive integer. Received: {name}={value!r}")
    return value


def _group_size(name, value):
    if value < -1 or value == 0:
        raise InputDataError(
            f"Invalid group_size. Supported values are -1 (one group) or a positive integer. Received: {value!r}"
        )
    return value


def _weight_bits(name, value):
    if value not in (2, 3, 4, 8):
        raise InputDataError(f"Unsupported weight_bits {value!r}. Supported values are 2, 3, 4 and 8.")
    return value


def _four_bits(name, value):
    if value != 4:
        raise InputDataError(f"AWQ only supports 4-bit weights. Received: weight_bits={value!r}")
    return value


def _damping(name, value):
    if not 0 <= value <= 1:
        raise InputDataError(f"hessian_damping must be between 0 and 1. Received: {value!r}")
    return value


class CalibratedConfig(QuantizationConfig):
    """What the configurations share that quantize weights by the data that goes through a model.

    >>> AWQConfig(["a text"], str.split, group_size=64).dtype_policy_string()
    'awq/4/64'
    """

    weight_quantizer = activation_quantizer = None
    dataset: Any = field(doc="Texts, or arrays of tokens, that are like what the model will see.")
    tokenizer: Any = field(doc="Function from a text to its tokens, or an object with a method `tokenize`.")
    weight_bits: int = field(_weight_bits, default=4, kw_only=True, doc="Number of bits of a weight.")
    num_samples: int = field(_positive, default=128, kw_only=True, doc="Number of sequences to take from the data.")
    sequence_length: int = field(_positive, default=512, kw_only=True, doc="Number of tokens in each of them.")
    group_size: int = field(
        _group_size, default=128, kw_only=True, doc="Number of weights that share a scale; -1 for a whole column."
    )
    quantization_layer_structure: dict = field(
        default=None,
        kw_only=True,
        last=True,
        doc='The layers in order: `{"pre_block_layers": [...], "sequential_blocks": [...]}`.',
    )

    def dtype_policy_string(self) -> str:
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments without the data, the tokenizer and the layers."""
        left_out = dict.fromkeys(("dataset", "tokenizer", "quantization_layer_structure"))
        return {name: left_out.get(name, getattr(self, name)) for name in type(self).__fields__} | left_out


class GPTQConfig(CalibratedConfig):
    """Weights quantized one after the other, where those that follow make up for the error.

    Source: Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers"
    (arXiv:2210.17323).

    >>> GPTQConfig(None, None, weight_bits=4, group_size=8).dtype_policy_string()
    'gptq/4/8'
    """

    mode = "gptq"
    per_channel: bool = field(
        default=True, kw_only=True, after="num_samples", doc="Whether each output has scales of its own."
    )
    hessian_damping: float = field(
        _damping,
        default=0.01,
        kw_only=True,
        after="sequence_length",
        doc="Share of the mean of the Hessian's diagonal that is added to it.",
    )
    symmetric: bool = field(default=False, kw_only=True, doc="Whether the middle of the integers stands for zero.")
    activation_order: bool = field(
        default=False, kw_only=True, doc="Whether the inputs with the largest values are quantized first."
    )


class AWQConfig(CalibratedConfig):
    """Weights scaled before they are quantized, so that those matter most that meet large inputs.

    Source: Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration"
    (arXiv:2306.00978).

    >>> AWQConfig(None, None, num_grid_points=10).num_grid_points
    10
    """

    mode = "awq"
    weight_bits: int = field(_four_bits, default=4, kw_only=True)
    num_grid_points: int = field(_positive, default=20, kw_only=True, doc="Number of exponents that are tried.")


_CONFIGS = {
    config.mode: config
    for config in (Int8QuantizationConfig, Int4QuantizationConfig, Float8QuantizationConfig, GPTQConfig, AWQConfig)
}


def validate_and_resolve_config(mode: str | None, config: Any) -> typing.Any:
    """The configuration of a call of `quantize`.

    Args:
        mode: the name of the mode, or `None` if the configuration says it.
        config: the configuration, or `None` for the mode's default.

    Raises:
        ValueError: if there is no such mode, if they contradict each other, or if the mode needs a configuration.

    >>> validate_and_resolve_config("int8", None).mode
    'int8'
    """
    if config is None:
        _check_mode(mode)
        if mode in ("gptq", "awq"):
            name = _CONFIGS[mode].__name__
            raise ValueError(f"For {mode.upper()}, you must pass a `{name}` object in the `config` argument.")
        return _CONFIGS[mode]()
    if not isinstance(config, QuantizationConfig):
        raise ValueError(
            f"Argument `config` must be an instance of `QuantizationConfig`. Received: config={config!r} (of type "
            f"{type(config)})"
        )
    _check_mode(config.mode)
    if mode is not None and mode != config.mode:
        raise ValueError(f"Contradictory arguments: mode={mode!r}, and a `config` with mode={config.mode!r}.")
    if config.mode in ("gptq", "awq") and not isinstance(config, _CONFIGS[config.mode]):
        name = _CONFIGS[config.mode].__name__
        raise ValueError(
            f"Mode {config.mode!r} requires a valid `config` argument of type `{name}`. Got {type(config)}."
        )
    return config


def _check_mode(mode):
    if mode not in QUANTIZATION_MODES:
        raise ValueError(f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. Received: mode={mode}")
