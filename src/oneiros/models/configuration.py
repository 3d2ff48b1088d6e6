"""Graphs of layers as configurations and back. They are written in the format of Keras 2; Keras 3's is read too."""

import inspect
from collections.abc import Callable
from typing import Any

import jax

from ..core import Operation, behaviour, is_symbol, kind, structure
from ..core.context import current
from ..core.errors import CorruptFileError, UnsafeModelError
from ..core.names import unique_name
from ..core.registry import CustomObjectScope, read_entry, serialize_object, serialize_value
from ..core.symbol import replace_symbols
from ..layers.base import Layer
from ..saving.keras3 import read_operation
from .topology import order_nodes


def serialize_layer(layer: Layer) -> dict:
    """``{"class_name", "config"}`` of a layer, model or operation; with ``"build_config"`` if a layer writes it."""
    entry = serialize_object(layer)
    own = isinstance(layer, Layer) and layer.built and type(layer).get_build_config is not Layer.get_build_config
    if own and current().keras3_format:
        entry = entry | {"build_config": layer.get_build_config()}
    return entry


def deserialize_layer(config: dict) -> Layer:
    """Makes the layer or model of a configuration.

    Args:
        config: a dictionary with ``"class_name"`` and ``"config"``.

    Raises:
        CorruptFileError: if it is not such a dictionary.
        UnsafeModelError: if the class is not known, or the content could run code.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise CorruptFileError(f"Expected the configuration of a layer. Received: {str(config)[:80]}")
    layer = kind("layer").deserialize(config)
    shapes, own = (
        config.get("build_config"),
        isinstance(layer, Layer) and type(layer).build_from_config is not Layer.build_from_config,
    )
    if shapes and own and not layer.built:
        layer.build_from_config(shapes)
    return layer


# --- Sequential


def sequential_config(model: Any) -> dict | list:
    """The configuration of a `Sequential`; that of programs for Keras 1 and 2.1 is the list of its layers."""
    layers = [serialize_layer(layer) for layer in model.direct_sublayers()]
    if current().keras3_format and not model.inputs:  # layers that were built one by one
        shapes = [layer.get_build_config() if layer.built else None for layer in model.direct_sublayers()]
        layers = [entry | ({"build_config": shape} if shape else {}) for entry, shape in zip(layers, shapes)]
    told = layers and (layers[0]["class_name"] in ("InputLayer", "Merge") or _tells_shape(layers[0]))
    if model.inputs and not told:
        layers.insert(0, serialize_layer(model.inputs[0].node.operation))
    return layers if behaviour.sequential_config_is_list else {"name": model.name, "layers": layers}


def _tells_shape(layer):
    """Whether a first layer's configuration has the shape of the inputs, which then needs no `InputLayer`."""
    config = layer["config"]
    if isinstance(config, list):  # a Sequential of Keras 1 and 2.1
        return bool(config) and _tells_shape(config[0])
    return behaviour.sequential_lists_input and config.get("batch_input_shape") is not None


def sequential_from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
    """The `Sequential`, or an object of the subclass `cls`, for a configuration."""
    if isinstance(config, list):  # Keras 1 and 2.1
        config = {"layers": config}
    if not isinstance(config.get("layers"), list):
        return cls(**config)  # a subclass with arguments of its own
    with CustomObjectScope(custom_objects):
        layers = [deserialize_layer(layer) for layer in config["layers"]]
    model = cls(layers=layers, name=config.get("name"))
    if model.inputs is None and config.get("build_input_shape"):
        model.build(tuple(config["build_input_shape"]))
    elif model.inputs is None:
        for layer, entry in zip(layers, config["layers"]):
            shape = entry.get("build_config")
            if isinstance(layer, Layer) and isinstance(shape, dict) and shape.get("input_shape") is not None:
                layer.build_from_config(shape)
    return model


# --- graphs

_NAMED = (Layer, Operation)  # what has a name and a configuration of its own; functions are known by their node


def graph_config(model: Any) -> dict:
    """The configuration of a model that was made from symbols."""
    nodes = [node for _, node in order_nodes(model.inputs, model.outputs_by_key)]
    nodes += [s.node for s in model.inputs if s.node.entry and s.node not in nodes]  # which nothing uses
    names, indices, entries = {}, {}, {}
    for node in nodes:
        owner = node.operation if isinstance(node.operation, _NAMED) else node
        if id(owner) not in names:
            names[id(owner)] = owner.name if isinstance(owner, _NAMED) else unique_name(node.operation.__name__)
            entries[id(owner)] = []
        entries[id(owner)].append(node)
    for own_nodes in entries.values():
        own_nodes.sort(key=lambda n: n.node_index)
        # In Keras 2 a model's node 0 is its own, from its inputs to its outputs; where it is called, they count from 1.
        start = (
            1 if getattr(own_nodes[0].operation, "layer_graph", None) is not None and not current().keras3_format else 0
        )
        indices.update((id(n), i) for i, n in enumerate(own_nodes, start))

    def reference(symbol):
        owner = symbol.node.operation if isinstance(symbol.node.operation, _NAMED) else symbol.node
        return [names[id(owner)], indices[id(symbol.node)], _index_in_files(symbol)]

    def entry(own_nodes):
        node = own_nodes[0]
        if isinstance(node.operation, _NAMED):
            inbound = [] if node.placeholder else [_call_config(n, reference) for n in own_nodes]
            return {"name": node.operation.name, **serialize_layer(node.operation), "inbound_nodes": inbound}
        return {
            "name": names[id(node)],
            "class_name": "Operation",
            "config": {"name": names[id(node)], "function": operation_name(node.operation)},
            "inbound_nodes": [_operation_config(node, reference)],
        }

    return {
        "name": model.name,
        "layers": [entry(own_nodes) for own_nodes in entries.values()],
        "input_layers": _references(model, 0, reference),
        "output_layers": _references(model, 1, reference),
    }


def _index_in_files(symbol):
    """Which of its node's outputs a symbol is, where dictionaries are sorted by key, as Keras counts them."""
    places = structure.pack(symbol.node.output_structure, range(len(symbol.node.outputs)))
    return jax.tree.leaves(places).index(symbol.index)


def _references(model, side, reference):
    """The inputs (side 0) or outputs (1). Keras 3 tells one from a list of one; the others write a list for both."""
    if current().keras3_format:
        return _nested_references(model.given_structures[side], reference)
    tree = (model.input_structure, model.output_structure)[side]
    return [reference(tree)] if is_symbol(tree) else _nested_references(tree, reference)


def _nested_references(tree, reference):
    if is_symbol(tree):
        return reference(tree)
    inner = [_nested_references(item, reference) for item in structure.values_of(tree)]
    return dict(zip(tree, inner)) if isinstance(tree, dict) else tuple(inner) if isinstance(tree, tuple) else inner


def _call_config(node, reference):
    """One call of a layer: a list of ``[layer, node index, tensor index, keyword arguments]``."""
    first = node.args[0] if node.args else next(iter(node.kwargs.values()))
    is_deep = isinstance(first, dict) or isinstance(first, (list, tuple)) and any(map(structure.is_nested, first))
    if is_deep or current().keras3_format:
        return _operation_config(node, reference)
    parameters = list(inspect.signature(node.operation.call).parameters)
    kwargs = dict(zip(parameters[1:], node.args[1:])) | node.kwargs
    kwargs = replace_symbols({k: v for k, v in kwargs.items() if v is not None}, reference)
    kwargs = {key: serialize_value(value) for key, value in kwargs.items()}
    symbols = structure.leaves(first)
    if not node.args:
        kwargs.pop(next(iter(node.kwargs)))
    return [[*reference(symbol), kwargs] for symbol in symbols]


def operation_name(function: Callable) -> str:
    """The name under which files know a function of this library."""
    for name, known in kind("operation").objects.items():
        if known is function:
            return name
    raise ValueError(
        f"The function {getattr(function, '__name__', function)!r} in this model's graph has no name that a file could "
        "hold. Put it into a Lambda or a layer of your own."
    )


def _operation_config(node, reference):
    def mark(symbol):
        config = {"shape": list(symbol.shape), "dtype": symbol.dtype, "keras_history": reference(symbol)}
        return {"class_name": "__keras_tensor__", "config": config}

    marked = replace_symbols({"args": list(node.args), "kwargs": node.kwargs}, mark)
    return {"args": _encode(marked["args"]), "kwargs": _encode(marked["kwargs"])}


def _encode(value):
    """JSON for the arguments of operations: slices, tuples and ... keep their kind."""
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "config": [_encode(v) for v in value]}
    if isinstance(value, list):
        return [_encode(v) for v in value]
    if isinstance(value, dict):
        return {k: _encode(v) for k, v in value.items()}
    return serialize_value(value)


def _decode(value, tensor):
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config")
        if name == "__keras_tensor__":
            return tensor(config["keras_history"])
        if name == "__slice__":
            return slice(*(config if isinstance(config, list) else map(config.get, ("start", "stop", "step"))))
        if name == "__ellipsis__":
            return Ellipsis
        if name == "__tuple__":
            return tuple(_decode(v, tensor) for v in config)
        return {k: _decode(v, tensor) for k, v in value.items()}
    if isinstance(value, list):
        return [_decode(v, tensor) for v in value]
    return value


class _Missing(Exception):
    """A call needs the output of one that has not been made yet."""


def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
    """The model, an object of the class `cls`, for a configuration."""
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return cls(**config)  # a subclass with arguments of its own
    with CustomObjectScope(custom_objects):
        inputs, outputs = _build_graph(config)
    return cls(inputs=inputs, outputs=outputs, name=config.get("name"))


def _build_graph(config):
    made, waiting = {}, []
    first = _first_calls(config)
    for entry in config["layers"]:
        if not isinstance(entry, dict):
            raise CorruptFileError(f"Expected the configuration of a layer. Received: {str(entry)[:80]}")
        name = entry.get("name") or entry.get("config", {}).get("name")
        entry = read_operation(entry)
        if entry.get("class_name") == "Sequential" and isinstance(entry.get("config"), list):  # Keras 1 and 2.1
            entry = {**entry, "config": {"name": name, "layers": entry["config"]}}
        if entry.get("class_name") == "Operation":
            layer, results = _find_operation(read_entry(entry, kind("operation"))["config"]["function"]), []
        else:
            layer = deserialize_layer(entry)
            results = [n.outputs for n in layer.inbound_nodes[:1] if n.placeholder]
        made[name] = results
        waiting.append((name, layer, list(entry.get("inbound_nodes") or [])))

    def tensor(history):
        name, node_index, tensor_index = history[:3]
        if name not in made:
            raise CorruptFileError(f"The graph names a layer {name!r}, which it does not hold.")
        node_index -= first.get(name, 0)
        if node_index >= len(made[name]):
            raise _Missing
        if node_index < 0 or not 0 <= tensor_index < len(made[name][node_index]):
            raise CorruptFileError(
                f"The graph names output {tensor_index} of call {history[1]} of {name!r}, but there is no such output."
            )
        return made[name][node_index][tensor_index]

    while waiting:
        later, progress = [], False
        for name, layer, calls in waiting:
            progress = progress or not calls
            while calls:
                try:
                    args, kwargs = _arguments(calls[0], tensor)
                except _Missing:
                    break
                calls.pop(0)
                progress = True
                result = layer(*args, **kwargs)
                made[name].append(jax.tree.leaves(result, is_leaf=is_symbol))
            if calls:
                later.append((name, layer, calls))
        if not progress:
            names = [name for name, *_ in later]
            raise CorruptFileError(f"The graph has a cycle: the layers {names[:5]} wait for each other.")
        waiting = later
    keras3 = any("registered_name" in entry for entry in config["layers"])
    return [_unlisted(_pick(config.get(key), tensor), keras3) for key in ("input_layers", "output_layers")]


def _first_calls(config):
    """The lowest node index by which each model in a graph is named: 1 in Keras 2 and tf.keras, 0 in Keras 3."""
    models = {entry.get("name") for entry in config["layers"] if isinstance(entry, dict) and _is_of_model(entry)}
    lowest = {}

    def walk(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int) and value[0] in models:
                lowest[value[0]] = min(value[1], lowest.get(value[0], value[1]))
            for item in value:
                walk(item)

    walk([entry.get("inbound_nodes") for entry in config["layers"] if isinstance(entry, dict)])
    walk([config.get("input_layers"), config.get("output_layers")])
    return lowest


def _is_of_model(entry):
    config = entry.get("config")
    is_list = isinstance(config, list) and entry.get("class_name") == "Sequential"  # in Keras 1 and 2.1
    return is_list or (isinstance(config, dict) and "layers" in config)


def _find_operation(name):
    known = kind("operation").objects
    function = known.get(name)
    if function is None and str(name).startswith("ops."):  # a file from before the op moved to another module
        ending = "." + name.rpartition(".")[2]
        function = next((known[path] for path in known if path.startswith("ops.") and path.endswith(ending)), None)
    if function is None:
        raise UnsafeModelError(f"{str(name)[:80]!r} is not a layer or op of this library.")
    return getattr(function, "public", function)


def _arguments(call, tensor):
    if isinstance(call, dict):  # Keras 3
        decoded = _decode(call, tensor)
        return decoded.get("args", []), {k: v for k, v in decoded.get("kwargs", {}).items() if v is not None}
    if call and isinstance(call[0], str):  # one reference, not in a list
        call = [call]
    symbols = [tensor(reference) for reference in call]
    kwargs = dict(call[0][3]) if len(call[0]) > 3 else {}

    def resolve(value):
        looks_like_reference = (
            isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int)
        )
        if looks_like_reference:
            return tensor(value)
        return [resolve(v) for v in value] if isinstance(value, list) else value

    return [symbols[0] if len(symbols) == 1 else symbols], {k: resolve(v) for k, v in kwargs.items()}


def _pick(references, tensor):
    try:
        if isinstance(references, dict):
            return {key: _pick(r, tensor) for key, r in references.items()}
        if references and isinstance(references[0], str):
            return tensor(references)
        return type(references or [])(_pick(r, tensor) for r in references or [])
    except (_Missing, IndexError, TypeError):
        raise CorruptFileError("The graph's inputs or outputs name layers or nodes that it does not hold.") from None


def _unlisted(picked, keep):
    """One input or output. Files of Keras 3 say whether it was in a list; other files have it in a list always."""
    return picked if keep or not isinstance(picked, list) or len(picked) != 1 or not is_symbol(picked[0]) else picked[0]
