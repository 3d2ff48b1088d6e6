"""Layers that Keras 1 had and later ones dropped. Arguments have today's names; the old ones are translated."""

import jax
import jax.numpy as jnp
import numpy as np

from .. import activations, constraints, initializers, layers, models, regularizers
from ..core import Variable, kind
from ..core.lazy import LazyModule
from ..core.registry import serialize_value
from ..layers import Dense, Layer
from ..layers.input_layer import get_source_inputs
from ..layers.lambda_layer import keras2_forms, load_function

backend = LazyModule(f"{__package__}.backend")

_MODES = ("sum", "mul", "concat", "ave", "cos", "dot", "max")


class Merge(Layer):
    """Merges several inputs into one: the merge layer of Keras 1.

    layers: layers or models whose outputs are merged at once; without them, call the layer on a list of symbols.
    mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot', 'max', or a function of the list of inputs.
    concat_axis: for 'concat'. dot_axes: for 'dot' and 'cos', as in K.batch_dot.

    >>> Merge(mode="mul")([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """

    def __init__(
        self,
        layers=None,
        mode="sum",
        concat_axis=-1,
        dot_axes=-1,
        output_shape=None,
        output_mask=None,
        arguments=None,
        node_indices=None,
        tensor_indices=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(mode) and mode not in _MODES:
            raise ValueError(f"Merge: expected a function or one of {', '.join(_MODES)} as mode. Received: {mode!r}")
        self.mode = mode
        self.concat_axis = concat_axis
        self.dot_axes = dot_axes
        self.arguments = dict(arguments or {})
        self._output_shape, self._output_mask = output_shape, output_mask
        self.supports_masking = True
        self.layers = list(layers or ())
        self.merged, self.sources = None, []  # the result, and what it comes from, if there are layers to begin with
        if layers:
            self.sources = [symbol for layer in layers for symbol in _inputs(layer)]
            nodes, tensors = node_indices or [0] * len(layers), tensor_indices or [0] * len(layers)
            self.merged = self([_output(layer, n, t) for layer, n, t in zip(layers, nodes, tensors)])

    def call(self, inputs, mask=None):
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

    def compute_mask(self, inputs, mask=None):
        if mask is None or all(m is None for m in mask):
            return None
        if callable(self.mode):
            return self._output_mask(inputs, mask) if callable(self._output_mask) else self._output_mask
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
            own["layers"] = serialize_value(self.layers)
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
        own["layers"] = [kind("layer").deserialize(layer) for layer in config.get("layers") or ()]
        return cls(**own)


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
    inputs,
    mode="sum",
    concat_axis=-1,
    dot_axes=-1,
    output_shape=None,
    output_mask=None,
    arguments=None,
    name=None,
):
    """Merges a list of symbols, as Keras 1 did: `Merge` as a function."""
    layer = Merge(
        mode=mode,
        concat_axis=concat_axis,
        dot_axes=dot_axes,
        output_shape=output_shape,
        output_mask=output_mask,
        arguments=arguments,
        name=name,
    )
    return layer(inputs)


class _Merge(layers.Add):
    """Keras 2's base of merge layers: subclasses write ``_merge_function(inputs)``."""

    def call(self, inputs):
        return self._merge_function(inputs)

    def _merge_function(self, inputs):
        raise NotImplementedError(f"{type(self).__name__}: a subclass of _Merge needs a _merge_function(inputs).")


class TimeDistributedDense(Dense):
    """A Dense layer for each time step; `Dense` itself does that today."""

    def __init__(self, units, input_dim=None, input_length=None, **kwargs):
        if input_dim is not None:
            kwargs.setdefault("input_shape", (input_length, input_dim))
        super().__init__(units, **kwargs)


class _Weighted(Layer):
    """Layers with the arguments that Keras 1 gave to those with a matrix and a bias."""

    def __init__(
        self,
        kernel_initializer="glorot_uniform",
        activation=None,
        use_bias=True,
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.supports_masking = True

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

    def __init__(self, output_dim, nb_feature=4, **kwargs):
        super().__init__(**kwargs)
        self.output_dim = output_dim
        self.nb_feature = nb_feature

    def build(self, input_shape):
        self.W = self._matrix("W", (self.nb_feature, input_shape[-1], self.output_dim))
        self.b = self._bias("b", (self.nb_feature, self.output_dim))

    def call(self, inputs):
        features = jnp.einsum("bi,fio->bfo", inputs, self.W.value)
        return jnp.max(features if self.b is None else features + self.b, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class Highway(_Weighted):
    """``t * activation(x W + b) + (1 - t) * x`` with ``t = sigmoid(x W_carry + b_carry)``.

    Srivastava et al., Highway Networks, 2015. Shapes: ``(batch, in)`` to ``(batch, in)``.
    """

    def build(self, input_shape):
        size = input_shape[-1]
        self.W = self._matrix("W", (size, size))
        self.W_carry = self._matrix("W_carry", (size, size))
        self.b = self._bias("b", (size,))
        self.b_carry = self._bias("b_carry", (size,), "ones")

    def call(self, inputs):
        gate, new = inputs @ self.W_carry, inputs @ self.W
        if self.use_bias:
            gate, new = gate + self.b_carry, new + self.b
        gate = jax.nn.sigmoid(gate)
        return gate * self.activation(new) + (1 - gate) * inputs

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class AtrousConvolution1D(layers.Conv1D):
    """Conv1D; `atrous_rate` is its `dilation_rate`."""


class AtrousConvolution2D(layers.Conv2D):
    """Conv2D; `atrous_rate` is its `dilation_rate`."""


AtrousConv1D, AtrousConv2D = AtrousConvolution1D, AtrousConvolution2D
ConvRecurrent2D = layers.ConvLSTM2D


class _Shared(Layer):
    """Activations with a weight for each unit, or for all along the `shared_axes`."""

    def __init__(self, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.supports_masking = True

    def _parameter(self, name, input_shape, initializer):
        shared = self.shared_axes or ()
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        return self.add_weight(name, shape, initializer=initializer)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class ParametricSoftplus(_Shared):
    """``alpha * log(1 + exp(beta * x))`` with learned alpha and beta."""

    def __init__(self, alpha_init=0.2, beta_init=5.0, shared_axes=None, **kwargs):
        super().__init__(shared_axes, **kwargs)
        self.alpha_init = alpha_init
        self.beta_init = beta_init

    def build(self, input_shape):
        self.alpha = self._parameter("alpha", input_shape, initializers.Constant(self.alpha_init))
        self.beta = self._parameter("beta", input_shape, initializers.Constant(self.beta_init))

    def call(self, inputs):
        return jax.nn.softplus(self.beta * inputs) * self.alpha


class SReLU(_Shared):
    """S-shaped rectified unit (Jin et al., 2016): three linear pieces with learned thresholds and slopes."""

    def __init__(
        self,
        t_left_init="zeros",
        a_left_init="glorot_uniform",
        t_right_init="glorot_uniform",
        a_right_init="ones",
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(shared_axes, **kwargs)
        self.t_left_init = t_left_init
        self.a_left_init = a_left_init
        self.t_right_init = t_right_init
        self.a_right_init = a_right_init

    def build(self, input_shape):
        for name in ("t_left", "a_left", "t_right", "a_right"):
            setattr(self, name, self._parameter(name, input_shape, getattr(self, f"{name}_init")))

    def call(self, inputs):
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

    def __init__(
        self,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        implementation=0,
        input_dim=None,
        input_length=None,
        **kwargs,
    ):
        if input_dim is not None:
            kwargs.setdefault("input_shape", (input_length, input_dim))
        super().__init__(**kwargs)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.implementation = implementation
        self.supports_masking = True
        self.states = [None]
        self._kept = []

    def step(self, inputs, states):
        raise NotImplementedError(f"{type(self).__name__}: a Recurrent layer needs a step(inputs, states) method.")

    def get_constants(self, inputs, training=None):
        return []

    def preprocess_input(self, inputs, training=None):
        return inputs

    def get_initial_state(self, inputs):
        size = getattr(self, "units", None) or self.output_dim
        return [jnp.zeros((inputs.shape[0], size), inputs.dtype) for _ in self.states]

    def get_initial_states(self, x):
        return Recurrent.get_initial_state(self, x)

    def _start(self, inputs):
        if self.stateful and self._kept:
            return [variable.value for variable in self._kept]
        if type(self).get_initial_states is not Recurrent.get_initial_states:
            return self.get_initial_states(inputs)
        return self.get_initial_state(inputs)

    def call(self, inputs, mask=None, training=None, initial_state=None):
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

    def reset_states(self, states=None):
        """Sets the kept states to zero, or to these arrays."""
        for i, variable in enumerate(self._kept):
            variable.assign(np.zeros(variable.shape) if states is None else states[i])

    def compute_mask(self, inputs, mask=None):
        return mask if self.return_sequences else None

    def get_output_shape_for(self, input_shape):
        return self.compute_output_shape(input_shape)


def generate_dropout_mask(ones, rate, training=None, count=1):
    """`count` masks (one if that is 1) for the inputs of a recurrent cell: 0 where something is dropped."""
    masks = [backend.in_train_phase(lambda: backend.dropout(ones, rate), ones, training) for _ in range(count)]
    return masks if count > 1 else masks[0]


def generate_dropout_ones(inputs, dims):
    """Ones of the shape (batch, dims)."""
    return backend.ones((inputs.shape[0], dims))


def time_distributed_dense(x, w, b=None, dropout=None, input_dim=None, output_dim=None, timesteps=None):
    """``x @ w + b`` for every time step: the helper of Keras 1's recurrent layers."""
    if dropout is not None and 0 < dropout < 1:
        x = x * backend.in_train_phase(backend.dropout(backend.ones_like(x[:, :1]), dropout), 1.0)
    result = backend.dot(x, w)
    return result if b is None else backend.bias_add(result, b)
