"""Copies of models, with weights of their own."""

from collections.abc import Callable
from typing import Any

from ..core import is_symbol, structure
from ..core.symbol import replace_symbols
from ..layers.base import Layer
from ..layers.input_layer import Input, InputLayer
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
    **kwargs,
) -> Model:
    """Makes a model of the same layers with new weights.

    Args:
        model: a `Sequential`, or a model made from symbols.
        input_tensors: symbols to use as the inputs of the copy.
        clone_function: a function from a layer to the layer to use in its place.
        call_function: accepted for Keras 3.
        recursive: accepted for Keras 3; models inside are always copied too.
        **kwargs: accepted for Keras 3.

    Returns:
        A new model.

    Raises:
        ValueError: if the model is a subclass with a `call` of its own.

    >>> from oneiros.layers import Dense
    >>> copy = clone_model(Sequential([Dense(2, input_shape=(3,))]))
    >>> copy.count_params()
    8
    """
    if model.layer_graph is None and not isinstance(model, Sequential):
        raise ValueError(f"clone_model: {type(model).__name__} is a subclassed model; make a new object instead.")
    clone = clone_function or _copy
    if isinstance(model, Sequential):
        layers = [clone(layer) for layer in model.layers if not isinstance(layer, InputLayer)]
        if input_tensors is None and layers and layers[0].batch_input_shape is not None:
            return type(model)(layers, name=model.name)
        first = _inputs(model, input_tensors)
        inputs = [first[0].node.operation] if first else []
        return type(model)([*inputs, *layers], name=model.name)
    values = {id(old): new for old, new in zip(model.inputs, _inputs(model, input_tensors))}
    clones = {id(layer): clone(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
    for node in model.layer_graph.nodes:
        args, kwargs = replace_symbols((node.args, node.kwargs), lambda s: values[id(s)])
        is_layer = isinstance(node.operation, Layer)
        operation = clones[id(node.operation)] if is_layer else getattr(node.operation, "public", node.operation)
        results = structure.leaves(operation(*args, **kwargs))
        values.update({id(old): new for old, new in zip(node.outputs, results)})
    outputs = replace_symbols(model.output_structure, lambda s: values[id(s)])
    return Model(replace_symbols(model.input_structure, lambda s: values[id(s)]), outputs, name=model.name)


def _copy(layer):
    if isinstance(layer, Model) and layer.layer_graph is not None:
        return clone_model(layer)
    return type(layer).from_config(layer.get_config())


def _inputs(model, given):
    if given is None:
        old = model.inputs or []
        return [Input(batch_shape=tuple(s.shape), dtype=s.dtype, name=s.node.operation.name) for s in old]
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    return [x if is_symbol(x) else Input(tensor=x) for x in given]
