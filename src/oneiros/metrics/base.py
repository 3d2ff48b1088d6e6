"""Metrics: state that is gathered batch by batch, and a result computed from it."""

import jax.numpy as jnp
import numpy as np

from .. import core, initializers
from ..core import policy
from ..core.fields import ANY, Documentation, Field, constructor, field, fields_of
from ..core.names import to_snake_case, unique_name
from ..core.registry import serialize_value
from ..losses.traits import Traits, inherit_traits, traits_of
from ..losses.weighting import both_masks, mask_of, safe_divide, weight_like, weighted
from ..ops.table import tensor

kind = core.kind("metric")


class Metric(core.Configurable):
    """Base of metrics. Subclasses add variables and define ``update_state(...)`` and ``result()``.

    It works eagerly and in compiled code, where its variables are state like any other.

    >>> class Largest(Metric):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.value = self.add_weight(name="value", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(jnp.maximum(self.value, jnp.max(jnp.asarray(y_pred))))
    ...     def result(self):
    ...         return self.value.value
    >>> float(Largest()([0.0], [3.0]))
    3.0
    """

    kind = "metric"
    traits = None  # what the metric says about itself, see `oneiros.losses.Traits`

    ignored_arguments = {"trainable": ANY, "dynamic": ANY, "autocast": ANY}  # tf.keras' metrics are layers

    _dtype: str = field(default=None, alias="dtype", doc="Type of the state. `None` means `floatx()`.")
    name: str = field(default=None, doc="Name in logs. Made from the class's name by default.")

    def __init_subclass__(cls, **kwargs):
        inherit_traits(cls, "update_state", "result", "reset_state", "reset_states", "__call__")
        super().__init_subclass__(**kwargs)

    def __post_init__(self):
        super().__post_init__()
        dtype, name = self._dtype, self.name
        if isinstance(dtype, str) and not _is_type(dtype):  # tf.keras has the name first
            dtype, name = (name if _is_type(name) else None), dtype
        self.name = name or unique_name(to_snake_case(type(self).__name__))
        self._dtype = None if dtype is None else policy.get(dtype).compute_dtype
        self._weights = []

    @property
    def dtype(self):
        return self._dtype or core.floatx()

    def add_variable(self, shape=(), initializer=None, dtype=None, aggregation="sum", name=None):
        """A variable of the metric's state, zeros unless an initializer says otherwise."""
        variable = core.Variable(
            initializers.get(initializer or "zeros"), tuple(shape), dtype or self.dtype, trainable=False, name=name
        )
        variable.path = f"{self.name}/{variable.name}"
        self._weights.append(variable)
        return variable

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None, **kwargs):
        """`add_variable`, with the arguments of tf.keras too, where the name comes first."""
        if isinstance(shape, str):
            name, shape = shape, kwargs.pop("shape", ())
            if isinstance(initializer, (tuple, list)):
                shape, initializer = initializer, None
        return self.add_variable(shape or (), initializer, dtype, name=name)

    @property
    def variables(self):
        """All variables of the state, those of metrics that are attributes included."""
        found = dict.fromkeys(self._weights)
        for value in list(vars(self).values()):
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(item, core.Variable):
                    found[item] = None
                elif isinstance(item, Metric):
                    found.update(dict.fromkeys(item.variables))
        return list(found)

    weights = non_trainable_variables = non_trainable_weights = variables
    trainable_variables = property(lambda self: [])
    stateful = True

    def update_state(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight).")

    def result(self):
        raise NotImplementedError(f"{type(self).__name__} must define result().")

    def reset_state(self):
        """Forgets all that was gathered."""
        if type(self).reset_states is not Metric.reset_states:  # the name until TensorFlow 2.4
            self.reset_states()
        else:
            self._reset()

    def reset_states(self):
        self._reset()

    def _reset(self):
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def merge_state(self, metrics):
        """Adds the state of other metrics of this class."""
        for metric in metrics:
            for own, other in zip(self.variables, metric.variables):
                own.assign_add(other.raw)

    def _stateless(self, values, run):
        with core.Scope(zip(self.variables, values)) as scope:
            result = run()
            return result, [scope.read(v) for v in self.variables]

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values of the variables after an update, given those before; nothing changes."""
        return self._stateless(metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables):
        return self._stateless(metric_variables, self.result)[0]

    def stateless_reset_state(self):
        return [jnp.zeros(v.shape, v.dtype) for v in self.variables]

    def get_config(self):
        """The declared fields; ``name`` and ``dtype`` in a class with an `__init__` of its own."""
        if not fields_of(type(self)):
            return {"name": self.name, "dtype": self.dtype}
        return super().get_config() | {"dtype": self.dtype}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class NamedMetric(Metric, abstract=True):
    """Base of the library's metrics: in their constructors the name comes before the type."""

    name: str = field(default=None, first=True)


def _is_type(name):
    try:
        return name is not None and bool(jnp.dtype(getattr(name, "compute_dtype", name)))
    except TypeError:
        return isinstance(name, str) and name.startswith("mixed_")


class Mean(NamedMetric):
    """The weighted mean of all values.

    >>> m = Mean()
    >>> float(m([1.0, 3.0], sample_weight=[3.0, 1.0]))
    1.5
    """

    traits = Traits(by_row=True)
    name: str = "mean"

    def __post_init__(self):
        super().__post_init__()
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values, sample_weight=None):
        self._add(values, sample_weight, mask_of(values))

    def _add(self, values, sample_weight, mask):
        values, weight = weighted(values, sample_weight, mask, self.dtype)
        self.total.assign_add(jnp.sum(values if weight is None else values * weight))
        self.count.assign_add(values.size if weight is None else jnp.sum(weight))

    def result(self):
        return safe_divide(self.total.raw, self.count.raw)


class Sum(NamedMetric):
    """The weighted sum of all values.

    >>> round(float(Sum()([1.0, 2.0], sample_weight=[1.0, 0.5])), 3)
    2.0
    """

    traits = Traits()
    name: str = "sum"

    def __post_init__(self):
        super().__post_init__()
        self.total = self.add_variable(name="total")

    def update_state(self, values, sample_weight=None):
        values, weight = weighted(values, sample_weight, mask_of(values), self.dtype)
        self.total.assign_add(jnp.sum(values if weight is None else values * weight))

    def result(self):
        return self.total.raw


class SumOverBatchSize(Mean):
    """The weighted sum of all values by their number.

    >>> round(float(SumOverBatchSize()([1.0, 2.0], sample_weight=[1.0, 0.5])), 3)
    1.0
    """

    traits = Traits()
    name: str = "sum_over_batch_size"

    def _add(self, values, sample_weight, mask):
        values, weight = weighted(values, sample_weight, mask, self.dtype)
        self.total.assign_add(jnp.sum(values if weight is None else values * weight))
        self.count.assign_add(values.size)


class MeanTensor(NamedMetric):
    """The weighted mean of arrays of one shape, element by element.

    >>> m = MeanTensor()
    >>> m.update_state([1.0, 2.0]); m.update_state([3.0, 4.0]); m.result().tolist()
    [2.0, 3.0]
    """

    traits = Traits()
    name: str = "mean_tensor"
    shape: tuple = field(default=None, doc="Shape of the arrays. `None` takes it from the first one.")

    def __post_init__(self):
        super().__post_init__()
        self.total = self.count = None
        if self.shape is not None:
            self._build(self.shape)

    def _build(self, shape):
        self.total = self.add_variable(shape, name="total")
        self.count = self.add_variable(shape, name="count")

    def update_state(self, values, sample_weight=None):
        values = tensor(values).astype(self.dtype)
        if self.total is None:
            self._build(values.shape)
        if values.shape != self.total.shape:
            raise ValueError(f"MeanTensor: expected values of shape {self.total.shape}. Received: {values.shape}")
        weight = 1 if sample_weight is None else weight_like(sample_weight, values)
        self.total.assign_add(values * weight)
        self.count.assign_add(jnp.broadcast_to(jnp.asarray(weight, values.dtype), values.shape))

    def result(self):
        if self.total is None:
            raise ValueError("MeanTensor has no shape yet: call update_state first, or give `shape`.")
        return safe_divide(self.total.raw, self.count.raw)


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred, **options) over all examples.

    >>> round(float(MeanMetricWrapper(lambda y, p: abs(y - p))(jnp.ones(2), jnp.zeros(2))), 3)
    1.0
    """

    def __init__(self, fn, name=None, dtype=None, **options):
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self._fn = fn
        self._options = options

    @property
    def traits(self):
        return traits_of(self._fn)

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = tensor(self._fn(y_true, y_pred, **self._options))
        self._add(values, sample_weight, both_masks(mask_of(y_pred), mask_of(values)))

    def get_config(self):
        if fields_of(type(self)) or type(self).__module__.split(".")[0] != "oneiros":
            return super().get_config()
        options = serialize_value(self._options)
        return {"name": self.name, "dtype": self.dtype, "fn": kind.serialize(self._fn), **options}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), (str, dict)):
            config = {**config, "fn": kind.deserialize(config["fn"])}
        return cls(**config)


class SumOverBatchSizeMetricWrapper(MeanMetricWrapper):
    """The weighted sum of a function of (y_true, y_pred, **options), divided by the number of examples.

    >>> round(float(SumOverBatchSizeMetricWrapper(lambda y, p: abs(y - p))(jnp.ones(2), jnp.zeros(2))), 3)
    1.0
    """

    traits = Traits()
    _add = SumOverBatchSize._add


class FunctionMetric(MeanMetricWrapper, abstract=True):
    """Base of the means of a function: ``class Poisson(FunctionMetric, function=poisson)``.

    What a subclass declares are the function's options. They follow the name and the type, unless they come `first`.
    """

    def __init_subclass__(cls, function=None, name=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if function is None:
            return
        cls.function = staticmethod(function)
        options = fields_of(cls)
        firsts = {option: f for option, f in options.items() if f.first}
        named = fields_of(Mean) | {"name": Field(name or function.__name__, doc=fields_of(Mean)["name"].doc).of("name")}
        cls.__fields__ = firsts | named | {option: f for option, f in options.items() if not f.first}

        def configure(self, values, args, kwargs):
            values = dict(zip(cls.__fields__, values)) | kwargs
            MeanMetricWrapper.__init__(self, function, **values)
            self.__dict__.update(self._options)

        cls.__init__ = constructor(cls, list(cls.__fields__.values()), configure, takes_more=False)
        doc = vars(cls).get("__doc__") or f"The mean of `{function.__name__}` over all samples."
        cls.__doc__ = Documentation(doc, cls.__fields__)
