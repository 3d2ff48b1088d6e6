"""Layers that Keras 1 had and later ones dropped. Arguments have today's names; the old ones are translated."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import initializers, layers, models
from ..core import Variable, kind
from ..core.fields import field
from ..core.lazy import LazyModule
from ..core.registry import serialize_value
from ..core.structure import without
from ..layers import Dense, Layer
from ..layers import arguments as declared
from ..layers.elementwise import Elementwise
from ..layers.input_layer import get_source_inputs
from ..layers.lambda_layer import keras2_forms, load_function

backend = LazyModule(f"{__package__}.backend")

_MODES = ("sum", "mul", "concat", "ave", "cos", "dot", "max")


def _mode(name, value):
    if not callable(value) and value not in _MODES:
        raise ValueError(f"Merge: expected a function or one of {', '.join(_MODES)} as mode. Received: {value!r}")
    return value


def _dictionary(name, value):
    return dict(value or {})


def _list(name, value):
    return list(value or ())


class Merge(Layer):
    """Merges several inputs into one: the merge layer of Keras 1.

    >>> Merge(mode="mul")([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """

    layers: list = field(
        _list, default=None, doc="Layers or models whose outputs are merged. Without them, call the layer on a list."
    )
    mode: Any = field(
        _mode,
        default="sum",
        doc="'sum', 'mul', 'concat', 'ave', 'cos', 'dot', 'max', or a function of the list of inputs.",
    )
    concat_axis: int = field(default=-1, doc="Axis for 'concat'.")
    dot_axes: Any = field(default=-1, doc="Axes for 'dot' and 'cos', as in K.batch_dot.")
    _output_shape: Any = field(default=None, alias="output_shape", doc="Not used; shapes are inferred.")
    _output_mask: Any = field(default=None, alias="output_mask", doc="Mask of a `mode` that is a function.")
    arguments: dict = field(_dictionary, default=None, doc="Keyword arguments of a `mode` that is a function.")
    node_indices: list = field(default=None, doc="Which call of each of the `layers` is meant.")
    tensor_indices: list = field(default=None, doc="Which output of that call.")

    supports_masking = True
    merged = None  # the result, if there are `layers`
    sources = ()  # the inputs that it comes from

    def __post_init__(self):
        super().__post_init__()
        if self.layers:
            self.sources = list(dict.fromkeys(symbol for layer in self.layers for symbol in _inputs(layer)))
            zeros = [0] * len(self.layers)
            places = zip(self.layers, self.node_indices or zeros, self.tensor_indices or zeros)
            self.merged = self([_output(layer, node, tensor) for layer, node, tensor in places])

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"Layer {self.name} (Merge) expects a list of at least two inputs.")
        inputs = list(inputs)
        if callable(self.mode):
            return self.mode(inputs, **self.arguments)
        if self.mode == "concat":
            return jnp.concatenate(inputs, axis=self.concat_axis)
        if self.mode in ("dot", "cos"):
            return self._dot(*inputs)
        result = inputs[0]
        for other in inputs[1:]:
            result = {"mul": jnp.multiply, "max": jnp.maximum}.get(self.mode, jnp.add)(result, other)
        return result / len(inputs) if self.mode == "ave" else result

    def _dot(self, a, b):
        axes = self.dot_axes
        if isinstance(axes, int):
            axes = [axes % a.ndim, axes % b.ndim]
        product = backend.batch_dot(a, b, axes)
        if self.mode == "dot":
            return product
        norms = jnp.sqrt(backend.batch_dot(a, a, [axes[0]] * 2) * backend.batch_dot(b, b, [axes[1]] * 2))
        return jnp.expand_dims(product / jnp.maximum(norms, backend.epsilon()), 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        if callable(self.mode):
            return self._output_mask(mask) if callable(self._output_mask) else self._output_mask
        if self.mode in ("dot", "cos"):
            return None
        if self.mode == "concat":
            parts = [_full_mask(x, m) for x, m in zip(inputs, mask)]
            return jnp.all(jnp.concatenate(parts, axis=self.concat_axis), axis=-1)
        return jnp.all(jnp.stack([m for m in mask if m is not None]), axis=0)

    def get_config(self) -> dict:
        functions = {"mode": self.mode, "output_shape": self._output_shape, "output_mask": self._output_mask}
        own = {"concat_axis": self.concat_axis, "dot_axes": self.dot_axes, "arguments": serialize_value(self.arguments)}
        if self.layers:
            own["layers"] = [{**serialize_value(layer), "name": layer.name} for layer in self.layers]
        return {"name": self.name, "trainable": self.trainable, **keras2_forms(functions), **own}

    @classmethod
    def from_config(cls, config: dict) -> "Merge":
        """A layer from what Keras 1 or `get_config` wrote. Code in it is treated as that of a `Lambda`."""
        known = ("name", "trainable", "concat_axis", "dot_axes", "arguments")
        own = {key: config[key] for key in known if key in config}
        for part in ("mode", "output_shape", "output_mask"):
            stored = config.get(part)
            plain = config.get(f"{part}_type", "raw") == "raw" and stored in (None, *_MODES)
            own[part] = stored if plain else load_function(stored, config.get("name"), part, kind_of_layer="Merge")
        own["mode"] = own["mode"] or "sum"
        own["layers"] = _made_once(config.get("layers") or ())
        return cls(**own)


def _made_once(configs):
    """Layers, where those of one name are one layer: a layer that is merged with itself stands there twice."""
    made, layers_ = {}, []
    for config in configs:
        name = config.get("name") or (isinstance(config["config"], dict) and config["config"].get("name"))
        layer = made.get(name) or kind("layer").deserialize(config)
        made[name] = layer if name else None
        layers_.append(layer)
    return layers_


def _full_mask(x, mask):
    if mask is None:
        return jnp.ones(x.shape, bool)
    return jnp.broadcast_to(mask[..., None] if mask.ndim < x.ndim else mask, x.shape)


def _inputs(layer):
    return layer.inputs if isinstance(layer, models.Model) else get_source_inputs(layer.get_output_at(0))


def _output(layer, node_index, tensor_index):
    symbols = layer.outputs if isinstance(layer, models.Model) else layer.get_output_at(node_index)
    return symbols[tensor_index] if isinstance(symbols, (list, tuple)) else symbols


def merge(
    inputs: Any,
    mode: Any = "sum",
    concat_axis: Any = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """Merges a list of symbols, as Keras 1 did: `Merge` as a function."""
    return Merge(**without(locals(), "inputs"))(inputs)


class _Merge(layers.Add):
    """Keras 2's base of merge layers: subclasses write ``_merge_function(inputs)``."""

    def call(self, inputs):
        return self._merge_function(inputs)

    def _merge_function(self, inputs):
        raise NotImplementedError(f"{type(self).__name__}: a subclass of _Merge needs a _merge_function(inputs).")


class TimeDistributedDense(Dense):
    """A Dense layer for each time step; `Dense` itself does that today."""


class _Weighted(Layer):
    """Layers with the arguments that Keras 1 gave to those with a matrix and a bias."""

    kernel_initializer: declared.Initializer = "glorot_uniform"
    activation: declared.Activation = None
    use_bias: declared.UseBias = True
    kernel_regularizer: declared.Regularizer = None
    bias_regularizer: declared.Regularizer = None
    activity_regularizer: declared.Regularizer = None
    kernel_constraint: declared.Constraint = None
    bias_constraint: declared.Constraint = None

    supports_masking = True

    def _matrix(self, name, shape):
        return self.add_weight(
            name,
            shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _bias(self, name, shape, initializer="zeros"):
        if not self.use_bias:
            return None
        return self.add_weight(
            name, shape, initializer=initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint
        )


class MaxoutDense(_Weighted):
    """The largest of `nb_feature` linear maps of the input (Goodfellow et al., Maxout Networks, 2013).

    Shapes: ``(batch, in)`` to ``(batch, output_dim)``.
    """

    output_dim: int = field(first=True, doc="Size of the outputs.")
    nb_feature: int = field(default=4, first=True, doc="Number of linear maps.")

    def build(self, input_shape: Any) -> None:
        self.W = self._matrix("W", (self.nb_feature, input_shape[-1], self.output_dim))
        self.b = self._bias("b", (self.nb_feature, self.output_dim))

    def call(self, inputs: Any) -> Any:
        features = jnp.einsum("bi,fio->bfo", inputs, self.W.value)
        return jnp.max(features if self.b is None else features + self.b, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_dim)


class Highway(_Weighted):
    """``t * activation(x W + b) + (1 - t) * x`` with ``t = sigmoid(x W_carry + b_carry)``.

    Srivastava et al., Highway Networks, 2015. Shapes: ``(batch, in)`` to ``(batch, in)``.
    """

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        self.W = self._matrix("W", (size, size))
        self.W_carry = self._matrix("W_carry", (size, size))
        self.b = self._bias("b", (size,))
        self.b_carry = self._bias("b_carry", (size,), "ones")

    def call(self, inputs: Any) -> Any:
        gate, new = inputs @ self.W_carry, inputs @ self.W
        if self.use_bias:
            gate, new = gate + self.b_carry, new + self.b
        gate = jax.nn.sigmoid(gate)
        return gate * self.activation(new) + (1 - gate) * inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)


class AtrousConvolution1D(layers.Conv1D):
    """Conv1D; `atrous_rate` is its `dilation_rate`."""


class AtrousConvolution2D(layers.Conv2D):
    """Conv2D; `atrous_rate` is its `dilation_rate`."""


AtrousConv1D, AtrousConv2D = AtrousConvolution1D, AtrousConvolution2D
ConvRecurrent2D = layers.ConvLSTM2D


def _axes(name, value):
    return [value] if isinstance(value, int) else value


class _Shared(Elementwise):
    """Activations with a weight for each unit, or for all along the `shared_axes`."""

    shared_axes: list = field(_axes, default=None, doc="Axes along which the weights are the same.")

    def _parameter(self, name, input_shape, initializer):
        shared = self.shared_axes or ()
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        return self.add_weight(name, shape, initializer=initializer)


class ParametricSoftplus(_Shared):
    """``alpha * log(1 + exp(beta * x))`` with learned alpha and beta."""

    alpha_init: float = field(default=0.2, first=True, doc="Initial alpha.")
    beta_init: float = field(default=5.0, first=True, doc="Initial beta.")

    def build(self, input_shape: Any) -> None:
        self.alpha = self._parameter("alpha", input_shape, initializers.Constant(self.alpha_init))
        self.beta = self._parameter("beta", input_shape, initializers.Constant(self.beta_init))

    def call(self, inputs: Any) -> Any:
        return jax.nn.softplus(self.beta * inputs) * self.alpha


class SReLU(_Shared):
    """S-shaped rectified unit (Jin et al., 2016): three linear pieces with learned thresholds and slopes."""

    t_left_init: Any = field(default="zeros", first=True, doc="Initializer of the left threshold.")
    a_left_init: Any = field(default="glorot_uniform", first=True, doc="Initializer of the left slope.")
    t_right_init: Any = field(
        default="glorot_uniform", first=True, doc="Initializer of the distance between the thresholds."
    )
    a_right_init: Any = field(default="ones", first=True, doc="Initializer of the right slope.")

    def build(self, input_shape: Any) -> None:
        for name in ("t_left", "a_left", "t_right", "a_right"):
            setattr(self, name, self._parameter(name, input_shape, getattr(self, f"{name}_init")))

    def call(self, inputs: Any) -> Any:
        left = self.t_left.value
        right = left + jnp.abs(self.t_right.value)
        below = left + self.a_left * (inputs - left)
        above = right + self.a_right * (inputs - right)
        return jnp.where(inputs < left, below, jnp.where(inputs > right, above, inputs))


class Recurrent(Layer):
    """The base of recurrent layers in Keras 1 and 2.1: subclasses write ``step(inputs, states)`` and `build`.

    `step` returns the output and the new states. `get_constants`, `get_initial_state` and `preprocess_input` may be
    overridden. New layers are better written as a cell for `RNN`.
    """

    return_sequences: bool = field(default=False, doc="Whether the output has all steps.")
    return_state: bool = field(default=False, doc="Whether the states are returned too.")
    go_backwards: bool = field(default=False, doc="Whether the steps are taken from the last to the first.")
    stateful: bool = field(default=False, doc="Whether each batch begins with the last states of the batch before.")
    unroll: bool = field(default=False, doc="Whether the loop is unrolled.")
    implementation: int = field(default=0, doc="No effect.")
    input_dim: int = field(default=None, doc="Size of the last axis of the inputs.")
    input_length: int = field(default=None, doc="Number of steps of the inputs.")

    supports_masking = True

    def __post_init__(self):
        super().__post_init__()
        if self.input_dim is not None and self.batch_input_shape is None:
            self.batch_input_shape = (None, self.input_length, self.input_dim)
        self.states, self._kept = [None], []

    def step(self, inputs: Any, states: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a Recurrent layer needs a step(inputs, states) method.")

    def get_constants(self, inputs: Any, training: Any = None) -> list:
        return []

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        return inputs

    def get_initial_state(self, inputs: Any) -> list:
        size = getattr(self, "units", None) or self.output_dim
        return [jnp.zeros((inputs.shape[0], size), inputs.dtype) for _ in self.states]

    def get_initial_states(self, x: Any) -> Any:
        return Recurrent.get_initial_state(self, x)

    def _start(self, inputs):
        if self.stateful and self._kept:
            return [variable.value for variable in self._kept]
        if type(self).get_initial_states is not Recurrent.get_initial_states:
            return self.get_initial_states(inputs)
        return self.get_initial_state(inputs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        states = self._start(inputs) if initial_state is None else initial_state
        last, outputs, states = backend.rnn(
            self.step,
            self.preprocess_input(inputs),
            states,
            go_backwards=self.go_backwards,
            mask=mask,
            constants=self.get_constants(inputs),
            unroll=self.unroll,
        )
        if self.stateful:
            self._keep(states)
        result = outputs if self.return_sequences else last
        return [result, *states] if self.return_state else result

    def _keep(self, states):
        if not self._kept:
            self._kept = [Variable(np.zeros(s.shape), dtype=str(s.dtype), trainable=False) for s in states]
        for variable, state in zip(self._kept, states):
            variable.assign(state)

    def reset_states(self, states: Any = None) -> None:
        """Sets the kept states to zero, or to these arrays."""
        for i, variable in enumerate(self._kept):
            variable.assign(np.zeros(variable.shape) if states is None else states[i])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask if self.return_sequences else None


def generate_dropout_mask(ones: Any, rate: float, training: Any = None, count: int = 1) -> Any:
    """`count` masks (one if that is 1) for the inputs of a recurrent cell: 0 where something is dropped."""
    masks = [backend.in_train_phase(lambda: backend.dropout(ones, rate), ones, training) for _ in range(count)]
    return masks if count > 1 else masks[0]


def generate_dropout_ones(inputs: Any, dims: int) -> Any:
    """Ones of the shape (batch, dims)."""
    return backend.ones((inputs.shape[0], dims))


def time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: Any = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
) -> Any:
    """``x @ w + b`` for every time step: the helper of Keras 1's recurrent layers."""
    if dropout is not None and 0 < dropout < 1:
        x = x * backend.in_train_phase(backend.dropout(backend.ones_like(x[:, :1]), dropout), 1.0)
    result = backend.dot(x, w)
    return result if b is None else backend.bias_add(result, b)
