"""Layers that hold other layers: `TimeDistributed` and `Bidirectional`."""

import inspect
from functools import partial
from typing import Any

import jax.numpy as jnp

from ..core import behaviour, get_mask, kind, set_mask
from ..core.checks import one_of
from ..core.errors import InputDataError
from ..core.fields import field, of_owner
from ..core.registry import CustomObjectScope
from ..core.structure import is_shape, leaves, map_shapes, map_structure, values_of
from .base import Layer
from .normalization import BatchNormalization
from .rnn import split_inputs


@of_owner
def _layer(name, value, owner):
    if not isinstance(value, Layer):
        raise ValueError(f"{type(owner).__name__}: expected a layer (an object, not a class). Received: {value!r}")
    return value


class Wrapper(Layer):
    """Base of layers that hold another one, as `layer`. Subclasses write `call`.

    >>> import numpy as np
    >>> from oneiros.layers.dense import Dense
    >>> class Twice(Wrapper, abstract=True):
    ...     def call(self, inputs):
    ...         return self.layer(inputs) * 2
    >>> Twice(Dense(1, kernel_initializer="ones"))(np.array([[1.0, 2.0]])).tolist()
    [[6.0]]
    """

    layer: Layer = field(_layer, doc="The layer that is wrapped.")

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Wrapper":
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if isinstance(config.get(name), dict):
                config[name] = kind("layer").deserialize(config[name], custom_objects)
        return cls(**config)


class TimeDistributed(Wrapper):
    """Applies a layer, or a model, to each step of sequences.

    All steps pass through the layer at once, as one batch of ``batch * steps`` examples.

    Shapes: ``(batch, steps, ...)`` to ``(batch, steps, ...)``, where the layer makes the last axes of the output from
    those of the input.

    >>> import numpy as np
    >>> from oneiros.layers.dense import Dense
    >>> TimeDistributed(Dense(3))(np.ones((2, 5, 4))).shape
    (2, 5, 3)
    """

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        super().build(self._step_shape(input_shape))

    def _step_shape(self, shape):
        if not is_shape(shape):
            return map_shapes(self._step_shape, shape)
        if len(shape) < 3:
            raise InputDataError(
                f"Layer {self.name} (TimeDistributed): expected at least 3 dimensions (batch, time, ...). Full shape "
                f"received: {tuple(shape)}."
            )
        return (shape[0], *shape[2:])

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        lead = leaves(inputs)[0].shape[:2]

        def fold(x):
            return x.reshape(-1, *x.shape[2:])

        def spread(x):
            return x.reshape(*lead, *x.shape[1:])

        steps = map_structure(fold, inputs)
        for step, one in zip(leaves(steps), _masks_of(mask, inputs)):
            if one is not None and one.shape[:2] != lead:
                raise InputDataError(
                    f"Layer {self.name} (TimeDistributed): a mask of shape {one.shape} does not fit {lead[0]} examples "
                    f"of {lead[1]} steps."
                )
            if one is not None and (one.ndim > 2 or _takes_masks_of_examples(self.layer)):
                set_mask(step, fold(one))
        outputs = self.layer(steps, training=training)
        results = map_structure(spread, outputs)
        for output, result in zip(leaves(outputs), leaves(results)):
            if (inner := get_mask(output)) is not None:
                set_mask(result, spread(inner))
        return results

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the steps: a step is left out if its mask is False everywhere.

        A mask that the inner layer makes for its outputs takes precedence.
        """
        masks = [m for m in _masks_of(mask, inputs) if m is not None]
        return masks[0].any(tuple(range(2, masks[0].ndim))) if masks else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        def with_time(shape):
            return (shape[0], first[1], *shape[1:])

        first = input_shape
        while not is_shape(first):
            first = values_of(first)[0]
        return map_shapes(with_time, self.layer.compute_output_shape(self._step_shape(input_shape)))


def _takes_masks_of_examples(layer):
    """Whether a layer can use a mask with one entry for each example. Most layers of ours take one entry a step."""
    return isinstance(layer, BatchNormalization) or type(layer).__module__.split(".")[0] != "oneiros"


class Bidirectional(Wrapper):
    """Runs a recurrent layer over sequences in both directions.

    Initial states, returned states and `weights` are in the order: those of the forward layer, then those of the
    backward layer.

    Shapes: ``(batch, steps, features)`` to what the layer returns; with ``merge_mode="concat"`` the last axis is
    twice as long. From Schuster & Paliwal, "Bidirectional Recurrent Neural Networks", 1997.

    >>> import numpy as np
    >>> from oneiros.layers.recurrent import LSTM
    >>> Bidirectional(LSTM(4))(np.ones((2, 5, 3))).shape
    (2, 8)
    """

    supports_masking = True

    forward_layer: Layer = field(_layer, alias="layer")
    merge_mode: str = field(
        partial(one_of, allowed=("concat", "sum", "mul", "ave", None)),
        default="concat",
        doc='How the two outputs are merged: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or `None` for a list of both.',
    )
    backward_layer: Layer = field(
        default=None, doc="Layer for the other direction. Defaults to a copy of `layer` with `go_backwards` reversed."
    )
    num_constants: int = field(default=None, kw_only=True, doc="How many of the last inputs in a list are constants.")

    def __post_init__(self):
        super().__post_init__()
        layer = self.forward_layer
        base, backwards = layer.name.removeprefix("forward_"), getattr(layer, "go_backwards", False)
        self.forward_layer = _copy(layer, name=f"forward_{base}")
        if self.backward_layer is None:
            self.backward_layer = _copy(layer, name=f"backward_{base}", go_backwards=not backwards)
        for name in ("stateful", "return_sequences", "return_state", "go_backwards"):
            ours, theirs = (getattr(one, name, None) for one in (self.forward_layer, self.backward_layer))
            if (ours == theirs) is (name == "go_backwards"):
                raise ValueError(
                    "Bidirectional: `layer` and `backward_layer` must have the same `stateful`, `return_sequences` and "
                    f"`return_state`, and different `go_backwards`. Received for {name}: {ours} and {theirs}."
                )
        if behaviour.bidirectional_zero_masked:
            for one in (self.forward_layer, self.backward_layer):
                one.zero_output_for_mask = one.return_sequences

    @property
    def layer(self) -> Any:
        """The layer that runs forward."""
        return self.forward_layer

    @layer.setter
    def layer(self, layer: Any) -> None:
        self.forward_layer = layer

    return_sequences = property(lambda self: self.forward_layer.return_sequences)
    return_state = property(lambda self: self.forward_layer.return_state)
    stateful = property(lambda self: self.forward_layer.stateful)
    states = property(lambda self: [*self.forward_layer.states, *self.backward_layer.states])

    def reset_states(self) -> None:
        """Sets the states of both layers to zero."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    reset_state = reset_states

    def build(self, input_shape: Any) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(input_shape)

    def __call__(self, inputs, initial_state=None, constants=None, **kwargs):
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self.num_constants)
        if initial_state is not None:
            if len(initial_state) % 2:
                raise ValueError(
                    f"Layer {self.name} (Bidirectional): expected as many initial states for the backward layer as for "
                    f"the forward one. Received {len(initial_state)} states."
                )
            kwargs["initial_state"] = initial_state
        if constants is not None:
            self.num_constants = len(constants)
            kwargs["constants"] = constants
        return super().__call__(inputs, **kwargs)

    def call(
        self,
        inputs: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
        constants: Any = None,
    ) -> Any:
        options = {"mask": mask, "training": training} | ({} if constants is None else {"constants": constants})
        half = len(initial_state or ()) // 2
        starts = (initial_state[:half], initial_state[half:]) if half else (None, None)
        results = []
        for layer, start in zip((self.forward_layer, self.backward_layer), starts):
            result = layer(inputs, **options, **({} if start is None else {"initial_state": start}))
            results.append(result if self.return_state else [result])
        (forward, *forward_states), (backward, *backward_states) = results
        if self.return_sequences:
            backward = jnp.flip(backward, 0 if getattr(self.forward_layer, "time_major", False) else 1)
        merged = [forward, backward] if self.merge_mode is None else _MERGE[self.merge_mode](forward, backward)
        if not self.return_state:
            return merged
        return [*(merged if self.merge_mode is None else [merged]), *forward_states, *backward_states]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else mask
        if not self.return_state:
            return masks
        return [*(masks if self.merge_mode is None else [masks]), *[None] * len(self.states)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.forward_layer.compute_output_shape(input_shape)
        shape, *states = shape if self.return_state else [shape]
        if self.merge_mode == "concat":
            shape = (*shape[:-1], None if shape[-1] is None else 2 * shape[-1])
        shapes = [shape, shape] if self.merge_mode is None else [shape]
        shapes += [*states, *states]
        return shapes if len(shapes) > 1 else shapes[0]

    def get_config(self) -> dict:
        config = super().get_config()
        return config if self.num_constants else {k: v for k, v in config.items() if k != "num_constants"}


_MERGE = {
    "concat": lambda a, b: jnp.concatenate([a, b], -1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


def _copy(layer, **changes):
    """A new layer of the same configuration, but for these changes; its functions are the very same."""
    parts = (layer, *layer.sublayers())
    own = {type(part).__name__: type(part) for part in parts}
    functions = [{name: f for name, f in vars(part).items() if inspect.isroutine(f)} for part in parts]
    named = {f.__name__: f for found in functions for f in found.values()}
    with CustomObjectScope(named, own):
        copy = type(layer).from_config(layer.get_config() | changes)
    for part, found in zip((copy, *copy.sublayers()), functions):
        for name, function in found.items():
            setattr(part, name, function)
    return copy


def _masks_of(mask, inputs):
    """One mask, or ``None``, for each input."""
    if isinstance(mask, (list, tuple)):
        return mask
    return [mask] if mask is not None else [None] * len(leaves(inputs))
