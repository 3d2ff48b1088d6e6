"""Where data enters a graph."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ..core import Node, Symbol, behaviour, symbols_in
from ..core.names import get_uid
from ..core.symbol import Spec, type_name
from .base import Layer


class InputLayer(Layer):
    """The source of a graph: it holds a symbol, in whose place data are fed.

    `Input` makes one and returns its symbol.

    Args:
        shape: the shape without the batch axis.
        batch_size: the size of the batch axis.
        dtype: the type of the data, by default `floatx()`. Layers such as `StringLookup` take a ``"string"``.
        sparse: whether the data are sparse matrices.
        ragged: ignored.
        batch_shape: the shape with the batch axis.
        input_tensor: a symbol to use as it is, or an array or variable whose value is read at each call.
        optional: whether models may be given `None` for it.
        name: the name of the layer and its symbol.
        input_shape: the same as `shape`.
        batch_input_shape: the same as `batch_shape`.
        **kwargs: further arguments of `Layer`.

    Raises:
        ValueError: if no shape is given.

    >>> InputLayer((3,)).symbol.shape
    (None, 3)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        input_shape: tuple | None = None,
        batch_input_shape: Any = None,
        **kwargs,
    ):
        batch_shape = batch_shape or batch_input_shape
        shape = input_shape if shape is None else shape
        if input_tensor is not None and batch_shape is None:
            batch_shape = tuple(input_tensor.shape)
        if batch_shape is None:
            if shape is None:
                raise ValueError("Input: expected a `shape` (without the batch axis) or a `batch_shape` (with it).")
            batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
        if name is None and behaviour.numbered_inputs:
            name = f"input_{get_uid('input')}"
        super().__init__(name=name, **kwargs)
        self.batch_shape = tuple(None if d is None else int(d) for d in batch_shape)
        self.batch_input_shape = self.batch_shape
        self.input_dtype = type_name(dtype or getattr(input_tensor, "dtype", None))
        self.sparse, self.optional = bool(sparse), bool(optional)
        self.built = True
        self.symbol = self._make_symbol(input_tensor)

    def _make_symbol(self, tensor):
        if isinstance(tensor, Symbol):
            if tensor.node is None:
                self._adopt(tensor)
            if tensor.node.entry or not behaviour.model_inputs_are_inputs:
                return tensor
        self._tensor = tensor
        node = Node(self, (tensor,) if isinstance(tensor, Symbol) else (), {}, Spec(self.batch_shape, self.input_dtype))
        node.entry, node.placeholder = True, tensor is None
        node.outputs[0].name = self.name
        node.outputs[0].sparse = self.sparse
        self.inbound_nodes.append(node)
        return node.outputs[0]

    def _adopt(self, placeholder):
        """Makes a symbol from K.placeholder the output of this layer."""
        node = Node(self, (), {}, Spec(self.batch_shape, self.input_dtype))
        node.entry = node.placeholder = True
        node.outputs[:] = [placeholder]
        placeholder.node = node
        self.inbound_nodes.append(node)

    dtype = property(lambda self: self.input_dtype)

    takes_strings = True

    def __call__(self, *args, **kwargs):
        """The inputs as they are; without any, the value of the tensor that the layer was made with."""
        return super().__call__(*args, **kwargs) if args or kwargs else jnp.asarray(self._tensor)

    def call(self, inputs: Array) -> Array:
        return inputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {
            "batch_input_shape": list(self.batch_shape),
            "dtype": self.input_dtype,
            "sparse": self.sparse,
            "ragged": False,
            "optional": self.optional,
            "name": self.name,
        }


def Input(  # noqa: N802 - Keras' name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    batch_input_shape: Any = None,
) -> Symbol:
    """Makes a symbol that stands for an input of a model.

    Args:
        shape: the shape without the batch axis; `None` for dimensions that are not known.
        batch_size: the size of the batch axis.
        dtype: the type of the data, by default `floatx()`.
        sparse: whether the data are sparse matrices.
        ragged: ignored.
        batch_shape: the shape with the batch axis.
        name: the input's name, which may be a key in dictionaries of data.
        tensor: a symbol, variable or array to use instead of data.
        optional: whether models may be given `None` for it.
        batch_input_shape: the same as `batch_shape`.

    Returns:
        A `Symbol`.

    Raises:
        ValueError: if no shape is given.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        batch_shape=batch_shape or batch_input_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
    )
    return layer.symbol


def source_inputs(symbol: Any) -> list:
    """The placeholders that a symbol is computed from, each once."""
    found, seen, stack = {}, set(), [symbol]
    while stack:
        s = stack.pop()
        if id(s) in seen:
            continue
        seen.add(id(s))
        if s.node is None or s.node.placeholder:
            found[id(s)] = s
        else:
            stack.extend(reversed(s.node.inputs))
    return list(found.values())


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list:
    """The list of Input symbols that `tensor` (a symbol, or a list of them) is computed from.

    With `layer` and `node_index`, as Keras 1 and 2 have them, it is the inputs of that call of the layer instead.

    >>> inputs = Input((3,))
    >>> get_source_inputs(inputs * 2 + 1)[0] is inputs
    True
    """
    if layer is not None and node_index is not None and layer.inbound_nodes:
        node = layer.inbound_nodes[node_index]
        tensor = node.input_tensors or node.output_tensors
    return list({id(s): s for t in symbols_in(tensor) for s in source_inputs(t)}.values())
