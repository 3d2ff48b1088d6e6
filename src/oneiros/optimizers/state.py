"""The state of an optimizer: its learning rate, its count of updates, and the slots of each variable."""

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

from .. import core, initializers
from ..core.errors import InputDataError
from . import schedules, updates


class OptimizerState(core.Configurable):
    """Base class of `Optimizer`. It makes, lists, saves and restores the variables of the optimizer's state."""

    outer_state = ()  # what a wrapper keeps itself: files of Keras 3 have it before the state of the optimizer inside
    inner_optimizer = None
    slots_in_files = ()  # the slots that files of Keras 3 have for every variable; the last has the variable's shape

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
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or with a schedule or a function its current value."""
        step = self._iterations.raw
        return self._rate_of_step(step - (step > 0) if core.behaviour.scheduled_rate_stays else step)

    def _rate_of_step(self, step):
        rate = self._learning_rate
        if isinstance(rate, core.Variable) or not callable(rate):
            return rate
        return rate(step) if isinstance(rate, schedules.LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
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
    def iterations(self) -> Any:
        """The number of updates so far, a variable."""
        if self.gradient_accumulation_steps:
            return self._iterations.raw // self.gradient_accumulation_steps
        return self._iterations

    @iterations.setter
    def iterations(self, variable: core.Variable) -> None:
        self._iterations = variable

    @property
    def step_count(self) -> core.Variable:
        """The variable that counts all steps, including those that only accumulate gradients."""
        return self._iterations

    @property
    def variables(self) -> list[core.Variable]:
        """The whole state: iterations, learning rate, and the slots of one variable after the other."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, core.Variable) else []
        return list(dict.fromkeys([self._iterations, *rate, *self._variables]))

    @property
    def weights(self) -> list[core.Variable]:
        return self.variables

    @weights.setter
    def weights(self, variables: Iterable[core.Variable]) -> None:  # as optimizers for Keras 1 and 2 do
        self._variables = [v for v in variables if v is not self._iterations]

    @property
    def slots_by_variable(self) -> list[dict[str, core.Variable]]:
        """The slots of each variable that is trained: a list of dictionaries from names to variables."""
        return list(self._slots) if self.built else []

    @property
    def slot_names(self) -> list[str]:
        """The names of the slots, in order."""
        return list(dict.fromkeys(name for slots in self.slots_by_variable for name in slots))

    def get_weights(self) -> list[np.ndarray]:
        """The state as NumPy arrays."""
        return [np.array(v.raw) for v in self.weights]

    def set_weights(self, weights: Sequence) -> None:
        """Sets the state from arrays in the order of `get_weights`.

        Raises:
            InputDataError: If their number or shapes differ from those of the state.
        """
        variables = self.weights
        shapes = [v.shape for v in variables], [np.shape(w) for w in weights]
        if shapes[0] != shapes[1]:
            raise InputDataError(
                f"Optimizer {self.name}: expected {len(shapes[0])} arrays of shapes {shapes[0]}. Received: "
                f"{len(shapes[1])} of shapes {shapes[1]}. Build the optimizer for the same variables first."
            )
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def save_own_variables(self, store: dict) -> None:
        """Puts the state into a dictionary of arrays."""
        store.update((str(i), np.asarray(v.raw)) for i, v in enumerate(self.variables))

    def load_own_variables(self, store: dict) -> None:
        """Sets the state from a dictionary of arrays."""
        self.set_weights([store[str(i)] for i in range(len(store))])

    def _new_average(self, variable):
        """The variable of a moving average; `None` for a variable that is overwritten."""
        if updates.is_overwritten(variable):
            return None
        return self.add_variable_from_reference(variable, "average", np.asarray(variable.stored))

    def _new_slots(self, variable, initial):
        """The slots of a variable, by name; none for a variable that is overwritten."""
        values = {} if updates.is_overwritten(variable) else initial(variable)
        return {name: self.add_variable_from_reference(variable, name, value) for name, value in values.items()}

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> core.Variable:
        """Adds a variable to the optimizer's state.

        Args:
            shape: Shape of the variable.
            initializer: A number, an array, or an initializer.
            dtype: Type; `floatx()` by default.
            aggregation: Accepted; it has no effect.
            layout: Accepted; it has no effect.
            name: Name of the variable.
        """
        if not isinstance(initializer, (int, float, np.ndarray)):
            with jax.ensure_compile_time_eval():
                initializer = initializers.get(initializer)(tuple(shape), dtype or core.floatx())
        value = np.broadcast_to(np.asarray(initializer), tuple(shape))
        variable = self._state(value, name or "variable", dtype)
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any = None, name: str | None = None, initializer: Any = 0.0, **kwargs
    ) -> core.Variable:
        """Adds a variable with the shape, type and devices of another one.

        Args:
            reference_variable: The other variable.
            name: Name; the path of the other variable is put before it.
            initializer: A number, an array, or an initializer.
            **kwargs: The arguments of tf.keras: `model_variable`, `variable_name`, `shape` and `initial_value`.
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

    def add_optimizer_variables(
        self, trainable_variables: Iterable[core.Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Adds one slot for each of several variables.

        Args:
            trainable_variables: The variables.
            name: Name of the slot, or a list of names for several slots.
            initializer: Initial value, or a list with one for each name.

        Returns:
            A list of variables; with a list of names, a tuple with such a list for each name.
        """
        several = isinstance(name, (list, tuple))
        names = list(name) if several else [name]
        kinds = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made = [[self.add_variable_from_reference(v, n, k) for n, k in zip(names, kinds)] for v in trainable_variables]
        lists = tuple(map(list, zip(*made)))
        return lists if several else lists[0]

    def _get_variable_index(self, variable):
        return self._index[variable]

    def assign(self, variable: core.Variable, value: Any) -> None:
        """Sets a variable."""
        variable.assign(value)

    def assign_add(self, variable: core.Variable, value: Any) -> None:
        """Adds a value to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: core.Variable, value: Any) -> None:
        """Subtracts a value from a variable."""
        variable.assign_sub(value)

    def stateless_apply(
        self, optimizer_variables: Sequence, grads: Sequence, trainable_variables: Sequence
    ) -> tuple[list, list]:
        """The values after an update, given those before it. Neither variables nor optimizer change.

        Args:
            optimizer_variables: Values of the optimizer's `variables`.
            grads: Gradients.
            trainable_variables: Values of the variables that are trained.

        Returns:
            The new values of the trained variables, and those of the optimizer's.
        """
        own = self.variables
        values = (*trainable_variables, *optimizer_variables)
        with core.Scope(zip((*self._trained, *own), values)) as scope:
            self.apply(grads, self._trained)
            return [scope.read(v) for v in self._trained], [scope.read(v) for v in own]
