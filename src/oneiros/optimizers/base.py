"""What all optimizers share: the rate, slots, clipping, weight decay, averages, accumulation, constraints."""

import inspect
import re
import typing
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from .. import core
from ..core.config import behaviour
from ..core.errors import InputDataError
from ..core.fields import ANY, field, fields_of
from ..core.names import to_snake_case, unique_name
from ..core.registry import serialize_value
from . import schedules


def when(condition, fn):
    """Runs `fn`, and keeps what it writes into variables only if `condition` (a scalar) is true."""
    if not isinstance(condition, jax.core.Tracer):
        return fn() if condition else None
    with core.Scope() as scope:  # a dry run that finds what is written
        jax.eval_shape(lambda: fn())
    written = list(scope.written)

    def run(values):
        with core.Scope(zip(written, values)) as scope:
            fn()
            return [scope.values[v] for v in written]

    values = jax.lax.cond(condition, run, lambda values: values, [v.raw for v in written])
    for variable, value in zip(written, values):
        variable.assign(value)
    return None


def _bound(name, value):
    if value is not None and not value >= 0:
        raise InputDataError(f"{name} must be at least 0. Received: {name}={value!r}")
    return value


def _several(name, value):
    if value is not None and value < 2:
        raise InputDataError(f"{name} must be at least 2 or None. Received: {value!r}")
    return value


class Optimizer(core.Configurable):
    """Base of optimizers. A subclass defines the slots that it keeps for each variable, and one update:

    >>> class Momentum(Optimizer):
    ...     def slots(self, variable):
    ...         return {"momentum": 0.0}
    ...     def update(self, gradient, value, slots, rate, step):
    ...         momentum = 0.9 * slots["momentum"] - rate * gradient
    ...         return value + momentum, {"momentum": momentum}
    >>> w = core.Variable([1.0])
    >>> Momentum(0.5).apply([jnp.array([1.0])], [w]); w.numpy().tolist()
    [0.5]

    ``update_step(gradient, variable, learning_rate)`` (Keras 3, tf.keras) or ``get_updates(loss, params)`` (Keras 1
    and 2) may be defined instead.
    """

    kind = "optimizer"

    _inert = dict.fromkeys(("jit_compile", "is_legacy_optimizer", "gradient_aggregator", "gradient_transformers"), ANY)

    _learning_rate: typing.Any = field(
        default=0.001,
        alias="learning_rate",
        doc="Learning rate: a number, a schedule, or a function without arguments.",
    )
    weight_decay: float = field(
        default=None, last=True, doc="If given, each update takes `weight_decay * learning_rate` of the weights away."
    )
    clipnorm: float = field(_bound, default=None, last=True, doc="Upper bound of the norm of each gradient.")
    clipvalue: float = field(
        _bound, default=None, last=True, doc="Upper bound of the absolute values in the gradients."
    )
    global_clipnorm: float = field(
        _bound, default=None, last=True, doc="Upper bound of the norm of all gradients together."
    )
    use_ema: bool = field(default=False, last=True, doc="Whether to keep an exponential moving average of the weights.")
    ema_momentum: float = field(default=0.99, last=True, doc="Share of the average that is kept in each step.")
    ema_overwrite_frequency: int = field(
        default=None,
        last=True,
        doc="Number of steps after which the average replaces the weights. `None`: at the end of training.",
    )
    loss_scale_factor: float = field(
        default=None, last=True, doc="If given, the loss is multiplied by it and the gradients are divided by it."
    )
    gradient_accumulation_steps: int = field(
        _several, default=None, last=True, doc="If given, one update in so many steps, by the mean of their gradients."
    )
    name: str = field(default=None, last=True, doc="Name of the optimizer. Made from the class's name by default.")
    initial_decay: float = field(
        default=0.0,
        keyword_only=True,
        alias="decay",
        doc="Keras 2's decay: the rate falls as `1 / (1 + decay * iterations)`.",
    )

    def __post_init__(self):
        super().__post_init__()
        rate = self._learning_rate
        if isinstance(rate, str):  # tf.keras has the name first
            rate, self.name = 0.001, rate
        bounds = (self.clipnorm, self.clipvalue, self.global_clipnorm)
        if sum(bound is not None for bound in bounds) > 1 and _native():
            raise ValueError(f"{type(self).__name__}: only one of clipnorm, clipvalue and global_clipnorm can be set.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}: ema_momentum must be from 0 to 1. Received: {self.ema_momentum!r}"
            )
        self.name = self.name or unique_name(to_snake_case(type(self).__name__))
        self.built = False
        self._variables = []  # all but the iterations and the rate
        self._index = {}
        self._excluded = ([], [])
        self._iterations = self._state(0, "iteration", "int32")
        self._learning_rate = self._build_learning_rate(rate)
        self.decay = self._state(self.initial_decay, "decay") if self.initial_decay else 0.0

    # --- state

    def _state(self, value, name, dtype=None):
        variable = core.Variable(np.asarray(value, dtype or core.floatx()), trainable=False, name=name)
        variable.path = f"{self.name}/{name}"
        return variable

    def _build_learning_rate(self, rate):
        if callable(rate) and not hasattr(rate, "shape"):
            return rate
        if isinstance(rate, dict):
            return schedules.deserialize(rate)
        if isinstance(rate, core.Variable):
            return rate
        if not isinstance(rate, (int, float)) and np.ndim(rate) != 0:
            raise ValueError(f"{type(self).__name__}: learning_rate must be a number, a schedule or a function.")
        return self._state(rate, "learning_rate")

    @property
    def learning_rate(self):
        """The variable that holds the rate; with a schedule or a function, the rate that holds now."""
        rate = self._learning_rate
        if isinstance(rate, core.Variable) or not callable(rate):
            return rate
        return rate(self._iterations.raw) if isinstance(rate, schedules.LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, rate):
        new = isinstance(rate, core.Variable) or (callable(rate) and not hasattr(rate, "shape"))
        if new:
            self._learning_rate = rate
        elif isinstance(self._learning_rate, core.Variable):
            self._learning_rate.assign(rate)
        else:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate`, hence its "
                "learning rate is not settable. To set it while training, create the optimizer with a number."
            )

    lr = learning_rate

    @property
    def iterations(self):
        """How many updates there were, a variable."""
        if self.gradient_accumulation_steps:
            return self._iterations.raw // self.gradient_accumulation_steps
        return self._iterations

    @iterations.setter
    def iterations(self, variable):
        self._iterations = variable

    @property
    def variables(self):
        """The whole state: iterations, learning rate, averages, slots of each variable in turn."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, core.Variable) else []
        return list(dict.fromkeys([self._iterations, *rate, *self._variables]))

    @property
    def weights(self):
        return self.variables

    @weights.setter
    def weights(self, variables):  # as optimizers for Keras 1 and 2 do
        self._variables = [v for v in variables if v is not self._iterations]

    @property
    def slot_names(self):
        """The names of what is kept for each variable, in order."""
        return list(dict.fromkeys(name for slots in self._slots for name in slots)) if self.built else []

    def get_weights(self):
        return [np.asarray(v.raw) for v in self.weights]

    def set_weights(self, weights):
        """Sets the state from arrays in the order of `get_weights`."""
        variables = self.weights
        shapes = [v.shape for v in variables], [np.shape(w) for w in weights]
        if shapes[0] != shapes[1]:
            raise InputDataError(
                f"Optimizer {self.name}: expected {len(shapes[0])} arrays of shapes {shapes[0]}. Received: "
                f"{len(shapes[1])} of shapes {shapes[1]}. Build the optimizer for the same variables first."
            )
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def save_own_variables(self, store):
        store.update((str(i), np.asarray(v.raw)) for i, v in enumerate(self.variables))

    def load_own_variables(self, store):
        self.set_weights([store[str(i)] for i in range(len(store))])

    def build(self, variables):
        """Makes the slots for these variables; done by the first `apply` otherwise."""
        if self.built:
            return
        self.built = True
        self._trained = list(variables)
        self._index = {v: i for i, v in enumerate(self._trained)}
        if self.use_ema:
            self._model_variables_moving_average = [
                self.add_variable_from_reference(v, "average", np.asarray(v._value)) for v in self._trained
            ]
        if self.gradient_accumulation_steps:
            self._accumulators = [self.add_variable_from_reference(v, "gradient_accumulator") for v in self._trained]
        self._slots = [
            {name: self.add_variable_from_reference(v, name, initial) for name, initial in self.slots(v).items()}
            for v in self._trained
        ]
        if self._has_own_updates():
            from .updates import record

            record(self)

    def add_variable(self, shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None):
        """A variable of the optimizer's state."""
        from .. import initializers

        if not isinstance(initializer, (int, float, np.ndarray)):
            with jax.ensure_compile_time_eval():
                initializer = initializers.get(initializer)(tuple(shape), dtype or core.floatx())
        value = np.broadcast_to(np.asarray(initializer), tuple(shape))
        variable = self._state(value, name or "variable", dtype)
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(self, reference_variable=None, name=None, initializer=0.0, **kwargs):
        """A variable of the shape, type and place of another one. initializer: a number, an array, a name.

        Also takes tf.keras' arguments model_variable, variable_name, shape and initial_value.
        """
        reference = kwargs.get("model_variable", reference_variable)
        name = kwargs.get("variable_name", name)
        if kwargs.get("initial_value") is not None:
            initializer = np.asarray(kwargs["initial_value"])
        shape = kwargs.get("shape") or (initializer.shape if isinstance(initializer, np.ndarray) else reference.shape)
        name = f"{reference.path.replace('/', '_').replace(':0', '')}_{name or 'slot'}"
        variable = self.add_variable(shape, initializer, reference.dtype, name=name)
        sharding = getattr(reference._value, "sharding", None)
        if shape == reference.shape and sharding is not None and sharding.num_devices > 1:
            variable._value = jax.device_put(variable._value, sharding)
        return variable

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """One variable for each of these (or, with several names, a list of such lists)."""
        several = isinstance(name, (list, tuple))
        names = list(name) if several else [name]
        kinds = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made = [[self.add_variable_from_reference(v, n, k) for n, k in zip(names, kinds)] for v in trainable_variables]
        lists = tuple(map(list, zip(*made)))
        return lists if several else lists[0]

    def _get_variable_index(self, variable):
        return self._index[variable]

    # --- the update

    def slots(self, variable):
        """What is kept for a variable: names and initial values, numbers (for its shape) or arrays."""
        return {}

    def update(self, gradient, value, slots, rate, step):
        """The new value of a variable and of its slots. step counts from 1; all are arrays, nothing is assigned."""
        raise NotImplementedError(f"{type(self).__name__} must define update(gradient, value, slots, rate, step).")

    def begin(self, step, rate):
        """Called once before the updates of a step, for state that all variables share."""

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable and its slots."""
        slots = self._slots[self._index[variable]]
        values = {name: slot.raw for name, slot in slots.items()}
        step = self._step()
        value, new = self.update(gradient.astype(variable.dtype), variable.raw, values, learning_rate, step)
        variable.assign(value)
        for name, slot in new.items():
            slots[name].assign(slot)

    def assign(self, variable, value):
        variable.assign(value)

    def assign_add(self, variable, value):
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        variable.assign_sub(value)

    def apply(self, gradients, variables=None):
        """Updates variables by gradients, in the order given (by default that of `build`); ``None`` leaves one as is.

        Pure array mathematics on variables: it works eagerly and in compiled code.
        """
        gradients = list(gradients)
        variables = self._trained if variables is None else list(variables)
        if len(gradients) != len(variables):
            raise ValueError(f"apply: received {len(gradients)} gradients for {len(variables)} variables.")
        if not self.built:
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
        if self.loss_scale_factor:
            pairs = [(g / self.loss_scale_factor, v) for g, v in pairs]
        if self._has_own_updates():
            from .updates import replay

            replay(self, pairs)
            return
        if self.gradient_accumulation_steps:
            self._accumulate(pairs)
        else:
            self._update(pairs)
        self._iterations.assign_add(1)

    def _accumulate(self, pairs):
        steps = self.gradient_accumulation_steps
        sums = [self._accumulators[self._index[v]] for _, v in pairs]
        for total, (gradient, _) in zip(sums, pairs):
            total.assign_add(gradient)

        def update():
            self._update([(total.raw / steps, v) for total, (_, v) in zip(sums, pairs)])
            for total in sums:
                total.assign(jnp.zeros_like(total.raw))

        when((self._iterations.raw + 1) % steps == 0, update)

    def _step(self):
        iterations = self.iterations
        iterations = iterations.raw if isinstance(iterations, core.Variable) else iterations
        return (iterations + 1).astype(jnp.promote_types(core.floatx(), "float32"))

    def _rate(self):
        rate = self.learning_rate
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
            self._average(variables)
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

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Variables (or patterns of their names) that weight decay leaves alone."""
        self._excluded = (list(var_list or ()), list(var_names or ()))

    def _clip(self, gradients):
        if self.global_clipnorm is not None or (self.clipnorm is not None and not _native()):
            bound = self.clipnorm if self.global_clipnorm is None else self.global_clipnorm  # Keras 1, 2: of all
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients))
            gradients = [g * (bound / jnp.maximum(norm, bound)) for g in gradients]
        elif self.clipnorm is not None:
            norms = [jnp.sqrt(jnp.sum(jnp.square(g))) for g in gradients]
            gradients = [g * (self.clipnorm / jnp.maximum(n, self.clipnorm)) for g, n in zip(gradients, norms)]
        if self.clipvalue is not None:
            gradients = [jnp.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        return gradients

    def _average(self, variables):
        step = self._step()
        momentum = jnp.where(step == 1, 0, self.ema_momentum)
        averages = [self._model_variables_moving_average[self._index[v]] for v in variables]
        for average, variable in zip(averages, variables):
            average.assign(momentum * average.raw + (1 - momentum) * variable.raw)
        if self.ema_overwrite_frequency:
            now = step % self.ema_overwrite_frequency == 0
            for average, variable in zip(averages, variables):
                variable.assign(jnp.where(now, average.raw, variable.raw))

    def finalize_variable_values(self, var_list):
        """At the end of training: with use_ema, puts the averages into the variables."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self._model_variables_moving_average[self._index[variable]].raw)

    def apply_gradients(self, grads_and_vars, name=None, skip_gradients_aggregation=False, **kwargs):
        """`apply` for pairs of gradients and variables."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def minimize(self, loss, var_list, tape=None):
        """One step down the function `loss` (without arguments) of the variables."""
        _, gradients = core.value_and_grad(lambda: self.scale_loss(loss()), var_list)()
        self.apply(gradients, var_list)

    def scale_loss(self, loss):
        """The loss as its gradients are to be taken of."""
        return loss * self.loss_scale_factor if self.loss_scale_factor else loss

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """New values of the trained variables and of the optimizer's, given the old ones; nothing changes."""
        own = self.variables
        values = (*trainable_variables, *optimizer_variables)
        with core.Scope(zip((*self._trained, *own), values)) as scope:
            self.apply(grads, self._trained)
            return [scope.read(v) for v in self._trained], [scope.read(v) for v in own]

    # --- Keras 1 and 2: updates as data

    def _has_own_updates(self):
        return type(self).get_updates is not Optimizer.get_updates

    def get_gradients(self, loss, params):
        """The gradients of a symbolic loss with respect to variables, clipped."""
        from .updates import gradients_of

        return self._clip(gradients_of(loss, params))

    def get_updates(self, loss=None, params=None, constraints=None):
        """Pairs of a variable and its next value, given a symbolic loss."""
        from .updates import updates_of

        if isinstance(loss, (list, tuple)):  # Keras 1 has the parameters first, the loss last
            loss, params = (params, loss) if constraints is None else (constraints, loss)
        return updates_of(self, loss, params)

    # --- configuration

    def get_config(self):
        """The constructor's arguments; the rate as it is now."""
        fields = fields_of(type(self)) or fields_of(Optimizer)
        config = {name: serialize_value(getattr(self, f.attribute)) for name, f in fields.items()}
        rate = self._learning_rate
        config["learning_rate"] = float(rate) if isinstance(rate, core.Variable) else serialize_value(rate)
        if not self.initial_decay:
            del config["decay"]
        else:
            config["decay"] = float(self.decay)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        if isinstance(config.get("learning_rate"), dict):
            config = {**config, "learning_rate": schedules.deserialize(config["learning_rate"], custom_objects)}
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def _native():
    """Whether the formulas are those of Keras 3 and today's tf.keras (not of Keras 1 and 2)."""
    return behaviour.optimizer_formulas == "keras3"
