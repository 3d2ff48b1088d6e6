"""The base of all layers: building, weights, calls on arrays and on symbols, masks, losses, configuration."""

import functools
import inspect
import os
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from .. import constraints, initializers, regularizers
from ..core import (
    Configurable,
    Node,
    Symbol,
    Variable,
    deferred,
    get_mask,
    has_symbol,
    phase,
    policy,
    set_mask,
    symbols_in,
)
from ..core import behaviour as _behaviour
from ..core.context import current, within
from ..core.errors import InputDataError, LimitExceededError
from ..core.fields import active, fields_of
from ..core.names import layer_prefix, unique_name
from ..core.registry import constructor_values, serialize_value
from ..core.structure import is_nested, keys_of, leaves, map_shapes, map_structure, values_of
from ..core.symbol import infer, is_inferring
from ..core.traceback import tidy
from ..core.variable import Scope
from . import mistakes
from .input_spec import check_input


class _Call:
    """What an outermost layer call collects: losses and updates."""

    def __init__(self):
        self.losses = []
        self.updates = []


@functools.cache
def _call_parameters(cls):
    return inspect.signature(cls.call).parameters


@functools.cache
def memory_limit():
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def weight_budget(limit):
    """Inside, weights of `limit` bytes together may be made: for architectures that come from files."""
    return within(weight_budget=[limit])


def shape_of(x):
    """Shapes in the structure of `x`; a plain tuple for one tensor."""
    if isinstance(x, (list, tuple)):
        return [shape_of(item) for item in x]
    if isinstance(x, dict):
        return {key: shape_of(item) for key, item in x.items()}
    return None if x is None else tuple(np.shape(x) if not hasattr(x, "shape") else x.shape)


def _building(build):
    """Wraps a class's `build`: names weights after the layer, and finishes what every build needs."""

    @functools.wraps(build)
    def wrapper(self, *shapes, **kwargs):
        layers = current().layers
        if layers and layers[-1] is self:  # called by a subclass's build
            return build(self, *shapes, **kwargs)
        with within(layers=(*layers, self)):
            build(self, *shapes, **kwargs)
        self.built = True
        self._build_shape = shapes[0] if shapes else kwargs or None
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        return None

    return wrapper


class Layer(Configurable):
    """A function with weights: subclass it with `build` (make weights), `call` (arrays in, arrays out), or both.

    name: unique, made up if not given. trainable: whether training changes the weights. dtype: a type or policy.
    input_shape, batch_input_shape, input_dim: shapes without (with) the batch axis, for a first layer.
    weights: arrays to start from.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    kind = "layer"
    name, dtype_policy, autocast = (mistakes.SetByInit() for _ in range(3))
    supports_masking = False
    uses_learning_phase = False
    stateful = False
    input_spec = None
    activity_regularizer = None
    index_limit = None  # the inputs are indices below this
    stray_index = None  # a variable that holds an index that was met and is not, for the training loop to look at
    _inert = {"dynamic": False}
    _untracked = frozenset(
        {"_inbound_nodes", "_outbound_nodes", "_own", "_initial_arguments", "_call_losses", "stray_index"}
    )

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _building(cls.build)

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        # Here, not in __init__: a user's layer may set attributes before it calls super().__init__().
        self._initial_arguments = (args, kwargs)
        self._own = []
        self._inbound_nodes, self._outbound_nodes = [], []
        self._call_losses = []
        self._initial_weights = self._build_shape = self._batch_input_shape = None
        self._trainable = True
        self.built = False
        return self

    def __init__(
        self,
        *,
        name=None,
        trainable=True,
        dtype=None,
        activity_regularizer=None,
        input_shape=None,
        batch_input_shape=None,
        batch_size=None,
        input_dim=None,
        weights=None,
        autocast=True,
        **kwargs,
    ):
        kwargs = active(type(self), kwargs)
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}: unknown keyword argument{'s' if len(kwargs) > 1 else ''} "
                f"{', '.join(map(repr, kwargs))}."
            )
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: expected a string for name. Received: name={name!r}")
        self.name = name or unique_name(layer_prefix(type(self).__name__))
        self.dtype_policy = policy.get(dtype)
        self.autocast = autocast
        if activity_regularizer is not None:
            self.activity_regularizer = regularizers.get(activity_regularizer)
        if input_dim is not None and input_shape is None:
            input_shape = (input_dim,)
        if batch_input_shape is None and input_shape is not None:
            batch_input_shape = (batch_size, *([input_shape] if isinstance(input_shape, int) else input_shape))
        if batch_input_shape is not None:
            self._batch_input_shape = tuple(batch_input_shape)
        self._initial_weights = weights
        self._trainable = bool(trainable)

    # --- types

    compute_dtype = property(lambda self: self.dtype_policy.compute_dtype)
    variable_dtype = property(lambda self: self.dtype_policy.variable_dtype)
    dtype = variable_dtype

    # --- weights

    def build(self, input_shape):
        """Makes the weights for inputs of this shape (unknown dimensions are ``None``)."""
        self.built = True
        self._build_shape = input_shape

    def add_weight(self, *args, **kwargs):
        """A new weight: ``add_weight(name, shape, dtype, initializer, regularizer, trainable, constraint)``.

        Also ``add_weight(shape, initializer, ...)``, as Keras 1 and 3 have it. What is not given comes from the
        layer's declared fields: a weight called ``kernel`` takes ``kernel_initializer``, ``kernel_regularizer`` and
        ``kernel_constraint``, and ``recurrent_kernel`` takes ``recurrent_initializer`` and so on. Without such a field
        the initializer is ``glorot_uniform`` for floats and ``zeros`` for other types.
        """
        order = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
        if args and not isinstance(args[0], (str, type(None))):
            order = ("shape", "initializer", "dtype", "trainable")
            if len(args) > 2 and isinstance(args[2], str) and _behaviour.generation == "1":
                order = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")
        return self._add_weight(**dict(zip(order, args)), **kwargs)

    def _declared_part(self, name, kind):
        """What the declared field ``<name>_<kind>`` holds, such as ``kernel_initializer``; `None` without it."""
        for part in (name, name.removesuffix("_kernel")):
            if f"{part}_{kind}" in fields_of(type(self)):
                return getattr(self, f"{part}_{kind}")
        return None

    def _add_weight(
        self,
        name=None,
        shape=(),
        dtype=None,
        initializer=None,
        regularizer=None,
        trainable=True,
        constraint=None,
        **unused,  # aggregation, synchronization, ...: where values live is JAX's business
    ):
        name = name or f"weight{len(self._own) or ''}"
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape or ())
        if None in shape or any(d < 0 for d in shape):
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): weight {name} would have shape {shape}. The last "
                "dimension of the inputs (or what the weight's shape comes from) must be known."
            )
        dtype = str(jnp.dtype(dtype or self.variable_dtype))
        size = float(np.prod(shape, dtype=float)) * jnp.dtype(dtype).itemsize
        if size > memory_limit():
            raise LimitExceededError(
                f"Layer {self.name} ({type(self).__name__}): weight {name} of shape {shape} needs {size / 1e9:.1f} GB; "
                f"this machine has {memory_limit() / 1e9:.1f} GB. Make the layer or its input smaller."
            )
        budget = current().weight_budget
        if budget is not None:
            if size > budget[0]:
                raise LimitExceededError(
                    f"Layer {self.name} ({type(self).__name__}): weight {name} of shape {shape} needs {size / 1e9:.3f} "
                    "GB, far more than the file that describes the layer holds. The file is damaged or hostile."
                )
            budget[0] -= size
        initializer = self._declared_part(name, "initializer") if initializer is None else initializer
        regularizer = self._declared_part(name, "regularizer") if regularizer is None else regularizer
        constraint = self._declared_part(name, "constraint") if constraint is None else constraint
        if initializer is None:
            initializer = "glorot_uniform" if jnp.issubdtype(jnp.dtype(dtype), jnp.floating) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            shape,
            dtype,
            trainable=trainable,
            name=name,
            constraint=constraints.get(constraint),
            regularizer=regularizers.get(regularizer),
        )
        layers = current().layers
        owners = layers if layers and layers[-1] is self else [*layers, self]
        variable.path = "/".join([*(layer.name for layer in owners), name])
        if _behaviour.weight_suffix:
            variable.name = f"{variable.path}:0"
        self._own.append(variable)
        return variable

    def _children(self):
        """Layers held in attributes, also in lists and dictionaries, in the order in which they were set."""
        return find_in_attributes(Layer, self)

    def sublayers(self):
        """All layers inside this one, however deep, each once."""
        found = {}
        for child in self._children():
            found.setdefault(id(child), child)
            for layer in child.sublayers():
                found.setdefault(id(layer), layer)
        return list(found.values())

    _flatten_layers = sublayers

    def _own_weights(self):
        """This layer's own weights: those made to be trained, then the others, each as they were made."""
        if _behaviour.track_attribute_variables:
            return sorted(_unique([*self._own, *find_in_attributes(Variable, self)]), key=lambda v: v.order)
        return sorted(self._own, key=lambda v: not v.trainable)

    @property
    def trainable(self):
        """Whether training changes the weights. May be set at any time."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        if _behaviour.recursive_trainable:
            for layer in self._children():
                layer.trainable = value

    @property
    def trainable_weights(self):
        if not self.trainable:
            return []
        own = [v for v in self._own_weights() if v.trainable]
        return _unique([*own, *(v for layer in self._children() for v in layer.trainable_weights)])

    @trainable_weights.setter
    def trainable_weights(self, variables):
        self._own = [*variables, *(v for v in self._own if not v.trainable)]

    @property
    def non_trainable_weights(self):
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    @non_trainable_weights.setter
    def non_trainable_weights(self, variables):
        for variable in variables:
            variable.trainable = False
            variable.order = (True, variable.order[1])
        self._own = [*(v for v in self._own if v.trainable), *variables]

    @property
    def weights(self):
        """All weights: this layer's trainable ones, its others, then those of the layers inside."""
        return _unique([*self._own_weights(), *(v for layer in self._children() for v in layer.weights)])

    variables = _weights_by_layer = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self):
        """The weights as NumPy arrays, in the order of `weights`."""
        return [np.array(v.raw) for v in self._weights_by_layer]

    def set_weights(self, weights):
        """Sets the weights from arrays in the order of `weights`. Everything is checked before anything changes."""
        variables = self._weights_by_layer
        weights = list(weights)
        if len(variables) != len(weights):
            raise ValueError(
                f"Layer {self.name} has {len(variables)} weights. set_weights received {len(weights)} arrays"
                + ("; the layer is not built yet: call it on data first." if not self.built else ".")
            )
        for variable, array in zip(variables, weights):
            if tuple(np.shape(array)) != variable.shape:
                raise ValueError(
                    f"Layer {self.name}: weight {variable.path} has shape {variable.shape}. "
                    f"set_weights received shape {tuple(np.shape(array))}."
                )
        for variable, array in zip(variables, weights):
            variable.assign(np.asarray(array))

    def count_params(self):
        """The number of weights' entries."""
        if not self.built:
            raise ValueError(f"Layer {self.name} is not built yet: call it on data first, or give its input_shape.")
        return sum(v.size for v in self.weights)

    # --- calls

    def call(self, inputs):
        """The computation: arrays in, arrays out. May take `training` and `mask` too."""
        return inputs

    def __call__(self, *args, **kwargs):
        try:
            try:
                if has_symbol(args) or has_symbol(kwargs):
                    return self._record(args, kwargs)
                return self._run(args, kwargs)
            except Exception as error:
                mistakes.explain_call(self, args, kwargs, current().layers, error)
                raise
        except BaseException as error:
            tidy(error)
            raise

    def _record(self, args, kwargs):
        """Called on symbols: builds, infers the output's shape, and notes a node of the graph."""
        self._check_and_build(args, kwargs)
        specs = self.compute_output_spec(*args, **kwargs)
        node = Node(self, args, kwargs, specs)
        node.node_index = len(self._inbound_nodes)
        self._inbound_nodes.append(node)
        for symbol in node.inputs:
            if symbol.node is not None and isinstance(symbol.node.operation, Layer):
                symbol.node.operation._outbound_nodes.append(node)
        return node.result

    def compute_output_spec(self, *args, **kwargs):
        """The shapes and types of the outputs for symbols, as objects with `shape` and `dtype`."""
        one_argument = len(args) == 1 and not has_symbol(kwargs)
        declared = type(self).compute_output_shape is not Layer.compute_output_shape
        floating = all(jnp.issubdtype(jnp.dtype(s.dtype), jnp.floating) for s in symbols_in(args))
        if not (one_argument and declared and floating):
            return infer(self, args, kwargs)
        shapes = self.compute_output_shape(shape_of(args[0]))
        if isinstance(shapes, list) and all(isinstance(s, (tuple, list)) for s in shapes):
            return [Symbol(s, self.compute_dtype, "spec") for s in shapes]
        return Symbol(shapes, self.compute_dtype, "spec")

    def _run(self, args, kwargs):
        """Called on arrays."""
        args = tuple(np.asarray(a) if _is_numbers(a) else a for a in args)
        args, kwargs = map_structure(self._to_compute_dtype, (args, kwargs))
        self._check_and_build(args, kwargs)
        parameters = _call_parameters(type(self))
        mask = None
        if args:
            mask = map_structure(get_mask, args[0])
            if not leaves(mask):
                mask = None
        if "mask" in parameters:
            if mask is not None and kwargs.get("mask") is None and len(args) < 2:
                kwargs["mask"] = mask
            mask = kwargs.get("mask", mask)
        training = kwargs.get("training")
        if training is None:
            training = phase.current()
        if "training" in parameters:
            kwargs["training"] = bool(training) if training is None else training
        elif "training" in kwargs and not _accepts_any(parameters):
            del kwargs["training"]
        return self._run_in_context(args, kwargs, mask, training)

    def _run_in_context(self, args, kwargs, mask, training):
        around = current()
        collected = around.collected or _Call()
        with within(
            training=None if training is None else bool(training),
            calling=True,
            dtype=self.compute_dtype if self.compute_dtype != self.variable_dtype else None,
            defers_updates=_behaviour.deferred_updates,
            drops_updates=around.drops_updates or self._is_still(),
            layers=(*around.layers, self),
            collected=collected,
        ):
            outputs = self.call(*args, **kwargs)
            if not isinstance(outputs, jax.Array):
                mistakes.check_outputs(self, outputs)
            if self.activity_regularizer is not None:
                self._penalize_activity(outputs)
            self._pass_mask_on(args, outputs, mask)
            self._check_size(outputs)
        if around.collected is None:
            self._call_losses = collected.losses
            if training:
                for variable, value in collected.updates:
                    variable.assign(value)
        return self._own_copies(args, outputs, mask)

    def _is_still(self):
        """Whether nothing in here moves in training: frozen, and not one that carries states from batch to batch."""
        return _behaviour.frozen_updates_dropped and not (self.trainable or self.stateful)

    def _to_compute_dtype(self, x):
        if isinstance(x, Variable):
            x = x.value
        elif isinstance(x, (np.ndarray, np.generic)):
            x = jnp.asarray(x)
        floating = self.autocast and isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating)
        if floating and x.dtype != self.compute_dtype:
            cast = x.astype(self.compute_dtype)
            set_mask(cast, get_mask(x))
            return cast
        return x

    def _check_and_build(self, args, kwargs):
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None:
            check_input(self, inputs)
        if self.built:
            return
        wanted = inspect.signature(self.build).parameters
        named = dict(zip(_call_parameters(type(self)), [None, *args])) | kwargs
        shapes = {f"{name}_shape": shape_of(value) for name, value in named.items()}
        if len(wanted) > 1 and set(wanted) <= set(shapes):
            self.build(**{name: shapes[name] for name in wanted})
        else:
            self.build(shape_of(inputs))
        self.built = True
        if self.input_spec is not None:
            check_input(self, inputs)

    def _penalize_activity(self, outputs):
        for output in leaves(outputs):
            penalty = self.activity_regularizer(output)
            self.add_loss(penalty / output.shape[0] if _behaviour.mean_activity_regularizer else penalty)

    # --- masks

    def compute_mask(self, inputs, mask=None):
        """The mask of the outputs: by default the inputs', where the layer keeps the time axis."""
        if self.supports_masking:
            return mask
        if leaves(mask):
            message = (
                f"Layer {self.name} ({type(self).__name__}) was passed an input with a mask. It does not support "
                "masking and drops the mask."
            )
            if _behaviour.unsupported_mask_error:
                raise TypeError(message)
            warnings.warn(message, stacklevel=6)
        return None

    def _pass_mask_on(self, args, outputs, mask):
        overridden = type(self).compute_mask is not Layer.compute_mask
        if not args or (mask is None and not overridden):
            return
        new_mask = self.compute_mask(args[0], mask)
        if new_mask is None:
            return
        _set_masks(outputs, new_mask)

    def _own_copies(self, args, outputs, mask):
        """An output that is the input itself must not keep a mask that this layer drops."""
        if mask is None or self.supports_masking or type(self).compute_mask is not Layer.compute_mask:
            return outputs
        inputs = {id(x) for x in leaves(args)}
        return map_structure(lambda x: jnp.array(x, copy=True) if id(x) in inputs else x, outputs)

    def _check_size(self, outputs):
        for output in () if is_inferring() else leaves(outputs):
            if isinstance(output, jax.core.Tracer) and output.size * output.dtype.itemsize > memory_limit():
                raise LimitExceededError(
                    f"Layer {self.name} ({type(self).__name__}): the output of shape {output.shape} needs "
                    f"{output.size * output.dtype.itemsize / 1e9:.0f} GB; this machine has {memory_limit() / 1e9:.1f} "
                    "GB. Reduce the batch size, or the layer."
                )

    # --- losses and updates

    def add_loss(self, losses, inputs=None):
        """Adds scalars (arrays in `call`, symbols on a model, or functions without arguments) to the loss."""
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            call = current().collected
            if call is None or has_symbol(loss) or callable(loss):
                self.__dict__.setdefault("_fixed_losses", []).append(loss)
            else:
                call.losses.append(jnp.asarray(loss))

    def add_update(self, updates, inputs=None):
        """Adds updates (pairs of variable and new value, as K.update returns them) that run in training."""
        call = current().collected
        pairs = updates if isinstance(updates, list) else [updates]
        if call is not None and not deferred.dropped():
            call.updates.extend(pair for pair in pairs if isinstance(pair, tuple))

    def add_metric(self, *args, **kwargs):
        raise AttributeError("add_metric() is gone: give metrics to compile(), or make a Metric in __init__.")

    def _regularization(self):
        """The penalties on the weights, of this layer and those inside."""
        return [v.regularizer(v.raw) for v in self.trainable_weights if v.regularizer is not None]

    @property
    def losses(self):
        """Losses beside the compiled one: those of the last call, those added, penalties on weights."""
        fixed = [
            loss() if callable(loss) and not isinstance(loss, (Symbol, jax.Array)) else loss
            for layer in (self, *self.sublayers())
            for loss in layer.__dict__.get("_fixed_losses", ())
        ]
        return [*self._call_losses, *fixed, *self._regularization()]

    def get_losses_for(self, inputs=None):
        return self.losses

    @property
    def updates(self):
        return []

    def get_updates_for(self, inputs=None):
        return []

    # --- shapes and configuration

    def compute_output_shape(self, input_shape):
        """The shape of the output for a shape of the input (lists of shapes for several)."""
        if not self.built:
            self.build(input_shape)
        return map_structure(lambda s: tuple(s.shape), infer(self, (map_shapes(Symbol, input_shape),), {}))

    def get_config(self):
        """The constructor's arguments, as JSON can hold them; enough for `from_config` to make the layer again."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.name}
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = list(self._batch_input_shape)
        ours = next(c for c in type(self).__mro__ if c.__module__.split(".")[0] == "oneiros")
        if inspect.unwrap(ours.__init__) is not inspect.unwrap(Layer.__init__):
            config |= {name: value for name, value in constructor_values(self, ours) if name not in config}
        if type(self) is not ours and type(self).get_config is ours.get_config:
            args, kwargs = self._initial_arguments
            bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs).arguments
            bound.pop("self", None)
            for name, value in list(bound.items()):
                parameter = inspect.signature(type(self).__init__).parameters[name]
                if parameter.kind is parameter.VAR_KEYWORD:
                    bound.pop(name)
                    bound.update(value)
            config |= bound
        return {name: serialize_value(value) for name, value in config.items()}

    def get_build_config(self):
        return {"input_shape": self._build_shape}

    def build_from_config(self, config):
        if config and not self.built:
            shape = config.get("input_shape", config)
            self.build(tuple(shape) if isinstance(shape, list) and not any(map(_is_shape, shape)) else shape)

    # --- the graph around the layer

    inbound_nodes = property(lambda self: self._inbound_nodes)
    outbound_nodes = property(lambda self: self._outbound_nodes)

    def _at_node(self, what, index=None):
        """Something of the node at this index; without one, of all nodes, if they agree."""
        nodes = self._inbound_nodes
        if not nodes:
            raise AttributeError(f"Layer {self.name} has never been called on a symbol, so it has no {what}.")
        if index is None:
            values = [single(getattr(node, what)) for node in nodes]
            if any(value != values[0] for value in values[1:]):
                side, _, face = what.partition("_")
                raise AttributeError(
                    f"Layer {self.name} has {len(nodes)} nodes, so its {side} is ambiguous. "
                    f"Use get_{side}_{'shape_' if face == 'shapes' else ''}at(node_index)."
                )
            return values[0]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < len(nodes):
            raise ValueError(f"Layer {self.name}: asked for node {index}, but there are {len(nodes)} nodes.")
        return single(getattr(nodes[index], what))

    def get_input_at(self, node_index):
        return self._at_node("input_tensors", node_index)

    def get_output_at(self, node_index):
        return self._at_node("output_tensors", node_index)

    def get_input_shape_at(self, node_index):
        return self._at_node("input_shapes", node_index)

    def get_output_shape_at(self, node_index):
        return self._at_node("output_shapes", node_index)

    def get_input_mask_at(self, node_index):
        """Always ``None``: masks are values and exist while a model runs."""
        self._at_node("input_tensors", node_index)

    get_output_mask_at = get_input_mask_at

    input = property(lambda self: self._at_node("input_tensors"))
    output = property(lambda self: self._at_node("output_tensors"))
    input_shape = property(lambda self: self._at_node("input_shapes"))
    output_shape = property(lambda self: self._at_node("output_shapes"))
    input_mask = property(lambda self: self.get_input_mask_at(0))
    output_mask = property(lambda self: self.get_output_mask_at(0))
    batch_input_shape = property(lambda self: self._batch_input_shape)

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """Calls the layer with these values for its weights; returns the outputs and the new other values."""
        others = self.non_trainable_variables
        values = [*zip(self.trainable_variables, trainable_variables), *zip(others, non_trainable_variables)]
        with Scope(values) as scope:
            outputs = self(*args, **kwargs)
            new_values = [scope.values[v] for v in others]
            return (outputs, new_values, self.losses) if return_losses else (outputs, new_values)

    def __getstate__(self):
        """What copies and pickles keep: the layer without the graph around it."""
        return self.__dict__ | {"_inbound_nodes": [], "_outbound_nodes": []}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _is_numbers(x):
    """Whether this is a nested list of plain numbers: data, not several tensors."""
    return isinstance(x, list) and all(isinstance(leaf, (int, float, bool)) for leaf in leaves(x)) and x != []


def _set_masks(outputs, mask):
    """Hands masks to the outputs that have none: one for all, or a structure of masks like the outputs'."""
    if is_nested(outputs):
        alike = is_nested(mask) and isinstance(mask, dict) == isinstance(outputs, dict)
        for key, output in zip(keys_of(outputs), values_of(outputs)):
            if not alike:
                _set_masks(output, None if is_nested(mask) else mask)
            elif not isinstance(mask, dict) and key < len(mask) or isinstance(mask, dict) and key in mask:
                _set_masks(output, mask[key])
    elif mask is not None and not is_nested(mask) and get_mask(outputs) is None:
        set_mask(outputs, mask)


def _is_shape(x):
    return isinstance(x, (list, tuple))


def _accepts_any(parameters):
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def single(items):
    return items[0] if len(items) == 1 else items


def _unique(items):
    return list({id(item): item for item in items}.values())


def find_in_attributes(cls, layer):
    """Instances of `cls` in a layer's attributes, and in lists, tuples and dictionaries there."""

    def walk(value):
        if isinstance(value, cls):
            yield value
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield from walk(item)
        elif isinstance(value, dict):
            for item in value.values():
                yield from walk(item)

    found = (x for name, value in vars(layer).items() if name not in layer._untracked for x in walk(value))
    return _unique(found)
