"""The order of a model's layers in Keras, which decides on the order of weights in files."""

from collections.abc import Sequence

from ..layers.base import Layer


def order_nodes(inputs: Sequence, outputs: Sequence) -> list:
    """All nodes from `inputs` to `outputs` with their depths, the deepest first.

    The depth of a node is the length of the longest path from it to an output. All nodes of a layer have the largest
    depth that was known when they were reached. Nodes of equal depth keep the order of a walk from the outputs.

    Args:
        inputs: the symbols where the walk ends.
        outputs: the symbols where it begins.

    Returns:
        A list of pairs of a depth and a node.
    """
    stop = {id(s) for s in inputs}
    rank, order, visited = {}, [], set()

    def enter(symbol):
        """The sources of a symbol's node, to be walked one after the other."""
        node = symbol.node
        fed = id(symbol) in stop
        if node is None or id(node) in visited or (fed and not node.entry):
            return
        visited.add(id(node))
        rank.setdefault(id(_owner(node)), len(rank))
        stack.append((node, iter(() if fed else node.inputs)))

    for symbol in outputs:
        stack = []
        enter(symbol)
        while stack:
            node, sources = stack[-1]
            source = next(sources, None)
            if source is None:
                order.append(node)
                stack.pop()
            else:
                enter(source)
    depths, layer_depths = {}, {}
    for node in reversed(order):
        owner = _owner(node)
        depth = max(depths.get(id(node), 0), layer_depths.get(id(owner), 0))
        depths[id(node)] = layer_depths[id(owner)] = depth
        for source in node.inputs:
            if source.node is not None:
                depths[id(source.node)] = max(depth + 1, depths.get(id(source.node), 0))
    ranked = sorted(order, key=lambda n: (-layer_depths[id(_owner(n))], rank[id(_owner(n))]))
    return [(depths[id(n)], n) for n in ranked]


def _owner(node):
    return node.operation if isinstance(node.operation, Layer) else node


def layers_in_order(inputs: Sequence, outputs: Sequence) -> list:
    """The layers of a graph, the deepest first, each once. Inputs that nothing uses come last."""
    found = {}
    for _, node in order_nodes(inputs, outputs):
        if isinstance(node.operation, Layer):
            found.setdefault(id(node.operation), node.operation)
    for symbol in inputs:
        if symbol.node is not None and symbol.node.entry and isinstance(symbol.node.operation, Layer):
            found.setdefault(id(symbol.node.operation), symbol.node.operation)
    return list(found.values())
