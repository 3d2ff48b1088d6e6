"""Training as a pure function of all state, as Keras 3 has it on JAX: for loops that carry the state themselves."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import Array

from .. import losses
from ..core import Scope, Variable, behaviour
from ..core.context import current
from ..core.errors import InputDataError

# The parts of the state, by the names of `get_state_tree`. Each phase has some of them, in this order.
_GROUPS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")
_PARTS = {"train": (0, 1, 2, 3), "test": (0, 1, 3), "predict": (0, 1)}


def state_of(model: Any, phase: str) -> tuple[list[Variable], ...]:
    """The variables of a model, in the groups that its step of this phase carries.

    Args:
        model: the model.
        phase: ``"train"``, ``"test"`` or ``"predict"``.
    """
    trained = model.trainable_variables
    if phase == "train" and model.optimizer is not None:
        model.optimizer.build(trained)
    groups = (
        lambda: trained,
        lambda: model.non_trainable_variables,
        lambda: model.optimizer.variables if model.optimizer is not None else [],
        lambda: model.metrics_variables,
    )
    return tuple(list(groups[part]()) for part in _PARTS[phase])


def takes_state(step: Callable) -> bool:
    """Whether a step is written as ``step(state, data)``, and not as ``step(data)``.

    >>> takes_state(lambda state, data: ({}, state)), takes_state(lambda data: {})
    (True, False)
    """
    parameters = inspect.signature(step).parameters.values()
    needed = [p for p in parameters if p.default is p.empty]
    if needed and needed[0].kind is needed[0].VAR_POSITIONAL:  # handed on, as Keras 3 on JAX calls it
        return behaviour.steps_carry_state
    return len(needed) == 2 and all(p.kind is p.POSITIONAL_OR_KEYWORD for p in needed)


def with_state(phase: str) -> Callable:
    """Decorates a step of `Trainer`, so that it may also be called with the state and returns the new one then.

    Args:
        phase: ``"train"``, ``"test"`` or ``"predict"``.
    """

    def decorate(step):
        @functools.wraps(step)
        def run(model, *args, **kwargs):
            if len(args) + len(kwargs) < 2:
                return step(model, *args, **kwargs)
            state, data = inspect.signature(lambda state, data: None).bind(*args, **kwargs).args
            groups = state_of(model, phase)
            result, values = _run_on(groups, state, lambda: step(model, data), f"{step.__name__}(state, data)")
            return result, (values[1] if phase == "predict" else values)

        return run

    return decorate


def carried(model: Any, phase: str, step: Callable) -> Callable:
    """A user's ``step(state, data)`` as a function of data that reads and writes the model's variables.

    Args:
        model: the model.
        phase: ``"train"``, ``"test"`` or ``"predict"``.
        step: its method.
    """

    def run(data):
        groups = state_of(model, phase)
        result = step(tuple([v.raw for v in group] for group in groups), data)
        where = f"Model {model.name}: {step.__qualname__}(state, data)"
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise InputDataError(
                f"{where} must return two values, the result and the new state. Received: {type(result).__name__}. "
                "Without a state, write it as a method of (self, data)."
            )
        result, state = result
        changed = groups[1:2] if phase == "predict" else groups
        for variable, value in _pairs(changed, (state,) if phase == "predict" else state, f"{where} returned"):
            variable.assign(value)
        return result

    return run


def _run_on(groups, state, function, what):
    """What a function returns where variables have the values of a state, and the values that it leaves."""
    with Scope(_pairs(groups, state, f"{what}: received")) as scope:
        result = function()
        values = tuple([scope.read(v) for v in group] for group in groups)
    if current().scope is not None:  # what is not part of the state, such as a note of stray indices, is kept
        own = {v for group in groups for v in group}
        for variable in scope.written:
            if variable not in own:
                variable.assign(scope.values[variable])
    return result, values


def _pairs(groups, state, what):
    """Pairs of variables and values."""
    if not isinstance(state, (tuple, list)) or len(state) != len(groups):
        kind = f"{len(state)} entries" if isinstance(state, (tuple, list)) else type(state).__name__
        raise InputDataError(f"{what} a state of {kind}; expected a tuple of {len(groups)} lists of arrays.")
    for group, values in zip(groups, state):
        if len(group) != len(values):
            names = ", ".join(v.path for v in group[:8]) + (", ..." if len(group) > 8 else "")
            raise InputDataError(f"{what} {len(values)} value(s) where the model has {len(group)} variables: {names}.")
    return [(v, value) for group, values in zip(groups, state) for v, value in zip(group, values)]


class StatelessTraining:
    """The methods of models for training loops that carry the state themselves, under `jax.jit`, `grad` and the like.

    >>> import numpy as np
    >>> from oneiros import Input, Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> state = ([v.value for v in group] for group in state_of(model, "test"))
    >>> loss, _ = model.stateless_compute_loss(*state, x=np.zeros((4, 2)), y=np.ones((4, 1)), y_pred=np.zeros((4, 1)))
    >>> float(loss)
    1.0
    """

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def get_metrics_result(self) -> dict:
        """The results of all metrics, by name. A metric whose result is a dictionary gives its entries."""
        objectives = self.training_state.objectives
        results = objectives.results() if objectives is not None else {}
        for metric in self.metrics:
            if objectives is None or metric not in objectives.trackers:
                value = metric.result()
                results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence,
        non_trainable_variables: Sequence,
        metrics_variables: Sequence,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple:
        """`compute_loss` for given values of the variables; these themselves stay as they are.

        Args:
            trainable_variables: values of the model's `trainable_variables`.
            non_trainable_variables: values of its `non_trainable_variables`.
            metrics_variables: values of its `metrics_variables`.
            x: the inputs.
            y: the targets.
            y_pred: the outputs.
            sample_weight: the weights of the samples.
            training: whether this is a training step.

        Returns:
            The loss, and a tuple of the new values of the three groups.

        Raises:
            ValueError: if a group has another number of values than the model has variables.
        """
        return _run_on(
            state_of(self, "test"),
            (trainable_variables, non_trainable_variables, metrics_variables),
            lambda: self.loss_of(x, y, y_pred, sample_weight, training),
            "stateless_compute_loss",
        )

    def compute_loss_and_updates(
        self,
        trainable_variables: Sequence,
        non_trainable_variables: Sequence,
        metrics_variables: Sequence,
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Sequence | None = None,
    ) -> tuple:
        """Calls the model and computes the loss, for given values of the variables. This is what one differentiates.

        Args:
            trainable_variables: values of the model's `trainable_variables`.
            non_trainable_variables: values of its `non_trainable_variables`.
            metrics_variables: values of its `metrics_variables`.
            x: the inputs.
            y: the targets.
            sample_weight: the weights of the samples, or ``None``.
            training: whether this is a training step.
            optimizer_variables: values of the optimizer's variables, among which is a scale of the loss.

        Returns:
            The loss, scaled as the optimizer wants it, and a tuple of the loss, the outputs, and the new values of the
            non-trainable variables and of those of metrics.
        """
        groups = state_of(self, "test")
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        if optimizer_variables is not None:
            groups, given = (*groups, self.optimizer.variables), (*given, optimizer_variables)

        def run():
            y_pred = self(x, training=training)
            loss = self.loss_of(x, y, y_pred, sample_weight, training)
            self.training_state.objectives.track_loss(loss, y_pred)
            scaled = self.optimizer.scale_loss(loss) if training and self.optimizer is not None else loss
            return scaled, loss, y_pred

        (scaled, loss, y_pred), values = _run_on(groups, given, run, "compute_loss_and_updates")
        return scaled, (loss, y_pred, values[1], values[2])

    def loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Array:
        """The result of `compute_loss`, checked. The argument `training` is left out where a subclass has none."""
        options = {"training": training} if "training" in inspect.signature(self.compute_loss).parameters else {}
        value = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **options)
        return losses.check_result(value, self.compute_loss)

    def jax_state_sync(self) -> None:
        """Does nothing: variables hold the newest values all the time."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict:
        """All state of the model as nested dictionaries, by the parts of the variables' paths.

        Args:
            value_format: ``"backend_tensor"`` for JAX arrays, ``"numpy_array"`` for NumPy arrays.

        Returns:
            A dictionary with a tree for each of ``"trainable_variables"``, ``"non_trainable_variables"``,
            ``"optimizer_variables"`` and ``"metrics_variables"``.

        Raises:
            ValueError: for another `value_format`.
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ValueError(
                f"value_format: expected 'backend_tensor' or 'numpy_array'. Received: value_format={value_format!r}"
            )
        trees = {}
        for name, variables in zip(_GROUPS, state_of(self, "train")):
            tree = trees[name] = {}
            for variable in variables:
                *branches, leaf = variable.path.split("/")
                place = tree
                for branch in branches:
                    place = place.setdefault(branch, {})
                place[leaf] = np.asarray(variable.raw) if value_format == "numpy_array" else variable.raw
        return trees

    def set_state_tree(self, state_tree: dict) -> None:
        """Sets the values of variables from a tree as `get_state_tree` returns it, or a part of one.

        Args:
            state_tree: the tree.

        Raises:
            ValueError: if it has an entry that no variable of the model has. Nothing is set then.
        """
        groups = dict(zip(_GROUPS, state_of(self, "train")))
        found = []
        for name, tree in state_tree.items():
            if name not in groups:
                raise ValueError(f"set_state_tree: expected the keys {list(groups)}. Received: {name!r}")
            known = {variable.path: variable for variable in groups[name]}
            for path, value in _leaves_by_path(tree):
                if path not in known:
                    raise ValueError(f"set_state_tree: the model has no variable {path!r} among its {name}.")
                if tuple(np.shape(value)) != tuple(known[path].shape):
                    raise ValueError(
                        f"set_state_tree: variable {path!r} has the shape {known[path].shape}. Received a value of "
                        f"shape {tuple(np.shape(value))}."
                    )
                found.append((known[path], value))
        for variable, value in found:
            variable.assign(value)


def _leaves_by_path(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves_by_path(value, (*path, str(key)))
    else:
        yield "/".join(path), tree
