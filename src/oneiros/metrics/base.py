"""Metrics: state that is gathered batch by batch, and a result computed from it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from .. import core, initializers
from ..core import policy
from ..core.config import behaviour
from ..core.fields import ANY, Documentation, Field, constructor, field, fields_of, inherited_fields
from ..core.names import to_snake_case, unique_name
from ..core.registry import serialize_value
from ..core.structure import leaves
from ..losses.traits import Traits, inherit_traits, traits_of
from ..losses.weighting import both_masks, mask_of, safe_divide, weight_like, weighted
from ..ops.table import Tensor, tensor

kind = core.kind("metric")


class Metric(core.Configurable):
    """Base class of metrics. Subclasses add variables and define ``update_state(...)`` and ``result()``.

    The same code runs eagerly and compiled.

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
    traits = None  # what the metric declares about itself, see `oneiros.losses.Traits`

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
    def dtype(self) -> str:
        """Type of the state."""
        return self._dtype or core.floatx()

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> core.Variable:
        """Adds a variable to the metric's state.

        Args:
            shape: Shape of the variable.
            initializer: Initial values: a name, a configuration or an object. Zeros by default.
            dtype: Type; by default that of the metric.
            aggregation: Accepted; it has no effect.
            name: Name of the variable.
        """
        variable = core.Variable(
            initializers.get("zeros" if initializer is None else initializer),
            tuple(shape),
            dtype or self.dtype,
            trainable=False,
            name=name,
        )
        variable.path = f"{self.name}/{variable.name}"
        self._weights.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None, **kwargs
    ) -> core.Variable:
        """`add_variable`, which also accepts the arguments in the order of tf.keras, where the name comes first."""
        if isinstance(shape, str):
            name, shape = shape, kwargs.pop("shape", ())
            if isinstance(initializer, (tuple, list)):
                shape, initializer = initializer, None
        return self.add_variable(shape or (), initializer, dtype, name=name)

    @property
    def variables(self) -> list[core.Variable]:
        """All variables of the state, including those of metrics in attributes, in lists and dictionaries too."""
        found = dict.fromkeys(self._weights)
        for item in leaves(dict(vars(self))):
            if isinstance(item, core.Variable):
                found[item] = None
            elif isinstance(item, Metric):
                found.update(dict.fromkeys(item.variables))
        return list(found)

    weights = non_trainable_variables = non_trainable_weights = variables
    trainable_variables = property(lambda self: [])
    stateful = True

    def update_state(self, *args, **kwargs) -> None:
        """Adds a batch to the state. Subclasses define it, usually as ``(y_true, y_pred, sample_weight=None)``."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight).")

    def result(self) -> Any:
        """The value of the metric for all batches since the last `reset_state`. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must define result().")

    def reset_state(self) -> None:
        """Resets the state: sets all variables to 0."""
        if type(self).reset_states is not Metric.reset_states:  # the name until TensorFlow 2.4
            self.reset_states()
        else:
            self._reset()

    def reset_states(self) -> None:
        """The name of `reset_state` before TensorFlow 2.5."""
        self._reset()

    def _reset(self):
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def __call__(self, *args, **kwargs):
        """Adds a batch to the state and returns the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def merge_state(self, metrics: Iterable["Metric"]) -> None:
        """Adds the states of other metrics of the same class to this one's."""
        for metric in metrics:
            for own, other in zip(self.variables, metric.variables):
                own.assign_add(other.raw)

    def _stateless(self, values, run):
        with core.Scope(zip(self.variables, values)) as scope:
            result = run()
            return result, [scope.read(v) for v in self.variables]

    def stateless_update_state(self, metric_variables: Sequence, *args, **kwargs) -> list[Array]:
        """The values of the variables after an update, given those before it. The metric itself does not change."""
        return self._stateless(metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables: Sequence) -> Any:
        """The result for these values of the variables."""
        return self._stateless(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Array]:
        """The values that the variables have after a reset."""
        return [jnp.zeros(v.shape, v.dtype) for v in self.variables]

    def get_config(self) -> dict[str, Any]:
        """The declared fields; in a class with an `__init__` of its own, those of the library's class below it."""
        if not fields_of(type(self)):
            fields = inherited_fields(type(self))
            config = {name: serialize_value(getattr(self, field.attribute)) for name, field in fields.items()}
            return config | {"name": self.name, "dtype": self.dtype}
        return super().get_config() | {"dtype": self.dtype}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class NamedMetric(Metric, abstract=True):
    """Base class of the library's metrics: in their constructors the name comes before the type."""

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

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds values to the mean.

        Args:
            values: Numbers of any shape.
            sample_weight: Weights with as many axes as the values or fewer.
        """
        self._add(values, sample_weight, mask_of(values))

    def _add(self, values, sample_weight, mask):
        values, weight = weighted(values, sample_weight, mask, self.dtype)
        self.total.assign_add(jnp.sum(values if weight is None else values * weight))
        self.count.assign_add(values.size if weight is None else jnp.sum(weight))

    def result(self) -> Array:
        """The mean of all values so far; 0 if there are none."""
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

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds values to the sum, as in `Mean.update_state`."""
        values, weight = weighted(values, sample_weight, mask_of(values), self.dtype)
        self.total.assign_add(jnp.sum(values if weight is None else values * weight))

    def result(self) -> Array:
        """The sum of all values so far."""
        return self.total.raw


class SumOverBatchSize(Mean):
    """The weighted sum of all values, divided by their number.

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
    """The weighted mean of arrays of the same shape, element by element.

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

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds an array to the mean.

        Args:
            values: Numbers of the shape of the metric.
            sample_weight: Weights with as many axes as the values or fewer.

        Raises:
            ValueError: If the shape is not that of the arrays before.
        """
        values = tensor(values).astype(self.dtype)
        if self.total is None:
            self._build(values.shape)
        if values.shape != self.total.shape:
            raise ValueError(f"MeanTensor: expected values of shape {self.total.shape}. Received: {values.shape}")
        weight = 1 if sample_weight is None else weight_like(sample_weight, values)
        self.total.assign_add(values * weight)
        self.count.assign_add(jnp.broadcast_to(jnp.asarray(weight, values.dtype), values.shape))

    def result(self) -> Array:
        """The mean of each element."""
        if self.total is None:
            raise ValueError("MeanTensor has no shape yet: call update_state first, or give `shape`.")
        return safe_divide(self.total.raw, self.count.raw)


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred) over all samples.

    Args:
        fn: Function of (y_true, y_pred, **options) that returns one value per sample, step or pixel.
        name: Name in logs. Defaults to the function's name.
        dtype: Type of the state. `None` means `floatx()`.
        **options: Further arguments for `fn`.

    >>> round(float(MeanMetricWrapper(lambda y, p: abs(y - p))(jnp.ones(2), jnp.zeros(2))), 3)
    1.0
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **options):
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self._fn = fn
        self._options = options

    @property
    def traits(self) -> Traits | None:
        """The traits of the function."""
        return traits_of(self._fn)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch to the mean.

        Args:
            y_true: Targets ``(N, ...)``.
            y_pred: Predictions ``(N, ...)``. A mask that a layer attached to them excludes steps.
            sample_weight: Weights with as many axes as the function's values or fewer.
        """
        values = tensor(self._fn(y_true, y_pred, **self._options))
        ignored = mask_of(values) if sample_weight is not None or behaviour.metrics_drop_ignored else None
        self._add(values, sample_weight, both_masks(mask_of(y_pred), ignored))

    def get_config(self) -> dict[str, Any]:
        if fields_of(type(self)) or type(self).__module__.split(".")[0] != "oneiros":
            return super().get_config()
        options = serialize_value(self._options)
        return {"name": self.name, "dtype": self.dtype, "fn": kind.serialize(self._fn), **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MeanMetricWrapper":
        if isinstance(config.get("fn"), (str, dict)):
            config = {**config, "fn": kind.deserialize(config["fn"])}
        return cls(**config)


class SumOverBatchSizeMetricWrapper(MeanMetricWrapper):
    """The weighted sum of a function of (y_true, y_pred), divided by the number of its values.

    >>> round(float(SumOverBatchSizeMetricWrapper(lambda y, p: abs(y - p))(jnp.ones(2), jnp.zeros(2))), 3)
    1.0
    """

    traits = Traits()
    _add = SumOverBatchSize._add


class FunctionMetric(MeanMetricWrapper, abstract=True):
    """Base class of the means of a function: ``class Poisson(FunctionMetric, function=poisson)``.

    The fields that a subclass declares are the function's options. They follow the name and the type, unless they are
    declared `first`.
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
