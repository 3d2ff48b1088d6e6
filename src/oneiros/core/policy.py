"""The number types of layers: one for the weights, one for the computation, and how weights are quantized."""

import re
from typing import Any

import jax.numpy as jnp

from . import config
from .registry import kind

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")
_kind = kind("dtype policy")


class DTypePolicy:
    """The number types of a layer.

    Args:
        name: a type such as `"float32"`, which is used for everything; or `"mixed_bfloat16"` or `"mixed_float16"`, for
            float32 weights and 16-bit arithmetic. By default that of the global policy.

    Raises:
        ValueError: if the name is not that of a type.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.variable_dtype, policy.compute_dtype
    ('float32', 'bfloat16')
    """

    quantization_mode = None  # how weights are quantized: one of `QUANTIZATION_MODES`

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__module__.split(".")[0] == __name__.split(".")[0]:
            _kind.add(cls)

    def __init__(self, name: str | None = None):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"'name' must be a string, such as 'float32'. Received: name={name!r}")
        self.name = _source_of(dtype_policy()) if name is None else name
        self.compute_dtype, self.variable_dtype = _types(self.name)

    def __eq__(self, other):
        return type(other) is type(self) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f'<{type(self).__name__} "{self.name}">'

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """The inputs of a layer in the type that it computes in.

        Args:
            x: an array or a number; anything else stays as it is.
            autocast: whether floats are converted.
            dtype: the type.

        >>> DTypePolicy("float16").convert_input(jnp.ones(2), True, "float16").dtype
        dtype('float16')
        """
        if isinstance(x, (int, float)):
            return jnp.asarray(x, dtype)
        floating = hasattr(x, "astype") and jnp.issubdtype(x.dtype, jnp.floating)
        return x.astype(dtype) if autocast and floating and x.dtype != dtype else x

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "DTypePolicy":
        """A new policy from what `get_config` returned."""
        return cls(**config)


FloatDTypePolicy = DTypePolicy
for _name in ("DTypePolicy", "FloatDTypePolicy"):
    _kind.add(DTypePolicy, _name)


def _types(name):
    """The compute type and the variable type that a name stands for."""
    mixed = name.startswith("mixed_")
    compute = name.removeprefix("mixed_")
    try:
        jnp.dtype(compute)
    except TypeError:
        compute = ""
    if not compute:
        raise ValueError(
            f"Cannot convert {name!r} to a dtype policy. Expected a type name such as 'float32', "
            "'mixed_bfloat16' or 'mixed_float16'."
        )
    config.require_float64(compute)
    return compute, "float32" if mixed else compute


def _source_of(policy):
    return getattr(policy, "source_name", None) or policy.name


class QuantizedDTypePolicy(DTypePolicy):
    """The number types of a layer whose weights are quantized.

    Args:
        mode: how they are quantized: `"int8"` or `"int4"`.
        source_name: the name of the policy that the layer has otherwise. By default that of the global one.

    Raises:
        ValueError: if there is no such mode or policy, or if the mode does not work with the policy.

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy.name, policy.quantization_mode, policy.compute_dtype
    ('int8_from_mixed_bfloat16', 'int8', 'bfloat16')
    """

    modes = QUANTIZATION_MODES

    def __init__(self, mode: str, source_name: str | None = None):
        if source_name is not None and not isinstance(source_name, str):
            raise TypeError(f"'name' must be a string: that of a policy. Received: source_name={source_name!r}")
        self.source_name = _source_of(dtype_policy()) if source_name is None else source_name
        self.mode = self.quantization_mode = self._parsed(str(mode))
        if self.quantization_mode not in self.modes:
            raise ValueError(f"Invalid quantization mode. Expected one of {self.modes}. Received: mode={mode}")
        self.full_mode = mode
        self.name = f"{mode}_from_{self.source_name}"
        self.compute_dtype, self.variable_dtype = _types(self.source_name)
        if self.mode in ("int8", "int4") and self.compute_dtype == "float16":
            raise ValueError(f"Quantization mode={mode!r} doesn't work well with compute_dtype='float16'.")

    def _parsed(self, mode):
        """The mode without the numbers behind it, which become attributes."""
        return mode

    def get_config(self) -> dict:
        return {"mode": self.full_mode, "source_name": self.source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The number types of a layer that multiplies in 8-bit floats.

    Args:
        mode: `"float8"`.
        source_name: the name of the policy that the layer has otherwise. By default that of the global one.
        amax_history_length: the number of past steps whose largest value sets the scale.

    >>> QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=16).name
    'float8_from_float32'
    """

    modes = ("float8",)
    default_amax_history_length = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = default_amax_history_length
    ):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(f"amax_history_length must be an integer. Received: {amax_history_length!r}")
        self.amax_history_length = amax_history_length

    def __eq__(self, other):
        return super().__eq__(other) and other.amax_history_length == self.amax_history_length

    __hash__ = DTypePolicy.__hash__

    def get_config(self) -> dict:
        return super().get_config() | {"amax_history_length": self.amax_history_length}


class _Numbered(QuantizedDTypePolicy):
    """A policy whose mode is followed by numbers: ``"int4/128"``."""

    numbers = ()

    def _parsed(self, mode):
        name, *parts = mode.split("/")
        form = "/".join([self.modes[0], *(f"<{number}>" for number in self.numbers)])
        expected = f"Invalid mode for {type(self).__name__}. Expected format '{form}', but got '{mode}'."
        if name not in self.modes or len(parts) != len(self.numbers):
            raise ValueError(expected)
        if not all(re.fullmatch(r"-?\d+", part) for part in parts):
            raise ValueError(f"{expected} {' and '.join(f'<{n}>' for n in self.numbers)} must be integers.")
        for attribute, part in zip(self.numbers, parts):
            setattr(self, attribute, int(part))
        size = int(parts[-1])
        if size < -1 or size == 0:
            raise ValueError(f"Invalid {self.numbers[-1]}. Supported values are -1 and positive integers. Got {size}.")
        return name

    def __eq__(self, other):
        return QuantizedDTypePolicy.__eq__(self, other)

    __hash__ = DTypePolicy.__hash__


class Int4DTypePolicy(_Numbered):
    """The number types of a layer whose weights are integers of 4 bits, with a scale for each block of them.

    Args:
        mode: `"int4/<block_size>"`. A block size of -1 stands for one scale for a whole column.
        source_name: the name of the policy that the layer has otherwise. By default that of the global one.

    >>> Int4DTypePolicy("int4/64", "float32").block_size
    64
    """

    modes, numbers = ("int4",), ("block_size",)


class GPTQDTypePolicy(_Numbered):
    """The number types of a layer whose weights are quantized by GPTQ.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`. A group size of -1 stands for one scale for a whole column.
        source_name: the name of the policy that the layer has otherwise. By default that of the global one.

    >>> GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
    4
    """

    modes, numbers = ("gptq",), ("weight_bits", "group_size")

    def _parsed(self, mode):
        name = super()._parsed(mode)
        if self.weight_bits not in (2, 3, 4, 8):
            raise ValueError(f"Invalid weight_bits. Supported values are 2, 3, 4 and 8. Got {self.weight_bits}.")
        return name


class AWQDTypePolicy(_Numbered):
    """The number types of a layer whose weights are quantized by AWQ.

    Args:
        mode: `"awq/4/<group_size>"`. A group size of -1 stands for one scale for a whole column.
        source_name: the name of the policy that the layer has otherwise. By default that of the global one.

    >>> AWQDTypePolicy("awq/4/128", "float32").group_size
    128
    """

    modes, numbers = ("awq",), ("weight_bits", "group_size")

    def _parsed(self, mode):
        name = super()._parsed(mode)
        if self.weight_bits != 4:
            raise ValueError(f"Invalid weight_bits. AWQ only supports 4-bit weights. Got {self.weight_bits}.")
        return name


def _quantized(name):
    """The policy called ``<mode>_from_<source>``."""
    mode, found, source = name.partition("_from_")
    if not found:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
            f"`QuantizedDTypePolicy`. Received: policy={name}"
        )
    classes = {"gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy, "float8": QuantizedFloat8DTypePolicy}
    if "/" in mode:
        classes["int4"] = Int4DTypePolicy
    return classes.get(mode.partition("/")[0], QuantizedDTypePolicy)(mode, source)


def get(identifier: Any) -> DTypePolicy:
    """The policy that a user means.

    Args:
        identifier: a name, such as `"mixed_float16"` or `"int8_from_float32"`, a NumPy type, a configuration, or a
            policy; `None` for the global one.

    Raises:
        ValueError: if there is no such policy.

    >>> get("int8_from_mixed_bfloat16").quantization_mode
    'int8'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        if identifier["class_name"] in _kind.objects:
            return _kind.deserialize(identifier)
        return get(identifier["config"]["name"])  # of tf.keras
    if isinstance(identifier, str):
        types = ("int8", "int4")  # as well as modes
        if identifier not in types and re.match(rf"({'|'.join(QUANTIZATION_MODES)})(/|_[^e]|$)", identifier):
            return _quantized(identifier)
        if identifier.startswith("mixed_"):
            return DTypePolicy(identifier)
    name = getattr(identifier, "name", None) or identifier
    try:
        name = name if isinstance(name, str) and name.startswith("mixed_") else str(jnp.dtype(name))
    except TypeError:
        if isinstance(name, str):
            return DTypePolicy(name)
        raise ValueError(
            f"Cannot interpret `dtype` argument. Expected a policy or the name of one. Received: {identifier!r}"
        ) from None
    return DTypePolicy(name)


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are made without one."""
    return config.settings.dtype_policy or DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are made without one.

    Args:
        policy: a name, a type or a policy; `None` stands for `floatx()`.
    """
    try:
        config.settings.dtype_policy = None if policy is None else get(policy)
    except ValueError as error:
        if isinstance(policy, (str, DTypePolicy)):
            raise
        raise ValueError(f"Invalid `policy` argument. {error}") from None
