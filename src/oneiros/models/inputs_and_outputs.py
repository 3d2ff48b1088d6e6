"""The inputs and outputs of a model: their names and structures, and how data are matched to them."""

from typing import Any

import jax

from ..core import behaviour, structure
from ..core.errors import InputDataError
from ..layers.base import shape_of, single


class InputsAndOutputs:
    """The part of `Model` that knows its inputs and outputs. A subclass with its own `call` has none."""

    inputs = outputs = None  # flat lists of symbols
    input_structure = output_structure = None  # the same in the structure that calls take and return
    given_structures = None  # inputs and outputs as `Model` was given them, lists of one entry, too

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [_name_of(s, i) for i, s in enumerate(self.inputs or [])]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that they come from."""
        if self.outputs is None:
            return []
        names = []
        for i, symbol in enumerate(self.outputs):
            name = _name_of(symbol, i)
            names.append(name if name not in names else f"{name}_{sum(n.startswith(name) for n in names)}")
        return names

    @property
    def input_layers(self) -> list:
        """The layers that hold the inputs."""
        return [s.node.operation for s in self.inputs if s.node]

    @property
    def output_layers(self) -> list:
        """The layers that compute the outputs."""
        return [s.node.operation for s in self.outputs]

    @property
    def input(self) -> Any:
        """The input symbol, or several in the structure that `Model` was given."""
        return self._as_given(0, self.inputs) if self.inputs else super().input

    @property
    def output(self) -> Any:
        """The output symbol, or several in the structure that `Model` was given."""
        return self._as_given(1, self.outputs) if self.outputs else super().output

    def _as_given(self, side, flat):
        given = self.given_structures[side]
        if not behaviour.model_io_structured:
            return single(flat)
        lone = isinstance(given, list) and len(given) == 1 and not behaviour.model_io_lists_of_one
        return given[0] if lone else given

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of several."""
        return self._shapes(self.inputs, "input_shape")

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of several."""
        return self._shapes(self.outputs, "output_shape")

    def _shapes(self, symbols, name):
        if symbols is None:
            raise AttributeError(f"Model {self.name} has no {name} before it is built: call it on data, or build it.")
        return single([tuple(s.shape) for s in symbols])

    @property
    def outputs_by_key(self) -> list:
        """The outputs in the order in which Keras walks the graph: dictionaries sorted by key."""
        return jax.tree.leaves(self.output_structure)

    @property
    def input_places(self) -> structure.Places:
        """The structure of the inputs, by which data are matched to them."""
        return self._places("input", self.input_structure, self.input_names)

    @property
    def output_places(self) -> structure.Places:
        """The structure of the outputs, by which losses, metrics and targets are matched to them."""
        return self._places("output", self.output_structure, self.output_names)

    def _places(self, kind, tree, names):
        """Places are kept as long as they would be the same: they are asked for with every batch."""
        kept = self.__dict__.get(f"_{kind}_places")
        if kept is None or kept[0] is not tree or kept[1].layers != names:
            kept = self.__dict__[f"_{kind}_places"] = (tree, structure.Places(tree, names, kind))
        return kept[1]

    def matched_inputs(self, inputs: Any, what: str = "inputs") -> list:
        """What is given for each of `self.inputs`.

        Args:
            inputs: a list, a dictionary by name, or the structure that `Model` was given.
            what: what messages call it.

        Returns:
            A flat list.

        Raises:
            InputDataError: if something is missing.
        """
        count, flat = len(self.inputs), structure.leaves(inputs)
        if isinstance(inputs, dict) or count > 1 and structure.is_nested(inputs):
            what = f"Model {self.name}: {what}"
            flat = self.input_places.match(inputs, what, partial=False, ignore_unknown=True, spread=False)
        if len(flat) != count or any(map(structure.is_nested, flat)):
            raise InputDataError(
                f"{what}: model {self.name} expects {count} input(s), {self.input_names}. Received "
                f"{len(flat)} array(s) of shapes {[shape_of(x) for x in flat]}."
            )
        missing = [i for i, value in enumerate(flat) if value is None]
        for i in missing:
            if not getattr(self.inputs[i].node.operation, "optional", False):
                raise InputDataError(
                    f"{what}: the input {self.input_names[i]!r} of model {self.name} is not optional, but None was "
                    "given. Pass an array, or make it with Input(..., optional=True)."
                )
        return flat


def _name_of(symbol, index):
    return getattr(getattr(symbol.node, "operation", None), "name", None) or symbol.name or f"output_{index + 1}"
