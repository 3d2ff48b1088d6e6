"""The table that `model.summary()` prints, as each generation of Keras shows it."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import behaviour
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..core.symbol import operation_name


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence | None = None,
    print_fn: Callable | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a model's layers, their output shapes and their numbers of weights. `Model.summary` has the arguments."""
    line_length = None if line_length is None else positive_int("line_length", line_length)
    if not isinstance(positions, (list, tuple, type(None))):
        raise InputDataError(f"positions: expected a list of where columns end. Received: positions={positions!r}")
    if not model.built:
        raise ValueError(
            f"Model {model.name} is not built yet: call it on data, build(input_shape), or give the first layer an "
            "input_shape."
        )
    print_fn = print_fn or print
    rows = list(_rows(model, _chosen(model, layer_range), expand_nested))
    connected = model.layer_graph is not None and not _is_chain(model)
    shown = ["Layer (type)", "Output Shape", "Param #", *(["Trainable"] if show_trainable else [])]
    header = [*shown, *(["Connected to"] if connected else [])]
    rows = [(*fields[: len(shown)], fields[-1]) for fields in rows]
    lines = _boxes(model, rows, header, line_length) if behaviour.boxed_summary else None
    for line in lines or _rules(model, rows, header, line_length, positions):
        print_fn(line)


def _chosen(model, layer_range):
    """The layers from the first whose name fits the first of two patterns to the last that fits the second."""
    if layer_range is None:
        return model.layers
    ends = []
    for pattern in layer_range:
        found = [i for i, layer in enumerate(model.layers) if re.fullmatch(pattern, layer.name)]
        if not found:
            names = [layer.name for layer in model.layers]
            raise InputDataError(f"layer_range: no layer is called {pattern!r}. The layers are {names}.")
        ends.append(found)
    return model.layers[ends[0][0] : ends[-1][-1] + 1]


def _is_chain(model):
    """Whether each layer has one node with one source: then a column of sources tells nothing."""
    nodes = [n for layer in model.layers for n in layer.inbound_nodes if n in model.layer_graph.nodes]
    sources = [id(s) for n in nodes for s in n.inputs]
    return all(len(n.inputs) == 1 for n in nodes) and len(set(sources)) == len(sources)


def _rows(model, layers, expand_nested, depth=0):
    for layer in layers:
        try:
            shape = layer.output_shape
        except AttributeError:
            nodes = layer.inbound_nodes
            shape = "multiple" if nodes else "?"
        if isinstance(shape, list):
            shape = ", ".join(map(str, shape)) if behaviour.boxed_summary else [tuple(s) for s in shape]
        sources = []
        for node in layer.inbound_nodes:
            if model.layer_graph is not None and node in model.layer_graph.nodes:
                sources += [f"{operation_name(s.node.operation)}[{s.node.node_index}][{s.index}]" for s in node.inputs]
        yield (
            f"{'  ' * depth}{layer.name} ({type(layer).__name__})",
            str(shape),
            layer.count_params() if layer.built else 0,
            "-" if not layer.weights else "Y" if layer.trainable else "N",
            sources,
        )
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer, layer.layers, True, depth + 1)


def _totals(model):
    def size(weights):
        return sum(v.size for v in weights)

    return size(model.weights), size(model.trainable_weights), size(model.non_trainable_weights)


def _rules(model, rows, header, line_length, positions):
    """Lines between rules, as Keras 1 and 2 print them."""
    connected, flags = header[-1] == "Connected to", header[3:4] == ["Trainable"]
    width = line_length or (98 if connected else 65)
    stops = positions or [
        *([0.33, 0.55, 0.67] if connected else [0.45, 0.7 if flags else 0.85]),
        *([0.78 if connected else 0.85] if flags else []),
        1.0,
    ]
    stops = [int(width * p) if p <= 1 else p for p in stops]

    def line(*fields):
        text = ""
        for i, field in enumerate(fields):
            text = (text[:-1] + " " if i else "") + str(field)
            text = text[: stops[i]].ljust(stops[i])
        return text

    yield "_" * width
    yield line(*header)
    yield "=" * width
    for number, (*fields, sources) in enumerate(rows):
        yield line(*fields, *([sources[0] if sources else ""] if connected else []))
        for source in sources[1:] if connected else ():
            yield line(*[""] * len(fields), source)
        yield ("=" if number == len(rows) - 1 else "_") * width
    total, trainable, other = _totals(model)
    yield f"Total params: {total:,}"
    yield f"Trainable params: {trainable:,}"
    yield f"Non-trainable params: {other:,}"
    yield "_" * width


def _boxes(model, rows, header, line_length):
    """A table with borders, as Keras 3 prints it."""
    cells = [[a, b, f"{count:,}", *more, ", ".join(s)][: len(header)] for a, b, count, *more, s in rows]
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
