"""Optimizers that wrap others: loss scaling, one optimizer for each group of variables, and Optax transformations."""

import re
from collections.abc import Iterable, MutableMapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .. import core
from ..core.fields import fields_of
from ..ops.table import as_float
from .base import Optimizer
from .conditional import when
from .updates import is_overwritten

_kind = core.kind("optimizer")

# Arguments of `Optimizer` that act on the updates. A wrapper leaves these to the optimizer that it wraps.
_OF_UPDATES = (
    "weight_decay",
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


class LossScaleOptimizer(Optimizer):
    """Scales the loss up so that 16-bit gradients do not underflow, and skips steps with infinite or NaN gradients.

    The scale is doubled after `dynamic_growth_steps` steps with finite gradients, and halved after one without
    (Micikevicius et al. 2018).

    Args:
        inner_optimizer: The optimizer that updates the weights: an object, a name or a configuration.
        initial_scale: First factor of the loss. tf.keras has the argument `dynamic` in this place; a boolean is taken
            as that.
        dynamic_growth_steps: Number of steps with finite gradients after which the scale is doubled.
        name: Name of the optimizer.
        **kwargs: ``dynamic=False`` keeps the scale constant.

    Raises:
        TypeError: If `inner_optimizer` is not an optimizer.
        ValueError: If an argument is given that only the inner optimizer can follow, such as `clipnorm`.

    >>> from oneiros.optimizers import SGD
    >>> w = core.Variable([1.0])
    >>> optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=4.0)
    >>> float(optimizer.scale_loss(jnp.array(2.0)))
    8.0
    >>> optimizer.apply([jnp.array([4.0])], [w]); w.numpy().tolist()  # the gradient of the scaled loss
    [0.5]
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float | bool | None = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs,
    ):
        if isinstance(initial_scale, bool):  # tf.keras has `dynamic` there
            kwargs["dynamic"], initial_scale = initial_scale, 2.0**15
        self._dynamic = kwargs.pop("dynamic", True)
        if isinstance(inner_optimizer, (str, dict)):
            inner_optimizer = _kind.get(inner_optimizer)
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"LossScaleOptimizer: inner_optimizer must be an optimizer. Received: {inner_optimizer!r}")
        kwargs.pop("learning_rate", None)
        given = {argument: kwargs.pop(argument) for argument in _OF_UPDATES if argument in kwargs}
        if kept := [a for a, value in given.items() if value not in (None, False, fields_of(Optimizer)[a].default)]:
            raise ValueError(
                f"LossScaleOptimizer does not clip, decay or average by itself. Set {', '.join(kept)} on the "
                "`inner_optimizer` instead."
            )
        super().__init__(0.0, name=name, **kwargs)
        inner_optimizer.loss_scale_factor = None  # the scale is this one's alone
        self.inner_optimizer = inner_optimizer
        self.initial_scale = 2.0**15 if initial_scale is None else initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.step_counter = self._state(0, "step_counter", "int32")
        self.dynamic_scale = self._state(self.initial_scale, "dynamic_scale", "float32")

    learning_rate = property(
        lambda self: self.inner_optimizer.learning_rate,
        lambda self, rate: setattr(self.inner_optimizer, "learning_rate", rate),
    )
    lr = learning_rate
    iterations = property(lambda self: self.inner_optimizer.iterations)
    step_count = property(lambda self: self.inner_optimizer.step_count)
    slots_by_variable = property(lambda self: self.inner_optimizer.slots_by_variable)
    slots_in_files = property(lambda self: self.inner_optimizer.slots_in_files)
    outer_state = property(lambda self: [self._iterations, self._learning_rate, self.step_counter, self.dynamic_scale])
    loss_scale = property(lambda self: self.dynamic_scale)

    @property
    def variables(self) -> list[core.Variable]:
        return [self.step_counter, self.dynamic_scale, *self.inner_optimizer.variables]

    def build(self, variables: Iterable[core.Variable]) -> None:
        if not self.built:
            self.built = True
            self._trained = list(variables)
            self.inner_optimizer.build(variables)

    def scale_loss(self, loss: Any) -> Any:
        loss = as_float(loss)
        return loss * self.dynamic_scale.raw.astype(loss.dtype)

    get_scaled_loss = scale_loss

    def get_unscaled_gradients(self, gradients: Iterable[Array | None]) -> list[Array | None]:
        """The gradients divided by the scale."""
        gradients = [None if g is None else core.to_array(g) for g in gradients]
        return [None if g is None else g / self.dynamic_scale.raw.astype(g.dtype) for g in gradients]

    def apply(self, gradients: Iterable[Array | None], variables: Iterable[core.Variable] | None = None) -> None:
        if not self.built:
            self.build(variables)
        gradients, own = list(gradients), self._trained if variables is None else list(variables)
        unscaled = self.get_unscaled_gradients(gradients)
        gradients = [g if is_overwritten(v) else new for g, new, v in zip(gradients, unscaled, own)]
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(g)) for g in gradients if g is not None]))
        counter, scale = self.step_counter.raw, self.dynamic_scale.raw
        when(finite, lambda: self.inner_optimizer.apply(gradients, variables))
        if self._dynamic:
            grow = finite & (counter + 1 >= self.dynamic_growth_steps)
            self.step_counter.assign(jnp.where(finite & ~grow, counter + 1, 0))
            self.dynamic_scale.assign(jnp.where(finite, jnp.where(grow, scale * 2, scale), jnp.maximum(scale / 2, 1)))

    def finalize_variable_values(self, var_list: Iterable[core.Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "inner_optimizer": _kind.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


class OptimizerMap(MutableMapping, core.Configurable):
    """A mapping from variable paths to optimizers, by regular expressions. It is meant for `MultiOptimizer`.

    Args:
        default_optimizer: The optimizer of all variables whose path no pattern matches.
        optimizer_map: A dictionary from patterns to optimizers.

    >>> from oneiros.optimizers import SGD, Adam
    >>> type(OptimizerMap(SGD(), {"encoder/.*": Adam()})["encoder/kernel"]).__name__
    'Adam'
    """

    kind = "optimizer"

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        self.default_optimizer = default_optimizer
        self.optimizer_map = {}
        self.update(optimizer_map or {})

    def __getitem__(self, path):
        if path in self.optimizer_map:
            return self.optimizer_map[path]
        found = [pattern for pattern in self.optimizer_map if re.search(pattern, path)]
        if len(found) > 1:
            raise ValueError(f"The path {path!r} matches several patterns: {found}. Each variable needs one optimizer.")
        return self.optimizer_map[found[0]] if found else self.default_optimizer

    def __call__(self, variable: core.Variable) -> Optimizer:
        """The optimizer of a variable, found by its path."""
        return self[variable.path]

    def __setitem__(self, pattern, optimizer):
        _check_plain(optimizer)
        self.optimizer_map[pattern] = optimizer

    def __delitem__(self, pattern):
        del self.optimizer_map[pattern]

    def __iter__(self):
        return iter(self.optimizer_map)

    def __len__(self):
        return len(self.optimizer_map)

    __hash__ = object.__hash__

    @classmethod
    def from_config(cls, config: dict) -> "OptimizerMap":
        inner = {pattern: _kind.get(c) for pattern, c in (config.get("optimizer_map") or {}).items()}
        return cls(_kind.get(config["default_optimizer"]), inner)


class MultiOptimizer(Optimizer):
    """Updates each variable with the optimizer that an `OptimizerMap` chooses for it.

    Args:
        optimizer_map: An `OptimizerMap`, or a function from a variable to an optimizer.
        loss_scale_factor: If given, the loss is multiplied by it and the gradients are divided by it.
        name: Name of the optimizer.

    >>> from oneiros.optimizers import SGD
    >>> a, b = core.Variable([1.0], name="a"), core.Variable([1.0], name="b")
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.1), {"b": SGD(0.5)}))
    >>> optimizer.apply([jnp.array([1.0]), jnp.array([1.0])], [a, b])
    >>> [round(float(v.numpy()[0]), 2) for v in (a, b)]
    [0.9, 0.5]
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None):
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, dict) and "class_name" in optimizer_map:
            optimizer_map = OptimizerMap.from_config(optimizer_map["config"])
        self.optimizer_map = optimizer_map
        self._groups = {}

    @property
    def optimizers(self) -> list[Optimizer]:
        """All optimizers: those of the map, or those that a function has chosen so far."""
        known = ()
        if isinstance(self.optimizer_map, OptimizerMap):
            known = (*self.optimizer_map.values(), self.optimizer_map.default_optimizer)
        return list(dict.fromkeys((*known, *self._groups)))

    @property
    def learning_rate(self) -> Any:
        raise AttributeError("A MultiOptimizer has no learning rate: access that of each of its `optimizers`.")

    lr = learning_rate

    def build(self, variables: Iterable[core.Variable]) -> None:
        if self.built:
            return
        self.built = True
        self._trained = list(variables)
        groups = {}
        for variable in self._trained:
            optimizer = self.optimizer_map(variable)
            _check_plain(optimizer)
            groups.setdefault(optimizer, []).append(variable)
        for optimizer, group in groups.items():
            optimizer.loss_scale_factor = None  # the loss has one scale: this optimizer's
            optimizer.build(group)
        self._groups = groups

    @property
    def variables(self) -> list[core.Variable]:
        return [self._iterations, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    def apply(self, gradients: Iterable[Array | None], variables: Iterable[core.Variable] | None = None) -> None:
        variables = self._trained if variables is None else list(variables)
        self.build(variables)
        by_variable = dict(zip(variables, gradients))
        if self.loss_scale_factor:
            by_variable = {v: None if g is None else g / self.loss_scale_factor for v, g in by_variable.items()}
        for optimizer, group in self._groups.items():
            given = [v for v in group if by_variable.get(v) is not None]
            if given:
                optimizer.apply([by_variable[v] for v in given], given)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Iterable[core.Variable]) -> None:
        for optimizer, group in self._groups.items():
            optimizer.finalize_variable_values([v for v in var_list if v in group])

    def get_config(self) -> dict:
        return {
            "optimizer_map": _kind.serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }


def _check_plain(optimizer):
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"optimizer cannot be {type(optimizer).__name__}. Inside a MultiOptimizer there are plain optimizers only; "
            "to scale the loss, put the MultiOptimizer into a LossScaleOptimizer."
        )


class OptaxOptimizer(Optimizer):
    """An Optax transformation as an optimizer: anything with ``init(params)`` and ``update(gradients, state, params)``.

    Its state is kept in variables. The learning rate is part of the transformation.

    Args:
        optimizer: The transformation.
        **kwargs: Arguments of `Optimizer`, such as `clipnorm` and `name`.

    >>> import types
    >>> halve = types.SimpleNamespace(  # in place of, say, optax.sgd(0.5)
    ...     init=lambda params: (), update=lambda gradients, state, params: ([-0.5 * g for g in gradients], state))
    >>> w = core.Variable([1.0])
    >>> OptaxOptimizer(halve).apply([jnp.array([1.0])], [w]); w.numpy().tolist()
    [0.5]
    """

    def __init__(self, optimizer: Any, **kwargs):
        super().__init__(kwargs.pop("learning_rate", 1.0), **kwargs)
        self.optimizer = optimizer

    def build(self, variables: Iterable[core.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        with jax.ensure_compile_time_eval():
            state = self.optimizer.init([v.stored for v in self._trained])
        leaves, self._structure = jax.tree.flatten(state)
        self._leaves = [self.add_variable(jnp.shape(x), x, jnp.result_type(x), name="state") for x in leaves]

    def _update(self, pairs):
        gradients = dict.fromkeys(self._trained)
        gradients.update(zip((v for _, v in pairs), self._clip([g for g, _ in pairs])))
        given = [jnp.zeros_like(v.raw) if g is None else g for v, g in gradients.items()]
        state = jax.tree.unflatten(self._structure, [leaf.raw for leaf in self._leaves])
        values = [v.raw for v in self._trained]
        changes, state = self.optimizer.update(given, state, values)
        for leaf, value in zip(self._leaves, jax.tree.leaves(state)):
            leaf.assign(value)
        for _, variable in pairs:
            variable.assign(variable.raw + changes[self._index[variable]])
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable.raw))

    def get_config(self) -> dict:
        raise NotImplementedError(
            "An Optax transformation has no configuration: models compiled with it are saved without their optimizer."
        )


class _Transformation:
    """An `Optimizer` with the two functions that Optax' transformations have."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def init(self, params):
        self.optimizer.build([core.Variable(p) for p in params])
        return [v.stored for v in self.optimizer.variables]

    def update(self, gradients, state, params):
        values, state = self.optimizer.stateless_apply(state, gradients, params)
        return [new - old for new, old in zip(values, params)], state


class TFOptimizer(OptaxOptimizer):
    """The class in which Keras 1 and 2 wrap TensorFlow's optimizers. Here it wraps an optimizer or a transformation.

    As in Keras, it has no configuration, and its state cannot be read.

    Args:
        optimizer: An `Optimizer`, such as ``tf.train.AdamOptimizer()`` without TensorFlow, or an Optax transformation.
        **kwargs: Arguments of `Optimizer`.

    >>> import types
    >>> halve = types.SimpleNamespace(
    ...     init=lambda params: (), update=lambda gradients, state, params: ([-0.5 * g for g in gradients], state))
    >>> type(TFOptimizer(halve).optimizer).__name__
    'SimpleNamespace'
    """

    def __init__(self, optimizer: Any, **kwargs):
        super().__init__(_Transformation(optimizer) if isinstance(optimizer, Optimizer) else optimizer, **kwargs)

    @property
    def weights(self) -> list:
        raise NotImplementedError("TFOptimizer: the state of the optimizer that it wraps cannot be read.")

    @classmethod
    def from_config(cls, config: dict) -> "TFOptimizer":
        raise NotImplementedError("TFOptimizer: an optimizer that was wrapped has no configuration.")
