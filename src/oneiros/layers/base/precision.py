"""The number types of a layer, and its place in a model, by which a map of policies knows it."""

from collections.abc import Sequence
from typing import Any

from ...core import policy
from ...core.context import current
from ...dtype_policies import DTypePolicyMap


class LayerPrecision:
    """The part of `Layer` that knows in which types it stores and computes."""

    _path = None

    @property
    def path(self) -> str | None:
        """The names of the layers around this one and its own, joined by slashes; `None` until it is built."""
        return self._path

    def note_path(self, around: Sequence) -> None:
        """Notes the layers inside of which this one is built."""
        around = [layer for layer in around if layer is not self]
        self._path = "/".join([*current().name_scopes, *(vars(layer).get("name", "?") for layer in (*around, self))])

    @property
    def dtype_policy(self) -> policy.DTypePolicy:
        """The number types: a policy, or a map of policies for the layers inside."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        new = policy.get(value)
        mode = new.quantization_mode
        if not self.built or mode is None or self.quantization_mode is not None:
            self._dtype_policy = new
        elif mode in ("gptq", "awq"):
            raise ValueError(
                f"Implicitly enabling {mode.upper()} quantization by setting `dtype_policy` to '{new.name}' is not "
                f"supported: it needs data. Call `quantize` with a `{mode.upper()}Config`."
            )
        else:
            self.quantize(mode)

    @property
    def layer_policy(self) -> policy.DTypePolicy:
        """The policy of this layer itself, also where it is part of a map."""
        found = self._dtype_policy
        return found[self.path or self.name] if isinstance(found, DTypePolicyMap) else found

    @property
    def quantization_mode(self) -> str | None:
        """How the weights are quantized, such as `"int8"`; `None` for floats."""
        return self.layer_policy.quantization_mode

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replaces weights by others of fewer bits. Layers that can have it write their own.

        Args:
            mode: the name of a mode, such as `"int8"`.
            type_check: whether to refuse subclasses.
            config: more about it. It may stand in place of the mode.

        Raises:
            NotImplementedError: if the layer cannot be quantized.
        """
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `quantize` method implemented.")

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """Makes the variables of a mode. Layers that can be quantized write their own."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `quantized_build` method implemented.")

    def quantized_call(self, *args, **kwargs) -> Any:
        """What `call` does, with quantized weights. Layers that can be quantized write their own."""
        mode = self.quantization_mode
        if mode not in policy.QUANTIZATION_MODES:
            raise NotImplementedError(
                f"Invalid quantization mode. Expected one of {policy.QUANTIZATION_MODES}. Received: "
                f"quantization_mode={mode}"
            )
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `_{mode}_call` method implemented.")
