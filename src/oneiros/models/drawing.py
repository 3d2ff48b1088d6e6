"""Drawings of models: graphs in the DOT language, made by pydot, and pictures of them, made by Graphviz."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputDataError
from ..layers.base import Layer
from ..layers.wrappers import Wrapper
from ..utils.atomic import replacing
from .topology import order_nodes


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    splines: str = "ortho",
) -> Any:
    """The graph of a model as an object of pydot.

    Args:
        model: a model that is built.
        show_shapes: whether boxes tell the shapes of inputs and outputs.
        show_dtype: whether boxes tell the types.
        show_layer_names: whether boxes tell the names of layers.
        rankdir: `"TB"` draws from top to bottom, `"LR"` from left to right; `"BT"` and `"RL"` the other way.
        expand_nested: whether models inside are drawn as clusters.
        dpi: the number of dots per inch.
        subgraph: whether to return a ``pydot.Cluster`` instead of a ``pydot.Dot``.
        show_layer_activations: whether boxes tell activations.
        show_trainable: whether boxes tell if the layer is trained.
        layer_range: the names of the first and the last layer to draw.
        splines: how Graphviz draws the arrows.

    Raises:
        ImportError: if pydot is not installed.
        ValueError: if the model is not built.
    """
    pydot = _pydot()
    if not model.built:
        raise ValueError(
            f"Model {model.name} is not built yet: call it on data, or `build(input_shape)`, before it can be drawn."
        )
    if rankdir not in ("TB", "BT", "LR", "RL"):
        raise InputDataError(f"rankdir: expected 'TB', 'BT', 'LR' or 'RL'. Received: rankdir={rankdir!r}")
    show = {
        "class": True,
        "names": show_layer_names,
        "activations": show_layer_activations,
        "dtype": show_dtype,
        "shapes": show_shapes,
        "trainable": show_trainable,
    }
    if subgraph:
        graph = pydot.Cluster(graph_name=model.name, style="dashed", label=model.name, labeljust="l")
    else:
        graph = pydot.Dot(graph_type="digraph", rankdir=rankdir, dpi=str(dpi), concentrate="true", splines=splines)
        graph.set_node_defaults(shape="none", fontname="Helvetica")
    _Drawing(pydot, show, expand_nested).draw(model, graph, _range(model, layer_range))
    return graph


def plot_model(
    model: Any,
    to_file: str = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    splines: str = "ortho",
) -> Any:
    """Draws a model into a file.

    Args:
        model: a model that is built.
        to_file: the file. Its suffix says what kind of picture: png, svg, pdf, dot, ...
        show_shapes: as in `model_to_dot`, like all other arguments.
        show_dtype: see there.
        show_layer_names: see there.
        rankdir: see there.
        expand_nested: see there.
        dpi: see there.
        show_layer_activations: see there.
        show_trainable: see there.
        layer_range: see there.
        splines: see there.

    Returns:
        The picture, in a notebook.

    Raises:
        ImportError: if pydot is not installed, or Graphviz, which only dot files do without.
    """
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        layer_range=layer_range,
        splines=splines,
    )
    path = Path(to_file)
    extension = path.suffix[1:] or "png"
    path = path.with_suffix(f".{extension}")
    if extension in ("dot", "raw"):
        drawn = graph.to_string().encode()
    else:
        drawn = _rendered(graph, extension)
    with replacing(path) as part:
        part.write_bytes(drawn)
    return _notebook_image(path) if extension in ("png", "jpg", "jpeg") else None


def _pydot():
    try:
        import pydot
    except ImportError:
        raise ImportError("Drawing models needs pydot (pip install pydot), and Graphviz for pictures.") from None
    return pydot


def _rendered(graph, extension):
    try:
        return graph.create(format=extension)
    except FileNotFoundError:
        raise ImportError(
            "Graphviz, which draws the picture, is not installed: its program `dot` was not found. Install it (see "
            "https://graphviz.org/download), or write the graph itself: to_file='model.dot'."
        ) from None


def _notebook_image(path):
    try:
        from IPython import display, get_ipython
    except ImportError:
        return None
    return display.Image(filename=str(path)) if get_ipython() is not None else None


def _range(model, layer_range):
    """The layers to draw: those from the first to the last named."""
    if layer_range is None:
        return None
    names = [layer.name for layer in model.layers]
    unknown = [name for name in layer_range if name not in names]
    if len(layer_range) != 2 or unknown:
        raise ValueError(f"layer_range: expected the names of two layers of {names}. Received: {layer_range}")
    first, last = sorted(map(names.index, layer_range))
    return set(names[first : last + 1])


class _Drawing:
    """Boxes and arrows. A box is named after its layer and the models around it."""

    def __init__(self, pydot, show, expand_nested):
        self.pydot, self.show, self.expand_nested = pydot, show, expand_nested
        self.ends = {}  # name of an expanded model -> (its first boxes, its last boxes)

    def draw(self, model, graph, chosen=None, prefix=""):
        """Adds a model to a graph; returns the names of the boxes where data enters and leaves."""
        if model.layer_graph is None:
            return self._draw_chain(model, graph, prefix)
        arrows, drawn = {}, {}
        for _, node in order_nodes(model.inputs, model.outputs_by_key):
            layer = node.operation
            is_layer = isinstance(layer, Layer)
            if chosen is not None and not (is_layer and layer.name in chosen):
                continue
            key = id(layer) if is_layer else id(node)
            if key not in drawn:
                drawn[key] = self._add(layer, graph, prefix, "" if is_layer else str(len(drawn)))
            for source in node.inputs:
                owner = source.node.operation
                owner = id(owner) if isinstance(owner, Layer) else id(source.node)
                for start in drawn.get(owner, ((), ()))[1]:
                    for end in drawn[key][0]:
                        arrows[start, end] = None
        for start, end in arrows:
            graph.add_edge(self.pydot.Edge(start, end))

        def boxes(symbols, side):
            owners = [s.node.operation if isinstance(s.node.operation, Layer) else s.node for s in symbols]
            return [box for owner in owners for box in drawn.get(id(owner), ((), ()))[side]]

        return boxes(model.inputs, 0), boxes(model.outputs, 1)

    def _draw_chain(self, model, graph, prefix):
        """The layers of a subclassed model, without arrows: its graph is only in its code."""
        for layer in model.layers:
            self._add(layer, graph, prefix, "")
        return [], []

    def _add(self, layer, graph, prefix, number):
        """Draws a layer or operation; returns the names of its first and last boxes."""
        name = prefix + (getattr(layer, "name", None) or getattr(layer, "__name__", "operation")) + number
        inner = layer.layer if isinstance(layer, Wrapper) else layer
        if self.expand_nested and hasattr(inner, "layers") and inner.layers:
            cluster = self.pydot.Cluster(graph_name=name, style="dashed", label=inner.name, labeljust="l")
            ends = self.draw(inner, cluster, prefix=f"{name}/")
            graph.add_subgraph(cluster)
            return ends
        graph.add_node(self.pydot.Node(self._quoted(name), label=self._label(layer)))
        return [self._quoted(name)], [self._quoted(name)]

    def _quoted(self, name):
        return '"' + name.replace('"', "'") + '"'

    def _label(self, layer):
        """A table: the class and name above, then a row of facts."""
        if not isinstance(layer, Layer):
            return f"<<b>{html.escape(getattr(layer, '__name__', 'operation'))}</b>>"
        kind = type(layer).__name__
        if isinstance(layer, Wrapper):
            kind += f"({type(layer.layer).__name__})"
        title = f"{layer.name} ({kind})" if self.show["names"] else kind
        rows = [f'<tr><td bgcolor="#222222"><font color="white"><b>{html.escape(title)}</b></font></td></tr>']
        rows += [f"<tr><td>{html.escape(fact)}</td></tr>" for fact in self._facts(layer)]
        return f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="6">{"".join(rows)}</table>>'

    def _facts(self, layer):
        activation = getattr(layer, "activation", None)
        if self.show["activations"] and activation is not None:
            yield f"activation: {getattr(activation, '__name__', type(activation).__name__)}"
        if self.show["shapes"]:
            for side in ("input", "output"):
                try:
                    shape = getattr(layer, f"{side}_shape")
                except AttributeError:  # shared, with several shapes, or not in a graph
                    shape = "multiple" if layer.inbound_nodes else "?"
                yield f"{side}: {shape}"
        if self.show["dtype"]:
            yield f"dtype: {layer.compute_dtype}"
        if self.show["trainable"] and layer.weights:
            yield f"trainable: {layer.trainable}"
