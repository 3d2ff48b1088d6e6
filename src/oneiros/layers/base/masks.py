"""Masks: which steps of a sequence count. They travel with arrays from layer to layer."""

import warnings
from typing import Any

import jax.numpy as jnp

from ...core import behaviour, get_mask, set_mask
from ...core.structure import is_nested, keys_of, leaves, map_structure, values_of


class LayerMasks:
    """The part of `Layer` that hands masks on."""

    supports_masking = False

    @property
    def makes_masks(self) -> bool:
        """Whether the outputs may have masks although the inputs have none."""
        return type(self).compute_mask.__module__.partition(".")[0] != "oneiros"

    @property
    def drops_masks(self) -> bool:
        """Whether masks of the inputs end here."""
        return not self.supports_masking and type(self).compute_mask is LayerMasks.compute_mask

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs. By default it is the inputs' mask in layers with `supports_masking`, else `None`.

        Args:
            inputs: what `call` gets.
            mask: the mask of the inputs: booleans of shape (batch, steps), or a structure of masks.

        Returns:
            A mask, a structure of masks like that of the outputs, or `None`.
        """
        if self.supports_masking:
            return mask
        if leaves(mask):
            message = (
                f"Layer {self.name} ({type(self).__name__}) was passed an input with a mask. It does not support "
                "masking and drops the mask."
            )
            if behaviour.unsupported_mask_error:
                raise TypeError(message)
            warnings.warn(message, stacklevel=6)
        return None


def mask_of(inputs: Any) -> Any:
    """The mask or the structure of masks that these inputs carry; `None` if there is none at all."""
    mask = map_structure(get_mask, inputs)
    return mask if leaves(mask) else None


def pass_mask_on(layer: Any, args: tuple, outputs: Any, mask: Any) -> None:
    """Gives the outputs of a call the masks that the layer computes for them."""
    compute_mask = type(layer).compute_mask
    overridden = compute_mask is not LayerMasks.compute_mask
    if not args or (mask is None and not overridden) or getattr(compute_mask, "after_call", False):
        return
    new_mask = layer.compute_mask(args[0], mask)
    if new_mask is not None:
        _set_masks(outputs, new_mask)


def _set_masks(outputs, mask):
    """Gives masks to the outputs that have none: one mask for all, or a structure of masks like the outputs'."""
    if is_nested(outputs):
        alike = is_nested(mask) and isinstance(mask, dict) == isinstance(outputs, dict)
        for key, output in zip(keys_of(outputs), values_of(outputs)):
            if not alike:
                _set_masks(output, None if is_nested(mask) else mask)
            elif not isinstance(mask, dict) and key < len(mask) or isinstance(mask, dict) and key in mask:
                _set_masks(output, mask[key])
    elif mask is not None and not is_nested(mask) and get_mask(outputs) is None:
        set_mask(outputs, mask)


def without_dropped_masks(layer: Any, args: tuple, outputs: Any, mask: Any) -> Any:
    """The outputs, with copies of those that are inputs themselves and carry a mask that this layer drops."""
    if mask is None or not layer.drops_masks:
        return outputs
    inputs = {id(x) for x in leaves(args)}
    return map_structure(lambda x: jnp.array(x, copy=True) if id(x) in inputs else x, outputs)
