"""`Layer`: what all layers share."""

import inspect
import typing

from ... import dtype_policies, regularizers
from ...core import Configurable, behaviour, policy
from ...core.context import current
from ...core.fields import active, field
from ...core.names import layer_prefix, unique_name
from ...core.registry import constructor_values, serialize_value
from ...dtype_policies import DTypePolicyMap
from ...metrics.base import Metric
from .. import mistakes
from .calls import LayerCalls, building
from .losses import LayerLosses
from .masks import LayerMasks
from .nodes import LayerNodes
from .precision import LayerPrecision
from .weights import LayerWeights, find_in_attributes, unique


class _OfParts:
    """Whether the outputs of a layer inside are others in training. A user's class may set the attribute itself."""

    def __get__(self, layer, cls):
        return layer is not None and any(part.uses_learning_phase for part in layer.direct_sublayers())


def _of_library(cls):
    """The nearest class of this library that a class comes from."""
    return next(c for c in cls.__mro__ if c.__module__.split(".")[0] == "oneiros")


class _Found:
    """An attribute that is computed unless an object has its own of that name, as layers of users may."""

    def __init__(self, find, doc):
        self.find, self.__doc__ = find, doc

    def __get__(self, layer, cls):
        return self if layer is None else self.find(layer)


def _metrics(layer):
    return unique(part for owner in (layer, *layer.sublayers()) for part in find_in_attributes(Metric, owner))


class Layer(LayerCalls, LayerWeights, LayerLosses, LayerMasks, LayerNodes, LayerPrecision, Configurable):
    """A function with weights, and the base of all layers.

    A subclass writes `build`, which makes the weights, and `call`, which takes arrays and returns arrays; a layer
    without weights needs only `call`. Constructor arguments may be declared as annotated class attributes, or taken
    by an ordinary `__init__` that calls ``super().__init__(**kwargs)``.

    Args:
        name: the layer's name, unique within a model. By default it is made from the class's name.
        trainable: whether training changes the weights.
        dtype: the name of a number type, or a dtype policy.
        activity_regularizer: a penalty on the outputs, which is added to the loss.
        input_shape: the shape of the inputs without the batch axis, for the first layer of a `Sequential`.
        batch_input_shape: the shape of the inputs with the batch axis.
        batch_size: the size of the batch axis, beside `input_shape`.
        input_dim: the size of the inputs' only axis beside the batch axis.
        weights: a list of arrays to start from.
        autocast: whether floating inputs are converted to the layer's compute type.
        **kwargs: arguments of other versions of Keras that change nothing (see `ignored_arguments`).

    Raises:
        TypeError: if there are unknown arguments.

    >>> import numpy as np
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    if typing.TYPE_CHECKING:  # the arguments of all layers
        name: str = field(default=None, kw_only=True)
        trainable: bool = field(default=True, kw_only=True)
        dtype: typing.Any = field(default=None, kw_only=True)
        activity_regularizer: typing.Any = field(default=None, kw_only=True)
        input_shape: typing.Any = field(default=None, kw_only=True)
        batch_input_shape: typing.Any = field(default=None, kw_only=True)
        autocast: bool = field(default=True, kw_only=True)

    kind = "layer"
    name, _dtype_policy, autocast = (mistakes.SetByInit() for _ in range(3))
    uses_learning_phase = _OfParts()
    stateful = False
    takes_strings = False  # whether inputs may be strings, as NumPy arrays outside of compiled code
    input_spec = None
    supports_jit = True  # whether calls can be compiled; nothing here depends on it
    activity_regularizer = None
    batch_input_shape = None  # for a first layer: the shape of the inputs with the batch axis
    index_limit = None  # if the inputs are indices: the number that all are below
    stray_index = None  # a variable that holds an index out of range that was met; the training loop looks at it
    ignored_arguments = {"dynamic": False}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = building(cls.build)

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        # Here, not in __init__: a user's layer may set attributes before it calls super().__init__().
        self._initial_arguments = (args, kwargs)
        self._own = []
        self._inbound_nodes, self._outbound_nodes = [], []
        self.call_losses = []
        self._trainable = True
        self.built = False
        return self

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: typing.Any = None,
        activity_regularizer: typing.Any = None,
        input_shape: typing.Any = None,
        batch_input_shape: typing.Any = None,
        batch_size: int | None = None,
        input_dim: int | None = None,
        weights: typing.Any = None,
        autocast: bool = True,
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
        self._dtype_policy = policy.get(dtype)
        self.autocast, self.remat_scope = autocast, current().remat_scope
        if activity_regularizer is not None:
            self.activity_regularizer = regularizers.get(activity_regularizer)
        if input_dim is not None and input_shape is None:
            input_shape = (input_dim,)
        if batch_input_shape is None and input_shape is not None:
            batch_input_shape = (batch_size, *([input_shape] if isinstance(input_shape, int) else input_shape))
        if batch_input_shape is not None:
            self.batch_input_shape = tuple(batch_input_shape)
        self._initial_weights = weights
        self._trainable = bool(trainable)
        if behaviour.stateless_are_built and type(self).build is Layer.build:
            self.built = _of_library(type(self)) is not Layer

    compute_dtype = property(lambda self: self.layer_policy.compute_dtype, doc="The type of inputs and results.")
    variable_dtype = property(lambda self: self.layer_policy.variable_dtype, doc="The type of the weights.")
    dtype = variable_dtype
    input_dtype = _Found(lambda self: self.compute_dtype, "The type that inputs are converted to.")
    metrics = _Found(_metrics, "The metrics that this layer and the layers inside hold in attributes.")
    metrics_variables = _Found(
        lambda self: [variable for metric in self.metrics for variable in metric.variables],
        "The variables of these metrics.",
    )

    def get_config(self) -> dict:
        """The constructor's arguments as JSON can hold them: enough for `from_config` to make the layer again."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": _written_policy(self.dtype_policy)}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        ours = _of_library(type(self))
        if inspect.unwrap(ours.__init__) is not inspect.unwrap(Layer.__init__):
            config |= {name: value for name, value in constructor_values(self, ours) if name not in config}
        if type(self) is not ours and type(self).get_config is ours.get_config:
            config |= _given_arguments(self)
        return {name: serialize_value(value) for name, value in config.items()}

    def __getstate__(self):
        """What copies and pickles keep: the layer without the graph around it."""
        return self.__dict__ | {"_inbound_nodes": [], "_outbound_nodes": []}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _written_policy(policy):
    """A policy in a configuration: its name, unless that does not say everything."""
    plain = policy.quantization_mode is None and not isinstance(policy, DTypePolicyMap)
    return policy.name if plain else dtype_policies.serialize(policy)


def _given_arguments(layer):
    """What a user's layer was made with, by name: the configuration of a class that has no `get_config`."""
    args, kwargs = layer._initial_arguments
    signature = inspect.signature(type(layer).__init__)
    bound = signature.bind(layer, *args, **kwargs).arguments
    bound.pop("self", None)
    for name, value in list(bound.items()):
        parameter = signature.parameters[name]
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            bound.pop(name)
        if parameter.kind is parameter.VAR_KEYWORD:
            bound.update(value)
    return bound
