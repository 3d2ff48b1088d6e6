"""Operations of a user's own, and functions cut out of a graph of symbols, as Keras 3 has them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import structure
from .names import to_snake_case, unique_name
from .registry import Configurable
from .symbol import Graph, Node, Symbol, has_symbol, infer, is_symbol, symbols_in
from .variable import Variable


class Operation(Configurable):
    """A computation without weights that takes arrays and symbols. Subclasses write `call`.

    Args:
        name: the name; by default that of the class, made unique.

    Raises:
        ValueError: if the name is no string, or holds a slash.

    >>> class Plus(Operation):
    ...     def __init__(self, amount, name=None):
    ...         super().__init__(name=name)
    ...         self.amount = amount
    ...     def call(self, x):
    ...         return x + self.amount
    >>> plus = Plus(2.0, name="plus")
    >>> plus(jnp.ones(2)).tolist(), plus(Symbol((None, 3))).shape
    ([3.0, 3.0], (None, 3))
    >>> plus.get_config()
    {'amount': 2.0, 'name': 'plus'}
    """

    def __init__(self, name: str | None = None):
        if name is None:
            name = unique_name(to_snake_case(type(self).__name__))
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"{type(self).__name__}: expected a name without '/'. Received: name={name!r}")
        self.name, self._inbound_nodes = name, []

    def call(self, *args, **kwargs) -> Any:
        """The computation: arrays in, arrays out. Subclasses write their own."""
        raise NotImplementedError(f"{type(self).__name__}: a subclass of Operation needs a method call(self, ...).")

    def __call__(self, *args, **kwargs) -> Any:
        if has_symbol(args) or has_symbol(kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args, **kwargs) -> Any:
        """The results for symbols, as symbols. The call is noted as a node of the graph."""
        node = Node(self, args, kwargs, self.compute_output_spec(*args, **kwargs))
        self._inbound_nodes.append(node)
        return node.result

    def compute_output_spec(self, *args, **kwargs) -> Any:
        """The shapes and types of the results for symbols. They are found by `call`, unless a subclass says them."""
        return _symbols_like(infer(self.call, args, kwargs))

    @property
    def inbound_nodes(self) -> list:
        """The nodes of the calls on symbols."""
        return self._inbound_nodes

    @property
    def input(self) -> Any:
        """The symbols of the first call, or the only one."""
        return _of_first_call(self, "inputs")

    @property
    def output(self) -> Any:
        """What the first call returned: a symbol, or a list of symbols."""
        return _of_first_call(self, "outputs")


def _symbols_like(specs):
    """New symbols of the same shapes, types and masks."""

    def symbol(spec):
        made = Symbol(spec.shape, spec.dtype)
        made.mask_spec = spec.mask_spec
        return made

    return structure.map_structure(symbol, specs)


def _of_first_call(operation, what):
    if not operation.inbound_nodes:
        raise AttributeError(f"{operation.name} has never been called on a symbol, so it has no {what}.")
    found = list(getattr(operation.inbound_nodes[0], what))
    return found[0] if len(found) == 1 else found


class Function(Operation):
    """The part of a graph from some symbols to others, as a function of arrays or of other symbols.

    Args:
        inputs: a symbol, or a structure of symbols.
        outputs: likewise.
        name: the name.

    Raises:
        ValueError: if there are no inputs or outputs, if one is no symbol, or if the outputs need other inputs.

    >>> x = Symbol((None, 2))
    >>> double = Function(x, {"sum": x + x}, name="double")
    >>> double(np.ones((1, 2)))["sum"].tolist(), double(Symbol((5, 2)))["sum"].shape
    ([[2.0, 2.0]], (5, 2))
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name=name)
        for what, given in (("inputs", inputs), ("outputs", outputs)):
            found = structure.leaves(given)
            if not found:
                raise ValueError(f"Function {self.name}: the `{what}` argument cannot be empty. Received: {given!r}")
            if not all(map(is_symbol, found)):
                raise ValueError(f"Function {self.name}: {what} must be symbols. Received: {given!r}")
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self.inputs, self.outputs = symbols_in(inputs), symbols_in(outputs)
        self._graph = Graph(self.inputs, outputs)

    @property
    def operations(self) -> list:
        """The layers and operations that are called, each once, in the order of their first call."""
        entries = [s.node.operation for s in self.inputs if s.node is not None]
        return list(dict.fromkeys([*entries, *(node.operation for node in self._graph.nodes)]))

    def call(self, inputs: Any) -> Any:
        """The outputs, in their structure.

        Args:
            inputs: arrays in the structure of the inputs.

        Raises:
            ValueError: if the structure, or the shape of an array, is another.
        """
        return self._graph(*self._checked(inputs))

    def compute_output_spec(self, inputs: Any) -> Any:
        """The outputs for symbols, in their structure."""
        symbols = self._checked(inputs)
        if [tuple(s.shape) for s in symbols] == [tuple(s.shape) for s in self.inputs]:
            return _symbols_like(self._outputs_struct)
        return _symbols_like(infer(self._graph, tuple(symbols), {}))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for shapes of the inputs, in their structures."""
        specs = self.compute_output_spec(structure.map_shapes(Symbol, input_shape))
        return structure.map_structure(lambda spec: tuple(spec.shape), specs)

    def get_config(self) -> dict:
        """The name alone: a graph is saved with a `Model`."""
        return {"name": self.name}

    def _checked(self, given):
        found = structure.leaves(given)
        same = structure.keys_of(given) if structure.is_nested(given) else None
        wanted = structure.keys_of(self._inputs_struct) if structure.is_nested(self._inputs_struct) else None
        lone = wanted is not None and len(self.inputs) == 1 and same is None
        if len(found) != len(self.inputs) or (same != wanted and not lone):
            raise ValueError(
                f"Function {self.name} was called with an invalid input structure: expected that of "
                f"{self._inputs_struct!r}. Received: {given!r}"
            )
        arrays = [x if isinstance(x, (jax.Array, Variable)) or is_symbol(x) else jnp.asarray(x) for x in found]
        for array, symbol in zip(arrays, self.inputs):
            shape = tuple(np.shape(array)) if not is_symbol(array) else tuple(array.shape)
            fits = len(shape) == symbol.ndim and all(
                None in (size, wish) or size == wish for size, wish in zip(shape, symbol.shape)
            )
            if not fits:
                raise ValueError(
                    f"Function {self.name} was called with incompatible inputs: expected the shape "
                    f"{tuple(symbol.shape)}. Received: {shape}"
                )
        return arrays
