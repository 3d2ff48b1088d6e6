"""The state of an optimizer: its rate, its count of updates, and what it keeps for each variable that it trains."""

import jax
import numpy as np

from .. import core, initializers
from ..core.errors import InputDataError
from . import schedules


class OptimizerState(core.Configurable):
    """Base of `Optimizer`: makes, lists, saves and restores the variables of its state."""

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
        if rate is None or isinstance(rate, str) or np.ndim(rate) != 0:
            raise InputDataError(
                f"{type(self).__name__}: learning_rate: expected a number, a schedule or a function without arguments. "
                f"Received: learning_rate={rate!r}"
            )
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
    def step_count(self):
        """The variable that counts all steps, also those that only accumulate gradients."""
        return self._iterations

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
    def slots_by_variable(self):
        """What is kept for each variable that is trained, by name: a list of dictionaries."""
        return list(self._slots) if self.built else []

    @property
    def slot_names(self):
        """The names of what is kept for each variable, in order."""
        return list(dict.fromkeys(name for slots in self.slots_by_variable for name in slots))

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

    def add_variable(self, shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None):
        """A variable of the optimizer's state."""
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
        variable.spread_like(reference)
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

    def assign(self, variable, value):
        variable.assign(value)

    def assign_add(self, variable, value):
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        variable.assign_sub(value)

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """New values of the trained variables and of the optimizer's, given the old ones; nothing changes."""
        own = self.variables
        values = (*trainable_variables, *optimizer_variables)
        with core.Scope(zip((*self._trained, *own), values)) as scope:
            self.apply(grads, self._trained)
            return [scope.read(v) for v in self._trained], [scope.read(v) for v in own]
