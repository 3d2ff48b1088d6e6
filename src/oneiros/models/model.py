"""Model: a graph of layers, or a layer of the user's own making, that can be trained, saved and shown."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import Graph, Symbol, behaviour, get_mask, has_symbol, is_symbol, op, set_mask, structure, symbols_in
from ..core.context import current
from ..core.errors import NoSymbolError
from ..core.names import to_snake_case, unique_name
from ..core.symbol import Spec, depends_on_phase, operation_name, replace_symbols
from ..layers.base import Layer, find_in_attributes, shape_of, single
from ..layers.base.nodes import attach
from ..layers.base.weights import unique
from ..layers.input_spec import check_input, check_shape
from ..saving import Savable
from ..training.trainer import Trainer
from . import configuration, summary
from .inputs_and_outputs import InputsAndOutputs
from .quantization import Quantizing
from .topology import layers_in_order, order_nodes


class Model(InputsAndOutputs, Trainer, Savable, Quantizing):
    """A model: a graph of layers that can be trained, saved and shown, and that is a layer itself.

    There are two ways to make one. ``Model(inputs, outputs)`` takes symbols: what `Input` returns, and what layers
    return that were called on symbols. Or a subclass makes layers in `__init__` and calls them in `call`.

    Args:
        *args: `inputs`, `outputs` and `name` may be given by position.
        inputs: a symbol from `Input`, or a list or dictionary of them.
        outputs: the symbols that the model computes, in the same forms.
        name: the model's name.
        trainable: whether training changes the weights.
        **kwargs: further arguments of `Layer`.

    Raises:
        ValueError: if inputs or outputs are not symbols, if the outputs need other inputs, or if two layers have the
            same name.

    >>> from oneiros.layers import Dense, Input
    >>> x = Input((4,))
    >>> model = Model(x, Dense(2)(x))
    >>> model.predict(np.zeros((3, 4)), verbose=0).shape
    (3, 2)
    """

    supports_masking = True
    takes_strings = True  # and passes them on to its layers
    layer_graph = None  # the `Graph` from inputs to outputs; subclasses with a `call` of their own have none
    untracked_attributes = Layer.untracked_attributes | {
        *("_graph_layers", "_early_layers", "_input_places", "_output_places")
    }
    _early_layers = ()  # those in attributes that a subclass set before it said what the inputs and outputs are

    def __init__(
        self, *args, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True, **kwargs
    ):
        if len(args) > 3:
            raise TypeError("Model: expected Model(inputs, outputs, name).")
        inputs, outputs, name = (*args, *(inputs, outputs, name)[len(args) :])
        if isinstance(inputs, str) and outputs is None:  # a subclass that passes a name
            inputs, name = None, inputs
        Layer.__init__(self, name=name or unique_name(_name_prefix(type(self))), trainable=trainable, **kwargs)
        if inputs is not None or outputs is not None:
            if behaviour.early_layers_first and type(self).__init__ is not Model.__init__:
                self._early_layers = tuple(find_in_attributes(Layer, self))
            self.set_layer_graph(inputs, outputs)

    def set_layer_graph(self, inputs: Any, outputs: Any) -> None:
        """Makes this the model that computes `outputs` from `inputs`.

        Args:
            inputs: a symbol, or a list or dictionary of symbols.
            outputs: likewise.

        Raises:
            ValueError: as the constructor does.
        """
        for what, value in (("inputs", inputs), ("outputs", outputs)):
            leaves = structure.leaves(value)
            if not leaves or not all(map(is_symbol, leaves)):
                raise NoSymbolError(
                    f"Model {self.name}: {what} must be symbols: what Input() and layers called on symbols return. "
                    f"Received: {what}={value!r}"
                )
        self.given_structures = inputs, outputs
        if isinstance(outputs, (list, tuple)) and len(outputs) == 1 and is_symbol(outputs[0]):
            outputs = outputs[0]  # Keras gives the array alone, not a list of it
        self.training_state.forget_steps()
        self.input_structure = inputs
        self.output_structure = outputs
        self.inputs, self.outputs = symbols_in(inputs), symbols_in(outputs)
        if len({id(s) for s in self.inputs}) != len(self.inputs):
            raise ValueError(f"Model {self.name}: the list of inputs holds one symbol twice.")
        inner = [s for s in self.inputs if s.node is not None and not s.node.entry]
        if inner and behaviour.model_inputs_are_inputs:
            raise NoSymbolError(
                f"Model {self.name}: inputs must come from Input(). Received: {inner[0]!r}, which is the output of "
                f"{operation_name(inner[0].node.operation)}. Take Input() of its shape, and call the layers on that."
            )
        self.layer_graph = Graph(self.inputs, outputs)
        self._graph_layers = layers_in_order(self.inputs, self.outputs_by_key)
        names = [layer.name for layer in self._graph_layers]
        if len(set(names)) != len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise ValueError(f"Model {self.name}: the name {twice!r} is used by {names.count(twice)} layers.")
        self.built = True
        self.note_path(current().layers)

    # --- layers

    @property
    def operations(self) -> list:
        """The layers and operations of the graph, in the order in which they are computed."""
        if self.layer_graph is None:
            return list(self.layers)
        nodes = order_nodes(self.inputs, self.outputs_by_key)
        return list({id(node.operation): node.operation for _, node in nodes}.values())

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in this model, in the order of Keras."""
        if self.layer_graph is None:
            return find_in_attributes(Layer, self)
        return self._graph_layers if behaviour.live_layers else list(self._graph_layers)

    def direct_sublayers(self) -> list[Layer]:
        """The layers of the graph, and those held in attributes, in the order of Keras."""
        held = find_in_attributes(Layer, self)
        if self.layer_graph is None:
            return held
        return unique([*(x for x in self._early_layers if x in held), *self._graph_layers, *held])

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Finds a layer.

        Args:
            name: its name.
            index: its place in `layers`.

        Raises:
            ValueError: if there is no such layer.
        """
        layers = self.layers
        if index is not None:
            if not isinstance(index, numbers.Integral) or not -len(layers) <= index < len(layers):
                raise ValueError(f"Model {self.name} has {len(layers)} layers. Received: index={index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Model {self.name} has the layers {[layer.name for layer in layers]}.")

    @property
    def weights(self) -> list:
        """All weights, in the order of the layers; in some generations of Keras the trainable ones come first."""
        weights = self.weights_by_layer()
        if behaviour.weights_trainable_first:
            trainable = {id(v) for v in self.trainable_weights}
            weights.sort(key=lambda v: id(v) not in trainable)
        return weights

    @property
    def stateful(self) -> bool:
        """Whether a layer inside keeps states from batch to batch."""
        return any(layer.stateful for layer in self.direct_sublayers())

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the outputs are others in training."""
        if self.layer_graph is None:
            return any(layer.uses_learning_phase for layer in self.direct_sublayers())
        return any(map(depends_on_phase, self.layer_graph.nodes))

    state_updates = property(lambda self: [])

    def reset_states(self) -> None:
        """Sets the states of all stateful layers to zero."""
        for layer in self.sublayers():
            if layer.stateful and hasattr(layer, "reset_states"):
                layer.reset_states()

    reset_state = reset_states

    # --- calls

    @property
    def can_be_called(self) -> bool:
        """Whether there is a graph or a `call`. Pairs of models with a `train_step` of their own may have neither."""
        return self.layer_graph is not None or type(self).call is not Model.call

    def call(self, inputs: Array, training: bool | None = None, mask: Any = None) -> Array:
        """Computes the outputs of the graph. Subclasses write their own.

        Args:
            inputs: an array for each input: alone, in a list, or in a dictionary by name.
            training: whether the call is one of training.
            mask: the masks of the inputs.

        Returns:
            The outputs, in the structure that `Model` was given.
        """
        if self.layer_graph is None:
            raise NotImplementedError(
                f"{type(self).__name__}: a subclass of Model needs a call(self, inputs) method, or Model(inputs, "
                "outputs) symbols."
            )
        arrays = [
            None if x is None else _fitted(x, symbol, f"Model {self.name}: input {name}")
            for x, symbol, name in zip(self.matched_inputs(inputs), self.inputs, self.input_names)
        ]
        if mask is not None:
            for array, one in zip(arrays, self.input_places.match(mask, "mask", ignore_unknown=True)):
                set_mask(array, one)
        layers = (self, *self.sublayers())
        losses = [loss for layer in layers for loss in layer.added_losses if is_symbol(loss)]
        updates = [pair for layer in layers for pair in layer.added_updates if isinstance(pair, tuple)]
        if not losses and not updates:
            return self.layer_graph(*arrays)
        extra = [losses, [value for _, value in updates]]
        outputs, losses, values = Graph(self.inputs, [self.output_structure, *extra])(*arrays)
        self.add_loss(losses)
        self.add_update([(variable, value) for (variable, _), value in zip(updates, values)])
        return outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs: one, or a list for several. `mask`: the masks of the inputs."""
        return None if self.layer_graph is None else _output_masks(self, inputs, mask)

    compute_mask.after_call = True  # the layers inside have set the masks on the outputs

    def compute_output_spec(self, *args, **kwargs) -> Any:
        if self.layer_graph is not None and len(args) == 1 and not has_symbol(kwargs):
            shapes = [tuple(s.shape) for s in symbols_in(args)]
            masked = any(s.mask_spec is not None for s in symbols_in(args))
            if shapes == [tuple(s.shape) for s in self.inputs] and not masked:
                return replace_symbols(self.output_structure, lambda s: Spec(s.shape, s.dtype, s.mask_spec))
        return Layer.compute_output_spec(self, *args, **kwargs)

    def build(self, input_shape: tuple | None = None) -> None:
        """Makes all weights of a subclassed model, by calling it once on made-up data.

        Args:
            input_shape: the shape of the inputs, with the batch axis.
        """
        if self.layer_graph is None and input_shape is not None:
            type(self).compute_output_spec(self, structure.map_shapes(Symbol, input_shape))
        self.built = True

    def build_for_call(self, args: tuple, kwargs: dict) -> None:
        """Calls a `build` of the subclass's own. Otherwise the layers are built as `call` reaches them."""
        if self.input_spec is not None and args:
            check_input(self, args[0])
        if self.built:
            return
        shape = shape_of(args[0]) if args else None
        if type(self).build is not Model.build:
            self.build(shape)
        self.built, self._build_shape = True, shape

    # --- configuration and display

    def get_config(self) -> dict:
        """The graph as JSON can hold it. Subclassed models write their own."""
        if self.layer_graph is not None and type(self).__init__ is Model.__init__:
            return configuration.graph_config(self)
        return {key: value for key, value in Layer.get_config(self).items() if key not in ("inputs", "outputs")}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Model":
        """A new model from what `get_config` returned.

        Args:
            config: the configuration.
            custom_objects: a dictionary from names to classes and functions.
        """
        return configuration.from_config(cls, config, custom_objects)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence | None = None,
        print_fn: Callable | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints the layers, their output shapes and their numbers of weights.

        Args:
            line_length: the number of characters in a line.
            positions: where the columns end.
            print_fn: a function that is called with each line, by default `print`.
            expand_nested: whether the layers of models inside are shown.
            show_trainable: whether a column says which layers are trained.
            layer_range: the names of the first and the last layer to show, or patterns for them.
        """
        if behaviour.summary_checks_trainable and self.training_state.steps is not None:
            self.training_state.steps.warn_of_changes()
        summary.print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # --- copies and pickles

    def __getstate__(self):
        """What copies and pickles keep. The nodes come first, each after its inputs, so that no recursion gets deep."""
        nodes = order_nodes(self.inputs, self.outputs_by_key) if self.layer_graph is not None else []
        return {"_nodes": [node for _, node in nodes]} | Layer.__getstate__(self)

    def __setstate__(self, state):
        nodes = state.pop("_nodes")
        self.__dict__.update(state)
        for node in nodes:
            attach(node)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


@op
def _output_masks(model, inputs, mask):
    return single(list(map(get_mask, structure.leaves(model.call(inputs, mask=mask)))))


def _name_prefix(cls):
    if cls is Model:
        return behaviour.model_name
    return to_snake_case(cls.__name__)


def _fitted(x, symbol, name):
    """Data in the type of an input. Data of shape (n,) fit an input of shape (None, 1), and the reverse."""
    rank = np.ndim(x)
    if rank == symbol.ndim - 1 and symbol.shape[-1] == 1:
        x = x[..., None]
    elif rank == symbol.ndim + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    elif behaviour.model_input_shapes_checked:
        check_shape(tuple(x.shape), tuple(symbol.shape), name)
    if isinstance(x, Array) and x.dtype != symbol.dtype and jnp.issubdtype(x.dtype, jnp.number):
        mask, x = get_mask(x), x.astype(symbol.dtype)
        set_mask(x, mask)
    return x
