"""The table that `model.summary()` prints, as each generation of Keras shows it."""

import itertools
import re
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

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
    if not model.built and not behaviour.boxed_summary:
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
    if behaviour.boxed_summary:
        print_fn("\n".join(_boxes(model, rows, header, line_length, positions)))
        return
    for line in _rules(model, rows, header, line_length, positions):
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
        shape = _output_shape(layer)
        sources = []
        for node in layer.inbound_nodes:
            if model.layer_graph is not None and node in model.layer_graph.nodes:
                sources += [f"{operation_name(s.node.operation)}[{s.node.node_index}][{s.index}]" for s in node.inputs]
        yield (
            f"{_indent(depth)}{layer.name} ({_class_name(layer)})",
            str(shape),
            layer.count_params() if layer.built else None,
            "-" if not layer.weights else "Y" if layer.trainable else "N",
            sources,
        )
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer, layer.layers, True, depth + 1)


def _output_shape(layer):
    try:
        shape = layer.output_shape
    except AttributeError:
        shape = "multiple" if layer.inbound_nodes else _shape_as_built(layer)
    return [tuple(s) for s in shape] if isinstance(shape, list) else shape


def _shape_as_built(layer):
    """The shape of what a layer outside of any graph returned, as far as the shape that it was built for tells it."""
    built_for = layer.get_build_config() if layer.built and behaviour.boxed_summary else None
    if not built_for or built_for.get("input_shape") is None:
        return "?"
    try:
        shapes = layer.compute_output_shape(built_for["input_shape"])
    except Exception:  # of a user's own, for other inputs
        return "?"
    return list(shapes.values()) if isinstance(shapes, dict) else shapes


def _indent(depth):
    if not behaviour.boxed_summary:
        return "  " * depth
    return "   " * depth + "└ " if depth else ""


def _class_name(layer):
    """The name of a layer's class. Keras 3 calls models made of symbols Functional."""
    name = type(layer).__name__
    return "Functional" if name == "Model" and behaviour.boxed_summary else name


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
        fields[2] = fields[2] or 0  # none of a layer that is not built
        yield line(*fields, *([sources[0] if sources else ""] if connected else []))
        for source in sources[1:] if connected else ():
            yield line(*[""] * len(fields), source)
        yield ("=" if number == len(rows) - 1 else "_") * width
    total, trainable, other = _totals(model)
    yield f"Total params: {total:,}"
    yield f"Trainable params: {trainable:,}"
    yield f"Non-trainable params: {other:,}"
    yield "_" * width


def _boxes(model, rows, header, line_length, positions):
    """A table with borders, as Keras 3 prints it."""
    connected, flags = header[-1] == "Connected to", header[3:4] == ["Trainable"]
    stops = positions or ([0.3, 0.56, 0.74, 1.0] if connected else [0.45, 0.8, 1.0])
    if flags and not positions:
        stops = [*(0.9 * stop for stop in stops), 1.0]
    longest = 88 + 20 * connected + 12 * flags
    width = line_length or min(longest, shutil.get_terminal_size().columns - 4)
    stops = [int(width * stop) if stop <= 1 else stop for stop in stops]
    widths = [stop - before for before, stop in zip([0, *stops], stops)]
    spare = sum(widths) + len(widths) + 1 - width  # the borders, which the columns share
    for i in range(len(widths)):
        taken = round(spare / (len(widths) - i))
        widths[i] = max(widths[i] - taken, 3)
        spare -= taken
    align = ["<", "<", ">", *("^" if name == "Trainable" else "<" for name in header[3:])]

    def border(left, middle, right, dash):
        return left + middle.join(dash * width for width in widths) + right

    def lines(row, bar="│"):
        cells = [_wrapped(cell, width - 2) for cell, width in zip(row, widths)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            fields = (f" {part:{a}{width - 2}} " for part, a, width in zip(parts, align, widths))
            yield bar + bar.join(fields) + bar

    yield f'Model: "{model.name}"'
    yield border("┏", "┳", "┓", "━")
    yield from lines(header, "┃")
    yield border("┡", "╇", "┩", "━")
    for i, (name, shape, count, *more, sources) in enumerate(rows):
        if i:
            yield border("├", "┼", "┤", "─")
        count = "0 (unbuilt)" if count is None else f"{count:,}"
        yield from lines([name, shape, count, *more, *([", ".join(sources) or "-"] if connected else [])])
    yield border("└", "┴", "┘", "─")
    yield from _total_lines(model)


def _wrapped(text, width):
    """The lines of a cell, broken at spaces. Words that are too long are cut."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    return [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]


def _total_lines(model):
    optimizer = getattr(model, "optimizer", None)
    weights = [(" Trainable", model.trainable_weights), (" Non-trainable", model.non_trainable_weights)]
    extra = [(" Optimizer", list(optimizer.variables))] if optimizer is not None and optimizer.variables else []
    for what, variables in [(" Total", [v for _, part in [*weights, *extra] for v in part]), *weights, *extra]:
        size = sum(v.size * jnp.dtype(v.dtype).itemsize for v in variables)
        yield f"{what} params: {sum(v.size for v in variables):,} ({_readable(size)})"


def _readable(size):
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return None
