"""Copies of models, with weights of their own."""

from collections.abc import Callable
from typing import Any

from ..core import behaviour, is_symbol, structure
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
        model: a `Sequential`, a model made from symbols, or a subclass that tells its configuration.
        input_tensors: symbols to use as the inputs of the copy, in the structure of the model's inputs.
        clone_function: a function from a layer to the layer to use in its place.
        call_function: a function of a layer and the arguments of its call, which makes the call and may add to it. Only
            for models made from symbols.
        recursive: whether the two functions are used inside of models inside, too. Otherwise these are copied whole.
        **kwargs: accepted for Keras 3.

    Returns:
        A new model, which is compiled as the old one was.

    Raises:
        ValueError: if the functions or `input_tensors` do not fit the kind of the model.

    >>> from oneiros.layers import Dense
    >>> copy = clone_model(Sequential([Dense(2, input_shape=(3,))]))
    >>> copy.count_params()
    8
    """
    if model.layer_graph is None and not isinstance(model, Sequential):
        if input_tensors is not None or clone_function is not None or call_function is not None:
            raise ValueError(
                f"clone_model: {type(model).__name__} is a subclass with a `call` of its own. It can be copied only as "
                "a whole, without input_tensors, clone_function and call_function."
            )
        return type(model).from_config(model.get_config())
    if isinstance(model, Sequential) and call_function is not None:
        raise ValueError("clone_model: call_function is for models made from symbols. Received: a Sequential.")

    def clone(layer):
        is_graph = isinstance(layer, Sequential) or (isinstance(layer, Model) and layer.layer_graph is not None)
        if is_graph and (recursive or clone_function is None):
            inner = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, None, clone_function, inner if recursive else None, recursive)
        return clone_function(layer) if clone_function else type(layer).from_config(layer.get_config())

    copy = (_clone_chain if isinstance(model, Sequential) else _clone_graph)(model, input_tensors, clone, call_function)
    if behaviour.clones_compiled and model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy


def _clone_chain(model, input_tensors, clone, _):
    layers = [clone(layer) for layer in model.layers if not isinstance(layer, InputLayer)]
    if input_tensors is None and layers and layers[0].batch_input_shape is not None:
        return type(model)(layers, name=model.name)
    first = structure.leaves(_inputs(model, input_tensors))
    inputs = [first[0].node.operation] if first else []
    return type(model)([*inputs, *layers], name=model.name)


def _clone_graph(model, input_tensors, clone, call_function):
    inputs = _inputs(model, input_tensors)
    values = {id(old): new for old, new in zip(model.inputs, structure.leaves(inputs))}
    clones = {id(layer): clone(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
    for node in model.layer_graph.nodes:
        args, kwargs = replace_symbols((node.args, node.kwargs), lambda s: values[id(s)])
        if not isinstance(node.operation, Layer):
            results = getattr(node.operation, "public", node.operation)(*args, **kwargs)
        elif call_function is not None:
            results = call_function(clones[id(node.operation)], *args, **kwargs)
        else:
            results = clones[id(node.operation)](*args, **kwargs)
        values.update({id(old): new for old, new in zip(node.outputs, structure.leaves(results))})
    outputs = replace_symbols(model.given_structures[1], lambda s: values[id(s)])
    return Model(replace_symbols(model.given_structures[0], lambda s: values[id(s)]), outputs, name=model.name)


def _inputs(model, given):
    """Symbols for the inputs of a copy, in the order of the model's inputs."""
    if given is None:
        old = model.inputs or []
        return [Input(batch_shape=tuple(s.shape), dtype=s.dtype, name=s.node.operation.name) for s in old]
    if is_symbol(given) or not structure.is_nested(given):
        given = [given]
    if isinstance(given, dict) or isinstance(model.input_structure, dict):
        if not isinstance(given, dict) or not isinstance(model.input_structure, dict):
            raise ValueError(
                "clone_model: input_tensors must have the structure of model.input. Received: "
                f"{type(given).__name__} for {type(model.input_structure).__name__}."
            )
        given = model.matched_inputs(given, "input_tensors")
    return [x if is_symbol(x) else Input(tensor=x) for x in structure.leaves(given)]
