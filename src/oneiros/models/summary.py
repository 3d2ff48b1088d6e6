"""The table that `model.summary()` prints, in the look of each generation."""

import numpy as np

from ..core import behaviour
from ..core.symbol import operation_name
from ..layers.input_layer import InputLayer


def print_summary(model, line_length=None, positions=None, print_fn=None, expand_nested=False):
    """Prints a model's layers, output shapes and numbers of weights, line by line, through `print_fn`."""
    if not model.built:
        raise ValueError(
            f"Model {model.name} is not built yet: call it on data, build(input_shape), or give the first layer an "
            "input_shape."
        )
    print_fn = print_fn or print
    rows = list(_rows(model, expand_nested))
    connected = model._graph is not None and not _is_chain(model)
    lines = _boxes(model, rows, connected, line_length) if behaviour.generation == "3" else None
    for line in lines or _rules(model, rows, connected, line_length, positions):
        print_fn(line)


def _is_chain(model):
    """Whether each layer has one node with one source: then a column of sources tells nothing."""
    nodes = [n for layer in model.layers for n in layer._inbound_nodes if n in model._graph.nodes]
    sources = [id(s) for n in nodes for s in n.inputs]
    return all(len(n.inputs) == 1 for n in nodes) and len(set(sources)) == len(sources)


def _rows(model, expand_nested, depth=0):
    layers = model.layers
    if behaviour.generation in ("2", "tf") and type(model).__name__ == "Sequential":
        layers = [layer for layer in layers if not isinstance(layer, InputLayer)]
    for layer in layers:
        try:
            shape = layer.output_shape
        except AttributeError:
            nodes = layer._inbound_nodes
            shape = "multiple" if nodes else "?"
        if isinstance(shape, list):
            shape = ", ".join(map(str, shape)) if behaviour.generation == "3" else [tuple(s) for s in shape]
        sources = []
        for node in layer._inbound_nodes:
            if model._graph is not None and node in model._graph.nodes:
                sources += [f"{operation_name(s.node.operation)}[{s.node.node_index}][{s.index}]" for s in node.inputs]
        yield (
            f"{'  ' * depth}{layer.name} ({type(layer).__name__})",
            str(shape),
            layer.count_params() if layer.built else 0,
            sources,
        )
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer, True, depth + 1)


def _totals(model):
    def size(weights):
        return sum(v.size for v in weights)

    return size(model.weights), size(model.trainable_weights), size(model.non_trainable_weights)


def _rules(model, rows, connected, line_length, positions):
    """Lines between rules, as Keras 1 and 2 print them."""
    width = line_length or (98 if connected else 65)
    stops = positions or ([0.33, 0.55, 0.67, 1.0] if connected else [0.45, 0.85, 1.0])
    stops = [int(width * p) if p <= 1 else p for p in stops]

    def line(*fields):
        text = ""
        for i, field in enumerate(fields):
            text = (text[:-1] + " " if i else "") + str(field)
            text = text[: stops[i]].ljust(stops[i])
        return text

    header = ["Layer (type)", "Output Shape", "Param #"] + (["Connected to"] if connected else [])
    yield "_" * width
    yield line(*header)
    yield "=" * width
    for number, (name, shape, count, sources) in enumerate(rows):
        yield line(name, shape, count, *([sources[0] if sources else ""] if connected else []))
        for source in sources[1:] if connected else ():
            yield line("", "", "", source)
        yield ("=" if number == len(rows) - 1 else "_") * width
    total, trainable, other = _totals(model)
    yield f"Total params: {total:,}"
    yield f"Trainable params: {trainable:,}"
    yield f"Non-trainable params: {other:,}"
    yield "_" * width


def _boxes(model, rows, connected, line_length):
    """A table with borders, as Keras 3 prints it."""
    header = ["Layer (type)", "Output Shape", "Param #"] + (["Connected to"] if connected else [])
    cells = [[name, shape, f"{count:,}"] + ([", ".join(s)] if connected else []) for name, shape, count, s in rows]
    widths = [max(20 if i < 2 else 12, *(len(row[i]) for row in [header, *cells])) for i in range(len(header))]
    if line_length:
        spare = line_length - sum(widths) - 3 * len(widths) - 1
        widths[0] = max(8, widths[0] + spare)

    def border(left, middle, right, dash):
        return left + middle.join(dash * (w + 2) for w in widths) + right

    def line(row, bar="│"):
        fields = (f" {c[:w]:>{w}} " if i == 2 else f" {c[:w]:<{w}} " for i, (c, w) in enumerate(zip(row, widths)))
        return bar + bar.join(fields) + bar

    yield f'Model: "{model.name}"'
    yield border("┏", "┳", "┓", "━")
    yield line(header, "┃")
    yield border("┡", "╇", "┩", "━")
    for i, row in enumerate(cells):
        if i:
            yield border("├", "┼", "┤", "─")
        yield line(row)
    yield border("└", "┴", "┘", "─")
    total, trainable, other = _totals(model)
    size = sum(v.size * np.dtype(v.dtype).itemsize for v in model.weights if v.dtype != "bfloat16")
    yield f" Total params: {total:,} ({_readable(size)})"
    yield f" Trainable params: {trainable:,}"
    yield f" Non-trainable params: {other:,}"


def _readable(size):
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return None
