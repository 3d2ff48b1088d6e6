"""Layers made of what other libraries offer: functions of JAX, modules of Flax and PyTorch, SavedModels."""

from .jax_layer import FlaxLayer, JaxLayer
from .saved_model import TFSMLayer
from .torch_module import TorchModuleWrapper

__all__ = ["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"]
