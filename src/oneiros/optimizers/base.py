"""What all optimizers share: learning rate, slots, clipping, weight decay, averaging, accumulation, constraints."""

import inspect
import re
import typing
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from .. import core
from ..core.config import behaviour
from ..core.errors import InputDataError
from ..core.fields import ANY, field, inherited_fields
from ..core.names import to_snake_case, unique_name
from ..core.registry import serialize_value
from . import schedules, updates
from .conditional import when
from .state import OptimizerState


def _bound(name, value):
    if value is not None and not value >= 0:
        raise InputDataError(f"{name} must be at least 0. Received: {name}={value!r}")
    return value


def _several(name, value):
    if value is not None and value < 2:
        raise InputDataError(f"{name} must be at least 2 or None. Received: {value!r}")
    return value


Slots: typing.TypeAlias = dict[str, Array]  # what is kept for one variable, by name


class Optimizer(OptimizerState):
    """Base class of optimizers. A subclass defines the slots that it keeps for each variable, and one update.

    Alternatively it defines ``update_step(gradient, variable, learning_rate)`` (Keras 3, tf.keras) or
    ``get_updates(loss, params)`` (Keras 1 and 2).

    >>> class Momentum(Optimizer):
    ...     def slots(self, variable):
    ...         return {"momentum": 0.0}
    ...     def update(self, gradient, value, slots, rate, step):
    ...         momentum = 0.9 * slots["momentum"] - rate * gradient
    ...         return value + momentum, {"momentum": momentum}
    >>> w = core.Variable([1.0])
    >>> Momentum(0.5).apply([jnp.array([1.0])], [w]); w.numpy().tolist()
    [0.5]
    """

    kind = "optimizer"

    ignored_arguments = dict.fromkeys(
        ("jit_compile", "is_legacy_optimizer", "gradient_aggregator", "gradient_transformers"), ANY
    )

    _learning_rate: typing.Any = field(
        default=0.001,
        alias="learning_rate",
        doc="Learning rate: a number, a schedule, or a function without arguments.",
    )
    weight_decay: float = field(
        default=None,
        last=True,
        doc="If given, each update shrinks weights by the share `weight_decay * learning_rate`.",
    )
    clipnorm: float = field(_bound, default=None, last=True, doc="Upper bound of the norm of each gradient.")
    clipvalue: float = field(
        _bound, default=None, last=True, doc="Upper bound of the absolute values in the gradients."
    )
    global_clipnorm: float = field(
        _bound, default=None, last=True, doc="Upper bound of the norm of all gradients together."
    )
    use_ema: bool = field(default=False, last=True, doc="Whether to keep an exponential moving average of the weights.")
    ema_momentum: float = field(default=0.99, last=True, doc="Decay of the moving average of the weights.")
    ema_overwrite_frequency: int = field(
        default=None,
        last=True,
        doc="Number of steps after which the average replaces the weights. `None`: only at the end of training.",
    )
    loss_scale_factor: float = field(
        default=None, last=True, doc="If given, the loss is multiplied by it and the gradients are divided by it."
    )
    gradient_accumulation_steps: int = field(
        _several, default=None, last=True, doc="If given, number of steps whose mean gradient makes one update."
    )
    name: str = field(default=None, last=True, doc="Name of the optimizer. Made from the class's name by default.")
    initial_decay: float = field(
        default=0.0,
        kw_only=True,
        alias="decay",
        doc="Decay of Keras 2: the learning rate is divided by `1 + decay * iterations`.",
    )

    def __post_init__(self):
        super().__post_init__()
        rate = self._learning_rate
        if isinstance(rate, str) and type(self).update is Optimizer.update:  # a user's own, as in tf.keras: name first
            rate, self.name = 0.001, rate
        bounds = (self.clipnorm, self.clipvalue, self.global_clipnorm)
        if sum(bound is not None for bound in bounds) > 1 and formulas_of_keras_3():
            raise ValueError(f"{type(self).__name__}: only one of clipnorm, clipvalue and global_clipnorm can be set.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}: ema_momentum must be from 0 to 1. Received: {self.ema_momentum!r}"
            )
        self.name = self.name or unique_name(to_snake_case(type(self).__name__))
        self.built = False
        self._variables = []  # all but the iterations and the rate
        self._index = {}
        self._trained, self._slots, self._accumulators, self._model_variables_moving_average = [], [], [], []
        self._own_updates = {}
        self._excluded = ([], [])
        self._iterations = self._state(0, "iteration", "int32")
        self._learning_rate = self._build_learning_rate(rate)
        self.decay = self._state(self.initial_decay, "decay") if self.initial_decay else 0.0

    def build(self, variables: Iterable[core.Variable]) -> None:
        """Makes the slots for these variables. The first `apply` does it otherwise.

        Before Keras 3 it makes those of further variables when it is called again: models could share an optimizer.
        """
        more = not self.built or behaviour.optimizers_are_shared
        variables = list(variables)
        if more and self._has_own_updates():
            self._updates_for(variables)
        new = [v for v in variables if v not in self._index] if more else []
        if self.built and not new:
            return
        self._trained += new
        self._index = {v: i for i, v in enumerate(self._trained)}
        if self.use_ema:
            self._model_variables_moving_average += [self._new_average(v) for v in new]
        if self.gradient_accumulation_steps:
            self._accumulators += [self.add_variable_from_reference(v, "gradient_accumulator") for v in new]
        self._slots += [self._new_slots(v, self.slots) for v in new]
        self.built = True

    # --- the update

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        """The state to keep for a variable.

        Args:
            variable: A variable that is trained.

        Returns:
            A dictionary from names to initial values: numbers, for arrays of the variable's shape, or arrays.
        """
        return {}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        """Computes the new value of a variable. Subclasses define it. Nothing is assigned.

        Args:
            gradient: Gradient of the loss.
            value: Value of the variable, of the same shape.
            slots: Values of the slots.
            rate: Learning rate, a scalar.
            step: Number of this update, a scalar float from 1.

        Returns:
            The new value, and a dictionary of the new values of the slots.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update(gradient, value, slots, rate, step).")

    def begin(self, step: Array, rate: Array) -> None:
        """Called once before the updates of a step, for state that all variables share."""

    def update_step(self, gradient: Array, variable: core.Variable, learning_rate: Array) -> None:
        """Updates one variable and its slots."""
        slots = self._slots[self._index[variable]]
        values = {name: slot.raw for name, slot in slots.items()}
        step = self._step()
        value, new = self.update(gradient.astype(variable.dtype), variable.raw, values, learning_rate, step)
        variable.assign(value)
        for name, slot in new.items():
            slots[name].assign(slot)

    def apply(self, grads: Iterable[Array | None], trainable_variables: Iterable[core.Variable] | None = None) -> None:
        """Updates variables, eagerly or in compiled code.

        Args:
            grads: Gradients, one for each variable. The variable of a gradient `None` is not changed.
            trainable_variables: The variables; by default those of `build`, in the same order.

        Raises:
            ValueError: If the numbers differ, if all gradients are `None`, or if a variable was not there in `build`.
        """
        gradients = list(grads)
        variables = self._trained if trainable_variables is None else list(trainable_variables)
        if len(gradients) != len(variables):
            raise ValueError(f"apply: received {len(gradients)} gradients for {len(variables)} variables.")
        if not self.built or behaviour.optimizers_are_shared and any(v not in self._index for v in variables):
            self.build(variables)
        for variable in variables:
            if variable not in self._index:
                raise ValueError(
                    f"Unknown variable {variable.path}: optimizer {self.name} was built for others. Use a new one "
                    "for each set of variables, or call build() with all of them first."
                )
        pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        if len(pairs) < len(variables):
            missing = [v.path for g, v in zip(gradients, variables) if g is None]
            warnings.warn(f"Gradients do not exist for variables {missing} when minimizing the loss.")
        pairs = updates.overwrite(pairs, self._accumulators and self._kept_for, self._is_last())
        if self.loss_scale_factor:
            pairs = [(g / self.loss_scale_factor, v) for g, v in pairs]
        if self._has_own_updates():
            self._updates_for(variables).apply(pairs)
            return
        if self.gradient_accumulation_steps:
            self._accumulate(pairs)
        elif pairs:
            self._update(pairs)
        self._iterations.assign_add(1)

    def _accumulate(self, pairs):
        steps = self.gradient_accumulation_steps
        sums = [self._kept_for(v) for _, v in pairs]
        for total, (gradient, _) in zip(sums, pairs):
            total.assign_add(gradient)

        def update():
            self._update([(total.raw / steps, v) for total, (_, v) in zip(sums, pairs)])
            for total in sums:
                total.assign(jnp.zeros_like(total.raw))

        when(self._is_last(), update)

    def _kept_for(self, variable):
        return self._accumulators[self._index[variable]]

    def _is_last(self):
        return (self._iterations.raw + 1) % (self.gradient_accumulation_steps or 1) == 0

    def _step(self):
        iterations = self.iterations
        iterations = iterations.raw if isinstance(iterations, core.Variable) else iterations
        return (iterations + 1).astype(jnp.promote_types(core.floatx(), "float32"))

    def _rate(self):
        rate = self._rate_of_step(self._iterations.raw)
        rate = rate.raw if isinstance(rate, core.Variable) else jnp.asarray(rate, core.floatx())
        if self.initial_decay:
            rate = rate / (1 + self.decay * self._iterations.raw)
        return rate

    def _update(self, pairs):
        gradients, variables = zip(*pairs)
        gradients = self._clip([core.to_array(g) for g in gradients])
        rate = self._rate()
        self.begin(self._step(), rate)
        for variable in variables:
            decay = self._decay_of(variable)
            if decay:
                variable.assign(variable.raw * (1 - decay * rate))
        takes_rate = self._update_step_takes_rate()
        for gradient, variable in zip(gradients, variables):
            self.update_step(gradient, variable, *((rate,) if takes_rate else ()))
        if self.use_ema:
            averages = [(v, self._model_variables_moving_average[self._index[v]]) for v in variables]
            updates.average(self, averages, self._step())
        for variable in variables:
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable.raw))

    def _update_step_takes_rate(self):
        return inspect.unwrap(type(self).update_step).__code__.co_argcount > 3

    def _decay_of(self, variable):
        if self.weight_decay is None or not self._uses_weight_decay(variable):
            return None
        return self.weight_decay

    def _uses_weight_decay(self, variable):
        variables, names = self._excluded
        return variable not in variables and not any(re.search(name, variable.path) for name in names)

    def exclude_from_weight_decay(
        self, var_list: Iterable | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Excludes variables from weight decay.

        Args:
            var_list: Variables.
            var_names: Regular expressions that are searched in the paths of variables.
        """
        self._excluded = (list(var_list or ()), list(var_names or ()))

    def _clip(self, gradients):
        if self.global_clipnorm is not None or (self.clipnorm is not None and not formulas_of_keras_3()):
            bound = self.clipnorm if self.global_clipnorm is None else self.global_clipnorm  # Keras 1, 2: of all
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients))
            gradients = [g * (bound / jnp.maximum(norm, bound)) for g in gradients]
        elif self.clipnorm is not None:
            norms = [jnp.sqrt(jnp.sum(jnp.square(g))) for g in gradients]
            gradients = [g * (self.clipnorm / jnp.maximum(n, self.clipnorm)) for g, n in zip(gradients, norms)]
        if self.clipvalue is not None:
            gradients = [jnp.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        return gradients

    def finalize_variable_values(self, var_list: Iterable[core.Variable]) -> None:
        """Called at the end of training. With `use_ema` it puts the averages into the variables."""
        if self.use_ema:
            for variable in var_list:
                if not updates.is_overwritten(variable):
                    variable.assign(self._model_variables_moving_average[self._index[variable]].raw)

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple],
        name: str | None = None,
        skip_gradients_aggregation: bool = False,
        **kwargs,
    ) -> core.Variable:
        """`apply` for pairs of a gradient and a variable. Other arguments are those of tf.keras and have no effect."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def minimize(self, loss: Callable, var_list: Sequence[core.Variable], tape: Any = None) -> None:
        """One step that lowers a function of the variables.

        Args:
            loss: Function without arguments that returns a scalar.
            var_list: The variables to update.
            tape: Accepted; it has no effect.
        """
        _, gradients = core.value_and_grad(lambda: self.scale_loss(loss()), var_list)()
        self.apply(gradients, var_list)

    @property
    def averages(self) -> list[tuple[core.Variable, core.Variable]]:
        """The trained variables with the moving averages that `use_ema` keeps of them; none without it."""
        pairs = zip(self._trained, self._model_variables_moving_average)
        return [(variable, average) for variable, average in pairs if average is not None]

    def scale_loss(self, loss: Any) -> Any:
        """The loss of which gradients are to be computed: multiplied by `loss_scale_factor`, if there is one."""
        return loss * self.loss_scale_factor if self.loss_scale_factor else loss

    # --- Keras 1 and 2: updates as data

    updates = ()  # what `get_updates` returned last

    def _has_own_updates(self):
        return type(self).get_updates is not Optimizer.get_updates

    def _updates_for(self, variables):
        """The run of the user's `get_updates` for these variables: each model that shares the optimizer has its own."""
        key = tuple(variables)
        if key not in self._own_updates:
            self._own_updates[key] = updates.OwnUpdates(self, key)
        return self._own_updates[key]

    def get_gradients(self, loss: Any, params: Iterable[core.Variable]) -> list:
        """The clipped gradients of a symbolic loss with respect to variables."""
        return self._clip(updates.gradients_of(loss, params))

    def get_updates(self, *args: Any, **kwargs: Any) -> list[tuple]:
        """The updates for a symbolic loss, as in Keras 1 and 2: pairs of a variable and its next value.

        Args:
            *args: the symbolic loss and the list of variables; or, as in Keras 1, the list of variables, constraints by
                variable (or nothing), and the loss.
            **kwargs: the same under the names `loss`, `params` and `constraints`.
        """
        order = ("loss", "params")
        if args and isinstance(args[0], (list, tuple)):
            order = (
                ("params", "loss") if len(args) == 2 and core.is_symbol(args[1]) else ("params", "constraints", "loss")
            )
        given = dict(zip(order, args)) | kwargs
        self.updates = updates.updates_of(self, given["loss"], given["params"])
        return list(self.updates)

    # --- configuration

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with the current learning rate."""
        fields = inherited_fields(type(self))
        config = {name: serialize_value(getattr(self, f.attribute)) for name, f in fields.items()}
        rate = self._learning_rate
        config["learning_rate"] = float(rate) if isinstance(rate, core.Variable) else serialize_value(rate)
        if not self.initial_decay:
            del config["decay"]
        else:
            config["decay"] = float(self.decay)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Optimizer":
        if isinstance(config.get("learning_rate"), dict):
            config = {**config, "learning_rate": schedules.deserialize(config["learning_rate"], custom_objects)}
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def formulas_of_keras_3() -> bool:
    """Whether the formulas are those of Keras 3 and today's tf.keras, instead of those of Keras 1 and 2."""
    return behaviour.optimizer_formulas == "keras3"
