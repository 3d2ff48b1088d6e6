"""Sequential: a model in which each layer's output is the next layer's input."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import behaviour, is_symbol, structure, symbols_in
from ..core.context import current, within
from ..core.errors import InputDataError
from ..core.names import unique_name
from ..layers.base import Layer, shape_of, single
from ..layers.input_layer import Input, InputLayer
from ..layers.input_spec import check_shape
from ..layers.lambda_layer import Lambda
from . import configuration
from .model import Model


class Sequential(Model):
    """A chain of layers, each of which has one input and one output.

    The model is built at once if the shape of its input is known: from an `Input` in front, or from `input_shape` of
    the first layer. Otherwise it is built when it first sees data.

    Args:
        layers: a list of layers.
        name: the model's name.
        trainable: whether training changes the weights.
        **kwargs: further arguments of `Layer`.

    >>> from oneiros.layers import Dense
    >>> model = Sequential([Dense(4, input_shape=(3,)), Dense(1)])
    >>> model.output_shape, model.count_params()
    ((None, 1), 21)
    """

    def __init__(self, layers: Sequence | None = None, trainable: bool = True, name: str | None = None, **kwargs):
        super().__init__(name=name or unique_name("sequential"), trainable=trainable, **kwargs)
        self._layers = []
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Appends a layer.

        Args:
            layer: a layer, a function, or what `Input` returns.
            rebuild: accepted for Keras 3.

        Raises:
            TypeError: if it is none of these.
            ValueError: if another layer has the same name, or an `Input` is not the first layer.
        """
        if is_symbol(layer):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise TypeError(f"Sequential.add: expected a Layer. Received: {layer!r}")
            layer = Lambda(layer)
        if any(layer.name == other.name and layer is not other for other in self._layers):
            raise ValueError(
                f"All layers of a Sequential need different names. {layer.name!r} is there already: "
                f"{[other.name for other in self._layers]}."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"Sequential {self.name}: an Input can only be the first layer.")
        self._layers.append(layer)
        self._extend()

    def _extend(self):
        """Extends the graph by the last layer, or starts it once the input's shape is known."""
        if self.layer_graph is not None:
            with self._around():
                output = self._layers[-1](self.output_structure)
            self._finish(output)
            return
        first = self._layers[0]
        if isinstance(first, InputLayer):
            self._chain(first.symbol)
        elif getattr(first, "merged", None) is not None:  # the Merge layer of Keras 1, which joins several models
            self.inputs = first.sources
            self.input_structure = single(self.inputs)
            self._finish(first.merged)
        elif _first_shape(first) is not None:
            shape = _first_shape(first)
            dtype = _first_dtype(first)
            self._chain(Input(batch_shape=shape, dtype=dtype, name=f"{first.name}_input"))

    def _chain(self, given):
        """Makes the graph from a symbol, or from several in the structure that the first layer takes."""
        symbol = given
        with self._around():
            for layer in self._layers:
                if not isinstance(layer, InputLayer):
                    symbol = layer(symbol)
        self.input_structure, self.inputs = given, symbols_in(given)
        self._finish(symbol)

    def _around(self):
        """A context in which the model's name is part of the paths of new weights."""
        around = current().layers
        return within(layers=around if self in around or not behaviour.sequential_in_paths else (*around, self))

    def _finish(self, output):
        if not is_symbol(output) and is_symbol(self.input_structure):
            raise TypeError(
                f"Sequential {self.name}: layer {self._layers[-1].name} returns {len(output)} tensors; every layer of "
                "a Sequential needs one output. Use Model(inputs, outputs) instead."
            )
        self.set_layer_graph(self.input_structure, output)

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer and returns it.

        Args:
            rebuild: accepted for Keras 3.
        """
        if not self._layers:
            raise TypeError(f"Sequential {self.name} has no layers.")
        layer = self._layers.pop()
        del layer.inbound_nodes[-1:]
        remaining = [x for x in self._layers if not isinstance(x, InputLayer)]
        if self.layer_graph is not None and remaining:
            symbol = self.outputs[0].node.inputs[0]
            remaining[-1].outbound_nodes.clear()
            self._finish(symbol)
        else:
            self.layer_graph, self.inputs, self.outputs, self.built = None, None, None, False
            self.training_state.forget_steps()
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers; in some generations of Keras with an `InputLayer` that was added, else without it."""
        if behaviour.sequential_lists_input:
            return self._layers if behaviour.live_layers else list(self._layers)
        return [x for x in self._layers if not isinstance(x, InputLayer)]

    def direct_sublayers(self) -> list[Layer]:
        """All layers, with an `Input` in front of them."""
        return list(self._layers)

    can_be_called = True

    def symbolic_outputs(self, symbols: Any) -> Any:
        """The outputs for symbols, as symbols; the graph is made if there is none yet."""
        return self(symbols)

    def build(self, input_shape: tuple | None = None) -> None:
        """Makes all weights.

        Args:
            input_shape: the shape of the inputs, with the batch axis.
        """
        if self.layer_graph is not None and structure.is_shape(input_shape) and len(self.inputs) == 1:
            check_shape(tuple(input_shape), tuple(self.inputs[0].shape), f"Sequential {self.name} is built, its input")
        if self.layer_graph is None and self._layers and input_shape is not None:
            self._chain(Input(batch_shape=input_shape, name=f"{self._layers[0].name}_input"))
        self.built = self.layer_graph is not None

    def build_for_call(self, args: tuple, kwargs: dict) -> None:
        """Makes the graph for the inputs of a first call."""
        if self.layer_graph is None:
            if not self._layers:
                raise InputDataError(f"Sequential {self.name} has no layers: add some first.")
            self._chain(structure.map_structure(_input_for, args[0]))

    def compute_output_spec(self, *args, **kwargs) -> Any:
        if self.layer_graph is None:
            self.build_for_call(args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return tuple(input_shape)

    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: Any = 0, steps: int | None = None
    ) -> np.ndarray:
        """The most probable class of each sample.

        Args:
            x: the inputs.
            batch_size: as in `predict`.
            verbose: as in `predict`.
            steps: as in `predict`.

        Returns:
            Indices of shape (batch,); 0 or 1 of shape (batch, 1) for a single sigmoid output.
        """
        probabilities = self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps)
        if probabilities.shape[-1] > 1:
            return probabilities.argmax(-1)
        return (probabilities > 0.5).astype("int32")

    def predict_proba(
        self, x: Any, batch_size: int | None = None, verbose: Any = 0, steps: int | None = None
    ) -> np.ndarray:
        """The same as `predict`, under its old name for classifiers.

        Args:
            x: the inputs.
            batch_size: as in `predict`.
            verbose: as in `predict`.
            steps: as in `predict`.
        """
        return self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps)

    def get_config(self) -> dict:
        return configuration.sequential_config(self)

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict | None = None) -> "Sequential":
        return configuration.sequential_from_config(cls, config, custom_objects)


def _input_for(x):
    return Input(batch_shape=(None, *shape_of(x)[1:]), dtype=getattr(x, "dtype", None))


def _first_shape(layer):
    """The input shape that a first layer tells, looking into models and wrappers."""
    if isinstance(layer, Model) and layer.inputs:
        return tuple(layer.inputs[0].shape)
    return layer.batch_input_shape


def _first_dtype(layer):
    if isinstance(layer, Model) and layer.inputs:
        return layer.inputs[0].dtype
    return getattr(layer, "input_dtype", None)
