"""The graph around a layer: each call on symbols is a node, which knows the inputs and outputs of that call."""

import contextlib
from typing import Any

import jax.numpy as jnp
import numpy as np

from ...core import Node, Symbol, behaviour, has_symbol, symbols_in
from ...core.errors import InputDataError
from ...core.structure import leaves, map_shapes, map_structure
from ...core.symbol import STRING, infer
from .masks import mask_of
from .shapes import shape_of, single


def _nodes(name, doc):
    return property(lambda self: getattr(self, name), lambda self, nodes: setattr(self, name, nodes), doc=doc)


class LayerNodes:
    """The part of `Layer` that knows about calls on symbols."""

    inbound_nodes = _nodes("_inbound_nodes", "The nodes of this layer's calls on symbols.")
    outbound_nodes = _nodes("_outbound_nodes", "The nodes that use outputs of this layer.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input.

        Args:
            input_shape: a tuple with the batch axis, where unknown dimensions are `None`; a list or dictionary of
                such tuples for several inputs.

        Returns:
            A tuple, or a structure of tuples for several outputs.
        """
        if (
            behaviour.super_output_shape_is_input
            and type(self).compute_output_shape is not LayerNodes.compute_output_shape
        ):
            return input_shape  # a subclass's own method calls it
        if not self.built:
            self.build(input_shape)
        return map_structure(lambda s: tuple(s.shape), infer(self, (map_shapes(Symbol, input_shape),), {}))

    def compute_output_spec(self, *args, **kwargs) -> Any:
        """The shapes and types of the outputs for symbols.

        Args:
            *args: the positional arguments of a call, with symbols in the places of arrays.
            **kwargs: the keyword arguments of the call.

        Returns:
            An object with `shape` and `dtype`, or a structure of such objects for several outputs.
        """
        one_argument = len(args) == 1 and not has_symbol(kwargs)
        declared = type(self).compute_output_shape is not LayerNodes.compute_output_shape
        floating = all(s.dtype != STRING and jnp.issubdtype(s.dtype, jnp.floating) for s in symbols_in(args))
        if not (one_argument and declared and floating):
            return infer(self, args, kwargs)
        if not all(layer.built for layer in self.sublayers()):
            with contextlib.suppress(Exception):  # the shape is known, even where this layer cannot be tried out
                infer(self, args, kwargs)  # the call builds the layers that this one is made of
        shapes = self.compute_output_shape(shape_of(args[0]))
        if isinstance(shapes, list) and all(isinstance(s, (tuple, list)) for s in shapes):
            specs = [Symbol(s, self.compute_dtype, "spec") for s in shapes]
        else:
            specs = Symbol(shapes, self.compute_dtype, "spec")
        return _with_masks(self, args[0], specs)

    def get_input_at(self, node_index: int) -> Any:
        """The input of the call with this number: a symbol, or a list of symbols."""
        return _at_node(self, "input_tensors", node_index)

    def get_output_at(self, node_index: int) -> Any:
        """The output of the call with this number: a symbol, or a list of symbols."""
        return _at_node(self, "output_tensors", node_index)

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape of the call with this number: a tuple, or a list of tuples."""
        return _at_node(self, "input_shapes", node_index)

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape of the call with this number: a tuple, or a list of tuples."""
        return _at_node(self, "output_shapes", node_index)

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask of the input of the call with this number: a symbol, `None`, or a list of them."""
        return _at_node(self, "input_masks", node_index)

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask of the output of the call with this number: a symbol, `None`, or a list of them."""
        return _at_node(self, "output_masks", node_index)

    input = property(lambda self: _at_node(self, "input_tensors"), doc="The input symbol, or a list of several.")
    output = property(lambda self: _at_node(self, "output_tensors"), doc="The output symbol, or a list of several.")
    input_shape = property(lambda self: _at_node(self, "input_shapes"), doc="The input's shape, or a list of several.")
    output_shape = property(
        lambda self: _at_node(self, "output_shapes"), doc="The output's shape, or a list of several."
    )
    input_mask = property(lambda self: _only_mask(self, "input_masks"), doc="The mask of the only call's input.")
    output_mask = property(lambda self: _only_mask(self, "output_masks"), doc="The mask of the only call's output.")


def _only_mask(layer, what):
    if len(layer.inbound_nodes) > 1:
        raise AttributeError(
            f"Layer {layer.name} has {len(layer.inbound_nodes)} nodes, so its {what[:-1]} is ambiguous. Use "
            f"get_{what[:-1]}_at(node_index)."
        )
    return _at_node(layer, what)


def _with_masks(layer, inputs, specs):
    """The specs of outputs, with those of the masks that the layer gives them."""
    masked = any(s.mask_spec is not None for s in symbols_in(inputs))
    if masked and layer.drops_masks:
        masked = behaviour.unsupported_mask_error
    if masked or layer.makes_masks:
        masks = infer(_compute_mask, (layer, inputs), {})
        each = leaves(specs)
        masks = masks if isinstance(masks, (list, tuple)) and isinstance(specs, list) else [masks] * len(each)
        for spec, mask in zip(each, masks):
            spec.mask_spec = mask
    return specs


def _compute_mask(layer, inputs):
    return layer.compute_mask(inputs, mask_of(inputs))


def record(layer: Any, args: tuple, kwargs: dict) -> Any:
    """Notes a call on symbols as a node of the graph.

    Returns:
        The output symbols, in the structure in which `call` returns its outputs.
    """
    if not layer.takes_strings and any(s.dtype == STRING for s in symbols_in((args, kwargs))):
        raise InputDataError(
            f"Layer {layer.name} ({type(layer).__name__}): expected numbers. Received a symbol for strings: put a "
            "layer between them, such as StringLookup or TextVectorization."
        )
    node = Node(layer, args, kwargs, layer.compute_output_spec(*args, **kwargs))
    node.node_index = len(layer.inbound_nodes)
    attach(node)
    return node.result


def attach(node: Any) -> None:
    """Makes a node known to its layer, and to the layers that its inputs come from."""
    if isinstance(node.operation, LayerNodes):
        node.operation.inbound_nodes.append(node)
    for symbol in node.inputs:
        if symbol.node is not None and isinstance(symbol.node.operation, LayerNodes):
            symbol.node.operation.outbound_nodes.append(node)


def _at_node(layer, what, index=None):
    """An attribute of the node with this number; without a number, that of all nodes, if they agree."""
    nodes = layer.inbound_nodes
    if not nodes:
        raise AttributeError(f"Layer {layer.name} has never been called on a symbol, so it has no {what}.")
    if index is None:
        values = [single(getattr(node, what)) for node in nodes]
        if any(value != values[0] for value in values[1:]):
            side, _, face = what.partition("_")
            raise AttributeError(
                f"Layer {layer.name} has {len(nodes)} nodes, so its {side} is ambiguous. "
                f"Use get_{side}_{'shape_' if face == 'shapes' else ''}at(node_index)."
            )
        return values[0]
    if not isinstance(index, (int, np.integer)) or not 0 <= index < len(nodes):
        raise ValueError(f"Layer {layer.name}: asked for node {index}, but there are {len(nodes)} nodes.")
    return single(getattr(nodes[index], what))
