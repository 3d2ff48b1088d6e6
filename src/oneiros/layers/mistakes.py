"""Common mistakes with layers, and errors that explain them. All but two checks run only after something has failed."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ..core import Symbol, symbols_in
from ..core.errors import InputDataError
from ..core.symbol import topological_order
from ..core.traceback import is_from_user

_NOTE = "While calling "


class SetByInit:
    """Stands for an attribute that the `__init__` of a base class sets, to say so if it has not been called."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        raise RuntimeError(
            f"{type(instance).__name__}: __init__ did not call super().__init__(), so {self.name} is not set. Make "
            "super().__init__() the first line of __init__."
        )


def describe(layer: Any) -> str:
    """The layer as messages name it, even if it has no name yet."""
    return f"layer {vars(layer).get('name')!r} ({type(layer).__name__})"


def explain_call(layer: Any, args: tuple, kwargs: dict, path: Sequence, error: BaseException) -> None:
    """Raises a better error if the inputs of a failed call are the mistake.

    Otherwise it adds a note to the error, which says what call failed.

    Args:
        layer: the layer that was called.
        args: the positional arguments of the call.
        kwargs: its keyword arguments.
        path: the layers around this one, the outermost first.
        error: the error that was raised.

    Raises:
        InputDataError: if the inputs explain the error.
    """
    if any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        return
    if not (args or kwargs):
        error.add_note(f"{_NOTE}{describe(layer)} without inputs: give it a tensor, layer(x).")
        return
    inputs = args[0] if args else next(iter(kwargs.values()), None)
    wrong = None if is_from_user(error) else _not_a_tensor(inputs)
    if wrong is not None and "name" in vars(layer):
        _complain(layer, wrong)
    if f"{Symbol.__module__}.Symbol" in _text(error):
        _complain_of_symbols(layer, [])
    inside = "".join(f", inside {describe(outer)}" for outer in reversed(path))
    hint = _format_hint(layer, inputs)
    if inside or hint or isinstance(inputs, (list, tuple)) or vars(layer).get("name", "") not in _text(error):
        error.add_note(f"{_NOTE}{describe(layer)} with inputs of shape {_shapes(inputs)}{inside}.{hint}")


def _format_hint(layer, inputs):
    """Images that look channels-first where a layer takes them for channels-last."""
    source = inputs
    while isinstance(source, Symbol) and source.node is not None and source.node.inputs:
        source = source.node.inputs[0]
    shape = getattr(source, "shape", ())
    if getattr(layer, "data_format", None) != "channels_last" or len(shape) < 4 or shape[1] not in (1, 3):
        return ""
    if shape[-1] is None or shape[-1] <= 4:
        return ""
    return (
        f" Images of shape {tuple(shape)} look channels-first, and this layer is channels_last: move the channels to "
        'the end (np.moveaxis(x, 1, -1)), or use data_format="channels_first".'
    )


def _text(error):
    try:
        return str(error)
    except Exception:  # a user's own
        return ""


def _shapes(inputs):
    if isinstance(inputs, (list, tuple)):
        return f"[{', '.join(map(_shapes, inputs))}]"
    if isinstance(inputs, dict):
        return f"{{{', '.join(f'{key!r}: {_shapes(x)}' for key, x in inputs.items())}}}"
    shape = getattr(inputs, "shape", None)
    source = getattr(getattr(inputs, "node", None), "operation", None)
    origin = f" from {describe(source)}" if hasattr(source, "call") else ""
    return f"<{type(inputs).__name__}>" if shape is None else f"{tuple(shape)}{origin}"


def _not_a_tensor(inputs):
    """The first among the inputs that can be no tensor, in a tuple; ``None`` if all can."""
    for leaf in [None] if inputs is None else jax.tree.leaves(inputs):  # inside of structures, None may be meant
        kind = getattr(getattr(leaf, "dtype", None), "kind", None)
        if kind in ("U", "S", "O", "M", "m") or not (hasattr(leaf, "shape") or isinstance(leaf, (int, float, complex))):
            return (leaf,)
    return None


def _complain(layer, wrong):
    (value,) = wrong
    name = f"Layer {layer.name} ({type(layer).__name__})"
    if value is None:
        raise InputDataError(
            f"{name}: expected a tensor. Received: None. What made this value may lack a `return`, or a method such as "
            "model.add() was used for its result."
        ) from None
    if isinstance(value, (str, bytes)) or getattr(getattr(value, "dtype", None), "kind", "") in ("U", "S"):
        shown = repr(value) if isinstance(value, (str, bytes)) else f"an array of text (dtype {value.dtype})"
        raise InputDataError(
            f"{name}: expected numbers. Received text: {shown[:80]}. Turn text into numbers first: "
            "preprocessing.text.Tokenizer for words, utils.to_categorical or an index for categories."
        ) from None
    if hasattr(value, "dtype"):
        raise InputDataError(
            f"{name}: expected numbers. Received an array of dtype {value.dtype}, shape {np.shape(value)}. Convert it "
            "to a numeric type; lists of different lengths need pad_sequences."
        ) from None
    raise InputDataError(
        f"{name}: expected a tensor (an array, or what Input() returns) or a list or dictionary of tensors. Received: "
        f"{_short(value)} of type {type(value).__name__}. Arguments that are no tensors go into the constructor."
    ) from None


def _short(value):
    try:
        text = repr(value)
    except Exception:  # a user's own
        text = "an object"
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_outputs(layer: Any, outputs: Any) -> None:
    """Checks what `call` returned.

    Args:
        layer: the layer.
        outputs: what its `call` returned.

    Raises:
        InputDataError: if there is anything but tensors in it.
    """
    if symbols := symbols_in(outputs):
        _complain_of_symbols(layer, symbols)
    where = f"Layer {layer.name} ({type(layer).__name__})"
    if outputs is None:
        raise InputDataError(f"{where}: call() returned None. Does it lack a `return`? {_place(type(layer).call)}")
    for leaf in jax.tree.leaves(outputs):
        if not (hasattr(leaf, "dtype") or isinstance(leaf, (int, float, complex))):
            raise InputDataError(
                f"{where}: call() must return tensors, or lists, tuples or dictionaries of them. It returned "
                f"{_short(leaf)} of type {type(leaf).__name__}. {_place(type(layer).call)}"
            )


def _place(function):
    code = getattr(function, "__code__", None)
    return f"See {code.co_filename}:{code.co_firstlineno}." if code else ""


def _complain_of_symbols(layer, symbols):
    inner = [s for node in topological_order(symbols) for s in node.inputs]
    sources = dict.fromkeys(s.name for s in (*inner, *symbols) if s.node is None or s.node.placeholder)
    named = f" (it comes from {', '.join(map(repr, sources))})" if sources else ""
    raise InputDataError(
        f"Layer {layer.name} ({type(layer).__name__}): call() uses a symbolic tensor that is none of its inputs{named}."
        " It has no value here. Give it to the layer as an input: layer([inputs, other]), and unpack them in call()."
    ) from None
