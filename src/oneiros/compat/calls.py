"""`layer.call` of symbols: programs for Keras 1 and 2 called it as they called the layer."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..core.symbol import has_symbol, record
from ..layers.base import Layer
from ..models import Model


class _Call:
    """What `layer.call` computes, as an operation of a graph. It is no call of the layer that counts as a node."""

    def __init__(self, layer: Layer):
        self.layer, self.name = layer, layer.name

    uses_learning_phase = property(lambda self: self.layer.uses_learning_phase)

    def __call__(self, *args, **kwargs) -> Any:
        return self.layer(*args, **kwargs)


def _recording(call: Callable) -> Callable:
    names = list(inspect.signature(call).parameters)[2:]

    @functools.wraps(call)
    def wrapper(self, *args, **kwargs):
        if has_symbol(args) or has_symbol(kwargs):
            return record(_Call(self), args[:1], dict(zip(names, args[1:])) | kwargs)
        return call(self, *args, **kwargs)

    wrapper.records = True
    return wrapper


def record_calls(cls: type) -> None:
    """Lets `call` of a layer's class, and of its bases in this library, take symbols.

    Args:
        cls: A class. If it is no layer, or a model, it stays as it is.
    """
    if not issubclass(cls, Layer) or issubclass(cls, Model):
        return
    for owner in cls.__mro__[: cls.__mro__.index(Layer)]:
        call = vars(owner).get("call")
        if call is not None and not hasattr(call, "records"):
            owner.call = _recording(call)
