"""What layers mix in whose main weight can be quantized, or adapted by LoRA.

A layer says what its main weight is, and how inputs and outputs belong to it; `quantization_modes` has what each mode
stores and computes. A layer that is neither quantized nor adapted pays for none of it.
"""

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import Variable, policy
from ..core.fields import field
from ..quantizers import validate_and_resolve_config
from .arguments import Quantization
from .base import Layer
from .quantization_modes import KERNEL_MODES, Mode


class MainWeight:
    """The attribute `kernel` or `embeddings`: the variable; or, with LoRA or packed integers, what it stands for."""

    def __set_name__(self, owner, name):
        self.place = f"_{name}"

    def __get__(self, layer, cls):
        if layer is None:
            return self
        if self.place not in vars(layer) and not layer.built:
            raise AttributeError(f"Layer {layer.name} has no {self.place[1:]} yet: build it first, or call it on data.")
        return layer.shown_weight()

    def __set__(self, layer, value):
        vars(layer)[self.place] = value


class QuantizableLayer(Layer, abstract=True):
    """Base of the layers with a main weight that can be quantized, or adapted by LoRA.

    LoRA trains two narrow matrices whose product is added to the weight, which itself stays as it is. Source: Hu et
    al., "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv:2106.09685).

    >>> from oneiros.layers import Dense
    >>> layer = Dense(8)
    >>> layer.build((None, 16))
    >>> layer.enable_lora(2)
    >>> [v.name for v in layer.trainable_weights]
    ['bias', 'lora_kernel_a', 'lora_kernel_b']
    """

    lora_rank: int = field(
        default=None, last=True, doc="If given, LoRA is enabled with matrices of this rank when the layer is built."
    )
    lora_alpha: float = field(
        default=None, last=True, doc="LoRA's product is multiplied by `lora_alpha / lora_rank`. By default the rank."
    )
    quantization_config: Quantization = field(
        default=None, last=True, doc="How a layer with a policy such as `int8_from_float32` is quantized."
    )

    main_name = "kernel"
    quantization_modes = KERNEL_MODES
    lora_enabled = False
    is_gptq_calibrated = is_awq_calibrated = False  # whether the integers are those of a calibration
    _main_shape = None

    # --- what layers say of their main weight

    def product(self, inputs: Array, weight: Array) -> Array:
        """The outputs for a weight, without bias and activation."""
        raise NotImplementedError

    def summed_axes(self) -> tuple[int, ...]:
        """The axes of the weight that are summed over."""
        return (0,)

    def summed_input_axes(self) -> tuple[int, ...]:
        """The axes of the inputs that are summed over."""
        return (-1,)

    def for_outputs(self, scale: Array) -> Array:
        """A scale that fits the weight, as it fits the outputs."""
        return scale[0]

    def of_outputs(self, scale: Array) -> Array:
        """A scale that fits the outputs, as it fits the weight."""
        return scale

    def inputs_to_outputs(self, scale: Array) -> Array:
        """A scale that fits the inputs, as it fits the outputs."""
        return scale

    def matrix_shape(self) -> tuple[int, int]:
        """The shape of the weight as a matrix of summed axes and others."""
        return self.kernel_shape

    def as_matrix(self, weight: Array) -> Array:
        """The weight as a matrix of summed axes and others."""
        return weight

    def from_matrix(self, matrix: Array) -> Array:
        """The weight that a matrix stands for. With one row it fits the weight all the same."""
        return matrix

    # --- the weight

    @property
    def main_weight(self) -> Variable | None:
        """The variable of the main weight: floats, or integers; `None` where only those of a calibration are left."""
        return vars(self).get(f"_{self.main_name}")

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """The shape of the main weight before it is quantized."""
        return self._main_shape

    def part(self, part: str) -> str:
        """The attribute of one of a mode's variables, such as `kernel_scale` for `"scale"`."""
        names = {"g_idx": "g_idx", "awq_scales": "awq_scales", "quantized": f"quantized_{self.main_name}"}
        return names.get(part, f"{self.main_name}_{part}")

    def value_of(self, part: str) -> Array:
        """The value of one of a mode's variables."""
        return getattr(self, self.part(part)).raw

    def add_main_weight(self, shape: tuple[int, ...], input_shape: tuple) -> None:
        """Makes the main weight, in floats or as the layer's policy says. For `build`."""
        self._main_shape = tuple(shape)
        mode = self.quantization_mode
        if mode is None or mode == "float8":
            setattr(self, self.main_name, self.add_weight(self.main_name, shape))
        if mode is not None:
            self.quantized_build(input_shape, mode)

    def add_part(
        self, part: str | None, shape: tuple, dtype: Any = None, initializer: Any = "zeros", value: Any = None
    ) -> None:
        """Makes one of the variables of a mode; `None` for the main weight in another type."""
        attribute = self.main_name if part is None else self.part(part)
        name = self.main_name if part in (None, "quantized") else attribute
        variable = self._add_beside(name, shape, dtype, initializer, trainable=False)
        if value is not None:
            variable.assign(value)
        setattr(self, attribute, variable)

    def _add_beside(self, name, shape, dtype, initializer, **more):
        """A new variable whose path is like that of the main weight."""
        beside = next((v.path for v in self._own), None)
        variable = self.add_weight(name, shape, dtype, initializer, **more)
        if beside is not None:
            variable.path = f"{beside.rpartition('/')[0]}/{name}"
        return variable

    def shown_weight(self) -> Any:
        """What the attribute of the main weight is."""
        mode = self.quantization_modes.get(self.quantization_mode)
        weight = self.main_weight if mode is None else mode.shown(self)
        return jnp.asarray(weight) + self._lora_product() if self.lora_enabled else weight

    def dequantized_weight(self) -> Array:
        """The main weight in floats, or the floats that its integers stand for, with LoRA."""
        mode = self.quantization_modes.get(self.quantization_mode)
        weight = self.main_weight.raw if mode is None or mode.keeps_floats else mode.dequantized(self)
        return weight + self._lora_product().astype(weight.dtype) if self.lora_enabled else weight

    def float_weight(self) -> Array:
        """The main weight in floats, with LoRA."""
        weight = self.main_weight.value
        return weight + self._lora_product().astype(weight.dtype) if self.lora_enabled else weight

    # --- LoRA

    def enable_lora(
        self,
        rank: int,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
        lora_alpha: float | None = None,
    ) -> None:
        """Adds two narrow matrices whose product is added to the main weight, and freezes the weight itself.

        Args:
            rank: the number of columns of the first, and of rows of the second.
            a_initializer: the initializer of the first.
            b_initializer: the initializer of the second; with zeros nothing changes at first.
            lora_alpha: the product is multiplied by ``lora_alpha / rank``. By default the rank.

        Raises:
            ValueError: if the layer is not built, has LoRA already, or a constraint on the weight.
        """
        name = self.main_name
        if getattr(self, f"{name}_constraint", None) is not None:
            raise ValueError(
                f"Lora is incompatible with {name.removesuffix('s')} constraints. To enable lora on this layer, remove "
                f"the `{name}_constraint` argument."
            )
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        self._add_lora(rank, lora_alpha, a_initializer, b_initializer)

    def _add_lora(self, rank, alpha, a_initializer="he_uniform", b_initializer="zeros"):
        if self.lora_enabled:
            raise ValueError("lora is already enabled. This can only be done once per layer.")
        shape, penalty = self.kernel_shape, getattr(self, f"{self.main_name}_regularizer", None)
        for letter, size, start in (
            ("a", (*shape[:-1], rank), a_initializer),
            ("b", (rank, shape[-1]), b_initializer),
        ):
            variable = self._add_beside(f"{self._lora_name}_{letter}", size, None, start, regularizer=penalty)
            setattr(self, f"{self._lora_name}_{letter}", variable)
        if self.main_weight is not None:
            self.main_weight.trainable = False
        self.lora_enabled, self.lora_rank, self.lora_alpha = True, rank, rank if alpha is None else alpha

    def add_lora_if_asked(self) -> None:
        """Enables LoRA if the constructor was told its rank. For the end of `build`."""
        if self.lora_rank:
            self._add_lora(self.lora_rank, self.lora_alpha)

    @property
    def _lora_name(self):
        return f"lora_{self.main_name}"

    @property
    def _lora_matrices(self):
        """The two matrices and the factor of their product."""
        a, b = getattr(self, f"{self._lora_name}_a"), getattr(self, f"{self._lora_name}_b")
        return a.value, b.value, self.lora_alpha / self.lora_rank

    def _lora_product(self):
        a, b, factor = self._lora_matrices
        return factor * jnp.matmul(a, b)

    def lora_outputs(self, inputs: Array, a: Array, b: Array) -> Array:
        """The outputs for the product of LoRA's matrices in place of the weight."""
        return jnp.matmul(self.product(inputs, a), b)

    def with_lora(self, inputs: Array, outputs: Array) -> Array:
        """The outputs of a quantized weight, and those of LoRA."""
        if not self.lora_enabled:
            return outputs
        a, b, factor = self._lora_matrices
        return outputs + factor * self.lora_outputs(inputs, a, b).astype(outputs.dtype)

    # --- quantization

    @property
    def inputs_quantizer(self) -> Any:
        """The quantizer of the inputs, `None` where they stay floats."""
        return getattr(self.quantization_config, "activation_quantizer", None)

    @property
    def is_calibrated(self) -> bool:
        """Whether a weight of GPTQ or AWQ is that of a calibration."""
        return self.is_gptq_calibrated or self.is_awq_calibrated or self.main_weight is None

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replaces the main weight by one of fewer bits.

        Args:
            mode: `"int8"`, `"int4"` or `"float8"`; `"gptq"` and `"awq"` prepare for a calibration.
            type_check: whether to refuse subclasses, which may compute something else with the weight.
            config: more about it, such as an `Int4QuantizationConfig`. It may stand in place of the mode.

        Raises:
            ValueError: if there is no such mode, or if the layer is not built or quantized already.
            NotImplementedError: if the layer has not that mode, or is of a subclass.

        >>> from oneiros.layers import Dense
        >>> layer = Dense(3)
        >>> layer.build((None, 4))
        >>> layer.quantize("int8")
        >>> layer.dtype_policy.name, layer.kernel.dtype
        ('int8_from_float32', 'int8')
        """
        if type_check and type(self).__module__.split(".")[0] != __name__.split(".")[0]:
            super().quantize(mode, type_check, config)
        if not self.built:
            raise ValueError(
                f"Cannot quantize a layer that isn't yet built. Layer '{self.name}' (of type "
                f"'{type(self).__name__}') is not built yet."
            )
        if self.quantization_mode is not None:
            raise ValueError(
                f"Layer '{self.name}' is already quantized with dtype_policy='{self.layer_policy.name}'. Received: "
                f"mode={mode}"
            )
        config = validate_and_resolve_config(mode, config)
        handler = self._mode(config.mode)
        new = policy.get(f"{config.dtype_policy_string()}_from_{self.layer_policy.name}")
        self.quantization_config = config
        values = {} if handler.keeps_floats else handler.values(self, self.main_weight.raw)
        if not handler.keeps_floats:
            self.drop_main_weight()
        self._dtype_policy = new
        handler.build(self)
        self._assign(values)

    def _assign(self, values):
        for name, value in values.items():
            (self.main_weight if name == self.main_name else getattr(self, name)).assign(value)

    def _mode(self, mode) -> Mode:
        if mode not in self.quantization_modes:
            raise NotImplementedError(
                f"Invalid quantization mode. Expected one of {tuple(self.quantization_modes)}. Received: "
                f"quantization_mode={mode}"
            )
        return self.quantization_modes[mode]

    def quantized_build(self, input_shape: Any, mode: str, config: Any = None) -> None:
        """Makes the variables of a mode.

        Args:
            input_shape: the shape of the inputs.
            mode: the mode.
            config: more about it; by default what the layer's policy and its `quantization_config` say.
        """
        handler = self._mode(mode)
        if config is not None:
            self.quantization_config = config
        if self.quantization_config is None and mode in ("int8", "int4", "float8"):
            self.quantization_config = validate_and_resolve_config(mode, None)
            if mode == "int4":  # a policy without a block size is that of files of Keras before 3.13
                self.quantization_config.block_size = getattr(self.layer_policy, "block_size", None)
        handler.build(self)

    def quantized_call(self, inputs: Array) -> Array:
        """What `call` does, with the quantized weight."""
        return self.finish(self._mode(self.quantization_mode).apply(self, self.prepare(inputs)))

    def prepare(self, inputs: Array) -> Array:
        """The inputs as `product` takes them."""
        return inputs

    def finish(self, outputs: Array) -> Array:
        """What follows the product: bias and activation."""
        return outputs

    def drop_main_weight(self) -> None:
        """Gives up the main weight, in whose place there is another."""
        weight = vars(self).pop(f"_{self.main_name}", None)
        self._own = [variable for variable in self._own if variable is not weight]

    # --- files

    def loads_itself(self) -> bool:
        own = type(self).load_own_variables is not QuantizableLayer.load_own_variables
        return own or self.lora_enabled or self.quantization_mode is not None

    def _stored(self):
        """The variables that files hold, in their order, by attribute. LoRA's are part of the weight there."""
        mode = self.quantization_modes.get(self.quantization_mode)
        names = [self.main_name] if mode is None else mode.names(self)
        bias = getattr(self, "bias", None)
        places = names[:1] if names[0] == self.main_name else []
        found = dict.fromkeys(places, self.main_weight)
        found |= {} if bias is None else {"bias": bias}
        found |= {name: getattr(self, name) for name in names[len(places) :]}
        known = {*map(id, found.values()), id(self.main_weight)}
        known |= {id(getattr(self, f"{self._lora_name}_{letter}", None)) for letter in "ab"}
        return found | {f"{i}": v for i, v in enumerate(self.own_weights()) if id(v) not in known}

    def save_own_variables(self, store: dict) -> None:
        if not self.loads_itself():
            super().save_own_variables(store)
            return
        values = {name: variable.raw for name, variable in self._stored().items()}
        mode = self.quantization_modes.get(self.quantization_mode)
        learned = self.lora_enabled and bool(np.any(getattr(self, f"{self._lora_name}_b").raw))
        if learned and mode is not None and self.main_name not in values:
            warnings.warn(f"Layer {self.name}: what LoRA learned beside calibrated integers is not stored.")
        elif learned:
            if mode is None or mode.keeps_floats:
                values[self.main_name] = self.float_weight()
            else:
                values |= mode.values(self, mode.dequantized(self) + self._lora_product())
        store.update((str(number), value) for number, value in enumerate(values.values()))

    def load_own_variables(self, store: dict) -> None:
        if not self.loads_itself():
            super().load_own_variables(store)
            return
        variables = self._stored()
        if len(store) != len(variables):
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received {len(store)} variables during "
                f"loading. Expected: {list(variables)}"
            )
        for number, variable in enumerate(variables.values()):
            variable.assign(store[str(number)])
        if self.lora_enabled:  # what it had learned is part of the weight now
            b = getattr(self, f"{self._lora_name}_b")
            b.assign(jnp.zeros_like(b.raw))
        if self.quantization_mode in ("gptq", "awq"):
            self.calibrated()

    def calibrated(self) -> None:
        """Notes that the integers are those of a calibration. The weight in floats is given up."""
        setattr(self, f"is_{self.quantization_mode}_calibrated", True)
        self.drop_main_weight()

    def get_config(self) -> dict:
        config = super().get_config()
        for name in ("lora_rank", "lora_alpha", "quantization_config"):
            if config.get(name, 0) is None:
                del config[name]
        return config
